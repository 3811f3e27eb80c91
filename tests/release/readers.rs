//! Readers that read all the while.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::{join, join_all};
use rstack::release::Reader;

use super::faulty::{Fate, Faulty};
use super::world::{Files, World, all};
use crate::support::block_on;

/// A release whose files all say which one it is.
fn generation(number: usize) -> Files {
    let file = |file: usize| (format!("pkg/{file}.py"), format!("release = {number}\n").into());
    (0..12).map(file).collect()
}

#[test]
fn readers_never_see_a_mix_while_publishers_are_killed_at_every_write() {
    block_on(async {
        let world = World::in_memory();
        world.publish(&generation(0), "0").await.expect("published");
        let (over, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
        let publishing = async {
            for writes in 0..25 {
                let fate = Fate::after(writes);
                let doomed = world.behind(|inner| {
                    let fate = Arc::clone(&fate);
                    Arc::new(Faulty { inner, fate })
                });
                let next = generation(usize::try_from(writes).expect("small") + 1);
                // Killed or not, the next one goes on from there; every other time somebody runs it again first.
                let _ = doomed.publish(&next, "next").await;
                if writes % 2 == 0 {
                    world.publish(&next, "again").await.expect("completes");
                }
            }
            over.store(true, Ordering::SeqCst);
        };
        // Two readers of each place, through stores that let others go first.
        let slow = world.behind(|inner| {
            Arc::new(Faulty {
                inner,
                fate: Fate::never(),
            })
        });
        let places = || [slow.copy(0), slow.copy(1), slow.copy(2), slow.environment()];
        let reading = (0..8).map(|reader| {
            let (over, reads) = (&over, &reads);
            let place = move || places().into_iter().nth(reader % 4).expect("four");
            async move {
                while !over.load(Ordering::SeqCst) {
                    let reader = Reader::open(place(), None).await.expect("a release");
                    let files = all(&reader).await;
                    let contents: BTreeSet<_> = files.values().collect();
                    assert_eq!((files.len(), contents.len()), (12, 1), "a mix: {files:?}");
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        join(publishing, join_all(reading)).await;
        assert!(reads.into_inner() > 100, "they hardly read");
    });
}
