"""What people look into programs with works on modules that come from a source."""

import json
import re

import pytest
from support.programs import RUN, command

pytestmark = pytest.mark.timeout(180)


def run(python, source, *words, **options):
    words = command(RUN, source, *words)
    return python.run(*words[1:], program=words[0], **options)


def test_pdb_stops_at_a_breakpoint_and_shows_the_lines(article, python):
    script = python.write("script.py", "from foo.bar.module3 import multiply\nprint(multiply(6, 7))\n")
    typed = "import foo.bar.module3\nbreak foo.bar.module3.multiply\ncontinue\nwhere\nlist\np x * y\ncontinue\nquit\n"
    shown = run(python, article.env, "-m", "pdb", script, input=typed).stdout
    assert re.search(r"Breakpoint 1 at /rstack/\S+/foo/bar/module3.py:\d", shown), shown
    assert "\tdef multiply(x, y):" in shown and "->\t    return x * y" in shown, shown
    assert "(Pdb) 42" in shown


def test_coverage_measures_materialised_modules(article, python):
    python.write("script.py", "from foo.bar.module4 import divide\nprint(divide(6, 3))\n")
    env = {"RSTACK_CACHE": str(python.folder / "cache")}
    words = command(RUN, article.env, "-m", "coverage", "run", "--source=foo", "script.py")
    words.insert(words.index("--"), "--materialise")
    assert python.run(*words[1:], program=words[0], env=env).stdout == "2.0\n"
    python.run("-m", "coverage", "json", "-q", env=env)
    files = json.loads((python.folder / "coverage.json").read_text())["files"]
    (measured,) = [files[name]["summary"] for name in files if name.endswith("foo/bar/module4.py")]
    assert (measured["num_statements"], measured["missing_lines"]) == (2, 0)


def test_import_times_name_the_modules(article, python):
    shown = run(python, article.env, "-X", "importtime", "-c", "import foo.bar.module3").stderr
    listed = [line.rpartition("|")[2].strip() for line in shown.splitlines() if line.startswith("import time:")]
    assert [name for name in listed if name.split(".")[0] == "foo"] == ["foo", "foo.bar", "foo.bar.module3"]


def test_mypy_takes_the_stubs_for_what_they_are(python):
    python.write(
        "typed.py",
        "import rstack\n"
        'rstack.install("env:demo/main", only=["foo"], at="2026-11-01T12:00Z", materialise=True)\n'
        'with rstack.importing("env:demo/main"):\n    pass\n'
        "changed: list[str] = rstack.advance()\n"
        "again: list[str] = rstack.reload_changed()\n"
        "def told(source: rstack.Source) -> None: ...\n"
        "rstack.watch(told, every=1.0)\n"
        'source = rstack.open("env:demo/main")\n'
        'content: bytes = source.at("0123456789abcdef").read("foo/__init__.py")\n'
        'there: bool = source.exists("x")\n'
        "names: list[str] = source.list()\n"
        "kinds = [move.kind for move in source.history()]\n"
        "print(rstack.info().source, kinds, rstack.__version__)\n"
        "rstack.uninstall()\n",
    )
    shown = python.run("-m", "mypy", "--strict", "typed.py", check=False).stdout
    assert shown == "Success: no issues found in 1 source file\n"
    python.write("wrong.py", "import rstack\nrstack.install(1)\nrstack.advance().nothing\n")
    shown = python.run("-m", "mypy", "--strict", "wrong.py", check=False).stdout
    assert "Found 2 errors" in shown, shown


def test_the_stubs_fit_what_is_there(python):
    finished = python.run("-m", "mypy.stubtest", "rstack._native", "--ignore-disjoint-bases", check=False, timeout=170)
    assert finished.returncode == 0, finished.stdout


def test_ipython_shows_source(article, python):
    words = ("-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor", "-c")
    env = {"IPYTHONDIR": str(python.folder / "ipython")}
    shown = run(python, article.env, *words, "import foo.module1; get_ipython().run_line_magic('psource', 'foo.module1.add')", env=env)
    assert "return x + y" in shown.stdout, shown
    shown = run(python, article.env, *words, "import foo.bar.module4 as m; m.divide(1, 0)", env=env, check=False)
    assert "return x / y" in shown.stdout and "ZeroDivisionError" in shown.stdout, shown


def test_pytest_runs_tests_against_a_release(seed, python):
    area = seed({"shop/__init__.py": "", "shop/prices.py": "def price(net):\n    return net * 1.19\n"})
    python.write("conftest.py", "import shop\n")
    python.write("test_shop.py", "from shop.prices import price\n\n\ndef test_price():\n    assert price(100) == 121\n")
    finished = run(python, area.env, "-m", "pytest", "-q", "-p", "no:cacheprovider", check=False)
    assert finished.returncode == 1
    assert "assert 119.0 == 121" in finished.stdout and "where 119.0 = price(100)" in finished.stdout
    # A failure inside of it shows its lines.
    area.seed({"shop/__init__.py": "", "shop/prices.py": "def price(net):\n    raise ValueError(net)\n"})
    finished = run(python, area.env, "-m", "pytest", "-q", "-p", "no:cacheprovider", check=False)
    assert "raise ValueError(net)" in finished.stdout and "shop/prices.py:2: ValueError" in finished.stdout


@pytest.mark.parametrize("words", [
    ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "shop"], ["-m", "unittest", "discover", "shop"],
])
def test_tests_in_a_release_are_found_where_they_are_files(seed, python, words):
    case = "import unittest\n\n\nclass Case(unittest.TestCase):\n    def test_it(self): pass\n"
    area = seed({"shop/__init__.py": "", "shop/tests/__init__.py": "", "shop/tests/test_it.py": case})
    words = command(RUN, area.env, *words)
    words.insert(words.index("--"), "--materialise")
    finished = python.run(*words[1:], program=words[0], env={"RSTACK_CACHE": str(python.folder / "cache")})
    shown = finished.stdout + finished.stderr
    assert "1 passed" in shown or "Ran 1 test" in shown
    # A path entry of the release hides nothing of it.
    assert "HiddenNameWarning" not in shown


def test_pytest_switches_imports_on_itself(article, python):
    """In a conftest, as a project does that always tests against one release."""
    python.write("conftest.py", f"import rstack\n\nrstack.install({article.env!r})\n")
    python.write("test_foo.py", "from foo.module1 import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n")
    shown = python.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-n2").stdout
    assert "1 passed" in shown
