//! Releases: what an area holds as one immutable list of files, and one marker that says which release counts.
//!
//! An area keeps, below `<area>/.rstack/`, the `marker`, every move of it as `move/<sequence>`, a manifest
//! `release/<id>` for each release, and the compressed files in `pack/<sha256>`. One store's marker decides; the
//! others hold copies that only move forward.

mod blob;
mod cache;
mod claim;
mod commit;
mod confirm;
mod copies;
mod draft;
mod fetch;
mod few;
mod foresee;
mod gather;
mod hash;
mod history;
mod keys;
mod make;
mod manifest;
mod marker;
mod mover;
mod pack;
mod place;
mod position;
mod prepare;
mod proposal;
mod prune;
mod pruned;
mod publish;
mod read;
mod repair;
mod report;
mod source;
mod stores;
mod unpack;
mod verify;
mod vouch;

pub use cache::{CacheOptions, CacheReport, LocalCache, clear as clear_cache, report as report_cache};
pub use draft::{Changes, Content};
pub use fetch::KeptManifest;
pub use hash::{ContentHash, ReleaseId};
pub use history::{DamagedMove, Pin};
pub use manifest::{FileEntry, Manifest};
pub use marker::{Blob, Marker, MoveKind, Origin};
pub use mover::{Mover, Work};
pub use place::{Findings, Place};
pub use position::positions;
pub use proposal::Proposal;
pub use prune::{Keep, Prune, PruneReport, PrunedRelease, PrunedStore, PrunedStoreState, prune};
pub use pruned::{Keeping, Pruned, Retirement};
pub use publish::{Publication, publish};
pub use read::{Load, Reader};
pub use repair::{Repair, last_repairs};
pub use report::{CopyReport, CopyState, Moved, Published, Standing};
pub use source::{
    Advanced, Difference, Entry, KydbStore, Location, Member, Opening, Patch, PlainFiles, Source, SourceUrl,
    Whereabouts, describe, differences,
};
pub use stores::Stores;
pub use verify::{Finding, StoreVerified, Verification, Verified, VerifiedState, Wrong, verify};
