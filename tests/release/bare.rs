//! Prefixes with plain files and no marker.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use insta::assert_snapshot;
use rstack::aws::Aws;
use rstack::store::{Body, DynamoDbStore, Put, RedisStore, S3Store, Store};

use crate::support::local::{self, LocalAws};
use crate::support::{Output, Rstack, block_on, environment};

/// An environment whose stores are also called one by one.
struct Bare {
    local: &'static LocalAws,
    name: String,
    aws: Aws,
}

impl Bare {
    fn new(what: &str) -> Self {
        let (local, name) = (local::shared(), local::unique(what));
        environment::made(local, &name);
        let aws = block_on(local.aws());
        Self { local, name, aws }
    }

    /// Each with its own URL of the area that is called as the environment.
    fn stores(&self) -> [(String, Arc<dyn Store>); 3] {
        let name = &self.name;
        let (bucket, table) = (format!("{name}-bucket"), format!("{name}-table"));
        let redis = self.local.redis_url().trim_end_matches('/');
        [
            (
                format!("s3://{bucket}/{name}"),
                Arc::new(S3Store::new(self.aws.s3().clone(), &bucket)),
            ),
            (
                format!("dynamodb://{table}/{name}"),
                Arc::new(DynamoDbStore::new(self.aws.dynamodb().clone(), &table)),
            ),
            (
                format!("{redis}/{name}"),
                Arc::new(RedisStore::new(redis.parse().expect("an address"))),
            ),
        ]
    }

    /// Keys below the area, as other tools write them.
    fn put(&self, store: &dyn Store, files: &[(&str, &str)]) {
        let put = |(path, content): &(&str, &str)| Put {
            key: format!("{}/{path}", self.name),
            body: Body::Bytes(Bytes::from((*content).to_owned())),
        };
        let mut puts = files.iter().map(put);
        block_on(store.put_many(&mut puts, &|_, _| ())).expect("written");
    }

    fn run(&self, args: &[&str]) -> Output {
        let call = self.local.rstack(args.iter().copied()).args(["-n", &self.name]);
        call.hide(&self.name, "[NAME]").run()
    }

    fn paths(&self, source: &str) -> Vec<String> {
        let listed = self.run(&["ls", source, "--output", "json"]).expect(0);
        let result = listed.json_lines().pop().expect("a result");
        let files = result["data"]["files"].as_array().expect("files");
        files
            .iter()
            .map(|file| file["path"].as_str().expect("a path").to_owned())
            .collect()
    }
}

#[test]
fn plain_files_without_a_marker_are_listed_and_read_from_every_store() {
    let bare = Bare::new("bare");
    for (url, store) in bare.stores() {
        bare.put(
            &*store,
            &[("foo/a.py", "a = 1\n"), ("foo/__init__.py", ""), ("ü.py", "u = 'ü'\n")],
        );
        assert_eq!(bare.paths(&url), ["foo/__init__.py", "foo/a.py", "ü.py"], "{url}");
        assert_eq!(
            bare.run(&["cat", &url, "foo/a.py"]).expect(0).stdout,
            "a = 1\n",
            "{url}"
        );
        assert_eq!(
            bare.run(&["cat", &url, "foo/__init__.py"]).expect(0).stdout,
            "",
            "{url}"
        );
        // Neither pinned nor signed, and no release of the environment.
        let pinned = bare.run(&["ls", &format!("{url}?at=0123abcd")]).expect(1);
        assert!(pinned.stderr.contains("there is no release in area"), "{pinned}");
        bare.run(&["releases", &url]).expect(1);
        let key = "ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let call = bare.local.rstack(["ls", &url]).env("RSTACK_TRUSTED_KEYS", key);
        let untrusted = call.run().expect(1);
        assert!(untrusted.stderr.contains("cannot be signed"), "{untrusted}");
    }
    bare.run(&["ls", &bare.name]).expect(1);
}

#[test]
fn what_seed_wrote_as_plain_files_alone_is_read_without_its_ledger() {
    let bare = Bare::new("bare-seeded");
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("a.py"), "a = 1\n").expect("written");
    let dir = dir.path().to_str().expect("UTF-8");
    let seed = [
        "seed", dir, "--area", &bare.name, "--store", "s3", "--store", "redis", "--plain",
    ];
    bare.run(&seed).expect(0);
    let [(s3, _), (dynamodb, _), (redis, _)] = bare.stores();
    for url in [s3, redis] {
        assert_eq!(bare.paths(&url), ["a.py"], "{url}");
    }
    assert_snapshot!(bare.run(&["ls", &dynamodb]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is no release in area `[NAME]` of table `[NAME]-table`
    hint: `rstack seed DIR --area AREA` publishes one; there are no plain files there either
    ");
}

#[test]
fn what_lies_beside_a_lost_marker_is_not_taken_for_the_area() {
    let bare = Bare::new("bare-lost");
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("a.py"), "a = 1\n").expect("written");
    let path = dir.path().to_str().expect("UTF-8");
    bare.run(&["seed", path, "--area", &bare.name]).expect(0);
    for (url, store) in bare.stores() {
        let marker = format!("{}/.rstack/marker", bare.name);
        block_on(store.delete_many(&[marker])).expect("deleted");
        let lost = bare.run(&["ls", &url]).expect(1);
        assert!(lost.stderr.contains("its marker was lost"), "{lost}");
    }
}

#[test]
fn a_folder_of_areas_says_so() {
    let bare = Bare::new("bare-folder");
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("a.py"), "a = 1\n").expect("written");
    let path = dir.path().to_str().expect("UTF-8");
    let area = format!("{}/tony.yum", bare.name);
    bare.run(&["seed", path, "--area", &area]).expect(0);
    let [(s3, _), ..] = bare.stores();
    assert_snapshot!(bare.run(&["ls", &s3]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is no release in area `[NAME]` of bucket `[NAME]-bucket`, but in areas below it
    hint: name one of them, such as `[NAME]/tony.yum`
    ");
}

/// What a folder of bare files is said to hold.
fn folder(path: &Path) -> Output {
    let url = format!("file://{}", path.display());
    let call = Rstack::new().args(["ls", &url, "--output", "json"]);
    call.hide(path.display().to_string(), "[DIR]").run()
}

fn message(output: Output, code: i32) -> String {
    let error = output.expect(code).json_lines().pop().expect("an error");
    error["message"].as_str().expect("a message").to_owned()
}

#[test]
fn a_folder_of_bare_files_has_every_name_that_a_file_can_have() {
    let dir = tempfile::tempdir().expect("a folder");
    let area = dir.path().join("area");
    let names = [
        "a.py",
        "a\\b.py",
        "in/end./x",
        "line\nfeed.py",
        "sp ace#?%;.py",
        "x%41.py",
    ];
    for name in names {
        let path = area.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, format!("# {name}")).expect("written");
    }
    fs::write(area.join("in/target.py"), "").expect("written");
    symlink("in/target.py", area.join("link.py")).expect("a link");
    let listed = folder(&area).expect(0).json_lines().pop().expect("a result");
    let files = listed["data"]["files"].as_array().expect("files");
    let paths: Vec<&str> = files
        .iter()
        .map(|file| file["path"].as_str().expect("a path"))
        .collect();
    for name in names.iter().chain(&["in/target.py", "link.py"]) {
        assert!(paths.contains(name), "{name:?}: {paths:?}");
    }
    assert_eq!(paths.len(), 8, "{paths:?}");
    let url = format!("file://{}", area.display());
    let read = Rstack::new().args(["cat", &url, "sp ace#?%;.py"]).run().expect(0);
    assert_eq!(read.stdout, "# sp ace#?%;.py");
}

/// Puts something into a folder.
type Make = fn(&Path);

#[test]
fn a_folder_of_bare_files_is_refused_for_what_cannot_be_one() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("secret"), "s").expect("written");
    let cases: [(Make, &str); 5] = [
        (
            |area| {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                rustix::fs::mknodat(rustix::fs::CWD, area.join("pipe"), rustix::fs::FileType::Fifo, mode, 0)
                    .expect("a pipe");
            },
            "pipe` is neither a file nor a directory",
        ),
        (
            |area| symlink("../secret", area.join("out.py")).expect("a link"),
            "out.py` leads out of the folder",
        ),
        (
            |area| symlink("nowhere", area.join("gone.py")).expect("a link"),
            "gone.py` leads nowhere",
        ),
        (
            |area| symlink(".", area.join("round")).expect("a link"),
            "round` leads to a folder",
        ),
        (
            |area| fs::write(area.join(OsStr::from_bytes(b"\xff.py")), "").expect("written"),
            "is not UTF-8",
        ),
    ];
    for (at, (make, expected)) in cases.into_iter().enumerate() {
        let area = dir.path().join(format!("area{at}"));
        fs::create_dir(&area).expect("a folder");
        fs::write(area.join("a.py"), "").expect("written");
        make(&area);
        let said = message(folder(&area), 1);
        assert!(said.contains(expected), "{said}");
    }
    // A pipe in the place of a record is looked at first, and would be waited for.
    let area = dir.path().join("area0");
    fs::create_dir(area.join(".rstack")).expect("a folder");
    fs::rename(area.join("pipe"), area.join(".rstack/marker")).expect("moved");
    let said = message(folder(&area), 1);
    assert!(said.contains("marker` is neither a file nor a directory"), "{said}");
}

#[test]
fn a_value_of_another_kind_is_named_with_what_to_do() {
    let bare = Bare::new("bare-foreign");
    let [_, (table, _), (redis, store)] = bare.stores();
    bare.put(&*store, &[("a.py", "a")]);
    let mut connection = redis::Client::open(bare.local.redis_url())
        .and_then(|client| client.get_connection())
        .expect("it runs");
    let key = format!("{}/index", bare.name);
    redis::cmd("HSET")
        .arg(&[&key, "field", "value"])
        .query::<u64>(&mut connection)
        .expect("a hash");
    assert_snapshot!(bare.run(&["ls", &redis]), @r#"
    exit: 1
    --- stdout

    --- stderr
    error: redis: "[NAME]/index": this is a hash, a list or another collection, and no value
    hint: remove it, or put it elsewhere, if another program wrote it; if it was `rstack seed`, `rstack verify` of its area tells, and `--repair` mends it
    "#);
    block_on(async {
        let path = format!("{}/index", bare.name);
        let put = bare
            .aws
            .dynamodb()
            .put_item()
            .table_name(format!("{}-table", bare.name));
        put.item("path", aws_sdk_dynamodb::types::AttributeValue::S(path))
            .send()
            .await
            .expect("an item");
    });
    assert_snapshot!(bare.run(&["ls", &table]), @r#"
    exit: 1
    --- stdout

    --- stderr
    error: dynamodb: "[NAME]/index": the item has neither `code` nor `parts` and `size`
    hint: remove it, or put it elsewhere, if another program wrote it; if it was `rstack seed`, `rstack verify` of its area tells, and `--repair` mends it
    "#);
}
