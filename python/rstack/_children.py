"""What children of this process need to import from the same release: variables of the environment.

multiprocessing (fork, spawn, forkserver), subprocess, concurrent.futures and joblib all start their children with the
environment of their parent. `_site` in front of PYTHONPATH has a `sitecustomize` that reads it.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_site")

_exported: list[dict[str, tuple[str | None, str | None]]] = []
"""For each export that is not withdrawn: what a variable was before and is since."""


_inherited: str | None = None
"""What this process was told of by whoever started it, if that is pinned and leads to newer releases."""


def inherit() -> None:
    """Notes what this process was told of: its own children are told of the same until it advances."""
    global _inherited
    if os.environ.get("RSTACK_REQUESTED") is not None:
        _inherited = os.environ.get("RSTACK_SOURCE")


def export(source: str, only: Iterable[str] = (), materialise: bool = False, requested: str | None = None) -> None:
    """Tells children of a source. It has to be pinned, so that whenever they start they read the same release.

    `requested` is what was asked for: a child that asks for the same gets that release, until it advances.
    """
    wanted = {
        "RSTACK_SOURCE": source,
        "RSTACK_REQUESTED": requested,
        "RSTACK_ONLY": ",".join(only) or None,
        "RSTACK_MATERIALISE": "1" if materialise else None,
        "PYTHONPATH": _in_front(os.environ.get("PYTHONPATH", "")),
    }
    if not os.environ.get("RSTACK_CONFIG") and os.path.exists("rstack.yaml"):
        # A child may start in another folder.
        wanted["RSTACK_CONFIG"] = os.path.abspath("rstack.yaml")
    _exported.append({name: (os.environ.get(name), value) for name, value in wanted.items()})
    for name, value in wanted.items():
        _set(name, value)


def follow(source: str) -> None:
    """Tells children that start from now on of another release, if they were told of one."""
    global _inherited
    if not _exported:
        if _inherited is not None and os.environ.get("RSTACK_SOURCE") == _inherited:
            os.environ["RSTACK_SOURCE"] = _inherited = source
    else:
        before, since = _exported[-1]["RSTACK_SOURCE"]
        if os.environ.get("RSTACK_SOURCE") == since:
            _exported[-1]["RSTACK_SOURCE"] = (before, source)
            os.environ["RSTACK_SOURCE"] = source


def withdraw() -> None:
    """Puts back what was there before the last export. What somebody changed since is theirs and stays."""
    if not _exported:
        return
    for name, (before, since) in _exported.pop().items():
        now = os.environ.get(name)
        if now == since:
            _set(name, before)
        elif name == "PYTHONPATH" and now and SITE not in (before or "").split(os.pathsep):
            _set(name, os.pathsep.join(folder for folder in now.split(os.pathsep) if folder != SITE))


def disinherit() -> None:
    """Takes back what this process was told of by whoever started it, unless somebody has changed it since."""
    global _inherited
    if _inherited is not None and os.environ.get("RSTACK_SOURCE") == _inherited:
        for name in ("RSTACK_SOURCE", "RSTACK_REQUESTED", "RSTACK_ONLY", "RSTACK_MATERIALISE"):
            os.environ.pop(name, None)
        folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if SITE in folders:
            _set("PYTHONPATH", os.pathsep.join(folder for folder in folders if folder != SITE) or None)
    _inherited = None


def _in_front(path: str) -> str:
    """With `_site` first, and only there. An empty path stays none: to Python it would mean the current folder."""
    others = [folder for folder in path.split(os.pathsep) if folder != SITE] if path else []
    return os.pathsep.join([SITE, *others])


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
