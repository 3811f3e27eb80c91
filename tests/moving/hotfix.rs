//! `rstack hotfix`.

use std::fs;
use std::os::unix::fs::symlink;

use insta::assert_snapshot;

use super::world::{Files, World, files, told};

/// An area with a release, and the name of one for hot fixes.
fn production(what: &str) -> (World, String, String) {
    let world = World::new(what);
    let (prod, hotfix) = (world.area("prod"), world.area("hotfix"));
    let content = files([("shop/old.py", "old = 1\n"), ("shop/pricing.py", "price = 2\n")]);
    world.seed(&prod, &content, &[]);
    (world, prod, hotfix)
}

fn write(world: &World, path: &str, content: &str) -> String {
    let path = world.dir().join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    fs::write(&path, content).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn files_in_front_of_an_area_are_read_first_and_removed_paths_are_hidden_until_it_is_cleared() {
    let (world, prod, hotfix) = production("hotfix");
    let union = format!("{hotfix};{prod}");
    let pricing = write(&world, "shop/pricing.py", "price = 1\n");
    let base = world.dir().to_str().expect("UTF-8").to_owned();
    let options = ["--area", hotfix.as_str(), "--base", &base, "--yes"];
    let call = |what: &[&str]| {
        let args = ["hotfix"].iter().chain(what).chain(&options).copied();
        world.call(args.collect::<Vec<_>>()).run()
    };
    assert_snapshot!(told(&call(&[&pricing, "--remove", "shop/old.py", "--dry-run"])), @r"
    exit: 0
    --- stdout
    + shop/pricing.py
    ! shop/old.py is hidden
    area `[NAME]-hotfix` would have 1 file: 1 added, 0 changed, 0 removed

    --- stderr
    ");
    assert_snapshot!(told(&call(&[&pricing, "-m", "half prices"])), @r"
    exit: 0
    --- stdout
    release [RELEASE] of area `[NAME]-hotfix`: 1 file, 1 added, 0 changed, 0 removed in [DURATION]
    plain files: 1 sent, 0 removed in every store

    --- stderr
    [CLOCK] area `[NAME]-hotfix` would have 1 file: 1 added, 0 changed, 0 removed
    [CLOCK] in front of an area, such as `prod`, it is read as '[NAME]-hotfix;prod': rstack ls --name [NAME] --local '[NAME]-hotfix;prod'
    ");
    let fixed = files([("shop/old.py", "old = 1\n"), ("shop/pricing.py", "price = 1\n")]);
    assert_eq!(world.read(&union), fixed);
    assert_eq!(world.plain(&hotfix)[0], files([("shop/pricing.py", "price = 1\n")]));
    // On top of what is there: the file before stays.
    assert_snapshot!(told(&call(&["--remove", "shop/old.py"])), @r"
    exit: 0
    --- stdout
    ! shop/old.py is hidden
    release [RELEASE] of area `[NAME]-hotfix`: 1 file, 0 added, 0 changed, 0 removed in [DURATION]
    plain files: 0 sent, 0 removed in every store

    --- stderr
    [CLOCK] area `[NAME]-hotfix` would have 1 file: 0 added, 0 changed, 0 removed; shop/old.py hidden
    [CLOCK] in front of an area, such as `prod`, it is read as '[NAME]-hotfix;prod': rstack ls --name [NAME] --local '[NAME]-hotfix;prod'
    ");
    assert_eq!(world.read(&union), files([("shop/pricing.py", "price = 1\n")]));
    let gone = world.look(["cat", &union, "shop/old.py"]).expect(1);
    assert!(gone.stderr.contains("there is no"), "{gone}");
    assert_snapshot!(told(&call(&[&pricing, "--remove", "shop/old.py"])), @r"
    exit: 0
    --- stdout
    ! shop/old.py is hidden
    area `[NAME]-hotfix` is so already: release [RELEASE]
    plain files: 0 sent, 0 removed in every store

    --- stderr
    [CLOCK] in front of an area, such as `prod`, it is read as '[NAME]-hotfix;prod': rstack ls --name [NAME] --local '[NAME]-hotfix;prod'
    ");
    let listed = world.look(["ls", &hotfix]).expect(0);
    let hidden = listed
        .stdout
        .lines()
        .last()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(hidden, Some(vec!["hidden", "shop/old.py"]), "{listed}");
    // The area itself still has it, and a hot fix can be rolled back like any release.
    assert!(world.read(&prod).contains_key("shop/old.py"));
    world.call(["rollback", &hotfix, "--yes"]).run().expect(0);
    assert_eq!(world.read(&union), fixed);
    world
        .call(["rollback", &hotfix, "--yes", "--to", &release(&world, &hotfix, 1)])
        .run()
        .expect(0);
    let cleared = world.call(["hotfix", "--clear", "--area", &hotfix, "--yes"]).run();
    assert_snapshot!(told(&cleared), @r"
    exit: 0
    --- stdout
    release [RELEASE] of area `[NAME]-hotfix`: 0 files, 0 added, 0 changed, 1 removed in [DURATION]
    plain files: 0 sent, 1 removed in every store

    --- stderr
    [CLOCK] area `[NAME]-hotfix` would have 0 files: 0 added, 0 changed, 1 removed
    ");
    assert_eq!(world.read(&union), world.read(&prod));
    assert_eq!(world.plain(&hotfix), [(); 3].map(|()| Files::new()));
    let again = world.call(["hotfix", "--clear", "--area", &hotfix, "--yes"]).run();
    assert_snapshot!(told(&again), @r"
    exit: 0
    --- stdout
    area `[NAME]-hotfix` is so already: release [RELEASE]
    plain files: 0 sent, 0 removed in every store

    --- stderr
    ");
}

/// The release of a move, the newest being 0.
fn release(world: &World, area: &str, at: usize) -> String {
    world.moves(area)[at]["release"].as_str().expect("an id").to_owned()
}

#[test]
fn paths_are_below_the_current_directory_and_what_leaves_it_is_refused() {
    let world = World::new("hotfix-paths");
    let area = world.area("hotfix");
    write(&world, "pkg/a.py", "a = 1\n");
    let outside = write(&world, "../hotfix-outside.py", "b = 1\n");
    symlink(&outside, world.dir().join("link.py")).expect("a link");
    let call = |what: &[&str]| {
        let args = ["hotfix", "--area", area.as_str(), "--yes", "--no-plain"];
        let call = world.call(args.iter().chain(what).copied().collect::<Vec<_>>());
        call.dir(world.dir()).hide(outside.clone(), "[OUTSIDE]").run()
    };
    call(&["pkg/a.py"]).expect(0);
    assert_eq!(world.read(&area), files([("pkg/a.py", "a = 1\n")]));
    for wrong in [
        &["../hotfix-outside.py"][..],
        &["link.py"],
        &["pkg"],
        &["nothing.py"],
        &["pkg/a.py", "--remove", "pkg/a.py"],
        &["--remove", "../x"],
        &["--remove", ".rstack/marker"],
    ] {
        let refused = call(wrong);
        assert_ne!(refused.code(), Some(0), "{wrong:?}");
        assert!(
            refused.stderr.contains("error: ") && refused.stderr.contains("hint: ") || wrong == ["nothing.py"],
            "{refused}"
        );
    }
    fs::remove_file(&outside).expect("removed");
    assert_snapshot!(told(&call(&[])), @r"
    exit: 2
    --- stdout

    --- stderr
    error: the following required arguments were not provided:
    <FILE|--remove <PATH>|--clear>

    Usage: rstack hotfix --area <AREA> --yes --no-plain --name <NAME> --author <NAME> <FILE|--remove <PATH>|--clear>

    For more information, try '--help'.
    ");
    assert_snapshot!(told(&call(&["link.py"])), @r"
    exit: 1
    --- stdout

    --- stderr
    error: find link.py: No such file or directory (os error 2)
    ");
    assert_eq!(world.moves(&area).len(), 1);
}

#[test]
fn it_asks_first_and_two_hot_fixes_add_up() {
    let (world, _, hotfix) = production("hotfix-asks");
    let (one, two) = (write(&world, "one.py", "1\n"), write(&world, "two.py", "2\n"));
    let call = |file: &str, more: &[&str]| {
        let args = ["hotfix", file, "--area", hotfix.as_str(), "--output", "json"];
        world
            .call(args.iter().chain(more).copied().collect::<Vec<_>>())
            .dir(world.dir())
    };
    call(&one, &[]).run().expect(2);
    assert_eq!(
        world.look(["releases", &hotfix]).code(),
        Some(1),
        "nothing was published"
    );
    let running = [&one, &two].map(|file| call(file, &["--yes"]).spawn());
    for ended in running {
        let data = ended.wait().expect(0).json_lines().pop().expect("a result")["data"].clone();
        assert_eq!(data["release"]["new"], true);
        assert_eq!(data["hidden"], serde_json::json!([]));
    }
    assert_eq!(world.read(&hotfix), files([("one.py", "1\n"), ("two.py", "2\n")]));
}

#[test]
fn after_it_was_cleared_the_next_one_is_written_as_plain_files_again() {
    let (world, _, hotfix) = production("hotfix-cleared");
    let base = world.dir().to_str().expect("UTF-8").to_owned();
    let pricing = write(&world, "shop/pricing.py", "price = 1\n");
    let call = |what: &[&str]| {
        let options = ["--area", hotfix.as_str(), "--yes"];
        let args = ["hotfix"].iter().chain(what).chain(&options).copied();
        world.call(args.collect::<Vec<_>>()).run().expect(0)
    };
    // Also when the first one of all only hides something.
    call(&["--remove", "shop/old.py"]);
    for _ in 0..2 {
        call(&["--base", &base, &pricing]);
        assert_eq!(
            world.plain(&hotfix),
            [(); 3].map(|()| files([("shop/pricing.py", "price = 1\n")]))
        );
        call(&["--clear"]);
    }
}

#[test]
fn a_file_is_not_put_where_a_directory_is() {
    let (world, prod, _) = production("hotfix-clash");
    let base = world.dir().to_str().expect("UTF-8").to_owned();
    let file = write(&world, "shop", "not a directory\n");
    let hotfix = |more: &[&str]| {
        let args = ["hotfix", file.as_str(), "--area", &prod, "--base", &base, "--yes"];
        world.call(args.iter().chain(more).copied().collect::<Vec<_>>()).run()
    };
    let refused = hotfix(&[]).expect(1);
    assert!(
        refused
            .stderr
            .contains("`shop` would be a file and, for `shop/old.py`, a directory"),
        "{refused}"
    );
    hotfix(&["--remove", "shop/old.py", "--remove", "shop/pricing.py"]).expect(0);
    assert_eq!(world.read(&prod), files([("shop", "not a directory\n")]));
}

#[test]
fn a_directory_that_is_removed_is_hidden_with_all_that_is_in_it() {
    let (world, prod, hotfix) = production("hotfix-directory");
    let union = format!("{hotfix};{prod}");
    let content = files([("shop/old.py", "old = 1\n"), ("shopping.py", "a = 1\n")]);
    world.seed(&prod, &content, &[]);
    let base = world.dir().to_str().expect("UTF-8").to_owned();
    let new = write(&world, "shop/new.py", "new = 1\n");
    let call = |what: &[&str]| {
        let args = ["hotfix", "--area", hotfix.as_str(), "--base", &base, "--yes"];
        world
            .call(args.iter().chain(what).copied().collect::<Vec<_>>())
            .run()
            .expect(0)
    };
    call(&["--remove", "./shop/"]);
    assert_eq!(world.read(&union), files([("shopping.py", "a = 1\n")]));
    call(&[&new]);
    let both = files([("shop/new.py", "new = 1\n"), ("shopping.py", "a = 1\n")]);
    assert_eq!(world.read(&union), both, "what comes later in the same area is there");
    call(&["--remove", "shop"]);
    assert_eq!(world.read(&union), files([("shopping.py", "a = 1\n")]));
    let history = world.look(["releases", &hotfix]).expect(0).stdout;
    assert_eq!(history.matches("publish, hides 1").count(), 3, "{history}");
}
