//! Sending, not sending again, changing, removing, only looking.

use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use super::world::{Dir, Files, World, files, many, told};
use crate::support::Running;
use crate::support::redis::Redis;

fn demo() -> Files {
    let scripts = [
        "foo/__init__.py",
        "foo/bar/__init__.py",
        "foo/bar/chunky.py",
        "foo/bar/module3.py",
        "foo/bar/module4.py",
        "foo/module1.py",
        "foo/module2.py",
    ];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    let read = |path: &str| fs::read(root.join(path)).expect(path);
    scripts.map(|path| (path.to_owned(), read(path))).into()
}

#[test]
fn the_demo_scripts_go_to_every_store_and_are_not_sent_twice() {
    let world = World::new("seed-demo");
    assert_snapshot!(told(&world.seed([]).run()), @r#"
        exit: 0
        --- stdout
        STORE STATE SENT UNCHANGED REMOVED BYTES TOOK RATE
        s3 done 7 0 0 10.3 KiB [DURATION] [RATE]
        dynamodb done 7 0 0 10.3 KiB [DURATION] [RATE]
        redis done 7 0 0 10.3 KiB [DURATION] [RATE]
        area `[NAME]`: 7 files, 10.3 KiB in every store after [DURATION]
        release [RELEASE] of area `[NAME]`: 7 files, 7 added, 0 changed, 0 removed in [DURATION]

        --- stderr
        "#);
    world.assert_held(&demo());
    assert_snapshot!(told(&world.seed([]).run()), @r#"
        exit: 0
        --- stdout
        STORE STATE SENT UNCHANGED REMOVED BYTES TOOK RATE
        s3 done 0 7 0 0 B [DURATION] -
        dynamodb done 0 7 0 0 B [DURATION] -
        redis done 0 7 0 0 B [DURATION] -
        area `[NAME]`: 7 files, 10.3 KiB in every store after [DURATION]
        area `[NAME]` has exactly this already: release [RELEASE]

        --- stderr
        "#);
    world.assert_held(&demo());
}

#[test]
fn only_what_changed_is_sent_and_what_is_gone_is_removed() {
    let world = World::new("seed-change");
    let mut wanted = files([("a.py", b"a = 1\n"), ("b/c.py", b"c = 1\n"), ("b/d.py", b"")]);
    let dir = Dir::new(&wanted);
    world.seed_dir(dir.path()).run().expect(0);

    // Same size, so that only the content tells.
    wanted.insert("a.py".to_owned(), dir_write(&dir, "a.py", b"a = 2\n"));
    fs::remove_file(dir.path().join("b/d.py")).expect("removed");
    wanted.remove("b/d.py");
    let output = world.seed_dir(dir.path()).args(["--output", "json"]).run().expect(0);
    let result = output.json_lines().pop().expect("a result");
    for store in result["data"]["stores"].as_array().expect("stores") {
        assert_eq!(
            (&store["state"], &store["sent"], &store["unchanged"], &store["removed"]),
            (&json!("done"), &json!(1), &json!(1), &json!(1)),
            "{store}"
        );
    }
    world.assert_held(&wanted);
}

#[test]
fn a_dry_run_names_what_it_would_do_and_writes_nothing() {
    let world = World::new("seed-dry");
    let before = files([("changed.py", b"1"), ("gone.py", b"1"), ("same.py", b"1")]);
    let dir = Dir::new(&before);
    world.seed_dir(dir.path()).run().expect(0);
    fs::remove_file(dir.path().join("gone.py")).expect("removed");
    dir.write("changed.py", b"2");
    dir.write("new/one.py", b"1");
    assert_snapshot!(told(&world.seed_dir(dir.path()).args(["--dry-run"]).run()), @r#"
        exit: 0
        --- stdout
        STORE STATE TO SEND UNCHANGED TO REMOVE BYTES TOOK RATE
        s3 planned 2 1 1 2 B [DURATION] -
        dynamodb planned 2 1 1 2 B [DURATION] -
        redis planned 2 1 1 2 B [DURATION] -
        area `[NAME]`: 3 files, 3 B; nothing was written after [DURATION]
        + new/one.py
        ~ changed.py
        - gone.py
        a release of area `[NAME]` would be made, its move 2: 1 added, 1 changed, 1 removed

        --- stderr
        "#);
    world.assert_held(&before);
}

#[test]
fn only_the_stores_that_were_named() {
    let world = World::new("seed-stores");
    let output = world
        .seed(["--store", "s3", "--store", "redis", "--output", "json"])
        .run()
        .expect(0);
    let result = output.json_lines().pop().expect("a result");
    let stores: Vec<_> = result["data"]["stores"]
        .as_array()
        .expect("stores")
        .iter()
        .map(|s| &s["store"])
        .collect();
    assert_eq!(stores, [&json!("s3"), &json!("redis")]);
    let [s3, dynamodb, redis] = world.held();
    assert_eq!((s3.len(), dynamodb.len(), redis.len()), (7, 0, 7));
}

#[test]
fn an_area_that_lies_in_one_store_alone_keeps_others_from_lying_inside_it() {
    let world = World::new("seed-alone");
    let inside = format!("{}/in", world.name);
    world.seed(["--store", "s3"]).run().expect(0);
    for options in [&[][..], &["--no-plain"]] {
        let refused = world.rstack(["seed", "--area", &inside]).args(options).run().expect(1);
        assert!(refused.stderr.contains("lie one inside the other"), "{refused}");
    }
    // Nothing was written: not even a marker, which would hide the files above it.
    let [s3, ..] = world.held();
    assert_eq!(s3.len(), 7);
}

#[test]
fn of_two_areas_made_at_once_that_lie_inside_each_other_one_is_refused() {
    let world = World::new("seed-nested");
    for round in 0..4 {
        let outer = format!("{}/{round}", world.name);
        let inner = format!("{outer}/in");
        let seed = |area: &str| world.rstack(["seed", "--area", area, "--no-plain"]).spawn();
        let runs = [seed(&outer), seed(&inner)].map(Running::wait);
        let refused = runs
            .iter()
            .filter(|run| run.stderr.contains("lie one inside the other"));
        assert_eq!(refused.count(), 1, "{}{}", runs[0], runs[1]);
    }
}

#[test]
fn areas_are_kept_apart_and_never_lie_inside_each_other() {
    let world = World::new("seed-areas");
    let area = format!("{}/tony.yum", world.name);
    let seed = |area: &str| {
        let call = crate::support::local::shared().rstack(["seed", "-n", &world.name, "--area", area]);
        call.hide(&world.name, "[NAME]").run()
    };
    seed(&area).expect(0);
    assert_snapshot!(told(&seed(&world.name)), @r#"
        exit: 1
        --- stdout

        --- stderr
        error: area `[NAME]` and area `[NAME]/tony.yum`, which exists, lie one inside the other
        hint: choose another name, so that the files of one cannot be taken for files of the other
        "#);
    assert_snapshot!(told(&seed(".rstack")), @r#"
        exit: 2
        --- stdout

        --- stderr
        error: invalid value '.rstack' for '--area <AREA>': ".rstack" cannot be the name of an area

        tip: a name such as `main`, or several with `/` between them such as `home/tony.yum`; none of them is empty, `.`, `..` or `.rstack`

        For more information, try '--help'.
        "#);
    seed(&format!("{}-b", world.name)).expect(0);
    let held = super::world::held;
    for store in world.stores() {
        let count = crate::support::block_on(async {
            (
                held(&*store, &area).await.len(),
                held(&*store, &format!("{}-b", world.name)).await.len(),
            )
        });
        assert_eq!(count, (7, 7));
    }
}

#[test]
fn another_environment_that_shares_the_redis_takes_the_area_over() {
    let (first, second) = (World::new("seed-first"), World::new("seed-second"));
    first
        .seed_dir(Dir::new(&files([("old.py", b"1"), ("both.py", b"1")])).path())
        .run()
        .expect(0);
    let dir = Dir::new(&files([("new.py", b"2"), ("both.py", b"2")]));
    let area = ["--area", &first.name];
    let shared = crate::support::local::shared();
    let output = shared
        .rstack(["seed", "-n", &second.name])
        .args(area)
        .args([dir.path()])
        .run()
        .expect(0);
    assert!(output.stderr.contains("holds files of another environment"), "{output}");
    let [_, _, redis] = first.held();
    assert_eq!(redis, files([("new.py", b"2"), ("both.py", b"2")]));
    // The first environment's own stores are untouched.
    let [s3, dynamodb, _] = first.held();
    assert_eq!(s3, files([("old.py", b"1"), ("both.py", b"1")]));
    assert_eq!(dynamodb, s3);
}

#[test]
fn what_has_to_be_said_first_is_said() {
    let shared = crate::support::local::shared();
    assert_snapshot!(told(&shared.rstack(["seed"]).run()), @r#"
        exit: 2
        --- stdout

        --- stderr
        error: which environment? no name is given
        hint: use `--name NAME`, RSTACK_NAME, or `name: NAME` in rstack.yaml
        "#);
    assert_snapshot!(told(&shared.rstack(["seed", "-n", "nowhere"]).run()), @r#"
        exit: 1
        --- stdout

        --- stderr
        error: there is no environment `nowhere` on the local AWS
        hint: `rstack up --name nowhere --local` makes it; `rstack status --local` without a name lists those there are
        "#);
    assert_snapshot!(told(&shared.rstack(["seed", "-n", "x", "--redis-url", "http://:secret@h"]).run()), @r#"
        exit: 2
        --- stdout

        --- stderr
        error: `--redis-url`: this is no Redis address; an address looks like `redis://host:6379` or `rediss://:password@host:6379/0`
        "#);
    assert_snapshot!(told(&shared.rstack(["seed", "-n", "x", "--store", "s4"]).run()), @r#"
        exit: 2
        --- stdout

        --- stderr
        error: invalid value 's4' for '--store <STORE>'
        [possible values: s3, dynamodb, redis]

        For more information, try '--help'.
        "#);
    let world = World::from_template(
        "seed-own",
        "Resources: {H: {Type: 'AWS::CloudFormation::WaitConditionHandle'}}",
    );
    assert_snapshot!(told(&world.seed([]).run()), @r#"
        exit: 1
        --- stdout

        --- stderr
        error: the stack has no output BucketName, TableName, RedisAddress, RedisPort
        hint: the stores are found by these outputs; add them to the template and run `rstack up` again
        "#);
}

fn dir_write(dir: &Dir, path: &str, content: &[u8]) -> Vec<u8> {
    dir.write(path, content);
    content.to_vec()
}

#[test]
fn one_changed_file_of_four_thousand_takes_few_requests() {
    let world = World::new("seed-few");
    let dir = Dir::new(&many(4000, 300, 7));
    // Other tests change the index of the shared one at the same time, which then takes another try.
    let redis = Redis::start(&[]);
    let url = redis.url();
    let seed = || world.seed_dir(dir.path()).args(["--redis-url", &url]);
    seed().run().expect(0);
    fs::write(dir.path().join("changed.py"), "a = 1\n").expect("written");
    let output = seed().env("RSTACK_LOG", "debug").run().expect(0);
    let requests =
        ["S3", "DynamoDB", "Redis"].map(|service| output.stderr.matches(&format!("service=\"{service}\"")).count());
    assert!(requests.iter().all(|count| (5..20).contains(count)), "{requests:?}");
    world.seed_dir(dir.path()).run().expect(0);
    let mut files = many(4000, 300, 7);
    files.insert("changed.py".to_owned(), "a = 1\n".into());
    world.assert_held(&files);
}

#[test]
fn a_terminal_of_40_columns_gets_a_line_for_each_cell() {
    let world = World::new("seed-narrow");
    let session = world.seed_on_a_terminal(40);
    assert_eq!(session.code, 0, "{}", session.text);
    let control = regex::Regex::new("\u{1b}\\[[0-9;?]*[A-Za-z]|\r").expect("a pattern");
    let text = control.replace_all(&session.text, "");
    let lines: Vec<&str> = text.lines().collect();
    let cells = |heading: &str| -> Vec<&str> {
        let cells = lines.iter().filter_map(|line| line.strip_prefix(heading));
        cells.map(str::trim).collect()
    };
    assert_eq!(cells("STORE "), ["s3", "dynamodb", "redis"], "{text}");
    assert_eq!(cells("UNCHANGED "), ["0"; 3], "{text}");
    assert_eq!(cells("BYTES "), ["10.3 KiB"; 3], "{text}");
}
