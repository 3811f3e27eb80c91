"""The mistakes of the article's importer: a test for each row of their table, which its code fails and rstack passes.

Rows 12, 13, 14 and 16 are about the article's timings and its template. What rstack has in their place is asked here too.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from support.local import BINARY, ROOT
from support.proxy import proxied

ARTICLE = {
    "foo/__init__.py": "",
    "foo/module1.py": "def f():\n    return 'old'\n",
    "foo/rel/__init__.py": "from .leaf import LEAF\nfrom ..module1 import f\n",
    "foo/rel/leaf.py": "LEAF = 1\n",
    "foo/bar/__init__.py": "",
    "foo/bar/module3.py": "def multiply(x, y):\n    return x * y\n",
}


@pytest.fixture(scope="module")
def source(seed):
    return seed(ARTICLE)


def test_row_01_it_needs_no_imp(python, source):
    printed = python.installed(source, "import sys, foo.bar.module3; print('imp' in sys.modules)")
    assert printed == "False\n"


def test_row_02_reload_sees_a_new_release(python, seed):
    area = seed(ARTICLE)
    process = python.start_installed(area, """
import importlib
import foo.module1
print(foo.module1.f(), flush=True)
input()
rstack.advance()
importlib.reload(foo.module1)
print(foo.module1.f())
""")
    process.says("old")
    area.seed({**ARTICLE, "foo/module1.py": "def f():\n    return 'new'\n"})
    assert process.rest() == "new\n"


def test_row_03_an_empty_module_is_not_fetched_again(python, source):
    modules = "foo, foo.module1, foo.rel, foo.rel.leaf, foo.bar, foo.bar.module3"
    printed, asked = python.counted(source.url("redis"), f"import {modules}; print(foo.bar.__spec__.has_location)")
    assert (printed, asked) == ("True\n", 0)


def test_row_04_a_module_is_not_a_package(python, source):
    code = """
try:
    from foo.module1 import nope
except ImportError as error:
    print(str(error).split(" (")[0])
try:
    import foo.module1.nope
except ModuleNotFoundError as error:
    print(error)
"""
    printed, asked = python.counted(source.url("redis"), code)
    assert printed == (
        "cannot import name 'nope' from 'foo.module1'\n"
        "No module named 'foo.module1.nope'; 'foo.module1' is not a package\n"
    )
    assert asked == 0


def test_row_05_relative_imports_work_in_a_package(python, source):
    printed = python.installed(source, "import foo.rel; print(foo.rel.LEAF, foo.rel.f(), foo.__package__, foo.rel.__package__)")
    assert printed == "1 old foo foo.rel\n"


def test_row_06_names_are_matched_whole(python, source):
    code = """
import importlib.util
print([importlib.util.find_spec(name) for name in ("foobar", "foo_extensions", "fo")])
"""
    assert python.counted(source.url("redis"), code) == ("[None, None, None]\n", 0)


def test_row_07_a_package_wins_over_a_module(python, seed):
    area = seed({"both.py": "KIND = 'module'\n", "both/__init__.py": "KIND = 'package'\n"})
    assert python.counted(area.url("redis"), "import both; print(both.KIND)") == ("package\n", 0)


def test_row_08_each_module_has_a_loader_of_its_own(python, source):
    printed = python.installed(source, """
import foo, foo.bar
print(type(foo.__loader__).__name__, foo.__loader__ is foo.__spec__.loader, foo.__loader__ is foo.bar.__loader__)
""")
    assert printed == "Loader True False\n"


def test_row_09_source_code_runpy_walking_and_resources_work(python, source):
    printed = python.installed(source, """
import inspect, runpy, pkgutil, importlib.resources, traceback, foo.bar.module3 as module
print(inspect.getsource(module.multiply).splitlines()[1].strip())
print(runpy.run_module("foo.bar.module3")["multiply"](2, 3))
print([found.name for found in pkgutil.walk_packages(foo.__path__, "foo.")])
print((importlib.resources.files("foo.bar") / "module3.py").is_file())
try:
    module.multiply(None, None)
except TypeError:
    print("return x * y" in traceback.format_exc())
""".replace("import inspect", "import foo\nimport inspect"))
    assert printed == (
        "return x * y\n6\n['foo.bar', 'foo.bar.module3', 'foo.module1', 'foo.rel', 'foo.rel.leaf']\nTrue\nTrue\n"
    )


def test_row_10_an_error_stops_the_import_and_says_what_it_was(python, source):
    url = source.url("redis")
    with proxied(url) as proxy:
        process = python.start(f"""
import rstack
from rstack._install import install_lazily
install_lazily()
input()
try:
    import foo
except ImportError as error:
    print(type(error).__name__, error)
""", env={"RSTACK_SOURCE": proxy.url(url)})
        proxy.close()
        printed = process.rest()
    assert printed.startswith("ImportError foo may be in a source that cannot be opened: "), printed
    assert f"127.0.0.1:{proxy.port}" in printed


def test_row_11_a_folder_without_init_is_a_namespace_package(python, seed):
    area = seed({"bare/deep/leaf.py": "V = 1\n"})
    assert python.installed(area, "import bare.deep.leaf; print(bare.deep.leaf.V, len(bare.__path__))") == "1 1\n"


def test_row_12_times_keep_their_whole_seconds(python, seed):
    area = seed({"slow.py": "import time; time.sleep(1.05)\n"})
    printed = python.installed(area, "import slow; [m] = rstack.info().modules; print(1.05 <= m.run_seconds < 5)")
    assert printed == "True\n"


def test_row_13_the_template_makes_all_three_stores():
    made = subprocess.run(
        [BINARY, "template", "--preset", "article", "--format", "json"], capture_output=True, text=True, check=True
    )
    kinds = {resource["Type"] for resource in json.loads(made.stdout)["Resources"].values()}
    assert {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::ElastiCache::CacheCluster"} <= kinds


def test_row_14_one_name_means_the_same_place_in_each_store(python, source):
    read = [run_from(python, source.url(store)) for store in ("s3", "dynamodb", "redis")]
    assert read == [source.release()] * 3


def run_from(python, url):
    return python(f"import rstack; print(rstack.open({url!r}).members[0].release)").strip()


def test_row_15_hot_fixes_are_seen_and_the_source_joins_no_local_package(python, seed):
    python.write("local/__init__.py", "")
    python.write("local/fixed.py", "FROM = 'here'\n")
    area = seed({"local/fixed.py": "FROM = 'source'\n", "local/intruder.py": "", "local/__init__.py": ""})
    printed = python(f"""
import rstack
rstack.install({area.env!r}, only=["local.fixed"])
import local.fixed
print(local.fixed.FROM)
try:
    import local.intruder
except ModuleNotFoundError as error:
    print(error)
""")
    assert printed == "source\nNo module named 'local.intruder'\n"


def test_row_16_the_benchmark_repeats_and_tells_percentiles(source):
    shown = source.rstack("bench", source.env, "--output", "json").stdout
    data = json.loads(shown.splitlines()[-1])
    assert data["type"] == "result"
    assert re.search(r"p50|median", shown), shown


def test_row_17_no_future_flag_leaks_and_the_encoding_is_the_files(python, seed):
    area = seed({
        "flags.py": "def f(x: int): pass\n",
        "latin.py": "# coding: latin-1\nTEXT = '\xfc'\n".encode("latin-1"),
    })
    code = f"""
from __future__ import annotations
import rstack
rstack.install({area.env!r})
import flags, latin
print(flags.f.__annotations__["x"] is int, latin.TEXT == "\\xfc")
"""
    assert python(code, env={"PYTHONUTF8": "0", "LC_ALL": "C"}) == "True True\n"


def test_the_articles_program_runs_unchanged(python, article):
    assert (ROOT / "demo/foo/bar/module3.py").is_file()
    assert sys.version_info >= (3, 10)
    assert python.installed(article, "from foo.bar.module3 import multiply; print(multiply(3, 4))") == "12\n"
