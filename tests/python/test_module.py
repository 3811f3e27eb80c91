"""`python -m rstack run`: as `python` would run the program."""

import zipfile

import pytest

SHOW = """
import sys, os
print(__name__, __file__, __package__, __spec__ and __spec__.name)
print(sys.argv, sys.path[0])
print(sorted(name for name in globals() if not name.startswith("__")))
print(sys.modules["__main__"].__dict__ is globals())
from foo.module1 import add
print(add(2, 3))
"""


def same(python, article, words, *, options=()):
    """What `python -m rstack run` shows and what `python` shows, with foo on its path."""
    run = ["-m", "rstack", "run", "--source", article.env]
    ours = python.run(*options, *run, *words, check=False)
    local = {"PYTHONPATH": str(python.local.home / "demo")}
    theirs = python.run(*options, *words, env=local, check=False)
    assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout)
    return ours


@pytest.fixture(autouse=True)
def demo(local):
    """The article's scripts in a folder, for the plain Python to compare with."""
    from support.local import ROOT

    link = local.home / "demo"
    if not link.exists():
        link.symlink_to(ROOT / "demo")


def test_a_script_sees_what_it_always_sees(article, python):
    python.write("folder/script.py", SHOW)
    shown = same(python, article, ["folder/script.py", "--source", "mine", "-m"])
    assert shown.stdout.endswith("5\n"), shown.stderr


def test_a_module_does_too(article, python):
    python.write("prog/__init__.py", "")
    python.write("prog/job.py", SHOW)
    assert same(python, article, ["-m", "prog.job", "-m", "x"]).stdout.endswith("5\n")


def test_a_package_does_too(article, python):
    python.write("prog/__init__.py", "")
    python.write("prog/__main__.py", SHOW)
    assert same(python, article, ["-m", "prog"]).stdout.endswith("5\n")


def test_a_folder_and_a_zip_file_do_too(article, python):
    python.write("app/__main__.py", SHOW)
    assert same(python, article, ["app", "x"]).stdout.endswith("5\n")
    with zipfile.ZipFile(python.folder / "app.zip", "w") as archive:
        archive.writestr("__main__.py", SHOW)
    assert same(python, article, ["app.zip", "x"]).stdout.endswith("5\n")


def test_exit_codes_are_the_same(article, python):
    for end in ("sys.exit(3)", "sys.exit('words')", "raise ValueError", "os._exit(7)", "sys.exit()"):
        python.write("end.py", f"import os, sys\n{end}\n")
        same(python, article, ["end.py"])
    same(python, article, ["no_such_script.py"])
    same(python, article, ["-m", "no_such_module"])
    python.write("wrong.py", "x = (\n")
    same(python, article, ["wrong.py"])


def test_a_script_with_an_encoding_and_futures_of_its_own(article, python):
    (python.folder / "latin.py").write_bytes("# coding: latin-1\nprint(ascii('ä'))\n".encode("latin-1"))
    assert same(python, article, ["latin.py"]).stdout == "'\\xe4'\n"
    python.write("future.py", "def f(x: int): pass\nprint(f.__annotations__)\n")
    assert same(python, article, ["future.py"]).stdout == "{'x': <class 'int'>}\n"


def test_the_program_may_follow_two_dashes(article, python):
    python.write("folder/script.py", SHOW)
    expected = python.run("-m", "rstack", "run", "--source", article.env, "folder/script.py", "-x", "--", "y").stdout
    words = ("--", "folder/script.py", "-x", "--", "y")
    assert python.run("-m", "rstack", "run", "--source", article.env, *words).stdout == expected
    python.write("job.py", "import sys; print(sys.argv[1:])\n")
    for words in (("-m", "job", "--", "x"), ("--", "-m", "job", "--", "x")):
        assert python.run("-m", "rstack", "run", "--source", article.env, *words).stdout == "['--', 'x']\n"


def test_a_program_may_come_from_stdin(article, python):
    show = SHOW.replace("print(__name__, __file__", "print(__loader__, __name__, __file__")
    ours = python.run("-m", "rstack", "run", "--source", article.env, "-", "x", "--y", input=show)
    theirs = python.run("-", "x", "--y", input=show, env={"PYTHONPATH": str(python.local.home / "demo")})
    assert ours.stdout == theirs.stdout and ours.stdout.endswith("5\n")


def test_errors_that_nobody_catches_show_the_programs_frames_alone(article, python):
    python.write("fails.py", "def f():\n    1 / 0\nf()\n")
    python.write("app/__main__.py", "import no_such_module\n")
    python.write("wrong.py", "x = = 1\n")
    for words in (["fails.py"], ["-m", "fails"], ["app"], ["wrong.py"], ["-m", "wrong"]):
        ours = python.run("-m", "rstack", "run", "--source", article.env, *words, check=False)
        theirs = python.run(*words, check=False)
        assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr)


def test_isolated_python_runs_programs_too(article, python):
    """Under -I nothing can be switched on from outside; from inside it can."""
    python.write("script.py", "from foo.module1 import add; print(add(2, 3))\n")
    shown = python.run("-I", "-m", "rstack", "run", "--source", article.env, "script.py").stdout
    assert shown == "5\n"


def test_a_module_of_the_release_is_run(seed, python):
    area = seed({"tool/__init__.py": "", "tool/__main__.py": "import sys; print('tool', sys.argv[1:])\n"})
    shown = python.run("-m", "rstack", "run", "--source", area.env, "-m", "tool", "--day", "1").stdout
    assert shown == "tool ['--day', '1']\n"


def test_functions_of_the_program_can_be_pickled(article, python):
    python.write("script.py", "import pickle\ndef f(): pass\nassert pickle.loads(pickle.dumps(f)) is f\nprint('same')\n")
    assert python.run("-m", "rstack", "run", "--source", article.env, "script.py").stdout == "same\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "the following arguments are required: COMMAND"),
        (["run"], 2, "error: which program? none is given\nhint: name a script"),
        (["run", "script.py"], 2, "which source? none is given"),
        (["run", "--source", "ftp://x/y", "script.py"], 2, "`ftp://` is no kind of source"),
        (["run", "--only", "no-name", "script.py"], 2, "argument --only: `only` names 'no-name', which cannot be a module"),
        (["run", "--"], 2, "error: which program? none is given\nhint: name a script"),
        (["run", "--source", "s3://no-such-bucket/main", "script.py"], 1, "NoSuchBucket"),
    ],
)
def test_mistakes_are_told(article, python, words, code, message):
    finished = python.run("-m", "rstack", *words, check=False)
    assert (finished.returncode, finished.stdout) == (code, "")
    assert message in finished.stderr and "Traceback" not in finished.stderr


def test_help_says_what_there_is(python):
    shown = python.run("-m", "rstack", "--help").stdout
    assert all(command in shown for command in ("run", "enable", "disable"))
    assert "SCRIPT | - | -m MODULE" in " ".join(python.run("-m", "rstack", "run", "--help").stdout.split())
