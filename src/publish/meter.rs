//! Progress of one task at one store, told often enough to be seen and seldom enough to cost nothing.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::event::{Event, Progress, Reporter, Task};

const INTERVAL: Duration = Duration::from_millis(50);

pub(crate) struct Meter<'a> {
    reporter: &'a dyn Reporter,
    state: Mutex<(Progress, Option<Instant>)>,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(reporter: &'a dyn Reporter, task: Task, total: usize, total_bytes: Option<u64>) -> Self {
        let progress = Progress {
            task,
            done: 0,
            total: Some(total as u64),
            bytes: 0,
            total_bytes,
        };
        Self {
            reporter,
            state: Mutex::new((progress, None)),
        }
    }

    pub(crate) fn add(&self, items: usize, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (progress, told) = &mut *state;
        progress.done += items as u64;
        progress.bytes += bytes;
        let complete = progress.total == Some(progress.done);
        if complete || told.is_none_or(|told| told.elapsed() >= INTERVAL) {
            *told = Some(Instant::now());
            self.reporter.report(&Event::Progress(progress.clone()));
        }
    }

    /// Items and bytes so far.
    pub(crate) fn so_far(&self) -> (u64, u64) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.0.done, state.0.bytes)
    }
}
