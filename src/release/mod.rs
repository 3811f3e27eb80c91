//! Releases: what an area holds as one immutable list of files, and one marker that says which release counts.
//!
//! An area keeps, below `<area>/.rstack/`, the `marker`, every move of it as `move/<sequence>`, a manifest
//! `release/<id>` for each release, and the compressed files in `pack/<sha256>`. One store's marker decides; the
//! others hold copies that only move forward.

mod blob;
mod commit;
mod copies;
mod draft;
mod hash;
mod history;
mod keys;
mod make;
mod manifest;
mod marker;
mod mover;
mod pack;
mod prepare;
mod publish;
mod read;
mod report;
mod source;
mod stores;
mod verify;

pub use draft::{Changes, Content};
pub use hash::{ContentHash, ReleaseId};
pub use history::Pin;
pub use manifest::{FileEntry, Manifest};
pub use marker::{Blob, Marker, MoveKind};
pub use mover::{Mover, Work};
pub use publish::{Publication, publish};
pub use read::{Place, Reader};
pub use report::{CopyReport, CopyState, Published};
pub use source::{
    Difference, Entry, KydbStore, Location, Member, Opening, Patch, PlainFiles, Source, SourceUrl, describe,
    differences,
};
pub use stores::Stores;
pub use verify::{Finding, StoreVerified, Verification, Verified, VerifiedState, Wrong, verify};
