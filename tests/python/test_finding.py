"""What is found, and what is not: specs, packages, what wins over what."""

from __future__ import annotations

import sys

from support.proxy import proxied


def test_01_specs_tell_origin_location_and_no_made_up_cache(python, package):
    printed = python.installed(package, """
import pkg.leaf
for module in (pkg, pkg.leaf):
    spec = module.__spec__
    print(spec.has_location, spec.origin == module.__file__, spec.loader.is_package(spec.name), spec.cached)
    print(getattr(module, "__cached__", None), module.__file__.startswith("/rstack/"))
""")
    assert printed == "True True True None\nNone True\nTrue True False None\nNone True\n"


def test_01_where_bytecode_is_kept_the_cache_is_a_real_path(python, package, tmp_path):
    env = {"RSTACK_CACHE": str(tmp_path / "cache")}
    printed = python.installed(package, "import pkg.leaf, os; print(os.path.isfile(pkg.leaf.__spec__.cached))", env=env)
    assert printed == "True\n"


def test_02_only_packages_are_packages_so_relative_imports_work(python, package):
    printed = python.installed(package, """
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


def test_03_a_package_comes_before_a_module_and_that_before_a_folder(python, seed):
    area = seed({
        "both.py": "KIND = 'module'\n",
        "both/__init__.py": "KIND = 'package'\n",
        "half.py": "KIND = 'module'\n",
        "half/inner.py": "",
        "bare/inner.py": "KIND = 'inner'\n",
    })
    printed = python.installed(area, """
import both, half, bare.inner
print(both.KIND, half.KIND, bare.inner.KIND, bare.__spec__.origin, getattr(bare, "__file__", None))
""")
    assert printed == "package module inner None None\n"


def test_04_one_module_of_a_local_package_can_be_replaced(python, seed):
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
    printed = python.installed(area, code, install={"only": ["local.two"]})
    assert printed == "here source\nNo module named 'local.three'\n"


def test_04_folders_here_and_in_the_source_are_one_namespace_package(python, seed):
    python.write("spread/here.py", "FROM = 'here'\n")
    python.write("spread/inner/here.py", "FROM = 'here'\n")
    area = seed({"spread/there.py": "FROM = 'source'\n", "spread/inner/there.py": "FROM = 'source'\n"})
    printed = python.installed(area, """
import spread.here, spread.there, spread.inner.here, spread.inner.there
print(spread.here.FROM, spread.there.FROM, spread.inner.here.FROM, spread.inner.there.FROM)
print(len(spread.__path__), len(spread.inner.__path__))
import pkgutil
print(sorted(module.name for module in pkgutil.iter_modules(spread.__path__)))
""")
    assert printed == "here source here source\n2 2\n['here', 'there']\n"


def test_04_a_namespace_package_that_was_imported_before_gets_its_part_of_the_source(python, seed):
    python.write("mix/local.py", "FROM = 'here'\n")
    python.write("mix/deep/local.py", "FROM = 'here'\n")
    python.write("whole/__init__.py", "")
    python.write("whole/bare/local.py", "")
    area = seed({
        "mix/remote.py": "FROM = 'source'\n",
        "mix/note.txt": "note",
        "mix/deep/remote.py": "FROM = 'source'\n",
        "whole/bare/remote.py": "",
    })
    printed = python(f"""
import mix.local, mix.deep.local, whole.bare.local
import rstack, sys
rstack.install({area.env!r})
import mix.remote, mix.deep.remote
print(mix.remote.FROM, mix.deep.remote.FROM, len(mix.__path__), mix.__spec__.loader is mix.__loader__)
import importlib.resources, pkgutil
print(importlib.resources.files("mix").joinpath("note.txt").read_text())
print(sorted(module.name for module in pkgutil.iter_modules(mix.__path__)))
sys.path.append("/nowhere")
print(len(list(mix.__path__)), len(list(mix.deep.__path__)))
try:
    import whole.bare.remote
except ModuleNotFoundError as error:
    print(error)
rstack.uninstall()
rstack.install({area.env + ";" + area.url("redis")!r})
del sys.modules["mix.remote"]
import mix.remote
print(mix.remote.__file__.count(";"), mix.local.FROM)
""")
    assert printed == (
        "source source 2 True\nnote\n['local', 'remote']\n2 2\nNo module named 'whole.bare.remote'\n0 here\n"
    )


def test_04_pkgutil_walks_packages(python, package):
    printed = python.installed(package, """
import pkgutil, pkg
print([(module.name, module.ispkg) for module in pkgutil.walk_packages(pkg.__path__, "pkg.")])
print([module.name for module in pkgutil.iter_modules() if module.module_finder in sys.meta_path])
""")
    assert printed == "[('pkg.leaf', False), ('pkg.sub', True), ('pkg.sub.deep', False)]\n['pkg']\n"


def test_05_names_in_only_come_from_the_source_and_others_give_way(python, seed):
    for name in ("shared", "shared_more", "theirs"):
        python.write(f"{name}/__init__.py", "FROM = 'here'\n")
    files = {f"{name}/__init__.py": "FROM = 'source'\n" for name in ("shared", "shared_more", "theirs", "mine")}
    area = seed({**files, "json.py": "FROM = 'source'\n"})
    code = "import shared, shared_more, theirs, mine; print(shared.FROM, shared_more.FROM, theirs.FROM, mine.FROM)"
    assert python.installed(area, code, install={"only": ["shared"]}) == "source here here source\n"
    assert python.installed(area, "import json; print(json.FROM)", install={"only": ["json"]}) == "source\n"
    assert python.installed(area, "import json; print(json.__name__)") == "json\n"


def test_05_what_only_names_is_never_taken_from_elsewhere(python, seed):
    python.write("mine.py", "")
    area = seed({"other.py": ""})
    failed = python.run("-c", f"import rstack; rstack.install({area.env!r}, only=['mine']); import mine", check=False)
    assert failed.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: `only` says that mine comes from {area.env}, which has none; what is installed is not "
        "taken instead"
    )


def test_05_a_bare_folder_here_does_not_hide_a_package_of_the_source(python, package):
    python.write("pkg/notes.txt", "")
    assert python.installed(package, "import pkg; print(pkg.LEAF)") == "leaf\n"


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
        process.says("ready")
        asked = proxy.asked
        rest = process.rest()
        assert rest == "100\n"
        assert asked > 0
        assert proxy.asked == asked


def test_07_lookups_that_lead_to_lookups_end(python, package):
    printed = python.installed(package, """
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
        process.says("ready")
        asked = proxy.asked
        printed = process.rest()
        assert (printed, proxy.asked) == ("deep\n", asked)
