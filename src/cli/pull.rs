//! `rstack pull`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use rstack::event::{Event, Reporter};
use rstack::pull::{Origin, Pull, Report, pull};
use rstack::release::Load;
use rstack::{Outcome, Result};

use super::{Context, source};
use crate::ui::{Line, Role, Style, text};

/// Write a source into a directory: for editors, type checkers, containers
#[derive(Debug, ClapArgs)]
#[command(after_help = format!("{AFTER_HELP}\n\n{}", source::HELP))]
pub(crate) struct Args {
    /// What to pull
    #[arg(value_name = "SOURCE")]
    source: String,
    /// The directory; it need not be there, or is what the last pull made
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    at: source::At,
    /// Replace the directory, and lose what is in it, even if `pull` did not put it there
    #[arg(long)]
    force: bool,
}

const AFTER_HELP: &str = "\
The directory appears, or changes, in one step; a pull that is killed leaves it as it was. Every file is checked \
against its hash. What the last pull left there and nobody changed is not read again.

stdout: what was pulled from where, and what changed since the last pull.

Exit codes: 0 pulled; 1 something would be lost, there is no such release, or a store cannot be read; 2 usage; \
3 pulled, but the old directory could not be removed; 130 interrupted: the directory is as it was.

Examples:
  rstack pull -n demo prod ./code
  rstack pull -n demo 'hotfix;prod' /srv/code --at 2026-11-01T12:00:00Z";

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let url = source::url(context, Some(&self.source), &self.at)?;
        // A directory from before may have most of it.
        let load = if self.directory.exists() {
            Load::Index
        } else {
            Load::Everything
        };
        let source = Box::pin(source::load(context, &url, load)).await?;
        let job = Pull {
            source: &source,
            directory: &self.directory,
            force: self.force,
        };
        let report = Box::pin(pull(&job, context.ui, &context.interrupt)).await;
        source::tell(context, &source);
        let report = report?;
        let outcome = report.outcome();
        if let Some(left) = &report.left {
            context.ui.report(&Event::Warning {
                message: format!(
                    "`{}`, the directory as it was before, could not be removed",
                    left.display()
                ),
                hint: Some("remove it by hand".to_owned()),
            });
        }
        context
            .ui
            .finish("pull", &report, outcome, |style| words(&report, style));
        Ok(outcome)
    }
}

fn words(report: &Report, style: Style) -> String {
    let mut lines = Vec::new();
    for origin in &report.from {
        lines.push(Line::new().plain(from(origin)));
    }
    let what = format!("{}, {}", text::count(report.files, "file"), text::bytes(report.bytes));
    let took = format!(
        " after {}; {} read",
        text::seconds(report.seconds),
        text::count(report.fetched, "file")
    );
    lines.push(
        Line::new()
            .and(Role::Strong, report.directory.display().to_string())
            .and(Role::Good, format!(" has {what}"))
            .and(Role::Quiet, took),
    );
    if let Some(since) = &report.since {
        let changed = since.added + since.changed + since.removed > 0;
        let what = if changed {
            format!(
                "{} added, {} changed, {} removed",
                since.added, since.changed, since.removed
            )
        } else {
            "nothing changed".to_owned()
        };
        let before: Vec<String> = since.from.iter().map(name).collect();
        lines.push(Line::new().plain(format!("since {}: {what}", before.join("; "))));
    }
    lines.iter().map(|line| line.render(style) + "\n").collect()
}

fn from(origin: &Origin) -> String {
    match (&origin.release, &origin.time) {
        (Some(release), Some(time)) => format!("release {release} of {}, from {time}", origin.place),
        _ => format!("files of {}", origin.place),
    }
}

fn name(origin: &Origin) -> String {
    origin
        .release
        .as_ref()
        .map_or_else(|| origin.place.clone(), |release| format!("release {release}"))
}
