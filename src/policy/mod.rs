//! Least-privilege IAM policies for those who read, publish to and run an environment.

mod document;
mod operator;
mod place;
mod stores;
mod wanted;

pub use document::{Effect, Policy, Statement};
pub use operator::{Operator, operator, uncovered};
pub use place::Place;
pub use stores::{Areas, Holdings, publisher, reader};
pub use wanted::{Wanted, held_by, wanted_by};
