//! What this machine keeps of what was read: manifests and packs by their hash, small notes, and how far each area was
//! seen to have come. All of it may be lost at any time, and nothing of it is believed unchecked.

mod folder;
mod local;
mod memory;
mod notes;
mod report;
mod seen;
mod sweep;

pub use local::{CacheOptions, LocalCache};
pub(in crate::release) use local::{Check, Writing};
pub(in crate::release) use notes::NoteKind;
pub use report::{CacheReport, clear, report};
