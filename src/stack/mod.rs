//! One CloudFormation stack's life: what it is, bringing it up, watching it, taking it down.

mod batch;
mod change;
mod contents;
mod create;
mod deletion;
mod describe;
mod down;
mod drain;
mod events;
mod express;
mod failure;
mod gc;
mod inventory;
mod keep;
mod leftover;
mod name;
mod outline;
mod outputs;
mod pace;
mod plan;
mod preflight;
mod proof;
mod reason;
mod retain;
mod staging;
mod status;
mod timeline;
mod timing;
mod token;
mod undeletable;
mod up;
mod update;
mod versions;
mod watch;

pub use batch::Undeleted;
pub use change::{Action, Change, ChangeSet, Replacement, TagChange};
pub use contents::{BucketContents, Depth, Locks, TableContents};
pub use describe::{Resource, Stack, describe, describe_all, describe_resources};
pub use down::{DownReport, Fate, down};
pub use drain::Drained;
pub use events::EventLog;
pub use failure::{Cause, StackFailure};
pub use gc::{Expired, Survey, survey};
pub use inventory::{Holding, Kept};
pub use name::StackName;
pub use outputs::{Endpoints, Outputs, RedisEndpoint, key as output_key};
pub use plan::{Contents, Down, Obstacle, Plan, Planned, plan};
pub use preflight::Preflight;
pub use proof::Proof;
pub(crate) use reason::of_stack as first_cause;
pub use staging::{StagedTemplate, stage};
pub use status::{Readiness, ResourceStatus, StackStatus, Tone};
pub use timeline::{Lane, Phase, Timeline, timeline};
pub use timing::ResourceTiming;
use token::token;
pub use up::{Approve, Done, LARGEST_BODY, OnFailure, TemplateText, TimeToLive, Up, UpReport, up};
pub use watch::{Scope, Settled, Watch, watch};

/// Tags that rstack puts on its stacks.
pub mod tag {
    /// The environment's name; how rstack finds its own.
    pub const ENVIRONMENT: &str = "rstack:environment";
    /// The version of rstack that wrote the stack last.
    pub const VERSION: &str = "rstack:version";
    /// RFC 3339; present when the environment has a time to live.
    pub const EXPIRES_AT: &str = "rstack:expires-at";
}
