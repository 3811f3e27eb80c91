"""Switching imports on while Python starts, for `sitecustomize` and for the `.pth` of `python -m rstack enable`.

Nothing here may raise, import much or ask anybody anything: it runs before every program of an interpreter.
"""

from __future__ import annotations

import os
import sys

_on = False


def switch_on() -> None:
    """Imports what RSTACK_SOURCE names from now on, where that is wanted; the source is opened when a name needs it."""
    global _on
    if _on or not _wanted():
        return
    try:
        from rstack._install import install_lazily

        install_lazily()
        _on = True
    except Exception as error:
        sys.stderr.write(f"rstack: imports from RSTACK_SOURCE are not switched on: {error}\n")


def _wanted() -> bool:
    """Not when Python was told to ignore its environment (-E, -I), nor with somebody else's rights (setuid), nor in a
    sub-interpreter."""
    return bool(
        os.environ.get("RSTACK_SOURCE") and not sys.flags.ignore_environment and not _elevated() and is_main_interpreter()
    )


def _elevated() -> bool:
    return hasattr(os, "geteuid") and (os.getuid() != os.geteuid() or os.getgid() != os.getegid())


def is_main_interpreter() -> bool:
    try:
        if sys.version_info >= (3, 13):
            import _interpreters as interpreters
        else:
            import _xxsubinterpreters as interpreters  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return True
    return bool(interpreters.get_current() == interpreters.get_main())
