//! What KYDB (on PyPI; the format of its version 1.1) keeps in Redis, S3 or DynamoDB.

mod pickle;
mod read;

pub use read::KydbStore;
pub(super) use read::read;
