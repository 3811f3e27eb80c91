//! `rstack prune`, on an environment of the local AWS. What comes a day after is in `release/pruning.rs`, where a test
//! says what time it is.

use insta::assert_snapshot;

use crate::support::{Output, Workspace};

/// Three releases.
fn three_releases(what: &str) -> Workspace {
    let world = Workspace::new(what);
    for number in ["1", "2", "3"] {
        world.write("src/a.py", format!("a = {number}\n"));
        world.seed("./src", &["-m", number, "--no-plain"]).expect(0);
    }
    world
}

fn prune(world: &Workspace, more: &[&str]) -> Output {
    world.run(&[&["prune", &world.name, "--author", "me"], more].concat())
}

#[test]
fn a_retired_release_is_refused_with_the_time_and_comes_back_with_a_rollback() {
    let world = three_releases("prune");
    assert_snapshot!(prune(&world, &["--keep", "1"]), @r"
    exit: 0
    --- stdout
    area `[NAME]`: 3 releases kept after [DURATION]
    2 releases of these because of having been current within the last [DURATION]; `--even-recent` lets go of them

    --- stderr
    ");
    assert_eq!(
        prune(&world, &["--keep", "1", "--dry-run"])
            .expect(0)
            .stdout
            .matches("would be retired")
            .count(),
        0
    );
    let all = ["--keep", "1", "--even-recent"];
    let planned = prune(&world, &[&all[..], &["--dry-run"]].concat()).expect(0);
    assert_eq!(planned.stdout.matches("would be retired").count(), 2, "{planned}");
    assert_snapshot!(prune(&world, &all), @r"
    exit: 2
    --- stdout

    --- stderr
    error: nobody can be asked here: prune area `[NAME]`?
    hint: add `--yes` to answer yes
    ");
    assert_eq!(world.moves().len(), 3);
    assert_snapshot!(prune(&world, &[&all[..], &["--yes", "-m", "too many"]].concat()), @r"
    exit: 0
    --- stdout
    RELEASE           MOVE  BY  CURRENT UNTIL         WHAT     DUE                   WHY
    [RELEASE]     2  me  [TIME]  retired  [TIME]  2
    [RELEASE]     1  me  [TIME]  retired  [TIME]  1
    area `[NAME]`: 1 release kept, 2 retired after [DURATION]

    --- stderr
    ");
    let moves = world.moves();
    assert_eq!((moves.len(), &moves[0]["kind"]), (4, &"prune".into()));
    assert_eq!(
        (&moves[1]["keeping"], &moves[3]["keeping"]),
        (&"kept".into(), &"retired".into())
    );
    let first = moves[3]["release"].as_str().expect("an id");
    assert_snapshot!(world.run(&["cat", &world.name, "a.py", "--at", first]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: release [RELEASE] of area `[NAME]` was pruned at [TIME] by me; what only it needs is deleted from [TIME] on
    hint: until then `rstack rollback --name [NAME] --local [NAME] --to [RELEASE]` brings it back
    ");
    assert_snapshot!(world.run(&["releases", &world.name]), @r"
    exit: 0
    --- stdout
    MOVE     RELEASE           TIME                  BY  WHAT             FILES  +  ~  -  WHY
       4  *  [RELEASE]  [TIME]  me  prune                1  0  0  0  too many
       3     [RELEASE]  [TIME]  me  publish              1  0  1  0  3
       2     [RELEASE]  [TIME]  me  publish, pruned      1  0  1  0  2
       1     [RELEASE]  [TIME]  me  publish, pruned      1  1  0  0  1

    --- stderr
    ");
    // Nothing more to do before a day has passed.
    let again = prune(&world, &[&all[..], &["--output", "json"]].concat()).expect(0);
    let again = again.json_lines().pop().expect("a result");
    assert_eq!(again["data"]["waiting"].as_array().map(Vec::len), Some(2), "{again}");
    world.run(&["rollback", &world.name, "--to", first, "--yes"]).expect(0);
    assert_eq!(world.run(&["cat", &world.name, "a.py"]).expect(0).stdout, "a = 1\n");
    world.run(&["verify", &world.name]).expect(0);
}

#[test]
fn a_redis_that_does_not_answer_is_told_and_options_are_checked() {
    let world = three_releases("prune-redis");
    let without = [
        "--keep",
        "2",
        "--even-recent",
        "--yes",
        "--redis-url",
        "redis://127.0.0.1:1",
    ];
    let output = prune(&world, &without).expect(3);
    assert!(output.stdout.contains("unreachable"), "{output}");
    let again = format!("{} --keep 2 --even-recent ", world.name);
    assert!(output.stdout.contains(&again), "{output}");
    assert_snapshot!(world.run(&["prune", "nothing", "--keep", "1"]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is no release in area `nothing`
    hint: `rstack status` lists the areas there are
    ");
    prune(&world, &[]).expect(2);
    prune(&world, &["--keep", "0"]).expect(2);
    prune(&world, &["--keep", "1", "--older-than", "3d"]).expect(2);
}
