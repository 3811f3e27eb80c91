//! The publisher is killed at every write, and run again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rstack::release::{CopyState, Pin, Reader};

use super::faulty::{Fate, Faulty};
use super::world::{World, all, files};
use crate::support::block_on;

fn doomed(world: &World, fate: &Arc<Fate>) -> World {
    world.behind(|inner| {
        let fate = Arc::clone(fate);
        Arc::new(Faulty { inner, fate })
    })
}

#[test]
fn killed_at_any_write_it_changes_nothing_or_everything_and_completes_when_run_again() {
    let (old, new) = (
        files([("a.py", "a = 1"), ("b.py", "b = 1"), ("gone.py", "")]),
        files([("a.py", "a = 2"), ("b.py", "b = 1"), ("c/d.py", "d = 1")]),
    );
    block_on(async {
        let mut survived = 0;
        for writes in 0.. {
            let world = World::in_memory();
            world.publish(&old, "old").await.expect("published");
            let fate = Fate::after(writes);
            let result = doomed(&world, &fate).publish(&new, "new").await;
            let committed = {
                let seen = world.seen().await;
                for seen in &seen {
                    assert!(
                        seen.as_ref() == Some(&old) || seen.as_ref() == Some(&new),
                        "after {writes} writes a reader sees {seen:?}"
                    );
                }
                assert_eq!(seen[0], seen[3], "the deciding marker is what the environment is at");
                seen[0].as_ref() == Some(&new)
            };
            assert_eq!(result.is_ok(), committed, "after {writes} writes: {result:?}");

            let again = world.publish(&new, "new").await.expect("completes");
            assert_eq!(again.new, !committed, "after {writes} writes");
            assert_eq!(again.sequence, 2, "after {writes} writes");
            let lagging = again.stores.iter().filter(|store| store.state == CopyState::Lags);
            assert_eq!(lagging.count(), 0);
            assert_eq!(world.seen().await, vec![Some(new.clone()); 4]);
            for store in 0..3 {
                let moves = world.copy(store).moves().await.expect("moves");
                let reasons: Vec<_> = moves.iter().filter_map(|step| step.reason.as_deref()).collect();
                assert_eq!(reasons, ["new", "old"], "after {writes} writes, in store {store}");
            }
            survived = writes;
            if !fate.has_struck() {
                break;
            }
        }
        assert!(survived > 10, "only {survived} writes were tried");
    });
}

#[test]
fn an_answer_that_was_lost_counts_as_won() {
    block_on(async {
        let world = World::in_memory();
        let fate = Fate::never();
        fate.lose_answer.store(true, Ordering::SeqCst);
        let published = doomed(&world, &fate).publish(&files([("a.py", "1")]), "why").await;
        let published = published.expect("published");
        assert!(published.new && published.sequence == 1 && published.overtaken_by.is_empty());
        assert_eq!(world.environment().moves().await.expect("moves").len(), 1);
    });
}

#[test]
fn what_lags_is_repaired_by_the_next_publisher_or_by_the_same_content() {
    block_on(async {
        let world = World::in_memory();
        world
            .publish(&files([("a.py", "1")]), "first")
            .await
            .expect("published");
        let dead_cache = {
            let mut world = world.clone();
            let inner = Arc::clone(&world.stores[2]);
            world.stores[2] = Arc::new(Faulty {
                inner,
                fate: Fate::after(-1),
            });
            world
        };
        for content in ["2", "3"] {
            let report = dead_cache
                .publish(&files([("a.py", content)]), content)
                .await
                .expect("published");
            let states: Vec<_> = report.stores.iter().map(|store| store.state).collect();
            assert_eq!(states, [CopyState::Decides, CopyState::Current, CopyState::Lags]);
            assert_eq!(report.outcome(), rstack::Outcome::Partial);
        }
        let lagging = Reader::open(world.copy(2), None).await.expect("the old release");
        assert_eq!(lagging.marker().sequence, 1);
        let same = world.publish(&files([("a.py", "3")]), "again").await.expect("done");
        assert!(!same.new);
        assert_eq!(world.seen().await, vec![Some(files([("a.py", "3")])); 4]);
        assert_eq!(world.copy(2).moves().await.expect("moves").len(), 3);

        // A cache that lost everything is filled again, by a reader and by a publisher.
        let mut emptied = world.clone();
        emptied.stores[2] = World::in_memory().stores[2].clone();
        assert_eq!(emptied.seen().await[3], Some(files([("a.py", "3")])));
        emptied.publish(&files([("a.py", "3")]), "again").await.expect("done");
        assert_eq!(emptied.seen().await[2], Some(files([("a.py", "3")])));
    });
}

#[test]
fn killed_at_any_write_a_promotion_or_rollback_changes_nothing_or_everything_and_completes() {
    let (old, new) = (
        files([("a.py", "a = 1"), ("gone.py", "")]),
        files([("a.py", "a = 2"), ("c/d.py", "d = 1")]),
    );
    block_on(async {
        let mut survived = (0, 0);
        for promoting in [true, false] {
            for writes in 0.. {
                let prod = World::in_memory();
                let uat = World {
                    area: "uat".parse().expect("an area"),
                    ..prod.clone()
                };
                // Either way `prod` is at the old one, and has to come to the new one.
                uat.publish(&new, "new").await.expect("published");
                if promoting {
                    prod.publish(&old, "old").await.expect("published");
                } else {
                    prod.publish(&new, "new").await.expect("published");
                    prod.publish(&old, "old").await.expect("published");
                    // What only the first release has is not in every store any more.
                    prod.copy_lost(1, "prod/.rstack/pack/").await;
                    prod.copy_lost(2, "prod/.rstack/").await;
                }
                let fate = Fate::after(writes);
                let doomed = doomed(&prod, &fate);
                let result = if promoting {
                    doomed.promote(&uat.area, None).await
                } else {
                    doomed.rollback(None).await
                };
                let seen = prod.environment();
                let seen = all(&Reader::open(seen, None).await.expect("a release")).await;
                assert!(
                    seen == old || seen == new,
                    "after {writes} writes a reader sees {seen:?}"
                );
                assert_eq!(result.is_ok(), seen == new, "after {writes} writes: {result:?}");

                let target = Pin::Release(prod_or(&uat, &prod, promoting).await);
                let again = if promoting {
                    prod.promote(&uat.area, None).await
                } else {
                    prod.rollback(Some(&target)).await
                };
                let again = again.expect("completes");
                assert_eq!(again.moved, seen == old, "after {writes} writes");
                assert_eq!(again.outcome(), rstack::Outcome::Done);
                assert_eq!(prod.seen().await, vec![Some(new.clone()); 4], "after {writes} writes");
                if promoting {
                    survived.0 = writes;
                } else {
                    survived.1 = writes;
                }
                if !fate.has_struck() {
                    break;
                }
            }
        }
        assert!(survived.0 > 8 && survived.1 > 6, "only {survived:?} writes were tried");
    });
}

/// The release that `prod` has to come to.
async fn prod_or(uat: &World, prod: &World, promoting: bool) -> String {
    let place = if promoting {
        uat.environment()
    } else {
        prod.environment()
    };
    let moves = place.moves().await.expect("moves");
    moves.last().expect("a move").release.to_string()
}
