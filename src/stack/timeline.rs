//! What a stack's resources did when, in its newest operation.

use serde::Serialize;

use super::events::newest_operation;
use super::{ResourceStatus, describe};
use crate::aws::Aws;
use crate::error::Result;
use crate::event::StackEvent;
use crate::time::Timestamp;

/// The newest operation of a stack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timeline {
    pub stack: String,
    /// The stack's own status.
    pub status: ResourceStatus,
    pub began: Timestamp,
    /// From its first event to its last; to now while it goes on.
    pub seconds: f64,
    /// The stack itself, then resources in the order in which they began.
    pub lanes: Vec<Lane>,
}

/// One resource, or the stack itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lane {
    pub logical_id: String,
    pub resource_type: String,
    pub phases: Vec<Phase>,
}

/// An action on a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// How it ended, or that it goes on.
    pub status: ResourceStatus,
    /// In seconds from the beginning of the operation.
    pub start: f64,
    /// In seconds from the beginning of the operation; now while it goes on.
    pub end: f64,
    /// It neither ended by itself nor goes on: another action took its place, or the operation was over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut_short: bool,
    /// Why, where the service says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Reads the newest operation of a stack; `None` when there is no such stack, or its history is empty.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub async fn timeline(aws: &Aws, name_or_id: &str) -> Result<Option<Timeline>> {
    let Some(stack) = describe(aws, name_or_id).await? else {
        return Ok(None);
    };
    let events = newest_operation(aws, &stack.id).await?;
    Ok(Timeline::of(stack.name, &events, aws.now()))
}

impl Timeline {
    /// From the events of one operation, oldest first; `None` without any.
    #[must_use]
    pub fn of(stack: String, events: &[StackEvent], now: Timestamp) -> Option<Self> {
        let began = events.first()?.time;
        let own = events.iter().rev().find(|event| event.of_stack)?;
        let last = events.iter().map(|event| event.time).max()?;
        let over = own.status.settled();
        let end = if over { last } else { last.max(now) };
        let mut lanes: Vec<Lane> = Vec::new();
        // A resource may have the stack's name.
        let mut known: Vec<(bool, &str)> = Vec::new();
        for event in events {
            let this = (event.of_stack, event.logical_id.as_str());
            let at = known.iter().position(|lane| *lane == this).unwrap_or_else(|| {
                known.push(this);
                lanes.push(Lane {
                    logical_id: event.logical_id.clone(),
                    resource_type: event.resource_type.clone(),
                    phases: Vec::new(),
                });
                lanes.len() - 1
            });
            lanes[at].take(event, event.time.since(began).as_secs_f64());
        }
        let seconds = end.since(began).as_secs_f64();
        for lane in &mut lanes {
            lane.finish(seconds, over);
        }
        Some(Self {
            stack,
            status: own.status.clone(),
            began,
            seconds,
            lanes,
        })
    }
}

impl Lane {
    /// Only the last action of an operation that is not over can go on: until now.
    fn finish(&mut self, now: f64, over: bool) {
        let last = self.phases.len().saturating_sub(1);
        for (number, phase) in self.phases.iter_mut().enumerate() {
            let unsettled = !phase.status.settled();
            if unsettled && number == last {
                phase.end = now;
            }
            phase.cut_short = unsettled && (over || number < last);
        }
    }

    /// An event goes on with the action that is under way, ends it, or begins another.
    fn take(&mut self, event: &StackEvent, at: f64) {
        let going_on = self.phases.last_mut().filter(|phase| !phase.status.settled());
        match going_on {
            Some(phase) if action(&phase.status) == action(&event.status) => {
                phase.end = at;
                phase.status = event.status.clone();
                phase.reason = event.reason.clone().filter(|_| event.status.failed());
            }
            other => {
                if let Some(phase) = other {
                    phase.end = at;
                }
                self.phases.push(Phase {
                    status: event.status.clone(),
                    start: at,
                    end: at,
                    cut_short: false,
                    reason: event.reason.clone().filter(|_| event.status.failed()),
                });
            }
        }
    }
}

/// CREATE of `CREATE_IN_PROGRESS`, `CREATE_COMPLETE` and `CREATE_FAILED`; cleaning up belongs to the update.
fn action(status: &ResourceStatus) -> &str {
    let text = status.as_str();
    [
        "_COMPLETE_CLEANUP_IN_PROGRESS",
        "_IN_PROGRESS",
        "_COMPLETE",
        "_FAILED",
        "_SKIPPED",
    ]
    .iter()
    .find_map(|ending| text.strip_suffix(ending))
    .unwrap_or(text)
}

impl Phase {
    /// What was done: `CREATE`, `UPDATE_ROLLBACK`.
    #[must_use]
    pub fn action(&self) -> &str {
        action(&self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(second: i64, logical_id: &str, status: &str) -> StackEvent {
        let start = Timestamp::parse("2026-11-01T12:00:00Z").expect("a time");
        StackEvent {
            id: format!("{second}-{logical_id}-{status}"),
            time: start.shifted(second),
            logical_id: logical_id.to_owned(),
            physical_id: None,
            resource_type: "AWS::S3::Bucket".to_owned(),
            status: ResourceStatus::from(status),
            reason: status.ends_with("FAILED").then(|| "no".to_owned()),
            of_stack: logical_id == "demo",
            token: None,
            operation_id: None,
        }
    }

    fn shown(timeline: &Timeline) -> Vec<String> {
        let phase = |phase: &Phase| {
            let cut = if phase.cut_short { " cut short" } else { "" };
            format!("{}{cut} {}-{}", phase.status, phase.start, phase.end)
        };
        let lane = |lane: &Lane| {
            let phases: Vec<String> = lane.phases.iter().map(phase).collect();
            format!("{}: {}", lane.logical_id, phases.join(", "))
        };
        timeline.lanes.iter().map(lane).collect()
    }

    #[test]
    fn each_action_of_a_resource_is_a_phase() {
        let events = [
            event(0, "demo", "CREATE_IN_PROGRESS"),
            event(1, "bucket", "CREATE_IN_PROGRESS"),
            event(1, "redis", "CREATE_IN_PROGRESS"),
            event(2, "bucket", "CREATE_IN_PROGRESS"),
            event(3, "bucket", "CREATE_COMPLETE"),
            event(9, "redis", "CREATE_FAILED"),
            event(9, "demo", "ROLLBACK_IN_PROGRESS"),
            event(10, "bucket", "DELETE_IN_PROGRESS"),
            event(12, "bucket", "DELETE_COMPLETE"),
            event(13, "demo", "ROLLBACK_COMPLETE"),
        ];
        let later = events[0].time.shifted(1000);
        let timeline = Timeline::of("demo".to_owned(), &events, later).expect("events");
        assert_eq!(
            shown(&timeline),
            [
                "demo: CREATE_IN_PROGRESS cut short 0-9, ROLLBACK_COMPLETE 9-13",
                "bucket: CREATE_COMPLETE 1-3, DELETE_COMPLETE 10-12",
                "redis: CREATE_FAILED 1-9",
            ]
        );
        assert!((timeline.seconds - 13.0).abs() < 1e-9);
        assert_eq!(timeline.lanes[2].phases[0].reason.as_deref(), Some("no"));
    }

    #[test]
    fn a_resource_with_the_stacks_name_has_a_lane_of_its_own() {
        let resource = |second, status| StackEvent {
            of_stack: false,
            ..event(second, "demo", status)
        };
        let events = [
            event(0, "demo", "CREATE_IN_PROGRESS"),
            resource(1, "CREATE_IN_PROGRESS"),
            resource(3, "CREATE_COMPLETE"),
            event(4, "demo", "CREATE_COMPLETE"),
        ];
        let timeline = Timeline::of("demo".to_owned(), &events, events[0].time).expect("events");
        assert_eq!(
            shown(&timeline),
            ["demo: CREATE_COMPLETE 0-4", "demo: CREATE_COMPLETE 1-3"]
        );
    }

    #[test]
    fn cleaning_up_belongs_to_the_update_and_nothing_goes_on_when_the_stack_is_done() {
        let events = [
            event(0, "demo", "UPDATE_IN_PROGRESS"),
            event(1, "redis", "UPDATE_IN_PROGRESS"),
            event(4, "demo", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
            event(6, "demo", "UPDATE_COMPLETE"),
        ];
        let timeline = Timeline::of("demo".to_owned(), &events, events[0].time.shifted(99)).expect("events");
        assert_eq!(
            shown(&timeline),
            ["demo: UPDATE_COMPLETE 0-6", "redis: UPDATE_IN_PROGRESS cut short 1-6"]
        );
    }

    #[test]
    fn what_goes_on_lasts_until_now() {
        let events = [
            event(0, "demo", "CREATE_IN_PROGRESS"),
            event(1, "redis", "CREATE_IN_PROGRESS"),
        ];
        let now = events[0].time.shifted(40);
        let timeline = Timeline::of("demo".to_owned(), &events, now).expect("events");
        assert_eq!(shown(&timeline)[1], "redis: CREATE_IN_PROGRESS 1-40");
        assert_eq!(Timeline::of("demo".to_owned(), &[], now), None);
    }
}
