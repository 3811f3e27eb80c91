//! From settings to clients of the AWS SDK, and from the SDK's errors to ours.

mod client;
mod error;

pub use client::{Access, Aws};
pub use error::{AwsError, AwsErrorKind, Service};
