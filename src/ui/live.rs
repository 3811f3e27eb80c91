//! What the live view shows, as lines of text: knows no terminal, so that it can be tested at any width and time.

mod stack;
#[cfg(test)]
mod tests;

use std::time::Instant;

use rstack::event::{Event, LocalStep};
use rstack::time::Timestamp;

use self::stack::StackView;
use super::line::Line;
use super::meter::Meter;
use super::style::Role;
use super::text;
use super::words;

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// With its gaps; figures are shortened rather than the bar.
const SHORTEST_BAR: usize = 8;

/// Everything under way.
#[derive(Debug, Default)]
pub(super) struct Live {
    stack: Option<StackView>,
    tasks: Vec<Meter>,
    step: Option<Step>,
}

#[derive(Debug)]
struct Step {
    line: String,
    detail: Option<String>,
    since: Instant,
}

impl Live {
    /// Takes an event in.
    pub(super) fn apply(&mut self, event: &Event, now: Instant, clock: Timestamp) {
        match event {
            Event::Operation(operation) => self.stack = Some(StackView::new(operation, now)),
            Event::Stack(event) => {
                if let Some(stack) = &mut self.stack {
                    stack.apply(event, clock);
                }
            }
            Event::Settled { .. } => self.stack = None,
            Event::Progress(progress) => {
                match self.tasks.iter_mut().find(|meter| meter.progress.task == progress.task) {
                    Some(meter) => meter.progress = progress.clone(),
                    None => self.tasks.push(Meter::new(progress.clone(), now)),
                }
                self.tasks.retain(|meter| !meter.finished());
            }
            Event::Local(step) => self.local(step, now),
            _ => {}
        }
    }

    fn local(&mut self, step: &LocalStep, now: Instant) {
        match (step, &mut self.step) {
            (LocalStep::Ready { .. } | LocalStep::Stopped, _) => self.step = None,
            (LocalStep::InstallOutput { line }, Some(step)) => step.detail = Some(line.clone()),
            _ => {
                self.step = Some(Step {
                    line: words::of_local(step).1.text(),
                    detail: None,
                    since: now,
                });
            }
        }
    }

    /// Forgets everything: the command is over.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.stack.is_none() && self.tasks.is_empty() && self.step.is_none()
    }

    /// The view for a terminal of `width` columns and `height` rows. `frame` counts up to move the spinner.
    pub(super) fn lines(&self, width: usize, height: usize, frame: usize, now: Instant, clock: Timestamp) -> Vec<Line> {
        let spinner = SPINNER[frame % SPINNER.len()];
        let mut lines = Vec::new();
        if let Some(step) = &self.step {
            lines.push(step.line(spinner, now));
        }
        if let Some(stack) = &self.stack {
            let room = height.saturating_sub(lines.len() + self.tasks.len() + 3).max(1);
            lines.extend(stack.lines(width, room, spinner, now, clock));
        }
        lines.extend(self.tasks.iter().map(|meter| task_line(meter, width, now)));
        lines
    }
}

impl Step {
    fn line(&self, spinner: &str, now: Instant) -> Line {
        let age = text::age(now.saturating_duration_since(self.since));
        let line = Line::new()
            .and(Role::Busy, format!("{spinner} "))
            .plain(self.line.clone())
            .and(Role::Quiet, format!(" {age}"));
        match &self.detail {
            Some(detail) => line.and(Role::Quiet, format!("  {detail}")),
            None => line,
        }
    }
}

fn task_line(meter: &Meter, width: usize, now: Instant) -> Line {
    let doing = words::of_task(meter.progress.task).0;
    let mut figures = meter.figures(now);
    if text::width(&doing) + text::width(&figures) + SHORTEST_BAR > width {
        figures = meter.short_figures(now);
    }
    let used = text::width(&doing) + text::width(&figures) + 2;
    let bar = meter
        .share()
        .filter(|_| width >= used + 4)
        .map(|(done, total)| text::bar(done, total, (width - used - 1).min(30)))
        .unwrap_or_default();
    Line::new()
        .plain(doing)
        .and(
            Role::Busy,
            if bar.is_empty() {
                " ".to_owned()
            } else {
                format!(" {bar} ")
            },
        )
        .plain(figures)
}
