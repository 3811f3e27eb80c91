//! Reading everything back that an area keeps in its stores, and copying what is wrong in one from another.

mod blobs;
mod elect;
mod extra;
mod history;
mod indexes;
mod markers;
mod notes;
mod plain;
mod report;
mod run;
mod witness;

pub(in crate::release) use extra::{base, list};
pub use report::{Finding, StoreVerified, Verified, VerifiedState, Wrong};
pub use run::{Verification, verify};
