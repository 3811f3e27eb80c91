"""What a module is once it is loaded: its code, its lines, its resources, in its release."""

from __future__ import annotations

import io
import os
import socket
import stat
import sys
import zipfile
from pathlib import Path

import pytest
from support.programs import PACKAGE, RUN, command
from support.proxy import proxied


def test_08_only_not_found_is_a_miss(python, seed):
    good = seed({"later.py": "VALUE = 'old'\n"})
    # Too much to be read when the source is opened.
    bad = seed({"later.py": "VALUE = 'new'\n", "large.py": os.urandom(49 << 20)})
    url = bad.url("redis")
    with proxied(url) as proxy:
        process = python.start(f"""
import rstack
rstack.install({f"{proxy.url(url)};{good.url('dynamodb')}"!r}, timeout=5)
print("ready", flush=True)
input()
try:
    import later
except ImportError as error:
    print(type(error).__name__, error.name, error.path, type(error.__cause__).__name__)
    print(error)
""")
        process.says("ready")
        proxy.close()
        printed = process.rest()
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


def test_11_tracebacks_sources_and_logging_have_the_line(python, seed):
    area = seed({"fails.py": "def f():\n    raise ValueError('no')  # the line\n"})
    printed = python.installed(area, """
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


def test_11_an_uncaught_exception_in_a_thread_shows_the_line_and_the_release(python, seed):
    area = seed({"fails.py": "def f():\n    raise ValueError('no')  # the line\n"})
    code = "import fails, threading; thread = threading.Thread(target=fails.f); thread.start(); thread.join()"
    failed = python.run("-c", f"import rstack; rstack.install({area.env!r}); {code}")
    assert "# the line" in failed.stderr
    assert "Exception in thread Thread-1 (f)" in failed.stderr, failed.stderr


def test_11_a_syntax_error_shows_its_line(python, seed):
    area = seed({"broken.py": "fine = 1\nx = = 2\n"})
    failed = python.run("-c", f"import rstack; rstack.install({area.env!r}); import broken", check=False)
    assert "    x = = 2\n" in failed.stderr
    assert f"@{area.release()}/broken.py\", line 2" in failed.stderr
    assert "_loader.py" not in failed.stderr
    assert failed.stderr.endswith(f"\nrstack: broken is broken.py in release {area.release()} of {area.env}\n")
    assert failed.stderr.count("rstack: ") == 1


def test_11_what_cannot_be_compiled_names_its_release_once(python, seed):
    area = seed({"nulls.py": b"x = 1\0\n", "wrong.py": "x = = 2\n", "outer.py": "import wrong\n"})
    printed = python.installed(area, """
for name in ("nulls", "outer"):
    try:
        __import__(name)
    except (SyntaxError, ValueError) as error:
        frames = []
        trace = error.__traceback__
        while trace is not None:
            frames.append(trace.tb_frame.f_code.co_filename)
            trace = trace.tb_next
        print(error.__notes__, any("_loader" in file for file in frames))
""")
    notes = [f"rstack: {name} is {name}.py in release {area.release()} of {area.env}" for name in ("nulls", "wrong")]
    assert printed == "".join(f"{[note]} False\n" for note in notes)


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


def test_11_materialised_modules_are_files(python, seed, tmp_path):
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
    printed = python.installed(area, code, **options)
    assert printed.startswith(f"True data\n{cache}/v1/tree/")
    [tree] = (cache / "v1/tree").iterdir()
    assert stat.S_IMODE(tree.parent.stat().st_mode) == 0o700
    (tree / "pkg/leaf.py").write_text("LEAF = 'tampered'\n")
    assert python.installed(area, code, **options) == printed


def test_11_materialised_archives_and_scripts_are_files_too(python, seed, tmp_path):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for path in ("zipped.py", "egg/__init__.py", "egg/sub/__init__.py"):
            writer.writestr(path, "WHERE = __file__\n")
    area = seed({"pkg/__init__.py": "", "pkg/more.zip": archive.getvalue(), "pkg/script.py": "print(__name__, __spec__)\n"})
    printed = python.installed(area, """
import os, pkg, runpy, sys
folder = os.path.dirname(pkg.__file__)
runpy.run_path(os.path.join(folder, "script.py"), run_name="__main__")
sys.path.append(os.path.join(folder, "more.zip"))
import zipped, egg.sub
print(zipped.WHERE == os.path.join(folder, "more.zip", "zipped.py"))
print(egg.sub.WHERE == os.path.join(folder, "more.zip", "egg/sub/__init__.py"))
""", install={"materialise": True}, env={"RSTACK_CACHE": str(tmp_path / "cache")})
    assert printed == "__main__ None\nTrue\nTrue\n"


def test_11_without_a_cache_there_is_nowhere_to_materialise(python, package):
    failed = python.run("-c", f"import rstack; rstack.install({package.env!r}, materialise=True)", check=False)
    assert "rstack.Error: there is no folder to put files into\nhint: name one with RSTACK_CACHE" in failed.stderr


def test_12_reload_after_advance_sees_the_new_release(python, seed):
    area = seed({"app/__init__.py": "", "app/hot.py": "def value():\n    return 'old'\n"})
    process = python.start_installed(area, """
import importlib, inspect
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
    process.says("old")
    area.seed({"app/__init__.py": "", "app/hot.py": "\n\ndef value():\n    return 'new'\n", "app/more.py": ""})
    printed = process.rest()
    assert printed == "old ['app.hot', 'app.more'] old\nnew old\nTrue True\nTrue\n"


def test_16_resources_of_packages_folders_and_joined_folders(python, seed):
    python.write("mixed/here.txt", "here")
    area = seed({
        "pkg/__init__.py": "",
        "pkg/data/a.txt": "caf\xe9",
        "pkg/data/deep/b.bin": b"\x00\x01",
        "mixed/there.txt": "there",
    })
    printed = python.installed(area, """
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


def test_16_distributions_of_the_release_are_found(python, seed):
    area = seed({
        "my_tool/__init__.py": "def main(): print('ran')\n",
        "my_tool-1.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: my-tool\nVersion: 1.5\n",
        "my_tool-1.5.dist-info/RECORD": "my_tool/__init__.py,,\n",
        "my_tool-1.5.dist-info/entry_points.txt": "[console_scripts]\nmy-tool = my_tool:main\n",
        "json/__init__.py": "",
        "json-9.dist-info/METADATA": "Metadata-Version: 2.1\nName: json\nVersion: 9\n",
        "json-9.dist-info/RECORD": "json/__init__.py,,\n",
    })
    printed = python.installed(area, """
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


TOOL = {
    "my_tool/__init__.py": "def main(): print('ran')\n",
    "my_tool-1.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: my-tool\nVersion: 1.5\n",
    "my_tool-1.5.dist-info/entry_points.txt": "[console_scripts]\nmy-tool = my_tool:main\n",
}


@pytest.mark.parametrize("code", [
    "print(metadata.version('my-tool'))",
    "print([found.version for found in metadata.distributions() if found.metadata['Name'] == 'my-tool'][0])",
    "print(1.5 if any(entry.name == 'my-tool' for entry in metadata.entry_points(group='console_scripts')) else 0)",
])
def test_16_distributions_are_found_before_a_name_opened_the_source(python, seed, code):
    words = command(RUN, seed(TOOL).env, "-c", f"import importlib.metadata as metadata; {code}")
    assert python.run(*words[1:], program=words[0]).stdout == "1.5\n"


def test_16_an_installed_distribution_wins_and_opens_nothing(python, seed):
    code = "import importlib.metadata as metadata; print(metadata.version('joblib') == '0')"
    site = python("import rstack._children as children; print(children.SITE)").strip()
    with socket.create_server(("127.0.0.1", 0)) as store:
        env = {"RSTACK_SOURCE": f"redis://127.0.0.1:{store.getsockname()[1]}/main", "PYTHONPATH": site}
        assert python(code, env=env) == "False\n"
        store.setblocking(False)
        with pytest.raises(BlockingIOError):
            store.accept()
    area = seed({
        "joblib/__init__.py": "",
        "joblib-0.dist-info/METADATA": "Metadata-Version: 2.1\nName: joblib\nVersion: 0\n",
        "joblib-0.dist-info/RECORD": "joblib/__init__.py,,\n",
    })
    assert python.installed(area, code) == "False\n"
    assert python.installed(area, code, install={"only": ["joblib"]}) == "True\n"
    words = command(RUN, area.env, "-c", code)
    words[2:2] = ["--only", "joblib"]
    assert python.run(*words[1:], program=words[0]).stdout == "True\n"


def test_16_a_source_that_cannot_be_opened_is_no_missing_distribution(python):
    site = python("import rstack._children as children; print(children.SITE)").strip()
    printed = python("""
import importlib.metadata as metadata
for ask in (lambda: metadata.version("my-tool"), lambda: list(metadata.distributions())):
    try:
        ask()
    except ImportError as error:
        print(type(error).__name__, "127.0.0.1:1" in str(error))
""", env={"RSTACK_SOURCE": "redis://127.0.0.1:1/main", "PYTHONPATH": site})
    assert printed == "ImportError True\nImportError True\n"


def test_16_distributions_are_looked_for_where_the_path_says(python, seed):
    printed = python.installed(seed(TOOL), """
import importlib.metadata as metadata
root = sys.meta_path[0].release.root
for path in ([root], [root + "/my_tool"], ["/nowhere"], []):
    print([found.version for found in metadata.distributions(path=path)])
""")
    assert printed == "['1.5']\n[]\n[]\n[]\n"


def test_16_paths_may_lead_up_inside_a_release_and_never_out_of_it(python, seed):
    area = seed({"pk/__init__.py": "", "pk/deep/data.txt": "data", "objs.py": "X = 1\n"})
    printed = python.installed(area, """
import importlib.resources as resources, os, pkgutil, pk
print(pkgutil.get_data("pk", "../objs.py"), pkgutil.get_data("pk", "deep/../deep/./data.txt"))
print((resources.files("pk") / "deep" / ".." / "deep/data.txt").read_text())
folder = os.path.dirname(pk.__file__)
for path in (folder + "/../../../etc/hostname", folder + "/deep", folder, folder + "/../nope"):
    try:
        pk.__loader__.get_data(path)
    except OSError as error:
        print(type(error).__name__)
try:
    (resources.files("pk") / "deep").read_bytes()
except IsADirectoryError as error:
    print("folder")
sys.path.append(folder + "/..")
import objs
print(objs.X)
""")
    assert printed == (
        "b'X = 1\\n' b'data'\ndata\nFileNotFoundError\nIsADirectoryError\nIsADirectoryError\nFileNotFoundError\n"
        "folder\n1\n"
    )


def test_23_lazy_loaders_load_on_first_use(python, package):
    printed = python.installed(package, """
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
