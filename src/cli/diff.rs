//! `rstack diff`.

use std::ops::ControlFlow;

use clap::Args as ClapArgs;
use rstack::event::{Event, Reporter};
use rstack::release::{ContentHash, Difference, Entry, Patch, describe, differences};
use rstack::{Outcome, Result};
use serde::Serialize;

use super::{Context, source};
use crate::ui::{Role, Style, text};

/// Show what differs between two sources, or between a release of one and what it is now
#[derive(Debug, ClapArgs)]
#[command(after_help = format!("{AFTER_HELP}\n\n{}", source::HELP))]
pub(crate) struct Args {
    /// The one that counts as before; `--at` is about this one
    #[arg(value_name = "SOURCE")]
    before: String,
    /// The one that counts as after [default with `--at`: the first one as it is now]
    #[arg(value_name = "SOURCE", required_unless_present = "at")]
    after: Option<String>,
    #[command(flatten)]
    at: source::At,
    /// Only the paths; no contents are read
    #[arg(long)]
    name_only: bool,
}

const AFTER_HELP: &str = "\
stdout: a unified diff of every text file that differs, which `patch -p1` and `git apply` take; other files are \
named.

Exit codes: 0 shown, whether or not anything differs, 1 there is no such release or a store cannot be read, 2 usage

Examples:
  rstack diff -n demo prod ./src
  rstack diff -n demo uat prod --name-only
  rstack diff -n demo prod --at 2026-11-01T12:00:00Z";

/// One path, as JSON.
#[derive(Debug, Serialize)]
struct Line<'a> {
    path: &'a str,
    change: Change,
    before: Option<Side>,
    after: Option<Side>,
    /// Absent when only names are wanted.
    #[serde(flatten)]
    patch: Option<&'a Patch>,
}

#[derive(Debug, Serialize)]
struct Side {
    sha256: ContentHash,
    size: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    Added,
    Changed,
    Removed,
}

#[derive(Debug, Serialize)]
struct Report {
    added: usize,
    changed: usize,
    removed: usize,
}

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let now = source::At::default();
        let before = source::url(context, Some(&self.before), &self.at)?;
        let after = source::url(context, Some(self.after.as_ref().unwrap_or(&self.before)), &now)?;
        let before = Box::pin(source::open(context, &before)).await?;
        let after = Box::pin(source::open(context, &after)).await?;
        let found = differences(&before, &after);
        if self.name_only {
            for difference in &found {
                show(context, difference, None);
            }
        } else {
            let mut each = |difference: &Difference, patch: Patch| {
                show(context, difference, Some(&patch));
                if context.ui.reader_left() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let describing = describe(&before, &after, &found, &mut each);
            let described = context.until_interrupted(describing).await;
            source::tell(context, &before);
            source::tell(context, &after);
            described?;
        }
        let count = |change| {
            found
                .iter()
                .filter(|difference| Change::of(difference) == change)
                .count()
        };
        let report = Report {
            added: count(Change::Added),
            changed: count(Change::Changed),
            removed: count(Change::Removed),
        };
        context.ui.report(&Event::Note {
            message: words(&report),
        });
        context.ui.finish("diff", &report, Outcome::Done, |_| "");
        Ok(Outcome::Done)
    }
}

impl Change {
    fn of(difference: &Difference) -> Self {
        match (difference.before, difference.after) {
            (None, _) => Self::Added,
            (_, None) => Self::Removed,
            (Some(_), Some(_)) => Self::Changed,
        }
    }
}

fn show(context: &Context<'_>, difference: &Difference, patch: Option<&Patch>) {
    let side = |entry: Option<Entry>| entry.map(|Entry { sha256, size, .. }| Side { sha256, size });
    let line = Line {
        path: &difference.path,
        change: Change::of(difference),
        before: side(difference.before),
        after: side(difference.after),
        patch,
    };
    context
        .ui
        .data("difference", &line, |style| shown(difference, patch, style));
}

fn shown(difference: &Difference, patch: Option<&Patch>, style: Style) -> String {
    let named = |kind: &str| {
        let name = |side: &str, entry: Option<Entry>| match entry {
            Some(_) => format!("{side}/{}", text::clean(&difference.path)),
            None => "/dev/null".to_owned(),
        };
        let (before, after) = (name("a", difference.before), name("b", difference.after));
        style.paint(Role::Strong, &format!("{kind} {before} and {after} differ")) + "\n"
    };
    match patch {
        None => format!("{}\n", text::clean(&difference.path)),
        Some(Patch::Binary) => named("binary files"),
        Some(Patch::Large) => named("large files"),
        Some(Patch::Text(diff)) if style.color || style.cut => {
            let (heading, lines) = diff.split_at(diff.find("\n@@").map_or(diff.len(), |at| at + 1));
            let heading = heading.lines().map(|line| (Role::Strong, line));
            let lines = lines.lines().map(|line| (role_of(line), line));
            heading
                .chain(lines)
                .map(|(role, line)| painted(role, line, style))
                .collect()
        }
        Some(Patch::Text(diff)) => diff.clone(),
    }
}

/// A line below the heading of a diff.
fn role_of(line: &str) -> Role {
    match line.as_bytes().first() {
        Some(b'+') => Role::Good,
        Some(b'-') => Role::Bad,
        Some(b'@') => Role::Busy,
        Some(b'\\') => Role::Quiet,
        _ => Role::Plain,
    }
}

/// A line of a diff on a terminal.
fn painted(role: Role, line: &str, style: Style) -> String {
    style.paint(role, &line.replace('\t', "    ")) + "\n"
}

fn words(report: &Report) -> String {
    let Report {
        added,
        changed,
        removed,
    } = report;
    if added + changed + removed == 0 {
        return "nothing differs".to_owned();
    }
    format!("{added} added, {changed} changed, {removed} removed")
}
