//! A row of the table while it is being measured.

use std::rc::Rc;

use rstack::bench::{Held, Measured, ScratchCache, Spread, Subject, Way};
use rstack::publish::Tree;
use rstack::traffic::Traffic;

use super::report::{Problem, Row};

/// A row while it is being measured.
pub(super) struct Line {
    pub(super) label: String,
    /// None of a subject that cannot be opened, where no way was asked for.
    pub(super) way: Option<Way>,
    pub(super) readers: u32,
    pub(super) subject: Option<Rc<Known>>,
    pub(super) seconds: Vec<f64>,
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) traffic: Traffic,
    pub(super) problem: Option<Problem>,
}

/// A subject that was looked at.
pub(super) struct Known {
    pub(super) subject: Subject,
    pub(super) held: Held,
    pub(super) cache: ScratchCache,
    /// What `publish` publishes.
    pub(super) tree: Option<Tree>,
}

impl Line {
    pub(super) fn new(label: &str, way: Option<Way>, readers: u32, subject: Option<Rc<Known>>) -> Self {
        Self {
            label: label.to_owned(),
            way,
            readers,
            subject,
            seconds: Vec::new(),
            files: 0,
            bytes: 0,
            traffic: Traffic::default(),
            problem: None,
        }
    }

    pub(super) fn take(&mut self, measured: &Measured, counted: bool) {
        self.files = measured.files;
        self.bytes = measured.bytes;
        // Each publishing makes what the stores list longer, which later ones then send and receive.
        if self.seconds.is_empty() {
            self.traffic = measured.traffic;
        }
        if counted {
            self.seconds.extend(&measured.seconds);
        }
    }

    pub(super) fn into_row(self) -> Row {
        let spread = Spread::of(&self.seconds).filter(|_| self.problem.is_none());
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let files = (self.files * u64::from(self.readers)) as f64;
        Row {
            source: self.label,
            way: self.way,
            readers: self.readers,
            files: self.files,
            bytes: self.bytes,
            seconds: self.seconds,
            spread,
            files_per_second: spread.filter(|s| s.median > 0.0).map(|s| files / s.median),
            requests: self.traffic.requests,
            round_trips: self.traffic.round_trips,
            sent: self.traffic.sent,
            received: self.traffic.received,
            problem: self.problem,
        }
    }
}
