//! How long each resource of an operation took, by the service's own times.

use serde::Serialize;

use super::ResourceStatus;
use crate::event::StackEvent;
use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceTiming {
    pub logical_id: String,
    pub resource_type: String,
    pub status: ResourceStatus,
    /// From its first event to its last one.
    pub seconds: f64,
}

/// One entry a resource, longest first; equal ones in the order in which they began.
#[must_use]
pub(super) fn timings(events: &[StackEvent]) -> Vec<ResourceTiming> {
    let mut found: Vec<(Timestamp, ResourceTiming)> = Vec::new();
    for event in events.iter().filter(|e| !e.of_stack) {
        match found.iter_mut().find(|(_, t)| t.logical_id == event.logical_id) {
            Some((began, timing)) => {
                timing.status = event.status.clone();
                timing.seconds = event.time.since(*began).as_secs_f64();
            }
            None => found.push((
                event.time,
                ResourceTiming {
                    logical_id: event.logical_id.clone(),
                    resource_type: event.resource_type.clone(),
                    status: event.status.clone(),
                    seconds: 0.0,
                },
            )),
        }
    }
    let mut timings: Vec<_> = found.into_iter().map(|(_, timing)| timing).collect();
    timings.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    timings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_takes_from_its_first_event_to_its_last() {
        let event = |logical_id: &str, status: &str, time: &str| StackEvent {
            id: format!("{logical_id}-{status}-{time}"),
            time: Timestamp::parse(time).expect("a time"),
            logical_id: logical_id.to_owned(),
            physical_id: None,
            resource_type: "AWS::X::Y".to_owned(),
            status: ResourceStatus::from(status),
            reason: None,
            of_stack: logical_id == "demo",
            token: None,
            operation_id: None,
        };
        let timings = timings(&[
            event("demo", "CREATE_IN_PROGRESS", "2026-11-01T12:00:00Z"),
            event("Table", "CREATE_IN_PROGRESS", "2026-11-01T12:00:01Z"),
            event("Redis", "CREATE_IN_PROGRESS", "2026-11-01T12:00:01Z"),
            event("Table", "CREATE_COMPLETE", "2026-11-01T12:00:11Z"),
            event("Redis", "CREATE_IN_PROGRESS", "2026-11-01T12:00:02Z"),
            event("Redis", "CREATE_COMPLETE", "2026-11-01T12:05:01Z"),
            event("demo", "CREATE_COMPLETE", "2026-11-01T12:05:02Z"),
        ]);
        let shown: Vec<_> = timings.iter().map(|t| (t.logical_id.as_str(), t.seconds)).collect();
        assert_eq!(shown, [("Redis", 300.0), ("Table", 10.0)]);
        assert_eq!(timings[0].status, ResourceStatus::CreateComplete);
    }
}
