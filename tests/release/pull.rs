//! `rstack pull`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use futures_util::TryStreamExt;
use insta::assert_snapshot;
use rstack::store::{S3Store, Store};

use crate::support::{Output, Signal, Workspace, block_on};

type Files = BTreeMap<String, Vec<u8>>;

/// `src` has four files, which are published; tests pull into `out` beside it.
fn published(what: &str) -> Workspace {
    let world = Workspace::new(what);
    let files = [
        ("a.py", "a = 1\n"),
        ("b.py", "b = 1\n"),
        ("pkg/sub/c.py", ""),
        ("pkg/ü.py", "u = 1\n"),
    ];
    seed(&world, &files);
    world
}

/// Publishes exactly these.
fn seed(world: &Workspace, files: &[(&str, &str)]) {
    let _ = fs::remove_dir_all(world.path("src"));
    for (path, content) in files {
        world.write(&format!("src/{path}"), content);
    }
    world.seed("./src", &["--no-plain"]).expect(0);
}

fn pull(world: &Workspace, args: &[&str]) -> Output {
    world.run(&[&["pull", &world.name, "out"], args].concat())
}

/// What `out` holds, without the record.
fn pulled(world: &Workspace) -> Files {
    let mut files = Files::new();
    let mut folders = vec![world.path("out")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry"))
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if entry.file_name() != ".rstack-pull.json" {
                let name = path.strip_prefix(world.path("out")).expect("below it");
                files.insert(name.display().to_string(), fs::read(&path).expect("content"));
            }
        }
    }
    files
}

fn beside(world: &Workspace) -> Vec<String> {
    let entries = fs::read_dir(world.path("")).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn files(files: &[(&str, &str)]) -> Files {
    files
        .iter()
        .map(|(path, content)| ((*path).to_owned(), content.as_bytes().to_vec()))
        .collect()
}

#[test]
fn a_release_becomes_a_directory_and_the_next_pull_says_what_changed() {
    let world = published("pull");
    let first = [
        ("a.py", "a = 1\n"),
        ("b.py", "b = 1\n"),
        ("pkg/sub/c.py", ""),
        ("pkg/ü.py", "u = 1\n"),
    ];
    assert_snapshot!(pull(&world, &["-q"]), @r"
    exit: 0
    --- stdout
    release [RELEASE] of area `[NAME]` of table `[NAME]-table`, from [TIME]
    out has 4 files, 18 B after [DURATION]; 4 files read

    --- stderr
    ");
    assert_eq!(pulled(&world), files(&first));
    let unchanged = fs::metadata(world.path("out/b.py")).expect("a file").ino();
    assert_snapshot!(pull(&world, &["-q"]), @r"
    exit: 0
    --- stdout
    release [RELEASE] of area `[NAME]` of table `[NAME]-table`, from [TIME]
    out has 4 files, 18 B after [DURATION]; 0 files read
    since release [RELEASE]: nothing changed

    --- stderr
    ");
    let second = [
        ("a.py", "a = 2\n"),
        ("b.py", "b = 1\n"),
        ("d.py", "d = 1\n"),
        ("pkg/sub/c.py", ""),
    ];
    seed(&world, &second);
    assert_snapshot!(pull(&world, &["-q"]), @r"
    exit: 0
    --- stdout
    release [RELEASE] of area `[NAME]` of table `[NAME]-table`, from [TIME]
    out has 4 files, 18 B after [DURATION]; 2 files read
    since release [RELEASE]: 1 added, 1 changed, 1 removed

    --- stderr
    ");
    assert_eq!(pulled(&world), files(&second));
    let still = fs::metadata(world.path("out/b.py")).expect("a file");
    assert_eq!((still.ino(), still.nlink()), (unchanged, 1), "it was taken over");
    assert_eq!(beside(&world), ["out", "src"]);
    // Back to the first one; and the record is never published.
    let moves = world
        .run(&["releases", &world.name, "--output", "json"])
        .expect(0)
        .json_lines();
    let id = moves[0]["data"]["moves"][1]["release"]
        .as_str()
        .expect("an id")
        .to_owned();
    pull(&world, &["--at", &id]).expect(0);
    assert_eq!(pulled(&world), files(&first));
    let names = world.run(&["diff", &world.name, "./out", "--at", &id, "--name-only", "-q"]);
    assert_eq!(names.expect(0).stdout, "");
}

#[test]
fn what_pull_did_not_write_is_not_lost_unless_told() {
    let world = published("pull-lost");
    world.write("out/mine.txt", "mine");
    assert_snapshot!(pull(&world, &[]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: `out` has something in it that `rstack pull` did not put there
    hint: name another directory, or `--force` to replace this one and everything in it
    ");
    assert_eq!(pulled(&world), files(&[("mine.txt", "mine")]));
    pull(&world, &["--force"]).expect(0);
    assert!(!world.path("out/mine.txt").exists());
    // What Python and other tools keep for themselves does not count.
    world.write("out/pkg/__pycache__/x.pyc", "");
    world.write("out/.mypy_cache/CACHEDIR.TAG", "");
    seed(&world, &[("a.py", "a = 3\n")]);
    pull(&world, &[]).expect(0);
    assert_eq!(pulled(&world), files(&[("a.py", "a = 3\n")]));
    world.write("out/a.py", "a = 'changed'\n");
    world.write("out/new.py", "");
    assert_snapshot!(pull(&world, &[]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: `out` was changed since it was pulled: `a.py`, `new.py`
    hint: save what you want to keep, for example with `rstack seed`, or `--force` to lose it
    ");
    assert_eq!(fs::read(world.path("out/a.py")).expect("a file"), b"a = 'changed'\n");
    pull(&world, &["--force"]).expect(0);
    assert_eq!(pulled(&world), files(&[("a.py", "a = 3\n")]));
    fs::remove_file(world.path("out/a.py")).expect("removed");
    pull(&world, &[]).expect(0);
    assert_eq!(pulled(&world), files(&[("a.py", "a = 3\n")]));
    world.write("out/.rstack-pull.json", "{");
    let broken = pull(&world, &[]).expect(1);
    assert!(broken.stderr.contains("cannot be read"), "{broken}");
    pull(&world, &["--force"]).expect(0);
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is() {
    let world = published("pull-refused");
    world.write("file", "");
    world.write("one/a", "");
    world.write("two/a/b", "");
    let pull = |source: &str, dir: &str| world.run(&["pull", source, dir]);
    assert_snapshot!(pull("./one;./two", "out"), @r"
    exit: 1
    --- stdout

    --- stderr
    error: `a` is a file, and `a/b` needs it to be a directory
    hint: no file system holds both; publish it without one of them
    ");
    assert_snapshot!(pull(&world.name, "file"), @r"
    exit: 2
    --- stdout

    --- stderr
    error: `file` is not a directory
    ");
    assert_snapshot!(pull(&world.name, "."), @r"
    exit: 2
    --- stdout

    --- stderr
    error: `.` is the directory that you are in, and would be replaced
    hint: name a directory in it, or go out of it first
    ");
    assert!(!world.path("out").exists());
    // Folders above it are made.
    pull(&world.name, "deep/er/out").expect(0);
    assert!(world.path("deep/er/out/a.py").exists());
}

#[test]
fn a_store_that_lost_or_broke_a_pack_leaves_the_directory_as_it_was() {
    let world = published("pull-corrupt");
    pull(&world, &[]).expect(0);
    let before = pulled(&world);
    seed(&world, &[("a.py", "a = 2\n")]);
    let bucket = format!("{}-bucket", world.name);
    block_on(async {
        let store = S3Store::new(world.local.aws().await.s3().clone(), &bucket);
        let prefix = format!("{}/.rstack/pack/", world.name);
        let pages: Vec<_> = store.list(&prefix).try_collect().await.expect("pages");
        let packs: Vec<String> = pages.concat().into_iter().map(|listed| listed.key).collect();
        store.delete_many(&packs).await.expect("deleted");
    });
    let source = format!("s3://{bucket}/{}", world.name);
    let refused = world.run(&["pull", &source, "out"]).expect(1);
    assert!(refused.stderr.contains("/.rstack/pack/"), "{refused}");
    assert_eq!(pulled(&world), before);
    assert_eq!(beside(&world), ["out", "src"]);
}

#[test]
fn killed_at_any_time_the_directory_is_the_old_or_the_new_one() {
    let world = published("pull-killed");
    // So many that killing it comes early even on a busy machine.
    let names: Vec<String> = (0..1500).map(|file| format!("pkg/{file:04}.py")).collect();
    let all = |content: &'static str| names.iter().map(|name| (name.as_str(), content)).collect::<Vec<_>>();
    let (old, new) = (all("old = 1\n"), all("new = 1\n"));
    seed(&world, &old);
    pull(&world, &[]).expect(0);
    seed(&world, &new);
    let (old, new) = (files(&old), files(&new));
    let (mut before, mut after) = (0, 0);
    for step in 0..30 {
        let call = world.local.rstack(["pull", &world.name, "out", "-n", &world.name]);
        let mut running = call.dir(world.path("")).spawn();
        sleep(Duration::from_millis(10 * step));
        running.signal(Signal::KILL);
        let _ = running.wait();
        let found = pulled(&world);
        if found == old {
            before += 1;
        } else {
            assert!(found == new, "after {step} steps: neither the old nor the new one");
            after += 1;
            if after == 2 {
                break;
            }
        }
    }
    assert!(before > 0, "it was never killed early");
    pull(&world, &[]).expect(0);
    assert_eq!(pulled(&world), new);
    assert_eq!(beside(&world), ["out", "src"], "what was left behind is gone");
}

#[test]
fn pulling_twice_at_once_is_pulling() {
    let world = published("pull-twice");
    let spawn = || {
        let call = world.local.rstack(["pull", &world.name, "out", "-n", &world.name]);
        call.dir(world.path("")).spawn()
    };
    let running: Vec<_> = (0..4).map(|_| spawn()).collect();
    let ended: Vec<_> = running.into_iter().map(|running| running.wait().code()).collect();
    assert!(ended.contains(&Some(0)), "{ended:?}");
    pull(&world, &[]).expect(0);
    assert_eq!(pulled(&world).len(), 4);
    assert_eq!(beside(&world), ["out", "src"]);
}

#[test]
fn readers_never_see_a_mix_while_a_real_publisher_is_killed_again_and_again() {
    let world = published("pull-mix");
    let names: Vec<String> = (0..60).map(|file| format!("pkg/{file:03}.py")).collect();
    let over = AtomicBool::new(false);
    let sources = [world.name.clone(), format!("s3://{0}-bucket/{0}", world.name)];
    seed(
        &world,
        &names.iter().map(|name| (name.as_str(), "0")).collect::<Vec<_>>(),
    );
    scope(|scope| {
        for (reader, source) in sources.iter().enumerate() {
            let (world, over) = (&world, &over);
            scope.spawn(move || {
                let out = format!("read-{reader}");
                while !over.load(Ordering::SeqCst) {
                    world.run(&["pull", source, &out]).expect(0);
                    let read = fs::read_dir(world.path(&out).join("pkg")).expect("a folder");
                    let read = read.map(|entry| fs::read(entry.expect("an entry").path()).expect("content"));
                    let read: Vec<Vec<u8>> = read.collect();
                    assert_eq!(read.len(), 60);
                    assert!(read.iter().all(|content| *content == read[0]), "a mix");
                }
            });
        }
        for generation in 1..=12_u64 {
            let content = generation.to_string();
            for name in &names {
                world.write(&format!("src/{name}"), &content);
            }
            let seed = ["seed", "./src", "--area", &world.name, "-n", &world.name, "--no-plain"];
            let mut running = world.local.rstack(seed).dir(world.path("")).spawn();
            sleep(Duration::from_millis(25 * generation));
            running.signal(Signal::KILL);
            let _ = running.wait();
        }
        over.store(true, Ordering::SeqCst);
    });
    world
        .run(&["seed", "./src", "--area", &world.name, "--no-plain"])
        .expect(0);
    for source in &sources {
        world.run(&["pull", source, "read-0"]).expect(0);
        assert_eq!(fs::read(world.path("read-0/pkg/059.py")).expect("content"), b"12");
    }
}
