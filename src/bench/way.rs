//! The ways that are compared.

use std::fmt;

use serde::Serialize;

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Every plain file by itself, one after the other: as the article reads them.
    Each,
    /// The same files in as few requests as the store takes.
    Batched,
    /// The release, with nothing of it on this machine.
    Cold,
    /// The release, with all of it in the local cache.
    Warm,
    /// One value, on a connection that was used before.
    Read,
    /// A release of the same files, to all stores of the environment.
    Publish,
}

impl Way {
    pub const ALL: [Self; 6] = [
        Self::Each,
        Self::Batched,
        Self::Cold,
        Self::Warm,
        Self::Read,
        Self::Publish,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Each => "each",
            Self::Batched => "batched",
            Self::Cold => "cold",
            Self::Warm => "warm",
            Self::Read => "read",
            Self::Publish => "publish",
        }
    }

    /// Whether it reads keys of one store, past any release.
    #[must_use]
    pub fn reads_keys(self) -> bool {
        matches!(self, Self::Each | Self::Batched | Self::Read)
    }

    /// Whether it brings all files here.
    #[must_use]
    pub fn loads(self) -> bool {
        matches!(self, Self::Each | Self::Batched | Self::Cold | Self::Warm)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
