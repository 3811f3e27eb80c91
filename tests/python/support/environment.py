"""An environment of the local AWS, and what is published in its stores."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .local import Local

STORES = ("s3", "dynamodb", "redis")


class Environment:
    def __init__(self, local: Local, name: str) -> None:
        self.local = local
        self.name = name
        self.numbers = itertools.count(1)
        local.rstack("up", "-n", name, "--ttl", "8h")
        outputs = local.rstack("outputs", "-n", name, "--format", "json").stdout
        self.variables: dict[str, str] = json.loads(outputs)

    def area(self, name: str | None = None) -> Area:
        """One that no other test has, unless it is named."""
        return Area(self, name or f"area{next(self.numbers)}")

    def seed(self, files: Files, *options: object, area: str | None = None) -> Area:
        """Publishes files to an area of their own."""
        new = self.area(area)
        new.seed(files, *options)
        return new


Files = Mapping[str, "str | bytes"] | Path
"""A folder, or what would be in it: path to content."""


@dataclass(frozen=True)
class Area:
    environment: Environment
    name: str

    @property
    def env(self) -> str:
        return f"env:{self.environment.name}/{self.name}"

    def url(self, store: str) -> str:
        """Where one store alone has it."""
        variables = self.environment.variables
        return {
            "s3": f"s3://{variables['RSTACK_BUCKET']}/{self.name}",
            "dynamodb": f"dynamodb://{variables['RSTACK_TABLE']}/{self.name}",
            "redis": f"{variables['RSTACK_REDIS_URL']}/{self.name}",
        }[store]

    def seed(self, files: Files, *options: object) -> str:
        """Publishes another release; gives its id."""
        with tempfile.TemporaryDirectory() as folder:
            if not isinstance(files, Path):
                files = written(files, Path(folder))
            self.rstack("seed", files, "--area", self.name, *options)
        return self.release()

    def release(self) -> str:
        """The id of the current release."""
        shown = self.rstack("releases", self.name, "--limit", "1", "--output", "json").stdout
        return json.loads(shown.splitlines()[-1])["data"]["current"]

    def rstack(self, *args: object, **options: object):
        return self.environment.local.rstack("-n", self.environment.name, *args, **options)


def written(files: Mapping[str, str | bytes], folder: Path) -> Path:
    """The files in a folder."""
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
