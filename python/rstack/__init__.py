"""Python modules straight from S3, DynamoDB and Redis, at the release you ask for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._finder import Importer as Importer
    from ._info import Info as Info, Loaded as Loaded
    from ._install import (
        advance as advance,
        importing as importing,
        info as info,
        install as install,
        reload_changed as reload_changed,
        uninstall as uninstall,
        watch as watch,
    )
    from ._hot import Watch as Watch
    from ._names import HiddenNameWarning as HiddenNameWarning, RstackWarning as RstackWarning
    from ._native import Error as Error, Member as Member, Move as Move, Source as Source, Timeout as Timeout
    from ._native import __version__ as __version__, open as open

__all__ = [
    "Error",
    "HiddenNameWarning",
    "Importer",
    "Info",
    "Loaded",
    "Member",
    "Move",
    "RstackWarning",
    "Source",
    "Timeout",
    "Watch",
    "__version__",
    "advance",
    "importing",
    "info",
    "install",
    "open",
    "reload_changed",
    "uninstall",
    "watch",
]

# Where each name is; nothing is imported before it is used.
_HOMES = {
    "Error": "_native",
    "HiddenNameWarning": "_names",
    "Importer": "_finder",
    "Info": "_info",
    "Loaded": "_info",
    "Member": "_native",
    "Move": "_native",
    "RstackWarning": "_names",
    "Source": "_native",
    "Timeout": "_native",
    "Watch": "_hot",
    "__version__": "_native",
    "advance": "_install",
    "importing": "_install",
    "info": "_install",
    "install": "_install",
    "open": "_native",
    "reload_changed": "_install",
    "uninstall": "_install",
    "watch": "_install",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if home == "_native":
        from ._interpreter import native as module
    else:
        from importlib import import_module

        module = import_module(f"{__name__}.{home}")
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
