//! One CloudFormation stack's life: what it is, bringing it up, watching it, taking it down.

mod change;
mod create;
mod describe;
mod events;
mod express;
mod failure;
mod leftover;
mod name;
mod outline;
mod outputs;
mod pace;
mod preflight;
mod reason;
mod staging;
mod status;
mod timing;
mod token;
mod up;
mod update;
mod watch;

pub use change::{Action, Change, ChangeSet, Replacement};
pub use describe::{Resource, Stack, describe, describe_resources};
pub use failure::{Cause, StackFailure};
pub use name::StackName;
pub use outputs::{Endpoints, Outputs, RedisEndpoint, key as output_key};
pub use preflight::Preflight;
pub use staging::{StagedTemplate, stage};
pub use status::{Readiness, ResourceStatus, StackStatus, Tone};
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
