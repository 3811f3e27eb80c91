"""`python -m rstack enable`: for every process of an interpreter."""

import os
import socket
import subprocess

import pytest
from support import bare
from support.python import Python

SHOW = "import sys; print([name for name in sys.modules if name.split('.')[0] == 'rstack'])"


@pytest.fixture(scope="session")
def enabled_python(tmp_path_factory):
    """Another environment of this interpreter, with the same package in it, switched on."""
    python = bare.make(tmp_path_factory.mktemp("enabled"))
    subprocess.run([python, "-m", "rstack", "enable"], check=True)
    return python


@pytest.fixture
def enabled(local, enabled_python, python):
    """Runs it."""

    def run(*words, **options):
        return Python(local, python.folder).run(*words, program=enabled_python, **options)

    return run


def test_every_process_imports_what_is_named(article, enabled):
    code = "from foo.module1 import add; print(add(2, 3))"
    assert enabled("-c", code, env={"RSTACK_SOURCE": article.env}).stdout == "5\n"


def test_without_a_source_nothing_happens(enabled):
    assert enabled("-c", SHOW).stdout == "[]\n"


def test_nothing_is_asked_before_a_name_needs_it(enabled):
    with socket.create_server(("127.0.0.1", 0)) as store:
        env = {"RSTACK_SOURCE": f"redis://127.0.0.1:{store.getsockname()[1]}/main"}
        shown = enabled("-c", "import json, csv; " + SHOW, env=env)
        store.setblocking(False)
        with pytest.raises(BlockingIOError):
            store.accept()
    assert "rstack._startup" in shown.stdout and shown.stderr == ""


def test_a_source_that_cannot_be_reached_is_told_by_the_import_that_needs_it(enabled):
    finished = enabled("-c", "import foo", env={"RSTACK_SOURCE": "redis://127.0.0.1:1/main"}, check=False)
    assert finished.returncode == 1
    assert "127.0.0.1:1" in finished.stderr and "ImportError" in finished.stderr


@pytest.mark.parametrize("option", ["-I", "-E"])
def test_isolated_it_does_nothing(article, enabled, option):
    assert enabled(option, "-c", SHOW, env={"RSTACK_SOURCE": article.env}).stdout == "[]\n"


def test_with_somebody_elses_rights_it_does_nothing(article, enabled):
    """As in a setuid program: another effective user than the real one."""
    code = (
        "import os, rstack._startup as startup; assert startup._on; startup._on = False; CHANGE; "
        "startup.switch_on(); print(startup._on)"
    )
    env = {"RSTACK_SOURCE": article.env}
    assert enabled("-c", code.replace("CHANGE", "pass"), env=env).stdout == "True\n"
    if os.geteuid() != 0:
        pytest.skip("changing the user takes root")
    assert enabled("-c", code.replace("CHANGE", "os.seteuid(1)"), env=env).stdout == "False\n"


def test_in_sub_interpreters_it_does_nothing(article, enabled):
    code = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import sys
assert "rstack._startup" in sys.modules
new = interpreters.create()
failed = interpreters.run_string(new, '''
import sys
import rstack._startup
assert not rstack._startup._on
try:
    import foo
except ImportError:
    print("no foo", flush=True)
''')
interpreters.destroy(new)
assert not failed, failed
"""
    shown = enabled("-c", code, env={"RSTACK_SOURCE": article.env})
    assert shown.stdout == "no foo\n" and shown.stderr == ""


def test_it_outlives_the_package_quietly(enabled, enabled_python):
    packages = bare.packages(enabled_python)
    (packages / "rstack").rename(packages / "away")
    try:
        finished = enabled("-c", SHOW, env={"RSTACK_SOURCE": "env:gone/main"})
    finally:
        (packages / "away").rename(packages / "rstack")
    assert (finished.stdout, finished.stderr) == ("[]\n", "")


def test_disable_undoes_it(enabled, article):
    shown = enabled("-m", "rstack", "disable").stdout
    try:
        assert shown.endswith("rstack_enable.pth is gone\n")
        assert enabled("-c", SHOW, env={"RSTACK_SOURCE": article.env}).stdout == "[]\n"
        assert enabled("-m", "rstack", "disable").stdout == "it was not enabled\n"
    finally:
        enabled("-m", "rstack", "enable")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(enabled, enabled_python):
    packages = bare.packages(enabled_python)
    packages.chmod(0o555)
    try:
        finished = enabled("-m", "rstack", "enable", check=False)
    finally:
        packages.chmod(0o755)
    assert finished.returncode == 1 and "use a virtual environment" in finished.stderr
