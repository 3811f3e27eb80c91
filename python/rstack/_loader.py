"""Loading one module of a release."""

from __future__ import annotations

import _imp
import errno
import marshal
import os
import sys
from importlib._bootstrap_external import MAGIC_NUMBER as MAGIC
from importlib.machinery import ModuleSpec, SourceFileLoader

from ._interpreter import native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from ._native import Runner
    from ._release import Release
else:
    Runner = native.Runner

fix_co_filename: Callable[[CodeType, str], None] = getattr(_imp, "_fix_co_filename")  # noqa: B009
# Of a `.pyc`: magic number, flags (made of a source that is known by its hash), and that hash.
HEADER = 16
BY_HASH = (0b11).to_bytes(4, "little")
RAW_MAGIC = int.from_bytes(MAGIC, "little")


class Spec(ModuleSpec):
    """A spec that tells where bytecode is kept, and makes nothing up where it is not."""

    cached: str | None = None


class Loader(Runner, SourceFileLoader):  # type: ignore[misc]
    """Loads a module from a release. It stays with that release, whichever is the newest."""

    name: str
    path: str
    spec: ModuleSpec

    def __init__(self, name: str, path: str, file: str, release: Release) -> None:
        self.name = name
        self.path = path
        self.file = file
        self.release = release
        # As what its code was found: "kept" on this machine, "published" with the release, or "source".
        self.found: str | None = None

    def get_code(self, fullname: str) -> CodeType:
        self.get_filename(fullname)
        try:
            found, content, source = self.release.code.load(self.file)
        except Exception as error:
            raise self._unreadable(error) from error
        self.remember_lines()
        if found == "published" and source is not None and content[8:HEADER] != _imp.source_hash(RAW_MAGIC, source):
            found, content = "source", source
        if found != "source":
            code = _unmarshal(content)
            if code is not None:
                self.found = found
                fix_co_filename(code, self.path)
                return code
            content = self.get_data(self.path) if source is None else source
        self.found = "source"
        try:
            code = compile(content, self.path, "exec", dont_inherit=True, optimize=-1)
        except Exception as error:
            self.explain(error)
            raise
        if not sys.dont_write_bytecode:
            self.release.code.keep(self.file, MAGIC + BY_HASH + _imp.source_hash(RAW_MAGIC, content) + marshal.dumps(code))
        return code

    def get_data(self, path: str) -> bytes:
        file = self.release.inside(path)
        if file is None:
            if path.startswith(self.release.root + "/"):
                raise FileNotFoundError(errno.ENOENT, f"{os.strerror(errno.ENOENT)}, as it leads out of the release", path)
            return super().get_data(path)
        try:
            return self.release.source.read(file)
        except (FileNotFoundError, IsADirectoryError):
            raise
        except Exception as error:
            raise OSError(f"{path} cannot be read from {self.release.source.named(file)}: {error}") from error

    def path_stats(self, path: str) -> Any:
        raise OSError(f"{path} has no times: it is {self.release.source.named(self.file)}")

    def get_resource_reader(self, name: str | None = None) -> Any:
        from ._resources import Reader

        return Reader(self.release, self.file.rpartition("/")[0])

    def explain(self, error: BaseException) -> None:
        """Says of a module's own exception where the module came from, once."""
        if any(note.startswith("rstack: ") for note in getattr(error, "__notes__", ())):
            return
        note = f"rstack: {self.name} is {self.file} in {self.release.source.named(self.file)}"
        if sys.version_info >= (3, 11):
            error.add_note(note)
        else:
            vars(error)["__notes__"] = [*getattr(error, "__notes__", ()), note]

    def remember_lines(self) -> None:
        """Lets debuggers find the source; when `linecache` comes later, this is called again."""
        linecache = sys.modules.get("linecache")
        if linecache is not None and not self.release.is_real:
            known = {"__name__": self.name, "__loader__": self, "__spec__": self.spec}
            linecache.lazycache(self.path, known)

    def _unreadable(self, error: Exception) -> ImportError:
        where = self.release.source.named(self.file)
        return ImportError(f"{self.file} cannot be read from {where}: {error}", name=self.name, path=self.path)


def _unmarshal(content: bytes) -> CodeType | None:
    """The code in a `.pyc` whose hash was right; `None` when this interpreter cannot read it all the same."""
    try:
        code: CodeType = marshal.loads(memoryview(content)[HEADER:])
    except (EOFError, TypeError, ValueError):
        return None
    return code
