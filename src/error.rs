//! Every error that rstack reports: one closed set by meaning, one table of exit codes.
//!
//! A message is a lower-case fragment without a full stop. What to do about it goes into the hint; what an
//! unfinished run left in AWS goes into `left`, so that nobody has to guess what still costs money.

use std::fmt;
use std::path::PathBuf;

use crate::aws::AwsError;
use crate::stack::StackFailure;
use crate::store::StoreError;
use crate::trust::Distrust;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An [`ErrorKind`] with the way out of it.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    #[source]
    pub kind: Box<ErrorKind>,
    /// What to do, as a sentence a person can act on.
    pub hint: Option<String>,
    /// What exists in AWS after this error, one entry a thing; empty when nothing was written.
    pub left: Vec<String>,
}

/// What went wrong, by meaning. [`Error::exit_code`] maps each to the process's exit code.
#[derive(Debug, thiserror::Error)]
pub enum ErrorKind {
    /// The command line contradicts itself or lacks something.
    #[error("{0}")]
    Usage(String),
    /// `rstack.yaml`, an environment variable, or the AWS configuration is wrong or incomplete.
    #[error("{0}")]
    Configuration(String),
    /// An AWS service refused, failed or could not be reached before anything was under way.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// No stack of that name that rstack can work with.
    #[error("there is no environment `{name}` {place}")]
    NoEnvironment { name: String, place: String },
    /// An area without a marker.
    #[error("there is no release in area `{area}` of {place}")]
    NoRelease { area: String, place: String },
    /// rstack itself declines, because going on would lose something or cannot succeed.
    #[error("{0}")]
    Refused(String),
    /// The person at the prompt said no.
    #[error("stopped: not confirmed")]
    Declined,
    /// The stack's operation ended in failure or was rolled back.
    #[error("{0}")]
    Stack(Box<StackFailure>),
    /// rstack stopped watching (time-out, connection gone) while AWS goes on.
    #[error("{0}")]
    LostContact(String),
    /// A store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was read is not signed by anybody who is trusted.
    #[error(transparent)]
    Untrusted(#[from] Distrust),
    /// The AWS on this machine could not be made, started or stopped.
    #[error("{0}")]
    Local(String),
    /// A file or folder on this machine.
    #[error("{action} {}: {source}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    /// Ctrl-C or SIGTERM.
    #[error("{0}")]
    Interrupted(String),
    /// A bug, or an answer that AWS never gives.
    #[error("{0}")]
    Unexpected(String),
}

impl Error {
    /// A file could not be read, written, made or removed; `action` is "read", "write", …
    pub fn file(action: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        ErrorKind::File {
            action,
            path: path.into(),
            source,
        }
        .into()
    }

    pub fn usage(message: impl Into<String>) -> Self {
        ErrorKind::Usage(message.into()).into()
    }

    pub fn configuration(message: impl Into<String>) -> Self {
        ErrorKind::Configuration(message.into()).into()
    }

    pub fn refused(message: impl Into<String>) -> Self {
        ErrorKind::Refused(message.into()).into()
    }

    pub fn local(message: impl Into<String>) -> Self {
        ErrorKind::Local(message.into()).into()
    }

    pub fn unexpected(message: impl Into<String>) -> Self {
        ErrorKind::Unexpected(message.into()).into()
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names a thing that exists in AWS although the command failed.
    #[must_use]
    pub fn leaving(mut self, what: impl Into<String>) -> Self {
        self.left.push(what.into());
        self
    }

    /// The exit code of a process that ends with this error: the only table of them beside [`Outcome`].
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match &*self.kind {
            ErrorKind::Usage(_) | ErrorKind::Configuration(_) => 2,
            ErrorKind::Stack(_) => 4,
            ErrorKind::LostContact(_) => 5,
            ErrorKind::Interrupted(_) => 130,
            ErrorKind::Aws(_)
            | ErrorKind::NoEnvironment { .. }
            | ErrorKind::NoRelease { .. }
            | ErrorKind::Refused(_)
            | ErrorKind::Declined
            | ErrorKind::Store(_)
            | ErrorKind::Untrusted(_)
            | ErrorKind::Local(_)
            | ErrorKind::File { .. }
            | ErrorKind::Unexpected(_) => 1,
        }
    }
}

impl<K: Into<ErrorKind>> From<K> for Error {
    fn from(kind: K) -> Self {
        let kind = kind.into();
        let hint = match &kind {
            ErrorKind::Aws(error) => error.hint(),
            ErrorKind::Store(error) => error.hint(),
            ErrorKind::Untrusted(error) => Some(error.hint()),
            _ => None,
        };
        Self {
            kind: Box::new(kind),
            hint,
            left: Vec::new(),
        }
    }
}

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    #[default]
    Done,
    /// Done, but something is left, skipped or lagging; the command named it.
    Partial,
}

impl Outcome {
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Partial => 3,
        }
    }

    /// The worse of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Partial { self } else { other }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Partial => "partial",
        })
    }
}
