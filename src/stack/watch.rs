//! Watching one operation of a stack until it has settled.

use std::time::Duration;

use super::{Cause, Stack, StackStatus};
use crate::aws::Aws;
use crate::error::{Error, Result};
use crate::event::{OperationKind, Reporter, StackEvent};
use crate::interrupt::Interrupt;

/// Which of a stack's events belong to the operation being watched.
#[derive(Debug, Clone)]
pub enum Scope {
    /// Started by us, with this ClientRequestToken.
    Token(String),
    /// Everything after the event with this id; `None` takes the whole history.
    After(Option<String>),
}

/// How to watch.
pub struct Watch<'a> {
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
    /// Give up watching after this long.
    pub timeout: Option<Duration>,
}

/// How an operation ended.
#[derive(Debug, Clone)]
pub struct Settled {
    pub status: StackStatus,
    /// The stack afterwards; `None` once it is deleted and forgotten.
    pub stack: Option<Stack>,
    /// The operation's events, oldest first.
    pub events: Vec<StackEvent>,
    /// Why it failed: first cause first, cancellations left out.
    pub causes: Vec<Cause>,
}

/// Watches the operation `kind` of the stack with this ARN until it settles, reporting every event once.
///
/// # Errors
/// `LostContact` after the time-out, `Interrupted` when asked to stop; AWS goes on in both cases.
pub async fn watch(
    _aws: &Aws,
    _stack_id: &str,
    _kind: OperationKind,
    _scope: Scope,
    _watch: &Watch<'_>,
) -> Result<Settled> {
    Err(Error::unexpected("not built yet"))
}
