//! A stack operation that failed: the first cause first.

use std::fmt;

use serde::Serialize;

use super::{StackName, StackStatus};
use crate::event::StackEvent;

/// The resource that failed first, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    pub logical_id: String,
    pub resource_type: String,
    pub reason: String,
}

/// How an operation of a stack ended when it did not succeed.
#[derive(Debug, Clone, Serialize)]
pub struct StackFailure {
    pub stack: StackName,
    pub status: StackStatus,
    /// First cause first; further failures after it, cancellations left out. Empty when the service names none.
    pub causes: Vec<Cause>,
    /// The operation's events, oldest first: the stack may be gone. Empty when it was not watched.
    #[serde(skip)]
    pub events: Vec<StackEvent>,
}

impl fmt::Display for StackFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stack `{}` ended in {}", self.stack, self.status)?;
        if let Some(cause) = self.causes.first() {
            write!(f, ": {} ({}): {}", cause.logical_id, cause.resource_type, cause.reason)?;
        }
        Ok(())
    }
}
