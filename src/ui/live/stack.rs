//! The resources of a stack while an operation runs.

use std::time::{Duration, Instant};

use rstack::event::{Operation, OperationKind, StackEvent};
use rstack::stack::ResourceStatus;
use rstack::time::Timestamp;

use crate::ui::line::Line;
use crate::ui::style::Role;
use crate::ui::{text, words};

/// From this width on there is room for resource types.
const ROOMY: usize = 72;
/// Columns of a row's mark, gaps, status and age.
const BESIDE_NAME: usize = 30;

#[derive(Debug)]
pub(super) struct StackView {
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

impl StackView {
    pub(super) fn new(operation: &Operation, now: Instant) -> Self {
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

    pub(super) fn apply(&mut self, event: &StackEvent, clock: Timestamp) {
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
    pub(super) fn lines(&self, width: usize, room: usize, spinner: &str, now: Instant, clock: Timestamp) -> Vec<Line> {
        let mut lines = vec![self.headline(width, now)];
        let hidden = self.resources.len().saturating_sub(room);
        let mut to_hide = hidden;
        let names = self.resources.iter().map(|row| text::width(&row.logical_id)).max();
        let names = names
            .unwrap_or(0)
            .min(width / 3)
            .min(width.saturating_sub(BESIDE_NAME).max(6));
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
