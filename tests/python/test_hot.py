"""Newer releases in a process that runs: advance, reload_changed, watch."""

from __future__ import annotations

import pytest
from support.proxy import proxied

APP = {
    "app/__init__.py": "",
    "app/base.py": "VALUE = 1\n",
    "app/middle.py": "from app.base import VALUE\nMORE = VALUE + 10\n",
    "app/top.py": "from . import middle\nfrom .middle import MORE\nALL = MORE + 100\n",
    "app/alone.py": "LOADS = globals().get('LOADS', 0) + 1\n",
}


def test_what_changed_is_reloaded_and_dependents_last(python, seed):
    area = seed(APP)
    process = python.start_installed(area, """
import app.top, app.alone
print(app.top.ALL, flush=True)
input()
print(rstack.reload_changed(), rstack.advance())
print(app.top.ALL, rstack.reload_changed(), app.top.ALL, app.alone.LOADS)
print(rstack.advance(), rstack.reload_changed())
""")
    process.says("111")
    area.seed({**APP, "app/base.py": "VALUE = 2\n", "app/fresh.py": "", "notes.txt": ""})
    printed = process.rest()
    assert printed == (
        "[] ['app.base', 'app.fresh']\n111 ['app.base', 'app.middle', 'app.top'] 112 1\n[] []\n"
    )


def test_a_module_that_is_gone_stays_loaded(python, seed):
    area = seed(APP)
    process = python.start_installed(area, """
import app.alone
print("ready", flush=True)
input()
print(rstack.advance(), rstack.reload_changed(), app.alone.LOADS)
""")
    process.says("ready")
    area.seed({path: text for path, text in APP.items() if path != "app/alone.py"})
    assert process.rest() == "['app.alone'] [] 1\n"


def test_a_reload_that_fails_is_tried_again(python, seed):
    area = seed(APP)
    process = python.start_installed(area, """
import app.top
print("ready", flush=True)
input()
rstack.advance()
try:
    rstack.reload_changed()
except ZeroDivisionError:
    print("failed", flush=True)
input()
print(rstack.advance(), rstack.reload_changed(), app.top.ALL)
""")
    process.says("ready")
    area.seed({**APP, "app/base.py": "VALUE = 3\n", "app/middle.py": "1 / 0\n"})
    process.go_on()
    process.says("failed")
    area.seed({**APP, "app/base.py": "VALUE = 3\n"})
    printed = process.rest()
    assert printed == "['app.middle'] ['app.middle', 'app.top'] 113\n"


def test_what_comes_after_a_reload_that_fails_is_reloaded_by_the_next_call(python, seed):
    """Also where it only depends on what changed."""
    middle = "import os\nfrom app.base import VALUE\nMORE = VALUE + (10 if 'GOOD' in os.environ else None)\n"
    area = seed({**APP, "app/middle.py": middle})
    process = python.start_installed(area, """
import os
os.environ["GOOD"] = "1"
import app.top
print("ready", flush=True)
input()
del os.environ["GOOD"]
print(rstack.advance())
try:
    rstack.reload_changed()
except TypeError:
    print("failed", app.top.ALL)
os.environ["GOOD"] = "1"
print(rstack.reload_changed(), app.top.ALL, rstack.reload_changed())
""")
    process.says("ready")
    area.seed({**APP, "app/middle.py": middle, "app/base.py": "VALUE = 2\n"})
    assert process.rest() == "['app.base']\nfailed 111\n['app.middle', 'app.top'] 112 []\n"


def test_who_imports_from_a_package_depends_on_every_package_on_the_way(python, seed):
    files = {"a/__init__.py": "VALUE = 1\n", "a/b/__init__.py": "", "a/b/c.py": "D = 1\n", "alone.py": ""}
    users = {"one.py": "import a.b.c\nSEEN = a.VALUE\n", "two.py": "from a.b.c import D\nimport sys\nSEEN = sys.modules['a'].VALUE\n"}
    area = seed({**files, **users})
    process = python.start_installed(area, """
import one, two, alone
print("ready", flush=True)
input()
print(rstack.advance(), rstack.reload_changed(), one.SEEN, two.SEEN)
""")
    process.says("ready")
    area.seed({**files, **users, "a/__init__.py": "VALUE = 2\n"})
    assert process.rest() == "['a'] ['a', 'one', 'two'] 2 2\n"


def test_a_data_file_is_its_packages(python, seed):
    files = {"pkg/__init__.py": "", "pkg/sub/__init__.py": "", "pkg/sub/data/text.txt": "old", "bare/notes.txt": "old"}
    area = seed(files)
    process = python.start_installed(area, """
import importlib.resources as resources, pkgutil, pkg.sub
def read():
    return resources.files("pkg.sub").joinpath("data/text.txt").read_text(), pkgutil.get_data("pkg.sub", "data/text.txt")
print(read(), flush=True)
input()
print(rstack.advance(), read(), rstack.reload_changed(), read())
""")
    process.says("('old', b'old')")
    area.seed({**files, "pkg/sub/data/text.txt": "new", "bare/notes.txt": "new", "top.txt": "", "pkg/__pycache__/x.pyc": ""})
    assert process.rest() == "['pkg.sub'] ('old', b'old') ['pkg.sub'] ('new', b'new')\n"


@pytest.mark.parametrize("end", ["rstack.uninstall()", "rstack.install(SOURCE)"])
def test_a_watcher_ends_with_its_importer(python, seed, end):
    area = seed(APP)
    process = python.start_installed(area, f"""
import threading, time
seen = []
watch = rstack.watch(seen.append, every=0.05)
names = lambda: [thread.name for thread in threading.enumerate() if thread.name == "rstack.watch"]
print(names(), flush=True)
{end.replace("SOURCE", repr(area.env))}
for _ in range(100):
    time.sleep(0.05 if names() else 0)
print(names(), flush=True)
""")
    process.says("['rstack.watch']")
    process.says("[]")


def test_a_watcher_is_called_once_a_release_and_reloads_nothing(python, seed):
    area = seed(APP)
    process = python.start_installed(area, """
import time
import app.base
seen = []
def callback(source):
    seen.append(source.members[0].release)
    print(source.members[0].release, app.base.VALUE, flush=True)
    if len(seen) == 1:
        raise ValueError("survived")
watch = rstack.watch(callback, every=0.1)
print("ready", flush=True)
input()
rstack.advance()
rstack.reload_changed()
print(app.base.VALUE, watch.error, len(seen), flush=True)
watch.stop()
input()
time.sleep(0.5)
print(len(seen))
""")
    process.says("ready")
    second = area.seed({**APP, "app/base.py": "VALUE = 2\n"})
    process.says(f"{second} 1")
    third = area.seed({**APP, "app/base.py": "VALUE = 3\n"})
    process.says(f"{third} 1")
    process.go_on()
    process.says("3 None 2")
    area.seed({**APP, "app/base.py": "VALUE = 4\n"})
    assert process.rest() == "2\n"


def test_a_watcher_survives_errors_and_forks(python, seed):
    area = seed(APP)
    url = area.url("redis")
    with proxied(url) as proxy:
        process = python.start(f"""
import os, rstack, time
rstack.install({proxy.url(url)!r}, timeout=2)
watch = rstack.watch(lambda source: os.write(1, f"{{os.getpid() == parent}}\\n".encode()), every=0.1)
parent = os.getpid()
if os.fork() == 0:
    print("ready", flush=True)
    time.sleep(60)
while watch.error is None:
    time.sleep(0.01)
print(type(watch.error).__name__, flush=True)
input()
while watch.error is not None:
    time.sleep(0.01)
print("again", flush=True)
input()
""")
        process.says("ready")
        proxy.is_broken = True
        process.says("Error")
        proxy.is_broken = False
        process.go_on()
        process.says("again")
        area.seed({**APP, "app/base.py": "VALUE = 2\n"})
        told = {process.line(), process.line()}
        assert told == {"True", "False"}
