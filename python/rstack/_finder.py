"""Finding modules: the meta-path finder, and the finders of the path entries that it hands out."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from time import monotonic

from ._names import STANDARD, HiddenNameWarning, Only, Others, below, is_bare_folder, origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any
    from types import ModuleType

    from ._hot import Watch
    from ._loader import Loader
    from ._native import Source
    from ._release import Release

# What Python looks for whenever it starts; no reason to open a source.
STARTUP = ("sitecustomize", "usercustomize")
# A source that could not be opened is not asked again for so many seconds.
PATIENCE = 5.0


class Importer:
    """Finds modules in a source. It is a meta-path finder; `rstack.install` puts it in front."""

    def __init__(self, opener: Callable[[], Source], only: Only, materialise: bool) -> None:
        self.only = only
        self.materialise = materialise
        # Every module that was loaded, by its name.
        self.loaded: dict[str, Loader] = {}
        # Names of the release that something local hides, and where that is.
        self.hidden: dict[str, str] = {}
        # Modules that a later release changed since they were loaded.
        self.stale: set[str] = set()
        # What looks for newer releases, until this importer is taken away.
        self.watches: list[Watch] = []
        self.open = opener
        self._others = Others()
        self._roots: tuple[str, ...] = ()
        self._release: Release | None = None
        self._failed: tuple[Exception | None, float] = (None, 0.0)

    @property
    def is_open(self) -> bool:
        return self._release is not None

    @property
    def release(self) -> Release:
        """The release that modules come from now; opens the source if nobody did."""
        if self._release is None:
            self.take(self.open())
        assert self._release is not None
        return self._release

    def take(self, source: Source, changed: Iterable[str] = ()) -> None:
        """From now on modules come from here, where those that are `changed` are different.

        A warning that is an error leaves nothing half done.
        """
        from ._release import Release
        from ._warn import tell

        release = Release(source, self.materialise)
        if release.root not in self._roots:
            self._roots = (release.root, *self._roots)
        self._release = release
        self.stale.update(changed)
        self._join_namespaces(release)
        tell(source)
        for name in sorted(release.names & (STANDARD | sys.modules.keys())):
            if name not in self.only and not self._is_ours(sys.modules.get(name)):
                self._hide(name, sys.modules.get(name))
        for name in self.only.names:
            if name in sys.modules and not self._is_ours(sys.modules[name]):
                self._hide(name, sys.modules[name])

    def _join_namespaces(self, release: Release) -> None:
        """Gives namespace packages that were imported before their part of the release."""
        for name in release.names & sys.modules.keys():
            from ._namespace import join

            join(self, release, name)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if self._others.is_asking():
            return None
        if name in self.only:
            return self._find_listed(name, path)
        if path is None:
            return self._find_top(name)
        if self._release is None:
            return None
        ours = [entry for entry in path if self.folder(entry) is not None]
        if not ours:
            return None
        if len(ours) == len(path) == 1:
            return self.spec(name, _join(self.folder(ours[0]), name.rpartition(".")[2]))
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is None and spec.submodule_search_locations is not None:
            return self.release.namespace(self, name, list(spec.submodule_search_locations))
        return spec

    def gives_way(self, name: str) -> bool:
        """Whether a top-level name of the release is not imported from there."""
        if name in self.only:
            return False
        other = self._other(name)
        return name in STANDARD or (other is not None and not is_bare_folder(other))

    def has(self, name: str) -> bool:
        """Whether the release has a module that can be imported, in a package or not."""
        found = self.release.source.locate(name.replace(".", "/"))
        return found is not None and found[0] in ("package", "module")

    def _find_listed(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        release = self.open_for(name)
        spec = self.spec(name, name.replace(".", "/"))
        if spec is None and self._others.find(self, name, None if path is None else list(path)) is not None:
            raise ModuleNotFoundError(
                f"`only` says that {name} comes from {release.source.url}, which has none; what is installed is not "
                "taken instead",
                name=name,
            )
        return spec

    def _find_top(self, name: str) -> ModuleSpec | None:
        if name == "linecache":
            from ._lines import hooked

            return hooked(self, self._others.find(self, name))
        known = self._release
        if name in STANDARD or (known is None and name in STARTUP):
            return None
        if known is not None and name not in known.names:
            return None
        other = self._other(name)
        if other is not None and not is_bare_folder(other):
            if known is not None:
                self._hide(name, other)
            return None
        if name not in self.open_for(name).names:
            return None
        shared = list(other.submodule_search_locations or ()) if other is not None else []
        return self.spec(name, name, shared)

    def _other(self, name: str) -> ModuleSpec | None:
        """What all other finders have; a path entry of ours leads to nothing else."""
        other = self._others.find(self, name)
        return None if other is None or self.folder(other.origin or "") is not None else other

    def open_for(self, name: str) -> Release:
        """The release; an ImportError that says what may be in it when the source cannot be opened."""
        if self._release is not None:
            return self._release
        failed, since = self._failed
        if failed is None or monotonic() - since > PATIENCE:
            try:
                return self.release
            except Warning:
                # One that is to be an error: the source is open.
                raise
            except Exception as error:
                failed = error
                self._failed = error, monotonic()
        raise ImportError(f"{name} may be in a source that cannot be opened: {failed}", name=name) from failed

    def spec(self, name: str, located: str, shared: Sequence[str] = ()) -> ModuleSpec | None:
        """Of the module at a path without its ending; `shared` are other folders of a namespace package."""
        return self.release.spec(self, name, located, shared)

    def folder(self, entry: str) -> str | None:
        """The folder of the source that a path entry of this or an earlier release stands for."""
        if not entry.startswith(self._roots):
            return None
        for root in self._roots:
            folder = below(root, entry)
            if folder is not None:
                return folder
        return None

    def hook(self, entry: str) -> PathEntry:
        """For `sys.path_hooks`. Files are for other hooks: a zip archive in `sys.path`, a package in it, a script for
        `runpy.run_path`."""
        folder = self.folder(entry)
        if folder is None:
            raise ImportError(f"{entry} is not of {self!r}")
        if self.is_open and any(map(self.release.source.exists, _with_parents(folder))):
            raise ImportError(f"{entry} is a file, or in one")
        return PathEntry(self, folder)

    def iter_modules(self, prefix: str = "") -> Iterator[tuple[str, bool]]:
        """For `pkgutil`: the top-level modules."""
        return PathEntry(self, "").iter_modules(prefix)

    def find_distributions(self, context: object = None) -> Iterable[object]:
        """For `importlib.metadata`; opens the source unless what is installed has the name that is asked for."""
        if self._others.is_asking():
            return ()
        from ._metadata import distributions

        return distributions(self, context)

    def other_distributions(self, context: object) -> list[Any]:
        """What all other finders have."""
        return self._others.distributions(self, context)

    def invalidate_caches(self) -> None:
        """Nothing is cached that could be wrong: names are looked up in the release, which does not change."""

    def lines(self) -> None:
        """Tells `linecache` of what was loaded before it."""
        for loader in list(self.loaded.values()):
            loader.remember_lines()

    def _is_ours(self, module: ModuleType | None) -> bool:
        """Whether a module came from a source, this one or another."""
        return getattr(getattr(module, "__spec__", None), "loader", None).__class__.__module__.startswith("rstack.")

    def _hide(self, name: str, other: object) -> None:
        if name in self.hidden or name == "__main__" or not self.has(name):
            return
        self.hidden[name] = origin(name, other)
        from ._warn import warn

        if name in self.only:
            why = f"it was imported before, from {self.hidden[name]}; install earlier, or start with `rstack run`"
        else:
            why = f"it is hidden by {self.hidden[name]}; `only` would take it from there"
        warn(f"{name} is not imported from {self.release.source.url}: {why}", HiddenNameWarning)

    def __repr__(self) -> str:
        opened = self._release.source if self._release is not None else "not opened"
        return f"<rstack.Importer of {opened}>"


class PathEntry:
    """Finds the modules of one folder, for what only knows path entries."""

    def __init__(self, importer: Importer, folder: str) -> None:
        self._importer = importer
        self._folder = folder

    def find_spec(self, name: str, target: ModuleType | None = None) -> ModuleSpec | None:
        located = _join(self._folder, name.rpartition(".")[2])
        found = self._importer.release.source.locate(located)
        if found is not None and found[1] is None:
            # A part of a namespace package: Python joins it with the others.
            spec = ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [self._importer.release.path(located)]
            return spec
        return self._importer.spec(name, located)

    def iter_modules(self, prefix: str = "") -> Iterator[tuple[str, bool]]:
        source = self._importer.release.source
        found: dict[str, bool] = {}
        for name, is_folder in source.children(self._folder):
            stem = name if is_folder else name.removesuffix(".py")
            # As Python does for folders: names that only `import_module` takes are listed, such as Django's migrations.
            if (stem == name and not is_folder) or "." in stem or stem == "__init__":
                continue
            kind, _ = source.locate(_join(self._folder, stem)) or ("", None)
            if kind in ("package", "module"):
                found[stem] = kind == "package"
        for stem, is_package in sorted(found.items()):
            yield prefix + stem, is_package

    def invalidate_caches(self) -> None:
        """As the importer's."""


def _with_parents(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _join(folder: str | None, name: str) -> str:
    return f"{folder}/{name}" if folder else name
