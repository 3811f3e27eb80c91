//! `rstack promote`.

use insta::assert_snapshot;

use super::world::{World, files, lose, told};

#[test]
fn the_same_release_comes_to_another_area_and_lives_there_on_its_own() {
    let world = World::new("promote");
    let (uat, prod) = (world.area("uat"), world.area("prod"));
    let (old, new) = (
        files([("a.py", "a = 1\n"), ("gone.py", "")]),
        files([("a.py", "a = 2\n"), ("pkg/b c.py", "b = 1\n")]),
    );
    let first = world.seed(&uat, &old, &["-m", "first"]);
    let second = world.seed(&uat, &new, &["-m", "second"]);
    assert_snapshot!(told(&world.call(["promote", &uat, &prod, "--dry-run"]).run()), @r"
    exit: 0
    --- stdout
    + a.py
    + pkg/b c.py
    area `[NAME]-prod` would go to release [RELEASE] of area `[NAME]-uat`: 2 files, 2 added, 0 changed, 0 removed

    --- stderr
    ");
    let at = world.call(["promote", &uat, &prod, "--at", &first, "--yes"]).run();
    assert_snapshot!(told(&at), @r"
    exit: 0
    --- stdout
    area `[NAME]-prod` is now at release [RELEASE] of area `[NAME]-uat`: 2 files, 2 added, 0 changed, 0 removed in [DURATION]
    plain files: 2 sent, 0 removed in every store

    --- stderr
    [CLOCK] area `[NAME]-prod` has no release yet
    [CLOCK] it would go to [RELEASE], by me at [TIME]: first
    [CLOCK] + 2 added ~ 0 changed - 0 removed
    [CLOCK] release [RELEASE] is current in area `[NAME]-prod` from now on; the other stores follow
    ");
    world.assert_seen(&prod, &old);
    let promoted = world
        .call(["promote", &uat, &prod, "--yes", "-m", "accepted", "--output", "json"])
        .run();
    let data = promoted.expect(0).json_lines().pop().expect("a result")["data"].clone();
    assert_eq!(
        (&data["release"]["id"], &data["previous"]["id"]),
        (&second.as_str().into(), &first.as_str().into())
    );
    assert_eq!(data["origin"], serde_json::json!({ "area": uat, "sequence": 2 }));
    world.assert_seen(&prod, &new);
    assert_eq!(world.plain(&prod), [(); 3].map(|()| new.clone()));
    let moves = world.moves(&prod);
    assert_eq!(
        (
            &moves[0]["kind"],
            &moves[0]["reason"],
            &moves[0]["author"],
            &moves[0]["origin"]["area"]
        ),
        (
            &"promote".into(),
            &"accepted".into(),
            &"me".into(),
            &uat.as_str().into()
        )
    );
    assert_eq!(
        (&moves[0]["added"], &moves[0]["changed"], &moves[0]["removed"]),
        (&1.into(), &1.into(), &1.into())
    );
    // Nothing of the first area is needed any more.
    for store in world.stores() {
        lose(&*store, &format!("{uat}/"));
    }
    world.assert_seen(&prod, &new);
    world.call(["rollback", &prod, "--yes"]).run().expect(0);
    world.assert_seen(&prod, &old);
}

#[test]
fn what_cannot_be_promoted_is_refused() {
    let world = World::new("promote-refused");
    let (uat, prod) = (world.area("uat"), world.area("prod"));
    world.seed(&uat, &files([("a.py", "a = 1\n")]), &["--no-plain"]);
    assert_snapshot!(told(&world.call(["promote", &uat, &uat, "--yes"]).run()), @r"
    exit: 2
    --- stdout

    --- stderr
    error: area `[NAME]-uat` cannot be promoted to itself
    hint: `rstack rollback --name [NAME] --local --to RELEASE` moves an area to another of its releases
    ");
    assert_snapshot!(told(&world.call(["promote", "nothing", &prod, "--yes"]).run()), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is no release in area `nothing`
    hint: `rstack seed DIR --area AREA` publishes one
    ");
    assert_snapshot!(told(&world.call(["promote", &uat, &format!("{uat}/inside"), "--yes"]).run()), @r"
    exit: 1
    --- stdout

    --- stderr
    error: area `[NAME]-uat/inside` and area `[NAME]-uat`, which exists, lie one inside the other
    hint: choose another name, so that the files of one cannot be taken for files of the other
    ");
    assert_snapshot!(told(&world.call(["promote", &uat, &prod, "--yes", "--at", "2020-01-01T00:00:00Z"]).run()), @r"
    exit: 1
    --- stdout

    --- stderr
    error: area `[NAME]-uat` had no release at [TIME]
    hint: `rstack releases` lists those there are
    ");
    assert_snapshot!(told(&world.call(["promote", &uat, &prod]).run()), @r"
    exit: 2
    --- stdout

    --- stderr
    [CLOCK] area `[NAME]-prod` has no release yet
    [CLOCK] it would go to [RELEASE], by me at [TIME]
    [CLOCK] + 1 added ~ 0 changed - 0 removed
    error: nobody can be asked here: promote area `[NAME]-uat` to area `[NAME]-prod`?
    hint: add `--yes` to answer yes
    ");
    world
        .call(["promote", &uat, &prod, "--yes", "--no-plain"])
        .run()
        .expect(0);
    assert_snapshot!(told(&world.call(["promote", &uat, &prod, "--yes", "--no-plain"]).run()), @r"
    exit: 0
    --- stdout
    area `[NAME]-prod` is at release [RELEASE] already

    --- stderr
    ");
    assert_eq!(world.moves(&prod).len(), 1);
}

#[test]
fn with_trusted_keys_only_what_was_signed_is_promoted_and_it_is_signed_anew() {
    let world = World::new("promote-signed");
    let (uat, prod) = (world.area("uat"), world.area("prod"));
    let key = world.dir().join("key.pem");
    let key = key.to_str().expect("UTF-8");
    let public = world.look(["key", "generate", key]).expect(0).stdout;
    let public = public.trim();
    world.seed(&uat, &files([("a.py", "a = 1\n")]), &["--no-plain"]);
    let promote = || {
        let call = world.call(["promote", &uat, &prod, "--yes", "--no-plain"]);
        call.env("RSTACK_TRUSTED_KEYS", public)
            .env("RSTACK_SIGNING_KEY", key)
            .run()
    };
    assert_snapshot!(told(&promote()), @r"
    exit: 1
    --- stdout

    --- stderr
    error: the release in area `[NAME]-uat` is not signed, and only signed ones are trusted
    hint: publish it with `rstack seed --sign KEY`, or read without trusted keys
    ");
    world.seed(&uat, &files([("a.py", "a = 1\n")]), &["--no-plain", "--sign", key]);
    promote().expect(0);
    // With another key, also of the same release.
    let other = world.dir().join("other.pem");
    let other = other.to_str().expect("UTF-8");
    world.look(["key", "generate", other]).expect(0);
    let again = world.call(["promote", &uat, &prod, "--yes", "--no-plain", "--sign", other]);
    let again = again.run().expect(0);
    assert!(again.stdout.contains(" already, signed anew\n"), "{again}");
    promote().expect(0);
    let read = world.local.rstack(["cat", "-n", &world.name, &prod, "a.py"]);
    assert_eq!(
        read.env("RSTACK_TRUSTED_KEYS", public).run().expect(0).stdout,
        "a = 1\n"
    );
}
