"""Files of a release for `importlib.resources`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ._finder import Importer
    from ._release import Release

if sys.version_info >= (3, 11):
    from importlib.resources.abc import Traversable, TraversableResources
else:
    from importlib.abc import Traversable, TraversableResources


class ReleasePath(Traversable):
    """A file or folder of a release."""

    def __init__(self, release: Release, path: str) -> None:
        self._release = release
        self._path = path

    @property
    def name(self) -> str:
        return self._path.rpartition("/")[2]

    @property
    def parent(self) -> ReleasePath:
        return ReleasePath(self._release, self._path.rpartition("/")[0])

    def exists(self) -> bool:
        return self.is_file() or self.is_dir()

    def is_dir(self) -> bool:
        return self._release.source.is_folder(self._path)

    def is_file(self) -> bool:
        return self._release.source.exists(self._path)

    def iterdir(self) -> Iterator[ReleasePath]:
        children = self._release.source.children(self._path)
        if not children and not self.is_dir():
            kind = NotADirectoryError if self.is_file() else FileNotFoundError
            raise kind(str(self))
        for name in dict.fromkeys(name for name, _ in children):
            yield self / name

    def joinpath(self, *descendants: Any) -> ReleasePath:
        parts = [part for part in self._path.split("/") if part]
        for descendant in descendants:
            for part in str(descendant).split("/"):
                if part == "..":
                    if not parts:
                        raise ValueError(f"{descendant} leads out of {self}")
                    parts.pop()
                elif part not in ("", "."):
                    parts.append(part)
        return ReleasePath(self._release, "/".join(parts))

    def __truediv__(self, child: Any) -> ReleasePath:
        return self.joinpath(child)

    def read_bytes(self) -> bytes:
        return self._release.source.read(self._path)

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        with self.open("r", encoding=encoding, errors=errors) as file:
            text: str = file.read()
        return text

    def open(self, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if mode not in ("r", "rb", "rt"):
            raise ValueError(f"{self} is opened as {mode!r}, and can only be read")
        content = io.BytesIO(self.read_bytes())
        return content if mode == "rb" else io.TextIOWrapper(content, *arguments, **named)

    def __str__(self) -> str:
        return self._release.path(self._path)

    def __repr__(self) -> str:
        return f"<{self}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReleasePath) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


def folder(release: Release, path: str) -> Any:
    """As a folder on this machine where there is one."""
    return Path(release.path(path)) if release.is_real else ReleasePath(release, path)


class Reader(TraversableResources):
    """The resources of a package or of a module's folder."""

    def __init__(self, release: Release, path: str) -> None:
        self._release = release
        self._path = path

    def files(self) -> Any:
        return folder(self._release, self._path)


class Joined(Traversable):
    """Folders as one: what the first has counts."""

    def __init__(self, folders: list[Any]) -> None:
        self._folders = folders

    @property
    def name(self) -> str:
        name: str = self._folders[0].name
        return name

    def is_dir(self) -> bool:
        return True

    def is_file(self) -> bool:
        return False

    def iterdir(self) -> Iterator[Any]:
        seen: set[str] = set()
        for folder in self._folders:
            for child in folder.iterdir():
                if child.name not in seen:
                    seen.add(child.name)
                    yield child

    def joinpath(self, *descendants: Any) -> Any:
        if not descendants:
            return self
        found = [folder.joinpath(*descendants) for folder in self._folders]
        found = [child for child in found if child.is_dir() or child.is_file()] or found[:1]
        return Joined(found) if len(found) > 1 and all(child.is_dir() for child in found) else found[0]

    def __truediv__(self, child: Any) -> Any:
        return self.joinpath(child)

    def read_bytes(self) -> bytes:
        raise IsADirectoryError(str(self))

    def read_text(self, encoding: str | None = None) -> str:
        raise IsADirectoryError(str(self))

    def open(self, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        raise IsADirectoryError(str(self))

    def __str__(self) -> str:
        return ", ".join(map(str, self._folders))


class NamespaceReader(TraversableResources):
    """The resources of a namespace package, of all its parts."""

    def __init__(self, importer: Importer, portions: Iterable[str]) -> None:
        self._folders: list[Any] = []
        for portion in portions:
            path = importer.folder(portion)
            self._folders.append(Path(portion) if path is None else folder(importer.release, path))

    def files(self) -> Any:
        return self._folders[0] if len(self._folders) == 1 else Joined(self._folders)
