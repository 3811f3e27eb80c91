//! `rstack rollback`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;

use super::world::{Files, World, files, lose, told};
use crate::support::terminal;

struct Three {
    world: World,
    area: String,
    /// The first first.
    contents: [Files; 3],
    releases: [String; 3],
}

impl Three {
    /// An area with three releases.
    fn new(what: &str, more: &[&str]) -> Self {
        let world = World::new(what);
        let area = world.area("prod");
        let contents = [
            files([("a.py", "a = 1\n"), ("b.py", "b = 1\n")]),
            files([("a.py", "a = 2\n"), ("b.py", "b = 1\n"), ("c/d.py", "d = 1\n")]),
            files([("a.py", "a = 3\n"), ("b.py", "b = 1\n")]),
        ];
        let mut number = 0;
        let releases = contents.clone().map(|content| {
            number += 1;
            let why = format!("number {number}");
            world.seed(&area, &content, &[&["-m", why.as_str()], more].concat())
        });
        Self {
            world,
            area,
            contents,
            releases,
        }
    }

    fn current(&self) -> String {
        let moves = self.world.moves(&self.area);
        moves[0]["release"].as_str().expect("an id").to_owned()
    }
}

#[test]
fn without_a_target_it_goes_back_one_release_and_then_one_more_until_the_first() {
    let three = Three::new("rollback", &[]);
    let (world, area) = (&three.world, three.area.as_str());
    assert_snapshot!(told(&world.call(["rollback", area, "--dry-run"]).run()), @r"
    exit: 0
    --- stdout
    + c/d.py
    ~ a.py
    area `[NAME]-prod` would go back to release [RELEASE]: 3 files, 1 added, 1 changed, 0 removed

    --- stderr
    ");
    world.assert_seen(area, &three.contents[2]);
    let back = world.call(["rollback", area, "--yes", "-m", "wrong prices"]).run();
    assert_snapshot!(told(&back), @r"
    exit: 0
    --- stdout
    area `[NAME]-prod` is back at release [RELEASE]: 3 files, 1 added, 1 changed, 0 removed in [DURATION]
    plain files: 2 sent, 0 removed in every store

    --- stderr
    [CLOCK] area `[NAME]-prod` is at [RELEASE], by me at [TIME]: number 3
    [CLOCK] it would go to [RELEASE], by me at [TIME]: number 2
    [CLOCK] + 1 added ~ 1 changed - 0 removed
    [CLOCK] release [RELEASE] is current in area `[NAME]-prod` from now on; the other stores follow
    ");
    world.assert_seen(area, &three.contents[1]);
    assert_eq!(world.plain(area), [1; 3].map(|at| three.contents[at].clone()));
    let moves = world.moves(area);
    assert_eq!(
        (
            &moves[0]["kind"],
            &moves[0]["reason"],
            &moves[0]["author"],
            &moves[0]["sequence"]
        ),
        (&"rollback".into(), &"wrong prices".into(), &"me".into(), &4.into())
    );
    assert_eq!(moves[0]["added"], 1);
    world.call(["rollback", area, "--yes"]).run().expect(0);
    world.assert_seen(area, &three.contents[0]);
    assert_eq!(world.plain(area), [0; 3].map(|at| three.contents[at].clone()));
    assert_snapshot!(told(&world.call(["rollback", area, "--yes"]).run()), @r"
    exit: 1
    --- stdout

    --- stderr
    error: area `[NAME]-prod` has no release before [RELEASE], which is its first
    hint: `rstack releases` lists those there are; `--to` names one
    ");
    // Forward again, and published on top: what is before now is where it came from.
    let forward = world
        .call(["rollback", area, "--yes", "--to", &three.releases[2]])
        .run();
    assert_snapshot!(told(&forward.expect(0)), @r"
    exit: 0
    --- stdout
    area `[NAME]-prod` is back at release [RELEASE]: 2 files, 0 added, 1 changed, 0 removed in [DURATION]
    plain files: 1 sent, 0 removed in every store

    --- stderr
    [CLOCK] area `[NAME]-prod` is at [RELEASE], by me at [TIME]: number 1
    [CLOCK] it would go to [RELEASE], by me at [TIME]: number 3
    [CLOCK] + 0 added ~ 1 changed - 0 removed
    [CLOCK] release [RELEASE] is current in area `[NAME]-prod` from now on; the other stores follow
    ");
    world.assert_seen(area, &three.contents[2]);
    world.call(["rollback", area, "--yes"]).run().expect(0);
    assert_eq!(three.current(), three.releases[0]);
}

#[test]
fn a_release_or_a_time_can_be_named_and_where_it_is_already_nothing_moves() {
    let three = Three::new("rollback-to", &["--no-plain"]);
    let (world, area) = (&three.world, three.area.as_str());
    let first = &three.releases[0];
    let moves = world.moves(area);
    let time = moves[2]["time"].as_str().expect("a time");
    for to in [&first[..8], time] {
        let back = world
            .call(["rollback", area, "--yes", "--to", to, "--output", "json"])
            .run()
            .expect(0);
        let lines = back.json_lines();
        let data = &lines.last().expect("a result")["data"];
        assert_eq!(data["release"]["id"], world.moves(area)[0]["release"]);
    }
    world.call(["rollback", area, "--yes", "--to", first]).run().expect(0);
    assert_eq!(three.current(), *first);
    // It is there: copies that lag are brought along all the same.
    let [s3, _, redis] = world.stores();
    for (store, part) in [(&s3, "pack"), (&redis, "pack"), (&redis, "release"), (&s3, "release")] {
        lose(&**store, &format!("{area}/.rstack/{part}/"));
    }
    let count = world.moves(area).len();
    let again = world.call(["rollback", area, "--yes", "--to", first]).run();
    assert_snapshot!(told(&again), @r"
    exit: 0
    --- stdout
    area `[NAME]-prod` is at release [RELEASE] already

    --- stderr
    ");
    world.assert_seen(area, &three.contents[0]);
    assert_eq!(
        world.plain(area),
        [(); 3].map(|()| Files::new()),
        "seeded without plain files, it has none now"
    );
    assert_eq!(world.moves(area).len(), count);
    assert_snapshot!(told(&world.call(["rollback", area, "--yes", "--to", "beef"]).run()), @r"
    exit: 1
    --- stdout

    --- stderr
    error: area `[NAME]-prod` has no release `beef`
    hint: `rstack releases` lists those there are
    ");
    assert_snapshot!(told(&world.call(["rollback", "nothing", "--yes"]).run()), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is no release in area `nothing`
    hint: `rstack seed DIR --area AREA` publishes one
    ");
    assert_snapshot!(told(&world.call(["rollback", area, "--to", "yesterday"]).run()), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: invalid value 'yesterday' for '--to <RELEASE|TIME>': "yesterday" is neither a release nor a time

    tip: a release is its id or the first digits of it, as `rstack releases` shows it; a time is written as [TIME] or [TIME]+01:00

    For more information, try '--help'.
    "#);
}

#[test]
fn what_stores_lost_of_an_older_release_is_back_before_the_marker_moves() {
    let three = Three::new("rollback-lost", &["--no-plain"]);
    let (world, area) = (&three.world, three.area.as_str());
    // Redis has nothing of the area any more, S3 no packs.
    let [s3, _, redis] = world.stores();
    lose(&*s3, &format!("{area}/.rstack/pack/"));
    lose(&*redis, &format!("{area}/"));
    let back = world
        .call(["rollback", area, "--yes", "--to", &three.releases[0], "--no-plain"])
        .run();
    back.expect(0);
    world.assert_seen(area, &three.contents[0]);
}

#[test]
fn plain_files_that_are_not_written_anew_are_told_of() {
    let three = Three::new("rollback-plain", &[]);
    let (world, area) = (&three.world, three.area.as_str());
    let back = world.call(["rollback", area, "--yes", "--no-plain"]).run();
    assert_snapshot!(told(&back), @r"
    exit: 0
    --- stdout
    area `[NAME]-prod` is back at release [RELEASE]: 3 files, 1 added, 1 changed, 0 removed in [DURATION]

    --- stderr
    [CLOCK] area `[NAME]-prod` is at [RELEASE], by me at [TIME]: number 3
    [CLOCK] it would go to [RELEASE], by me at [TIME]: number 2
    [CLOCK] + 1 added ~ 1 changed - 0 removed
    [CLOCK] release [RELEASE] is current in area `[NAME]-prod` from now on; the other stores follow
    [CLOCK] warning: the plain files of area `[NAME]-prod` stay what they were
    [CLOCK] hint: this writes them, however many there are: rstack rollback --name [NAME] --local [NAME]-prod --to [RELEASE] --plain
    ");
    assert_eq!(world.plain(area), [2; 3].map(|at| three.contents[at].clone()));
}

#[test]
fn on_a_terminal_it_asks_and_no_means_that_nothing_is_moved() {
    let three = Three::new("rollback-asks", &["--no-plain"]);
    let (world, area) = (&three.world, three.area.as_str());
    let home = world.local.home().display().to_string();
    let env = [("RSTACK_HOME", home.as_str()), ("RSTACK_LOCAL", "1")];
    let answer = |answer: &str| {
        let args = ["rollback", area, "-n", &world.name, "--no-plain"];
        terminal::session(&args, &env, 100, &[("[y/N]", answer)])
    };
    let no = answer("n\r");
    assert_eq!(no.code, 1, "{}", no.text);
    assert!(
        no.text.contains("it would go to") && no.text.contains("not confirmed"),
        "{}",
        no.text
    );
    assert_eq!(three.current(), three.releases[2]);
    let yes = answer("y\r");
    assert_eq!(yes.code, 0, "{}", yes.text);
    assert_eq!(three.current(), three.releases[1]);
    // Nobody is there to be asked.
    let nobody = world.call(["rollback", area]).run();
    assert_snapshot!(told(&nobody), @r"
    exit: 2
    --- stdout

    --- stderr
    [CLOCK] area `[NAME]-prod` is at [RELEASE], by me at [TIME]: number 2
    [CLOCK] it would go to [RELEASE], by me at [TIME]: number 1
    [CLOCK] + 0 added ~ 1 changed - 1 removed
    error: nobody can be asked here: roll area `[NAME]-prod` back?
    hint: add `--yes` to answer yes
    ");
    assert_eq!(three.current(), three.releases[1]);
}

#[test]
fn a_signed_area_is_not_moved_without_a_signature_unless_told() {
    let world = World::new("rollback-signed");
    let area = world.area("prod");
    let key = world.dir().join("key.pem");
    let key = key.to_str().expect("UTF-8");
    let public = world.look(["key", "generate", key]).expect(0).stdout;
    let (public, signed) = (public.trim(), ["--no-plain", "--sign", key]);
    for content in ["a = 1\n", "a = 2\n", "a = 3\n"] {
        world.seed(&area, &files([("a.py", content)]), &signed);
    }
    let back = ["rollback", area.as_str(), "--yes", "--no-plain"];
    assert_snapshot!(told(&world.call(back).run()), @r"
    exit: 1
    --- stdout

    --- stderr
    error: area `[NAME]-prod` is signed, and this move would not be: readers that trust keys would refuse the area
    hint: sign with `--sign KEY`, or say `--unsigned` if no reader trusts keys
    ");
    // As a hot fix is refused, before it shows or asks anything.
    fs::write(world.dir().join("a.py"), "a = 9\n").expect("written");
    let base = world.dir().display().to_string();
    let file = format!("{base}/a.py");
    let fix = world.call(["hotfix", &file, "--base", &base, "--area", &area]).run();
    assert_snapshot!(told(&fix), @r"
    exit: 1
    --- stdout

    --- stderr
    error: area `[NAME]-prod` is signed, and this move would not be: readers that trust keys would refuse the area
    hint: sign with `--sign KEY`, or say `--unsigned` if no reader trusts keys
    ");
    // What others can read is no secret.
    fs::set_permissions(key, fs::Permissions::from_mode(0o644)).expect("opened");
    let warned = world.call(back).args(["--sign", key, "--dry-run"]).run().expect(0);
    assert!(warned.stderr.contains("others may read the private key"), "{warned}");
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).expect("closed");
    let trusting = |call: crate::support::Rstack| call.env("RSTACK_TRUSTED_KEYS", public);
    assert_snapshot!(told(&trusting(world.call(back)).run()), @r"
    exit: 2
    --- stdout

    --- stderr
    error: keys are trusted here, and nothing is given to sign with: readers would refuse it
    hint: name a private key with `--sign KEY`, RSTACK_SIGNING_KEY or `signing_key` in rstack.yaml, or say `--unsigned`
    ");
    // Signed anew, those who trust the key read it.
    trusting(world.call(back).env("RSTACK_SIGNING_KEY", key))
        .run()
        .expect(0);
    let read = || trusting(world.local.rstack(["cat", "-n", &world.name, &area, "a.py"])).run();
    assert_eq!(read().expect(0).stdout, "a = 2\n");
    world.call(back).args(["--unsigned"]).run().expect(0);
    let refused = read().expect(1);
    assert!(refused.stderr.contains("not signed"), "{refused}");
    // What nobody trusted has signed is not made trustworthy by going back to it.
    world.seed(&area, &files([("a.py", "a = 4\n")]), &signed);
    let laundered = trusting(world.call(back).args(["--sign", key])).run();
    assert_snapshot!(told(&laundered), @r"
    exit: 1
    --- stdout

    --- stderr
    error: the release in area `[NAME]-prod` is not signed, and only signed ones are trusted
    hint: publish it with `rstack seed --sign KEY`, or read without trusted keys
    ");
}

#[test]
fn a_redis_that_cannot_be_reached_lags_and_the_same_command_again_brings_it_along() {
    let three = Three::new("rollback-lags", &[]);
    let (world, area) = (&three.world, three.area.as_str());
    let back = |more: &[&str]| world.call(["rollback", area, "--yes"]).args(more).run();
    let lagging = back(&["--redis-url", "redis://127.0.0.1:1"]);
    assert_eq!(lagging.code(), Some(3), "{lagging}");
    assert!(
        lagging.stdout.contains("is back at release") && lagging.stdout.contains("but a store lags"),
        "{lagging}"
    );
    // Told once. Without the release, it would go back one more.
    let again = "then again: rstack rollback";
    let pinned = format!("--to {} --redis-url redis://127.0.0.1:1", three.releases[1]);
    let mut hints = lagging.stderr.lines().filter(|line| line.contains(again));
    assert!(hints.next().is_some_and(|hint| hint.ends_with(&pinned)), "{lagging}");
    assert_eq!(hints.next(), None);
    // The environment is back, and says nothing older than it.
    let environment = format!("env:{}/{area}", world.name);
    assert_eq!(world.read(&environment), three.contents[1]);
    assert_eq!(world.plain(area)[0], three.contents[1]);
    let again = back(&["--to", &three.releases[1]]).expect(0);
    assert!(again.stdout.contains("already"), "{again}");
    world.assert_seen(area, &three.contents[1]);
    assert_eq!(world.plain(area), [1; 3].map(|at| three.contents[at].clone()));
}

/// As in containers and under cron; the world of a test has no USER either.
#[test]
fn without_a_user_in_the_environment_the_system_says_who_it_is() {
    let world = World::new("author");
    let author = |name: &str, variables: &[(&str, &str)]| {
        let area = world.area(name);
        let seed = ["seed", "-n", &world.name, "--area", &area, "--no-plain"];
        let call = world.local.rstack(seed);
        let call = variables.iter().fold(call, |call, (name, value)| call.env(name, value));
        call.run().expect(0);
        world.moves(&area)[0]["author"].as_str().expect("a name").to_owned()
    };
    let id = std::process::Command::new("id").arg("-un").output().expect("it runs");
    assert_eq!(author("a", &[]), String::from_utf8_lossy(&id.stdout).trim());
    assert_eq!(author("b", &[("USER", ""), ("LOGNAME", "")]), author("a", &[]));
    assert_eq!(author("c", &[("USER", ""), ("LOGNAME", "tony")]), "tony");
}
