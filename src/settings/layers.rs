//! One value, and the places that it may come from.

use crate::error::{Error, Result};

/// Where one value may come from, apart from the file: what was typed, the option's name, the variable's name.
pub(super) struct Layers(
    pub(super) Option<String>,
    pub(super) &'static str,
    pub(super) &'static str,
);

impl Layers {
    pub(super) fn without_flag(variable: &'static str) -> Self {
        Self(None, "", variable)
    }

    /// The first that is there: flag, variable, file.
    pub(super) fn pick<T>(
        self,
        env: &impl Fn(&str) -> Option<String>,
        file: Option<T>,
        check: fn(&str) -> std::result::Result<T, String>,
    ) -> Result<Option<T>> {
        let Self(flag, option, variable) = self;
        let (text, source) = match (flag, env(variable)) {
            (Some(text), _) => (text, option),
            (None, Some(text)) => (text, variable),
            (None, None) => return Ok(file),
        };
        check(&text).map(Some).map_err(|expected| {
            let wrong = Error::usage(format!("`{source}` cannot be {text:?}: {expected}"));
            wrong.with_hint(if source == option {
                format!("give `{option}` another value; `rstack --help` explains it")
            } else {
                format!("set {variable} anew, or `unset {variable}`")
            })
        })
    }
}
