//! `rstack seed --compile`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::world::{Dir, World, files};
use crate::support::python::venv;

/// A Python that every machine has that runs the tests.
fn python() -> PathBuf {
    let python = venv(&[]).command("python").get_program().to_owned();
    python.into()
}

/// What it says when it is asked.
fn asked(python: &Path, script: &str) -> String {
    let output = Command::new(python)
        .args(["-I", "-c", script])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn compiling(python: &Path) -> String {
    format!("--compile={}", python.display())
}

fn result(output: &crate::support::Output) -> Value {
    output.json_lines().pop().expect("a result")["data"].clone()
}

#[test]
fn bytecode_is_what_python_would_make_and_is_made_anew_only_for_what_changed() {
    let (world, python) = (World::new("seed-compile"), python());
    let tag = asked(&python, "import sys; print(sys.implementation.cache_tag)");
    let dir = Dir::new(&files([
        ("pkg/__init__.py", b"from pkg.a import A\n" as &[u8]),
        (
            "pkg/a.py",
            "# \u{e9}\nA = {'x', 'y', 'z', 1, 2.5, frozenset('abc')}\n".as_bytes(),
        ),
        (
            "pkg/b.py",
            b"def f(s=frozenset({'p', 'q'})): return s in {'a', 'b', 'c'}\n",
        ),
        ("pkg/data.txt", b"no script"),
    ]));
    let seed = || world.seed_dir(dir.path()).args([compiling(&python)]);
    let output = seed().args(["--output", "json"]).run().expect(0);
    let data = result(&output);
    assert_eq!(data["release"]["files"], 7);
    assert_eq!(data["bytecode"][0]["tag"], json!(tag));
    assert_eq!(data["bytecode"][0]["files"], 3);
    assert_eq!(data["bytecode"][0]["uncompilable"], json!([]));
    let again = seed().run().expect(0).stdout;
    assert!(
        again.contains(": 3 files, ") && again.contains(&format!(" ({tag})\n")),
        "{again}"
    );
    assert!(again.contains("has exactly this already"), "{again}");

    // The directory has no bytecode, and lacks nothing for that.
    let path = dir.path().to_str().expect("UTF-8");
    assert_eq!(world.rstack(["diff", path, &world.name]).run().expect(0).stdout, "");

    // What was published, where there is no other bytecode: Python takes it, and finds that it fits its source.
    let [held, ..] = world.held();
    let pulled = tempfile::tempdir().expect("a folder");
    for (path, content) in &held {
        let path = pulled.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("written");
    }
    let verbose = Command::new(&python)
        .args(["-v", "-B", "-c", "import pkg.b"])
        .current_dir(pulled.path())
        .output()
        .expect("it runs");
    let log = String::from_utf8_lossy(&verbose.stderr);
    for name in ["__init__", "a", "b"] {
        let taken = format!("pkg/__pycache__/{name}.{tag}.pyc matches");
        let (taken, code) = (
            log.contains(&taken),
            log.contains(&format!("code object from '{}", pulled.path().display())),
        );
        assert!(taken && code, "{name}: {log}");
    }
    assert!(!log.contains("wrote "), "{log}");

    fs::write(dir.path().join("pkg/b.py"), "def f(): return 2\n").expect("written");
    let data = result(&seed().args(["--output", "json"]).run().expect(0));
    assert_eq!(
        (&data["release"]["added"], &data["release"]["changed"]),
        (&json!(0), &json!(2))
    );

    // Without it, bytecode goes: nobody says that it still fits.
    let data = result(&world.seed_dir(dir.path()).args(["--output", "json"]).run().expect(0));
    assert_eq!((&data["release"]["removed"], data.get("bytecode")), (&json!(3), None));
}

#[test]
fn a_script_that_python_cannot_compile_is_named_and_published_without_bytecode() {
    let (world, python) = (World::new("seed-uncompilable"), python());
    let dir = Dir::new(&files([
        ("good.py", b"x = 1\n" as &[u8]),
        ("old.py", b"print 'two'\n"),
        ("nul.py", b"x = 1\n\0"),
    ]));
    let output = world
        .seed_dir(dir.path())
        .args([&*compiling(&python), "--output", "json"])
        .run()
        .expect(0);
    let data = result(&output);
    let uncompilable = data["bytecode"][0]["uncompilable"].as_array().expect("a list").clone();
    let paths: Vec<_> = uncompilable
        .iter()
        .map(|file| file["path"].as_str().expect("a path"))
        .collect();
    assert_eq!(paths, ["nul.py", "old.py"]);
    assert!(
        uncompilable[1]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("(line 1)")),
        "{uncompilable:?}"
    );
    assert_eq!(data["bytecode"][0]["files"], 1);
    assert_eq!(data["release"]["files"], 4);
    let plain = world.seed_dir(dir.path()).args([compiling(&python)]).run().expect(0);
    assert!(
        plain.stderr.contains("warning: `old.py` has no bytecode for Python 3."),
        "{}",
        plain.stderr
    );
}

#[test]
fn interpreters_that_cannot_compile_are_refused_before_anything_is_read() {
    let world = World::new("seed-interpreter");
    let folder = tempfile::tempdir().expect("a folder");
    let silent = folder.path().join("python-silent");
    fs::copy("/bin/true", &silent).expect("copied");
    let silent = silent.display().to_string();
    for (named, said) in [
        ("python0.1", "`python0.1` cannot compile: it does not run: "),
        (&*silent, "cannot compile: it did not say which Python it is"),
    ] {
        let output = world.seed([&*format!("--compile={named}")]).run().expect(2);
        assert!(output.stderr.contains(said), "{}", output.stderr);
        assert!(
            output
                .stderr
                .contains("hint: name interpreters of Python 3.10 or newer"),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn without_a_name_every_python_in_path_compiles() {
    let (world, python) = (World::new("seed-path"), python());
    let folder = python.parent().expect("a folder").display().to_string();
    let output = world
        .seed(["--compile", "--output", "json"])
        .env("PATH", &folder)
        .run()
        .expect(0);
    let data = result(&output);
    let tags: Vec<_> = data["bytecode"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|made| made["tag"].clone())
        .collect();
    assert_eq!(
        tags,
        [json!(asked(&python, "import sys; print(sys.implementation.cache_tag)"))]
    );
    assert_eq!(data["bytecode"][0]["files"], 7);
    let output = world.seed(["--compile"]).env("PATH", "/nowhere").run().expect(2);
    assert!(
        output.stderr.contains("there is no Python 3.10 or newer in PATH"),
        "{}",
        output.stderr
    );
}
