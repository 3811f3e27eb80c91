//! `verify` on stores of which something was taken or changed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use rstack::release::{Keep, Verification, Verified, VerifiedState, Work, Wrong, verify};
use rstack::store::{Body, Put, Store};
use rstack::{Outcome, Result, interrupt};

use super::faulty::{Fate, Faulty};
use super::world::{Files, Silence, World, files, summed};
use crate::support::block_on;

pub(super) async fn read_back(world: &World, repair: bool) -> Result<Verified> {
    let (_interrupter, interrupt) = interrupt::channel();
    let job = Verification {
        area: &world.area,
        stack_id: &world.stack,
        stores: &world.roles(),
        repair,
    };
    let work = Work {
        reporter: &Silence,
        interrupt: &interrupt,
    };
    verify(&job, &work).await
}

/// Every key of the area, in order.
pub(super) async fn keys(store: &dyn Store, area: &str) -> Vec<String> {
    let pages: Vec<_> = store.list(&format!("{area}/")).try_collect().await.expect("pages");
    let mut keys: Vec<String> = pages.concat().into_iter().map(|listed| listed.key).collect();
    keys.sort();
    keys
}

async fn get(store: &dyn Store, key: &str) -> Bytes {
    let found = store.get_many(&[key.to_owned()]).await.expect("a value");
    found.into_iter().next().flatten().expect("a value")
}

async fn put(store: &dyn Store, key: &str, value: impl Into<Bytes>) {
    let put = Put {
        key: key.to_owned(),
        body: Body::Bytes(value.into()),
    };
    let written = store.put_many(&mut std::iter::once(put), &|_, _| ()).await;
    written.expect("written");
}

pub(super) async fn flip(store: &dyn Store, key: &str) {
    let mut value = get(store, key).await.to_vec();
    let middle = value.len() / 2;
    value[middle] ^= 1;
    put(store, key, value).await;
}

/// Three releases in `prod`; the second has a file of its own.
async fn made() -> (World, Vec<Files>) {
    let world = World::in_memory();
    let releases = vec![
        files([("a.py", "a = 1"), ("b.py", "b = 1")]),
        files([("a.py", "a = 2"), ("b.py", "b = 1"), ("c.py", "c = 1")]),
        files([("a.py", "a = 3"), ("b.py", "b = 1")]),
    ];
    for (at, files) in releases.iter().enumerate() {
        world.publish(files, &format!("number {at}")).await.expect("published");
    }
    (world, releases)
}

fn states(report: &Verified) -> Vec<VerifiedState> {
    // As the stores of a world: deciding, durable, cache. All of memory, so their order is that of the report.
    report.stores.iter().map(|store| store.state).collect()
}

fn wrong(report: &Verified, store: usize) -> Vec<(String, Wrong, bool)> {
    let found = report.stores[store].differences.iter();
    found
        .map(|found| (found.key.clone(), found.what, found.repaired))
        .collect()
}

#[test]
fn whatever_is_taken_or_changed_in_one_store_is_named_and_repaired_from_another() {
    block_on(async {
        let (world, releases) = made().await;
        let whole = read_back(&world, false).await.expect("read");
        assert_eq!(states(&whole), [VerifiedState::Right; 3], "{whole:?}");
        assert_eq!((whole.releases, whole.packs, whole.contents), (3, 3, 5));
        let all = keys(&*world.stores[0], "prod").await;
        assert_eq!(all.len(), 10, "{all:?}");
        for (store, inner) in world.stores.iter().enumerate() {
            for key in &all {
                for what in [Wrong::Missing, Wrong::Damaged] {
                    let before = get(&**inner, key).await;
                    if what == Wrong::Missing {
                        inner.delete_many(std::slice::from_ref(key)).await.expect("gone");
                    } else {
                        flip(&**inner, key).await;
                    }
                    // A cache may drop what only older releases need, and a marker that is gone only lags.
                    let found = read_back(&world, false).await.expect("read");
                    let named = wrong(&found, store);
                    let lags = found.stores[store].state == VerifiedState::Lags;
                    let optional = store == 2 && what == Wrong::Missing && !lags;
                    assert!(
                        named == [(key.clone(), what, false)] || (lags && key.ends_with("/marker")) || optional,
                        "{what:?} {key} in {store}: {found:?}"
                    );
                    if !named.is_empty() || lags {
                        assert_eq!(found.outcome(), Outcome::Partial, "{key} in {store}");
                    }
                    let repaired = read_back(&world, true).await.expect("repaired");
                    assert_eq!(
                        repaired.outcome(),
                        Outcome::Done,
                        "{what:?} {key} in {store}: {repaired:?}"
                    );
                    let again = read_back(&world, false).await.expect("read");
                    assert_eq!(
                        states(&again),
                        [VerifiedState::Right; 3],
                        "{what:?} {key} in {store}: {again:?}"
                    );
                    assert_eq!(world.seen().await, vec![Some(releases[2].clone()); 4]);
                    if optional {
                        put(&**inner, key, before.clone()).await;
                    }
                    assert_eq!(get(&**inner, key).await, before, "{what:?} {key} in {store}");
                }
            }
        }
    });
}

#[test]
fn a_store_that_lost_everything_gets_it_back() {
    block_on(async {
        let (world, releases) = made().await;
        for lost in 0..3 {
            let mut world = world.clone();
            world.stores[lost] = World::in_memory().stores[lost].clone();
            let found = read_back(&world, false).await.expect("read");
            assert_eq!(found.outcome(), Outcome::Partial);
            let repaired = read_back(&world, true).await.expect("repaired");
            assert_eq!(repaired.outcome(), Outcome::Done, "{repaired:?}");
            let again = read_back(&world, false).await.expect("read");
            assert_eq!(states(&again), [VerifiedState::Right; 3]);
            assert_eq!(world.seen().await, vec![Some(releases[2].clone()); 4]);
            assert_eq!(world.copy(lost).moves().await.expect("moves").len(), 3);
        }
    });
}

#[test]
fn an_older_marker_lags_also_the_one_that_decides() {
    block_on(async {
        let (world, releases) = made().await;
        let marker = "prod/.rstack/marker";
        let [deciding, durable, _] = &world.stores;
        let (now, before) = (
            get(&**deciding, marker).await,
            get(&**deciding, "prod/.rstack/move/2").await,
        );
        put(&**durable, marker, before.clone()).await;
        let found = read_back(&world, false).await.expect("read");
        assert_eq!(
            (found.stores[1].state, found.stores[1].behind, found.stores[1].sequence),
            (VerifiedState::Lags, 1, Some(2))
        );
        read_back(&world, true).await.expect("repaired");
        assert_eq!(get(&**durable, marker).await, now);

        // As if the table were an older backup.
        put(&**deciding, marker, before.clone()).await;
        let refused = world.publish(&releases[0], "on top").await.expect_err("it would fork");
        assert!(refused.to_string().contains("is at move 2, and its copy"), "{refused}");
        assert_eq!(
            refused.hint.as_deref(),
            Some("`rstack verify prod --repair` brings it back; nothing was moved")
        );
        world.rollback(None).await.expect_err("it would fork");
        let found = read_back(&world, false).await.expect("read");
        assert_eq!(
            (found.stores[0].state, found.stores[0].behind),
            (VerifiedState::Lags, 1)
        );
        read_back(&world, true).await.expect("repaired");
        assert_eq!(get(&**deciding, marker).await, now);
        assert_eq!(world.seen().await, vec![Some(releases[2].clone()); 4]);
    });
}

#[test]
fn a_deciding_marker_that_was_lost_comes_back_and_nothing_begins_anew_beside_it() {
    block_on(async {
        let (world, releases) = made().await;
        let marker = "prod/.rstack/marker";
        let [deciding, durable, cache] = &world.stores;
        let now = get(&**deciding, marker).await;
        deciding.delete_many(&[marker.to_owned()]).await.expect("gone");
        let refused = world
            .publish(&releases[0], "anew")
            .await
            .expect_err("it would begin anew");
        assert!(refused.to_string().contains("is gone, and its copy"), "{refused}");
        // As if an older rstack had begun anew all the same, and nothing else remembered.
        cache.delete_many(&keys(&**cache, "prod").await).await.expect("gone");
        let mut fork = world.clone();
        fork.stores = World::in_memory().stores;
        fork.publish(&releases[0], "a fork").await.expect("published");
        for key in keys(&*fork.stores[0], "prod").await {
            put(&**deciding, &key, get(&*fork.stores[0], &key).await).await;
        }
        world
            .publish(&releases[1], "on the fork")
            .await
            .expect_err("the fork is behind");
        let repaired = read_back(&world, true).await.expect("repaired");
        assert_eq!(repaired.outcome(), Outcome::Done, "{repaired:?}");
        assert_eq!(get(&**deciding, marker).await, now);
        assert_eq!(get(&**durable, marker).await, now);
        assert_eq!(world.copy(0).moves().await.expect("moves").len(), 3);
        assert_eq!(world.copy(1).moves().await.expect("moves").len(), 3);
        world.publish(&releases[0], "goes on").await.expect("published");
    });
}

#[test]
fn a_copy_that_is_ahead_without_a_history_is_put_right() {
    block_on(async {
        let (world, releases) = made().await;
        let marker = "prod/.rstack/marker";
        let [deciding, durable, _] = &world.stores;
        let now = get(&**deciding, marker).await;
        let text = String::from_utf8(now.to_vec()).expect("text");
        let forged = summed(&text.replace("\"sequence\":3", "\"sequence\":9"));
        put(&**durable, marker, forged).await;
        let found = read_back(&world, false).await.expect("read");
        assert_eq!(wrong(&found, 1), [(marker.to_owned(), Wrong::Damaged, false)]);
        read_back(&world, true).await.expect("repaired");
        assert_eq!(get(&**durable, marker).await, now);
        assert_eq!(world.seen().await, vec![Some(releases[2].clone()); 4]);
    });
}

#[test]
fn what_the_stores_contradict_each_other_about_is_left_alone() {
    block_on(async {
        let (mut world, _) = made().await;
        let key = "prod/.rstack/move/1";
        let text = String::from_utf8(get(&*world.stores[1], key).await.to_vec()).expect("text");
        let forged = summed(&text.replace("tester", "nobody"));
        put(&*world.stores[1], key, forged.clone()).await;
        // The cache confirms what the table has.
        let found = read_back(&world, false).await.expect("read");
        assert_eq!((wrong(&found, 0).len(), wrong(&found, 1).len()), (0, 1));
        // Without it there are one and one.
        world.stores[2] = World::in_memory().stores[2].clone();
        let tied = read_back(&world, true).await.expect("read");
        assert_eq!(tied.outcome(), Outcome::Partial);
        assert_eq!(wrong(&tied, 0), [(key.to_owned(), Wrong::Damaged, false)]);
        assert_eq!(get(&*world.stores[1], key).await, forged);
        // A cache alone is no witness at all.
        for store in &world.stores[..2] {
            store.delete_many(&[key.to_owned()]).await.expect("gone");
        }
        let nobody = read_back(&world, true).await.expect("read");
        assert_eq!(wrong(&nobody, 0), [(key.to_owned(), Wrong::Missing, false)]);
    });
}

#[test]
fn a_store_that_does_not_answer_has_a_row_of_its_own() {
    block_on(async {
        let (world, _) = made().await;
        let dead = |store: usize| {
            let mut world = world.clone();
            let inner = Arc::clone(&world.stores[store]);
            world.stores[store] = Arc::new(Faulty {
                inner,
                fate: Fate::after(-1),
            });
            world
        };
        for store in [1, 2] {
            let found = read_back(&dead(store), true).await.expect("read");
            assert_eq!(found.stores[store].state, VerifiedState::Unreachable);
            assert_eq!(found.outcome(), Outcome::Partial);
        }
        read_back(&dead(0), true).await.expect_err("nothing decides");
    });
}

#[test]
fn what_nothing_names_is_listed_and_left() {
    block_on(async {
        let (world, _) = made().await;
        let orphan = format!("prod/.rstack/pack/{}", "0".repeat(64));
        put(&*world.stores[0], &format!("{orphan}/0"), "x").await;
        put(&*world.stores[0], &format!("{orphan}/1"), "y").await;
        let found = read_back(&world, true).await.expect("read");
        assert_eq!(found.outcome(), Outcome::Done);
        assert_eq!(found.stores[0].extra, Some(vec![orphan]));
    });
}

#[test]
fn what_is_retired_is_checked_until_it_is_deleted() {
    block_on(async {
        let (world, _) = made().await;
        let before = keys(&*world.stores[0], "prod").await;
        world.prune(Keep::Newest(1), Duration::ZERO).await.expect("retired");
        let whole = read_back(&world, false).await.expect("read");
        assert_eq!(
            (whole.outcome(), whole.releases, whole.pruned),
            (Outcome::Done, 1, 2),
            "{whole:?}"
        );
        for key in before
            .iter()
            .filter(|key| key.contains("/release/") || key.contains("/pack/"))
        {
            flip(&*world.stores[1], key).await;
            let found = read_back(&world, false).await.expect("read");
            assert_eq!(wrong(&found, 1), [(key.clone(), Wrong::Damaged, false)]);
            read_back(&world, true).await.expect("repaired");
        }
        assert_eq!(read_back(&world, false).await.expect("read").outcome(), Outcome::Done);
    });
}

#[test]
fn damaged_notes_are_named_and_put_right() {
    block_on(async {
        let (world, _) = made().await;
        let (confirmed, repair) = ("prod/.rstack/confirmed", "prod/.rstack/repair");
        for store in [1, 2] {
            put(&*world.stores[store], confirmed, "{").await;
        }
        put(&*world.stores[2], repair, "{").await;
        let found = read_back(&world, false).await.expect("read");
        assert_eq!(wrong(&found, 1), [(confirmed.to_owned(), Wrong::Damaged, false)]);
        assert_eq!(wrong(&found, 2).len(), 2, "{found:?}");
        let repaired = read_back(&world, true).await.expect("repaired");
        assert_eq!(repaired.outcome(), Outcome::Done, "{repaired:?}");
        let whole = read_back(&world, false).await.expect("read");
        assert_eq!(states(&whole), [VerifiedState::Right; 3]);
        assert!(keys(&*world.stores[1], "prod").await.contains(&confirmed.to_owned()));
        assert!(!keys(&*world.stores[2], "prod").await.contains(&repair.to_owned()));
    });
}

#[test]
fn of_a_marker_that_is_damaged_nobody_says_how_far_it_is_behind() {
    block_on(async {
        let (world, _) = made().await;
        flip(&*world.stores[1], "prod/.rstack/marker").await;
        let found = read_back(&world, false).await.expect("read");
        assert_eq!((found.stores[1].sequence, found.stores[1].behind), (None, 0));
        assert_eq!(found.stores[1].state, VerifiedState::Differs);
    });
}
