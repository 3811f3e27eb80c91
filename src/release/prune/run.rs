//! One run: retire by a move of the marker; delete what is due between two of them.
//!
//! `docs/architecture.md` says why nothing that anybody needs can be deleted.

use std::collections::BTreeSet;
use std::time::Instant;

use futures_util::future::join_all;

use super::delete::{self, Values};
use super::orphans::{self, Orphans};
use super::plan::{DAY, Keep, Plan};
use super::report::{PruneReport, PrunedStore, PrunedStoreState};
use crate::error::{Error, Result};
use crate::release::commit::Commit;
use crate::release::copies::blobs;
use crate::release::marker::{Head, Held, Marker};
use crate::release::mover::{After, AtHand, Mover, Work};
use crate::release::pruned::{Keeping, Pruned};
use crate::release::publish::load_manifest;
use crate::release::report::{CopyReport, CopyState};
use crate::release::vouch;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;
use crate::trust::TrustedKeys;

/// How often a run that was overtaken plans anew.
const ATTEMPTS: u32 = 25;
/// A deletion stops after so many seconds; until then no other begins.
const LEASE: i64 = 15 * 60;
/// The last request of a deletion has so many seconds to end.
const MARGIN: i64 = 2 * 60;

/// What to let go of.
#[derive(Clone, Copy)]
pub struct Prune<'a> {
    pub mover: Mover<'a>,
    /// Whose signature is believed, besides that of the mover's own key, when moves are to be signed.
    pub trusted: &'a TrustedKeys,
    pub keep: Keep,
    /// Also releases that were current within the last 30 days.
    pub even_recent: bool,
    /// AWS's clock.
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    /// Only find out what would be done.
    pub dry_run: bool,
}

/// Retires releases, and deletes what only those named that were retired a day ago. Killed at any moment, the next run
/// goes on. A store that fails is named in the report, and freed by a later run.
///
/// # Errors
/// Refused when there is no release, when the history has a hole, others move the marker all the time, or signing would
/// vouch for a release that nobody who is trusted has signed; the deciding store's own error; Interrupted before anything was changed.
pub async fn prune(job: &Prune<'_>, work: &Work<'_>) -> Result<PruneReport> {
    let started = Instant::now();
    let mut report = Pruning { job, work }.run().await?;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

struct Pruning<'a> {
    job: &'a Prune<'a>,
    work: &'a Work<'a>,
}

/// A store and what it has; the error that kept it from being listed.
struct Place<'a> {
    store: &'a dyn Store,
    held: Result<Values, StoreError>,
    /// What goes.
    doomed: Values,
}

/// What one attempt is about.
struct Attempt {
    head: Head,
    held: Held,
    plan: Plan,
    before: Pruned,
    then: Pruned,
    recent: u64,
    now: Timestamp,
    /// Releases that no move from this one on names may be deleted.
    due: u64,
    busy: Option<Timestamp>,
}

impl<'a> Pruning<'a> {
    async fn run(&self) -> Result<PruneReport> {
        let (mover, deciding) = (&self.job.mover, self.job.mover.stores.deciding);
        let mut places: Option<Vec<Place<'_>>> = None;
        for _ in 0..ATTEMPTS {
            let attempt = self.plan().await?;
            // What is written after the listing is not in it, and so stays.
            let places = match &mut places {
                Some(places) => places,
                none => none.insert(self.list(&attempt.plan).await?),
            };
            let noted = orphans::load(deciding, mover.area, mover.stack_id).await?;
            let orphans = attempt.doom(places, &noted);
            let due = attempt.due > attempt.before.deleted_before;
            let sweeps = attempt.busy.is_none() && (due || places.iter().any(|place| !place.doomed.is_empty()));
            if self.job.dry_run {
                return Ok(self.report(&attempt, places.iter().map(Place::planned).collect(), &orphans));
            }
            let Some((held, copies)) = self.begin(&attempt, sweeps).await? else {
                continue;
            };
            let stores = self.sweep(places, &copies, sweeps.then_some(attempt.now)).await;
            let mut report = self.report(&attempt, stores, &orphans);
            report.sequence = held.marker.sequence;
            if sweeps {
                self.end(&held, &mut report).await;
            }
            self.note(&report, orphans, attempt.now).await?;
            return Ok(report);
        }
        Err(
            Error::refused(format!("others move the marker of area `{}` all the time", mover.area))
                .with_hint("run the same command again"),
        )
    }

    async fn plan(&self) -> Result<Attempt> {
        let mover = &self.job.mover;
        let head = mover.head().await?;
        let current = head.current.clone().ok_or_else(|| {
            Error::refused(format!("there is no release in area `{}`", mover.area))
                .with_hint("`rstack status` lists the areas there are")
        })?;
        self.check_trust(&current.marker)?;
        let plan = Plan::read(mover.stores.deciding, mover.area, &current).await?;
        let now = (self.job.clock)();
        let before = current.marker.pruned.clone().unwrap_or_default();
        let (threshold, recent) = plan.threshold(self.job.keep, self.job.even_recent, before.retired_before(), now);
        let mut then = before.clone();
        if plan.has_between(before.retired_before(), threshold) {
            then.retire(threshold, now);
        }
        let due = then.due_before(now.shifted(-DAY));
        let busy = before.deleting_until.filter(|until| now <= *until);
        Ok(Attempt {
            head,
            held: current,
            plan,
            before,
            then,
            recent,
            now,
            due,
            busy,
        })
    }

    /// Every move of a run signs the release that the area is at, and what it says was pruned is acted on.
    fn check_trust(&self, current: &Marker) -> Result<()> {
        match vouch::distrust(current, &self.job.mover, self.job.trusted) {
            Some(distrust) => Err(vouch::refuse_to_prune(&self.job.mover, &distrust)),
            None => Ok(()),
        }
    }

    /// What every store has. One that cannot be listed for want of permission is told from the others.
    async fn list(&self, plan: &Plan) -> Result<Vec<Place<'a>>> {
        let mover = &self.job.mover;
        let following = mover.stores.following().map(|(store, _)| store);
        let stores: Vec<&dyn Store> = std::iter::once(mover.stores.deciding).chain(following).collect();
        let listing = stores
            .iter()
            .map(|store| delete::values(*store, mover.area, &plan.sizes));
        let listed = join_all(listing).await;
        let known: Values = listed
            .iter()
            .filter_map(|listed| listed.as_ref().ok()?.clone())
            .flatten()
            .collect();
        let places = stores.into_iter().zip(listed).map(|(store, listed)| Place {
            store,
            held: listed.map(|values| values.unwrap_or_else(|| delete::elsewhere(store, &known))),
            doomed: Values::new(),
        });
        let mut places: Vec<Place<'_>> = places.collect();
        if let Err(error) = &places[0].held {
            return Err(error.clone().into());
        }
        // As the reports of copies are.
        places.sort_by_key(|place| place.store.kind());
        Ok(places)
    }

    /// Moves the marker where there is something to do; `None` when another came first.
    async fn begin(&self, attempt: &Attempt, sweeps: bool) -> Result<Option<(Held, Vec<CopyReport>)>> {
        let mut pruned = attempt.then.clone();
        if sweeps {
            pruned.delete(attempt.due, attempt.head.sequence + 1, attempt.now.shifted(LEASE));
        } else if attempt.busy.is_none() {
            pruned.deleting_until = None;
        }
        if pruned == attempt.before {
            let copies = self.follow(&attempt.held).await?;
            return Ok(Some((attempt.held.clone(), copies)));
        }
        self.step(&attempt.head, &attempt.held.marker, pruned).await
    }

    async fn step(&self, head: &Head, current: &Marker, pruned: Pruned) -> Result<Option<(Held, Vec<CopyReport>)>> {
        let mover = &self.job.mover;
        self.check_trust(current)?;
        match mover.prune(head, current, pruned, self.work.interrupt).await? {
            (Commit::Lost(_), _) => Ok(None),
            (Commit::Won, won) => {
                let copies = self.follow(&won).await?;
                Ok(Some((won, copies)))
            }
        }
    }

    /// Brings the other stores to where the deciding one is.
    async fn follow(&self, won: &Held) -> Result<Vec<CopyReport>> {
        let mover = &self.job.mover;
        let manifest = load_manifest(mover.stores.deciding, mover.area, &won.marker).await?;
        Ok(mover
            .follow(won, manifest.extent(), &AtHand::default(), After::Publishing)
            .await)
    }

    /// Deletes what is doomed, if a deletion `began`, from every store that is where the marker is.
    async fn sweep(&self, places: &[Place<'_>], copies: &[CopyReport], began: Option<Timestamp>) -> Vec<PrunedStore> {
        let end = began.map(|began| began.shifted(LEASE - MARGIN));
        let go_on = || !self.work.interrupt.requested() && end.is_some_and(|end| (self.job.clock)() < end);
        let sweeping = places.iter().zip(copies).map(async |(place, copy)| {
            if place.held.is_err() || copy.state == CopyState::Lags {
                return place.lagging(copy);
            }
            if began.is_none() {
                return place.left();
            }
            match self.own(place.store).await {
                Ok(own) => {
                    let mut doomed = place.doomed.clone();
                    doomed.retain(|key, _| !own.contains(key));
                    delete::delete(place.store, &doomed, self.work.reporter, go_on).await
                }
                Err(error) => place.left().failing(&error),
            }
        });
        join_all(sweeping).await
    }

    /// What a store's own marker names, wherever that is.
    async fn own(&self, store: &dyn Store) -> Result<BTreeSet<String>, StoreError> {
        let mover = &self.job.mover;
        let head = Head::read(store, mover.area, Some(mover.stack_id)).await?;
        let named = head.current.iter().flat_map(|held| blobs(mover.area, &held.marker));
        Ok(named.map(|keyed| keyed.key).collect())
    }

    /// Says in the marker that nothing is being deleted any more; if that fails, time says so.
    async fn end(&self, begun: &Held, report: &mut PruneReport) {
        let epoch = begun.marker.pruned.as_ref().map(|pruned| pruned.epoch);
        for _ in 0..ATTEMPTS {
            let Ok(head) = self.job.mover.head().await else { break };
            let Some(current) = &head.current else { break };
            let Some(pruned) = current
                .marker
                .pruned
                .clone()
                .filter(|pruned| Some(pruned.epoch) == epoch)
            else {
                return;
            };
            let ended = Pruned {
                deleting_until: None,
                ..pruned
            };
            match self.step(&head, &current.marker, ended).await {
                Ok(Some((moved, _))) => {
                    report.sequence = moved.marker.sequence;
                    return;
                }
                Ok(None) => {}
                Err(_) => break,
            }
        }
        report.busy_until = begun.marker.pruned.as_ref().and_then(|pruned| pruned.deleting_until);
    }

    async fn note(&self, report: &PruneReport, mut orphans: Orphans, now: Timestamp) -> Result<()> {
        let mover = &self.job.mover;
        if report.stores.iter().all(|store| store.state == PrunedStoreState::Done) {
            orphans.retain(|_, seen| *seen > now.shifted(-DAY));
        }
        orphans::save(mover.stores.deciding, mover.area, mover.stack_id, orphans).await?;
        Ok(())
    }

    fn report(&self, attempt: &Attempt, mut stores: Vec<PrunedStore>, orphans: &Orphans) -> PruneReport {
        let Attempt { plan, before, then, .. } = attempt;
        let mut after = then.clone();
        if attempt.busy.is_none() {
            after.delete(attempt.due, 0, attempt.now);
        }
        stores.sort_by_key(|store| store.store);
        let young = orphans.values().filter(|seen| **seen > attempt.now.shifted(-DAY));
        let doomed = stores.iter().any(|store| store.left > 0);
        PruneReport {
            area: self.job.mover.area.clone(),
            dry_run: self.job.dry_run,
            sequence: attempt.head.sequence,
            kept: plan.count(&after, Keeping::Kept),
            recent: attempt.recent,
            retired: plan.becoming(before, &after, Keeping::Retired),
            waiting: plan.waiting(before, &after),
            deleted: plan.becoming(before, &after, Keeping::Deleted),
            orphans: young.count() as u64,
            busy_until: attempt.busy.filter(|_| doomed),
            stores,
            seconds: 0.0,
        }
    }
}

impl Attempt {
    /// Finds out what goes from each store. Gives what nothing names, with when it was seen first.
    fn doom(&self, places: &mut [Place<'_>], noted: &Orphans) -> Orphans {
        let (named, old) = (self.plan.named_from(self.due), self.plan.only_before(self.due));
        let mut orphans = Orphans::new();
        for place in places {
            let Ok(values) = &place.held else { continue };
            let unnamed = values.keys().filter(|key| !named.contains(*key));
            let mut going = BTreeSet::new();
            for key in unnamed {
                if old.contains(key) {
                    going.insert(key.clone());
                    continue;
                }
                let seen = noted.get(key).copied().unwrap_or(self.now).min(self.now);
                orphans.insert(key.clone(), seen);
                if seen <= self.now.shifted(-DAY) {
                    going.insert(key.clone());
                }
            }
            place.doomed = delete::among(values, &going);
        }
        orphans
    }
}

impl Place<'_> {
    fn planned(&self) -> PrunedStore {
        let mut report = self.left();
        if self.held.is_ok() {
            report.state = PrunedStoreState::Planned;
            report.deleted = std::mem::take(&mut report.left);
            report.bytes = self.doomed.values().map(|value| value.size).sum();
        }
        report
    }

    /// With what stays for now.
    fn left(&self) -> PrunedStore {
        let left = self.doomed.len() as u64;
        let state = if left > 0 {
            PrunedStoreState::Unfinished
        } else {
            PrunedStoreState::Done
        };
        let mut report = PrunedStore::new(self.store.kind(), state);
        report.left = left;
        match &self.held {
            Ok(_) => report,
            Err(error) => report.failing(error),
        }
    }

    /// Nothing goes while its own marker is behind: what that points at may be needed.
    fn lagging(&self, copy: &CopyReport) -> PrunedStore {
        let report = self.left();
        match &copy.trouble.cause {
            Some(error) if self.held.is_ok() && error.is_unreachable() => report.failing(error),
            Some(error) if self.held.is_ok() => PrunedStore {
                state: PrunedStoreState::Lags,
                ..report.failing(error)
            },
            _ => report,
        }
    }
}
