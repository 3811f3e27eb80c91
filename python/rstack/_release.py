"""One opened source, and where its files seem to be."""

from __future__ import annotations

import sys
from importlib._bootstrap_external import MAGIC_NUMBER

from ._interpreter import native
from ._loader import Loader, Spec
from ._names import below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec

    from ._finder import Importer
    from ._native import Source

# Absolute, so that debuggers and `os.path.abspath` leave it alone. No such folder is needed.
MOUNT = "/rstack/"
LONGEST = 120
# How files of C extension modules end.
COMPILED = (".so", ".pyd")


class Release:
    """A source as it was opened, pinned to its releases."""

    def __init__(self, source: Source, materialise: bool) -> None:
        self.source = source
        self.code = native.Code(source, MAGIC_NUMBER, sys.implementation.cache_tag, _level())
        self.is_real = materialise
        self.root = source.materialise() if materialise else MOUNT + _label(source)
        self.names = {name for name in _names(source) if "." not in name}

    def path(self, file: str) -> str:
        """The file name of a path of the release."""
        return f"{self.root}/{file}" if file else self.root

    def inside(self, path: str) -> str | None:
        """The path of the release that a file name stands for."""
        return below(self.root, path)

    def spec(self, importer: Importer, name: str, located: str, shared: Sequence[str] = ()) -> ModuleSpec | None:
        """Of the module at a path without its ending; `shared` are other folders of a namespace package."""
        found = self.source.locate(located)
        if found is None:
            return None
        kind, file = found
        if file is None:
            return self.namespace(importer, name, [self.path(located), *shared])
        if kind == "extension":
            raise ImportError(
                f"{file} in {self.source.named(file)} is a C extension module, which cannot be imported from a source: "
                "install it on this machine",
                name=name,
            )
        path = self.path(file)
        loader = Loader(name, path, file, self)
        spec = Spec(name, loader, origin=path, is_package=kind == "package")
        spec.has_location = True
        spec.cached = self.code.kept(file)
        loader.spec = spec
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(self.path(located))
        importer.loaded[name] = loader
        return spec

    def namespace(self, importer: Importer, name: str, portions: list[str]) -> ModuleSpec:
        """Of a folder without `__init__.py`, or several."""
        from ._namespace import namespace_spec

        return namespace_spec(importer, name, portions)


def _level() -> str:
    optimize = sys.flags.optimize
    return str(optimize) if optimize else ""


def _names(source: Source) -> list[str]:
    """The top-level modules and folders; those too that are compiled, to say so when they are imported."""
    found = []
    for name, is_folder in source.children(""):
        if is_folder:
            found.append(name)
        elif name.endswith(".py"):
            found.append(name[:-3])
        elif name.endswith(COMPILED):
            found.append(name.partition(".")[0])
    return found


def _label(source: Source) -> str:
    """A folder's name that says where the files come from, and at which release."""
    parts = []
    for member in source.members:
        place = "".join(c if c.isalnum() or c in "._-" else "-" for c in member.url).strip("-")
        while "--" in place:
            place = place.replace("--", "-")
        parts.append(f"{place}@{member.release or source.digest}")
    label = "+".join(parts)
    if len(label) > LONGEST:
        label = f"{label[:LONGEST]}-{source.digest}"
    return label
