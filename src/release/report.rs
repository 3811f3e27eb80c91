//! What publishing or moving did.

use std::ops::Not;

use serde::Serialize;

use super::draft::Counts;
use super::{Changes, Manifest, Marker, MoveKind, Origin, ReleaseId};
use crate::error::Outcome;
use crate::publish::Area;
use crate::store::{StoreError, StoreKind, Trouble};
use crate::time::Timestamp;

/// A release that was published, or is there already.
#[derive(Debug, Clone, Serialize)]
pub struct Published {
    /// Absent when a dry run found something to publish.
    pub release: Option<ReleaseId>,
    /// It was made now; otherwise the area had exactly this already.
    pub new: bool,
    /// It was there already, and the marker moved to give it a signature.
    #[serde(skip_serializing_if = "Not::not")]
    pub signed_anew: bool,
    /// Which move of the area's marker it is, or would be.
    pub sequence: u64,
    pub parent: Option<ReleaseId>,
    pub files: u64,
    /// Of all files together.
    pub bytes: u64,
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
    /// The paths; only with a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// Packs that were sent, and their bytes.
    pub packs: u64,
    pub pack_bytes: u64,
    /// Releases that others published meanwhile, under this one.
    pub overtaken_by: Vec<ReleaseId>,
    /// Where each store stands now; empty with a dry run.
    pub stores: Vec<CopyReport>,
    pub seconds: f64,
}

impl Published {
    /// What was heard of stores that did not answer.
    pub fn unanswered(&self) -> impl Iterator<Item = &StoreError> {
        let silent = self.stores.iter().filter(|store| store.trouble.unreachable);
        silent.filter_map(|store| store.trouble.cause.as_ref())
    }

    pub(super) fn count(&mut self, counts: Counts) {
        (self.added, self.changed, self.removed) = (counts.added, counts.changed, counts.removed);
    }
}

/// A marker that was moved to a release that existed, or was there already.
#[derive(Debug, Clone, Serialize)]
pub struct Moved {
    /// `Sign` when the area was there already, and its marker moved to give the release a signature.
    pub kind: MoveKind,
    pub area: Area,
    /// Where the area is now, or would be.
    pub release: Standing,
    /// Where it was; null when it had no release.
    pub previous: Option<Standing>,
    /// Where a promoted release came from.
    pub origin: Option<Origin>,
    /// It was, or would be, moved; otherwise the area was there already.
    pub moved: bool,
    pub dry_run: bool,
    /// Which move of the area's marker it is, or would be.
    pub sequence: u64,
    pub files: u64,
    /// Of all files together.
    pub bytes: u64,
    /// Against where the area was.
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
    /// The paths; only with a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    pub signed: bool,
    /// Where each store stands now; empty with a dry run.
    pub stores: Vec<CopyReport>,
    pub seconds: f64,
}

/// A release, and who made it when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    pub id: ReleaseId,
    pub time: Timestamp,
    pub author: String,
    pub message: Option<String>,
}

impl Standing {
    /// Without a manifest, what the move says that led to it.
    pub(super) fn of(marker: &Marker, manifest: Option<&Manifest>) -> Self {
        let (time, author, message) = match manifest {
            Some(manifest) => (manifest.time, &manifest.author, &manifest.message),
            None => (marker.time, &marker.author, &marker.reason),
        };
        Self {
            id: marker.release.clone(),
            time,
            author: author.clone(),
            message: message.clone(),
        }
    }
}

/// Where one store stands.
#[derive(Debug, Clone, Serialize)]
pub struct CopyReport {
    pub store: StoreKind,
    pub state: CopyState,
    /// Why it is not up to date.
    #[serde(flatten)]
    pub trouble: Trouble,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyState {
    /// Its marker decides.
    Decides,
    /// Its copy of the marker is at this release, or at a later one.
    Current,
    /// The release is larger than half of the store's memory, so it does not go there.
    Skipped,
    /// It could not be brought up to date; the next publisher that reaches it will.
    Lags,
}

impl CopyReport {
    pub(super) fn new(store: StoreKind, state: CopyState) -> Self {
        Self {
            store,
            state,
            trouble: Trouble::default(),
        }
    }

    pub(super) fn lags(store: StoreKind, error: &StoreError) -> Self {
        Self {
            trouble: error.clone().into(),
            ..Self::new(store, CopyState::Lags)
        }
    }
}

/// Whether a store stays behind.
fn outcome(stores: &[CopyReport]) -> Outcome {
    if stores.iter().any(|store| store.state == CopyState::Lags) {
        Outcome::Partial
    } else {
        Outcome::Done
    }
}

impl Published {
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        outcome(&self.stores)
    }
}

impl Moved {
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        outcome(&self.stores)
    }
}
