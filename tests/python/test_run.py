"""`rstack run`."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from support.local import BINARY

ADD = "from foo.module1 import add; print(add(2, 3))"


def run(python, *words, **options):
    return python.run("run", *words, program=BINARY, **options)


def test_a_script_imports_from_the_area_of_an_environment(environment, article, python):
    script = python.write("script.py", f"import sys\n{ADD}\nprint(sys.argv, sys.path[0])\n")
    shown = run(python, "-n", environment.name, "--source", "article", "--", "python", script, "--at", "x").stdout
    assert shown == f"5\n[{str(script)!r}, '--at', 'x'] {python.folder}\n"


def test_it_imports_from_one_store_alone(article, python, store):
    assert run(python, "--source", article.url(store), "--", "python", "-c", ADD).stdout == "5\n"


def test_the_source_may_come_from_the_environment(article, python):
    assert run(python, "--", "python", "-c", ADD, env={"RSTACK_SOURCE": article.env}).stdout == "5\n"


def test_at_an_earlier_release(seed, python):
    area = seed({"foo.py": "VALUE = 1\n"})
    first = area.release()
    area.seed({"foo.py": "VALUE = 2\n"})
    code = "import foo; print(foo.VALUE)"
    assert run(python, "--source", area.env, "--", "python", "-c", code).stdout == "2\n"
    assert run(python, "--source", area.env, "--at", first, "--", "python", "-c", code).stdout == "1\n"


def test_the_exit_code_and_the_streams_are_the_programs(article, python):
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(sys.stdin.read())"
    finished = run(python, "--source", article.env, "--", "python", "-c", code, input="mine", check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (1, "out\n", "err\nmine\n")
    code = "import sys; sys.exit(42)"
    assert run(python, "--source", article.env, "--", "python", "-c", code, check=False).returncode == 42


def test_it_becomes_the_program(article, python):
    """No process of its own stays beside it, and signals find the program as they would without it."""
    code = "import os, signal, time; print(os.getpid(), signal.getsignal(signal.SIGPIPE), flush=True); time.sleep(60)"
    words = [BINARY, "run", "--source", article.env, "--", sys.executable, "-c", code]
    program = subprocess.Popen(words, env=python.env, cwd=python.folder, stdout=subprocess.PIPE, text=True)
    with program:
        pid, _ = program.stdout.readline().split(maxsplit=1)
        assert int(pid) == program.pid
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == -signal.SIGTERM


def test_installed_programs_are_run_by_their_own_python(article, python):
    script = python.folder / "tool"
    script.write_text(f"#!{sys.executable}\n{ADD}\n")
    script.chmod(0o755)
    assert run(python, "--source", article.env, "--", script).stdout == "5\n"
    assert run(python, "--source", article.env, "--", "sh", "-c", f"python -c '{ADD}'").stdout == "5\n"


def test_names_that_are_installed_win_unless_they_are_named(seed, python):
    area = seed({"joblib.py": "MINE = True\n", "foo.py": "VALUE = 1\n"})
    code = "import joblib; print(hasattr(joblib, 'MINE'))"
    assert run(python, "--source", area.env, "--", "python", "-W", "ignore", "-c", code).stdout == "False\n"
    assert run(python, "--source", area.env, "--only", "joblib", "--", "python", "-c", code).stdout == "True\n"


def test_modules_have_real_files_when_materialised(article, python):
    code = "import os, foo; print(os.path.isfile(foo.__file__))"
    words = ["--source", article.env, "--materialise", "--", "python", "-c", code]
    assert run(python, *words, env={"RSTACK_CACHE": str(python.folder / "cache")}).stdout == "True\n"


@pytest.mark.parametrize(
    ("words", "code", "message", "hint"),
    [
        (["--", "no-such-program"], 2, "there is no program `no-such-program`", "what follows `--` is a command"),
        (["--", "python", "-I", "x.py"], 2, "`python -I` ignores PYTHONPATH", "python -I -m rstack run"),
        (["--", "python", "-BE", "x.py"], 2, "`python -E` ignores PYTHONPATH", "python -E -m rstack run"),
        (["--only", "no-name", "--", "python"], 2, "no-name", "such as `foo`"),
        (["--source", "SOURCE?at=0123456789abcdef", "--", "python"], 1, "0123456789abcdef", ""),
        (["--source", "s3://no-such-bucket/main", "--", "python"], 1, "NoSuchBucket", ""),
        (["python", "x.py"], 2, "unexpected argument 'python'", ""),
    ],
)
def test_what_cannot_be_run_is_told(article, python, words, code, message, hint):
    words = [word.replace("SOURCE", article.env) for word in words]
    if "--source" not in words:
        words = ["--source", article.env, *words]
    finished = run(python, *words, check=False)
    assert (finished.returncode, finished.stdout) == (code, "")
    assert message in finished.stderr and hint in finished.stderr, finished.stderr


def test_an_interpreter_without_the_package_is_refused(article, python):
    bare = python.folder / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    finished = run(python, "--source", article.env, "--", bare / "bin/python", "-c", ADD, check=False)
    assert finished.returncode == 1
    assert finished.stderr == (
        f"error: `{bare}/bin/python` has no package `rstack`\n"
        "hint: install it for that Python: `python -m pip install .` in a clone of rstack\n"
    )


def test_a_broken_package_is_told_with_pythons_own_error(article, python):
    python.write("broken/rstack/__init__.py", "raise RuntimeError('half installed')\n")
    env = {"PYTHONPATH": str(python.folder / "broken")}
    finished = run(python, "--source", article.env, "--", "python", "-c", ADD, check=False, env=env)
    assert finished.returncode == 1
    assert "cannot use the package `rstack`: RuntimeError: half installed" in finished.stderr


def test_what_is_printed_when_python_starts_and_ends_is_the_programs(article, python):
    """It is printed while the package is looked for as well, and is no answer."""
    python.write("site/sitecustomize.py", "import atexit, sys\nprint('starts')\natexit.register(print, 'ends')\n")
    env = {"PYTHONPATH": str(python.folder / "site")}
    assert run(python, "--source", article.env, "--", "python", "-c", ADD, env=env).stdout == "starts\n5\nends\n"


def test_errors_before_the_start_are_json_when_asked_for(article, python):
    finished = run(python, "--output", "json", "--source", article.env, "--", "no-such-program", check=False)
    assert json.loads(finished.stdout)["exit_code"] == 2


def test_a_source_that_is_named_by_options_reaches_the_same_world(environment, article, python, local):
    """What options say of the world is handed on: nothing of the caller's environment but the home."""
    env = {"RSTACK_LOCAL": "", "PATH": os.environ["PATH"]}
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    words = ["--local", "-n", environment.name, "--source", "article", "--", sys.executable, "-c", code, ADD]
    assert run(python, *words, env=env).stdout == "5\n"


def test_the_program_starts_soon(article, python):
    started = time.monotonic()
    run(python, "--source", article.env, "--", "python", "-c", "pass")
    assert time.monotonic() - started < 10
