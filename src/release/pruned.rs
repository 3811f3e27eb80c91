//! What was pruned of an area, as its marker says. Every marker carries it on to the next.
//!
//! Releases are told by the last move that names them: so a later move to a retired release brings it back by itself.

use serde::{Deserialize, Serialize};

use super::Marker;
use crate::time::Timestamp;

/// Retirements that a marker tells apart; what is retired after that many counts as retired together.
const RETIREMENTS: usize = 8;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<Retirement>,
    /// Releases that no move from this one on names are deleted, or are being deleted.
    pub deleted_before: u64,
    /// The move that began the last deletion; 0 before the first. New packs have other names since.
    pub epoch: u64,
    /// A deletion goes on, and is over by then even if nobody says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleting_until: Option<Timestamp>,
}

/// Releases that no move from `before` on names are retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retirement {
    pub before: u64,
    /// By AWS's clock.
    pub time: Timestamp,
}

/// What becomes of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeping {
    Kept,
    /// Readers do without it; a rollback can still bring it back.
    Retired,
    /// Its files are gone, or on their way out.
    Deleted,
}

impl Pruned {
    /// Of a release whose last move was this one.
    #[must_use]
    pub fn keeping(&self, last: u64) -> Keeping {
        if last < self.deleted_before {
            Keeping::Deleted
        } else if last < self.retired_before() {
            Keeping::Retired
        } else {
            Keeping::Kept
        }
    }

    /// Releases that no move from this one on names are not kept.
    pub(super) fn retired_before(&self) -> u64 {
        let last = self.retired.last().map_or(0, |retired| retired.before);
        last.max(self.deleted_before)
    }

    /// With everything retired that no move from `before` on names.
    pub(super) fn retire(&mut self, before: u64, time: Timestamp) {
        if before <= self.retired_before() {
            return;
        }
        if self.retired.len() == RETIREMENTS {
            self.retired.pop();
        }
        self.retired.push(Retirement { before, time });
    }

    /// The releases that were retired by then may be deleted.
    pub(super) fn due_before(&self, then: Timestamp) -> u64 {
        let due = self.retired.iter().filter(|retired| retired.time <= then);
        due.map(|retired| retired.before)
            .max()
            .unwrap_or_default()
            .max(self.deleted_before)
    }

    /// With a deletion begun by move `epoch`, of everything that no move from `before` on names.
    pub(super) fn delete(&mut self, before: u64, epoch: u64, until: Timestamp) {
        self.retired.retain(|retired| retired.before > before);
        self.deleted_before = before;
        self.epoch = epoch;
        self.deleting_until = Some(until);
    }
}

impl Marker {
    /// What becomes of a release whose last move was this one, as this marker says.
    #[must_use]
    pub fn keeping(&self, last: u64) -> Keeping {
        self.pruned
            .as_ref()
            .map_or(Keeping::Kept, |pruned| pruned.keeping(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(day: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-11-{day:02}T00:00:00Z")).expect("a time")
    }

    #[test]
    fn a_release_is_kept_retired_and_deleted_by_its_last_move() {
        let mut pruned = Pruned::default();
        pruned.retire(5, time(1));
        pruned.retire(5, time(2));
        pruned.retire(9, time(3));
        assert_eq!(
            (pruned.keeping(8), pruned.keeping(9)),
            (Keeping::Retired, Keeping::Kept)
        );
        assert_eq!((pruned.due_before(time(2)), pruned.due_before(time(3))), (5, 9));
        pruned.delete(5, 12, time(4));
        assert_eq!(
            (pruned.keeping(4), pruned.keeping(5)),
            (Keeping::Deleted, Keeping::Retired)
        );
        assert_eq!(
            pruned.retired,
            [Retirement {
                before: 9,
                time: time(3)
            }]
        );
        assert_eq!(pruned.due_before(time(1)), 5);
    }

    #[test]
    fn many_retirements_stay_few() {
        let mut pruned = Pruned::default();
        for day in 1..=20 {
            pruned.retire(u64::from(day), time(day));
        }
        assert_eq!(pruned.retired.len(), RETIREMENTS);
        assert_eq!((pruned.retired_before(), pruned.due_before(time(7))), (20, 7));
    }
}
