"""Importing in many places at once: children, forks, threads, sub-interpreters."""

from __future__ import annotations

import sys
import sysconfig

import pytest
from support.proxy import proxied


def test_13_a_process_stays_at_its_release(python, seed):
    area = seed({"one.py": "V = 1\n", "two.py": "V = 1\n"})
    process = python.start_installed(area, """
import one
print("ready", flush=True)
input()
import two
print(one.V, two.V)
rstack.advance()
import three
print(three.V)
""")
    process.says("ready")
    area.seed({"one.py": "V = 2\n", "two.py": "V = 2\n", "three.py": "V = 2\n"})
    printed = process.rest()
    assert printed == "1 1\n2\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_14_children_import_too(python, package, method):
    script = python.write("main.py", f"""
import rstack
rstack.install({package.env!r})
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

def work(_):
    import pkg.sub.deep
    return pkg.sub.deep.where()

if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context({method!r})) as pool:
        print(list(pool.map(work, range(4))))
""")
    assert python.run(script).stdout == "['deep', 'deep', 'deep', 'deep']\n"


def test_14_an_entry_that_nobody_knew_is_known_once_installed(python, package):
    printed = python(f"""
import sys, importlib.machinery, rstack
root = rstack.install({package.env!r}).release.root
rstack.uninstall()
sys.path.append(root)
try:
    import pkg
except ModuleNotFoundError:
    print(sys.path_importer_cache.get(root, "unknown"))
rstack.install({package.env!r})
import pkg
print(pkg.LEAF, type(sys.path_importer_cache.get(pkg.__path__[0], None)).__name__)
""")
    assert printed == "None\nleaf NoneType\n"


def test_15_runpy_runs_modules_and_packages(python, seed):
    area = seed({
        "tool/__init__.py": "",
        "tool/__main__.py": "import sys; print(__name__, __package__, sys.argv[0][-16:])\n",
        "tool/one.py": "print(__name__, __spec__.name)\n",
    })
    printed = python.installed(area, """
import runpy
runpy.run_module("tool", run_name="__main__", alter_sys=True)
runpy.run_module("tool.one", run_name="__main__")
""")
    assert printed == "__main__ tool tool/__main__.py\n__main__ tool.one\n"


def test_17_threads_import_at_once_and_the_interpreter_runs_on(python, seed):
    names = [f"part{number}" for number in range(24)]
    area = seed({f"many/{name}.py": f"import threading\nNAME = {name!r}\n" for name in names} | {"many/__init__.py": ""})
    url = area.url("redis")
    with proxied(url) as proxy:
        process = python.start(f"""
import rstack, importlib, threading, time
rstack.install({proxy.url(url)!r})
print("ready", flush=True)
input()
ticks = []
done = threading.Event()
def tick():
    while not done.is_set():
        ticks.append(1)
        time.sleep(0.01)
threading.Thread(target=tick).start()
names = {names!r}
got = []
def run(name):
    got.append(importlib.import_module("many." + name).NAME)
threads = [threading.Thread(target=run, args=(name,)) for name in names * 2]
for thread in threads: thread.start()
rstack.open({proxy.url(url)!r})
for thread in threads: thread.join()
done.set()
print(sorted(got) == sorted(names * 2), len(ticks) > 20)
""")
        process.says("ready")
        proxy.delay = 0.25
        printed = process.rest()
    assert printed == "True True\n"


def test_17_circular_imports_work_as_from_files(python, seed):
    area = seed({
        "ring/__init__.py": "from . import a\n",
        "ring/a.py": "import ring.b\nA = 1\ndef b(): return ring.b.B\n",
        "ring/b.py": "import ring.a\nB = 2\ndef a(): return ring.a.A\n",
        "wrong/__init__.py": "",
        "wrong/a.py": "from wrong.b import B\nA = 1\n",
        "wrong/b.py": "from wrong.a import A\nB = 1\n",
    })
    printed = python.installed(area, """
import ring, threading
print(ring.a.b(), ring.b.a())
try:
    import wrong.a
except ImportError as error:
    print("partially initialized module 'wrong.a'" in str(error))
""")
    assert printed == "2 1\nTrue\n"


def test_18_a_fork_reads_for_itself_and_leaves_the_parent_alone(python, seed):
    area = seed({"one/a.py": "", "two/b.py": "NAME = 'b'\n", "three/c.py": "NAME = 'c'\n"})
    printed = python(f"""
import os, rstack, threading
rstack.install({area.env!r})
import one.a
def child():
    import two.b
    os.write(1, (two.b.NAME + " in the child\\n").encode())
    assert rstack.open({area.env!r}).exists("one/a.py")
    grandchild = os.fork()
    if grandchild == 0:
        import three.c
        os.write(1, (three.c.NAME + " in the grandchild\\n").encode())
        os._exit(0)
    assert os.waitpid(grandchild, 0)[1] == 0
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        try:
            child()
            os._exit(0)
        except BaseException:
            import traceback; traceback.print_exc()
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
import three.c
print(rstack.open({area.env!r}).read("two/b.py"))
""")
    assert printed == "b in the child\nc in the grandchild\n" * 2 + "b\"NAME = 'b'\\n\"\n"


def test_18_a_daemon_imports_what_was_read_before_it_closed_everything(python, seed):
    area = seed({"one/__init__.py": "", "one/a.py": "", "two.py": "NAME = 'two'\n"})
    printed = python(f"""
import os, rstack
rstack.install({area.env!r})
import one.a
if os.fork() == 0:
    os.closerange(3, 1024)
    try:
        import two
        print(two.NAME, flush=True)
        rstack.advance()
    except BaseException as error:
        print(type(error).__name__, error, flush=True)
    os._exit(0)
os.wait()
""")
    first, second = printed.splitlines()[:2]
    assert first == "two"
    assert second.startswith("Error the async runtime does not start")
    assert "as daemons do" in printed


def test_19_sub_interpreters_get_a_clear_error(python):
    printed = python("""
import rstack, sys
rstack.Error
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
else:
    import _xxsubinterpreters as interpreters
code = '''
import rstack
try:
    rstack.install("/tmp")
except ImportError as error:
    print(error)
'''
interpreter = interpreters.create()
failed = interpreters.exec(interpreter, code) if sys.version_info >= (3, 13) else interpreters.run_string(interpreter, code)
assert failed is None, failed
""")
    assert printed.startswith("rstack does not work in a sub-interpreter: "), printed


def test_20_any_number_of_threads_may_use_one_source(python, package):
    printed = python.installed(package, """
import threading
importer = sys.meta_path[0]
source = importer.release.source
failures = []
def work():
    try:
        for _ in range(20):
            assert source.read("pkg/leaf.py") == b"LEAF = 'leaf'\\n"
            assert source.locate("pkg/leaf") == ("module", "pkg/leaf.py")
            assert importer.find_spec("pkg").origin.endswith("__init__.py")
    except BaseException as error:
        failures.append(error)
threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(failures, getattr(sys, "_is_gil_enabled", lambda: None)())
""")
    free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    expected = None if sys.version_info < (3, 13) else not free
    assert printed == f"[] {expected}\n"
