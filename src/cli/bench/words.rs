//! Figures as a table, and as bars.

use std::fmt::Write as _;

use rstack::bench::Way;

use super::report::{Report, Row};
use crate::ui::chart::{Bar, BarChart, Group, Ink};
use crate::ui::{Line, Role, Style, Table, text};

/// What is left out first where a terminal is too narrow for all of it.
const DISPENSABLE: [&str; 10] = [
    "SENT", "RECEIVED", "SIZE", "FILES", "P99", "REQUESTS", "TRIPS", "FILES/S", "P95", "FASTEST",
];

pub(super) fn of(report: &Report, chart: &BarChart, style: Style) -> String {
    let mut words = table(report).without(&DISPENSABLE, style).render(style);
    for row in &report.loads {
        let Some(problem) = &row.problem else { continue };
        let line = Line::new().and(
            Role::Bad,
            format!("{} {}: {}", row.source, row.label(), problem.message),
        );
        let _ = writeln!(words, "{}", line.render(style));
        if let Some(hint) = &problem.hint {
            let hint = Line::new().and(Role::Hint, "hint: ").plain(hint.as_str());
            let _ = writeln!(words, "{}", hint.render(style));
        }
    }
    if !chart.groups.is_empty() {
        words.push('\n');
        words.push_str(&chart.words(style));
    }
    words
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(&[
        "SOURCE",
        "WAY",
        ">FILES",
        ">SIZE",
        ">FASTEST",
        ">MEDIAN",
        ">P95",
        ">P99",
        ">FILES/S",
        ">REQUESTS",
        ">TRIPS",
        ">SENT",
        ">RECEIVED",
    ]);
    for row in &report.loads {
        let [fastest, median, p95, p99] = times(row);
        let rate = row
            .files_per_second
            .map_or_else(String::new, |rate| format!("{rate:.0}"));
        let measured = |shown: String| if row.problem.is_some() { String::new() } else { shown };
        let counted = |number| measured(text::grouped(number));
        let sized = |number| measured(text::bytes(number));
        table.row([
            (Role::Strong, row.source.clone()),
            (Role::Plain, row.label()),
            (Role::Plain, counted(row.files)),
            (Role::Plain, sized(row.bytes)),
            (Role::Plain, fastest),
            (ending(row), median),
            (Role::Plain, p95),
            (Role::Plain, p99),
            (Role::Plain, rate),
            (Role::Plain, counted(row.requests)),
            (Role::Plain, counted(row.round_trips)),
            (Role::Plain, sized(row.sent)),
            (Role::Plain, sized(row.received)),
        ]);
    }
    table
}

/// The fastest, the median, the 95th and the 99th percentile.
fn times(row: &Row) -> [String; 4] {
    match row.spread {
        Some(spread) => [spread.minimum, spread.median, spread.p95, spread.p99].map(text::precise),
        None => ["", "failed", "", ""].map(str::to_owned),
    }
}

fn ending(row: &Row) -> Role {
    if row.problem.is_some() { Role::Bad } else { Role::Strong }
}

/// The median of each row, and how far its runs are spread.
pub(super) fn chart(report: &Report) -> BarChart {
    let mut groups: Vec<Group> = Vec::new();
    for row in &report.loads {
        let Some(spread) = row.spread else { continue };
        let bar = Bar {
            label: row.label(),
            ink: Ink::Series(Way::ALL.iter().position(|way| *way == row.way).unwrap_or(0)),
            seconds: spread.median,
            low: spread.minimum,
            high: spread.p95,
        };
        match groups.iter_mut().find(|group| group.label == row.source) {
            Some(group) => group.bars.push(bar),
            None => groups.push(Group {
                label: row.source.clone(),
                bars: vec![bar],
            }),
        }
    }
    let mut note = format!(
        "medians of {}; lines from the fastest to P95",
        text::count(u64::from(report.repeat), "run")
    );
    for (place, delay) in report.delays.iter().enumerate() {
        let begin = if place == 0 { "; round trips +" } else { ", +" };
        let _ = write!(note, "{begin}{} to {}", text::round(delay.asked), delay.store);
    }
    BarChart {
        title: title(report),
        note,
        groups,
    }
}

/// "Loading 7 files, 10.3 KiB", where all rows load the same.
fn title(report: &Report) -> String {
    let measured = report
        .loads
        .iter()
        .filter(|row| row.spread.is_some() && row.way != Way::Read);
    let mut sizes: Vec<(u64, u64)> = measured.map(|row| (row.files, row.bytes)).collect();
    sizes.dedup();
    match sizes.as_slice() {
        [(files, bytes)] => format!("Loading {}, {}", text::count(*files, "file"), text::bytes(*bytes)),
        _ => "Loading all of a source".to_owned(),
    }
}
