//! What was measured.

use std::fmt::Write as _;

use rstack::Outcome;
use rstack::bench::{Spread, Way};
use serde::Serialize;

use super::delay::Added;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) delays: Vec<Added>,
    pub(super) repeat: u32,
    pub(super) loads: Vec<Row>,
    /// What was made for measuring and could not be removed.
    pub(super) left: Vec<String>,
}

/// One source, way and number of readers.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) source: String,
    /// None of a source that cannot be opened, where no way was asked for.
    pub(super) way: Option<Way>,
    pub(super) readers: u32,
    /// Of one reader.
    pub(super) files: u64,
    /// Of one reader, unpacked.
    pub(super) bytes: u64,
    /// In the order of the runs.
    pub(super) seconds: Vec<f64>,
    #[serde(flatten)]
    pub(super) spread: Option<Spread>,
    /// By all readers together.
    pub(super) files_per_second: Option<f64>,
    /// Of the last run, as all that follow.
    pub(super) requests: u64,
    pub(super) round_trips: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) problem: Option<Problem>,
}

/// Why there are no figures.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Row {
    /// "cold", or "cold ×16" with so many readers.
    pub(super) fn label(&self) -> String {
        let way = self.way.map_or("", Way::as_str);
        match self.readers {
            1 => way.to_owned(),
            readers => format!("{way} ×{readers}"),
        }
    }
}

impl Report {
    pub(super) fn outcome(&self) -> Outcome {
        if self.left.is_empty() && self.loads.iter().all(|row| row.problem.is_none()) {
            Outcome::Done
        } else {
            Outcome::Partial
        }
    }

    /// A line for each row, times in seconds; RFC 4180.
    pub(super) fn csv(&self) -> String {
        let mut text = "source,way,readers,files,bytes,runs,minimum,median,p95,p99,maximum,files_per_second,requests,\
                        round_trips,sent,received,problem\r\n"
            .to_owned();
        for row in &self.loads {
            let times = row.spread.map_or_else(
                || ",,,,".to_owned(),
                |s| format!("{},{},{},{},{}", s.minimum, s.median, s.p95, s.p99, s.maximum),
            );
            let rate = row.files_per_second.map(|rate| rate.to_string()).unwrap_or_default();
            let problem = row.problem.as_ref().map_or("", |problem| problem.message.as_str());
            let _ = write!(
                text,
                "{},{},{},{},{},{},{times},{rate},{},{},{},{},{}\r\n",
                quoted(&row.source),
                row.way.map_or("", Way::as_str),
                row.readers,
                row.files,
                row.bytes,
                row.seconds.len(),
                row.requests,
                row.round_trips,
                row.sent,
                row.received,
                quoted(problem)
            );
        }
        text
    }
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
