//! What is missing, too old or unreachable is named, with what to install.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::local::{LocalAws, with_pip};

/// A program that prints this and ends with that exit code: a Python or a Redis of another age.
fn program(dir: &TempDir, prints: &str, code: u8) -> PathBuf {
    let path = dir.path().join("program");
    fs::write(&path, format!("#!/bin/sh\nprintf '{prints}'\nexit {code}\n")).expect("writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

#[test]
fn without_redis_the_error_says_what_to_install() {
    let local = LocalAws::stopped();
    insta::assert_snapshot!(local.rstack(["local", "start"]).env("PATH", "/nowhere").run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: the local AWS needs a Redis, and neither `redis-server` nor `valkey-server` is in PATH
    hint: install Redis or Valkey: `apt-get install redis-server`, `dnf install valkey` or `brew install redis`; or name a server with RSTACK_REDIS_SERVER
    ");
}

#[test]
fn without_python_the_error_says_what_to_install() {
    let (local, dir) = (LocalAws::bare(), TempDir::new().expect("a folder"));
    let redis = program(&dir, "Redis server v=7.0.15", 0);
    let call = local.rstack(["local", "start"]).env("RSTACK_REDIS_SERVER", redis);
    insta::assert_snapshot!(call.env("PATH", "/nowhere").run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: the local AWS needs Python, and there is none in PATH
    hint: install Python 3.10 or newer with venv: `apt-get install python3 python3-venv`, `dnf install python3` or `brew install python3`; or name one with RSTACK_PYTHON
    ");
}

#[test]
fn an_old_python_is_named() {
    let (local, dir) = (LocalAws::bare(), TempDir::new().expect("a folder"));
    let call = local
        .rstack(["local", "start"])
        .env("RSTACK_PYTHON", program(&dir, "3.9\\nvenv\\n", 0));
    insta::assert_snapshot!(call.run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: the local AWS needs Python 3.10 or newer; this is Python 3.9
    hint: install Python 3.10 or newer with venv: `apt-get install python3 python3-venv`, `dnf install python3` or `brew install python3`; or name one with RSTACK_PYTHON
    ");
}

#[test]
fn a_python_without_venv_is_named() {
    let (local, dir) = (LocalAws::bare(), TempDir::new().expect("a folder"));
    let call = local
        .rstack(["local", "start"])
        .env("RSTACK_PYTHON", program(&dir, "3.12\\n", 1));
    insta::assert_snapshot!(call.run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: Python 3.12 is here, but cannot make virtual environments: `venv` or `ensurepip` is missing
    hint: install Python 3.10 or newer with venv: `apt-get install python3 python3-venv`, `dnf install python3` or `brew install python3`; or name one with RSTACK_PYTHON
    ");
}

#[test]
fn a_python_that_is_not_there_is_named() {
    let local = LocalAws::bare();
    let call = local
        .rstack(["local", "start"])
        .env("RSTACK_PYTHON", "/nowhere/python3");
    insta::assert_snapshot!(call.run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: RSTACK_PYTHON names `/nowhere/python3`, which does not run
    hint: install Python 3.10 or newer with venv: `apt-get install python3 python3-venv`, `dnf install python3` or `brew install python3`; or name one with RSTACK_PYTHON
    ");
}

#[test]
fn an_old_redis_is_named() {
    let (local, dir) = (LocalAws::stopped(), TempDir::new().expect("a folder"));
    let redis = program(&dir, "Redis server v=5.0.7 sha=0", 0);
    let call = local.rstack(["local", "start"]).env("RSTACK_REDIS_SERVER", &redis);
    insta::assert_snapshot!(call.hide(redis.display().to_string(), "[REDIS]").run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: the local AWS needs Redis 6.0 or newer; `[REDIS]` is 5.0.7
    hint: install Redis or Valkey: `apt-get install redis-server`, `dnf install valkey` or `brew install redis`; or name a server with RSTACK_REDIS_SERVER
    ");
}

#[test]
fn a_redis_that_ends_at_once_is_told_with_its_own_words() {
    let (local, dir) = (LocalAws::stopped(), TempDir::new().expect("a folder"));
    let redis = program(&dir, "Redis server v=7.9.9 is not well\\n", 0);
    let call = local.rstack(["local", "start"]).env("RSTACK_REDIS_SERVER", &redis);
    insta::assert_snapshot!(call.run(), @r"
    exit: 1
    --- stdout

    --- stderr
    [CLOCK] starting Redis on 127.0.0.1:[PORT]
    error: redis does not start: Redis server v=7.9.9 is not well
    hint: its whole output is in `[RSTACK_HOME]/local/log/redis.log`
    ");
}

#[test]
fn a_package_index_that_does_not_answer_is_told_with_pips_words() {
    let local = LocalAws::bare();
    let call = with_pip(local.rstack(["--quiet", "local", "start"]))
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        .env("PIP_FIND_LINKS", "")
        .env("PIP_RETRIES", "0")
        .env("PIP_NO_CACHE_DIR", "1");
    insta::assert_snapshot!(call.run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: pip cannot install the local AWS: Could not find a version that satisfies the requirement ministack==1.5.33 (from versions: none)
    hint: it comes from the Python package index: check the network and the proxy (HTTPS_PROXY), or name your own index with PIP_INDEX_URL, and run the same command again
    ");
}
