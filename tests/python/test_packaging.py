"""Installing from a clone, as a user does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.local import ROOT, TARGET

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

TOOLS = TARGET / "python/tools/bin"
# The profile of tests: what is built is the same, only quicker.
QUICK = {"MATURIN_PEP517_ARGS": "--profile dev", "CARGO_TARGET_DIR": str(TARGET)}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What is in the repository, and what `git add` would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / "clone" / name)
    return tmp_path / "clone"


def installs(tmp_path: Path, cwd: Path, *command: str) -> None:
    """Runs the command in a new environment, then imports the package there."""
    subprocess.run([TOOLS / "uv", "venv", "-q", "--seed", "--python", sys.executable, tmp_path / "new"], check=True)
    python = tmp_path / "new/bin/python"
    words = [word.replace("PYTHON", str(python)).replace("UV", str(TOOLS / "uv")) for word in command]
    subprocess.run(words, cwd=cwd, env=os.environ | QUICK, check=True)
    code = "import rstack; print(rstack.__file__)"
    shown = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert Path(shown.strip()).is_relative_to(tmp_path / "new")


def test_pip_installs_a_clone(clone, tmp_path):
    installs(tmp_path, clone, "PYTHON", "-m", "pip", "install", "--quiet", ".")


def test_uv_installs_a_clone(clone, tmp_path):
    installs(tmp_path, clone, "UV", "pip", "install", "--quiet", "--python", "PYTHON", ".")


def test_the_source_distribution_has_all_that_it_takes(clone, tmp_path):
    subprocess.run([TOOLS / "maturin", "sdist", "--out", tmp_path / "dist"], cwd=clone, check=True)
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    installs(tmp_path, tmp_path, "PYTHON", "-m", "pip", "install", "--quiet", str(archive))
