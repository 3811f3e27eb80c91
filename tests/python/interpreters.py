"""Which Pythons this machine has: in PATH, of pyenv, of uv; one of each minor version, with and without a GIL."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST = (3, 10)
# The first without a GIL that PyO3 builds for.
OLDEST_FREE_THREADED = (3, 14)
ASK = """
import json, sys, sysconfig
print(json.dumps([sys.implementation.name, sys.version_info[:3], bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
                  sys.executable]))
"""


@dataclass(frozen=True)
class Interpreter:
    path: str
    version: tuple[int, int, int]
    is_free_threaded: bool = False

    @property
    def minor(self) -> str:
        """Such as "3.14", or "3.14t" without a GIL."""
        return f"{self.version[0]}.{self.version[1]}{'t' if self.is_free_threaded else ''}"

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.version))} ({self.path})"


def find() -> list[Interpreter]:
    """Every usable one, the oldest first; the one that RSTACK_PYTHON names stands for its version."""
    found: dict[str, Interpreter] = {}
    for path in candidates():
        interpreter = ask(path)
        oldest = OLDEST_FREE_THREADED if interpreter and interpreter.is_free_threaded else OLDEST
        if interpreter and interpreter.version >= oldest:
            found.setdefault(interpreter.minor, interpreter)
    return sorted(found.values(), key=lambda interpreter: (interpreter.is_free_threaded, interpreter.version))


def candidates() -> list[Path]:
    named = [Path(os.environ["RSTACK_PYTHON"])] if os.environ.get("RSTACK_PYTHON") else []
    names = ["python3", *(f"python3.{minor}{build}" for minor in range(OLDEST[1], 30) for build in ("", "t"))]
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    in_path = [folder / name for folder in folders for name in names]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local/share/uv/python")
    managed = [path for folder in (pyenv, uv) for path in sorted(folder.glob("*/bin/python3"), reverse=True)]
    return [path for path in (*named, *in_path, *managed) if os.access(path, os.X_OK)]


def ask(path: Path) -> Interpreter | None:
    """None for what does not start (a pyenv shim without a version), and PyPy."""
    answer = subprocess.run([path, "-I", "-c", ASK], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        return None
    name, version, free_threaded, executable = json.loads(answer.stdout)
    return Interpreter(executable, tuple(version), free_threaded) if name == "cpython" else None
