"""Programs that import from a source, and the ways to start them."""

from __future__ import annotations

import subprocess
import sys

from .environment import Area
from .local import BINARY
from .python import Python

PACKAGE = {
    "pkg/__init__.py": "from .leaf import LEAF\n",
    "pkg/leaf.py": "LEAF = 'leaf'\n",
    "pkg/sub/__init__.py": "from ..leaf import LEAF\nfrom . import deep\n",
    "pkg/sub/deep.py": "NAME = __name__\n\ndef where():\n    return 'deep'\n",
}
"""The files of a small package."""

# How a program is started that imports from a source.
INSTALL = "install in the program"
RUN = "rstack run"
MODULE = "python -m rstack run"
WAYS = (INSTALL, RUN, MODULE)


def command(way: str, source: str, *program: object) -> list[str]:
    """The command line for a script (or `-m`, a module) and its arguments."""
    words = [str(word) for word in program]
    return {
        INSTALL: [sys.executable, *words],
        RUN: [str(BINARY), "run", "--source", source, "--", sys.executable, *words],
        MODULE: [sys.executable, "-m", "rstack", "run", "--source", source, *words],
    }[way]


def paused(python: Python, words: list[str], area: Area, files: dict[str, str]) -> str:
    """Runs a program that prints `ready` and waits for a line; meanwhile publishes another release. Gives what it
    printed then."""
    program = subprocess.Popen(
        words, env=python.env, cwd=python.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with program:
        assert program.stdout.readline() == "ready\n"
        area.seed(files)
        printed, _ = program.communicate("\n", timeout=90)
    assert program.returncode == 0
    return printed
