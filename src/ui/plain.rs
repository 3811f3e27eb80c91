//! Plain lines for logs, pipes and CI: no control codes, and progress only now and then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rstack::event::{Event, Progress, Task};
use rstack::time::Timestamp;

use super::line::Line;
use super::meter::Meter;
use super::sink::Sink;
use super::style::{Role, Style};
use super::text;
use super::words::{self, Weight};

/// A long task says this often how far it is.
const EVERY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Plain {
    err: Arc<Sink>,
    style: Style,
    verbose: bool,
    tasks: Mutex<HashMap<Task, Reported>>,
}

#[derive(Debug)]
struct Reported {
    meter: Meter,
    last: Instant,
    /// Lines written for it so far.
    lines: usize,
}

impl Plain {
    pub(super) fn new(err: Arc<Sink>, style: Style, verbose: bool) -> Self {
        Self {
            err,
            style,
            verbose,
            tasks: Mutex::default(),
        }
    }

    pub(super) fn report(&self, event: &Event) {
        if let Event::Progress(progress) = event {
            return self.progress(progress, Instant::now());
        }
        let time = match event {
            Event::Stack(event) => event.time,
            _ => Timestamp::now(),
        };
        if let Some((weight, lines)) = words::of(event)
            && (weight < Weight::Detail || self.verbose)
        {
            for line in lines {
                self.say(time, &line);
            }
        }
    }

    fn say(&self, time: Timestamp, line: &Line) {
        let stamp = self.style.paint(Role::Quiet, &time.time_of_day());
        self.err.write(&format!("{stamp} {}\n", line.render(self.style)));
    }

    /// A line every few seconds and one at the end; short preparations are not worth any.
    fn progress(&self, progress: &Progress, now: Instant) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let task = tasks.entry(progress.task).or_insert_with(|| Reported {
            meter: Meter::new(progress.clone(), now),
            last: now,
            lines: 0,
        });
        task.meter.progress = progress.clone();
        let finished = task.meter.finished();
        let main = matches!(progress.task, Task::Send { .. } | Task::Drain);
        let due = now.duration_since(task.last) >= EVERY;
        if due || (finished && (self.verbose || task.lines > 0 || (main && progress.done > 0))) {
            task.last = now;
            task.lines += 1;
            let mut line = Line::new().plain(format!(
                "{}: {}",
                words::of_task(progress.task).0,
                task.meter.figures(now)
            ));
            if finished {
                line = line.and(
                    Role::Quiet,
                    format!(", done in {}", text::duration(task.meter.elapsed(now))),
                );
            }
            self.say(Timestamp::now(), &line);
        }
        if finished {
            tasks.remove(&progress.task);
        }
    }
}
