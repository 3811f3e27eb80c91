//! Stack and resource statuses as closed sets. Colour, exit code and "are we done" all come from here.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// How a status should be felt: the only input to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Good,
    Busy,
    Bad,
    /// Neither good nor bad: deleted, skipped, unknown.
    Quiet,
}

macro_rules! statuses {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($variant,)*
            /// One that this version does not know.
            Unknown(String),
        }

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown(text) => text,
                }
            }

            /// Every known status, for tests.
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant,)*];
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }

        impl FromStr for $name {
            type Err = std::convert::Infallible;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

statuses! {
    /// `StackStatus` of the CloudFormation API.
    StackStatus {
        CreateInProgress = "CREATE_IN_PROGRESS",
        CreateFailed = "CREATE_FAILED",
        CreateComplete = "CREATE_COMPLETE",
        RollbackInProgress = "ROLLBACK_IN_PROGRESS",
        RollbackFailed = "ROLLBACK_FAILED",
        RollbackComplete = "ROLLBACK_COMPLETE",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        DeleteFailed = "DELETE_FAILED",
        DeleteComplete = "DELETE_COMPLETE",
        UpdateInProgress = "UPDATE_IN_PROGRESS",
        UpdateCompleteCleanupInProgress = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        UpdateComplete = "UPDATE_COMPLETE",
        UpdateFailed = "UPDATE_FAILED",
        UpdateRollbackInProgress = "UPDATE_ROLLBACK_IN_PROGRESS",
        UpdateRollbackFailed = "UPDATE_ROLLBACK_FAILED",
        UpdateRollbackCompleteCleanupInProgress = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        UpdateRollbackComplete = "UPDATE_ROLLBACK_COMPLETE",
        ReviewInProgress = "REVIEW_IN_PROGRESS",
        ImportInProgress = "IMPORT_IN_PROGRESS",
        ImportComplete = "IMPORT_COMPLETE",
        ImportRollbackInProgress = "IMPORT_ROLLBACK_IN_PROGRESS",
        ImportRollbackFailed = "IMPORT_ROLLBACK_FAILED",
        ImportRollbackComplete = "IMPORT_ROLLBACK_COMPLETE",
    }
}

statuses! {
    /// `ResourceStatus` of stack events. The stack's own events carry a [`StackStatus`] in the same field, so the
    /// rollback states are here too.
    ResourceStatus {
        CreateInProgress = "CREATE_IN_PROGRESS",
        CreateFailed = "CREATE_FAILED",
        CreateComplete = "CREATE_COMPLETE",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        DeleteFailed = "DELETE_FAILED",
        DeleteComplete = "DELETE_COMPLETE",
        DeleteSkipped = "DELETE_SKIPPED",
        UpdateInProgress = "UPDATE_IN_PROGRESS",
        UpdateFailed = "UPDATE_FAILED",
        UpdateComplete = "UPDATE_COMPLETE",
        UpdateCompleteCleanupInProgress = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        UpdateRollbackInProgress = "UPDATE_ROLLBACK_IN_PROGRESS",
        UpdateRollbackComplete = "UPDATE_ROLLBACK_COMPLETE",
        UpdateRollbackCompleteCleanupInProgress = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        UpdateRollbackFailed = "UPDATE_ROLLBACK_FAILED",
        RollbackInProgress = "ROLLBACK_IN_PROGRESS",
        RollbackComplete = "ROLLBACK_COMPLETE",
        RollbackFailed = "ROLLBACK_FAILED",
        ReviewInProgress = "REVIEW_IN_PROGRESS",
        ImportInProgress = "IMPORT_IN_PROGRESS",
        ImportComplete = "IMPORT_COMPLETE",
        ImportFailed = "IMPORT_FAILED",
        ImportRollbackInProgress = "IMPORT_ROLLBACK_IN_PROGRESS",
        ImportRollbackComplete = "IMPORT_ROLLBACK_COMPLETE",
        ImportRollbackFailed = "IMPORT_ROLLBACK_FAILED",
        ExportInProgress = "EXPORT_IN_PROGRESS",
        ExportComplete = "EXPORT_COMPLETE",
        ExportFailed = "EXPORT_FAILED",
        ExportRollbackInProgress = "EXPORT_ROLLBACK_IN_PROGRESS",
        ExportRollbackComplete = "EXPORT_ROLLBACK_COMPLETE",
        ExportRollbackFailed = "EXPORT_ROLLBACK_FAILED",
    }
}

/// What `up` can do with a stack in some status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Settled, and can be updated.
    Updatable,
    /// Something is going on; watch it, then look again.
    Busy,
    /// The remains of a first creation that failed: nothing to update, must be removed first.
    Leftover,
    /// Settled, but needs a person.
    Stuck,
    /// Gone.
    Absent,
}

impl StackStatus {
    /// Nothing more will happen by itself.
    #[must_use]
    pub fn settled(&self) -> bool {
        !matches!(self.readiness(), Readiness::Busy)
    }

    #[must_use]
    pub fn readiness(&self) -> Readiness {
        match self {
            Self::CreateComplete
            | Self::UpdateComplete
            | Self::UpdateRollbackComplete
            | Self::ImportComplete
            | Self::ImportRollbackComplete
            | Self::UpdateFailed => Readiness::Updatable,
            Self::CreateInProgress
            | Self::RollbackInProgress
            | Self::DeleteInProgress
            | Self::UpdateInProgress
            | Self::UpdateCompleteCleanupInProgress
            | Self::UpdateRollbackInProgress
            | Self::UpdateRollbackCompleteCleanupInProgress
            | Self::ImportInProgress
            | Self::ImportRollbackInProgress => Readiness::Busy,
            Self::CreateFailed | Self::RollbackComplete | Self::RollbackFailed | Self::ReviewInProgress => {
                Readiness::Leftover
            }
            Self::DeleteComplete => Readiness::Absent,
            Self::Unknown(text) if text.ends_with("_IN_PROGRESS") => Readiness::Busy,
            Self::DeleteFailed | Self::UpdateRollbackFailed | Self::ImportRollbackFailed | Self::Unknown(_) => {
                Readiness::Stuck
            }
        }
    }

    #[must_use]
    pub fn tone(&self) -> Tone {
        match self {
            Self::CreateComplete | Self::UpdateComplete | Self::ImportComplete => Tone::Good,
            Self::CreateInProgress
            | Self::DeleteInProgress
            | Self::UpdateInProgress
            | Self::UpdateCompleteCleanupInProgress
            | Self::ReviewInProgress
            | Self::ImportInProgress => Tone::Busy,
            Self::CreateFailed
            | Self::RollbackInProgress
            | Self::RollbackFailed
            | Self::RollbackComplete
            | Self::DeleteFailed
            | Self::UpdateFailed
            | Self::UpdateRollbackInProgress
            | Self::UpdateRollbackFailed
            | Self::UpdateRollbackCompleteCleanupInProgress
            | Self::UpdateRollbackComplete
            | Self::ImportRollbackInProgress
            | Self::ImportRollbackFailed
            | Self::ImportRollbackComplete => Tone::Bad,
            Self::DeleteComplete | Self::Unknown(_) => Tone::Quiet,
        }
    }
}

impl ResourceStatus {
    /// This resource will not change by itself; a rollback may still change it.
    #[must_use]
    pub fn settled(&self) -> bool {
        !self.as_str().ends_with("_IN_PROGRESS")
    }

    /// An action on the resource failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.as_str().ends_with("_FAILED")
    }

    #[must_use]
    pub fn tone(&self) -> Tone {
        match self {
            Self::CreateComplete | Self::UpdateComplete | Self::ImportComplete | Self::ExportComplete => Tone::Good,
            Self::CreateInProgress
            | Self::DeleteInProgress
            | Self::UpdateInProgress
            | Self::UpdateCompleteCleanupInProgress
            | Self::ReviewInProgress
            | Self::ImportInProgress
            | Self::ExportInProgress => Tone::Busy,
            Self::CreateFailed
            | Self::DeleteFailed
            | Self::UpdateFailed
            | Self::UpdateRollbackInProgress
            | Self::UpdateRollbackComplete
            | Self::UpdateRollbackCompleteCleanupInProgress
            | Self::UpdateRollbackFailed
            | Self::RollbackInProgress
            | Self::RollbackComplete
            | Self::RollbackFailed
            | Self::ImportFailed
            | Self::ImportRollbackInProgress
            | Self::ImportRollbackComplete
            | Self::ImportRollbackFailed
            | Self::ExportFailed
            | Self::ExportRollbackInProgress
            | Self::ExportRollbackComplete
            | Self::ExportRollbackFailed => Tone::Bad,
            Self::DeleteComplete | Self::DeleteSkipped | Self::Unknown(_) => Tone::Quiet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back() {
        for status in StackStatus::ALL {
            assert_eq!(StackStatus::from(status.as_str()), *status);
        }
        for status in ResourceStatus::ALL {
            assert_eq!(ResourceStatus::from(status.as_str()), *status);
        }
    }

    /// The whole vocabulary agrees with its spelling: only what is in progress is unsettled, except a stack that waits
    /// for a change set to be executed, which nothing moves by itself.
    #[test]
    fn settled_is_what_the_name_says() {
        for status in StackStatus::ALL {
            let by_name = !status.as_str().ends_with("_IN_PROGRESS") || *status == StackStatus::ReviewInProgress;
            assert_eq!(status.settled(), by_name, "{status}");
        }
    }

    #[test]
    fn unknown_statuses_are_kept_and_judged_by_their_ending() {
        let busy = StackStatus::from("REFACTOR_IN_PROGRESS");
        assert!(!busy.settled());
        assert_eq!(busy.to_string(), "REFACTOR_IN_PROGRESS");
        assert_eq!(StackStatus::from("REFACTOR_DONE").readiness(), Readiness::Stuck);
    }
}
