"""Parts of the test suites of packages that nobody here wrote, published with those packages and run from each store."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.local import TARGET

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Suite:
    # What of requirements-packages.txt it takes, the package that it tests first.
    packages: tuple[str, ...]
    # The program that runs it, and what of it is run.
    words: tuple[str, ...]
    # At least so many tests pass.
    tests: int
    # Where the tests are, when they are not in the wheel: a folder of target/python/suites, and the one that it becomes.
    folder: tuple[str, str] | None = None


PYTEST = ("pytest", "-q", "-p", "no:cacheprovider", "-o", "python_files=test_*.py", "--pyargs")

SUITES = {
    "networkx": Suite(
        ("networkx",),
        (
            *PYTEST,
            "networkx.algorithms.tests.test_cycles",
            "networkx.algorithms.tests.test_dag",
            "networkx.algorithms.shortest_paths.tests.test_weighted",
            "networkx.classes.tests.test_digraph",
            "networkx.classes.tests.test_multigraph",
            "networkx.readwrite.tests.test_graphml",
            "networkx.utils.tests.test_misc",
        ),
        tests=150,
    ),
    "sympy": Suite(
        ("sympy", "mpmath"),
        (
            *PYTEST,
            "sympy.core.tests.test_arit",
            "sympy.core.tests.test_symbol",
            "sympy.logic.tests.test_boolalg",
            "sympy.parsing.tests.test_sympy_parser",
            "sympy.printing.tests.test_str",
        ),
        tests=150,
    ),
    "attrs": Suite(
        ("attr", "attrs"),
        (
            *PYTEST,
            "tests.test_cmp",
            "tests.test_converters",
            "tests.test_dunders",
            "tests.test_filters",
            "tests.test_funcs",
            "tests.test_functional",
            "tests.test_import",
            "tests.test_make",
            "tests.test_next_gen",
            "tests.test_packaging",
            "tests.test_setattr",
            "tests.test_slots",
            "tests.test_validators",
            "tests.test_version_info",
            # Fails from the disk as well.
            "-k",
            "not test_wrapped_annotation",
        ),
        tests=1200,
        folder=("attrs", "tests"),
    ),
    "jinja2": Suite(
        ("jinja2", "markupsafe"),
        (
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir=ROOT",
            "ROOT/test_api.py",
            "ROOT/test_bytecode_cache.py",
            "ROOT/test_core_tags.py",
            "ROOT/test_debug.py",
            "ROOT/test_ext.py",
            "ROOT/test_filters.py",
            "ROOT/test_imports.py",
            "ROOT/test_inheritance.py",
            "ROOT/test_lexnparse.py",
            "ROOT/test_loader.py",
            "ROOT/test_regression.py",
            "ROOT/test_security.py",
            "ROOT/test_tests.py",
        ),
        tests=600,
        folder=("jinja2", "."),
    ),
    "django": Suite(
        ("django", "asgiref", "sqlparse"),
        (
            "ROOT/runtests.py",
            "--settings=test_sqlite",
            "--parallel=1",
            "basic",
            "forms_tests",
            "migrations.test_loader",
            "signing",
            "template_loader",
            "urlpatterns",
            "utils_tests",
        ),
        tests=1000,
        folder=("django", "."),
    ),
}

# Runs a module or a script, and then looks where every module of some packages came from. ROOT is the release's folder.
RUN = """
import atexit, os, runpy, sys
import rstack

names = sys.argv[1].split(",")
root = os.path.dirname(os.path.dirname(__import__(names[0]).__file__))
sys.argv = [word.replace("ROOT", root) for word in sys.argv[2:]]


@atexit.register
def tell():
    loaded = {module.name for module in rstack.info().modules}
    modules = [name for name, module in sys.modules.items() if name.split(".")[0] in names and module.__spec__]
    # pytest loads tests and their `conftest` itself, from the release's files.
    tests = {name for name in modules if set(name.split(".")) & {"tests", "conftest"}}
    assert all(sys.modules[name].__file__.startswith(root) for name in tests if sys.modules[name].__file__)
    elsewhere = [name for name in modules if name not in loaded | tests and sys.modules[name].__spec__.has_location]
    print(f"\\nfrom {rstack.info().members[0]}: {len(loaded.intersection(modules))} modules; elsewhere: {elsewhere}")


if sys.argv[0].endswith(".py"):
    sys.path[0] = os.path.dirname(sys.argv[0])
    runpy.run_path(sys.argv[0], run_name="__main__")
else:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def published(environment, suite, folder):
    """The packages and their tests, as one release."""
    wheels = TARGET / "python/packages"
    for package in suite.packages:
        shutil.copytree(wheels / package, folder / package)
        for described in wheels.glob("*.dist-info"):
            if described.name.lower().startswith(f"{package}-"):
                shutil.copytree(described, folder / described.name)
    if suite.folder is not None:
        tests, place = suite.folder
        assert (TARGET / "python/suites" / tests).is_dir(), "`make test-all` fetches it"
        shutil.copytree(TARGET / "python/suites" / tests, folder / place, dirs_exist_ok=True)
    return environment.seed(folder, area=f"suite-{suite.packages[0]}")


@pytest.fixture(scope="module", params=SUITES)
def suite(request: pytest.FixtureRequest, environment, tmp_path_factory):
    suite = SUITES[request.param]
    return suite, published(environment, suite, tmp_path_factory.mktemp("suite"))


def test_a_package_passes_its_own_tests(suite, python, store):
    suite, area = suite
    env = {"RSTACK_CACHE": str(python.folder / "cache")}
    only = ",".join(suite.packages)
    run = ["-m", "rstack", "run", "--source", area.url(store), "--only", only, "--materialise"]
    words = [*run, python.write("run.py", RUN), only, *suite.words]
    finished = python.run(*words, env=env, timeout=800, check=False)
    shown = finished.stdout + finished.stderr
    passed = re.search(r"(\d+) passed|Ran (\d+) tests", shown)
    assert finished.returncode == 0 and passed, shown[-4000:]
    assert int(passed[1] or passed[2]) >= suite.tests, shown[-4000:]
    where = re.search(rf"from release {area.release()} of {re.escape(area.url(store))}: (\d+) modules; elsewhere: \[\]", shown)
    assert where and int(where[1]) >= 3, shown[-4000:]


DEMONSTRATIONS = [
    "align", "box", "color", "control", "emoji", "highlighter", "layout", "padding", "palette", "panel",
    "pretty", "progress_bar", "rule", "segment", "styled", "table", "text", "theme", "tree",
]


def test_rich_demonstrates_itself_as_it_does_from_the_disk(environment, python, store, tmp_path):
    """It publishes no tests, but many of its modules show what they do when they are run."""
    suite = Suite(("rich", "pygments", "markdown_it", "mdurl"), (), 0)
    area = published(environment, suite, tmp_path)
    script = python.write("show.py", """
import runpy, sys
names, sys.argv[1:] = sys.argv[1:], []
for name in names:
    print(f"--- {name}")
    runpy.run_module(f"rich.{name}", run_name="__main__", alter_sys=True)
import rich
print(rich.__spec__.origin, file=sys.stderr)
""")
    env = {"COLUMNS": "100", "FORCE_COLOR": "1", "PYTHONHASHSEED": "0"}
    local = python.run(script, *DEMONSTRATIONS, env=env | {"PYTHONPATH": str(tmp_path)}, timeout=300)
    words = ["-m", "rstack", "run", "--source", area.url(store), "--only", ",".join(suite.packages), script, *DEMONSTRATIONS]
    remote = python.run(*words, env=env, timeout=300)
    assert remote.stderr.splitlines()[-1].startswith("/rstack/")
    assert local.stderr.splitlines()[-1].startswith(str(tmp_path))
    assert len(remote.stdout.splitlines()) > 300
    timed = re.compile(r"elapsed [\d.]+ms")
    assert timed.sub("", remote.stdout) == timed.sub("", local.stdout)
