"""Bytecode: kept on this machine, published with a release, and never taken where its source would not be."""

from __future__ import annotations

import stat
import subprocess
import sys

from support.environment import written
from support.programs import PACKAGE


def found(names="pkg, pkg.leaf, pkg.sub.deep"):
    return f"import {names}\nprint(*sorted({{module.found for module in rstack.info().modules}}))"


def test_10_bytecode_is_kept_by_source_interpreter_level_and_file(python, seed, tmp_path):
    area = seed(PACKAGE)
    cache = tmp_path / "cache"
    env = {"RSTACK_CACHE": str(cache)}
    assert python.installed(area, found(), env=env) == "source\n"
    kept = sorted(path for path in (cache / "v1/bytecode").iterdir())
    assert len(kept) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert python.installed(area, found(), env=env) == "kept\n"
    # A new release with the same sources under the same names needs no compiling.
    area.seed({**PACKAGE, "more.py": ""})
    assert python.installed(area, found(), env=env) == "kept\n"
    assert python.installed(area, found(), env=env | {"PYTHONOPTIMIZE": "2"}) == "source\n"
    # The same source as another file is another code object.
    area.seed({f"other/{name}": text for name, text in PACKAGE.items()})
    assert python.installed(area, "import other.pkg.leaf as leaf; print(rstack.info().modules[-1].found)", env=env) == "source\n"


def test_10_damaged_bytecode_is_made_again(python, package, tmp_path):
    env = {"RSTACK_CACHE": str(tmp_path / "cache")}
    python.installed(package, found(), env=env)
    for path in (tmp_path / "cache/v1/bytecode").iterdir():
        content = bytearray(path.read_bytes())
        content[-40] ^= 1
        path.write_bytes(content)
    assert python.installed(package, found(), env=env) == "source\n"
    assert python.installed(package, found(), env=env) == "kept\n"


def test_10_nothing_is_written_when_python_is_told_so(python, package, tmp_path):
    env = {"RSTACK_CACHE": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    python.installed(package, found(), env=env)
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


def test_10_published_bytecode_is_taken_where_it_fits_its_source(python, tmp_path):
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
    printed = python.installed(url, """
import fits, stale, torn, foreign
print(fits.FROM, stale.FROM, torn.FROM, foreign.FROM, *[module.found for module in rstack.info().modules])
print(fits.f.__code__.co_filename == fits.__file__)
""")
    assert printed == "bytecode source source source published source source source\nTrue\n"


def test_10_bytecode_is_only_taken_from_whom_the_source_is_taken(python, tmp_path):
    text = "FROM = 'source'\n"
    compiled = {f"__pycache__/mod.{TAG}.pyc": pyc(text, "FROM = 'bytecode'\n")}
    front = plain(tmp_path, "front", {**compiled, "other.py": ""})
    back = plain(tmp_path, "back", {"mod.py": text})
    code = "import mod; print(mod.FROM, *[module.found for module in rstack.info().modules])"
    assert python.installed(f"{front};{back}", code) == "source source\n"
    assert python.installed(plain(tmp_path, "both", {"mod.py": text, **compiled}), code) == "bytecode published\n"


def test_10_seed_publishes_bytecode_for_this_interpreter(python, seed):
    area = seed(PACKAGE, f"--compile={sys.executable}")
    assert python.installed(area, found()) == "published\n"
