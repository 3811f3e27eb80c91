//! A store in a DynamoDB table: one item a key, `{path, code}`; larger values in parts.

mod backend;
mod batch;
mod item;
mod swap;

pub use backend::DynamoDbStore;
pub(crate) use item::{PARTS_PREFIX, PROBE_KEY};
