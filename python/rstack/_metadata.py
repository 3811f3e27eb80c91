"""Installed distributions for `importlib.metadata`: the `.dist-info` folders of a release."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PathDistribution

from ._resources import folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._finder import Importer
    from ._release import Release

SUFFIX = ".dist-info"


def distributions(importer: Importer, context: Any) -> Iterator[Distribution]:
    """Those of this name, or all; not what is hidden by something local, which then has its own."""
    wanted = getattr(context, "name", None)
    release = importer.release
    for name, is_folder in release.source.children(""):
        if not is_folder or not name.endswith(SUFFIX):
            continue
        if wanted is not None and _normal(name.split("-")[0]) != _normal(wanted):
            continue
        if not _is_hidden(importer, release, name):
            yield ReleaseDistribution(folder(release, name))


class ReleaseDistribution(PathDistribution):
    """Its files are those of the release."""


def _is_hidden(importer: Importer, release: Release, name: str) -> bool:
    modules = _modules(release, name)
    return bool(modules) and all(importer.gives_way(module) for module in modules)


def _modules(release: Release, name: str) -> set[str]:
    """The top-level modules that a distribution says it has, of those that the release has."""
    record = f"{name}/RECORD"
    if not release.source.exists(record):
        return set()
    lines = release.source.read(record).decode("utf-8", "replace").splitlines()
    first = {line.split(",")[0].strip('"').split("/")[0].removesuffix(".py") for line in lines}
    return first & release.names


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
