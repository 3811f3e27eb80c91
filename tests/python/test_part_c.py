"""What a correct finder and loader do: each point of the specification is a test."""

from __future__ import annotations

import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from support.environment import written
from support.proxy import proxied

PACKAGE = {
    "pkg/__init__.py": "from .leaf import LEAF\n",
    "pkg/leaf.py": "LEAF = 'leaf'\n",
    "pkg/sub/__init__.py": "from ..leaf import LEAF\nfrom . import deep\n",
    "pkg/sub/deep.py": "NAME = __name__\n\ndef where():\n    return 'deep'\n",
}


@pytest.fixture(scope="module")
def package(seed):
    return seed(PACKAGE)


@pytest.fixture
def installed(python):
    """Runs code after installing an area."""

    def run(area, code, **named):
        options = "".join(f", {name}={value!r}" for name, value in named.pop("install", {}).items())
        url = area if isinstance(area, str) else area.env
        return python(f"import rstack, sys\nrstack.install({url!r}{options})\n{code}", **named)

    return run


def test_01_specs_tell_origin_location_and_no_made_up_cache(installed, package):
    printed = installed(package, """
import pkg.leaf
for module in (pkg, pkg.leaf):
    spec = module.__spec__
    print(spec.has_location, spec.origin == module.__file__, spec.loader.is_package(spec.name), spec.cached)
    print(getattr(module, "__cached__", None), module.__file__.startswith("/rstack/"))
""")
    assert printed == "True True True None\nNone True\nTrue True False None\nNone True\n"


def test_01_where_bytecode_is_kept_the_cache_is_a_real_path(installed, package, tmp_path):
    env = {"RSTACK_CACHE": str(tmp_path / "cache")}
    printed = installed(package, "import pkg.leaf, os; print(os.path.isfile(pkg.leaf.__spec__.cached))", env=env)
    assert printed == "True\n"


def test_02_only_packages_are_packages_so_relative_imports_work(installed, package):
    printed = installed(package, """
import pkg.sub.deep
print(pkg.LEAF, pkg.sub.LEAF)
print(pkg.__package__, pkg.leaf.__package__, pkg.sub.__package__, pkg.sub.deep.__package__)
print(hasattr(pkg.leaf, "__path__"), len(pkg.__path__), pkg.leaf.__spec__.submodule_search_locations)
try:
    import pkg.leaf.nothing
except ModuleNotFoundError as error:
    print(error)
""")
    assert printed == (
        "leaf leaf\npkg pkg pkg.sub pkg.sub\nFalse 1 None\n"
        "No module named 'pkg.leaf.nothing'; 'pkg.leaf' is not a package\n"
    )


def test_03_a_package_comes_before_a_module_and_that_before_a_folder(installed, seed):
    area = seed({
        "both.py": "KIND = 'module'\n",
        "both/__init__.py": "KIND = 'package'\n",
        "half.py": "KIND = 'module'\n",
        "half/inner.py": "",
        "bare/inner.py": "KIND = 'inner'\n",
    })
    printed = installed(area, """
import both, half, bare.inner
print(both.KIND, half.KIND, bare.inner.KIND, bare.__spec__.origin, getattr(bare, "__file__", None))
""")
    assert printed == "package module inner None None\n"


def test_04_one_module_of_a_local_package_can_be_replaced(installed, python, seed):
    python.write("local/__init__.py", "")
    python.write("local/one.py", "FROM = 'here'\n")
    python.write("local/two.py", "FROM = 'here'\n")
    area = seed({"local/two.py": "FROM = 'source'\n", "local/three.py": ""})
    code = """
from local import one, two
print(one.FROM, two.FROM)
try:
    import local.three
except ModuleNotFoundError as error:
    print(error)
"""
    printed = installed(area, code, install={"only": ["local.two"]})
    assert printed == "here source\nNo module named 'local.three'\n"


def test_04_folders_here_and_in_the_source_are_one_namespace_package(installed, python, seed):
    python.write("spread/here.py", "FROM = 'here'\n")
    python.write("spread/inner/here.py", "FROM = 'here'\n")
    area = seed({"spread/there.py": "FROM = 'source'\n", "spread/inner/there.py": "FROM = 'source'\n"})
    printed = installed(area, """
import spread.here, spread.there, spread.inner.here, spread.inner.there
print(spread.here.FROM, spread.there.FROM, spread.inner.here.FROM, spread.inner.there.FROM)
print(len(spread.__path__), len(spread.inner.__path__))
import pkgutil
print(sorted(module.name for module in pkgutil.iter_modules(spread.__path__)))
""")
    assert printed == "here source here source\n2 2\n['here', 'there']\n"


def test_04_pkgutil_walks_packages(installed, package):
    printed = installed(package, """
import pkgutil, pkg
print([(module.name, module.ispkg) for module in pkgutil.walk_packages(pkg.__path__, "pkg.")])
print([module.name for module in pkgutil.iter_modules() if module.module_finder in sys.meta_path])
""")
    assert printed == "[('pkg.leaf', False), ('pkg.sub', True), ('pkg.sub.deep', False)]\n['pkg']\n"


def test_05_names_in_only_come_from_the_source_and_others_give_way(installed, python, seed):
    for name in ("shared", "shared_more", "theirs"):
        python.write(f"{name}/__init__.py", "FROM = 'here'\n")
    files = {f"{name}/__init__.py": "FROM = 'source'\n" for name in ("shared", "shared_more", "theirs", "mine")}
    area = seed({**files, "json.py": "FROM = 'source'\n"})
    code = "import shared, shared_more, theirs, mine; print(shared.FROM, shared_more.FROM, theirs.FROM, mine.FROM)"
    assert installed(area, code, install={"only": ["shared"]}) == "source here here source\n"
    assert installed(area, "import json; print(json.FROM)", install={"only": ["json"]}) == "source\n"
    assert installed(area, "import json; print(json.__name__)") == "json\n"


def test_05_what_only_names_is_never_taken_from_elsewhere(python, seed):
    python.write("mine.py", "")
    area = seed({"other.py": ""})
    failed = python.run("-c", f"import rstack; rstack.install({area.env!r}, only=['mine']); import mine", check=False)
    assert failed.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: `only` says that mine comes from {area.env}, which has none; what is installed is not "
        "taken instead"
    )


def test_05_a_bare_folder_here_does_not_hide_a_package_of_the_source(installed, python, package):
    python.write("pkg/notes.txt", "")
    assert installed(package, "import pkg; print(pkg.LEAF)") == "leaf\n"


def test_06_a_missing_module_costs_no_request(python, article):
    url = article.url("redis")
    with proxied(url) as proxy:
        process = python.start(f"""
import rstack, importlib
rstack.install({proxy.url(url)!r})
import foo.module1
print("ready", flush=True)
input()
missing = 0
for name in ["nope", "foobar", "foo.nope", "foo.bar.nope", "foo.bar.module3.nope"]:
    for _ in range(20):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            missing += 1
import decimal, sqlite3, xml.dom.minidom
print(missing)
""")
        assert process.stdout.readline() == "ready\n"
        asked = proxy.asked
        rest, _ = process.communicate("\n", timeout=60)
        assert rest == "100\n"
        assert asked > 0
        assert proxy.asked == asked


def test_07_lookups_that_lead_to_lookups_end(installed, package):
    printed = installed(package, """
import importlib.util
class Asks:
    depth = 0
    def find_spec(self, name, path=None, target=None):
        assert Asks.depth < 50
        Asks.depth += 1
        try:
            importlib.util.find_spec(name + "_more") if Asks.depth < 5 else None
        finally:
            Asks.depth -= 1
        return None
sys.meta_path.append(Asks())
import pkg, encodings.idna, http.client
try:
    import missing
except ModuleNotFoundError as error:
    print(error)
""")
    assert printed == "No module named 'missing'\n"


def test_08_only_not_found_is_a_miss(python, seed):
    good = seed({"later.py": "VALUE = 'old'\n"})
    bad = seed({"later.py": "VALUE = 'new'\n"})
    url = bad.url("redis")
    with proxied(url) as proxy:
        # The contents are not read when the source is opened: the cache is off, and the index comes alone.
        process = python.start(f"""
import rstack, os
rstack.install({f"{proxy.url(url)};{good.url('dynamodb')}"!r}, timeout=5)
os.environ["RSTACK_CACHE"] = "off"
print("ready", flush=True)
input()
pid = os.fork()
if pid:
    os.waitpid(pid, 0)
    os._exit(0)
try:
    import later
except ImportError as error:
    print(type(error).__name__, error.name, error.path, type(error.__cause__).__name__)
    print(error)
""")
        assert process.stdout.readline() == "ready\n"
        proxy.close()
        printed, _ = process.communicate("\n", timeout=60)
    kind, message = printed.split("\n", 1)
    assert kind.startswith("ImportError later /rstack/redis-127.0.0.1-"), printed
    assert kind.endswith("later.py Error")
    assert message.startswith(f"later.py cannot be read from release {bad.release()} of redis://127.0.0.1:"), message


def test_09_code_is_compiled_by_itself_and_in_its_own_encoding(python, seed):
    area = seed({
        "latin.py": "# -*- coding: latin-1 -*-\nTEXT = 'caf\xe9'\n".encode("latin-1"),
        "plain.py": "def annotated(x: undefined_name): pass\n" if sys.version_info < (3, 14) else "x = 1\n",
    })
    printed = python(f"""
from __future__ import annotations
import rstack
rstack.install({area.env!r})
import latin, inspect
print(latin.TEXT == "caf\\xe9", "caf\\xe9" in inspect.getsource(latin))
try:
    import plain
    print("no flag leaked" if hasattr(plain, "x") else "leaked")
except NameError:
    print("no flag leaked")
""")
    assert printed == "True True\nno flag leaked\n"


def found(names="pkg, pkg.leaf, pkg.sub.deep"):
    return f"import {names}\nprint(*sorted({{module.found for module in rstack.info().modules}}))"


def test_10_bytecode_is_kept_by_source_interpreter_level_and_file(installed, seed, tmp_path):
    area = seed(PACKAGE)
    cache = tmp_path / "cache"
    env = {"RSTACK_CACHE": str(cache)}
    assert installed(area, found(), env=env) == "source\n"
    kept = sorted(path for path in (cache / "v1/bytecode").iterdir())
    assert len(kept) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert installed(area, found(), env=env) == "kept\n"
    # A new release with the same sources under the same names needs no compiling.
    area.seed({**PACKAGE, "more.py": ""})
    assert installed(area, found(), env=env) == "kept\n"
    assert installed(area, found(), env=env | {"PYTHONOPTIMIZE": "2"}) == "source\n"
    # The same source as another file is another code object.
    area.seed({f"other/{name}": text for name, text in PACKAGE.items()})
    assert installed(area, "import other.pkg.leaf as leaf; print(rstack.info().modules[-1].found)", env=env) == "source\n"


def test_10_damaged_bytecode_is_made_again(installed, package, tmp_path):
    env = {"RSTACK_CACHE": str(tmp_path / "cache")}
    installed(package, found(), env=env)
    for path in (tmp_path / "cache/v1/bytecode").iterdir():
        content = bytearray(path.read_bytes())
        content[-40] ^= 1
        path.write_bytes(content)
    assert installed(package, found(), env=env) == "source\n"
    assert installed(package, found(), env=env) == "kept\n"


def test_10_nothing_is_written_when_python_is_told_so(installed, package, tmp_path):
    env = {"RSTACK_CACHE": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    installed(package, found(), env=env)
    assert list((tmp_path / "cache/v1/bytecode").iterdir()) == []


def pyc(source, code=None):
    """Bytecode as `rstack seed --compile` publishes it; `code` is what is in it instead."""
    make = (
        "import _imp, importlib.util, marshal, sys; source, code = map(str.encode, sys.argv[1:]); "
        "raw = int.from_bytes(importlib.util.MAGIC_NUMBER, 'little'); "
        "made = importlib.util.MAGIC_NUMBER + (3).to_bytes(4, 'little') + _imp.source_hash(raw, source); "
        "sys.stdout.buffer.write(made + marshal.dumps(compile(code, 'elsewhere.py', 'exec')))"
    )
    command = [sys.executable, "-c", make, source, source if code is None else code]
    return subprocess.run(command, capture_output=True, check=True).stdout


TAG = sys.implementation.cache_tag


def plain(folder, area, files):
    """A source of plain files below a folder."""
    written(files, folder / area)
    return f"file://{folder}/{area}"


def test_10_published_bytecode_is_taken_where_it_fits_its_source(installed, tmp_path):
    fits, other = "def f(): pass\nFROM = 'source'\n", "FROM = 'other'\n"
    url = plain(tmp_path, "prod", {
        "fits.py": fits,
        f"__pycache__/fits.{TAG}.pyc": pyc(fits, "def f(): pass\nFROM = 'bytecode'\n"),
        "stale.py": fits,
        f"__pycache__/stale.{TAG}.pyc": pyc(other),
        "torn.py": fits,
        f"__pycache__/torn.{TAG}.pyc": pyc(fits)[:40],
        "foreign.py": fits,
        f"__pycache__/foreign.{TAG}.pyc": b"1234" + pyc(fits)[4:],
    })
    printed = installed(url, """
import fits, stale, torn, foreign
print(fits.FROM, stale.FROM, torn.FROM, foreign.FROM, *[module.found for module in rstack.info().modules])
print(fits.f.__code__.co_filename == fits.__file__)
""")
    assert printed == "bytecode source source source published source source source\nTrue\n"


def test_10_bytecode_is_only_taken_from_whom_the_source_is_taken(installed, tmp_path):
    text = "FROM = 'source'\n"
    compiled = {f"__pycache__/mod.{TAG}.pyc": pyc(text, "FROM = 'bytecode'\n")}
    front = plain(tmp_path, "front", {**compiled, "other.py": ""})
    back = plain(tmp_path, "back", {"mod.py": text})
    code = "import mod; print(mod.FROM, *[module.found for module in rstack.info().modules])"
    assert installed(f"{front};{back}", code) == "source source\n"
    assert installed(plain(tmp_path, "both", {"mod.py": text, **compiled}), code) == "bytecode published\n"


def test_10_seed_publishes_bytecode_for_this_interpreter(installed, seed):
    area = seed(PACKAGE, f"--compile={sys.executable}")
    assert installed(area, found()) == "published\n"


def test_11_tracebacks_sources_and_logging_have_the_line(python, seed):
    area = seed({"fails.py": "def f():\n    raise ValueError('no')  # the line\n"})
    printed = python(f"""
import rstack
rstack.install({area.env!r})
import fails, traceback, inspect, linecache, logging, io
print(inspect.getsource(fails.f).splitlines()[1].strip(), inspect.getsourcefile(fails.f) == fails.__file__)
print(linecache.getline(fails.__file__, 2).strip())
stream = io.StringIO()
logging.basicConfig(stream=stream)
try:
    fails.f()
except ValueError:
    print("# the line" in traceback.format_exc())
    logging.exception("it failed")
print("# the line" in stream.getvalue())
""")
    line = "raise ValueError('no')  # the line"
    assert printed == f"{line} True\n{line}\nTrue\nTrue\n"


def test_11_an_uncaught_exception_shows_the_line_and_the_release(python, seed):
    area = seed({"fails.py": "import json\nraise ValueError('no')  # the line\n"})
    failed = python.run("-c", f"import rstack; rstack.install({area.env!r}); import fails", check=False)
    assert "# the line" in failed.stderr
    assert f"ValueError: no\nrstack: fails is fails.py in release {area.release()} of {area.env}\n" in failed.stderr
    assert "_loader.py" not in failed.stderr
    assert "importlib" not in failed.stderr


def test_11_a_syntax_error_shows_its_line(python, seed):
    area = seed({"broken.py": "fine = 1\nx = = 2\n"})
    failed = python.run("-c", f"import rstack; rstack.install({area.env!r}); import broken", check=False)
    assert "    x = = 2\n" in failed.stderr
    assert f"@{area.release()}/broken.py\", line 2" in failed.stderr
    assert "_loader.py" not in failed.stderr


@pytest.mark.parametrize("early", [True, False], ids=["pdb-first", "pdb-later"])
def test_11_pdb_stops_in_a_function_and_at_a_line(python, package, early):
    environment = package.env.replace(":", "-").replace("/", "-")
    file = f"/rstack/{environment}@{package.release()}/pkg/sub/deep.py"
    number = 2 if early else 1
    stops = f"b pkg.sub.deep.where\nc\nl\nb 4\ncl {number}\nc\nl\nq\n"
    script = python.write("debugged.py", f"""
import rstack
rstack.install({package.env!r})
import pkg.sub.deep
assert pkg.sub.deep.__file__ == {file!r}
pkg.sub.deep.where()
pkg.sub.deep.where()
""")
    if early:
        run = python.run("-m", "pdb", script, input=f"b 6\nc\n{stops}")
    else:
        script.write_text(script.read_text() + "import pdb; pdb.set_trace()\n" + 2 * "pkg.sub.deep.where()\n")
        run = python.run(script, input=stops, check=False)
    assert "-> return 'deep'" in run.stdout, run.stdout + run.stderr
    assert f"Breakpoint {number} at {file}:" in run.stdout
    assert f"Breakpoint {number + 1} at {file}:4\n" in run.stdout
    assert run.stdout.count("deep.py(4)where()\n") == 2


def test_11_materialised_modules_are_files(installed, seed, tmp_path):
    area = seed({**PACKAGE, "pkg/data.txt": "data", "pkg/opens.py": """
import os
TEXT = open(os.path.join(os.path.dirname(__file__), "data.txt")).read()
"""})
    code = """
import os, pkg.leaf, pkg.opens
print(open(pkg.leaf.__file__).read() == "LEAF = 'leaf'\\n", pkg.opens.TEXT)
print(pkg.leaf.__file__)
"""
    cache = tmp_path / "cache"
    options = {"install": {"materialise": True}, "env": {"RSTACK_CACHE": str(cache)}}
    printed = installed(area, code, **options)
    assert printed.startswith(f"True data\n{cache}/v1/tree/")
    [tree] = (cache / "v1/tree").iterdir()
    assert stat.S_IMODE(tree.parent.stat().st_mode) == 0o700
    (tree / "pkg/leaf.py").write_text("LEAF = 'tampered'\n")
    assert installed(area, code, **options) == printed


def test_11_without_a_cache_there_is_nowhere_to_materialise(python, package):
    failed = python.run("-c", f"import rstack; rstack.install({package.env!r}, materialise=True)", check=False)
    assert "rstack.Error: there is no folder to put files into\nhint: name one with RSTACK_CACHE" in failed.stderr


def test_12_reload_after_advance_sees_the_new_release(python, seed):
    area = seed({"app/__init__.py": "", "app/hot.py": "def value():\n    return 'old'\n"})
    process = python.start(f"""
import rstack, importlib, inspect
rstack.install({area.env!r})
import app.hot
kept = app.hot.value
print(app.hot.value(), flush=True)
input()
importlib.reload(app.hot)
print(app.hot.value(), rstack.advance(), app.hot.value())
importlib.reload(app.hot)
print(app.hot.value(), kept())
print("'new'" in inspect.getsource(app.hot.value), "'old'" in inspect.getsource(kept))
import app.more
print(app.more.__file__ == app.hot.__file__.replace("hot", "more"))
""")
    assert process.stdout.readline() == "old\n"
    area.seed({"app/__init__.py": "", "app/hot.py": "\n\ndef value():\n    return 'new'\n", "app/more.py": ""})
    printed, _ = process.communicate("\n", timeout=60)
    assert printed == "old ['app.hot', 'app.more'] old\nnew old\nTrue True\nTrue\n"


def test_13_a_process_stays_at_its_release(python, seed):
    area = seed({"one.py": "V = 1\n", "two.py": "V = 1\n"})
    process = python.start(f"""
import rstack
rstack.install({area.env!r})
import one
print("ready", flush=True)
input()
import two
print(one.V, two.V)
rstack.advance()
import three
print(three.V)
""")
    assert process.stdout.readline() == "ready\n"
    area.seed({"one.py": "V = 2\n", "two.py": "V = 2\n", "three.py": "V = 2\n"})
    printed, _ = process.communicate("\n", timeout=60)
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


def test_15_runpy_runs_modules_and_packages(installed, seed):
    area = seed({
        "tool/__init__.py": "",
        "tool/__main__.py": "import sys; print(__name__, __package__, sys.argv[0][-16:])\n",
        "tool/one.py": "print(__name__, __spec__.name)\n",
    })
    printed = installed(area, """
import runpy
runpy.run_module("tool", run_name="__main__", alter_sys=True)
runpy.run_module("tool.one", run_name="__main__")
""")
    assert printed == "__main__ tool tool/__main__.py\n__main__ tool.one\n"


def test_16_resources_of_packages_folders_and_joined_folders(installed, python, seed):
    python.write("mixed/here.txt", "here")
    area = seed({
        "pkg/__init__.py": "",
        "pkg/data/a.txt": "caf\xe9",
        "pkg/data/deep/b.bin": b"\x00\x01",
        "mixed/there.txt": "there",
    })
    printed = installed(area, """
import importlib.resources as resources, pkg, pkgutil, mixed, os
files = resources.files("pkg")
data = files / "data"
print(data.joinpath("a.txt").read_text(encoding="utf-8") == "caf\\xe9", (data / "deep" / "b.bin").read_bytes())
print(sorted(path.name for path in data.iterdir()), data.is_dir(), (data / "a.txt").is_file(), (data / "no").is_file())
with resources.as_file(data / "a.txt") as path:
    print(path.read_bytes() == "caf\\xe9".encode(), os.path.exists(path))
print(pkgutil.get_data("pkg", "data/deep/b.bin"))
with (data / "a.txt").open("rb") as file:
    print(len(file.read()))
print(sorted(path.name for path in resources.files("mixed").iterdir()))
print((resources.files("mixed") / "there.txt").read_text(), (resources.files("mixed") / "here.txt").read_text())
try:
    (data / "no").read_bytes()
except FileNotFoundError:
    print("not found")
""")
    assert printed == (
        "True b'\\x00\\x01'\n['a.txt', 'deep'] True True False\nTrue True\nb'\\x00\\x01'\n5\n"
        "['here.txt', 'there.txt']\nthere here\nnot found\n"
    )


def test_16_distributions_of_the_release_are_found(installed, seed):
    area = seed({
        "my_tool/__init__.py": "def main(): print('ran')\n",
        "my_tool-1.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: my-tool\nVersion: 1.5\n",
        "my_tool-1.5.dist-info/RECORD": "my_tool/__init__.py,,\n",
        "my_tool-1.5.dist-info/entry_points.txt": "[console_scripts]\nmy-tool = my_tool:main\n",
        "json/__init__.py": "",
        "json-9.dist-info/METADATA": "Metadata-Version: 2.1\nName: json\nVersion: 9\n",
        "json-9.dist-info/RECORD": "json/__init__.py,,\n",
    })
    printed = installed(area, """
import importlib.metadata as metadata
print(metadata.version("My.Tool"), [str(file) for file in metadata.files("my-tool")])
[entry] = [entry for entry in metadata.entry_points(group="console_scripts") if entry.name == "my-tool"]
entry.load()()
try:
    metadata.version("json")
except metadata.PackageNotFoundError:
    print("hidden")
print("my-tool" in {distribution.metadata["Name"] for distribution in metadata.distributions()})
""")
    assert printed == "1.5 ['my_tool/__init__.py']\nran\nhidden\nTrue\n"


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
        assert process.stdout.readline() == "ready\n"
        proxy.delay = 0.25
        printed, _ = process.communicate("\n", timeout=60)
    assert printed == "True True\n"


def test_17_circular_imports_work_as_from_files(installed, seed):
    area = seed({
        "ring/__init__.py": "from . import a\n",
        "ring/a.py": "import ring.b\nA = 1\ndef b(): return ring.b.B\n",
        "ring/b.py": "import ring.a\nB = 2\ndef a(): return ring.a.A\n",
        "wrong/__init__.py": "",
        "wrong/a.py": "from wrong.b import B\nA = 1\n",
        "wrong/b.py": "from wrong.a import A\nB = 1\n",
    })
    printed = installed(area, """
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


def test_20_any_number_of_threads_may_use_one_source(installed, package):
    printed = installed(package, """
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


def test_21_nothing_of_the_old_protocol_is_used(python, package):
    code = f"""
import rstack, sys
importer = rstack.install({package.env!r})
import pkg.sub.deep
print(hasattr(importer, "find_module"), "load_module" in vars(type(pkg.__loader__)), "imp" in sys.modules)
"""
    assert python.run("-W", "error", "-c", code).stdout == "False False False\n"


def test_22_invalidating_caches_costs_nothing_and_changes_nothing(python, package):
    url = package.url("redis")
    with proxied(url) as proxy:
        process = python.start(f"""
import rstack, importlib
rstack.install({proxy.url(url)!r})
import pkg
print("ready", flush=True)
input()
for _ in range(100):
    importlib.invalidate_caches()
import pkg.sub.deep
print(pkg.sub.deep.where())
""")
        assert process.stdout.readline() == "ready\n"
        asked = proxy.asked
        printed, _ = process.communicate("\n", timeout=60)
        assert (printed, proxy.asked) == ("deep\n", asked)


def test_23_lazy_loaders_load_on_first_use(installed, package):
    printed = installed(package, """
import importlib.util
spec = importlib.util.find_spec("pkg.sub.deep")
spec.loader = importlib.util.LazyLoader(spec.loader)
module = importlib.util.module_from_spec(spec)
sys.modules["pkg.sub.deep"] = module
spec.loader.exec_module(module)
print([loaded.name for loaded in rstack.info().modules][-1])
print(module.where(), [loaded.name for loaded in rstack.info().modules][-1])
""")
    assert printed == "pkg.sub\ndeep pkg.sub.deep\n"


@pytest.mark.parametrize(("option", "expected"), [("", "True True"), ("-O", "False True"), ("-OO", "False False")])
def test_24_optimisation_is_honoured(python, seed, option, expected):
    area = seed({"checks.py": 'def f():\n    "doc"\n    try:\n        assert False\n    except AssertionError:\n'
                 "        return True\n    return False\n"})
    code = f"import rstack; rstack.install({area.env!r}); import checks; print(checks.f(), checks.f.__doc__ == 'doc')"
    run = python.run(*[option] if option else [], "-c", code)
    assert run.stdout == f"{expected}\n"
    assert Path(python.folder).is_dir()
