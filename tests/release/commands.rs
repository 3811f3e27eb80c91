//! `rstack releases`, `ls` and `cat`, on an environment of the local AWS.

use std::fs;

use insta::assert_snapshot;

use crate::support::local::shared;
use crate::support::{Output, Rstack, Workspace};

/// Two releases: `a.py` changes, `b.py` goes, `c/d.py` comes.
fn two_releases(what: &str) -> Workspace {
    let demo = Workspace::new(what);
    let seed = |why| demo.seed("./src", &["-m", why, "--no-plain"]).expect(0);
    demo.write("src/a.py", "a = 1\n");
    demo.write("src/b.py", "b = 1\n");
    seed("the first");
    demo.write("src/a.py", "a = 2\n");
    fs::remove_file(demo.path("src/b.py")).expect("removed");
    demo.write("src/c/d.py", [0xff, 0xfe]);
    seed("the second");
    demo
}

/// Without the padding of tables, which follows from what is filtered.
fn squeezed(output: &Output) -> String {
    let lines = output.to_string();
    let lines = lines.lines().map(|line| {
        line.split(' ')
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_history_says_what_each_release_changed() {
    let demo = two_releases("releases-history");
    assert_snapshot!(squeezed(&demo.run(&["releases", &demo.name])), @r"
    exit: 0
    --- stdout
    MOVE RELEASE TIME BY WHAT FILES + ~ - WHY
    2 * [RELEASE] [TIME] me publish 2 1 1 1 the second
    1 [RELEASE] [TIME] me publish 2 2 0 0 the first

    --- stderr
    ");
    let moves = demo.moves();
    assert_eq!(moves[0]["parent"], moves[1]["release"]);
    assert_eq!(moves[0]["message"], "the second");
    let first = moves[1]["release"].as_str().expect("an id");
    let then = demo.run(&["releases", &demo.name, "--at", &first[..8]]);
    assert_snapshot!(squeezed(&then), @r"
    exit: 0
    --- stdout
    MOVE RELEASE TIME BY WHAT FILES + ~ - WHY
    1 * [RELEASE] [TIME] me publish 2 2 0 0 the first

    --- stderr
    ");
    let late = demo.run(&["releases", &demo.name, "--at", "2999-01-01T00:00:00Z"]);
    assert_eq!(late.stdout, demo.run(&["releases", &demo.name]).stdout);
    demo.run(&["releases", &demo.name, "--at", "2020-01-01T00:00:00Z"])
        .expect(1);
}

#[test]
fn files_are_listed_and_printed_at_any_release_and_time() {
    let demo = two_releases("releases-cat");
    assert_snapshot!(squeezed(&demo.run(&["ls", &demo.name])), @r"
    exit: 0
    --- stdout
    SIZE SHA-256 PATH
    6 B 1382c01db535 a.py
    2 B b3d510ef0427 c/d.py

    --- stderr
    ");
    assert_eq!(demo.run(&["cat", &demo.name, "a.py"]).expect(0).stdout, "a = 2\n");
    let first = demo.moves()[1].clone();
    let (id, time) = (
        first["release"].as_str().expect("an id"),
        first["time"].as_str().expect("a time"),
    );
    assert_eq!(
        demo.run(&["cat", &demo.name, "a.py", "--at", id]).expect(0).stdout,
        "a = 1\n"
    );
    let pinned = format!("{}?at={}", demo.name, &id[..6]);
    assert_eq!(demo.run(&["cat", &pinned, "b.py"]).expect(0).stdout, "b = 1\n");
    assert_snapshot!(demo.run(&["cat", &demo.name, "a.py", "--at", "2020-01-01T00:00:00Z"]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: area `[NAME]` had no release at [TIME]
    hint: `rstack releases` lists those there are
    ");
    assert_snapshot!(demo.run(&["cat", &demo.name, "b.py"]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is no `b.py` in `[NAME]`
    hint: `rstack ls` lists what there is
    ");
    assert_snapshot!(demo.run(&["ls", &pinned, "--at", time]), @r"
    exit: 2
    --- stdout

    --- stderr
    error: `--at` and `?at=` contradict each other
    hint: leave one of them out
    ");
    assert_snapshot!(demo.run(&["ls", "nothing"]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is no release in area `nothing` of table `[NAME]-table`
    hint: `rstack seed DIR --area AREA` publishes one
    ");
    let binary = demo.run(&["cat", &demo.name, "c/d.py", "--output", "json"]).expect(0);
    assert_eq!(binary.json_lines().pop().expect("a result")["data"]["base64"], "//4=");
}

#[test]
fn every_store_can_be_read_by_its_own_url_and_joined() {
    let demo = two_releases("releases-urls");
    let area = &demo.name;
    let redis = demo.local.redis_url().trim_end_matches('/').to_owned();
    demo.write("overlay/a.py", "a = 'mine'\n");
    for url in [
        format!("env:{area}/{area}"),
        format!("s3://{area}-bucket/{area}"),
        format!("dynamodb://{area}-table/{area}"),
        format!("{redis}/{area}"),
    ] {
        assert_eq!(demo.run(&["cat", &url, "a.py"]).expect(0).stdout, "a = 2\n", "{url}");
        let union = format!("./overlay;{url}");
        assert_eq!(
            demo.run(&["cat", &union, "a.py"]).expect(0).stdout,
            "a = 'mine'\n",
            "{url}"
        );
        let listed = demo.run(&["ls", &union, "--output", "json"]).expect(0);
        let result = listed.json_lines().pop().expect("a result");
        let members: Vec<_> = result["data"]["files"].as_array().expect("files").iter().collect();
        assert_eq!(members.len(), 2, "{result}");
        assert_eq!((&members[0]["member"], &members[1]["member"]), (&0.into(), &1.into()));
    }
    // Who trusts keys reads nothing that none of them has signed.
    let public = demo.run(&["key", "generate", "key.pem"]).expect(0).stdout;
    let distrusting = demo.local.rstack(["cat", "-n", area, area, "a.py"]);
    let refused = distrusting.env("RSTACK_TRUSTED_KEYS", public.trim()).run().expect(1);
    assert!(refused.stderr.contains("sign"), "{refused}");
    // A member that is not there is an error, unless it may be missing.
    let missing = format!("s3://{area}-bucket/nothing");
    demo.run(&["ls", &format!("{missing};{area}")]).expect(1);
    let optional = demo
        .run(&["cat", &format!("{missing}?optional=1;{area}"), "a.py"])
        .expect(0);
    assert_eq!(optional.stdout, "a = 2\n");
    assert!(optional.stderr.contains("is passed over"), "{optional}");
}

#[test]
fn a_pin_that_is_none_says_what_one_looks_like() {
    let tip = "a time is written as 2026-11-01T12:00:00Z or 2026-11-01T13:00:00+01:00";
    for args in [
        &["ls", "./x", "--at", "yesterday"][..],
        &["rollback", "prod", "--to", "yesterday"],
        &["ls", "env:x/prod?at=yesterday"],
    ] {
        let refused = Rstack::new().args(args).run().expect(2);
        assert!(refused.stderr.contains("is neither a release nor a time"), "{refused}");
        assert!(refused.stderr.contains(tip), "{refused}");
    }
    for source in ["./x?at=0123abcd", "s3:///prod", "env:x/prod?at=0123&at=0124", "a%zz"] {
        let refused = Rstack::new().args(["ls", source]).run().expect(2);
        assert!(refused.stderr.contains("hint: "), "{refused}");
    }
}

#[test]
fn a_bucket_or_a_table_that_is_not_there_is_named() {
    let read = |url: &str| shared().rstack(["cat", url, "a.py"]).run();
    assert_snapshot!(read("s3://no-such-bucket/main"), @r#"
    exit: 1
    --- stdout

    --- stderr
    error: s3: bucket `no-such-bucket` does not exist: S3 GetObject was refused with NoSuchBucket: The specified bucket does not exist (request [UUID])
    hint: check the name, the region and the account; what an environment has lost, `rstack down` and `rstack up` make anew
    "#);
    assert_snapshot!(read("dynamodb://no-such-table/main"), @r#"
    exit: 1
    --- stdout

    --- stderr
    error: dynamodb: table `no-such-table` does not exist: DynamoDB BatchGetItem was refused with ResourceNotFoundException: Requested resource not found (request [UUID])
    hint: check the name, the region and the account; what an environment has lost, `rstack down` and `rstack up` make anew
    "#);
}
