//! Retiring releases, and deleting what only they named a day later.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{BoxFuture, join};
use rstack::release::{
    Keep, MoveKind, Mover, Pin, Proposal, Prune, PruneReport, PrunedStoreState, Reader, Stores, VerifiedState, Work,
    prune,
};
use rstack::store::{Body, Done, Pages, Put, Puts, Store, StoreKind, StoreResult, Swap, Version};
use rstack::time::Timestamp;
use rstack::{Outcome, Result, interrupt};

use super::faulty::{Fate, Faulty};
use super::real::{environment, noise};
use super::signed::signed;
use super::verified::{keys, read_back};
use super::world::{Files, Silence, World, files};
use crate::support::{block_on, local};

const HOUR: Duration = Duration::from_hours(1);

/// What a run is told beside the world.
#[derive(Clone, Copy)]
struct How {
    keep: Keep,
    even_recent: bool,
    /// After now.
    later: Duration,
    dry_run: bool,
}

const TWO: How = How {
    keep: Keep::Newest(2),
    even_recent: true,
    later: Duration::ZERO,
    dry_run: false,
};

impl How {
    fn after(self, hours: u32) -> Self {
        Self {
            later: hours * HOUR,
            ..self
        }
    }
}

async fn pruned(world: &World, how: How) -> Result<PruneReport> {
    let (_interrupter, interrupt) = interrupt::channel();
    let stores = world.roles();
    let job = Prune {
        mover: mover(world, &stores),
        trusted: &world.trusted,
        keep: how.keep,
        even_recent: how.even_recent,
        clock: &|| Timestamp::now() + how.later,
        dry_run: how.dry_run,
    };
    let work = Work {
        reporter: &Silence,
        interrupt: &interrupt,
    };
    prune(&job, &work).await
}

/// Releases that share one file.
async fn made(count: usize) -> (World, Vec<Files>) {
    let world = World::in_memory();
    let mut releases = Vec::new();
    for number in 1..=count {
        let own = format!("number = {number}");
        let files = files([("same.py", "same = 1"), ("a.py", own.as_str())]);
        world
            .publish(&files, &format!("number {number}"))
            .await
            .expect("published");
        releases.push(files);
    }
    (world, releases)
}

async fn blobs(store: &dyn Store) -> Vec<String> {
    let all = keys(store, "prod").await;
    let blob = |key: &String| key.contains("/pack/") || key.contains("/release/");
    all.into_iter().filter(blob).collect()
}

pub(super) async fn is_right(world: &World) {
    let report = read_back(world, false).await.expect("read");
    for store in &report.stores {
        assert_eq!(store.state, VerifiedState::Right, "{report:?}");
    }
}

async fn refusal(world: &World, pin: &Pin) -> String {
    let error = Reader::open(world.environment(), Some(pin)).await.expect_err("pruned");
    format!("{error}; {}", error.hint.as_deref().unwrap_or_default())
}

#[test]
fn releases_are_retired_and_a_day_later_what_only_they_named_is_deleted() {
    block_on(async {
        let (world, releases) = made(5).await;
        let moves = world.environment().moves().await.expect("moves");
        let oldest: Pin = moves[4].release.to_string().parse().expect("a pin");
        let before = blobs(&*world.stores[0]).await;
        let report = pruned(&world, TWO).await.expect("pruned");
        assert_eq!(
            (report.retired.len(), report.kept, report.deleted.len()),
            (3, 2, 0),
            "{report:?}"
        );
        assert_eq!((report.sequence, report.outcome()), (6, Outcome::Done));
        // The first pack has what all share, and stays; nothing has gone yet.
        assert_eq!(blobs(&*world.stores[0]).await, before);
        let retired = refusal(&world, &oldest).await;
        assert!(
            retired.contains("was pruned at") && retired.contains("by keeper"),
            "{retired}"
        );
        assert!(retired.contains("rollback prod --to"), "{retired}");
        is_right(&world).await;

        let early = pruned(&world, TWO.after(23)).await.expect("pruned");
        assert!(early.is_nothing(), "{early:?}");
        assert_eq!((early.sequence, early.waiting.len()), (6, 3));

        let late = pruned(&world, TWO.after(25)).await.expect("pruned");
        assert_eq!(
            (late.deleted.len(), late.sequence, late.outcome()),
            (3, 8, Outcome::Done),
            "{late:?}"
        );
        for (store, report) in world.stores.iter().zip(&late.stores) {
            // Manifests of three, and the packs of the second and the third.
            assert_eq!((report.deleted, report.left), (5, 0), "{late:?}");
            assert!(report.bytes > 0);
            let left = blobs(&**store).await;
            assert_eq!(left.len(), before.len() - 5, "{left:?}");
        }
        let gone = refusal(&world, &oldest).await;
        assert!(
            gone.contains("was pruned at") && gone.contains("its files are deleted"),
            "{gone}"
        );
        is_right(&world).await;
        assert_eq!(world.seen().await, vec![Some(releases[4].clone()); 4]);
        let pin = moves[1].release.to_string().parse().expect("a pin");
        assert_eq!(world.at(&pin).await, releases[3]);
        // Who did what is still told.
        for store in 0..3 {
            let moves = world.copy(store).moves().await.expect("moves");
            let kinds: Vec<_> = moves.iter().map(|step| step.kind).collect();
            assert_eq!(kinds[..3], [MoveKind::Prune; 3]);
            assert_eq!(moves[7].reason.as_deref(), Some("number 1"));
        }
        let again = pruned(&world, TWO.after(100)).await.expect("pruned");
        assert!(again.is_nothing() && again.sequence == 8, "{again:?}");
        world.publish(&releases[0], "the first again").await.expect("published");
        assert_eq!(world.seen().await, vec![Some(releases[0].clone()); 4]);
        is_right(&world).await;
    });
}

#[test]
fn what_was_current_lately_stays_unless_told_and_a_dry_run_changes_nothing() {
    block_on(async {
        let (world, _) = made(4).await;
        let careful = How {
            even_recent: false,
            keep: Keep::Newest(1),
            ..TWO
        };
        let report = pruned(&world, careful).await.expect("pruned");
        assert_eq!((report.retired.len(), report.recent), (0, 3));
        let month = careful.after(31 * 24);
        let planned = pruned(&world, How { dry_run: true, ..month }).await.expect("planned");
        assert_eq!((planned.retired.len(), planned.sequence), (3, 4));
        let age = How {
            keep: Keep::Within(Duration::from_hours(40 * 24)),
            ..month
        };
        assert_eq!(pruned(&world, age).await.expect("pruned").retired.len(), 0);
        assert_eq!(pruned(&world, month).await.expect("pruned").retired.len(), 3);
        let planned = pruned(
            &world,
            How {
                dry_run: true,
                ..month.after(33 * 24)
            },
        )
        .await;
        let planned = planned.expect("planned");
        assert_eq!(
            (planned.deleted.len(), planned.stores[0].state),
            (3, PrunedStoreState::Planned)
        );
        assert_eq!(world.environment().moves().await.expect("moves").len(), 5);
        is_right(&world).await;
    });
}

/// Does something right before the deciding marker moves.
struct Interposed {
    inner: Arc<dyn Store>,
    first: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl fmt::Debug for Interposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl Store for Interposed {
    fn kind(&self) -> StoreKind {
        self.inner.kind()
    }

    fn place(&self) -> &str {
        self.inner.place()
    }

    async fn ping(&self) -> StoreResult<()> {
        self.inner.ping().await
    }

    async fn get_many(&self, keys: &[String]) -> StoreResult<Vec<Option<Bytes>>> {
        self.inner.get_many(keys).await
    }

    async fn put_many(&self, puts: &mut Puts<'_>, done: &Done<'_>) -> StoreResult<()> {
        self.inner.put_many(puts, done).await
    }

    async fn delete_many(&self, keys: &[String]) -> StoreResult<()> {
        self.inner.delete_many(keys).await
    }

    fn list(&self, prefix: &str) -> Pages<'_> {
        self.inner.list(prefix)
    }

    async fn get_versioned(&self, key: &str) -> StoreResult<Option<(Bytes, Version)>> {
        self.inner.get_versioned(key).await
    }

    async fn compare_and_set(&self, key: &str, expected: Option<&Version>, new: Bytes) -> StoreResult<Swap> {
        let first = self.first.lock().expect("unpoisoned").take();
        if let Some(first) = first.filter(|_| key.ends_with("/marker")) {
            first.await;
        }
        self.inner.compare_and_set(key, expected, new).await
    }
}

#[test]
fn a_publisher_in_flight_loses_to_a_deletion_and_makes_its_packs_anew() {
    block_on(async {
        let world = World::in_memory();
        let (old, new) = (files([("a.py", "old = 1")]), files([("b.py", "new = 1")]));
        world.publish(&old, "old").await.expect("published");
        let known = blobs(&*world.stores[0]).await;
        world.publish(&new, "new").await.expect("published");
        let one = How {
            keep: Keep::Newest(1),
            ..TWO
        };
        pruned(&world, one).await.expect("retired");
        // It sends the very pack that is being deleted, as the content is the same.
        let mut publishing = world.clone();
        let meanwhile = world.clone();
        publishing.stores[0] = Arc::new(Interposed {
            inner: Arc::clone(&world.stores[0]),
            first: Mutex::new(Some(Box::pin(async move {
                let report = pruned(&meanwhile, one.after(25)).await.expect("deleted");
                assert_eq!(report.deleted.len(), 1);
                assert!(report.stores.iter().all(|store| store.deleted == 2), "{report:?}");
            }))),
        });
        let published = publishing.publish(&old, "old again").await.expect("published");
        assert_eq!(published.overtaken_by.len(), 1);
        assert_eq!(world.seen().await, vec![Some(old); 4]);
        let packs = blobs(&*world.stores[0]).await;
        assert!(packs.iter().all(|pack| !known.contains(pack)), "{packs:?} {known:?}");
        is_right(&world).await;
    });
}

#[test]
fn killed_at_any_write_it_completes_when_run_again_and_nobody_misses_anything() {
    block_on(async {
        let mut survived = 0;
        for writes in 0.. {
            let (world, releases) = made(4).await;
            pruned(&world, TWO).await.expect("retired");
            let fate = Fate::after(writes);
            let doomed = world.behind(|inner| {
                let fate = Arc::clone(&fate);
                Arc::new(Faulty { inner, fate })
            });
            let killed = pruned(&doomed, TWO.after(25)).await;
            assert_eq!(
                world.seen().await,
                vec![Some(releases[3].clone()); 4],
                "after {writes} writes"
            );
            let again = pruned(&world, TWO.after(25)).await.expect("no error");
            // Whoever was killed while it deleted is waited for.
            assert!(
                again.busy_until.is_none() || again.outcome() == Outcome::Partial,
                "{again:?}"
            );
            let last = pruned(&world, TWO.after(26)).await.expect("completes");
            assert_eq!(
                last.outcome(),
                Outcome::Done,
                "after {writes} writes: {killed:?} {last:?}"
            );
            for store in &world.stores {
                // Two manifests; the packs of the first, which all use, and of those two.
                assert_eq!(blobs(&**store).await.len(), 5, "after {writes} writes");
            }
            is_right(&world).await;
            survived = writes;
            if !fate.has_struck() {
                break;
            }
        }
        assert!(survived > 10, "only {survived} writes were tried");
    });
}

#[test]
fn two_at_once_do_it_once() {
    block_on(async {
        let (world, releases) = made(5).await;
        for hours in [0, 25] {
            let slowly = world.behind(|inner| {
                Arc::new(Faulty {
                    inner,
                    fate: Fate::never(),
                })
            });
            let (one, other) = join(pruned(&slowly, TWO.after(hours)), pruned(&slowly, TWO.after(hours))).await;
            let (one, other) = (one.expect("pruned"), other.expect("pruned"));
            assert_eq!(one.retired.len() + other.retired.len(), if hours == 0 { 3 } else { 0 });
            assert_eq!(world.seen().await, vec![Some(releases[4].clone()); 4]);
        }
        pruned(&world, TWO.after(26)).await.expect("pruned");
        is_right(&world).await;
        assert_eq!(blobs(&*world.stores[0]).await.len(), 5);
    });
}

#[test]
fn what_nothing_names_goes_a_day_after_it_was_seen_first() {
    block_on(async {
        let (world, _) = made(2).await;
        let orphan = |letter: &str| format!("prod/.rstack/pack/{}", letter.repeat(64));
        let leave = async |key: String| {
            let put = Put {
                key,
                body: Body::Bytes(Bytes::from_static(b"x")),
            };
            let written = world.stores[1].put_many(&mut std::iter::once(put), &|_, _| ()).await;
            written.expect("written");
        };
        leave(orphan("a")).await;
        for hours in [0, 23] {
            let report = pruned(&world, TWO.after(hours)).await.expect("pruned");
            assert_eq!((report.orphans, report.sequence), (1, 2), "{report:?}");
        }
        leave(orphan("b")).await;
        let report = pruned(&world, TWO.after(25)).await.expect("pruned");
        let deleted: Vec<u64> = report.stores.iter().map(|store| store.deleted).collect();
        assert_eq!((deleted, report.orphans), (vec![0, 1, 0], 1), "{report:?}");
        let left = blobs(&*world.stores[1]).await;
        assert!(left.contains(&orphan("b")) && !left.contains(&orphan("a")), "{left:?}");
        is_right(&world).await;
    });
}

#[test]
fn a_store_that_does_not_answer_is_freed_by_a_later_run() {
    block_on(async {
        for dead in [1, 2] {
            let (world, releases) = made(4).await;
            let mut without = world.clone();
            without.stores[dead] = Arc::new(Faulty {
                inner: Arc::clone(&world.stores[dead]),
                fate: Fate::after(-1),
            });
            for hours in [0, 25] {
                let report = pruned(&without, TWO.after(hours)).await.expect("pruned");
                assert_eq!(report.outcome(), Outcome::Partial);
                let unreachable = report
                    .stores
                    .iter()
                    .find(|store| store.state == PrunedStoreState::Unreachable);
                assert!(unreachable.is_some(), "{report:?}");
            }
            assert_eq!(blobs(&*world.stores[0]).await.len(), 5);
            assert_eq!(blobs(&*world.stores[dead]).await.len(), 8);
            let report = pruned(&world, TWO.after(26)).await.expect("pruned");
            assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
            assert_eq!(blobs(&*world.stores[dead]).await.len(), 5);
            is_right(&world).await;
            assert_eq!(world.seen().await, vec![Some(releases[3].clone()); 4]);
        }
    });
}

#[test]
fn a_history_with_a_hole_deletes_nothing() {
    block_on(async {
        let (world, _) = made(4).await;
        world.stores[0]
            .delete_many(&["prod/.rstack/move/2".to_owned()])
            .await
            .expect("gone");
        let error = pruned(&world, TWO).await.expect_err("a hole");
        assert!(error.to_string().contains("prod/.rstack/move/2"), "{error}");
        assert!(error.hint.expect("a hint").contains("verify prod --repair"));
    });
}

fn mover<'a>(world: &'a World, stores: &'a Stores<'a>) -> Mover<'a> {
    Mover {
        area: &world.area,
        stack_id: &world.stack,
        stores,
        author: "keeper",
        reason: Some("too many"),
        signer: world.signer.as_deref(),
        unsigned: false,
    }
}

async fn carried_out(proposal: &Proposal, mover: &Mover<'_>) -> Result<()> {
    let (_interrupter, interrupt) = interrupt::channel();
    let work = Work {
        reporter: &Silence,
        interrupt: &interrupt,
    };
    proposal.carry_out(mover, &work).await.map(drop)
}

#[test]
fn a_rollback_brings_a_retired_release_back_and_none_that_is_deleted() {
    block_on(async {
        let (world, releases) = made(4).await;
        let moves = world.environment().moves().await.expect("moves");
        let pin = |at: usize| moves[at].release.to_string().parse::<Pin>().expect("a pin");
        pruned(&world, TWO).await.expect("retired");
        let stores = world.roles();
        let by = mover(&world, &stores);
        let back = Proposal::rollback(&by, Some(&pin(3)), &world.trusted).await;
        carried_out(&back.expect("a way back"), &by).await.expect("moved");
        let report = pruned(&world, TWO.after(25)).await.expect("deleted");
        // The second is gone, the third was pushed out by the first, and waits.
        assert_eq!((report.deleted.len(), report.retired.len()), (1, 1), "{report:?}");
        assert_eq!(world.seen().await, vec![Some(releases[0].clone()); 4]);
        is_right(&world).await;
        let gone = Proposal::rollback(&by, Some(&pin(2)), &world.trusted)
            .await
            .expect_err("deleted");
        assert!(gone.to_string().contains("its files are deleted"), "{gone}");
    });
}

#[test]
fn nothing_is_promoted_into_an_area_from_which_something_is_being_deleted() {
    block_on(async {
        let (world, _) = made(3).await;
        pruned(&world, TWO).await.expect("retired");
        // Enough writes to begin the deletion, not enough to end it.
        let doomed = world.behind(|inner| {
            let fate = Fate::after(4);
            Arc::new(Faulty { inner, fate })
        });
        let _ = pruned(&doomed, TWO.after(25)).await;
        let uat = World {
            area: "uat".parse().expect("an area"),
            ..world.clone()
        };
        uat.publish(&files([("a.py", "a = 'uat'")]), "to promote")
            .await
            .expect("published");
        let stores = world.roles();
        let by = mover(&world, &stores);
        let promotion = async || Proposal::promotion(&by, &uat.area, None, &world.trusted).await;
        let refused = promotion().await.expect_err("a deletion goes on").to_string();
        assert!(refused.contains("is deleting from area `prod`"), "{refused}");
        pruned(&world, TWO.after(26)).await.expect("ended");
        let proposal = promotion().await.expect("nothing is deleted any more");
        carried_out(&proposal, &by).await.expect("promoted");
        is_right(&world).await;
    });
}

#[test]
fn a_signed_area_is_pruned_with_a_key() {
    block_on(async {
        let world = signed();
        for number in ["1", "2", "3"] {
            world
                .publish(&files([("a.py", number)]), number)
                .await
                .expect("published");
        }
        let unsigned = World {
            signer: None,
            ..world.clone()
        };
        let refused = pruned(&unsigned, TWO)
            .await
            .expect_err("it has to be signed")
            .to_string();
        assert!(refused.contains("is signed"), "{refused}");
        pruned(&world, TWO).await.expect("retired");
        pruned(&world, TWO.after(25)).await.expect("deleted");
        assert_eq!(world.seen().await, vec![Some(files([("a.py", "3")])); 4]);
        is_right(&world).await;
    });
}

#[test]
fn packs_in_many_parts_go_from_real_stores() {
    let _ = local::shared();
    block_on(async {
        let world = environment("prune-real").await;
        for seed in 1..=3 {
            let files = noise(2, 300_000, seed);
            world
                .publish(&files, &format!("number {seed}"))
                .await
                .expect("published");
        }
        let one = How {
            keep: Keep::Newest(1),
            ..TWO
        };
        assert_eq!(pruned(&world, one).await.expect("retired").retired.len(), 2);
        let report = pruned(&world, one.after(25)).await.expect("deleted");
        assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
        for store in &report.stores {
            assert_eq!((store.deleted, store.left), (4, 0), "{report:?}");
            assert!(store.bytes > 1_200_000, "{report:?}");
        }
        assert!(world.seen().await == vec![Some(noise(2, 300_000, 3)); 4]);
        is_right(&world).await;
        // Of the manifest, and of the pack: one value, and one in parts.
        let area = world.area.to_string();
        for (store, expected) in world.stores.iter().zip([3, 2, 2]) {
            let all = keys(&**store, &area).await;
            let blobs: Vec<_> = all
                .iter()
                .filter(|key| key.contains("/pack/") || key.contains("/release/"))
                .collect();
            assert_eq!(blobs.len(), expected, "{blobs:?}");
        }
    });
}
