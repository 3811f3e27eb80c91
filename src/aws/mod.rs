//! From settings to clients of the AWS SDK, and from the SDK's errors to ours.

mod client;
mod clock;
mod command;
mod ec2;
mod error;
mod log;
mod permission;
mod profile;
mod secrets;
mod signed;
mod sts;
mod table;

pub use client::{Access, Aws, StoreEndpoints};
pub use command::AwsCommand;
pub use ec2::NetworkThing;
pub(crate) use error::LIMIT_REACHED;
pub use error::{AwsError, AwsErrorKind, Service};
pub use permission::permissions;
pub(crate) use table::Table;
