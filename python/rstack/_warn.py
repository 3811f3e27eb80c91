"""Passing on what came up while a source was read."""

from __future__ import annotations

from ._names import RstackWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Source


def tell(source: Source) -> None:
    for message, hint in source.take_warnings():
        from warnings import warn

        warn(f"{message}; {hint}" if hint else message, RstackWarning, stacklevel=4)
