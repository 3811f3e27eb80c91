//! `rstack cache`, and what the cache saves on the wire.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;
use rstack::event::{Event, Reporter};
use rstack::interrupt;
use rstack::release::{CacheOptions, Load, LocalCache, Member, Opening, Source, SourceUrl};
use rstack::trust::TrustedKeys;
use tempfile::TempDir;

use crate::support::local::{self, LocalAws};
use crate::support::tap::{Counts, Tap};
use crate::support::{Output, Rstack, block_on, environment};

struct Silent;

impl Reporter for Silent {
    fn report(&self, _: &Event) {}
}

/// An environment with one release, reached through taps, and a folder for a cache.
struct Tapped {
    local: &'static LocalAws,
    name: String,
    aws: Tap,
    redis: Tap,
    dir: TempDir,
}

impl Tapped {
    fn new(what: &str) -> Self {
        let (local, name) = (local::shared(), local::unique(what));
        environment::made(local, &name);
        local.done(["seed", "-n", &name, "--area", &name, "--no-plain"]);
        let host = |url: &str| url.split("://").nth(1).expect("a URL").trim_end_matches('/').to_owned();
        Self {
            aws: Tap::before(&host(local.endpoint())),
            redis: Tap::before(&host(local.redis_url())),
            local,
            name,
            dir: TempDir::new().expect("a folder"),
        }
    }

    fn cache(&self) -> String {
        self.dir.path().join("cache").display().to_string()
    }

    fn run(&self, args: &[&str]) -> Output {
        let call = Rstack::new().endpoint(format!("http://{}", self.aws.address()));
        call.args(args.iter().copied()).env("RSTACK_CACHE", self.cache()).run()
    }

    fn cat(&self, source: &str) -> (Counts, Counts) {
        let _ = (self.aws.take(), self.redis.take());
        let output = self.run(&["cat", source, "foo/module1.py"]).expect(0);
        assert!(output.stdout.contains("def add"), "{output}");
        (self.aws.take(), self.redis.take())
    }
}

#[test]
fn a_warm_start_makes_one_request_and_a_pinned_one_none() {
    let tapped = Tapped::new("cache-warm");
    let name = &tapped.name;
    let listed = tapped
        .local
        .done(["releases", "-n", name, name, "--output", "json"])
        .json_lines();
    let id = listed.last().expect("a result")["data"]["current"]
        .as_str()
        .expect("an id")
        .to_owned();
    let redis = tapped.redis.address();
    for url in [
        format!("s3://{name}-bucket/{name}"),
        format!("dynamodb://{name}-table/{name}"),
        format!("redis://{redis}/{name}"),
    ] {
        tapped.run(&["cache", "clear", "--seen"]).expect(0);
        let (aws, redis) = tapped.cat(&url);
        // The marker, the manifest, and one pack; Redis is greeted with the first of them.
        assert_eq!(aws.requests + redis.round_trips, 3, "{url} cold: {aws:?} {redis:?}");
        let (aws, redis) = tapped.cat(&url);
        assert_eq!(aws.requests + redis.round_trips, 1, "{url} warm: {aws:?} {redis:?}");
        let (aws, redis) = tapped.cat(&format!("{url}?at={id}"));
        assert_eq!((aws, redis), (Counts::default(), Counts::default()), "{url} pinned");
    }
    // Of an environment, a cold start asks for the stack too; members of a union in one environment ask for it once.
    let env = format!("env:{name}/{name}");
    tapped.run(&["cache", "clear", "--seen"]).expect(0);
    let (aws, _) = tapped.cat(&format!("{env};{env}"));
    assert_eq!(aws.requests, 3, "the stack and two markers");
    let (aws, redis) = tapped.cat(&env);
    assert_eq!((aws.requests, redis.round_trips), (1, 0), "warm");
    let (aws, redis) = tapped.cat(&format!("{env}?at={id}"));
    assert_eq!((aws, redis), (Counts::default(), Counts::default()), "pinned");
}

#[test]
fn an_environment_that_moved_on_or_was_made_anew_is_read_as_it_is_now() {
    let tapped = Tapped::new("cache-anew");
    let (local, name) = (tapped.local, &tapped.name);
    let env = format!("env:{name}/{name}");
    let scripts = tapped.dir.path().join("scripts");
    fs::create_dir(&scripts).expect("a folder");
    let publish = |text: &str| {
        fs::write(scripts.join("now.py"), text).expect("a file");
        let scripts = scripts.to_str().expect("a path");
        local.done(["seed", scripts, "-n", name, "--area", name, "--no-plain"]);
    };
    let read = || tapped.run(&["cat", &env, "now.py"]).expect(0).stdout;
    tapped.cat(&env);
    for text in ["a = 1\n", "a = 2\n"] {
        publish(text);
        assert_eq!((read(), read()), (text.to_owned(), text.to_owned()));
    }
    local.done(["down", "-n", name, "--yes"]);
    tapped.run(&["cat", &env, "now.py"]).expect(1);
    environment::made(local, name);
    publish("a = 3\n");
    assert_eq!((read(), read()), ("a = 3\n".to_owned(), "a = 3\n".to_owned()));
}

#[test]
fn sixteen_processes_fill_the_same_cache_at_once() {
    let tapped = Tapped::new("cache-sixteen");
    let source = format!("s3://{0}-bucket/{0}", tapped.name);
    let running: Vec<_> = (0..16)
        .map(|_| {
            let call = Rstack::new().endpoint(format!("http://{}", tapped.aws.address()));
            let args = ["cat", &source, "foo/module1.py"];
            call.args(args).env("RSTACK_CACHE", tapped.cache()).spawn()
        })
        .collect();
    for process in running {
        let output = process.wait().expect(0);
        assert!(
            output.stdout.contains("def add") && output.stderr.is_empty(),
            "{output}"
        );
    }
    let (aws, _) = tapped.cat(&source);
    assert_eq!(aws.requests, 1, "what they left is whole");
    let left = fs::read_dir(tapped.dir.path().join("cache/v1/temporary")).expect("a folder");
    assert_eq!(left.count(), 0);
}

#[test]
fn the_cache_is_shown_and_cleared() {
    let tapped = Tapped::new("cache-shown");
    let info = |args: &[&str]| {
        let call = Rstack::new()
            .args(args.iter().copied())
            .env("RSTACK_CACHE", tapped.cache());
        call.hide(tapped.cache(), "[CACHE]").run()
    };
    assert_snapshot!(info(&["cache", "info"]), @r"
    exit: 0
    --- stdout
    FILES  SIZE    LIMIT  AREAS SEEN  FOLDER
        0   0 B  1.0 GiB           0  [CACHE]

    --- stderr
    ");
    tapped.cat(&format!("s3://{0}-bucket/{0}", tapped.name));
    let shown = info(&["cache", "info", "--output", "json"])
        .expect(0)
        .json_lines()
        .pop()
        .expect("a result");
    let (files, bytes) = (&shown["data"]["files"], shown["data"]["bytes"].as_u64());
    // A manifest, a pack, and two notes: of the move that led there, and that it was the last.
    assert_eq!((files, &shown["data"]["areas_seen"]), (&4.into(), &1.into()), "{shown}");
    assert!(bytes.is_some_and(|bytes| bytes > 1000), "{shown}");
    let cleared = info(&["cache", "clear"]).expect(0).stdout;
    assert!(cleared.starts_with("removed 4 files, "), "{cleared}");
    assert_snapshot!(info(&["cache", "clear", "--seen"]), @r"
    exit: 0
    --- stdout
    removed 0 files, 0 B, and how far 1 area was seen to have come

    --- stderr
    ");
    let off = Rstack::new().args(["cache", "info"]).env("RSTACK_CACHE", "off").run();
    assert_snapshot!(off, @r"
    exit: 0
    --- stdout
    the cache is switched off

    --- stderr
    ");
    // Of those who could only read it, it takes itself back.
    fs::set_permissions(tapped.cache(), fs::Permissions::from_mode(0o755)).expect("opened");
    tapped.cat(&format!("s3://{0}-bucket/{0}", tapped.name));
    let mode = fs::metadata(tapped.cache()).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    if rustix::process::geteuid().is_root() {
        let foreign = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::chown(foreign.path(), Some(12345), None).expect("given away");
        let clear = Rstack::new()
            .args(["cache", "clear"])
            .env("RSTACK_CACHE", foreign.path());
        let refused = clear.run().expect(1);
        assert!(refused.stderr.contains("belongs to another user"), "{refused}");
    }
    fs::set_permissions(tapped.cache(), fs::Permissions::from_mode(0o722)).expect("opened");
    assert_snapshot!(info(&["cache", "info"]), @r"
    exit: 0
    --- stdout
    the cache is not used: others may write to `[CACHE]`

    --- stderr
    ");
    assert_snapshot!(info(&["cache", "clear"]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: others may write to `[CACHE]`
    hint: `chmod go-w [CACHE]` keeps others out
    ");
    let read = tapped
        .run(&["cat", &format!("s3://{0}-bucket/{0}", tapped.name), "foo/module1.py"])
        .expect(0);
    assert!(read.stderr.contains("others may write to"), "{read}");
}

#[test]
fn a_cache_size_that_is_none_is_refused() {
    let call = Rstack::new().args(["cache", "info"]).env("RSTACK_CACHE_SIZE", "much");
    assert_snapshot!(call.run(), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: `RSTACK_CACHE_SIZE` cannot be "much": expected a number of bytes such as 512MiB or 2GiB
    hint: set RSTACK_CACHE_SIZE anew, or `unset RSTACK_CACHE_SIZE`
    "#);
}

#[test]
fn a_limit_on_staleness_is_for_copies_and_not_for_what_is_pinned() {
    for (source, message) in [
        (
            "env:demo/prod?stale=1h",
            "`?stale=` is for stores with a copy of the marker",
        ),
        ("./src?stale=1h", "`?stale=` is for stores with a copy of the marker"),
        (
            "s3://b/prod?stale=1h&at=2026-11-01T12:00:00Z",
            "`?at=` and `?stale=` contradict each other",
        ),
        ("s3://b/prod?stale=soon", "`?stale=` is \"soon\""),
    ] {
        let output = Rstack::new().args(["ls", source]).run().expect(2);
        assert!(output.stderr.contains(message), "{source}: {output}");
    }
    let at = Rstack::new().args(["ls", "s3://b/prod?stale=1h", "--at", "2026-11-01T12:00:00Z"]);
    assert!(at.run().expect(2).stderr.contains("contradict each other"));
}

#[test]
fn status_tells_what_a_reader_put_back_into_redis() {
    let tapped = Tapped::new("cache-repair");
    let name = &tapped.name;
    let redis = redis::Client::open(tapped.local.redis_url()).expect("an address");
    let mut redis = redis.get_connection().expect("it runs");
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("{name}/.rstack/*/*"))
        .query(&mut redis)
        .expect("keys");
    let gone: Vec<&String> = keys
        .iter()
        .filter(|key| key.contains("/release/") || key.contains("/pack/"))
        .collect();
    assert_eq!(gone.len(), 2, "{keys:?}");
    redis::cmd("DEL").arg(gone).query::<u64>(&mut redis).expect("emptied");
    let read = tapped.local.done(["cat", "-n", name, name, "foo/module1.py"]);
    assert!(read.stderr.is_empty(), "{read}");
    let status = tapped.local.done(["status", "-n", name]);
    let line = status
        .stdout
        .lines()
        .find(|line| line.starts_with("redis: "))
        .expect("a line")
        .to_owned();
    assert!(
        line.contains("a reader put back what release") && line.contains(&format!("`{name}` is made of: 2 lacking")),
        "{line}"
    );
    let status = tapped
        .local
        .done(["status", "-n", name, "--output", "json"])
        .json_lines();
    let stores = status.last().expect("a result")["data"]["stores"]
        .as_array()
        .expect("stores")
        .clone();
    let repair = &stores[2]["repairs"][name];
    assert_eq!(
        (&repair["lacking"], &repair["damaged"]),
        (&2.into(), &0.into()),
        "{repair}"
    );
}

#[test]
fn a_reader_of_what_an_earlier_process_knew_advances_with_the_environment() {
    let tapped = Tapped::new("cache-advance");
    let (local, name) = (tapped.local, &tapped.name);
    let earlier = local.rstack(["cat", &format!("env:{name}/{name}"), "foo/module1.py"]);
    earlier.env("RSTACK_CACHE", tapped.cache()).run().expect(0);
    let scripts = tapped.dir.path().join("scripts");
    fs::create_dir(&scripts).expect("a folder");
    fs::write(scripts.join("now.py"), "a = 1\n").expect("a file");
    block_on(async {
        let aws = local.aws().await;
        let url = SourceUrl::parse(&format!("env:{name}/{name}"), None).expect("a source");
        let (_interrupter, interrupt) = interrupt::channel();
        let options = CacheOptions::in_folder(tapped.cache());
        let opening = Opening {
            aws: Some(&aws),
            trusted: &TrustedKeys::default(),
            cache: &LocalCache::open(&options, &Silent),
            load: Load::Code,
            reporter: &Silent,
            interrupt: &interrupt,
        };
        let remembered = |source: &Source| {
            let (_, member) = source.members().next().expect("a member");
            matches!(member, Member::Area(reader) if reader.place().remembered)
        };
        let source = Source::open(&url, &opening).await.expect("a source");
        assert!(remembered(&source));
        let same = source.advance(&opening).await.expect("a source");
        assert!(same.changes.is_empty() && !remembered(&same.source), "asked once");
        let publish = ["seed", scripts.to_str().expect("a path"), "-n", name, "--area", name];
        local.done(publish);
        for earlier in [source, same.source] {
            let later = earlier.advance(&opening).await.expect("a source");
            assert!(!later.changes.is_empty() && !remembered(&later.source));
            let read = later.source.read_many(&["now.py"]).await.expect("a file");
            assert_eq!(read, [Some("a = 1\n".into())]);
        }
    });
}
