//! Which releases go, and what nothing will name then.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::report::PrunedRelease;
use crate::error::{Error, Result};
use crate::publish::Area;
use crate::release::copies::blobs;
use crate::release::marker::Held;
use crate::release::pruned::{Keeping, Pruned};
use crate::release::{Marker, ReleaseId, history, keys};
use crate::store::Store;
use crate::time::Timestamp;

/// From retiring a release to deleting it.
pub(in crate::release) const DAY: i64 = 24 * 60 * 60;
/// Releases that were current so many seconds ago stay unless told.
const RECENT: i64 = 30 * DAY;

/// Which releases stay. The current one always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// So many, those that were current last.
    Newest(usize),
    /// Those that were current within this time.
    Within(Duration),
}

/// The history of an area, as far as it says what is needed.
#[derive(Debug)]
pub(super) struct Plan {
    /// Releases by the last move that names them, the newest first.
    releases: Vec<Line>,
    /// Sizes of blobs by key.
    pub(super) sizes: HashMap<String, u64>,
}

#[derive(Debug)]
struct Line {
    last: Marker,
    /// When the next move came; none for the current release.
    until: Option<Timestamp>,
    keys: Vec<String>,
}

impl Plan {
    /// Reads the history. Without a move of those that may name something that stays, nothing can be planned.
    pub(super) async fn read(store: &dyn Store, area: &Area, head: &Held) -> Result<Self> {
        let moves = history::moves(store, area, head).await?;
        let pruned = head.marker.pruned.clone().unwrap_or_default();
        for (step, expected) in moves
            .iter()
            .zip((pruned.deleted_before.max(1)..=head.marker.sequence).rev())
        {
            if step.sequence != expected {
                return Err(hole(area, expected));
            }
        }
        if moves
            .last()
            .is_some_and(|oldest| oldest.sequence > pruned.deleted_before.max(1))
        {
            return Err(hole(area, pruned.deleted_before.max(1)));
        }
        let mut releases: Vec<Line> = Vec::new();
        let mut seen: BTreeSet<ReleaseId> = BTreeSet::new();
        let mut sizes = HashMap::new();
        let mut until = None;
        for step in moves {
            let time = step.time;
            let blobs = blobs(area, &step);
            sizes.extend(blobs.iter().map(|keyed| (keyed.key.clone(), keyed.blob.size)));
            if seen.insert(step.release.clone()) {
                let keys = blobs.into_iter().map(|keyed| keyed.key).collect();
                releases.push(Line {
                    last: step,
                    until,
                    keys,
                });
            }
            until = Some(time);
        }
        Ok(Self { releases, sizes })
    }

    /// The first move whose release stays, and how many releases, of those that are not retired, stay only because they
    /// were current lately.
    pub(super) fn threshold(&self, keep: Keep, even_recent: bool, retired_before: u64, now: Timestamp) -> (u64, u64) {
        let ago = |line: &Line| line.until.map(|until| now.seconds_after(until));
        let within = |line: &Line, seconds: i64| ago(line).is_none_or(|ago| ago <= seconds);
        let wanted = |at: usize, line: &Line| match keep {
            Keep::Newest(count) => at < count,
            Keep::Within(time) => within(line, i64::try_from(time.as_secs()).unwrap_or(i64::MAX)),
        };
        let (mut before, mut recent) = (0, 0);
        for (at, line) in self.releases.iter().enumerate() {
            let current = at == 0;
            if !(current || wanted(at, line)) {
                if even_recent || !within(line, RECENT) {
                    break;
                }
                recent += u64::from(line.last.sequence >= retired_before);
            }
            before = line.last.sequence;
        }
        (before, recent)
    }

    /// Whether a release's last move is from `first` on, and before `end`.
    pub(super) fn has_between(&self, first: u64, end: u64) -> bool {
        self.releases
            .iter()
            .any(|line| (first..end).contains(&line.last.sequence))
    }

    /// Keys of packs and manifests that a release names whose last move is from this one on.
    pub(super) fn named_from(&self, sequence: u64) -> BTreeSet<String> {
        let staying = self.releases.iter().filter(|line| line.last.sequence >= sequence);
        staying.flat_map(|line| line.keys.iter().cloned()).collect()
    }

    /// Keys of those that only earlier releases name.
    pub(super) fn only_before(&self, sequence: u64) -> BTreeSet<String> {
        let staying = self.named_from(sequence);
        let going = self.releases.iter().filter(|line| line.last.sequence < sequence);
        let keys = going.flat_map(|line| line.keys.iter().cloned());
        keys.filter(|key| !staying.contains(key)).collect()
    }

    pub(super) fn count(&self, pruned: &Pruned, keeping: Keeping) -> u64 {
        let found = self
            .releases
            .iter()
            .filter(|line| pruned.keeping(line.last.sequence) == keeping);
        found.count() as u64
    }

    /// Those that are `then`, and were something else `before`.
    pub(super) fn becoming(&self, before: &Pruned, then: &Pruned, keeping: Keeping) -> Vec<PrunedRelease> {
        let changed = |line: &&Line| {
            let last = line.last.sequence;
            then.keeping(last) == keeping && before.keeping(last) != keeping
        };
        self.releases
            .iter()
            .filter(changed)
            .map(|line| line.told(then))
            .collect()
    }

    /// Those that are retired in both.
    pub(super) fn waiting(&self, before: &Pruned, then: &Pruned) -> Vec<PrunedRelease> {
        let retired = |line: &&Line| {
            let last = line.last.sequence;
            before.keeping(last) == Keeping::Retired && then.keeping(last) == Keeping::Retired
        };
        self.releases
            .iter()
            .filter(retired)
            .map(|line| line.told(then))
            .collect()
    }
}

impl Line {
    fn told(&self, pruned: &Pruned) -> PrunedRelease {
        let waits = pruned.keeping(self.last.sequence) == Keeping::Retired;
        let mut retired = pruned.retired.iter().filter(|_| waits);
        let retired = retired.find(|retired| self.last.sequence < retired.before);
        let due = retired.map(|retired| retired.time.shifted(DAY));
        PrunedRelease::new(&self.last, self.until.unwrap_or(self.last.time), due)
    }
}

fn hole(area: &Area, sequence: u64) -> Error {
    Error::refused(format!(
        "{:?} is missing, so that nobody knows which release it names; nothing was deleted",
        keys::step(area, sequence)
    ))
    .with_hint(format!(
        "`rstack verify {area} --repair` brings it back from another store"
    ))
}
