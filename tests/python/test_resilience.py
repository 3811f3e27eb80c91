"""Ctrl-C, deadlines, storms of threads, servers that go and come back, credentials that expire."""

from __future__ import annotations

import os
import signal
import stat
import time

import pytest
from support.environment import Environment
from support.proxy import proxied


def test_ctrl_c_ends_an_import_that_waits(python, seed):
    url = seed({"slow/a.py": "", "other/b.py": ""}).url("redis")
    with proxied(url) as proxy:
        process = python.start(f"""
import rstack
print("ready", flush=True)
try:
    rstack.open({proxy.url(url)!r})
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(rstack.open({url!r}).exists("slow/a.py"))
""")
        proxy.delay = 60
        process.says("ready")
        time.sleep(0.5)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.says("interrupted")
        assert time.monotonic() - began < 2
        assert process.communicate(timeout=60)[0] == "True\n"


def test_a_deadline_ends_what_takes_too_long(python, seed):
    url = seed({"a.py": ""}).url("redis")
    with proxied(url) as proxy:
        proxy.delay = 60
        printed = python(f"""
import rstack
try:
    rstack.install({proxy.url(url)!r}, timeout=0.3)
except TimeoutError as error:
    print(isinstance(error, rstack.Error), error.exit_code, error)
""")
        address = proxy.url(url)
    assert printed == (
        f"True 1 opening {address} took longer than 0.3 s\n"
        "hint: give it longer with `timeout=SECONDS`, or see whether the store can be reached\n"
    )


def test_a_deadline_ends_looking_for_a_newer_release(python, seed):
    url = seed({"a.py": ""}).url("redis")
    with proxied(url) as proxy:
        process = python.start(f"""
import pickle, rstack
rstack.install({proxy.url(url)!r}, timeout=2)
print("ready", flush=True)
input()
try:
    rstack.advance()
except rstack.Timeout as error:
    print(error)
    print(type(pickle.loads(pickle.dumps(error))).__name__)
import a
print(a.__name__)
""")
        process.says("ready")
        proxy.delay = 60
        printed = process.rest()
        address = proxy.url(url)
    assert printed.startswith(f"looking for a newer release of {address} took longer than 2 s\nhint: "), printed
    assert printed.endswith("\nTimeout\na\n")


def test_32_threads_import_700_modules(python, seed):
    names = [f"storm.part{number % 10}.module{number}" for number in range(700)]
    files = {f"{name.replace('.', '/')}.py": f"from storm import VALUE\nNAME = {name!r}\n" for name in names}
    packages = {f"storm/part{number}/__init__.py": "" for number in range(10)}
    area = seed({**files, **packages, "storm/__init__.py": "VALUE = 1\n"})
    printed = python(f"""
import importlib, rstack, sys, threading
rstack.install({area.env!r})
names = {names!r}
start = threading.Barrier(32)
failed = []
def work(number):
    start.wait()
    for name in names[number:] + names[:number]:
        try:
            assert importlib.import_module(name).NAME == name
        except BaseException as error:
            failed.append(error)
threads = [threading.Thread(target=work, args=(number * 20,)) for number in range(32)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(failed, len([name for name in sys.modules if name.startswith("storm.part")]))
""")
    assert printed == "[] 710\n"


def test_forks_in_the_middle_of_imports_go_on_by_themselves(python, seed):
    names = [f"part{number}" for number in range(40)]
    area = seed({f"{name}/inner.py": f"NAME = {name!r}\n" for name in names} | {f"{name}/__init__.py": "" for name in names})
    printed = python(f"""
import importlib, os, rstack, threading
rstack.install({area.env!r}, timeout=20)
names = {names!r}
def imports(names):
    for name in names:
        assert importlib.import_module(name + ".inner").NAME == name
thread = threading.Thread(target=imports, args=(names[:20],))
thread.start()
children = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        try:
            # Not those that the other thread of the parent was at: Python's own locks of them went into the fork.
            imports(names[20:])
            os._exit(0)
        except BaseException:
            import traceback; traceback.print_exc()
            os._exit(1)
    children.append(pid)
thread.join()
print([os.waitpid(pid, 0)[1] for pid in children])
imports(names)
""")
    assert printed == "[0, 0, 0, 0]\n"


@pytest.mark.timeout(180)
def test_redis_may_be_killed_and_come_back(own_local, python):
    environment = Environment(own_local, "survivor")
    files = {"one/a.py": "NAME = 'a'\n", "two/b.py": "NAME = 'b'\n"}
    area = environment.seed(files)
    python.local = own_local
    process = python.start(f"""
import rstack
rstack.install({area.url("redis")!r}, timeout=10)
import one.a
print("ready", flush=True)
input()
try:
    rstack.advance()
except rstack.Error as error:
    print("failed", flush=True)
import two.b
print(two.b.NAME, flush=True)
input()
print(rstack.advance(), flush=True)
""")
    process.says("ready")
    own_local.kill("redis")
    process.go_on()
    process.says("failed")
    process.says("b")
    own_local.start()
    area.seed({**files, "two/b.py": "NAME = 'new'\n"})
    assert process.rest() == "['two.b']\n"


def test_credentials_that_expire_are_renewed(local, python, seed):
    area = seed({"a.py": "A = 1\n"})
    log = python.folder / "renewed"
    # It says that they end in a few seconds; who reads on has to ask again.
    script = python.write("credentials.sh", f"""#!/bin/sh
echo asked >> {log}
end=$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%SZ)
echo '{{"Version":1,"AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"secret","SessionToken":"t'$$'","Expiration":"'$end'"}}'
""")
    script.chmod(stat.S_IRWXU)
    config = python.write("aws", f"[profile short]\nregion = eu-west-1\ncredential_process = {script}\n")
    endpoint = local.variables["AWS_ENDPOINT_URL"]
    env = {
        "RSTACK_LOCAL": "0", "RSTACK_ENDPOINT_URL": endpoint, "RSTACK_PROFILE": "short", "AWS_CONFIG_FILE": str(config),
        "AWS_REGION": local.variables.get("AWS_REGION", "eu-west-1"),
    }
    process = python.start(f"""
import rstack
rstack.install({area.url("dynamodb")!r})
import a
print(a.A, flush=True)
input()
print(rstack.advance())
import b
print(b.B)
""", env=env)
    process.says("1")
    before = len(log.read_text().splitlines())
    area.seed({"a.py": "A = 1\n", "b.py": "B = 2\n"})
    time.sleep(4)
    assert process.rest() == "['b']\n2\n"
    assert len(log.read_text().splitlines()) > before >= 1
    assert os.environ.get("AWS_PROFILE") is None
