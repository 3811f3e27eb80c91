//! What pruning did, or would do.

use serde::Serialize;

use crate::error::Outcome;
use crate::publish::Area;
use crate::release::{Marker, ReleaseId};
use crate::store::{StoreError, StoreKind, Trouble};
use crate::time::Timestamp;

#[derive(Debug, Clone, Serialize)]
pub struct PruneReport {
    pub area: Area,
    pub dry_run: bool,
    /// The area's last move afterwards.
    pub sequence: u64,
    /// Releases that stay.
    pub kept: u64,
    /// Releases that would have gone if they had not been current within the last 30 days.
    pub recent: u64,
    /// Releases that were retired now, the newest first.
    pub retired: Vec<PrunedRelease>,
    /// Releases that were retired before, and are not deleted yet.
    pub waiting: Vec<PrunedRelease>,
    /// Releases that were deleted now.
    pub deleted: Vec<PrunedRelease>,
    /// Packs and manifests that nothing names, and that were first seen less than a day ago.
    pub orphans: u64,
    /// Another run is deleting, or was killed: until then nothing else is deleted.
    pub busy_until: Option<Timestamp>,
    pub stores: Vec<PrunedStore>,
    pub seconds: f64,
}

/// A release that goes.
#[derive(Debug, Clone, Serialize)]
pub struct PrunedRelease {
    pub release: ReleaseId,
    /// The last move that named it.
    pub sequence: u64,
    pub author: String,
    pub reason: Option<String>,
    /// When it was current last, by the clocks of publishers.
    pub current_until: Timestamp,
    /// From when on it may be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// What one store was freed of.
#[derive(Debug, Clone, Serialize)]
pub struct PrunedStore {
    pub store: StoreKind,
    pub state: PrunedStoreState,
    /// Packs and manifests.
    pub deleted: u64,
    /// Of these, where it is known.
    pub bytes: u64,
    /// Packs and manifests that should have been deleted too.
    pub left: u64,
    #[serde(flatten)]
    pub trouble: Trouble,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrunedStoreState {
    /// Nothing is left that should be deleted.
    Done,
    /// This would be deleted.
    Planned,
    /// Its copy of the marker is behind, so that what it points at may be needed.
    Lags,
    /// Stopped, or a store's error: the next run goes on.
    Unfinished,
    /// It does not answer.
    Unreachable,
}

impl PrunedRelease {
    pub(super) fn new(marker: &Marker, current_until: Timestamp, due: Option<Timestamp>) -> Self {
        Self {
            release: marker.release.clone(),
            sequence: marker.sequence,
            author: marker.author.clone(),
            reason: marker.reason.clone(),
            current_until,
            due,
        }
    }
}

impl PrunedStore {
    pub(super) fn new(store: StoreKind, state: PrunedStoreState) -> Self {
        Self {
            store,
            state,
            deleted: 0,
            bytes: 0,
            left: 0,
            trouble: Trouble::default(),
        }
    }

    pub(super) fn failing(mut self, error: &StoreError) -> Self {
        self.state = if error.is_unreachable() {
            PrunedStoreState::Unreachable
        } else {
            PrunedStoreState::Unfinished
        };
        self.trouble = error.clone().into();
        self
    }
}

impl PruneReport {
    /// Whether there is something to do.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.retired.is_empty() && self.stores.iter().all(|store| store.deleted + store.left == 0)
    }

    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let fine = |store: &PrunedStore| matches!(store.state, PrunedStoreState::Done | PrunedStoreState::Planned);
        if self.busy_until.is_none() && self.stores.iter().all(fine) {
            Outcome::Done
        } else {
            Outcome::Partial
        }
    }
}
