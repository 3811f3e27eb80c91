"""What gives way to what: the names of a release beside the standard library and what is installed."""

from __future__ import annotations

import os
import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any
    from importlib.machinery import ModuleSpec

# Python looks for the last two whenever it starts; a release is not to run anything then, nor to be opened for it.
STANDARD = (
    sys.stdlib_module_names | frozenset(sys.builtin_module_names) | frozenset(("sitecustomize", "usercustomize"))
)


class RstackWarning(UserWarning):
    """Something that did not keep rstack from doing its work."""


class HiddenNameWarning(RstackWarning):
    """A module of the release is not imported, since something local has its name."""


class Only:
    """Names that always come from the source, and with each everything below it."""

    def __init__(self, names: Iterable[str]) -> None:
        if isinstance(names, str):
            raise TypeError(f'`only` is a list of names: ["{names}"]')
        self.names = tuple(names)
        for name in self.names:
            if not all(part.isidentifier() for part in name.split(".")):
                raise ValueError(f"`only` names {name!r}, which cannot be a module")
        self._exact = frozenset(self.names)
        self._below = tuple(name + "." for name in self.names)

    def __contains__(self, name: str) -> bool:
        return name in self._exact or name.startswith(self._below)


class Others:
    """What all other finders would find, asked without asking ourselves again."""

    def __init__(self) -> None:
        self._asking: set[int] = set()

    def is_asking(self) -> bool:
        """Whether this thread is, so that the question is not for us."""
        return get_ident() in self._asking

    def find(self, asker: object, name: str, path: list[str] | None = None) -> ModuleSpec | None:
        thread = get_ident()
        self._asking.add(thread)
        try:
            for find_spec in _methods(asker, "find_spec"):
                spec: ModuleSpec | None = find_spec(name, path)
                if spec is not None:
                    return spec
            return None
        finally:
            self._asking.discard(thread)

    def distributions(self, asker: object, context: object) -> list[Any]:
        thread = get_ident()
        self._asking.add(thread)
        try:
            return [found for find in _methods(asker, "find_distributions") for found in find(context)]
        finally:
            self._asking.discard(thread)


def _methods(asker: object, name: str) -> list[Callable[..., Any]]:
    """Of all finders but one."""
    found = (getattr(finder, name, None) for finder in list(sys.meta_path) if finder is not asker)
    return [method for method in found if method is not None]


def below(root: str, path: str) -> str | None:
    """The path below a root that a file name stands for. What leads out of it stands for nothing there."""
    if path == root:
        return ""
    if not path.startswith(root) or path[len(root)] != "/":
        return None
    rest = path[len(root) + 1 :]
    if "/." in rest or "//" in rest or rest.startswith((".", "/")) or rest.endswith("/"):
        rest = os.path.normpath(rest.lstrip("/"))
        if rest == ".":
            return ""
        if rest == ".." or rest.startswith("../"):
            return None
    return rest


def origin(name: str, found: object) -> str:
    """Where a module or a spec is from, in words."""
    spec = getattr(found, "__spec__", found)
    where: str | None = getattr(spec, "origin", None)
    if where in (None, "frozen", "built-in", "namespace"):
        folders = list(getattr(spec, "submodule_search_locations", None) or ())
        where = folders[0] if folders and name not in STANDARD else None
    return where or ("the standard library" if name in STANDARD else "what the program made itself")


def is_bare_folder(spec: ModuleSpec) -> bool:
    """Whether it is a folder without `__init__.py`, which is a namespace package."""
    return spec.submodule_search_locations is not None and not spec.has_location and spec.origin in (None, "namespace")
