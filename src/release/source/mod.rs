//! Sources: what a reader opens. An area of an environment or of one store, a folder, or several in order.

mod diff;
mod environment;
mod kydb;
mod location;
mod open;
mod pinned;
mod plain;
mod portion;
mod union;
mod url;

pub use diff::{Difference, Patch, describe, differences};
pub use environment::Whereabouts;
pub use kydb::KydbStore;
pub use location::Location;
pub use open::Opening;
pub use plain::PlainFiles;
pub use union::{Advanced, Entry, Member, Source};
pub use url::SourceUrl;
