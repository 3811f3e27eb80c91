//! What the live view shows, as lines of text: knows no terminal, so that it can be tested at any width and time.

use std::time::{Duration, Instant};

use rstack::event::{Event, LocalStep, Operation, OperationKind, StackEvent};
use rstack::stack::ResourceStatus;
use rstack::time::Timestamp;

use super::line::Line;
use super::meter::Meter;
use super::style::Role;
use super::text;
use super::words;

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// From this width on there is room for resource types.
const ROOMY: usize = 72;

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

#[derive(Debug)]
struct StackView {
    name: String,
    kind: OperationKind,
    since: Instant,
    resources: Vec<Row>,
    /// The service's clock less ours, learned from the first event of an operation that we started.
    ahead: Option<i64>,
    attached: bool,
}

#[derive(Debug)]
struct Row {
    logical_id: String,
    resource_type: String,
    status: Option<ResourceStatus>,
    began: Option<Timestamp>,
    last: Option<Timestamp>,
    reason: Option<String>,
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

impl StackView {
    fn new(operation: &Operation, now: Instant) -> Self {
        Self {
            name: operation.stack.clone(),
            kind: operation.kind,
            since: now,
            resources: operation
                .resources
                .iter()
                .map(|planned| Row::new(&planned.logical_id, &planned.resource_type))
                .collect(),
            ahead: None,
            attached: operation.attached,
        }
    }

    fn apply(&mut self, event: &StackEvent, clock: Timestamp) {
        if !self.attached && self.ahead.is_none() {
            self.ahead = Some(event.time.seconds_after(clock));
        }
        if event.of_stack {
            return;
        }
        let known = self.resources.iter().position(|row| row.logical_id == event.logical_id);
        let at = known.unwrap_or_else(|| {
            self.resources.push(Row::new(&event.logical_id, &event.resource_type));
            self.resources.len() - 1
        });
        let row = &mut self.resources[at];
        row.began.get_or_insert(event.time);
        row.last = Some(event.time);
        row.status = Some(event.status.clone());
        if event.status.failed() {
            row.reason.clone_from(&event.reason);
        }
    }

    /// The bar of the whole, then one line a resource; those that are done give way when there are too many rows.
    fn lines(&self, width: usize, room: usize, spinner: &str, now: Instant, clock: Timestamp) -> Vec<Line> {
        let mut lines = vec![self.headline(width, now)];
        let hidden = self.resources.len().saturating_sub(room);
        let mut to_hide = hidden;
        let names = self.resources.iter().map(|row| text::width(&row.logical_id)).max();
        let names = names.unwrap_or(0).min(width / 3);
        for row in &self.resources {
            if to_hide > 0 && row.settled() {
                to_hide -= 1;
                continue;
            }
            lines.push(row.line(width, names, spinner, self.service_clock(clock)));
        }
        lines.truncate(room + 1);
        if hidden > 0 {
            lines.push(Line::new().and(Role::Quiet, format!("  and {hidden} more")));
        }
        lines
    }

    fn headline(&self, width: usize, now: Instant) -> Line {
        let total = self.resources.len();
        let done = self.resources.iter().filter(|row| row.settled()).count();
        let age = text::age(now.saturating_duration_since(self.since));
        let words = format!(" {done}/{total} {} {age}", words::doing(self.kind));
        let name = text::cut(&self.name, width / 3);
        let room = width.saturating_sub(text::width(&name) + text::width(&words) + 2);
        #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
        let bar = text::bar(done as f64, total.max(1) as f64, room.clamp(4, 30));
        Line::new()
            .and(Role::Strong, name)
            .and(Role::Busy, format!(" {bar}"))
            .plain(words)
    }

    /// Now, by the service's clock as far as it is known.
    fn service_clock(&self, clock: Timestamp) -> Timestamp {
        clock.shifted(self.ahead.unwrap_or(0))
    }
}

impl Row {
    fn new(logical_id: &str, resource_type: &str) -> Self {
        Self {
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            status: None,
            began: None,
            last: None,
            reason: None,
        }
    }

    fn settled(&self) -> bool {
        self.status.as_ref().is_some_and(ResourceStatus::settled)
    }

    fn age(&self, clock: Timestamp) -> Option<Duration> {
        let (began, last) = (self.began?, self.last?);
        Some(if self.settled() {
            last.since(began)
        } else {
            clock.max(last).since(began)
        })
    }

    fn line(&self, width: usize, names: usize, spinner: &str, clock: Timestamp) -> Line {
        let (mark, role) = match &self.status {
            None => (" ", Role::Quiet),
            Some(status) if status.failed() => ("✗", Role::Bad),
            Some(status) if status.settled() => ("✓", words::role_of(Some(status))),
            status => (spinner, words::role_of(status.as_ref())),
        };
        let name = text::cut(&self.logical_id, names);
        let padding = " ".repeat(names - text::width(&name));
        let status = self.status.as_ref().map_or("waiting", ResourceStatus::as_str);
        let line = Line::new()
            .and(role, format!("{mark} "))
            .plain(format!("{name}{padding}  "))
            .and(role, format!("{status:<18}"))
            .and(
                Role::Quiet,
                format!(" {:>7}", self.age(clock).map(text::age).unwrap_or_default()),
            );
        match &self.reason {
            Some(reason) => line.plain(format!("  {reason}")),
            None if width >= ROOMY => line.and(Role::Quiet, format!("  {}", self.resource_type)),
            None => line,
        }
    }
}

fn task_line(meter: &Meter, width: usize, now: Instant) -> Line {
    let doing = words::of_task(meter.progress.task).0;
    let figures = meter.figures(now);
    let used = text::width(&doing) + text::width(&figures) + 2;
    let bar = meter
        .share()
        .filter(|_| width >= used + 8)
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
