//! What `rstack up` says at its end.

use std::fmt::Write as _;

use rstack::stack::{Done, UpReport};

use super::Report;
use crate::cli::seed;
use crate::ui::chart;
use crate::ui::{Line, Role, Style, Table, text};

/// Where the stores are, how long each resource took, and what was seeded.
pub(super) fn of(report: &Report, drawn: bool, style: Style) -> String {
    let mut words = of_up(&report.up, style);
    if let Some(timeline) = report.timeline.as_ref().filter(|_| drawn) {
        words.push('\n');
        words.push_str(&chart::timeline_words(timeline, style));
    }
    if let Some(seed) = &report.seed {
        words.push('\n');
        words.push_str(&seed::words::of(seed, style));
    }
    words
}

fn of_up(report: &UpReport, style: Style) -> String {
    let mut words = String::new();
    let stack = &report.stack;
    let done = match report.done {
        Done::Created => "created",
        Done::Updated => "updated",
        Done::Unchanged => "up to date already",
        Done::Started => "under way",
    };
    let line = Line::new()
        .plain(format!("environment `{}` is {done}: ", stack.name))
        .and(stack.status.tone().into(), stack.status.as_str())
        .and(Role::Quiet, format!(" after {}", text::seconds(report.seconds)));
    words.push_str(&line.render(style));
    words.push('\n');
    if let Some(expires_at) = stack.expires_at() {
        let _ = writeln!(words, "it expires at {expires_at}");
    }
    if !stack.outputs.is_empty() {
        let mut outputs = Table::new(&["OUTPUT", "VALUE"]);
        for (key, value) in stack.outputs.iter() {
            outputs.row([(Role::Strong, key.to_owned()), (Role::Plain, value.to_owned())]);
        }
        words.push('\n');
        words.push_str(&outputs.render(style));
    }
    if !report.timings.is_empty() {
        let mut timings = Table::new(&["RESOURCE", "TYPE", "STATUS", "TOOK"]);
        for timing in &report.timings {
            timings.row([
                (Role::Strong, timing.logical_id.clone()),
                (Role::Quiet, timing.resource_type.clone()),
                (timing.status.tone().into(), timing.status.to_string()),
                (Role::Plain, text::seconds(timing.seconds)),
            ]);
        }
        words.push('\n');
        words.push_str(&timings.render(style));
    }
    words
}
