"""Environments of this interpreter with rstack in them and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def make(folder: Path) -> Path:
    """The environment's Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin/python"
    here, there = packages(Path(sys.executable)), packages(python)
    for entry in here.glob("rstack*"):
        if entry.name != "rstack_enable.pth":
            (there / entry.name).symlink_to(entry)
    return python


def packages(python: Path) -> Path:
    """Where its packages are."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip())
