//! A source as files in a directory: for editors, type checkers, containers.
//!
//! The new directory is built beside the old one and takes its place in one step, so whoever is killed leaves the old
//! one as it was. A record in it says what it holds, so that the next pull knows that the directory is its own, what
//! others changed in it, and which files need not be fetched again.

mod paths;
mod record;
mod report;
mod run;
mod staging;
mod standing;

pub use record::Origin;
pub use report::{Report, Since};
pub use run::{Pull, pull};
