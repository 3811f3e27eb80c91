//! What keeps a store from being read or written, by meaning.

use std::fmt;

use serde::Serialize;

use super::StoreKind;
use crate::aws::{AwsError, AwsErrorKind};
use crate::shell::quote;

pub type StoreResult<T> = Result<T, StoreError>;

/// A store that could not do what it was asked: which one, at which key, why.
#[derive(Debug, Clone, thiserror::Error)]
pub struct StoreError {
    pub store: StoreKind,
    pub kind: StoreErrorKind,
    /// The key it happened at, when it was one.
    pub key: Option<String>,
    pub message: String,
    /// A hint that knows more than the kind does.
    hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreErrorKind {
    /// The bucket, the table or the folder itself is not there.
    Missing,
    /// The caller may not do this.
    Denied,
    /// No credentials, expired ones, or a wrong password.
    Unauthenticated,
    Throttled,
    Unreachable,
    Timeout,
    /// It takes no writes at the moment, or never.
    ReadOnly,
    OutOfMemory,
    /// The value or the key is larger than the store can hold.
    TooLarge,
    /// The file to store is no longer what it was.
    Changed,
    /// What the store holds is not what was written.
    Corrupt,
    /// The store's address cannot be understood.
    Address,
    Other,
}

impl StoreError {
    #[must_use]
    pub fn new(store: StoreKind, kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            store,
            kind,
            key: None,
            message: message.into(),
            hint: None,
        }
    }

    /// Of a call that concerned `place`: "bucket `b`".
    pub(crate) fn aws(store: StoreKind, place: &str, error: &AwsError) -> Self {
        let kind = match error.kind {
            AwsErrorKind::NoCredentials | AwsErrorKind::BadCredentials => StoreErrorKind::Unauthenticated,
            AwsErrorKind::Denied => StoreErrorKind::Denied,
            AwsErrorKind::Throttled => StoreErrorKind::Throttled,
            AwsErrorKind::NotFound => StoreErrorKind::Missing,
            AwsErrorKind::Connection => StoreErrorKind::Unreachable,
            AwsErrorKind::Timeout => StoreErrorKind::Timeout,
            AwsErrorKind::Precondition
            | AwsErrorKind::Invalid
            | AwsErrorKind::Unavailable
            | AwsErrorKind::Unreadable
            | AwsErrorKind::Other => StoreErrorKind::Other,
        };
        // The services do not say what it is that they cannot find.
        let message = match kind {
            StoreErrorKind::Missing => format!("{place} does not exist: {error}"),
            _ => error.to_string(),
        };
        Self {
            hint: error.hint(),
            ..Self::new(store, kind, message)
        }
    }

    /// Names the key.
    pub(crate) fn at(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Says what to do, where that is more than its kind tells.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Nothing answered: the store itself may be as good as ever.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Unreachable | StoreErrorKind::Timeout)
    }

    /// The way out, where there is a usual one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        if self.hint.is_some() {
            return self.hint.clone();
        }
        let hint = match (self.kind, self.store) {
            (StoreErrorKind::Missing, StoreKind::S3 | StoreKind::DynamoDb) => {
                "check the name, the region and the account; what an environment has lost, `rstack down` and `rstack up` \
                 make anew"
            }
            (StoreErrorKind::Unauthenticated, StoreKind::Redis) => {
                "give the password in RSTACK_REDIS_PASSWORD, or in `--redis-url`"
            }
            (StoreErrorKind::Unreachable | StoreErrorKind::Timeout, StoreKind::Redis) => {
                "check that it runs, and that this machine is inside its VPC or comes in through a tunnel"
            }
            (StoreErrorKind::ReadOnly, StoreKind::Redis) => {
                "this is a replica or a failover is going on; use the primary's address, or wait and try again"
            }
            (StoreErrorKind::OutOfMemory, StoreKind::Redis) => {
                "use a larger node type, or set the parameter maxmemory-policy to allkeys-lru"
            }
            (StoreErrorKind::Changed, _) => "let it rest and run the same command again",
            (StoreErrorKind::Corrupt, _) => return Some(self.repair()),
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl StoreError {
    /// The way out of damage. rstack's own records tell which area they are of.
    fn repair(&self) -> String {
        let area = self.key.as_deref().and_then(|key| key.split_once("/.rstack/"));
        match area {
            Some((area, _)) => format!(
                "`rstack verify {} --repair` copies it from a store that has it right",
                quote(area)
            ),
            None => "remove it, or put it elsewhere, if another program wrote it; if it was `rstack seed`, `rstack verify` of its \
                     area tells, and `--repair` mends it"
                .to_owned(),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.store)?;
        // Where there is no store, the key is not what is wrong.
        if let Some(key) = self.key.as_ref().filter(|_| self.kind != StoreErrorKind::Missing) {
            write!(f, "{key:?}: ")?;
        }
        f.write_str(&self.message)
    }
}
