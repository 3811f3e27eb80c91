"""Switching imports from a source on and off."""

from __future__ import annotations

import os
import sys

from . import _children
from ._finder import Importer
from ._lines import Hook
from ._names import Only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing import Any

    from ._hot import Watch
    from ._info import Info
    from ._native import Source

TIMEOUT = 30.0


class Installation:
    """An importer in its place among Python's own."""

    def __init__(self, importer: Importer) -> None:
        self.importer = importer
        self._hook = Hook(importer)
        # Bound once: what is put into a list has to be found there again.
        self._path_hook = importer.hook

    def put(self) -> None:
        sys.meta_path.insert(0, self.importer)
        sys.path_hooks.insert(0, self._path_hook)
        self._hook.set()
        self._forget_entries()

    def remove(self) -> None:
        _without(sys.meta_path, self.importer)
        _without(sys.path_hooks, self._path_hook)
        self._hook.unset()
        self._forget_entries()

    def _forget_entries(self) -> None:
        """Python remembers which hook an entry belongs to, also that it belongs to none."""
        for entry in list(sys.path_importer_cache):
            if self.importer.folder(entry) is not None:
                del sys.path_importer_cache[entry]


def _without(items: list[Any], item: object) -> None:
    items[:] = [other for other in items if other is not item]


_installed: Installation | None = None
# What this process has told its children of.
_requested: str | None = None


def install(
    source: str | None = None,
    *,
    only: Iterable[str] = (),
    at: str | None = None,
    materialise: bool = False,
    timeout: float = TIMEOUT,
) -> Importer:
    """Imports modules from a source from now on, pinned to the release that it is at.

    `source` is an area of an environment ("env:demo/prod"), a URL, or several joined by ";"; RSTACK_SOURCE without it.
    Names in `only`, and everything below them, always come from it; others give way to the standard library and to
    what is installed. `at` is a release or a time. With `materialise` every module is a file on this machine too, for
    tools and packages that open files. `timeout` is in seconds, for each thing that is read. Children of this process
    import from the same release.
    """
    global _requested
    opener, names, real = _wanted(source, only, at, materialise, timeout)
    requested = _request(source, at)
    importer = Importer(opener, names, real)
    # When that fails, everything stays as it was.
    importer.take(opener())
    _put(importer)
    _children.withdraw()
    _children.export(importer.release.source.pinned, names.names, real, requested)
    _requested = requested
    return importer


def install_lazily() -> Importer | None:
    """As `install` with what the environment says, but nothing is opened before a name needs it."""
    if not os.environ.get("RSTACK_SOURCE"):
        return None
    opener, names, real = _wanted(None, (), None, False, TIMEOUT)
    importer = Importer(opener, names, real)
    _put(importer)
    _children.inherit()
    return importer


def uninstall() -> None:
    """Takes back what `install` did. What was imported stays."""
    global _installed
    if _installed is not None:
        _installed.remove()
        _installed = None
        _children.withdraw()


class importing:  # noqa: N801
    """As `install`, while the block runs, and for this process only."""

    def __init__(
        self,
        source: str | None = None,
        *,
        only: Iterable[str] = (),
        at: str | None = None,
        materialise: bool = False,
        timeout: float = TIMEOUT,
    ) -> None:
        self._importer = Importer(*_wanted(source, only, at, materialise, timeout))
        self._installation = Installation(self._importer)

    def __enter__(self) -> Importer:
        self._importer.take(self._importer.open())
        self._installation.put()
        return self._importer

    def __exit__(self, *raised: object) -> None:
        self._installation.remove()


def advance() -> list[str]:
    """Goes to the newest release, and tells which modules are different there: new, changed, or gone.

    Modules that are loaded stay as they are; `reload_changed` reloads them. Children that start from now on import from
    the newest release too.
    """
    from ._hot import advance

    changed = advance(current())
    _children.follow(current().release.source.pinned)
    return changed


def reload_changed() -> list[str]:
    """Reloads what was loaded and has changed, and what imports it, dependents last; tells what it reloaded."""
    from ._hot import reload_changed

    return reload_changed(current())


def watch(callback: Callable[[Source], object], every: float = 1.0) -> Watch:
    """Calls back, from a thread of its own, when a newer release is there. It reloads nothing by itself."""
    from ._hot import Watch

    return Watch(current(), callback, every)


def info() -> Info:
    """What modules come from, which were loaded, and which are hidden."""
    from ._info import Info

    return Info(current())


def current() -> Importer:
    if _installed is None:
        from ._interpreter import native

        raise native.Error("nothing is installed\nhint: `rstack.install(SOURCE)` comes first")
    return _installed.importer


def _put(importer: Importer) -> None:
    global _installed
    if _installed is not None:
        _installed.remove()
    _installed = Installation(importer)
    _installed.put()


def _wanted(
    source: str | None, only: Iterable[str], at: str | None, materialise: bool, timeout: float
) -> tuple[Callable[[], Source], Only, bool]:
    """What the caller wants, and what the environment says where the caller does not."""
    pinned: str | None = None
    told = os.environ.get("RSTACK_SOURCE") or None
    requested = os.environ.get("RSTACK_REQUESTED") or None
    if source is None and told is not None:
        only = only or tuple(name for name in os.environ.get("RSTACK_ONLY", "").split(",") if name)
        materialise = materialise or os.environ.get("RSTACK_MATERIALISE") == "1"
    if told is not None and at is None and source is None and requested is not None:
        pinned = told
        at, source = (part or None for part in requested.split("\n", 1))
    elif told is not None and requested == _request(source, at) != _requested:
        # A parent has asked for the same: its children stay at its release.
        pinned = told
    elif source is None:
        source = told

    def opener() -> Source:
        from ._interpreter import native

        return native.open(source, at=at, timeout=timeout, pinned=pinned)

    return opener, Only(only), materialise


def _request(source: str | None, at: str | None) -> str:
    """What is asked for, as one text that children inherit."""
    if source is None:
        requested = os.environ.get("RSTACK_REQUESTED")
        if requested and at is None:
            return requested
        source = os.environ.get("RSTACK_SOURCE")
    return f"{at or ''}\n{source or ''}"
