"""Children of a program import from the release that it is pinned to, however they are started."""

import os
import re
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from support.environment import Environment
from support.local import BINARY
from support.programs import INSTALL, MODULE, RUN, WAYS, command, paused
from support.python import Python

PROGRAM = """
import sys


def value(_):
    import foo

    return foo.VALUE


def main():
    {install}
    print("ready", flush=True)
    sys.stdin.readline()
    {children}


if __name__ == "__main__":
    main()
"""

CHILDREN = {
    "multiprocessing, fork": "import multiprocessing as mp; print(*mp.get_context('fork').Pool(2).map(value, [1, 2]))",
    "multiprocessing, spawn": "import multiprocessing as mp; print(*mp.get_context('spawn').Pool(2).map(value, [1, 2]))",
    "multiprocessing, forkserver": (
        "import multiprocessing as mp; print(*mp.get_context('forkserver').Pool(2).map(value, [1, 2]))"
    ),
    "concurrent.futures": (
        "from concurrent.futures import ProcessPoolExecutor as P; print(*P(2).map(value, [1, 2]))"
    ),
    "concurrent.futures, spawn": (
        "import multiprocessing as mp; from concurrent.futures import ProcessPoolExecutor as P; "
        "print(*P(2, mp.get_context('spawn')).map(value, [1, 2]))"
    ),
    "joblib": "import joblib; print(*joblib.Parallel(2)(joblib.delayed(value)(n) for n in [1, 2]))",
    "subprocess": (
        "import subprocess; code = 'import foo; print(foo.VALUE, end=\" \")'; "
        "[subprocess.run([sys.executable, '-c', code], check=True) for _ in [1, 2]]"
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", CHILDREN)
def test_children_import_from_the_same_release(seed, python, way, kind):
    area = seed({"foo/__init__.py": "VALUE = 1\n"})
    install = f"import rstack; rstack.install({area.env!r})" if way == INSTALL else "pass"
    script = python.write("program.py", PROGRAM.format(install=install, children=CHILDREN[kind]))
    printed = paused(python, command(way, area.env, script), area, {"foo/__init__.py": "VALUE = 2\n"})
    assert printed.split() == ["1", "1"]


@pytest.mark.parametrize("way", [RUN, MODULE])
def test_grandchildren_do_too(seed, python, way):
    area = seed({"foo/__init__.py": "VALUE = 1\n"})
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import foo; print(foo.VALUE)'])"
    script = python.write("program.py", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])\n")
    words = command(way, area.env, script)
    assert python.run(*words[1:], program=words[0]).stdout == "1\n"


def test_children_follow_when_their_parent_advances(seed, python):
    area = seed({"foo.py": "VALUE = 1\n"})
    code = f"""
import subprocess, sys, rstack
rstack.install({area.env!r})
child = [sys.executable, "-c", "import foo; print(foo.VALUE)"]
print("ready", flush=True)
sys.stdin.readline()
subprocess.run(child, check=True)
rstack.advance()
subprocess.run(child, check=True)
"""
    script = python.write("program.py", code)
    assert paused(python, command(INSTALL, "", script), area, {"foo.py": "VALUE = 2\n"}) == "1\n2\n"


FORKSERVER = """
import multiprocessing, sys
import rstack


def value():
    import foo

    return foo.VALUE


def ask(context, **options):
    with context.Pool(1, **options) as pool:
        return pool.apply(value)


if __name__ == "__main__":
    rstack.install({source!r})
    context = multiprocessing.get_context("forkserver")
    first = ask(context)
    print("ready", flush=True)
    sys.stdin.readline()
    rstack.advance()
    print(first, ask(context), ask(context, initializer=rstack.advance))
"""


def test_children_of_a_fork_server_advance_when_they_are_told_to(seed, python):
    """The server keeps what it was started with."""
    area = seed({"foo.py": "VALUE = 1\n"})
    script = python.write("program.py", FORKSERVER.format(source=area.env))
    assert paused(python, command(INSTALL, "", script), area, {"foo.py": "VALUE = 2\n"}) == "1 1 2\n"


ADVANCES = """
import importlib, subprocess, sys
import rstack, foo
child = [sys.executable, "-c", "import foo, rstack; print(foo.VALUE, rstack.advance())"]
print("ready", flush=True)
sys.stdin.readline()
importlib.reload(foo)
print(foo.VALUE, flush=True)
subprocess.run(child, check=True)
print(rstack.advance(), foo.VALUE)
importlib.reload(foo)
print(foo.VALUE, rstack.info().source, flush=True)
subprocess.run(child, check=True)
"""


@pytest.mark.parametrize("way", [RUN, MODULE])
def test_a_program_that_is_run_advances_and_reloads_and_its_children_begin_where_it_is(seed, python, way):
    area = seed({"foo.py": "VALUE = 1\n"})
    printed = paused(python, command(way, area.env, python.write("program.py", ADVANCES)), area, {"foo.py": "VALUE = 2\n"})
    assert printed == f"1\n1 ['foo']\n['foo'] 1\n2 {area.env}\n2 []\n"


@pytest.mark.parametrize("way", [RUN, MODULE])
def test_a_program_that_is_run_at_a_release_stays_there(seed, python, way):
    area = seed({"foo.py": "VALUE = 1\n"})
    words = command(way, area.env, python.write("program.py", ADVANCES))
    place = words.index("--source")
    words[place:place] = ["--at", area.release()]
    printed = paused(python, words, area, {"foo.py": "VALUE = 2\n"})
    assert printed == f"1\n1 []\n[] 1\n1 {area.env}\n1 []\n"


def test_a_program_that_a_run_program_runs_goes_on_from_the_same_source(seed, python):
    """The inner `rstack run` finds a pinned source, and what it was asked for."""
    area = seed({"foo.py": "VALUE = 1\n"})
    inner = [str(BINARY), "run", "--", sys.executable, "-c", "import foo, rstack; print(foo.VALUE, rstack.advance())"]
    code = f"import subprocess\nprint('ready', flush=True)\ninput()\nsubprocess.run({inner!r}, check=True)\n"
    script = python.write("program.py", code)
    assert paused(python, command(RUN, area.env, script), area, {"foo.py": "VALUE = 2\n"}) == "1 ['foo']\n"


@pytest.mark.parametrize("way", WAYS)
def test_children_read_an_environment_from_the_same_stores(own_local, tmp_path, way):
    """Redis first, and then the table: a Redis that has lost all is filled again by the child, as its parent would."""
    folder = tmp_path / "here"
    folder.mkdir()
    python = Python(own_local, folder)
    area = Environment(own_local, "stores").seed({"foo.py": "VALUE = 1\n"})
    child = "import rstack, foo; print(foo.VALUE, foo.__file__, rstack.info().members[0].url)"
    install = f"import rstack; rstack.install({area.env!r})" if way == INSTALL else "pass"
    code = f"import subprocess, sys\n{install}\nprint('ready', flush=True)\ninput()\n"
    script = python.write("program.py", code + f"subprocess.run([sys.executable, '-c', {child!r}], check=True)\n")
    with subprocess.Popen(
        command(way, area.env, script), env=python.env, cwd=folder, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as program:
        assert program.stdout.readline() == "ready\n"
        release = area.release()
        assert kept_in_redis(area) > 1
        own_local.kill("redis")
        printed, warned = program.communicate("\n", timeout=60)
    assert printed == f"1 /rstack/env-stores-{area.name}@{release}/foo.py {area.env}\n", warned
    assert "the local Redis had stopped: what it held is gone" in warned
    assert kept_in_redis(area) > 1


def kept_in_redis(area):
    """How many manifests and packs of an area are there."""
    parts = urlsplit(area.url("redis"))
    with socket.create_connection((parts.hostname, parts.port)) as redis:
        redis.sendall(b"KEYS *\r\n")
        answer = redis.recv(1 << 20).decode()
    return len(re.findall(rf"^{area.name}/\.rstack/(?:pack|release)/", answer, re.MULTILINE))


def test_uninstall_leaves_the_environment_as_it_was(article, python):
    before = {"PYTHONPATH": "/some/where:", "RSTACK_ONLY": "bar"}
    code = f"""
import os
before = dict(os.environ)
import rstack
rstack.install({article.env!r}, only=["foo"])
assert os.environ["RSTACK_ONLY"] == "foo" and "?at=" in os.environ["RSTACK_SOURCE"], os.environ["RSTACK_SOURCE"]
assert os.environ["PYTHONPATH"].endswith("_site:/some/where:")
rstack.uninstall()
assert dict(os.environ) == before
"""
    python(code, env=before)


UNINSTALLS = """
import os, subprocess, sys, rstack
child = "import importlib.util; print(importlib.util.find_spec('foo') is None, flush=True)"
subprocess.run([sys.executable, "-c", child], check=True)
rstack.uninstall()
names = ("RSTACK_SOURCE", "RSTACK_REQUESTED", "RSTACK_ONLY", "RSTACK_MATERIALISE", "PYTHONPATH")
print([os.environ.get(name) for name in names], flush=True)
subprocess.run([sys.executable, "-c", child], check=True)
"""


@pytest.mark.parametrize("path", ["", "/some/where"])
def test_uninstall_in_a_program_that_is_run_is_for_its_children_too(article, python, path):
    words = command(RUN, article.env, python.write("program.py", UNINSTALLS))
    words[2:2] = ["--only", "foo"]
    printed = python.run(*words[1:], program=words[0], env={"PYTHONPATH": path}).stdout
    assert printed == f"False\n{[None, None, None, None, path or None]}\nTrue\n"


def test_what_a_program_changes_meanwhile_stays_its_own(article, python):
    code = f"""
import os, rstack
rstack.install({article.env!r})
os.environ["PYTHONPATH"] += ":/added"
rstack.uninstall()
assert os.environ["PYTHONPATH"] == "/added", os.environ["PYTHONPATH"]
"""
    python(code)


def test_another_sitecustomize_still_runs(article, python):
    python.write("site/sitecustomize.py", "import sys; sys.was_customized = True; import foo; sys.foo = foo.__name__\n")
    script = python.write("script.py", "import sys, sitecustomize; print(sys.was_customized, sys.foo)\n"
                                       "print(sitecustomize.__file__, any(p.endswith('_site') for p in sys.path))\n")
    words = command(RUN, article.env, script)
    env = {"PYTHONPATH": str(python.folder / "site")}
    shown = python.run(*words[1:], program=words[0], env=env).stdout
    assert shown == f"True foo\n{python.folder}/site/sitecustomize.py False\n"


def test_a_program_that_imports_nothing_of_it_asks_nothing(python):
    """Also not for the `sitecustomize` that every Python looks for when it starts."""
    site = python("import rstack._children as children; print(children.SITE)").strip()
    with socket.create_server(("127.0.0.1", 0)) as store:
        env = {"RSTACK_SOURCE": f"redis://127.0.0.1:{store.getsockname()[1]}/main", "PYTHONPATH": site}
        assert python("import sys, json; print('rstack._startup' in sys.modules)", env=env) == "True\n"
        store.setblocking(False)
        with pytest.raises(BlockingIOError):
            store.accept()


def test_an_error_in_another_sitecustomize_is_told_as_ever(article, python):
    python.write("site/sitecustomize.py", "import no_such_module\n")
    words = command(RUN, article.env, "-c", "import foo.module1; print(foo.module1.add(1, 2))")
    finished = python.run(*words[1:], program=words[0], env={"PYTHONPATH": str(python.folder / "site")})
    assert finished.stdout == "3\n"
    assert "Error in sitecustomize" in finished.stderr and "no_such_module" in finished.stderr


def test_a_child_python_without_the_package_starts_as_ever(article, python):
    """Such as the system's own, started by a tool."""
    bare = os.path.realpath(os.path.join(os.path.dirname(os.__file__), "..", "..", "bin", "python3"))
    code = f"import subprocess; print(subprocess.run([{bare!r}, '-c', 'import os; print(os.getpid() > 0)'], " \
           "capture_output=True, text=True, check=True))"
    shown = command(RUN, article.env, "-c", code)
    assert "stdout='True\\n', stderr=''" in python.run(*shown[1:], program=shown[0]).stdout


def test_the_source_is_found_from_another_folder(environment, article, python):
    """A child that starts elsewhere finds the configuration that led its parent there."""
    python.write("rstack.yaml", f"name: {environment.name}\ntarget: local\n")
    (python.folder / "elsewhere").mkdir()
    child = "import foo.module1; print(foo.module1.add(1, 2))"
    code = "import os, sys, rstack; rstack.install('article'); os.chdir('elsewhere'); " \
           f"import subprocess; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    assert python(code, env={"RSTACK_LOCAL": ""}) == "3\n"
