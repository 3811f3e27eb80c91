"""Newer releases in a process that runs: advance, reload_changed, watch."""

from __future__ import annotations

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
