//! `rstack.yaml`: what it may say, and reading it.

mod check;
mod file;
mod read;
mod scalar;
mod stores;

pub use check::{area, capability, duration, parameter_name, tag_key, tag_value};
pub use file::{Config, Seed, TargetName, TemplateSource};
pub use read::{FILE_NAME, parse, read};
pub use stores::{Billing, DynamoDb, Redis, S3, Stores};
