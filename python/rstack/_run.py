"""`python -m rstack run`: a program as `python script.py` or `python -m module` would run it, in this process."""

from __future__ import annotations

import io
import os
import pkgutil
import runpy
import sys
from importlib.machinery import BuiltinImporter, SourceFileLoader
from typing import NoReturn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any


def script(path: str, arguments: list[str]) -> None:
    """As `python PATH ARGUMENTS…`: a script, `-` for stdin, or a folder or zip file with `__main__.py`."""
    sys.argv[:] = [path, *arguments]
    with _Shown():
        if path == "-":
            _standard_input()
        else:
            _file(path)


def module(name: str, arguments: list[str]) -> None:
    """As `python -m NAME ARGUMENTS…`."""
    sys.argv[:] = ["-m", *arguments]
    _empty_main()
    with _Shown():
        _as_main(name, alter=True)


class _Shown:
    """Shows an error that nobody catches as Python would if it had begun with the program: without frames of rstack's."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Other things that end a program are not shown, or have an exit code of their own.
        if kind is None or not isinstance(error, Exception):
            return
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        error.__traceback__ = trace
        # For `python -i`, as Python sets them.
        last: Any = sys
        last.last_type, last.last_value, last.last_traceback, last.last_exc = kind, error, trace, error
        sys.excepthook(kind, error, trace)
        raise SystemExit(1) from None


def _standard_input() -> None:
    source = sys.stdin.buffer.read()
    if not _safe_path():
        _without_own_folder()
        sys.path.insert(0, "")
    main = _empty_main()
    main.update(__file__="<stdin>", __cached__=None, __loader__=BuiltinImporter)
    exec(compile(source, "<stdin>", "exec", dont_inherit=True), main)


def _file(path: str) -> None:
    # What has a finder can be imported from, as folders and zip files can.
    if pkgutil.get_importer(path) is not None:
        _without_own_folder()
        sys.path.insert(0, os.path.abspath(path))
        _empty_main()
        _as_main("__main__", alter=False)
        return
    file = os.path.abspath(path)
    try:
        with io.open_code(file) as opened:
            source = opened.read()
    except OSError as error:
        _refuse(f"can't open file {file!r}: [Errno {error.errno}] {error.strerror}")
    if not _safe_path():
        _without_own_folder()
        sys.path.insert(0, os.path.dirname(os.path.realpath(path)))
    main = _empty_main()
    main.update(__file__=file, __cached__=None, __loader__=SourceFileLoader("__main__", file))
    exec(compile(source, file, "exec", dont_inherit=True), main)


def _as_main(name: str, *, alter: bool) -> None:
    """The very function by which the interpreter runs `-m`, folders and zip files."""
    runpy._run_module_as_main(name, alter)  # type: ignore[attr-defined]


def _empty_main() -> dict[str, object]:
    """The real `__main__`, so that pickle, multiprocessing and pdb find it, without anything of rstack's own."""
    main = sys.modules["__main__"].__dict__
    builtins = main["__builtins__"]
    main.clear()
    main.update(
        __name__="__main__", __builtins__=builtins, __doc__=None, __package__=None, __spec__=None, __loader__=None
    )
    return main


def _without_own_folder() -> None:
    """`python -m rstack` put the current folder in front; that of the program takes its place."""
    if not _safe_path():
        del sys.path[0]


def _safe_path() -> bool:
    """Whether Python puts nothing in front of sys.path (-P, -I)."""
    return getattr(sys.flags, "safe_path", False) or bool(sys.flags.isolated)


def _refuse(message: str) -> NoReturn:
    """In Python's own words, with its exit code."""
    sys.stderr.write(f"{sys.executable}: {message}\n")
    raise SystemExit(2)
