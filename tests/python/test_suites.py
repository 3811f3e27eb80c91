"""Parts of the test suites of packages that nobody here wrote, run on those packages as they come from a store."""

import re

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SUITES = {
    "networkx": [
        "networkx.algorithms.tests.test_cycles",
        "networkx.algorithms.tests.test_dag",
        "networkx.algorithms.shortest_paths.tests.test_weighted",
        "networkx.classes.tests.test_digraph",
        "networkx.classes.tests.test_multigraph",
        "networkx.readwrite.tests.test_graphml",
        "networkx.utils.tests.test_misc",
    ],
    "sympy": [
        "sympy.core.tests.test_arit",
        "sympy.core.tests.test_symbol",
        "sympy.logic.tests.test_boolalg",
        "sympy.parsing.tests.test_sympy_parser",
        "sympy.printing.tests.test_str",
    ],
}


@pytest.mark.parametrize("store", ["s3", "dynamodb", "redis"])
@pytest.mark.parametrize("name", SUITES)
def test_a_package_passes_its_own_tests(packages, python, store, name):
    env = {"RSTACK_CACHE": str(python.folder / "cache")}
    only = {"networkx": "networkx", "sympy": "sympy,mpmath"}[name]
    run = ["-m", "rstack", "run", "--source", packages.url(store), "--only", only, "--materialise"]
    suite = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "python_files=test_*.py", "--pyargs", *SUITES[name]]
    shown = python.run(*run, *suite, env=env, timeout=800, check=False).stdout
    found = re.search(r"(\d+) passed", shown)
    assert found and int(found[1]) > 150 and " failed" not in shown and " error" not in shown, shown[-3000:]
