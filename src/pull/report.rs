//! What a pull did.

use std::path::PathBuf;

use serde::Serialize;

use super::record::{Origin, Record};
use crate::error::Outcome;

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub directory: PathBuf,
    /// One for each member of the source.
    pub from: Vec<Origin>,
    pub files: u64,
    /// Of all files together.
    pub bytes: u64,
    /// Files that had to be read from the source; the others were there already.
    pub fetched: u64,
    /// What the pull before this one left there; `None` when there was none.
    pub since: Option<Since>,
    /// The old directory, which was replaced, and then could not be removed.
    pub left: Option<PathBuf>,
    pub seconds: f64,
}

/// Against the pull before.
#[derive(Debug, Clone, Serialize)]
pub struct Since {
    pub from: Vec<Origin>,
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
}

impl Since {
    pub(super) fn between(before: Record, now: &Record) -> Self {
        let count = |number: usize| number as u64;
        let added = now
            .files
            .keys()
            .filter(|path| !before.files.contains_key(*path))
            .count();
        let removed = before
            .files
            .keys()
            .filter(|path| !now.files.contains_key(*path))
            .count();
        let changed = now
            .files
            .iter()
            .filter(|(path, hash)| before.files.get(*path).is_some_and(|old| old != *hash));
        Self {
            added: count(added),
            changed: count(changed.count()),
            removed: count(removed),
            from: before.from,
        }
    }
}

impl Report {
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.left.is_some() {
            Outcome::Partial
        } else {
            Outcome::Done
        }
    }
}
