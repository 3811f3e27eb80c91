"""Source lines in tracebacks and debuggers."""

from __future__ import annotations

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
    """Before 3.13, Python itself prints an uncaught exception without looking at `linecache`."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer
        self._is_set = False

    def set(self) -> None:
        if sys.version_info < (3, 13) and sys.excepthook is sys.__excepthook__:
            self._is_set = True
            sys.excepthook = self

    def unset(self) -> None:
        if self._is_set and sys.excepthook is self:
            sys.excepthook = sys.__excepthook__
        self._is_set = False

    def __call__(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not self._is_ours(error):
            sys.__excepthook__(kind, error, trace)
            return
        import traceback

        traceback.print_exception(kind, error, trace)
        if sys.version_info < (3, 11):
            for note in getattr(error, "__notes__", ()):
                print(note, file=sys.stderr)

    def _is_ours(self, error: BaseException | None) -> bool:
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            trace = error.__traceback__
            while trace is not None:
                if self._importer.folder(trace.tb_frame.f_code.co_filename) is not None:
                    return True
                trace = trace.tb_next
            error = error.__cause__ or error.__context__
        return False
