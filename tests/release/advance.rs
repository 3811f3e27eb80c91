//! Moving on to what is published later.

use std::sync::Arc;

use bytes::Bytes;
use rstack::event::{Event, Reporter};
use rstack::interrupt;
use rstack::release::{Load, LocalCache, Opening, Source, SourceUrl};
use rstack::store::FileStore;
use rstack::trust::TrustedKeys;
use tempfile::TempDir;

use super::world::{Files, World, files};
use crate::support::block_on;

struct Silence;

impl Reporter for Silence {
    fn report(&self, _event: &Event) {}
}

/// Areas of stores that are folders.
struct Shelf {
    dir: TempDir,
    cache: Arc<LocalCache>,
}

impl Shelf {
    fn new() -> Self {
        Self {
            dir: TempDir::new().expect("a folder"),
            cache: LocalCache::in_memory(),
        }
    }

    fn world(&self, area: &str) -> World {
        let store = |name: &str| Arc::new(FileStore::new(self.dir.path().join(name))) as _;
        World::new([store("deciding"), store("durable"), store("cache")], area)
    }

    fn url(&self, area: &str) -> String {
        format!("file://{}/deciding/{area}", self.dir.path().display())
    }

    async fn with<T>(&self, work: impl AsyncFnOnce(Opening<'_>) -> T) -> T {
        let (_interrupter, interrupt) = interrupt::channel();
        let trusted = TrustedKeys::default();
        work(Opening {
            aws: None,
            trusted: &trusted,
            cache: &self.cache,
            load: Load::Everything,
            reporter: &Silence,
            interrupt: &interrupt,
        })
        .await
    }

    async fn open(&self, url: &str) -> Source {
        let url = SourceUrl::parse(url, None).expect("a source");
        self.with(async |opening| Source::open(&url, &opening).await)
            .await
            .expect("it opens")
    }
}

async fn read(source: &Source) -> Files {
    let paths: Vec<String> = source.list().into_keys().collect();
    let names: Vec<&str> = paths.iter().map(String::as_str).collect();
    let contents = source.read_many(&names).await.expect("contents");
    paths.into_iter().zip(contents.into_iter().flatten()).collect()
}

#[test]
fn advancing_tells_what_changed_and_leaves_the_source_before_as_it_was() {
    block_on(async {
        let shelf = Shelf::new();
        let (prod, fix) = (shelf.world("prod"), shelf.world("fix"));
        let old = files([("a.py", "a = 1"), ("b.py", "b = 1"), ("c.py", "c = 1")]);
        prod.publish(&old, "old").await.expect("published");
        let union = format!("{}?optional=1;{}", shelf.url("fix"), shelf.url("prod"));
        let first = shelf.open(&union).await;
        assert_eq!(read(&first).await, old);

        let same = shelf
            .with(async |opening| first.advance(&opening).await)
            .await
            .expect("there");
        assert!(same.changes.is_empty());

        let new = files([("a.py", "a = 1"), ("b.py", "b = 2"), ("d.py", "d = 1")]);
        prod.publish(&new, "new").await.expect("published");
        let second = shelf
            .with(async |opening| first.advance(&opening).await)
            .await
            .expect("there");
        let changes = &second.changes;
        assert_eq!(
            (&changes.added[..], &changes.changed[..], &changes.removed[..]),
            (
                &["d.py".to_owned()][..],
                &["b.py".to_owned()][..],
                &["c.py".to_owned()][..]
            )
        );
        assert_eq!(read(&second.source).await, new);
        assert_eq!(read(&first).await, old, "the one before stays");

        // An optional member that was not there comes in, and hides what it says is removed.
        let fixed = files([("a.py", "a = 'fix'")]);
        fix.publish_content(&fixed, true, &["d.py"], "fix")
            .await
            .expect("published");
        let third = shelf
            .with(async |opening| second.source.advance(&opening).await)
            .await
            .expect("there");
        assert_eq!(third.changes.changed, ["a.py"]);
        assert_eq!(third.changes.removed, ["d.py"]);
        assert_eq!(
            read(&third.source).await,
            files([("a.py", "a = 'fix'"), ("b.py", "b = 2")])
        );
    });
}

#[test]
fn a_pinned_member_stays_and_one_that_fails_leaves_the_source_as_it_was() {
    block_on(async {
        let shelf = Shelf::new();
        let (prod, uat) = (shelf.world("prod"), shelf.world("uat"));
        let old = files([("a.py", "a = 1")]);
        let pinned = prod
            .publish(&old, "old")
            .await
            .expect("published")
            .release
            .expect("an id");
        uat.publish(&files([("u.py", "u = 1")]), "uat")
            .await
            .expect("published");
        prod.publish(&files([("a.py", "a = 2")]), "new")
            .await
            .expect("published");
        let union = format!("{}?at={pinned};{}", shelf.url("prod"), shelf.url("uat"));
        let source = shelf.open(&union).await;
        let expected = files([("a.py", "a = 1"), ("u.py", "u = 1")]);
        assert_eq!(read(&source).await, expected);

        // A marker that cannot be read stops the whole advance.
        uat.publish(&files([("u.py", "u = 2")]), "uat")
            .await
            .expect("published");
        let key = ["uat/.rstack/marker".to_owned()];
        let good = uat.stores[0]
            .get_many(&key)
            .await
            .expect("read")
            .remove(0)
            .expect("a marker");
        write(&uat, &key[0], Bytes::from_static(b"{")).await;
        shelf
            .with(async |opening| source.advance(&opening).await)
            .await
            .expect_err("a broken marker");
        assert_eq!(read(&source).await, expected);
        write(&uat, &key[0], good).await;
        let moved = shelf
            .with(async |opening| source.advance(&opening).await)
            .await
            .expect("there");
        assert_eq!(moved.changes.changed, ["u.py"]);
        assert_eq!(read(&moved.source).await, files([("a.py", "a = 1"), ("u.py", "u = 2")]));
    });
}

async fn write(world: &World, key: &str, value: Bytes) {
    let held = world.stores[0]
        .get_versioned(key)
        .await
        .expect("read")
        .map(|(_, version)| version);
    let swapped = world.stores[0].compare_and_set(key, held.as_ref(), value).await;
    swapped.expect("written");
}

#[test]
fn a_reader_that_advances_while_others_publish_never_sees_a_mix() {
    let release = |round: u32| {
        let text = format!("release = {round}");
        files([
            ("a.py", text.as_str()),
            ("b.py", text.as_str()),
            ("c/d.py", text.as_str()),
        ])
    };
    block_on(async {
        let shelf = Shelf::new();
        let world = shelf.world("prod");
        world.publish(&release(0), "first").await.expect("published");
        let mut source = shelf.open(&shelf.url("prod")).await;
        let publisher = std::thread::spawn(move || {
            block_on(async {
                for round in 1..=40 {
                    world.publish(&release(round), "next").await.expect("published");
                }
            });
        });
        let (mut last, mut times) = (0, 0);
        loop {
            let finished = publisher.is_finished();
            let later = shelf
                .with(async |opening| source.advance(&opening).await)
                .await
                .expect("there");
            source = later.source;
            let seen = read(&source).await;
            let round = (last..=40).find(|round| seen == release(*round));
            let round = round.unwrap_or_else(|| panic!("after {last}: {seen:?}"));
            assert_eq!(later.changes.changed.is_empty(), round == last);
            times += u32::from(round > last);
            last = round;
            if finished {
                break;
            }
        }
        publisher.join().expect("it published");
        assert_eq!(last, 40);
        assert!(times > 1, "it advanced while others published");
    });
}
