"""The native part, with a clear word where it cannot be used."""

from __future__ import annotations

import sys


def _is_main() -> bool:
    try:
        if sys.version_info >= (3, 13):
            import _interpreters as interpreters
        else:
            import _xxsubinterpreters as interpreters  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return True
    # Since 3.13 each is a tuple, of the id and where it came from.
    current, main = interpreters.get_current(), interpreters.get_main()
    return bool(current == main or (isinstance(current, tuple) and current[0] == main[0]))


if not _is_main():
    raise ImportError(
        "rstack does not work in a sub-interpreter: import what it brings in the main interpreter, or in a process of "
        "its own",
        name="rstack",
    )

from . import _native as native  # noqa: E402

__all__ = ["native"]
