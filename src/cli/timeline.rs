//! `--timeline`: what a stack's resources did when, drawn.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use rstack::aws::Aws;
use rstack::event::{Event, Reporter as _};
use rstack::stack::{self, Timeline};
use rstack::{Error, Result};

use super::Context;
use super::file::OutputFile;
use crate::ui::chart::{self, Picture};

#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct TimelineOption {
    /// Draw what each resource did when: into FILE (.svg or .png), or on stdout without one
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    timeline: Option<PathBuf>,
}

/// Where it is to be drawn.
#[derive(Debug)]
pub(crate) enum Wanted {
    Nowhere,
    Stdout,
    File(OutputFile, Picture),
}

impl TimelineOption {
    /// Asked before any work begins.
    pub(crate) fn wanted(&self) -> Result<Wanted> {
        match self.timeline.as_deref() {
            None => Ok(Wanted::Nowhere),
            Some(path) if path.as_os_str() == "-" => Ok(Wanted::Stdout),
            Some(path) => {
                let picture = Picture::of(path)?;
                Ok(Wanted::File(OutputFile::new(path)?, picture))
            }
        }
    }
}

impl Wanted {
    /// Reads the newest operation of a stack, if it is to be drawn anywhere, and draws it into the file if that is the
    /// place. Without a stack there is nothing to draw, which is told.
    pub(crate) async fn make(&self, context: &Context<'_>, aws: &Aws, name_or_id: &str) -> Result<Option<Timeline>> {
        if matches!(self, Self::Nowhere) {
            return Ok(None);
        }
        let Some(timeline) = stack::timeline(aws, name_or_id).await? else {
            context.ui.report(&Event::Warning {
                message: format!("no timeline is drawn: there is no stack `{name_or_id}` any more"),
                hint: None,
            });
            return Ok(None);
        };
        if let Self::File(file, picture) = self {
            file.write(&picture.draw(&chart::draw_timeline(&timeline))?)?;
            let message = format!("the timeline is in `{}`", file.path().display());
            context.ui.report(&Event::Note { message });
        }
        Ok(Some(timeline))
    }

    /// Whether it is shown among the words on stdout.
    pub(crate) fn on_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// Draws the timeline of a run that failed, too: that is when it is looked at most. The first error stays the error.
    pub(crate) async fn make_after(&self, context: &Context<'_>, aws: &Aws, name: &str, error: Error) -> Error {
        match self.make(context, aws, name).await {
            Ok(Some(timeline)) if self.on_stdout() => {
                let words = |style| chart::timeline_words(&timeline, style);
                context.ui.data("timeline", &timeline, words);
            }
            Ok(_) => {}
            Err(other) => {
                let message = format!("no timeline is drawn: {other}");
                context.ui.report(&Event::Warning {
                    message,
                    hint: other.hint,
                });
            }
        }
        error
    }
}
