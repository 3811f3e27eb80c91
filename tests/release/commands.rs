//! `rstack releases`, `ls` and `cat`, on an environment of the local AWS.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use tempfile::TempDir;

use crate::support::local::{self, LocalAws};
use crate::support::{Output, environment};

struct Demo {
    local: &'static LocalAws,
    name: String,
    dir: TempDir,
}

impl Demo {
    /// Two releases of the area that is called as the environment: `a.py` changes, `b.py` goes, `c/d.py` comes.
    fn new(what: &str) -> Self {
        let (local, name) = (local::shared(), local::unique(what));
        environment::made(local, &name);
        let demo = Self {
            local,
            name,
            dir: TempDir::new().expect("a folder"),
        };
        demo.write("a.py", b"a = 1\n");
        demo.write("b.py", b"b = 1\n");
        demo.seed("the first");
        demo.write("a.py", b"a = 2\n");
        fs::remove_file(demo.dir.path().join("b.py")).expect("removed");
        demo.write("c/d.py", &[0xff, 0xfe]);
        demo.seed("the second");
        demo
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        fs::write(path, content).expect("written");
    }

    fn seed(&self, why: &str) {
        let dir = self.dir.path().to_str().expect("UTF-8");
        let options = ["--area", &self.name, "-m", why, "--author", "me", "--no-plain"];
        self.local
            .rstack(["seed", "-n", &self.name, dir])
            .args(options)
            .run()
            .expect(0);
    }

    fn run(&self, args: &[&str]) -> Output {
        let call = self.local.rstack(args.iter().copied()).args(["-n", &self.name]);
        call.hide(&self.name, "[NAME]").run()
    }

    fn moves(&self) -> Vec<serde_json::Value> {
        let output = self.run(&["releases", &self.name, "--output", "json"]).expect(0);
        let result = output.json_lines().pop().expect("a result");
        result["data"]["moves"].as_array().expect("moves").clone()
    }
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
    let demo = Demo::new("releases-history");
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
    let demo = Demo::new("releases-cat");
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
    let demo = Demo::new("releases-urls");
    let area = &demo.name;
    let redis = demo.local.redis_url().trim_end_matches('/').to_owned();
    let overlay = TempDir::new().expect("a folder");
    fs::write(overlay.path().join("a.py"), "a = 'mine'\n").expect("written");
    for url in [
        format!("env:{area}/{area}"),
        format!("s3://{area}-bucket/{area}"),
        format!("dynamodb://{area}-table/{area}"),
        format!("{redis}/{area}"),
    ] {
        assert_eq!(demo.run(&["cat", &url, "a.py"]).expect(0).stdout, "a = 2\n", "{url}");
        let union = format!("{};{url}", overlay.path().display());
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
    let key = overlay.path().join("key.pem");
    let public = demo
        .run(&["key", "generate", key.to_str().expect("UTF-8")])
        .expect(0)
        .stdout;
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
fn a_bucket_or_a_table_that_is_not_there_is_named() {
    let read = |url: &str| local::shared().rstack(["cat", url, "a.py"]).run();
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
