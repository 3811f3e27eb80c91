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
        # How often it was put there: a block may be entered again before it ends.
        self._times = 0

    def put(self) -> None:
        sys.meta_path.insert(0, self.importer)
        sys.path_hooks.insert(0, self._path_hook)
        if self._times == 0:
            self._hook.set()
        self._times += 1
        self._forget_entries()

    def remove(self) -> None:
        _drop(sys.meta_path, self.importer)
        _drop(sys.path_hooks, self._path_hook)
        self._times -= 1
        if self._times == 0:
            self._hook.unset()
            for watch in self.importer.watches:
                watch.stop()
        self._forget_entries()

    @property
    def is_put(self) -> bool:
        return self._times > 0

    def _forget_entries(self) -> None:
        """Python remembers which hook an entry belongs to, also that it belongs to none."""
        for entry in list(sys.path_importer_cache):
            if self.importer.folder(entry) is not None:
                del sys.path_importer_cache[entry]


def _drop(items: list[Any], item: object) -> None:
    """The first that is this one. Something equal to it is somebody else's."""
    for place, other in enumerate(items):
        if other is item:
            del items[place]
            return


_installed: Installation | None = None
# Of `importing`, the innermost last.
_blocks: list[Installation] = []
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
    """Takes back what `install` or `rstack run` did, for this process and children that start from now on. What was
    imported stays; what watches for newer releases ends.
    """
    global _installed
    if _installed is not None:
        _installed.remove()
        _installed = None
        _children.withdraw()
        _children.disinherit()


class importing:  # noqa: N801
    """As `install`, while the block runs, and for this process only.

    After the block, imports from the source find nothing: neither those in functions that run only then, nor a reload of
    what was imported in the block.
    """

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
        if not self._installation.is_put:
            self._importer.take(self._importer.open())
        self._installation.put()
        _blocks.append(self._installation)
        return self._importer

    def __exit__(self, *raised: object) -> None:
        # From the end: the innermost is left first.
        _blocks.reverse()
        _drop(_blocks, self._installation)
        _blocks.reverse()
        self._installation.remove()


def advance() -> list[str]:
    """Goes to the newest release, and tells which modules are different there: new, changed, or gone.

    A file that is no module counts as its package. Modules that are loaded stay as they are; `reload_changed` reloads
    them. Children that start from now on import from the newest release too, but for those of a fork server that runs
    already: give them `initializer=rstack.advance`.
    """
    from ._hot import advance

    importer = current()
    try:
        return advance(importer)
    finally:
        # Also when a warning that is an error came after it.
        if importer.is_open:
            _children.follow(importer.release.source.pinned)


def reload_changed() -> list[str]:
    """Reloads what was loaded and has changed, and what imports it, dependents last; tells what it reloaded.

    When one fails, it and those that come after it are reloaded by the next call.
    """
    from ._hot import reload_changed

    return reload_changed(current())


def watch(callback: Callable[[Source], object], every: float = 1.0) -> Watch:
    """Calls back, from a thread of its own, when a newer release is there, until `stop` is called or nothing is installed
    any more. It reloads nothing by itself.
    """
    from ._hot import Watch

    importer = current()
    watch = Watch(importer, callback, every)
    importer.watches.append(watch)
    return watch


def info() -> Info:
    """What modules come from, which were loaded, and which are hidden; in a block of `importing`, of that."""
    from ._info import Info

    return Info(_blocks[-1].importer if _blocks else current())


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
