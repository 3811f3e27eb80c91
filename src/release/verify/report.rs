//! What verifying found.

use serde::Serialize;

use crate::error::Outcome;
use crate::release::ReleaseId;
use crate::store::{StoreKind, Trouble};

/// An area whose stores were read back.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    pub area: String,
    /// The one that the area points at.
    pub release: ReleaseId,
    /// Of the marker that decides.
    pub sequence: u64,
    /// Releases whose files were read.
    pub releases: u64,
    /// Releases that were pruned: only their moves are kept.
    pub pruned: u64,
    pub packs: u64,
    /// Different contents of files, each unpacked and hashed once.
    pub contents: u64,
    pub stores: Vec<StoreVerified>,
    pub seconds: f64,
}

/// What one store has of it.
#[derive(Debug, Clone, Serialize)]
pub struct StoreVerified {
    pub store: StoreKind,
    pub state: VerifiedState,
    /// Of its own marker.
    pub sequence: Option<u64>,
    /// By how many moves its marker was behind the one that decides.
    pub behind: u64,
    /// Markers, moves, manifests, packs and plain files that were read.
    pub checked: u64,
    /// Of all that was read.
    pub bytes: u64,
    pub differences: Vec<Finding>,
    /// Keys of rstack's that nothing names: left by a publishing that was cut short, or of one that goes on. Absent where
    /// the store cannot be listed.
    pub extra: Option<Vec<String>>,
    /// Why it was not read, or not to its end.
    #[serde(flatten)]
    pub trouble: Trouble,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifiedState {
    /// Everything is as it should be.
    Right,
    /// Everything is now.
    Repaired,
    /// Something is missing or damaged.
    Differs,
    /// What it has is right; its marker is behind.
    Lags,
    /// The release is larger than half of its memory, so it need not have it.
    Skipped,
    /// It does not answer.
    Unreachable,
    /// It answers, and cannot be read.
    Failed,
}

/// Something that a store has otherwise than it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub key: String,
    pub what: Wrong,
    /// It is right now.
    pub repaired: bool,
    /// What exactly, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// Not there, or not all of it.
    Missing,
    /// There, and not what it should be.
    Damaged,
    /// A plain file as an earlier publishing wrote it: the release has another content, or none.
    Outdated,
}

impl Verified {
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let fine = |store: &StoreVerified| match store.state {
            VerifiedState::Right | VerifiedState::Repaired | VerifiedState::Skipped => true,
            VerifiedState::Differs | VerifiedState::Lags | VerifiedState::Unreachable | VerifiedState::Failed => false,
        };
        if self.stores.iter().all(fine) {
            Outcome::Done
        } else {
            Outcome::Partial
        }
    }
}

impl StoreVerified {
    /// How many of its differences are of this kind.
    #[must_use]
    pub fn count(&self, what: Wrong) -> u64 {
        self.differences.iter().filter(|found| found.what == what).count() as u64
    }
}
