//! How fast a measurable task goes.

use std::time::{Duration, Instant};

use rstack::event::Progress;

use super::text;
use super::words;

/// A task in progress.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    pub(crate) progress: Progress,
    started: Instant,
}

impl Meter {
    pub(super) fn new(progress: Progress, now: Instant) -> Self {
        Self { progress, started: now }
    }

    pub(super) fn finished(&self) -> bool {
        self.progress.total == Some(self.progress.done)
    }

    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// Done and whole, in bytes where they are known: large files then move the bar too.
    pub(super) fn share(&self) -> Option<(f64, f64)> {
        let progress = &self.progress;
        #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
        let share = |done: u64, total: u64| (done as f64, total as f64);
        match (progress.total_bytes, progress.total) {
            (Some(bytes), _) if bytes > 0 => Some(share(progress.bytes, bytes)),
            (_, Some(total)) => Some(share(progress.done, total)),
            _ => None,
        }
    }

    /// "120/300 files, 12.1 MiB, 3.4 MiB/s".
    pub(super) fn figures(&self, now: Instant) -> String {
        let progress = &self.progress;
        let noun = words::of_task(progress.task).1;
        let mut figures = match progress.total {
            Some(total) if total != progress.done => {
                format!("{}/{}", text::grouped(progress.done), text::count(total, noun))
            }
            _ => text::count(progress.done, noun),
        };
        if progress.bytes > 0 {
            figures = format!("{figures}, {}", text::bytes(progress.bytes));
        }
        match self.rate(now) {
            Some(rate) => format!("{figures}, {rate}"),
            None => figures,
        }
    }

    /// Where there is little room: "67%, 3.4 MiB/s".
    pub(super) fn short_figures(&self, now: Instant) -> String {
        let percent = self
            .share()
            .map(|(done, total)| format!("{:.0}%", 100.0 * done / total.max(1.0)));
        let figures = percent.unwrap_or_else(|| text::grouped(self.progress.done));
        match self.rate(now) {
            Some(rate) => format!("{figures}, {rate}"),
            None => figures,
        }
    }

    /// "3.4 MiB/s", once there is enough of it to mean something.
    fn rate(&self, now: Instant) -> Option<String> {
        let seconds = self.elapsed(now).as_secs_f64();
        if self.progress.bytes == 0 || seconds < 0.2 {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate for people"
        )]
        let rate = (self.progress.bytes as f64 / seconds) as u64;
        Some(format!("{}/s", text::bytes(rate)))
    }
}
