//! The kinds of store.

use std::fmt;

use serde::Serialize;

/// Where bytes can be held. The first three make up an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    S3,
    DynamoDb,
    Redis,
    File,
    Memory,
}

impl StoreKind {
    /// The stores of an environment, durable ones first: the order of writing.
    pub const OF_ENVIRONMENT: [Self; 3] = [Self::S3, Self::DynamoDb, Self::Redis];

    /// As it is written on the command line and in URLs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::DynamoDb => "dynamodb",
            Self::Redis => "redis",
            Self::File => "file",
            Self::Memory => "memory",
        }
    }

    /// A confirmed write survives the loss of any one machine.
    #[must_use]
    pub fn durable(self) -> bool {
        matches!(self, Self::S3 | Self::DynamoDb)
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
