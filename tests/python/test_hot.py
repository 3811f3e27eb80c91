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
    process = python.start(f"""
import rstack
rstack.install({area.env!r})
import app.top, app.alone
print(app.top.ALL, flush=True)
input()
print(rstack.reload_changed(), rstack.advance())
print(app.top.ALL, rstack.reload_changed(), app.top.ALL, app.alone.LOADS)
print(rstack.advance(), rstack.reload_changed())
""")
    assert process.stdout.readline() == "111\n"
    area.seed({**APP, "app/base.py": "VALUE = 2\n", "app/fresh.py": "", "notes.txt": ""})
    printed, _ = process.communicate("\n", timeout=60)
    assert printed == (
        "[] ['app.base', 'app.fresh']\n111 ['app.base', 'app.middle', 'app.top'] 112 1\n[] []\n"
    )


def test_a_module_that_is_gone_stays_loaded(python, seed):
    area = seed(APP)
    process = python.start(f"""
import rstack
rstack.install({area.env!r})
import app.alone
print("ready", flush=True)
input()
print(rstack.advance(), rstack.reload_changed(), app.alone.LOADS)
""")
    assert process.stdout.readline() == "ready\n"
    area.seed({path: text for path, text in APP.items() if path != "app/alone.py"})
    assert process.communicate("\n", timeout=60)[0] == "['app.alone'] [] 1\n"


def test_a_reload_that_fails_is_tried_again(python, seed):
    area = seed(APP)
    process = python.start(f"""
import rstack
rstack.install({area.env!r})
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
    assert process.stdout.readline() == "ready\n"
    area.seed({**APP, "app/base.py": "VALUE = 3\n", "app/middle.py": "1 / 0\n"})
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "failed\n"
    area.seed({**APP, "app/base.py": "VALUE = 3\n"})
    printed, _ = process.communicate("\n", timeout=60)
    assert printed == "['app.middle'] ['app.middle', 'app.top'] 113\n"


def test_a_watcher_is_called_once_a_release_and_reloads_nothing(python, seed):
    area = seed(APP)
    process = python.start(f"""
import rstack, time
rstack.install({area.env!r})
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
    assert process.stdout.readline() == "ready\n"
    second = area.seed({**APP, "app/base.py": "VALUE = 2\n"})
    assert process.stdout.readline() == f"{second} 1\n"
    third = area.seed({**APP, "app/base.py": "VALUE = 3\n"})
    assert process.stdout.readline() == f"{third} 1\n"
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "3 None 2\n"
    area.seed({**APP, "app/base.py": "VALUE = 4\n"})
    assert process.communicate("\n", timeout=60)[0] == "2\n"


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
        assert process.stdout.readline() == "ready\n"
        proxy.is_broken = True
        assert process.stdout.readline() == "Error\n"
        proxy.is_broken = False
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "again\n"
        area.seed({**APP, "app/base.py": "VALUE = 2\n"})
        told = {process.stdout.readline(), process.stdout.readline()}
        assert told == {"True\n", "False\n"}
