#!/usr/bin/env python3
"""Builds the wheel and runs the tests on every interpreter there is: run.py [--all] [pytest arguments…]

`run.py --install` only makes an environment of this interpreter with the package in it, and prints its programs' folder.
Everything lies below target/python. RSTACK_TEST_PYTHONS=3.11,3.14t narrows the interpreters.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from interpreters import Interpreter, find

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
FOLDER = TARGET / "python"
TOOLS = FOLDER / "tools"
# Requirements whose wheels have no tests; Rich's source distribution has none either.
SUITES = ("attrs==", "Django==", "Jinja2==")


def main(arguments: list[str]) -> int:
    if arguments == ["--install"]:
        return install()
    everything = "--all" in arguments
    arguments = [argument for argument in arguments if argument != "--all"]
    interpreters = wanted(find())
    if not interpreters:
        sys.exit("run.py: there is no CPython 3.10 or newer to test with")
    print("Python package, tested with:", *interpreters, sep="\n  ", flush=True)
    # Most of what takes long is the same for every interpreter: the one that runs this does it.
    own = [interpreter for interpreter in interpreters if interpreter.version[:2] == sys.version_info[:2]]
    first = (own or interpreters)[0]
    tools()
    run(os.environ.get("CARGO", "cargo"), "build", "--quiet")
    shared = build()
    packages(interpreters[0])
    if everything:
        suites()
    failed = []
    for interpreter in interpreters:
        started = time.monotonic()
        # The stable ABI needs a GIL, so a build without one takes a wheel of its own.
        wheel = build(interpreter) if interpreter.is_free_threaded else shared
        python = environment(interpreter, wheel)
        print(f"\npytest on {interpreter}", flush=True)
        marked = "" if everything else "not slow" if interpreter is first else "not slow and not once"
        tested = subprocess.run([python, "-m", "pytest", "-m", marked, *arguments], cwd=ROOT, check=False)
        print(f"{interpreter.minor}: {time.monotonic() - started:.0f} s", flush=True)
        # 5: nothing was selected.
        if tested.returncode not in (0, 5):
            failed.append(interpreter.minor)
    if failed:
        print("failed on:", *failed, file=sys.stderr)
    return 1 if failed else 0


def install() -> int:
    tools()
    folder = FOLDER / "package"
    wheel = build()
    with made_once(folder, sys.version) as missing:
        if missing:
            run(TOOLS / "bin/uv", "venv", "--quiet", "--clear", "--python", sys.executable, folder)
    put(wheel, folder / "bin/python")
    print(folder / "bin")
    return 0


def wanted(found: list[Interpreter]) -> list[Interpreter]:
    named = [minor for minor in os.environ.get("RSTACK_TEST_PYTHONS", "").split(",") if minor]
    return [interpreter for interpreter in found if not named or interpreter.minor in named]


def tools() -> None:
    """maturin and uv, at the versions that requirements-build.txt pins."""
    listed = HERE / "requirements-build.txt"
    with made_once(TOOLS, listed.read_text() + sys.version) as missing:
        if missing:
            run(sys.executable, "-m", "venv", "--clear", TOOLS)
            run(TOOLS / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", listed)


def build(interpreter: Interpreter | None = None) -> Path:
    """A wheel for all interpreters with a GIL, or for one; quick to build rather than quick to run."""
    wheels = FOLDER / "wheels" / (interpreter.minor if interpreter else "abi3")
    shutil.rmtree(wheels, ignore_errors=True)
    options = ("--interpreter", interpreter.path) if interpreter else ()
    run(TOOLS / "bin/maturin", "build", "--quiet", "--locked", "--profile", "dev", "--out", wheels, *options)
    (wheel,) = wheels.glob("*.whl")
    return wheel


def packages(interpreter: Interpreter) -> None:
    """Packages that nobody here wrote, in a folder that tests publish; the oldest interpreter says which versions fit."""
    folder = FOLDER / "packages"
    listed = HERE / "requirements-packages.txt"
    with made_once(folder, listed.read_text()) as missing:
        if missing:
            shutil.rmtree(folder, ignore_errors=True)
            python = ("--python", interpreter.path, "--target", folder)
            run(TOOLS / "bin/uv", "pip", "install", "--quiet", "--no-deps", *python, "-r", listed)


def suites() -> None:
    """Tests of those packages whose wheels bring none, out of their source distributions: a folder each."""
    folder = FOLDER / "suites"
    listed = [line for line in (HERE / "requirements-packages.txt").read_text().split() if line.startswith(SUITES)]
    with made_once(folder, " ".join(listed)) as missing:
        if not missing:
            return
        shutil.rmtree(folder, ignore_errors=True)
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:", "--dest", folder)
        run(TOOLS / "bin/python", "-m", "pip", "download", *options, *listed)
        for archive in folder.glob("*.tar.gz"):
            name = archive.name.partition("-")[0].lower()
            with tarfile.open(archive) as files:
                for member in files.getmembers():
                    _, _, path = member.name.partition("/")
                    content = files.extractfile(member) if path.startswith("tests/") else None
                    if content is not None and ".." not in path.split("/"):
                        file = folder / name / path.removeprefix("tests/")
                        file.parent.mkdir(parents=True, exist_ok=True)
                        file.write_bytes(content.read())


def environment(interpreter: Interpreter, wheel: Path) -> Path:
    """A virtual environment with the wheel and what the tests need; gives its Python."""
    folder = FOLDER / interpreter.minor
    python = folder / "bin/python"
    uv = TOOLS / "bin/uv"
    listed = HERE / "requirements.txt"
    with made_once(folder, listed.read_text() + str(interpreter)) as missing:
        if missing:
            run(uv, "venv", "--quiet", "--clear", "--python", interpreter.path, folder)
            run(uv, "pip", "install", "--quiet", "--python", python, "-r", listed)
    put(wheel, python)
    return python


def put(wheel: Path, python: Path) -> None:
    options = ("--quiet", "--no-deps", "--no-cache", "--reinstall")
    run(TOOLS / "bin/uv", "pip", "install", *options, "--python", python, wheel)


@contextmanager
def made_once(folder: Path, made_from: str) -> Iterator[bool]:
    """Whether a folder has to be made; what it was made from is noted beside it once that is done."""
    note = folder.with_name(folder.name + ".made")
    digest = hashlib.sha256(made_from.encode()).hexdigest()
    note.parent.mkdir(parents=True, exist_ok=True)
    missing = not note.exists() or note.read_text() != digest
    if missing:
        note.unlink(missing_ok=True)
    yield missing
    note.write_text(digest)


def run(*command: object) -> None:
    # stdout is this program's.
    finished = subprocess.run([str(word) for word in command], cwd=ROOT, stdout=sys.stderr, check=False)
    if finished.returncode != 0:
        sys.exit(f"run.py: `{' '.join(str(word) for word in command)}` failed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
