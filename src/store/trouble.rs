//! What stands in the way at one store, as every report tells it.

use std::ops::Not;

use serde::Serialize;

use super::StoreError;

/// Why something is not done at a store, and what can be done about it; part of the store's report. Empty when nothing is
/// in the way.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Trouble {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The store did not answer at all.
    #[serde(skip_serializing_if = "Not::not")]
    pub unreachable: bool,
    /// The store's own error, where it is one.
    #[serde(skip)]
    pub cause: Option<StoreError>,
}

impl Trouble {
    pub(crate) fn of(problem: impl Into<String>) -> Self {
        Self {
            problem: Some(problem.into()),
            ..Self::default()
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self {
            problem: Some(error.to_string()),
            hint: error.hint(),
            unreachable: error.is_unreachable(),
            cause: Some(error),
        }
    }
}
