//! A directory of plain files into an area of the stores: only what changed is sent, and what was sent is read back.
//!
//! An area keeps two records in each store, both under `.rstack`: a ledger of the files that the last publishing put
//! there, and one index of all areas. Both name the stack, since local environments share one Redis.

mod area;
mod compare;
mod demo;
mod index;
mod ledger;
mod meter;
mod own;
mod plan;
mod report;
mod run;
mod send;
mod tree;
mod tunnel;
mod walk;

pub use area::Area;
pub(crate) use area::RECORDS;
pub use index::AreaRecord;

pub(crate) use index::{Areas, Index, KEY as AREAS_KEY, refuse_overlap};
pub(crate) use ledger::{WrittenFile, list_found, written_files};
pub(crate) use meter::Meter;
pub(crate) use own::remove_areas;
pub use own::{areas, follows_plain_files, has_other_plain_files, holder, remove_own_keys};
pub use report::{Report, Skipped, StoreReport, StoreState};
pub use run::{Publish, publish};
pub use tree::Tree;
pub(crate) use tree::{is_inside, read_body};
pub use tunnel::Tunnel;
pub(crate) use walk::{BYTECODE, PULL_RECORD};
