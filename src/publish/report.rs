//! What a publishing did, store by store.

use std::path::PathBuf;

use serde::Serialize;

use super::Area;
use crate::error::Outcome;
use crate::store::{StoreKind, Trouble};

/// What was published where.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub area: Area,
    /// The directory; absent for the demo scripts.
    pub directory: Option<PathBuf>,
    /// How many files it has.
    pub files: u64,
    /// Of all files together.
    pub bytes: u64,
    /// Nothing was written.
    pub dry_run: bool,
    pub stores: Vec<StoreReport>,
    pub seconds: f64,
}

/// What happened at one store.
#[derive(Debug, Clone, Serialize)]
pub struct StoreReport {
    pub store: StoreKind,
    pub state: StoreState,
    /// Files sent, or with a dry run to be sent.
    pub sent: u64,
    pub sent_bytes: u64,
    /// Files that were there already.
    pub unchanged: u64,
    /// Files of the last publishing that the directory no longer has.
    pub removed: u64,
    /// Files that this store cannot hold.
    pub skipped: Vec<Skipped>,
    /// Names of what would change; only with a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    pub seconds: f64,
    /// Why it is not done.
    #[serde(flatten)]
    pub trouble: Trouble,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreState {
    Done,
    /// A dry run: this is what would be done.
    Planned,
    Failed,
    /// Not begun, because a durable store is not done and this one must not get ahead of it.
    HeldBack,
    /// Another publishing to the same area came in between.
    Raced,
    /// Stopped on request; some files are there.
    Interrupted,
}

#[derive(Debug, Clone, Serialize)]
pub struct Skipped {
    pub path: String,
    /// In bytes.
    pub size: u64,
    pub reason: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Changes {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
}

impl StoreReport {
    /// Nothing left to wish for.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let complete = matches!(self.state, StoreState::Done | StoreState::Planned);
        if complete && self.skipped.is_empty() {
            Outcome::Done
        } else {
            Outcome::Partial
        }
    }
}

impl Report {
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.stores
            .iter()
            .fold(Outcome::Done, |outcome, store| outcome.and(store.outcome()))
    }
}
