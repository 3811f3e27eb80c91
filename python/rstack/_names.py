"""What gives way to what: the names of a release beside the standard library and what is installed."""

from __future__ import annotations

import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
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
            for finder in list(sys.meta_path):
                find_spec = getattr(finder, "find_spec", None)
                if finder is asker or find_spec is None:
                    continue
                spec: ModuleSpec | None = find_spec(name, path)
                if spec is not None:
                    return spec
            return None
        finally:
            self._asking.discard(thread)


def is_bare_folder(spec: ModuleSpec) -> bool:
    """Whether it is a folder without `__init__.py`, which is a namespace package."""
    return spec.submodule_search_locations is not None and not spec.has_location and spec.origin in (None, "namespace")
