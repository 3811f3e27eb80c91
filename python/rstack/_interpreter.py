"""The native part, with a clear word where it cannot be loaded."""

from __future__ import annotations

try:
    from . import _native as native
except ImportError as error:
    if "subinterpreter" not in str(error):
        raise
    raise ImportError(
        "rstack does not work in a sub-interpreter: import what it brings in the main interpreter, or in a process "
        "of its own",
        name="rstack",
    ) from error

__all__ = ["native"]
