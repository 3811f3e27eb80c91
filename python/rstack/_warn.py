"""Warnings, at the line of whoever made rstack do what it warns of."""

from __future__ import annotations

import os
import sys

from ._names import RstackWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from ._native import Source

# Frames of files that begin so are not the user's.
OWN = (os.path.dirname(os.path.abspath(__file__)) + os.sep, "<frozen importlib", "<frozen runpy")


def tell(source: Source) -> None:
    """Passes on what came up while a source was read."""
    for message, hint in source.take_warnings():
        warn(f"{message}; {hint}" if hint else message, RstackWarning)


def warn(message: str, kind: type[RstackWarning]) -> None:
    """As `warnings.warn`, which can skip frames only from Python 3.12 on."""
    from warnings import warn_explicit

    frame = _users(sys._getframe(1))
    named = frame.f_globals
    warn_explicit(
        message,
        kind,
        frame.f_code.co_filename,
        frame.f_lineno,
        named.get("__name__") or "<unknown>",
        named.setdefault("__warningregistry__", {}),
    )


def _users(frame: FrameType) -> FrameType:
    """The innermost that is neither rstack's nor Python's import; the outermost where there is none."""
    while frame.f_back is not None and _is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def _is_own(file: str) -> bool:
    return file.startswith(OWN) or f"{os.sep}importlib{os.sep}" in file
