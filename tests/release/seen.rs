//! A marker that is older than one that was seen.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rstack::event::{Event, Reporter};
use rstack::release::{CacheOptions, LocalCache, Place, Reader, clear_cache};
use rstack::{Error, ErrorKind};
use tempfile::TempDir;

use super::world::{World, all, files};
use crate::support::block_on;

struct Silence;

impl Reporter for Silence {
    fn report(&self, _event: &Event) {}
}

fn process(folder: &Path) -> Arc<LocalCache> {
    LocalCache::open(&CacheOptions::in_folder(folder), &Silence)
}

async fn marker(world: &World) -> Bytes {
    let key = [format!("{}/.rstack/marker", world.area)];
    world.stores[0]
        .get_many(&key)
        .await
        .expect("read")
        .remove(0)
        .expect("a marker")
}

/// As if the table and the bucket were an older backup.
async fn put_back(world: &World, old: &Bytes) {
    let key = format!("{}/.rstack/marker", world.area);
    for store in &world.stores[..2] {
        let held = store
            .get_versioned(&key)
            .await
            .expect("read")
            .map(|(_, version)| version);
        store
            .compare_and_set(&key, held.as_ref(), old.clone())
            .await
            .expect("written");
    }
}

fn place(world: &World, local: &Arc<LocalCache>) -> Place {
    Place {
        local: Arc::clone(local),
        ..Place::of(world.stores[0].clone(), world.area.clone())
    }
}

#[track_caller]
fn is_older(error: &Error) {
    assert!(matches!(*error.kind, ErrorKind::Untrusted(_)), "{error}");
    assert!(
        error
            .to_string()
            .contains("is at move 1, and was seen at move 2 before"),
        "{error}"
    );
    assert!(
        error
            .hint
            .as_ref()
            .is_some_and(|hint| hint.contains("rstack cache clear --seen"))
    );
}

#[test]
fn it_is_refused_within_a_process_and_by_later_ones_until_it_moves_on() {
    let folder = TempDir::new().expect("a folder");
    block_on(async {
        let world = World::in_memory();
        world
            .publish(&files([("a.py", "a = 1")]), "one")
            .await
            .expect("published");
        let old = marker(&world).await;
        world
            .publish(&files([("a.py", "a = 2")]), "two")
            .await
            .expect("published");
        let here = process(folder.path());
        let reader = Reader::open(place(&world, &here), None).await.expect("the second");
        put_back(&world, &old).await;
        is_older(&reader.advance().await.expect_err("the same reader"));
        is_older(
            &Reader::open(place(&world, &here), None)
                .await
                .expect_err("the same process"),
        );
        let later = process(folder.path());
        is_older(
            &Reader::open(place(&world, &later), None)
                .await
                .expect_err("a later process"),
        );
        let then = rstack::release::Pin::Time(rstack::time::Timestamp::now());
        is_older(
            &Reader::open(place(&world, &later), Some(&then))
                .await
                .expect_err("by time"),
        );
        // A release that is asked for by its id is what it is.
        let id = rstack::release::Pin::Release(reader.marker().release.to_string());
        Reader::open(place(&world, &later), Some(&id)).await.expect("pinned");

        // What comes next goes on above all that was there, and writes over nothing.
        let content = files([("a.py", "a = 3")]);
        world.publish(&content, "three").await.expect("published");
        let reader = Reader::open(place(&world, &process(folder.path())), None)
            .await
            .expect("newer");
        assert_eq!(reader.marker().sequence, 3);
        assert_eq!(all(&reader).await, content);
        for store in 0..3 {
            let moves = world.copy(store).moves().await.expect("moves");
            let reasons: Vec<_> = moves.iter().map(|step| step.reason.as_deref()).collect();
            assert_eq!(reasons, [Some("three"), Some("two"), Some("one")], "in store {store}");
        }
    });
}

#[test]
fn another_stack_begins_anew_and_forgetting_takes_what_is_there() {
    let folder = TempDir::new().expect("a folder");
    block_on(async {
        let world = World::in_memory();
        for text in ["a = 1", "a = 2"] {
            world.publish(&files([("a.py", text)]), text).await.expect("published");
        }
        Reader::open(place(&world, &process(folder.path())), None)
            .await
            .expect("the second");
        // The environment made anew in stores of the same names.
        let fresh = World {
            stack: "another".to_owned(),
            ..World::in_memory()
        };
        fresh
            .publish(&files([("a.py", "a = 'new'")]), "one")
            .await
            .expect("published");
        let reader = Reader::open(place(&fresh, &process(folder.path())), None)
            .await
            .expect("another stack");
        assert_eq!(reader.marker().sequence, 1);

        let emptied = World::in_memory();
        emptied
            .publish(&files([("a.py", "a = 0")]), "one")
            .await
            .expect("published");
        is_older(
            &Reader::open(place(&emptied, &process(folder.path())), None)
                .await
                .expect_err("the same stack"),
        );
        let options = CacheOptions::in_folder(folder.path());
        clear_cache(&options, false).expect("cleared");
        is_older(
            &Reader::open(place(&emptied, &process(folder.path())), None)
                .await
                .expect_err("still known"),
        );
        assert_eq!(clear_cache(&options, true).expect("cleared").areas_seen, 2);
        Reader::open(place(&emptied, &process(folder.path())), None)
            .await
            .expect("forgotten");
    });
}

#[test]
fn many_processes_record_the_highest() {
    let folder = TempDir::new().expect("a folder");
    block_on(async {
        let world = World::in_memory();
        let mut markers = Vec::new();
        for number in 0..20 {
            let text = format!("a = {number}");
            world
                .publish(&files([("a.py", text.as_str())]), "next")
                .await
                .expect("published");
            markers.push(marker(&world).await);
        }
        // Each sees another move, in no order.
        std::thread::scope(|scope| {
            for bytes in &markers {
                let (world, folder) = (World::in_memory(), folder.path());
                scope.spawn(move || {
                    block_on(async {
                        put_back(&world, bytes).await;
                        // Nothing but the marker is there: what matters is that it was seen.
                        let opened = Reader::open(place(&world, &process(folder)), None).await;
                        opened.expect_err("there is no manifest");
                    });
                });
            }
        });
        let highest = Reader::open(place(&world, &process(folder.path())), None)
            .await
            .expect("the last");
        assert_eq!(highest.marker().sequence, 20);
        put_back(&world, &markers[18]).await;
        let error = Reader::open(place(&world, &process(folder.path())), None)
            .await
            .expect_err("older");
        assert!(
            error.to_string().contains("at move 19, and was seen at move 20"),
            "{error}"
        );
    });
}
