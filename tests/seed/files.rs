//! Which files are published, and which are refused.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::{fs, process::Command};

use insta::assert_snapshot;

use super::world::{Dir, World, files, told};
use crate::support::Rstack;

#[test]
fn odd_names_and_odd_contents_arrive_unchanged() {
    let world = World::new("seed-odd");
    let all_bytes: Vec<u8> = (0..=255).collect();
    let wanted = files([
        ("with space/a b.py", b"1"),
        ("quote'\"s.py", b"2"),
        ("new\nline.py", b"3"),
        ("d\u{e9}j\u{e0}/\u{65e5}\u{672c}.py", "s = '\u{1f980}'\r\n".as_bytes()),
        ("per%25cent+plus&amp;.py", b"5"),
        ("back\\slash.py", b"6"),
        (".hidden/.file", b"7"),
        ("-dash.py", b"8"),
        ("binary.so", &all_bytes),
        ("empty.py", b""),
        ("deep/er/and/deep/er/still.py", b"9"),
    ]);
    let dir = Dir::new(&wanted);
    world.seed_dir(dir.path()).run().expect(0);
    world.assert_held(&wanted);
    let again = world.seed_dir(dir.path()).args(["--output", "json"]).run().expect(0);
    let result = again.json_lines().pop().expect("a result");
    let sent = result["data"]["stores"]
        .as_array()
        .expect("stores")
        .iter()
        .map(|s| s["sent"].as_u64());
    assert!(sent.eq([Some(0); 3]), "{result}");
    // And all of them go again.
    let empty = Dir::new(&files([("only.py", b"1")]));
    world.seed_dir(empty.path()).run().expect(0);
    world.assert_held(&files([("only.py", b"1")]));
}

#[test]
fn ignore_files_are_honoured_and_caches_left_out() {
    let world = World::new("seed-ignore");
    let dir = Dir::new(&files([
        ("kept.py", b"1"),
        (".gitignore", b"*.log\nbuild/\n"),
        ("a.log", b"x"),
        ("build/x.py", b"x"),
        ("sub/.rstackignore", b"secret.*\n"),
        ("sub/secret.py", b"x"),
        ("sub/kept.py", b"1"),
        ("sub/__pycache__/kept.cpython-311.pyc", b"x"),
        (".git/config", b"x"),
    ]));
    world.seed_dir(dir.path()).run().expect(0);
    let mut paths: Vec<String> = world.held()[0].keys().cloned().collect();
    assert_eq!(paths, [".gitignore", "kept.py", "sub/.rstackignore", "sub/kept.py"]);
    // An ignore file above counts too, ...
    world.seed_dir(&dir.path().join("sub")).run().expect(0);
    dir.write("sub/b.log", b"x");
    world.seed_dir(&dir.path().join("sub")).run().expect(0);
    paths = world.held()[1].keys().cloned().collect();
    assert_eq!(paths, [".rstackignore", "kept.py"]);
    // ... unless it leaves out the very directory that was named.
    world.seed_dir(&dir.path().join("build")).run().expect(0);
    paths = world.held()[2].keys().cloned().collect();
    assert_eq!(paths, ["x.py"]);
}

#[test]
fn links_inside_are_followed_and_links_outside_refused() {
    let world = World::new("seed-links");
    let dir = Dir::new(&files([("real/a.py", b"1")]));
    symlink("real", dir.path().join("linked")).expect("a link");
    symlink("real/a.py", dir.path().join("b.py")).expect("a link");
    world.seed_dir(dir.path()).run().expect(0);
    world.assert_held(&files([("real/a.py", b"1"), ("linked/a.py", b"1"), ("b.py", b"1")]));

    let outside = dir.path().join("outside.py");
    symlink("/etc/hostname", &outside).expect("a link");
    assert_snapshot!(told(&world.seed_dir(dir.path()).run()), @r#"
        exit: 1
        --- stdout

        --- stderr
        error: the link `[DIR]/outside.py` leads out of the directory, to `/etc/hostname`
        hint: put the file itself there, or name the link in `.rstackignore`
        "#);
    fs::remove_file(&outside).expect("removed");
    symlink("/etc", &outside).expect("a link");
    world.seed_dir(dir.path()).run().expect(1);
    dir.write(".rstackignore", b"outside.py\n");
    world.seed_dir(dir.path()).run().expect(0);

    symlink("nowhere", dir.path().join("broken")).expect("a link");
    assert_snapshot!(told(&world.seed_dir(dir.path()).run()), @r#"
        exit: 1
        --- stdout

        --- stderr
        error: the link `[DIR]/broken` leads nowhere
        hint: remove it, or name it in `.rstackignore`
        "#);
    fs::remove_file(dir.path().join("broken")).expect("removed");
    symlink("..", dir.path().join("real/loop")).expect("a link");
    assert_snapshot!(told(&world.seed_dir(dir.path()).run()), @r#"
        exit: 1
        --- stdout

        --- stderr
        error: the link `[DIR]/real/loop` leads back to `[DIR]`
        hint: name the link in `.rstackignore`
        "#);
}

#[test]
fn a_directory_that_the_configuration_names_is_told_as_such() {
    let dir = Dir::new(&files([("rstack.yaml", b"seed: {path: missing}\n")]));
    let call = Rstack::new().endpoint("http://127.0.0.1:9").dir(dir.path());
    let output = call.args(["seed", "-n", "demo"]).run().expect(2);
    assert!(output.stderr.contains("`missing` does not exist"), "{output}");
    assert!(
        output.stderr.contains("hint: `seed.path` in rstack.yaml names it"),
        "{output}"
    );
}

#[test]
fn what_cannot_be_published_is_named() {
    let seed = |dir: &std::path::Path| {
        Rstack::new()
            .endpoint("http://127.0.0.1:9")
            .args(["seed", "-n", "demo"])
            .args([dir])
            .hide(dir.display().to_string(), "[DIR]")
            .run()
    };
    let dir = Dir::new(&files([("a.py", b"1")]));
    assert_snapshot!(told(&seed(&dir.path().join("missing"))), @r#"
        exit: 2
        --- stdout

        --- stderr
        error: `[DIR]` does not exist
        hint: name a directory that is there
        "#);
    assert_snapshot!(told(&seed(&dir.path().join("a.py"))), @r#"
        exit: 2
        --- stdout

        --- stderr
        error: `[DIR]` is not a directory
        hint: name the directory that the file is in
        "#);
    let empty = Dir::new(&files([(".git/config", b"1")]));
    assert_snapshot!(told(&seed(empty.path())), @r#"
        exit: 2
        --- stdout

        --- stderr
        error: `[DIR]` has no file to publish
        hint: it is empty, or `.gitignore` and `.rstackignore` leave everything out
        "#);

    let fifo = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    assert_snapshot!(told(&seed(dir.path())), @r#"
        exit: 1
        --- stdout

        --- stderr
        error: `[DIR]/pipe` is neither a file nor a directory
        hint: remove it, or name it in `.rstackignore`
        "#);
    fs::remove_file(fifo).expect("removed");

    let odd = dir.path().join(OsStr::from_bytes(b"caf\xe9.py"));
    fs::write(&odd, "1").expect("written");
    assert_snapshot!(told(&seed(dir.path())), @r#"
        exit: 1
        --- stdout

        --- stderr
        error: the name of `[DIR]/caf�.py` is not UTF-8
        hint: rename it, or leave it out with `.rstackignore`
        "#);
    fs::remove_file(odd).expect("removed");

    dir.write(".rstack/files", b"1");
    assert_snapshot!(told(&seed(dir.path())), @r#"
        exit: 1
        --- stdout

        --- stderr
        error: `[DIR]/.rstack/files` cannot be published: `.rstack` is where rstack keeps its own records
        hint: rename it, or name it in `.rstackignore`
        "#);
    fs::remove_dir_all(dir.path().join(".rstack")).expect("removed");
    dir.write("sub/.rstack/f.py", b"1");
    let nested = seed(dir.path()).expect(1);
    assert!(
        nested.stderr.contains("/sub/.rstack/f.py` cannot be published"),
        "{nested}"
    );
}

#[test]
fn a_file_too_large_for_dynamodb_is_left_out_there_and_named() {
    let world = World::new("seed-large");
    let key = format!("{}/large.bin", world.name);
    let largest = 400 * 1024 - key.len() - "pathcode".len();
    let (fits, over) = (vec![b'x'; largest], vec![b'x'; largest + 1]);
    let dir = Dir::new(&files([("large.bin", &fits), ("small.py", b"1")]));
    world.seed_dir(dir.path()).run().expect(0);
    world.assert_held(&files([("large.bin", &fits), ("small.py", b"1")]));

    dir.write("large.bin", &over);
    let output = world.seed_dir(dir.path()).run().expect(3);
    assert!(output.stderr.contains("dynamodb: `large.bin` is left out"), "{output}");
    let [s3, dynamodb, redis] = world.held();
    let whole = files([("large.bin", &over), ("small.py", b"1")]);
    assert!(s3 == whole && redis == whole);
    // The one that was there is not the file any more.
    assert_eq!(dynamodb, files([("small.py", b"1")]));
    world.seed_dir(dir.path()).run().expect(3);
}

#[test]
fn plain_files_that_stay_behind_a_release_that_grew_are_told() {
    let world = World::new("seed-grown");
    let dir = Dir::new(&files([("v.py", b"v = 1\n")]));
    world.seed_dir(dir.path()).run().expect(0);
    dir.write("v.py", b"v = 2\n");
    dir.write("w.bin", &vec![b'x'; 17 << 20]);
    // And again when there is nothing to publish.
    for _ in 0..2 {
        let grown = world.seed_dir(dir.path()).run().expect(3);
        assert!(grown.stderr.contains("stay what they were"), "{grown}");
        assert!(grown.stderr.contains("--plain"), "{grown}");
    }
    let asked = world.seed_dir(dir.path()).args(["--no-plain"]).run().expect(0);
    assert!(asked.stderr.contains("stay what they were"), "{asked}");
    // Once they were asked for, they are those of the release, and nothing stays behind; but what a table cannot hold.
    world.seed_dir(dir.path()).args(["--plain"]).run().expect(3);
    let there = world.seed_dir(dir.path()).run().expect(0);
    assert!(!there.stderr.contains("stay what they were"), "{there}");
    let gone = Dir::new(&files([("v.py", b"v = 2\n")]));
    let small = world.seed_dir(gone.path()).run().expect(0);
    assert!(!small.stderr.contains("stay what they were"), "{small}");
}
