"""The native part, with a clear word where it cannot be used."""

from __future__ import annotations

from ._startup import is_main_interpreter

if not is_main_interpreter():
    raise ImportError(
        "rstack does not work in a sub-interpreter: import what it brings in the main interpreter, or in a process of "
        "its own",
        name="rstack",
    )

from . import _native as native  # noqa: E402

__all__ = ["native"]
