//! `rstack.yaml`: what it may say, and reading it.

pub(crate) mod check;
mod file;
mod once;
mod read;
mod sample;
mod scalar;
mod stores;

pub use check::{area, capability, duration, parameter_name, tag_key, tag_value};
pub use file::{Cache, Config, Seed, TargetName, TemplateSource};
pub use read::{FILE_NAME, parse, read, read_if_there};
pub use sample::sample;
pub use stores::{Billing, DynamoDb, Redis, S3, Stores};
