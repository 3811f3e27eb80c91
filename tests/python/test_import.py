"""`import rstack`, and importing from a source: the surface."""

from __future__ import annotations

import re
import sysconfig

import pytest
from support.programs import RUN, command


def test_each_store_gives_the_articles_modules(python, article, store):
    printed = python(f"""
import rstack
rstack.install({article.url(store)!r})
from foo.bar.module3 import multiply
print(multiply(6, 7))
import foo, foo.bar, foo.bar.module4
print(foo.__package__, foo.bar.__package__, foo.bar.module4.__package__)
""")
    assert printed == "42\nfoo foo.bar foo.bar\n"


def test_an_environment_gives_them_from_whichever_store_has_them(python, article):
    assert python(f"import rstack; rstack.install({article.env!r}); import foo.module1; print('there')") == "there\n"


def test_rstack_source_says_what_to_install(python, article):
    code = "import rstack; rstack.install(); import foo; print(rstack.info().source)"
    assert python(code, env={"RSTACK_SOURCE": article.env}) == f"{article.env}\n"


def test_without_any_source_the_error_says_how_to_name_one(python):
    failed = python.run("-c", "import rstack; rstack.install()", check=False)
    assert failed.returncode == 1
    assert "rstack.Error: which source? none is given\nhint: name one" in failed.stderr


def test_uninstalling_leaves_nothing_behind(python, article):
    printed = python(f"""
import rstack, sys, os
def state():
    return list(sys.meta_path), list(sys.path_hooks), sys.excepthook, dict(os.environ)
def remembered():
    return any(entry.startswith("/rstack/") for entry in sys.path_importer_cache)
before = state()
rstack.install({article.env!r})
import foo.bar, pkgutil
list(pkgutil.iter_modules(foo.bar.__path__))
print(before == state(), remembered())
rstack.uninstall()
print(before == state(), remembered())
for name in list(sys.modules):
    if name.split(".")[0] == "foo":
        del sys.modules[name]
try:
    import foo
except ModuleNotFoundError as error:
    print(error)
""")
    assert printed == "False True\nTrue False\nNo module named 'foo'\n"


def test_importing_is_for_its_block(python, seed):
    area = seed({"only_here.py": "VALUE = 3\n"})
    printed = python(f"""
import rstack, sys
with rstack.importing({area.env!r}) as importer:
    import only_here
    print(only_here.VALUE, importer in sys.meta_path)
del sys.modules["only_here"]
try:
    import only_here
except ModuleNotFoundError:
    print("gone", importer in sys.meta_path)
""")
    assert printed == "3 True\ngone False\n"


def test_a_block_may_be_entered_again_before_it_ends(python, seed):
    area = seed({"one.py": "", "two.py": "", "three.py": ""})
    other = seed({"four.py": ""})
    printed = python(f"""
import rstack, sys
before = list(sys.meta_path), list(sys.path_hooks), sys.excepthook
rstack.install({other.env!r})
block = rstack.importing({area.env!r})
with block as outer:
    import one
    with rstack.importing({other.env!r}):
        with block as inner:
            import two
            print(outer is inner, rstack.info().source == {area.env!r}, sys.meta_path[0] is inner)
        print(rstack.info().source == {other.env!r}, sys.meta_path[0] is not inner)
    import three
    print(rstack.info().source == {area.env!r}, sys.meta_path[0] is outer)
print(rstack.info().source == {other.env!r}, outer in sys.meta_path)
rstack.uninstall()
print((list(sys.meta_path), list(sys.path_hooks), sys.excepthook) == before)
""")
    assert printed == "True True True\nTrue True\nTrue True\nTrue False\nTrue\n"


def test_what_only_names_and_was_imported_before_is_told(python, seed):
    here = python.write("early.py", "FROM = 'here'\n")
    area = seed({"early.py": "FROM = 'source'\n", "late.py": "FROM = 'source'\n"})
    script = python.write("script.py", f"""
import early
import rstack
rstack.install({area.env!r}, only=["early", "late", "nothing"])
rstack.advance()
import late
print(early.FROM, late.FROM, rstack.info().hidden)
""")
    finished = python.run(script)
    assert finished.stdout == f"here source {{'early': {str(here)!r}}}\n"
    assert finished.stderr.count("Warning") == 1
    assert (
        f"{script}:4: HiddenNameWarning: early is not imported from {area.env}: it was imported before, from {here}; "
        "install earlier, or start with `rstack run`\n"
    ) in finished.stderr


def test_a_hidden_name_is_told_at_the_line_that_imports(python, seed):
    area = seed({"joblib.py": "", "sys.py": "", "zipimport.py": "", "mine.py": "import joblib\n"})
    script = python.write("script.py", f"import rstack\nimporter = rstack.install(\n    {area.env!r})\nimport mine\n")
    lines = [line for line in python.run(script).stderr.splitlines() if "HiddenNameWarning: " in line]
    standard = f"is not imported from {area.env}: it is hidden by the standard library"
    assert [line.partition("; ")[0] for line in lines[:2]] == [
        f"{script}:2: HiddenNameWarning: sys {standard}",
        f"{script}:2: HiddenNameWarning: zipimport {standard}",
    ]
    assert re.match(rf"/rstack/\S+/mine.py:1: HiddenNameWarning: joblib is not imported from {area.env}: ", lines[2]), lines
    assert len(lines) == 3


def test_a_warning_that_is_an_error_is_raised_as_itself_and_leaves_nothing_half_done(python, seed):
    area = seed({"json.py": "", "mine.py": "X = 1\n"})
    code = """
import json, rstack
try:
    import mine
except rstack.HiddenNameWarning as warning:
    print("json" in str(warning))
import mine
print(mine.X, list(rstack.info().hidden))
"""
    words = command(RUN, area.env, "-W", "error", "-c", code)
    assert python.run(*words[1:], program=words[0]).stdout == "True\n1 ['json']\n"
    failed = """
import json, rstack, sys
before = list(sys.meta_path)
try:
    rstack.install(SOURCE)
except rstack.HiddenNameWarning as warning:
    print("json" in str(warning), sys.meta_path == before)
""".replace("SOURCE", repr(area.env))
    assert python.run("-W", "error", "-c", failed).stdout == "True True\n"


def test_a_warning_that_is_an_error_does_not_keep_it_from_advancing(python, seed):
    area = seed({"mine.py": "X = 1\n"})
    process = python.start_installed(area, """
import json, mine, os, warnings
warnings.simplefilter("error")
print("ready", flush=True)
input()
try:
    rstack.advance()
except rstack.HiddenNameWarning:
    print("warned", rstack.info().members[0].release in os.environ["RSTACK_SOURCE"])
print(rstack.advance(), rstack.reload_changed(), mine.X)
""")
    process.says("ready")
    area.seed({"mine.py": "X = 2\n", "json.py": ""})
    assert process.rest() == "warned True\n[] ['mine'] 2\n"


def test_two_pins_contradict_each_other_in_pythons_words(python):
    failed = python.run("-c", "import rstack; rstack.install('s3://b/prod?at=0123456789abcdef', at='0123456789abcdef')", check=False)
    assert "rstack.Error: `at=` and `?at=` contradict each other\nhint: leave one of them out\n" in failed.stderr


def test_a_pin_is_a_release_or_a_time(python, seed):
    area = seed({"versioned.py": "VALUE = 1\n"})
    first = area.release()
    area.seed({"versioned.py": "VALUE = 2\n"})
    read = "import versioned; print(versioned.VALUE)"
    assert python(f"import rstack; rstack.install({area.env!r}, at={first!r}); {read}") == "1\n"
    assert python(f"import rstack; rstack.install({area.env + '?at=' + first!r}); {read}") == "1\n"
    assert python(f"import rstack; rstack.install({area.env!r}); {read}") == "2\n"
    failed = python.run("-c", f"import rstack; rstack.install({area.env!r}, at='2001-01-01T12:00Z')", check=False)
    assert f"area `{area.name}` had no release at 2001-01-01T12:00:00Z" in failed.stderr


def test_a_union_takes_the_first_that_has_a_module(python, seed):
    prod = seed({"pkg/__init__.py": "", "pkg/one.py": "FROM = 'prod'\n", "pkg/two.py": "FROM = 'prod'\n"})
    fix = seed({"pkg/two.py": "FROM = 'fix'\n"})
    printed = python(f"""
import rstack
rstack.install({f"{fix.env};{prod.env}"!r})
from pkg import one, two
print(one.FROM, two.FROM)
for module in rstack.info().modules:
    print(module.name, module.source)
""")
    prod_release, fix_release = (f"release {area.release()} of {area.env}" for area in (prod, fix))
    assert printed == f"prod fix\npkg {prod_release}\npkg.one {prod_release}\npkg.two {fix_release}\n"


def test_an_opened_source_is_read_listed_and_told_apart(python, seed):
    area = seed({"a.py": "A = 1\n", "data/x.bin": bytes(range(256))}, "-m", "first")
    first = area.release()
    area.seed({"a.py": "A = 2\n"}, "-m", "second")
    printed = python(f"""
import rstack
source = rstack.open({area.env!r})
print(source, source.list(), source.exists("a.py"), source.exists("b.py"), source.read("a.py"))
before = source.at({first!r})
print(before.list("data"), before.read("data/x.bin") == bytes(range(256)), before.read_many(["a.py", "nope"]))
for move in source.history():
    print(move.sequence, move.kind, move.reason, move.time.tzinfo)
try:
    source.read("b.py")
except FileNotFoundError as error:
    print(error)
""")
    assert printed == (
        f"<rstack.Source release {area.release()} of {area.env}> ['a.py'] True False b'A = 2\\n'\n"
        "['data/x.bin'] True [b'A = 1\\n', None]\n"
        "2 publish second UTC\n1 publish first UTC\n"
        f"there is no `b.py` in {area.env}\n"
    )


def test_what_was_loaded_and_what_is_hidden_is_told(python, seed):
    area = seed({"json.py": "", "mine.py": "import time; time.sleep(0.05)\n"})
    run = python.run("-c", f"""
import rstack
rstack.install({area.env!r})
import mine, json
info = rstack.info()
[module] = info.modules
print(module.name, module.path, module.found, module.load_seconds > 0, module.run_seconds >= 0.05)
print(info.hidden)
print(json.dumps([1]))
""")
    assert run.stdout.startswith("mine mine.py source True True\n{'json': '")
    assert run.stdout.endswith("[1]\n")
    assert run.stderr.count("HiddenNameWarning: json is not imported from") == 1


def test_c_extension_modules_are_refused_by_name(python, seed):
    """Also where the release has the right one: what is compiled is installed."""
    name = f"fast/core{sysconfig.get_config_var('EXT_SUFFIX')}"
    area = seed({"fast/__init__.py": "", name: b"\x7fELF", "fast/other.abi3.so": b"\x7fELF", "fast/both.py": "PURE = 1\n",
                 "fast/both.abi3.so": b"\x7fELF", "topfast.so": b"\x7fELF", "tagged.cpython-311-x.so": b"\x7fELF",
                 "joblib.so": b"\x7fELF"})
    printed = python.installed(area, """
import fast.both
print(fast.both.PURE)
for name in ("fast.core", "fast.other", "topfast", "tagged"):
    try:
        __import__(name)
    except ImportError as error:
        print(type(error).__name__, error.name, error)
# As the message says.
import joblib
assert rstack.info().hidden == {}
""")
    refused = f"in release {area.release()} of {area.env} is a C extension module, which cannot be imported from a source"
    assert printed == (
        f"1\nImportError fast.core {name} {refused}: install it on this machine\n"
        f"ImportError fast.other fast/other.abi3.so {refused}: install it on this machine\n"
        f"ImportError topfast topfast.so {refused}: install it on this machine\n"
        f"ImportError tagged tagged.cpython-311-x.so {refused}: install it on this machine\n"
    )


def test_a_source_that_cannot_be_opened_changes_nothing(python):
    printed = python("""
import rstack, sys
before = list(sys.meta_path)
try:
    rstack.install("redis://127.0.0.1:1/prod", timeout=5)
except rstack.Error as error:
    print(type(error).__name__, sys.meta_path == before)
""")
    assert printed == "Error True\n"


@pytest.mark.parametrize("wrong", ["only='foo'", "only=['a-b']", "timeout=-1"])
def test_wrong_arguments_are_refused(python, wrong):
    failed = python.run("-c", f"import rstack; rstack.install('/tmp', {wrong})", check=False)
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith(("TypeError: ", "ValueError: "))


def test_a_child_that_asks_for_the_same_stays_at_its_parents_release(python, seed):
    area = seed({"one.py": "V = 1\n"})
    child = f"import rstack; rstack.install({area.env!r}); import one; print(one.V, rstack.advance(), flush=True)"
    process = python.start(f"""
import rstack, subprocess, sys
rstack.install({area.env!r})
print("ready", flush=True)
input()
subprocess.run([sys.executable, "-c", {child!r}], check=True)
""")
    process.says("ready")
    area.seed({"one.py": "V = 2\n"})
    assert process.rest() == "1 ['one']\n"
