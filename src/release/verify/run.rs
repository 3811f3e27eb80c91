//! The order of it: markers, moves, manifests, packs, plain files; at last the markers that are behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::blobs::{self, Index, Kept};
use super::extra::{extra, list};
use super::report::{StoreVerified, Verified, VerifiedState};
use super::witness::{Copy, Standing, Witness};
use crate::error::{ErrorKind, Result};
use crate::event::Task;
use crate::interrupt::Interrupt;
use crate::publish::{Area, Meter, RECORDS};
use crate::release::marker::{Held, Marker};
use crate::release::prune::orphans_key;
use crate::release::{ContentHash, Keeping, ReleaseId, Stores, Work, keys};
use crate::store::Trouble;

/// What to read back.
#[derive(Debug, Clone, Copy)]
pub struct Verification<'a> {
    pub area: &'a Area,
    /// The stack that the stores belong to.
    pub stack_id: &'a str,
    pub stores: &'a Stores<'a>,
    /// Copy what is missing or damaged in one store from another that has it right.
    pub repair: bool,
}

/// Reads back everything that an area keeps, in every store, and compares. A store that cannot be read is named in the
/// report. With `repair` a store gets what it lacks from one that is right; what is right is never written over.
///
/// # Errors
/// Refused when there is no release; the deciding store's own error when its marker cannot be asked for; Interrupted.
pub async fn verify(job: &Verification<'_>, work: &Work<'_>) -> Result<Verified> {
    let started = Instant::now();
    let look = Look::open(job, work).await?;
    look.run(work, started).await
}

/// The stores while they are read back.
pub(super) struct Look<'a> {
    pub(super) area: &'a Area,
    pub(super) stack: &'a str,
    pub(super) repair: bool,
    /// The deciding store comes first.
    pub(super) witnesses: Vec<Witness<'a>>,
    pub(super) budget: Semaphore,
    interrupt: &'a Interrupt,
}

impl<'a> Look<'a> {
    async fn open(job: &'a Verification<'_>, work: &'a Work<'_>) -> Result<Self> {
        let (area, stack, stores) = (job.area, job.stack_id, job.stores);
        // Copies follow the deciding marker. So what was read of them before it cannot rightly be ahead of it.
        let durable = stores.durable.iter().map(|store| (*store, Standing::Durable));
        let caches = stores.caches.iter().map(|store| (*store, Standing::Cache));
        let copies = durable.chain(caches);
        let copies = join_all(copies.map(|(store, standing)| Witness::call(store, standing, area, stack))).await;
        let deciding = Witness::call(stores.deciding, Standing::Decides, area, stack).await;
        if let Some(error) = deciding.found().problem.clone() {
            return Err(error.into());
        }
        let mut witnesses = vec![deciding];
        witnesses.extend(copies);
        Ok(Self {
            area,
            stack,
            repair: job.repair,
            witnesses,
            budget: blobs::budget(),
            interrupt: work.interrupt,
        })
    }

    async fn run(mut self, work: &Work<'_>, started: Instant) -> Result<Verified> {
        self.list().await;
        let head = self.head().await?;
        self.exempt(&head.marker).await;
        let witnesses = self.witnesses.len();
        let meter = |items: usize, bytes: u64| {
            let total = items * witnesses;
            Meter::new(work.reporter, Task::Verify, total, Some(bytes * witnesses as u64))
        };
        let steps = usize::try_from(head.marker.sequence).unwrap_or(usize::MAX);
        let moves = self.moves(&head, &meter(steps, 0)).await?;
        let last: BTreeMap<&ReleaseId, u64> = moves.values().map(|step| (&step.release, step.sequence)).collect();
        let keeping = |step: &Marker| head.marker.keeping(last[&step.release]);
        // What is retired is there until it is due: a rollback may bring it back.
        let releases = blobs::releases(&self, moves.values().filter(|step| keeping(step) != Keeping::Deleted));
        let kept: BTreeSet<&ReleaseId> = moves
            .values()
            .filter(|step| keeping(step) == Keeping::Kept)
            .map(|step| &step.release)
            .collect();
        let packs: BTreeMap<ContentHash, _> = releases
            .values()
            .flat_map(|kept| &kept.packs)
            .map(|pack| (pack.sha256, *pack))
            .collect();
        let manifests = releases.values().map(|kept| kept.manifest.blob.size);
        let bytes = manifests.chain(packs.values().map(|pack| pack.size)).sum();
        let reading = meter(releases.len() + packs.len(), bytes);
        let Index { contents, current } = self.manifests(&releases, &head, &reading).await?;
        let count = contents.values().map(BTreeMap::len).sum::<usize>() as u64;
        self.packs(&packs, contents, &head, &reading).await?;
        self.notes(&head).await;
        if let Some(manifest) = &current {
            self.indexes(&head, manifest).await;
            let mut ledgers = self.ledgers(manifest).await;
            if self.repair {
                self.refill(&mut ledgers, &head.marker, manifest).await?;
            }
            let files: usize = ledgers.iter().map(Vec::len).sum();
            let bytes = ledgers.iter().flatten().map(|file| file.size).sum();
            let reading = Meter::new(work.reporter, Task::Verify, files, Some(bytes));
            self.plain(&ledgers, &head.marker, manifest, &reading).await?;
        }
        self.markers(&head, current.as_ref()).await;
        let known = self.known(&head, releases.values());
        Ok(Verified {
            area: self.area.to_string(),
            release: head.marker.release.clone(),
            sequence: head.marker.sequence,
            releases: kept.len() as u64,
            pruned: (last.len() - kept.len()) as u64,
            packs: packs.len() as u64,
            contents: count,
            stores: self.report(&head, &known),
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    pub(super) fn go_on(&self) -> Result<()> {
        if !self.interrupt.requested() {
            return Ok(());
        }
        let repaired = self.witnesses.iter().map(|witness| {
            let found = witness.found();
            found.differences.iter().filter(|found| found.repaired).count()
        });
        let message = match repaired.sum::<usize>() {
            0 if self.repair => "interrupted; what was copied already stays".to_owned(),
            0 => "interrupted; nothing was changed".to_owned(),
            repaired => format!("interrupted; {repaired} of what differed is repaired already"),
        };
        Err(ErrorKind::Interrupted(message).into())
    }

    async fn list(&mut self) {
        let (area, stack) = (self.area, self.stack);
        let listing = self.witnesses.iter_mut().map(async |witness| {
            if !witness.answers() {
                return;
            }
            match list(witness.store, area).await {
                Ok(listed) => witness.listed = listed,
                Err(error) => witness.fails(error),
            }
            // What another stack left in a store that both use is none of ours.
            if witness.standing == Standing::Cache && witness.held().is_none_or(|held| held.marker.stack != stack) {
                witness.listed = None;
            }
        });
        join_all(listing).await;
    }

    /// Finds out which caches are too small for the release.
    async fn exempt(&mut self, head: &Marker) {
        let size: u64 = head.packs.iter().map(|pack| pack.size).sum();
        for witness in &mut self.witnesses {
            let current = witness.held().is_some_and(|held| held.marker.sequence == head.sequence);
            if witness.standing != Standing::Cache || current || !witness.answers() {
                continue;
            }
            match witness.store.capacity().await {
                Ok(capacity) => witness.exempt = capacity.is_some_and(|capacity| size > capacity / 2),
                Err(error) => witness.fails(error),
            }
        }
    }

    /// Every key of rstack's that the area has a reason to have.
    fn known<'k>(&self, head: &Held, releases: impl Iterator<Item = &'k Kept>) -> BTreeSet<String> {
        let record = |name: &str| self.area.key(&format!("{RECORDS}/{name}"));
        let notes = [
            keys::confirmed(self.area),
            keys::repair(self.area),
            orphans_key(self.area),
        ];
        let mut known = BTreeSet::from([keys::marker(self.area), record("files")]);
        known.extend(notes);
        // Of the moves only those that are listed anywhere: a forged number would make a list of millions.
        let listed = self.witnesses.iter().filter_map(|witness| witness.listed.as_ref());
        let moves = listed.flat_map(|listed| listed.keys()).filter(|key| {
            keys::sequence_of(self.area, key).is_some_and(|sequence| (1..=head.marker.sequence).contains(&sequence))
        });
        known.extend(moves.cloned());
        for kept in releases {
            known.insert(kept.manifest.key.clone());
            known.extend(kept.packs.iter().map(|pack| keys::pack(self.area, pack.sha256)));
        }
        known
    }

    fn report(&self, head: &Held, known: &BTreeSet<String>) -> Vec<StoreVerified> {
        let mut stores: Vec<_> = self
            .witnesses
            .iter()
            .map(|witness| self.of(witness, head, known))
            .collect();
        stores.sort_by_key(|store| store.store);
        stores
    }

    fn of(&self, witness: &Witness<'_>, head: &Held, known: &BTreeSet<String>) -> StoreVerified {
        let mut found = std::mem::take(&mut *witness.found());
        found.differences.sort_by(|a, b| a.key.cmp(&b.key));
        let sequence = witness.held().map(|held| held.marker.sequence);
        let behind = match &witness.copy {
            // Nobody knows where it was.
            Copy::Damaged(_) => 0,
            Copy::Good(_) | Copy::Absent => head.marker.sequence.saturating_sub(sequence.unwrap_or_default()),
        };
        let state = match &found.problem {
            Some(problem) if problem.is_unreachable() => VerifiedState::Unreachable,
            Some(_) => VerifiedState::Failed,
            None if found.differences.iter().any(|found| !found.repaired) => VerifiedState::Differs,
            None if behind > 0 && witness.exempt => VerifiedState::Skipped,
            None if behind > 0 && !found.moved => VerifiedState::Lags,
            None if found.moved || !found.differences.is_empty() => VerifiedState::Repaired,
            None => VerifiedState::Right,
        };
        StoreVerified {
            store: witness.store.kind(),
            state,
            sequence,
            behind,
            checked: found.checked,
            bytes: found.bytes,
            differences: found.differences,
            extra: witness.listed.as_ref().map(|listed| extra(self.area, listed, known)),
            trouble: found.problem.map(Trouble::from).unwrap_or_default(),
        }
    }
}
