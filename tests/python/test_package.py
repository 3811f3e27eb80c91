"""The package itself, and the world that the tests make."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.local import BINARY

HEAVY = ("asyncio", "boto3", "botocore", "redis", "s3fs", "ssl", "socket", "subprocess", "urllib.request")


def test_the_version_is_the_binarys(python):
    version = python("import rstack; print(rstack.__version__)").strip()
    shown = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout
    assert shown == f"rstack {version}\n"
    assert importlib.metadata.version("rstack") == version


def test_it_is_typed_and_imported_from_the_wheel(python):
    folder = Path(python("import rstack; print(rstack.__path__[0])").strip())
    assert (folder / "py.typed").is_file()
    assert folder.is_relative_to(sys.prefix)


def test_importing_it_imports_nothing_heavy(python):
    loaded = python("import sys; before = set(sys.modules); import rstack; print(*set(sys.modules) - before)").split()
    assert not [name for name in loaded if name.startswith(HEAVY)]


def test_what_is_seeded_is_in_each_store(environment, article, store):
    shown = environment.local.rstack("cat", article.url(store), "foo/module1.py").stdout
    assert shown == Path("demo/foo/module1.py").read_text()


def test_a_second_seed_is_another_release(seed):
    area = seed({"a.py": "A = 1\n"})
    first = area.release()
    assert area.seed({"a.py": "A = 2\n"}) != first
    listed = area.rstack("releases", area.name, "--output", "json").stdout
    assert len(json.loads(listed.splitlines()[-1])["data"]["moves"]) == 2


@pytest.mark.timeout(120)
def test_servers_of_a_test_end_with_it(own_local):
    own_local.kill("redis")
    shown = own_local.rstack("local", "status", check=False).stdout
    assert "Redis does not answer" in shown, shown
