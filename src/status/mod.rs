//! What an environment is right now: its stack, its resources, and whether its stores answer.

mod list;
mod probe;
mod report;
mod seeded;

pub use list::{Environment, environments};
pub use probe::{Condition, StoreReport};
pub use report::{StatusReport, status};
