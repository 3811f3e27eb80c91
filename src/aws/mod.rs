//! From settings to clients of the AWS SDK, and from the SDK's errors to ours.

mod client;
mod clock;
mod ec2;
mod error;
mod log;
mod permission;
mod profile;
mod secrets;
mod signed;
mod sts;

pub use client::{Access, Aws, StoreEndpoints};
pub use ec2::NetworkThing;
pub use error::{AwsError, AwsErrorKind, Service};
pub use permission::permissions;
