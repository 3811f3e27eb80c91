//! `rstack run`: what it says before the program starts, and what is the program's after that. That programs import from
//! a source is tested in `tests/python`.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::python::venv;
use crate::support::{Rstack, Signal};

/// A folder that is a source.
fn code() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("hello.py"), "NAME = 'hello'\n").expect("a file");
    folder
}

/// A Python without the package.
fn python() -> PathBuf {
    venv(&[]).command("python").get_program().into()
}

/// Runs `rstack run` in a folder; the package is found where PYTHONPATH says.
fn run(folder: &Path, args: &[&str]) -> Rstack {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let python = python();
    let args = args
        .iter()
        .map(|arg| arg.replace("PYTHON", &python.display().to_string()));
    Rstack::new()
        .args(["run".to_owned()].into_iter().chain(args))
        .dir(folder)
        .env("PYTHONPATH", package)
        .hide(python.display().to_string(), "[PYTHON]")
}

#[test]
fn help_says_what_it_does_and_ends_with() {
    insta::assert_snapshot!(Rstack::new().args(["run", "--help"]).run(), @r"
    exit: 0
    --- stdout
    Run a Python program that imports from a source, without a changed line in it

    Opens the source, pins it to the release that is current, and becomes the program: its modules come
    from that release, also in every Python that it starts, until it calls `rstack.advance()` (with
    `--at` it stays). Names that are installed or belong to Python win, unless `--only` names them.

    Usage: rstack run [OPTIONS] -- <PROGRAM>...

    Arguments:
      <PROGRAM>...
              The program and its arguments

    Options:
          --source <SOURCE>
              What to import from [default: RSTACK_SOURCE, else the area `main` of the environment]

          --at <RELEASE|TIME>
              The release with this id (or the first digits of it), or the one that was current at this
              time ([TIME])

          --only <NAMES>
              Names that come from the source even where they are installed, with all below them, such
              as `foo,django.contrib` [default: RSTACK_ONLY]

          --materialise
              Give modules real files, for coverage, editors and packages that open their own files

      -h, --help
              Print help (see a summary with '-h')

    Global options:
      -n, --name <NAME>
              The environment's name

          --config <FILE>
              Configuration file instead of ./rstack.yaml

          --local
              Use the AWS on this machine, started when it is not running

          --region <REGION>
              AWS region

          --profile <PROFILE>
              Profile of the AWS configuration

          --endpoint-url <URL>
              Endpoint for every AWS service

          --role-arn <ARN>
              Role to assume

          --output <FORMAT>
              Format of what is shown

              Possible values:
              - auto:  A live view on a terminal, plain lines elsewhere
              - plain: Plain lines
              - json:  One JSON object a line
              
              [default: auto]

          --color <WHEN>
              When to use colour
              
              [default: auto]
              [possible values: auto, always, never]

      -q, --quiet
              Only results and errors

      -v, --verbose
              More detail

      -y, --yes
              Answer yes to every question

    The Python needs the package `rstack`: `pip install .` in a clone of rstack, see docs/python.md.
    Where that cannot be set up from outside, `python -m rstack run SCRIPT` does the same.

    stdout and the exit code are the program's.

    Exit codes before it starts: 1 the source cannot be opened, or the package is missing; 2 usage.

    Examples:
      rstack run -n demo -- python script.py
      rstack run --source 'env:demo/hotfix;env:demo/prod' --only foo -- python -m foo.job
      rstack run -n demo --at [TIME] -- pytest tests

    SOURCE is an area of the environment that `--name` names, or a URL: env:NAME/AREA, s3://BUCKET/AREA,
    dynamodb://TABLE/AREA, redis://HOST:PORT/AREA?db=0, rediss://…, file:///FOLDER/AREA. A folder starts
    with ./ or /.

    What KYDB wrote: kydb+redis://HOST:PORT/BASE, kydb+s3://BUCKET/BASE, kydb+dynamodb://TABLE/BASE.

    `A;B` is a union: the first that has a path counts (quote it). ?at=RELEASE or ?at=TIME pins a
    source, ?optional=1 passes over one that cannot be opened, ?stale=[DURATION] refuses a store's copy of the
    marker that was not known to be the current one for so long. With `trusted_keys`
    (RSTACK_TRUSTED_KEYS) only what one of them signed is read.

    --- stderr
    ");
}

#[test]
fn without_a_program_it_is_a_usage_error() {
    insta::assert_snapshot!(Rstack::new().args(["run"]).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: the following required arguments were not provided:
      <PROGRAM>...

    Usage: rstack run -- <PROGRAM>...

    For more information, try '--help'.
    ");
}

#[test]
fn without_a_source_it_says_how_to_name_one() {
    insta::assert_snapshot!(Rstack::new().args(["run", "--", "python3", "x.py"]).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: which source? none is given
    hint: name one with `--source SOURCE` or RSTACK_SOURCE, or an environment with `--name NAME` or RSTACK_NAME
    ");
}

#[test]
fn a_source_that_is_not_there_is_told_before_the_program_starts() {
    let folder = code();
    insta::assert_snapshot!(run(folder.path(), &["--source", "./nowhere", "--", "PYTHON", "-c", "print(1)"]).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: `./nowhere` does not exist
    hint: name a directory that is there
    ");
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let folder = code();
    insta::assert_snapshot!(run(folder.path(), &["--source", ".", "--", "no-such-program"]).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: there is no program `no-such-program`
    hint: what follows `--` is a command, such as `python script.py`
    ");
}

#[test]
fn a_machine_without_python_is_told() {
    let folder = code();
    let shell = run(folder.path(), &["--source", ".", "--", "/bin/sh", "-c", "true"]).env("PATH", folder.path());
    insta::assert_snapshot!(shell.run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is no `python3` to import with
    hint: put Python 3.10 or newer, with the package `rstack`, into PATH
    ");
}

#[test]
fn a_python_without_the_package_is_told() {
    let folder = code();
    let bare = run(folder.path(), &["--source", ".", "--", "PYTHON", "-c", "print(1)"]).env("PYTHONPATH", "");
    insta::assert_snapshot!(bare.run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: `[PYTHON]` has no package `rstack`
    hint: install it for that Python: `python -m pip install .` in a clone of rstack
    ");
}

#[test]
fn options_that_hide_the_source_from_python_are_refused() {
    let folder = code();
    insta::assert_snapshot!(run(folder.path(), &["--source", ".", "--", "PYTHON", "-I", "x.py"]).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: `python -I` ignores PYTHONPATH, by which imports are switched on
    hint: leave out `-I`, or use `python -I -m rstack run SCRIPT`
    ");
}

#[test]
fn a_folder_has_no_releases_to_be_pinned_to() {
    let folder = code();
    let pinned = [
        "--source",
        ".",
        "--at",
        "0123456789abcdef",
        "--",
        "PYTHON",
        "-c",
        "print(1)",
    ];
    insta::assert_snapshot!(run(folder.path(), &pinned).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: `.` is a folder, which has no releases to be pinned to
    hint: leave `?at=` out, or `--at`, which pins all that a union has; in a union `?at=` pins one part
    ");
}

#[test]
fn streams_and_the_exit_code_are_the_programs() {
    let folder = code();
    let program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(42)";
    insta::assert_snapshot!(run(folder.path(), &["--source", ".", "--", "PYTHON", "-c", program]).run(), @r"
    exit: 42
    --- stdout
    out

    --- stderr
    err
    ");
}

#[test]
fn what_the_program_is_told_is_what_was_asked_for_and_where_that_was_found() {
    let folder = code();
    let program = "import os
for name in ('RSTACK_SOURCE', 'RSTACK_REQUESTED', 'RSTACK_ONLY', 'RSTACK_MATERIALISE'):
    print(name, repr(os.environ.get(name)))";
    let options = [
        "--source",
        "./.",
        "--only",
        "hello,shop.prices",
        "--",
        "PYTHON",
        "-c",
        program,
    ];
    insta::assert_snapshot!(run(folder.path(), &options).run(), @r"
    exit: 0
    --- stdout
    RSTACK_SOURCE '[DIR]'
    RSTACK_REQUESTED '\n./.'
    RSTACK_ONLY 'hello,shop.prices'
    RSTACK_MATERIALISE None

    --- stderr
    ");
}

#[test]
fn a_signal_reaches_the_program_itself() {
    let folder = code();
    let program = "import time; print('ready', flush=True); time.sleep(60)";
    let mut running = run(folder.path(), &["--source", ".", "--", "PYTHON", "-c", program]).spawn();
    running.until("ready").signal(Signal::TERM);
    insta::assert_snapshot!(running.wait(), @r"
    exit: signal 15
    --- stdout
    ready

    --- stderr
    ");
}
