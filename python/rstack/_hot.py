"""Newer releases in a process that runs."""

from __future__ import annotations

import ast
import os
import sys
import threading
from importlib import reload
from importlib.machinery import SourceFileLoader
from importlib.util import resolve_name

from ._warn import tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ._finder import Importer
    from ._native import Source


def advance(importer: Importer) -> list[str]:
    source, change = importer.release.source.advance()
    before = importer.release.source
    changed = sorted(set(_modules([*change.added, *change.changed, *change.removed], before, source)))
    if _releases(source) != _releases(before):
        importer.take(source, changed)
    else:
        tell(source)
    return changed


def _modules(paths: Iterable[str], *sources: Source) -> Iterator[str]:
    """Those of these paths; of data the nearest package around it, whose resource it is."""
    for path in paths:
        stem = path.removesuffix(".py")
        if stem != path:
            yield stem.removesuffix("/__init__").replace("/", ".")
        elif not path.endswith(".pyc"):
            folder = path.rpartition("/")[0]
            while folder and not any(source.exists(f"{folder}/__init__.py") for source in sources):
                folder = folder.rpartition("/")[0]
            if folder:
                yield folder.replace("/", ".")


def _releases(source: Source) -> list[str]:
    return [member.release or source.digest for member in source.members]


def reload_changed(importer: Importer) -> list[str]:
    loaded = {name: loader for name, loader in list(importer.loaded.items()) if name in sys.modules}
    stale = importer.stale
    imports = {name: _imports(name) & loaded.keys() for name in loaded}
    affected = stale & loaded.keys()
    while more := {name for name in loaded if name not in affected and imports[name] & affected}:
        affected |= more
    # When one cannot be reloaded, it and all that come after it are for the next time. What is not loaded needs nothing.
    stale.intersection_update(affected)
    stale.update(affected)
    done = []
    for name in _in_order(affected, imports):
        if importer.has(name):
            reload(sys.modules[name])
            done.append(name)
        stale.discard(name)
    return done


def _in_order(names: set[str], imports: dict[str, set[str]]) -> list[str]:
    """Each after what it imports; of a circle, any first."""
    order: dict[str, None] = {}
    begun: set[str] = set()
    for first in sorted(names):
        waiting = [(first, False)]
        while waiting:
            name, is_ready = waiting.pop()
            if is_ready:
                order[name] = None
            elif name not in begun:
                begun.add(name)
                waiting.append((name, True))
                waiting.extend((other, False) for other in sorted(imports[name] & names, reverse=True))
    return list(order)


def _imports(name: str) -> set[str]:
    """What a loaded module may import, with every package on the way, read from the source that it was loaded from."""
    module = sys.modules[name]
    spec = module.__spec__
    loader = spec.loader if spec is not None else None
    text = loader.get_source(name) if isinstance(loader, SourceFileLoader) else None
    found: set[str] = set()
    try:
        tree = ast.parse(text or "")
    except SyntaxError:
        return found
    package = module.__package__ or ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            try:
                base = resolve_name(base, package) if node.level else base
            except ImportError:
                continue
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    for other in list(found):
        found.update(_packages(other))
    found.discard(name)
    return found


def _packages(name: str) -> Iterator[str]:
    """Those around a module, which are imported before it."""
    while name := name.rpartition(".")[0]:
        yield name


class Watch:
    """Looks for newer releases until `stop` is called or the process ends; a fork looks too."""

    def __init__(self, importer: Importer, callback: Callable[[Source], object], every: float) -> None:
        if not every > 0:
            raise ValueError(f"`every` is {every}: expected seconds, more than 0")
        # What went wrong when it looked last; `None` when nothing did.
        self.error: Exception | None = None
        self._importer = importer
        self._callback = callback
        self._every = every
        self._told = _releases(importer.release.source)
        self._stopped = threading.Event()
        self._start()
        os.register_at_fork(after_in_child=self._start_again)

    def _start_again(self) -> None:
        if not self._stopped.is_set():
            # What the parent's thread was at is not known here.
            self._stopped = threading.Event()
            self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, args=(self._stopped,), name="rstack.watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Looks no more; a callback that runs goes on."""
        self._stopped.set()

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.wait(self._every):
            try:
                source, _ = self._importer.release.source.advance()
                self.error = None
            except Exception as error:
                self.error = error
                continue
            releases = _releases(source)
            if releases == _releases(self._importer.release.source):
                self._told = releases
            elif releases != self._told and not stopped.is_set():
                self._told = releases
                self._call(source)

    def _call(self, source: Source) -> None:
        try:
            self._callback(source)
        except Exception:
            kind, error, trace = sys.exc_info()
            assert kind is not None
            threading.excepthook(threading.ExceptHookArgs((kind, error, trace, threading.current_thread())))
