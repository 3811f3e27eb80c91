//! Reading a stack's history: newest first and in pages, as the service gives it; oldest first, each event once and
//! only those of one operation, as everything else wants it.

use std::collections::HashSet;

use aws_sdk_cloudformation::types;

use super::{ResourceStatus, Scope, StackStatus};
use crate::aws::{Aws, AwsError, Service};
use crate::event::{OperationKind, StackEvent};
use crate::time::Timestamp;

/// The events of one operation of one stack, as far as they have been read.
#[derive(Debug)]
pub struct EventLog {
    kind: OperationKind,
    scope: Scope,
    seen: HashSet<String>,
    events: Vec<StackEvent>,
}

impl EventLog {
    /// Nothing has been read.
    #[must_use]
    pub fn new(kind: OperationKind, scope: Scope) -> Self {
        Self {
            kind,
            scope,
            seen: HashSet::new(),
            events: Vec::new(),
        }
    }

    /// Reads what is new; returns it oldest first. Asks for further pages only until it meets what it knows.
    pub(super) async fn read(&mut self, aws: &Aws, stack_id: &str) -> Result<Vec<StackEvent>, AwsError> {
        let mut reading = Reading::default();
        let mut next = None;
        loop {
            let page = aws
                .cloudformation()
                .describe_stack_events()
                .stack_name(stack_id)
                .set_next_token(next.take())
                .send()
                .await
                .map_err(|e| AwsError::new(Service::CloudFormation, "DescribeStackEvents", &e))?;
            next = page.next_token().map(str::to_owned);
            let events = page.stack_events().iter().map(|e| from_sdk(e, stack_id)).collect();
            if !self.take_page(&mut reading, events) || next.is_none() {
                break;
            }
        }
        Ok(self.finish(reading))
    }

    /// Takes in the history as far as it can be seen, newest first and in pages; returns what is new, oldest first.
    pub fn merge(&mut self, pages: impl IntoIterator<Item = Vec<StackEvent>>) -> Vec<StackEvent> {
        let mut reading = Reading::default();
        for page in pages {
            if !self.take_page(&mut reading, page) {
                break;
            }
        }
        self.finish(reading)
    }

    /// Takes in one page, newest first; returns whether older pages are needed.
    fn take_page(&self, reading: &mut Reading, page: Vec<StackEvent>) -> bool {
        let mut known = false;
        for event in page {
            if matches!(&self.scope, Scope::Since(Some(last)) if *last == event.id) {
                return false;
            }
            if self.seen.contains(&event.id) {
                known = true;
                // Older than the operation's first event is another operation.
                if self.events.first().is_some_and(|first| first.id == event.id) {
                    return false;
                }
                continue;
            }
            let begins = self.events.is_empty() && self.begins(&event);
            reading.fresh.push(event);
            if begins {
                reading.complete = true;
                return false;
            }
        }
        !known
    }

    /// Ends a reading: what was fresh, oldest first. Until the operation's first event shows, nothing is ours.
    fn finish(&mut self, mut reading: Reading) -> Vec<StackEvent> {
        if self.events.is_empty() && !reading.complete && matches!(self.scope, Scope::Since(_)) {
            return Vec::new();
        }
        if self.events.is_empty() && !reading.complete {
            // A service that gives no tokens at all can still be read: its newest operation is taken for ours.
            let begin = reading
                .fresh
                .iter()
                .position(|e| e.of_stack && e.token.is_none() && starts(&e.status) == Some(self.kind));
            match begin {
                Some(begin) if reading.fresh.iter().all(|e| e.token.is_none()) => reading.fresh.truncate(begin + 1),
                _ => return Vec::new(),
            }
        }
        reading.fresh.reverse();
        self.seen.extend(reading.fresh.iter().map(|e| e.id.clone()));
        self.events.extend(reading.fresh.iter().cloned());
        reading.fresh
    }

    fn begins(&self, event: &StackEvent) -> bool {
        event.of_stack
            && starts(&event.status).is_some()
            && match &self.scope {
                Scope::Token(token) => event.token.as_deref() == Some(token),
                Scope::Running => true,
                Scope::Since(_) => starts(&event.status) == Some(self.kind),
            }
    }

    pub(super) fn events(&self) -> &[StackEvent] {
        &self.events
    }

    /// The stack's own status by its newest event; `None` until the operation shows.
    pub(super) fn stack_status(&self) -> Option<StackStatus> {
        self.events
            .iter()
            .rev()
            .find(|e| e.of_stack)
            .map(|e| StackStatus::from(e.status.as_str()))
    }

    /// How the operation had ended before somebody else began another one; `None` when nobody did.
    pub(super) fn overtaken(&self) -> Option<StackStatus> {
        let Scope::Token(ours) = &self.scope else { return None };
        let mut settled = None;
        for event in self.events.iter().filter(|e| e.of_stack) {
            let theirs = event.token.as_ref().is_some_and(|token| token != ours);
            if theirs && settled.is_some() && starts(&event.status).is_some() {
                return settled;
            }
            let status = StackStatus::from(event.status.as_str());
            settled = status.settled().then_some(status);
        }
        None
    }
}

/// The events of the newest operation, oldest first, whoever started it.
pub(super) async fn newest_operation(aws: &Aws, stack_id: &str) -> Result<Vec<StackEvent>, AwsError> {
    // The kind only matters where an operation is told by it.
    let mut log = EventLog::new(OperationKind::Create, Scope::Running);
    log.read(aws, stack_id).await
}

#[derive(Debug, Default)]
struct Reading {
    /// Newest first.
    fresh: Vec<StackEvent>,
    /// The operation's first event was met.
    complete: bool,
}

/// The operation that a status of the stack itself begins.
fn starts(status: &ResourceStatus) -> Option<OperationKind> {
    match status {
        ResourceStatus::CreateInProgress => Some(OperationKind::Create),
        ResourceStatus::UpdateInProgress | ResourceStatus::ImportInProgress => Some(OperationKind::Update),
        ResourceStatus::DeleteInProgress => Some(OperationKind::Delete),
        _ => None,
    }
}

fn from_sdk(event: &types::StackEvent, stack_id: &str) -> StackEvent {
    let given = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
    let physical_id = given(event.physical_resource_id());
    StackEvent {
        id: event.event_id().unwrap_or_default().to_owned(),
        time: event.timestamp().map_or_else(Timestamp::now, Timestamp::from),
        logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
        of_stack: physical_id.as_deref() == Some(stack_id),
        physical_id,
        resource_type: event.resource_type().unwrap_or_default().to_owned(),
        status: ResourceStatus::from(event.resource_status().map_or("UNKNOWN", |s| s.as_str())),
        reason: given(event.resource_status_reason()).or_else(|| given(event.hook_status_reason())),
        token: given(event.client_request_token()),
        operation_id: given(event.operation_id()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(id: usize, of_stack: bool, status: &str, token: Option<&str>) -> StackEvent {
        StackEvent {
            id: format!("event-{id}"),
            time: Timestamp::parse("2026-11-01T12:00:00Z").expect("a time"),
            logical_id: if of_stack {
                "demo".to_owned()
            } else {
                format!("Resource{id}")
            },
            physical_id: None,
            resource_type: "AWS::S3::Bucket".to_owned(),
            status: ResourceStatus::from(status),
            reason: None,
            of_stack,
            token: token.map(str::to_owned),
            operation_id: None,
        }
    }

    /// Reads `history` (oldest first) as the service would give it: newest first, in pages of `size`.
    fn read(log: &mut EventLog, history: &[StackEvent], size: usize) -> Vec<StackEvent> {
        let newest_first: Vec<_> = history.iter().rev().cloned().collect();
        log.merge(newest_first.chunks(size).map(<[_]>::to_vec))
    }

    fn ids(events: &[StackEvent]) -> Vec<&str> {
        events.iter().map(|e| e.id.as_str()).collect()
    }

    #[test]
    fn an_earlier_operation_is_not_ours() {
        let history = [
            event(0, true, "CREATE_IN_PROGRESS", Some("old")),
            event(1, true, "CREATE_COMPLETE", Some("old")),
            event(2, true, "UPDATE_IN_PROGRESS", Some("ours")),
            event(3, false, "UPDATE_COMPLETE", Some("ours")),
            // A rollback asked for on the console carries another token and is still part of the operation.
            event(4, true, "UPDATE_ROLLBACK_IN_PROGRESS", Some("console")),
        ];
        let mut log = EventLog::new(OperationKind::Update, Scope::Token("ours".to_owned()));
        assert!(
            read(&mut log, &history[..2], 10).is_empty(),
            "the stale read shows only the old operation"
        );
        assert_eq!(ids(&read(&mut log, &history, 10)), ["event-2", "event-3", "event-4"]);
        assert_eq!(log.stack_status(), Some(StackStatus::UpdateRollbackInProgress));
    }

    #[test]
    fn the_running_operation_is_the_newest_one() {
        let history = [
            event(0, true, "CREATE_IN_PROGRESS", None),
            event(1, true, "CREATE_COMPLETE", None),
            event(2, true, "DELETE_IN_PROGRESS", None),
            event(3, false, "DELETE_IN_PROGRESS", None),
        ];
        let mut log = EventLog::new(OperationKind::Delete, Scope::Running);
        assert_eq!(ids(&read(&mut log, &history, 1)), ["event-2", "event-3"]);
    }

    #[test]
    fn a_service_without_tokens_is_read_too() {
        let history = [
            event(0, true, "CREATE_IN_PROGRESS", None),
            event(1, true, "CREATE_COMPLETE", None),
            event(2, true, "UPDATE_IN_PROGRESS", None),
        ];
        let mut log = EventLog::new(OperationKind::Update, Scope::Token("ours".to_owned()));
        assert!(read(&mut log, &history[..2], 10).is_empty());
        assert_eq!(ids(&read(&mut log, &history, 10)), ["event-2"]);
    }

    #[test]
    fn an_operation_that_somebody_else_began_after_ours_ends_ours() {
        let history = [
            event(0, true, "CREATE_IN_PROGRESS", Some("ours")),
            event(1, true, "CREATE_COMPLETE", Some("ours")),
            event(2, true, "DELETE_IN_PROGRESS", Some("theirs")),
        ];
        let mut log = EventLog::new(OperationKind::Create, Scope::Token("ours".to_owned()));
        read(&mut log, &history[..2], 10);
        assert_eq!(log.overtaken(), None);
        read(&mut log, &history, 10);
        assert_eq!(log.overtaken(), Some(StackStatus::CreateComplete));
    }

    proptest! {
        /// However the history grows between reads and whatever the page size, each event of the operation comes once
        /// and in order, although all of them share one time.
        #[test]
        fn every_event_once_and_in_order(
            before in 0_usize..30,
            ours in 1_usize..60,
            size in 1_usize..20,
            growth in prop::collection::vec(1_usize..20, 1..20),
        ) {
            let mut history: Vec<_> = (0..before)
                .map(|i| event(i, i == 0, if i == 0 { "CREATE_IN_PROGRESS" } else { "CREATE_COMPLETE" }, Some("old")))
                .collect();
            history.push(event(before, true, "UPDATE_IN_PROGRESS", Some("ours")));
            history.extend((0..ours).map(|i| event(before + 1 + i, i % 7 == 3, "UPDATE_COMPLETE", Some("ours"))));
            let mut log = EventLog::new(OperationKind::Update, Scope::Token("ours".to_owned()));
            let mut got = Vec::new();
            let mut visible = 0;
            for step in growth {
                visible = (visible + step).min(history.len());
                got.extend(read(&mut log, &history[..visible], size));
            }
            got.extend(read(&mut log, &history, size));
            prop_assert_eq!(ids(&got), ids(&history[before..]));
            prop_assert_eq!(ids(log.events()), ids(&got));
        }
    }
}
