"""Fixtures of the tests of the Python package.

| for | use |
|---|---|
| the local AWS and Redis of this run | `local`; `own_local` for a test that kills servers |
| an environment in it | `environment` |
| publishing files | `seed({"foo/__init__.py": "…"})`, which gives an `Area` with `.env` and `.url(store)` |
| each of the three stores in turn | `store` |
| the article's scripts | `article` |
| a small package of packages and modules | `package` |
| a fresh interpreter with the package | `python("import rstack; …")`, `python.run("script.py")` |
| one that has installed an area | `python.installed(area, "import foo; …")`, `python.counted` |
| one that goes on meanwhile | `python.start`, `python.start_installed`, which give a `Program` |
| the same with nothing else installed | `bare_python` |
| real packages of other people, in one release | `packages` |
"""

from __future__ import annotations

import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import bare
from support.environment import STORES, Area, Environment
from support.local import ROOT, TARGET, Local, running
from support.programs import PACKAGE
from support.python import Python


# What starts the tests in the background may ignore it, and children would then ignore it as well.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """Shared by all tests: never kill, stop or flush it."""
    with running(tmp_path_factory.mktemp("home")) as local:
        yield local


@pytest.fixture
def own_local(tmp_path: Path) -> Iterator[Local]:
    with running(tmp_path / "home") as local:
        yield local


@pytest.fixture(autouse=True)
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test does in this process reaches the same local AWS as its subprocesses."""
    if "local" in request.fixturenames:
        local = request.getfixturevalue("local")
        for name, value in local.env.items():
            if name.startswith(("RSTACK_", "AWS_")):
                monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def environment(local: Local) -> Environment:
    return Environment(local, f"py{uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="session")
def seed(environment: Environment) -> Callable[..., Area]:
    return environment.seed


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def article(environment: Environment) -> Area:
    """The demo scripts: `foo`."""
    return environment.seed(ROOT / "demo", area="article")


@pytest.fixture(scope="module")
def package(seed: Callable[..., Area]) -> Area:
    """`pkg`, with modules and a package in it."""
    return seed(PACKAGE)


@pytest.fixture
def python(local: Local, tmp_path: Path) -> Iterator[Python]:
    folder = tmp_path / "here"
    folder.mkdir()
    python = Python(local, folder)
    yield python
    python.stop()


@pytest.fixture(scope="session")
def bare_executable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bare.make(tmp_path_factory.mktemp("bare"))


@pytest.fixture
def bare_python(python: Python, bare_executable: Path) -> Iterator[Python]:
    bare_python = Python(python.local, python.folder, bare_executable)
    yield bare_python
    bare_python.stop()


@pytest.fixture(scope="session")
def packages(environment: Environment) -> Area:
    """What requirements-packages.txt lists."""
    folder = TARGET / "python/packages"
    assert folder.is_dir(), "`make test-python` installs it"
    return environment.seed(folder, area="packages")
