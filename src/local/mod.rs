//! The AWS on this machine: ministack for the AWS services and a real Redis, both on loopback.
//!
//! Everything of it lives in one folder ([`Options::home`]), so that two of them never meet. The rest of the crate
//! sees an endpoint, a region and credentials, and does not know that they are local.

mod environments;
mod install;
mod launch;
mod lifecycle;
mod lock;
mod ministack;
mod places;
mod port;
mod process;
mod python;
mod redis;
mod state;
mod status;

pub use environments::{Environment, environments};
pub use lifecycle::{Local, ensure, find, stop, stop_if_unused};
pub use lock::InUse;
pub use places::Options;
pub use status::{Running, Server, Status, status};

/// What `--local` uses when no region is named.
pub const DEFAULT_REGION: &str = "eu-west-1";
