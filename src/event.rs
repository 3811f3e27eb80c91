//! What happened, as typed facts. The library reports events; `ui` chooses the words, the colours and the format.

use serde::Serialize;

use crate::release::Moved;
use crate::stack::{ChangeSet, Planned, ResourceStatus, StackStatus};
use crate::store::StoreKind;
use crate::time::Timestamp;

/// Receives events while work goes on. Called from async code: it must not block for long.
pub trait Reporter: Send + Sync {
    fn report(&self, event: &Event);
}

/// One fact. `docs/json.md` describes the JSON form, which is this type serialised.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A stack operation was started, or one that already ran is now being watched.
    Operation(Operation),
    /// A line of the stack's own history.
    Stack(StackEvent),
    /// What an update would do, before anybody is asked whether it may.
    Changes(ChangeSet),
    /// Something that is about to go, or to be kept, when an environment is taken down.
    Removal(Planned),
    /// A marker that is about to move to a release that exists, before anybody is asked whether it may.
    Move(Box<Moved>),
    /// The stack's operation ended.
    Settled {
        stack: String,
        status: StackStatus,
        seconds: f64,
    },
    /// Remains of a first creation that failed are about to be removed.
    Leftovers {
        stack: String,
        status: StackStatus,
        cause: Option<String>,
    },
    /// The service asked for patience, or an answer was lost; work goes on after `seconds`.
    Waiting { reason: WaitReason, seconds: f64 },
    /// How far a measurable piece of work has come.
    Progress(Progress),
    /// A step of making, starting or stopping the AWS on this machine.
    Local(LocalStep),
    /// Something the user should know that does not stop the work.
    Warning { message: String, hint: Option<String> },
    /// A sentence about what is being done, for work that has no better event.
    Note { message: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    Create,
    Update,
    Delete,
}

#[derive(Debug, Clone, Serialize)]
pub struct Operation {
    pub kind: OperationKind,
    pub stack: String,
    pub stack_id: String,
    /// The resources that the template names, for a view that shows all of them from the start; may be empty.
    pub resources: Vec<PlannedResource>,
    /// It was already running when rstack came.
    pub attached: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedResource {
    pub logical_id: String,
    pub resource_type: String,
}

/// One event of the stack, in the service's order.
#[derive(Debug, Clone, Serialize)]
pub struct StackEvent {
    pub id: String,
    pub time: Timestamp,
    pub logical_id: String,
    pub physical_id: Option<String>,
    pub resource_type: String,
    pub status: ResourceStatus,
    pub reason: Option<String>,
    /// The event speaks of the watched stack itself (physical id equals stack id).
    pub of_stack: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    Throttled,
    ConnectionLost,
    BucketNotEmpty,
    NotYetDeletable,
    StaleRead,
}

/// Work with a known or growing total. `done == total` ends it.
#[derive(Debug, Clone, Serialize)]
pub struct Progress {
    pub task: Task,
    /// Items done.
    pub done: u64,
    /// Items in all, once known.
    pub total: Option<u64>,
    /// Bytes done.
    pub bytes: u64,
    pub total_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum Task {
    /// Reading and hashing the files of a directory.
    Scan,
    /// Compiling scripts for each interpreter.
    Compile,
    /// Compressing what a release adds, and sending it to the durable stores.
    Pack,
    /// Seeing to it that the durable stores have a release that a marker is about to move to.
    Gather,
    /// Finding out what a store already holds.
    Compare {
        store: StoreKind,
    },
    Send {
        store: StoreKind,
    },
    /// Reading back what was sent.
    Check {
        store: StoreKind,
    },
    /// Reading back what an area keeps in all stores.
    Verify,
    /// Removing what the directory no longer has.
    Remove {
        store: StoreKind,
    },
    /// Writing the files of a source into a directory.
    Pull,
    /// Counting what a bucket holds.
    Count,
    /// Emptying a bucket.
    Drain,
    /// Measuring what a proxy adds to round trips to a store.
    Delay {
        store: StoreKind,
    },
    /// Timing runs of a benchmark.
    Measure,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum LocalStep {
    /// Making the private virtual environment and installing the pinned emulator into it.
    Installing {
        package: String,
    },
    /// Installing went on; a line of pip's own output.
    InstallOutput {
        line: String,
    },
    StartingRedis {
        port: u16,
    },
    StartingAws {
        port: u16,
    },
    /// It was recorded as running, but one of its processes is gone or does not answer.
    Restarting {
        what: String,
    },
    /// Another process is starting it; this one waits.
    WaitingForOther,
    Ready {
        endpoint: String,
        seconds: f64,
    },
    Stopping,
    Stopped,
}
