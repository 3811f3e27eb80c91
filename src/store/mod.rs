//! Stores hold bytes by key. They know nothing of areas, releases or environments.
//!
//! Batching, parallelism, retries and the limits of a service live behind [`Store`], so that callers hand over any
//! number of keys. Every backend passes the same contract tests (`tests/store/`).

mod backoff;
mod body;
mod dynamodb;
mod error;
mod file;
mod hex;
mod interface;
mod kind;
mod memory;
mod pool;
mod redis;
mod s3;
mod trouble;

pub(crate) use body::Digester;
pub use body::{Body, FileBody, FileDigest};
pub use dynamodb::DynamoDbStore;
pub(crate) use dynamodb::{PARTS_PREFIX, PROBE_KEY};
pub use error::{StoreError, StoreErrorKind, StoreResult};
pub use file::FileStore;
pub(crate) use hex::{hex, unhex};
pub use interface::{Done, Limit, Listed, Pages, Put, Puts, Store, Stretch, Swap, Version};
pub use kind::StoreKind;
pub use memory::MemoryStore;
pub use redis::{RedisAddress, RedisStore};
pub use s3::S3Store;
pub use trouble::Trouble;
