//! Letting go of old releases: first they are retired, and a day later what only they named is deleted.

mod delete;
mod orphans;
mod plan;
mod report;
mod run;

pub(super) use orphans::key as orphans_key;
pub(super) use plan::DAY as PRUNED_AFTER;
pub use plan::Keep;
pub use report::{PruneReport, PrunedRelease, PrunedStore, PrunedStoreState};
pub use run::{Prune, prune};
