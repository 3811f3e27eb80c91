//! `--timeline`: what a stack's resources did when, drawn.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use rstack::aws::Aws;
use rstack::event::{Event, Reporter as _};
use rstack::stack::{self, Timeline};
use rstack::{Error, ErrorKind, Result};

use super::Context;
use super::file::OutputFile;
use super::shell::quote;
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
    /// As it is typed, for a command that does the same again.
    pub(crate) fn typed(&self) -> Option<String> {
        let path = self.timeline.as_ref()?;
        Some(if path.as_os_str() == "-" {
            "--timeline".to_owned()
        } else {
            format!("--timeline {}", quote(&path.display().to_string()))
        })
    }

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

/// What was read, and whether the file could be made of it.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) timeline: Option<Timeline>,
    pub(crate) written: Result<()>,
}

impl Wanted {
    /// Reads the newest operation of a stack, if it is to be drawn anywhere, and draws it into the file if that is the
    /// place. Without a stack there is nothing to draw, which is told.
    pub(crate) async fn make(&self, context: &Context<'_>, aws: &Aws, name_or_id: &str) -> Made {
        let read = match self {
            Self::Nowhere => Ok(None),
            Self::Stdout | Self::File(..) => self.read(context, aws, name_or_id).await,
        };
        match read {
            Ok(Some(timeline)) => self.made(context, timeline).await,
            other => Made {
                timeline: None,
                written: other.map(drop),
            },
        }
    }

    async fn made(&self, context: &Context<'_>, timeline: Timeline) -> Made {
        Made {
            written: self.write(context, &timeline).await,
            timeline: Some(timeline),
        }
    }

    async fn read(&self, context: &Context<'_>, aws: &Aws, name_or_id: &str) -> Result<Option<Timeline>> {
        let timeline = stack::timeline(aws, name_or_id).await?;
        if timeline.is_none() {
            context.ui.report(&Event::Warning {
                message: format!("no timeline is drawn: there is no stack `{name_or_id}`"),
                hint: None,
            });
        }
        Ok(timeline)
    }

    async fn write(&self, context: &Context<'_>, timeline: &Timeline) -> Result<()> {
        if let Self::File(file, picture) = self {
            let drawn = picture.draw(&chart::draw_timeline(timeline))?;
            file.write(context, drawn).await?;
            let message = format!("the timeline is in `{}`", file.path().display());
            context.ui.report(&Event::Note { message });
        }
        Ok(())
    }

    /// Whether it is shown among the words on stdout.
    pub(crate) fn on_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// Draws the timeline of a run that failed, too: that is when it is looked at most. It is of what was watched, since
    /// the stack may be gone. The first error stays the error.
    pub(crate) async fn make_after(&self, context: &Context<'_>, aws: &Aws, name: &str, error: Error) -> Error {
        let watched = match &*error.kind {
            ErrorKind::Stack(failure) => Timeline::of(name.to_owned(), &failure.events, aws.now()),
            _ => None,
        };
        let Made { timeline, written } = match watched {
            Some(timeline) if !matches!(self, Self::Nowhere) => self.made(context, timeline).await,
            _ => self.make(context, aws, name).await,
        };
        if let Some(timeline) = timeline.filter(|_| self.on_stdout()) {
            let words = |style| chart::timeline_words(&timeline, style);
            context.ui.data("timeline", &timeline, words);
        }
        if let Err(other) = written {
            let message = format!("no timeline is drawn: {other}");
            context.ui.report(&Event::Warning {
                message,
                hint: other.hint,
            });
        }
        error
    }
}
