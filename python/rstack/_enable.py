"""`python -m rstack enable` and `disable`: for a whole interpreter, by a `.pth` file."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import tempfile
from pathlib import Path

# Sorts after the `.pth` of an installation in place, which makes the package importable.
NAME = "rstack_enable.pth"

# Python runs this line in every process, and tells of whatever it raises. It outlives the package.
LINE = (
    "import os, sys; "
    "exec('try:\\n from rstack._startup import switch_on\\nexcept ImportError: pass\\nelse: switch_on()', {}) "
    "if os.environ.get('RSTACK_SOURCE') and not sys.flags.ignore_environment else None\n"
)


def enable() -> Path:
    """Switches on what RSTACK_SOURCE names in every process of this interpreter; gives the file that does it."""
    file = _file()
    if str(file.parent) not in [os.path.abspath(folder) for folder in site.getsitepackages()]:
        raise OSError(f"this Python does not read .pth files in {file.parent}")
    handle, fresh = tempfile.mkstemp(dir=file.parent, prefix=".rstack-")
    try:
        with os.fdopen(handle, "w") as new:
            new.write(LINE)
        os.chmod(fresh, 0o644)
        os.replace(fresh, file)
    except BaseException:
        os.unlink(fresh)
        raise
    return file


def disable() -> Path | None:
    """Undoes it; gives the file that is gone, None when it was not enabled."""
    file = _file()
    try:
        file.unlink()
    except FileNotFoundError:
        return None
    return file


def _file() -> Path:
    return Path(os.path.abspath(sysconfig.get_path("purelib"))) / NAME


def hint() -> str:
    """What to do when the folder cannot be written."""
    return f"use a virtual environment (`{sys.executable} -m venv FOLDER`), or call it as the user who owns the folder"
