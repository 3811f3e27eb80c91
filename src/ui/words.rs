//! From events and errors to words: the one place, used by the live view and the plain lines alike.

use rstack::event::{Event, LocalStep, Operation, OperationKind, StackEvent, Task, WaitReason};
use rstack::release::{Moved, Standing};
use rstack::stack::{Action, Change, ChangeSet, Replacement, ResourceStatus, StackStatus, TagChange, Tone};
use rstack::{Error, ErrorKind};

use super::line::Line;
use super::style::Role;
use super::{removal, text};

/// Who wants to read a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Everybody who did not ask for quiet.
    Normal,
    /// A step that the live view shows while it lasts; worth a line where there is no live view.
    Step,
    /// Only who asked for more.
    Detail,
}

/// The lines of one event. Progress has none: it is measured over time.
pub(super) fn of(event: &Event) -> Option<(Weight, Vec<Line>)> {
    let said = |weight, line| Some((weight, vec![line]));
    match event {
        Event::Operation(operation) => said(Weight::Step, of_operation(operation)),
        Event::Stack(event) => said(Weight::Step, of_stack_event(event)),
        Event::Changes(changes) => Some((Weight::Normal, of_changes(changes))),
        Event::Settled { stack, status, seconds } => said(
            Weight::Normal,
            Line::new()
                .plain(format!("stack `{stack}` "))
                .and(status.tone().into(), status.as_str())
                .and(Role::Quiet, format!(" after {}", text::seconds(*seconds))),
        ),
        Event::Leftovers { stack, status, cause } => {
            said(Weight::Normal, of_leftovers(stack, status, cause.as_deref()))
        }
        Event::Waiting { reason, seconds } => {
            let weight = match reason {
                WaitReason::Throttled | WaitReason::StaleRead => Weight::Detail,
                WaitReason::ConnectionLost | WaitReason::BucketNotEmpty | WaitReason::NotYetDeletable => Weight::Normal,
            };
            said(weight, Line::new().plain(of_waiting(*reason, *seconds)))
        }
        Event::Local(step) => {
            let (weight, line) = of_local(step);
            said(weight, line)
        }
        Event::Warning { message, hint } => {
            let warning = Line::new().and(Role::Warning, "warning: ").plain(message);
            let hint = hint
                .as_deref()
                .map(|hint| Line::new().and(Role::Hint, "hint: ").plain(hint));
            Some((Weight::Normal, std::iter::once(warning).chain(hint).collect()))
        }
        Event::Move(moved) => Some((Weight::Normal, of_move(moved))),
        Event::Removal(planned) => said(Weight::Normal, removal::of_planned(planned)),
        Event::Note { message } => said(Weight::Normal, Line::new().plain(message)),
        _ => None,
    }
}

/// From where to where, and what that changes.
fn of_move(moved: &Moved) -> Vec<Line> {
    let standing = |standing: &Standing| {
        let why = standing
            .message
            .as_ref()
            .map_or_else(String::new, |why| format!(": {why}"));
        format!(", by {} at {}{why}", standing.author, standing.time)
    };
    let now = match &moved.previous {
        Some(previous) => Line::new()
            .plain(format!("area `{}` is at ", moved.area))
            .and(Role::Strong, previous.id.as_str())
            .and(Role::Quiet, standing(previous)),
        None => Line::new().plain(format!("area `{}` has no release yet", moved.area)),
    };
    let then = Line::new()
        .plain("it would go to ")
        .and(Role::Strong, moved.release.id.as_str())
        .and(Role::Quiet, standing(&moved.release));
    let changes = Line::new()
        .and(Role::Good, format!("+ {} added", moved.added))
        .and(Role::Busy, format!("  ~ {} changed", moved.changed))
        .and(Role::Bad, format!("  - {} removed", moved.removed));
    vec![now, then, changes]
}

/// The change set, one resource a line, losses marked.
fn of_changes(changes: &ChangeSet) -> Vec<Line> {
    let tags = changes.tags.iter().map(of_tag_change);
    if changes.changes.is_empty() {
        let none = Line::new().plain("no resource changes, only tags, outputs or parameters");
        return [none].into_iter().chain(tags).collect();
    }
    changes.changes.iter().map(of_change).chain(tags).collect()
}

fn of_tag_change(change: &TagChange) -> Line {
    let (mark, verb, role) = match &change.before {
        None => ("+", "add", Role::Good),
        Some(_) => ("~", "change", Role::Busy),
    };
    let before = change.before.as_ref().map(|before| format!(", which was {before}"));
    Line::new()
        .and(role, format!("{mark} {verb} tag "))
        .and(Role::Strong, &change.key)
        .plain(format!(" = {}{}", change.after, before.unwrap_or_default()))
}

fn of_change(change: &Change) -> Line {
    let (mark, verb, role) = match (change.action, change.replacement) {
        (Action::Add, _) => ("+", "add", Role::Good),
        (Action::Remove, _) => ("-", "remove", Role::Bad),
        (_, Replacement::Always) => ("!", "replace", Role::Bad),
        (_, Replacement::Perhaps) => ("?", "change or replace", Role::Warning),
        (Action::Modify, Replacement::Never) => ("~", "change", Role::Busy),
        (Action::Other, Replacement::Never) => ("~", "touch", Role::Busy),
    };
    let line = Line::new()
        .and(role, format!("{mark} {verb} "))
        .and(Role::Strong, &change.logical_id)
        .and(Role::Quiet, format!("  {}", change.resource_type));
    let line = match change.because.as_slice() {
        [] => line,
        because => line.plain(format!("  because of {}", because.join(", "))),
    };
    if change.loses_data() {
        line.and(Role::Bad, "  what it holds is lost")
    } else {
        line
    }
}

/// "creating", "updating", "deleting".
pub(super) fn doing(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Create => "creating",
        OperationKind::Update => "updating",
        OperationKind::Delete => "deleting",
    }
}

fn of_operation(operation: &Operation) -> Line {
    let doing = doing(operation.kind);
    Line::new().plain(if operation.attached {
        format!("{doing} stack `{}` is already under way; watching it", operation.stack)
    } else {
        format!("{doing} stack `{}`", operation.stack)
    })
}

fn of_stack_event(event: &StackEvent) -> Line {
    let line = Line::new()
        .and(event.status.tone().into(), format!("{:<18}", event.status.as_str()))
        .and(Role::Strong, format!("  {}", event.logical_id))
        .and(Role::Quiet, format!("  {}", event.resource_type));
    match &event.reason {
        Some(reason) => line.plain(format!("  {reason}")),
        None => line,
    }
}

fn of_leftovers(stack: &str, status: &StackStatus, cause: Option<&str>) -> Line {
    let line = Line::new()
        .plain(format!("stack `{stack}` is what a failed creation left ("))
        .and(status.tone().into(), status.as_str());
    match cause {
        Some(cause) => line.plain(format!("); it failed because {cause}; removing it first")),
        None => line.plain("); removing it first"),
    }
}

fn of_waiting(reason: WaitReason, seconds: f64) -> String {
    let why = match reason {
        WaitReason::Throttled => "AWS asks for fewer requests",
        WaitReason::ConnectionLost => "no answer from AWS",
        WaitReason::BucketNotEmpty => "something was written into the bucket meanwhile",
        WaitReason::NotYetDeletable => "a resource cannot be deleted yet",
        WaitReason::StaleRead => "AWS does not show the change yet",
    };
    format!("{why}; trying again in {}", text::seconds(seconds))
}

pub(super) fn of_local(step: &LocalStep) -> (Weight, Line) {
    let (weight, words) = match step {
        LocalStep::Installing { package } => (
            Weight::Step,
            format!("installing {package} into a Python environment of rstack's own (first time only)"),
        ),
        LocalStep::InstallOutput { line } => (Weight::Detail, line.clone()),
        LocalStep::StartingRedis { port } => (Weight::Step, format!("starting Redis on 127.0.0.1:{port}")),
        LocalStep::StartingAws { port } => (Weight::Step, format!("starting the local AWS on 127.0.0.1:{port}")),
        LocalStep::Restarting { what } => (Weight::Normal, format!("{what} does not answer; starting it again")),
        LocalStep::WaitingForOther => (
            Weight::Step,
            "another rstack is starting or stopping the local AWS; waiting for it".to_owned(),
        ),
        LocalStep::Ready { endpoint, seconds } => (
            Weight::Normal,
            format!("local AWS ready at {endpoint} after {}", text::seconds(*seconds)),
        ),
        LocalStep::Stopping => (Weight::Step, "stopping the local AWS".to_owned()),
        LocalStep::Stopped => (Weight::Normal, "local AWS stopped".to_owned()),
    };
    (weight, Line::new().plain(words))
}

/// What a task does, and to which kind of thing.
pub(super) fn of_task(task: Task) -> (String, &'static str) {
    match task {
        Task::Scan => ("reading the directory".to_owned(), "file"),
        Task::Compile => ("compiling".to_owned(), "script"),
        Task::Pack => ("making a release".to_owned(), "file"),
        Task::Gather => ("making sure that the release is there".to_owned(), "pack"),
        Task::Compare { store } => (format!("comparing with {store}"), "file"),
        Task::Send { store } => (format!("sending to {store}"), "file"),
        Task::Check { store } => (format!("checking {store}"), "file"),
        Task::Verify => ("reading back".to_owned(), "value"),
        Task::Remove { store } => (format!("removing from {store}"), "file"),
        Task::Pull => ("pulling".to_owned(), "file"),
        Task::Count => ("counting what the bucket holds".to_owned(), "object"),
        Task::Drain => ("emptying the bucket".to_owned(), "object"),
        Task::Delay { store } => (format!("checking the delay before {store}"), "round trip"),
        Task::Measure => ("measuring".to_owned(), "run"),
    }
}

/// An error as lines: what, why else, what is left in AWS, what to do.
pub(super) fn of_error(error: &Error) -> Vec<Line> {
    let mut lines = labelled(Role::Bad, "error: ", &error.to_string());
    if let ErrorKind::Stack(failure) = &*error.kind {
        lines.extend(failure.causes.iter().skip(1).map(|cause| {
            Line::new().and(Role::Quiet, " also: ").plain(format!(
                "{} ({}): {}",
                cause.logical_id, cause.resource_type, cause.reason
            ))
        }));
    }
    lines.extend(
        error
            .left
            .iter()
            .map(|left| Line::new().and(Role::Warning, "left: ").plain(left)),
    );
    if let Some(hint) = &error.hint {
        lines.extend(labelled(Role::Hint, "hint: ", hint));
    }
    lines
}

/// The first line of `text` behind a label, further ones below it, indented.
fn labelled(role: Role, label: &str, text: &str) -> Vec<Line> {
    let mut rest = text.lines();
    let first = Line::new().and(role, label).plain(rest.next().unwrap_or_default());
    let indent = " ".repeat(label.len());
    let rest = rest.map(|line| Line::new().plain(format!("{indent}{line}")));
    std::iter::once(first).chain(rest).collect()
}

/// The role of a resource's status; one that has not begun is of no interest yet.
pub(super) fn role_of(status: Option<&ResourceStatus>) -> Role {
    status.map_or(Tone::Quiet, ResourceStatus::tone).into()
}
