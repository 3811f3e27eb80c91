"""Source lines in tracebacks and debuggers."""

from __future__ import annotations

import _thread
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType, TracebackType
    from typing import Any

    from ._finder import Importer


def hooked(importer: Importer, spec: ModuleSpec | None) -> ModuleSpec | None:
    """`linecache`, which is told of the modules that were loaded before it as soon as it is imported itself.

    Importing it earlier would cost every program the time that importing it takes.
    """
    if spec is not None and spec.loader is not None:
        loader: Any = _After(importer, spec.loader)
        spec.loader = loader
    return spec


class _After:
    def __init__(self, importer: Importer, loader: Any) -> None:
        self._importer = importer
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._importer.lines()


class Hook:
    """Before 3.13, Python itself prints an uncaught exception, also a thread's, without looking at `linecache`."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer
        self._is_set = False
        self._threads = ThreadHook(self)

    def set(self) -> None:
        if sys.version_info >= (3, 13):
            return
        if sys.excepthook is sys.__excepthook__:
            self._is_set = True
            sys.excepthook = self
        self._threads.set()

    def unset(self) -> None:
        if self._is_set and sys.excepthook is self:
            sys.excepthook = sys.__excepthook__
        self._is_set = False
        self._threads.unset()

    def __call__(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not self.show(kind, error, trace):
            sys.__excepthook__(kind, error, trace)

    def show(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None, before: str = ""
    ) -> bool:
        """Prints an exception that came through modules of a release; leaves others to Python."""
        if not self._is_ours(error):
            return False
        import traceback

        sys.stderr.write(before)
        traceback.print_exception(kind, error, trace)
        if sys.version_info < (3, 11):
            for note in getattr(error, "__notes__", ()):
                print(note, file=sys.stderr)
        return True

    def _is_ours(self, error: BaseException | None) -> bool:
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            # A module that cannot be compiled has no frame.
            if any(note.startswith("rstack: ") for note in getattr(error, "__notes__", ())):
                return True
            trace = error.__traceback__
            while trace is not None:
                if self._importer.folder(trace.tb_frame.f_code.co_filename) is not None:
                    return True
                trace = trace.tb_next
            error = error.__cause__ or error.__context__
        return False


class ThreadHook:
    """In place of `threading.excepthook`, which `threading` takes from `_thread` when it is imported."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        # Python's own, while this is in its place.
        self._plain: Any = None

    def set(self) -> None:
        plain: Any = getattr(_thread, "_excepthook")  # noqa: B009
        threading: Any = sys.modules.get("threading")
        # Somebody else's stays.
        if type(plain) is type(print) and (threading is None or threading.excepthook is plain):
            self._plain = plain
            self._put(plain, self)

    def unset(self) -> None:
        if self._plain is not None:
            self._put(self, self._plain)
            self._plain = None

    def _put(self, old: Any, new: Any) -> None:
        threading: Any = sys.modules.get("threading")
        for module, name in ((_thread, "_excepthook"), (threading, "excepthook"), (threading, "__excepthook__")):
            if module is not None and getattr(module, name) is old:
                setattr(module, name, new)

    def __call__(self, args: Any) -> None:
        error, thread = args.exc_value, args.thread
        plain = self._plain or getattr(_thread, "_excepthook")  # noqa: B009
        if error is None or args.exc_type is SystemExit or sys.stderr is None or plain is self:
            plain(args)
            return
        name = thread.name if thread is not None else _thread.get_ident()
        if not self._hook.show(args.exc_type, error, args.exc_traceback, f"Exception in thread {name}:\n"):
            plain(args)
