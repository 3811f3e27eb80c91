//! Figures as a table, and as bars.

use std::fmt::Write as _;

use rstack::bench::Way;

use super::report::{Problem, Report, Row};
use crate::ui::chart::{Bar, BarChart, Group, Ink, Times};
use crate::ui::{Line, Role, Style, Table, text};

/// What is left out first where a terminal is too narrow for all of it.
const DISPENSABLE: [&str; 10] = [
    "SENT", "RECEIVED", "SIZE", "FILES", "P99", "REQUESTS", "TRIPS", "FILES/S", "P95", "FASTEST",
];

pub(super) fn of(report: &Report, chart: &BarChart, style: Style) -> String {
    let mut words = table(report).without(&DISPENSABLE, style).render(style);
    for (rows, problem) in problems(report) {
        let labels: Vec<String> = rows.iter().map(|row| row.label()).collect();
        let named = format!("{} {}", rows[0].source, labels.join(", "));
        let line = Line::new().and(Role::Bad, format!("{}: {}", named.trim_end(), problem.message));
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

/// What went wrong, with the rows of a source that it went wrong for.
fn problems(report: &Report) -> Vec<(Vec<&Row>, &Problem)> {
    let mut found: Vec<(Vec<&Row>, &Problem)> = Vec::new();
    for row in &report.loads {
        let Some(problem) = &row.problem else { continue };
        let same = |(rows, other): &&mut (Vec<&Row>, &Problem)| {
            rows[0].source == row.source && other.message == problem.message
        };
        match found.iter_mut().find(same) {
            Some((rows, _)) => rows.push(row),
            None => found.push((vec![row], problem)),
        }
    }
    found
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
        let rate = row.files_per_second.map_or_else(String::new, text::rate);
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
        let bar = Bar {
            label: row.label(),
            ink: Ink::Series(Way::ALL.iter().position(|way| Some(*way) == row.way).unwrap_or(0)),
            times: row.spread.map(|spread| Times {
                seconds: spread.median,
                low: spread.minimum,
                high: spread.p95,
            }),
        };
        match groups.iter_mut().find(|group| group.label == row.source) {
            Some(group) => group.bars.push(bar),
            None => groups.push(Group {
                label: row.source.clone(),
                bars: vec![bar],
            }),
        }
    }
    BarChart {
        title: title(report),
        note: note(report),
        groups,
    }
}

fn measured(report: &Report) -> impl Iterator<Item = &Row> {
    report.loads.iter().filter(|row| row.spread.is_some())
}

/// "medians of 7 runs and of 140 reads; round trips +5 ms to dynamodb".
fn note(report: &Report) -> String {
    let single = |row: &&Row| row.way == Some(Way::Read);
    let runs = measured(report).find(|row| !single(row)).map(|row| (row, "run"));
    let reads = measured(report).find(single).map(|row| (row, "read"));
    let counts: Vec<String> = [runs, reads]
        .into_iter()
        .flatten()
        .map(|(row, noun)| text::count(row.seconds.len() as u64, noun))
        .collect();
    let mut note = format!("medians of {}", counts.join(" and of "));
    for (place, delay) in report.delays.iter().enumerate() {
        let begin = if place == 0 { "; round trips +" } else { "; +" };
        let _ = write!(note, "{begin}{} to {}", text::round(delay.asked), delay.store);
    }
    note
}

/// "Loading and publishing 7 files, 10.3 KiB, and reading one value".
fn title(report: &Report) -> String {
    let does = |what: fn(Way) -> bool| measured(report).any(|row| row.way.is_some_and(what));
    let whole = [
        does(Way::loads).then_some("loading"),
        does(|way| way == Way::Publish).then_some("publishing"),
    ];
    let whole: Vec<&str> = whole.into_iter().flatten().collect();
    let mut phrases = Vec::new();
    if !whole.is_empty() {
        phrases.push(format!("{} {}", whole.join(" and "), what(report)));
    }
    if does(|way| way == Way::Read) {
        phrases.push("reading one value".to_owned());
    }
    let title = phrases.join(", and ");
    let mut letters = title.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// "7 files, 10.3 KiB", where all rows have the same.
fn what(report: &Report) -> String {
    let whole = measured(report).filter(|row| row.way != Some(Way::Read));
    let mut sizes: Vec<(u64, u64)> = whole.map(|row| (row.files, row.bytes)).collect();
    sizes.dedup();
    match sizes.as_slice() {
        [(files, bytes)] => format!("{}, {}", text::count(*files, "file"), text::bytes(*bytes)),
        _ => "all files of each source".to_owned(),
    }
}
