"""Namespace packages with a part in a release."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder

from ._names import is_bare_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._finder import Importer
    from ._release import Release

if TYPE_CHECKING:

    class NamespaceLoader:
        _path: list[str]

        def __init__(self, name: str, path: list[str], path_finder: object) -> None: ...

elif sys.version_info >= (3, 11):
    from importlib.machinery import NamespaceLoader
else:
    from importlib._bootstrap_external import _NamespaceLoader as NamespaceLoader


class Namespace(NamespaceLoader):
    """As Python's own, with the resources of releases too."""

    def __init__(self, importer: Importer, name: str, portions: list[str]) -> None:
        def again(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
            return _again(importer, name, path)

        super().__init__(name, portions, again)
        self._importer = importer

    def get_resource_reader(self, name: str) -> Any:
        from ._resources import NamespaceReader

        return NamespaceReader(self._importer, list(self._path))


def namespace_spec(importer: Importer, name: str, portions: list[str]) -> ModuleSpec:
    loader = Namespace(importer, name, portions)
    as_loader: Any = loader
    spec = ModuleSpec(name, as_loader, is_package=True)
    spec.submodule_search_locations = loader._path
    return spec


def join(importer: Importer, release: Release, name: str) -> None:
    """Gives a namespace package that was imported before, and those in it, their part of the release."""
    module, located = sys.modules[name], name.replace(".", "/")
    spec: ModuleSpec | None = getattr(module, "__spec__", None)
    found = release.source.locate(located)
    # A folder of the release is no part of what is a package here, nor the other way round.
    if spec is None or not is_bare_folder(spec) or found is None or found[1] is not None:
        return
    portions = list(module.__path__)
    if not any(importer.folder(entry) is not None for entry in portions):
        spec = release.namespace(importer, name, [release.path(located), *portions])
        module.__spec__, module.__loader__ = spec, spec.loader
        module.__path__ = spec.submodule_search_locations or []
    for child in [other for other in list(sys.modules) if other.rpartition(".")[0] == name]:
        join(importer, release, child)


def _again(importer: Importer, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """The parts as they are when a path has changed since; Python takes them when there is no loader."""
    parent = name.rpartition(".")[0]
    found = PathFinder.find_spec(name, path if parent else None)
    portions = list(found.submodule_search_locations or ()) if found is not None and found.loader is None else []
    release = importer.release
    located = name.replace(".", "/")
    if not parent and release.source.is_folder(located):
        portions.insert(0, release.path(located))
    if not portions:
        return None
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = portions
    return spec
