"""Installed distributions for `importlib.metadata`: the `.dist-info` folders of a release."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, DistributionFinder, PathDistribution

from ._resources import folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._finder import Importer
    from ._release import Release

SUFFIX = ".dist-info"


def distributions(importer: Importer, context: Any) -> list[Distribution]:
    """Those of this name, or all; not what is hidden by something local, which then has its own.

    Of a path that is asked for, what is there: all of a root of this importer, and nothing of anything else.
    """
    wanted: str | None = getattr(context, "name", None)
    path = vars(context).get("path") if context is not None else None
    if path is not None:
        is_named = any(importer.folder(str(entry)) == "" for entry in path)
        # Real files are found by Python itself.
        return list(_named(importer.release, wanted)) if is_named and not importer.materialise else []
    if wanted is not None and not importer.is_open and _is_installed(importer, wanted):
        return []
    release = importer.open_for(wanted or "a distribution")
    return [found for found in _named(release, wanted) if not _is_hidden(importer, release, found)]


def _named(release: Release, wanted: str | None) -> Iterator[ReleaseDistribution]:
    for name, is_folder in release.source.children(""):
        if not is_folder or not name.endswith(SUFFIX):
            continue
        if wanted is None or _normal(name.split("-")[0]) == _normal(wanted):
            yield ReleaseDistribution(release, name)


class ReleaseDistribution(PathDistribution):
    """Its files are those of the release."""

    def __init__(self, release: Release, folder_name: str) -> None:
        super().__init__(folder(release, folder_name))
        self.folder_name = folder_name


def _is_hidden(importer: Importer, release: Release, distribution: ReleaseDistribution) -> bool:
    name = distribution.folder_name
    modules = _modules(release, name)
    if any(module in importer.only for module in modules):
        return False
    return (bool(modules) and all(map(importer.gives_way, modules))) or _is_installed(importer, name.split("-")[0])


def _is_installed(importer: Importer, name: str) -> bool:
    """Whether another finder has a distribution of this name, of which `only` names no module."""
    found = importer.other_distributions(DistributionFinder.Context(name=name))
    # What it consists of is looked at only where that counts.
    only = set(importer.only.names)
    return any(not only or not only & _tops(other) for other in found)


def _tops(distribution: Distribution) -> set[str]:
    return {file.parts[0].removesuffix(".py") for file in distribution.files or ()}


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
