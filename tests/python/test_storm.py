"""Many threads, and stores that come and go while modules are imported."""

import shutil
import socket
import subprocess
import threading
import time

import pytest
from support.environment import Environment
from support.python import Python

pytestmark = pytest.mark.timeout(240)

MODULES = 700
THREADS = 32


def tree():
    """Packages of 20 modules each; every module imports some before it, and counts how often it ran."""
    files = {"big/__init__.py": "", "counted.py": "import collections\n\nruns = collections.Counter()\n"}
    for number in range(MODULES):
        package = f"big/p{number // 20:02}"
        files[f"{package}/__init__.py"] = ""
        before = [number // 2, number // 3, max(0, number - 1)]
        imports = "".join(f"from big.p{n // 20:02} import m{n:03}\n" for n in sorted(set(before)) if n < number)
        files[f"{package}/m{number:03}.py"] = (
            f"{imports}import counted\n\ncounted.runs[__name__] += 1\nVALUE = {number}\n\n\n"
            f"def value(x):\n    return x + {number}\n"
        )
    return files


STORM = """
import importlib, random, sys, threading
import counted
names = [f"big.p{n // 20:02}.m{n:03}" for n in range(MODULES)]
errors = []
start = threading.Barrier(THREADS)

def work(seed):
    order = names[:]
    random.Random(seed).shuffle(order)
    start.wait()
    for name in order:
        try:
            assert importlib.import_module(name).VALUE == int(name[-3:])
        except Exception as error:
            errors.append((name, error))

threads = [threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)]
[thread.start() for thread in threads]
[thread.join(120) for thread in threads]
assert not any(thread.is_alive() for thread in threads)
assert not errors, errors[:3]
assert set(counted.runs.values()) == {1} and len(counted.runs) == MODULES, counted.runs.most_common(3)
print("done")
"""


@pytest.fixture(scope="module")
def big(environment):
    return environment.seed(tree(), area="big")


@pytest.mark.once
def test_32_threads_import_700_modules_from_each_store(big, python, store):
    code = STORM.replace("MODULES", str(MODULES)).replace("THREADS", str(THREADS))
    words = ["-m", "rstack", "run", "--source", big.url(store), python.write("storm.py", code)]
    assert python.run(*words, timeout=200).stdout == "done\n"


class Redis:
    """A server of a test's own."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder = folder
        self.start()

    def start(self):
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        options = ["--port", self.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--dir", self.folder]
        self.process = subprocess.Popen([program, *map(str, options)], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port)) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(64).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis(tmp_path):
    folder = tmp_path / "redis"
    folder.mkdir()
    server = Redis(folder)
    yield server
    server.kill()


class Dialogue:
    """A program that is told what to import, or to advance, line by line, and says what came of it."""

    CODE = """
import importlib, sys, rstack
for line in sys.stdin:
    try:
        if line == "advance\\n":
            print("ok", *rstack.advance(), flush=True)
        else:
            print("ok", importlib.import_module(line.strip()).VALUE, flush=True)
    except Exception as error:
        print(type(error).__name__, " ".join(str(error).split()), flush=True)
"""

    def __init__(self, python, source, **env):
        words = [python.executable, "-m", "rstack", "run", "--source", source, python.write("dialogue.py", self.CODE)]
        self.process = subprocess.Popen(
            [str(word) for word in words], env=python.env | env, cwd=python.folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def advance(self):
        return self.imports("advance")

    def imports(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def numbered(count):
    return {f"pkg{n}/__init__.py": f"VALUE = {n}\n" + f"# {n}\n" * 300 for n in range(count)}


def test_programs_that_start_while_redis_comes_and_goes(environment, python, redis):
    """Each either works or says which store does not answer; none takes a module for missing."""
    url = f"redis://127.0.0.1:{redis.port}"
    environment.area("flaky").seed(numbered(60), "--redis-url", url)
    code = "import importlib\nfor n in range(60): assert importlib.import_module(f'pkg{n}').VALUE == n\nprint('done')\n"
    words = ["-m", "rstack", "run", "--source", f"{url}/flaky", python.write("all.py", code)]
    over = threading.Event()

    def disturb():
        while not over.wait(0.2):
            redis.kill()
            time.sleep(0.1)
            redis.start()

    disturbing = threading.Thread(target=disturb)
    disturbing.start()
    try:
        finished = [python.run(*words, check=False) for _ in range(8)]
    finally:
        over.set()
        disturbing.join()
    for run in finished:
        failed = run.returncode == 1 and str(redis.port) in run.stderr and "ModuleNotFound" not in run.stderr
        assert run.stdout == "done\n" or failed, run
    assert python.run(*words).stdout == "done\n"


def test_an_environment_goes_on_without_its_redis(own_local, tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    area = Environment(own_local, "alone").seed(numbered(2))
    with Dialogue(Python(own_local, folder), area.env) as program:
        assert program.imports("pkg0") == "ok 0"
        area.seed(numbered(3))
        own_local.kill("redis")
        assert program.advance() == "ok pkg2"
        assert program.imports("pkg2") == "ok 2"
