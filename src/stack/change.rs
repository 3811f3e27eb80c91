//! Change sets: what an update would do, shown before it is done.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{self, ChangeSetStatus, ExecutionStatus, PolicyAction};
use serde::Serialize;

use super::pace::Pace;
use crate::aws::{Aws, AwsError, Service};
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::Interrupt;

/// What an update would do to the resources of a stack.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeSet {
    pub id: String,
    pub stack_id: String,
    /// Empty when only tags or outputs change.
    pub changes: Vec<Change>,
    /// Of the stack itself, in the order of their keys.
    pub tags: Vec<TagChange>,
}

/// A tag that comes or gets another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagChange {
    pub key: String,
    pub before: Option<String>,
    pub after: String,
}

/// What the tags that a stack should have differ in from those that it has.
pub(super) fn of_tags(has: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> Vec<TagChange> {
    let differs = wanted.iter().filter(|(key, value)| has.get(*key) != Some(value));
    let change = |(key, after): (&String, &String)| TagChange {
        key: key.clone(),
        before: has.get(key).cloned(),
        after: after.clone(),
    };
    differs.map(change).collect()
}

/// What an update would do to one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub action: Action,
    pub logical_id: String,
    pub physical_id: Option<String>,
    pub resource_type: String,
    pub replacement: Replacement,
    /// The properties and attributes that cause it, sorted, each once.
    pub because: Vec<String>,
    /// The old resource outlives its removal or replacement, by its policy.
    pub kept: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Add,
    Modify,
    Remove,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Replacement {
    Never,
    /// Decided while the update runs.
    Perhaps,
    Always,
}

/// Types of resources that hold what users put into them.
const DATA_TYPES: [&str; 4] = [
    "AWS::S3::Bucket",
    "AWS::DynamoDB::Table",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
];

impl Change {
    /// The update destroys, or may destroy, what a store holds.
    #[must_use]
    pub fn loses_data(&self) -> bool {
        let goes = match self.action {
            Action::Add => false,
            Action::Remove => true,
            Action::Modify | Action::Other => self.replacement != Replacement::Never,
        };
        goes && !self.kept && DATA_TYPES.contains(&self.resource_type.as_str())
    }
}

impl ChangeSet {
    /// The changes that destroy, or may destroy, what a store holds.
    pub fn losses(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|c| c.loses_data())
    }
}

/// Waits until the service has worked out a change set; `None` when it contains no change.
///
/// # Errors
/// `Stack` errors are left to the caller: a change set that cannot be made is `Refused` with the service's reason.
pub(super) async fn ready(aws: &Aws, change_set: &str, interrupt: &Interrupt) -> Result<Option<ChangeSet>> {
    let started = Instant::now();
    let mut pace = Pace::new();
    loop {
        let wait = pace.next(started.elapsed());
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = interrupt.wait() => {
                return Err(ErrorKind::Interrupted("interrupted before anything was changed".to_owned()).into());
            }
        }
        let began = started.elapsed();
        let described = match page(aws, change_set, None).await {
            Ok(described) => described,
            Err(error) if error.kind.is_transient() && started.elapsed() < Duration::from_mins(10) => {
                pace.refused();
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        pace.answered(began, started.elapsed());
        match described.status() {
            Some(ChangeSetStatus::CreateComplete)
                if described.execution_status() == Some(&ExecutionStatus::Available) =>
            {
                return collect(aws, change_set, described).await.map(Some);
            }
            Some(ChangeSetStatus::Failed) if contains_nothing(described.status_reason().unwrap_or_default()) => {
                return Ok(None);
            }
            Some(ChangeSetStatus::CreateInProgress | ChangeSetStatus::CreatePending) => {}
            _ => {
                let reason = described.status_reason().unwrap_or("the service gives no reason");
                let mut error = Error::refused(format!("the change cannot be made: {reason}"));
                error.hint = super::reason::hint(reason);
                return Err(error);
            }
        }
    }
}

/// The two ways in which the service says that a change set changes nothing.
fn contains_nothing(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

async fn page(aws: &Aws, change_set: &str, next: Option<String>) -> Result<DescribeChangeSetOutput, AwsError> {
    aws.cloudformation()
        .describe_change_set()
        .change_set_name(change_set)
        .set_next_token(next)
        .send()
        .await
        .map_err(|e| AwsError::new(Service::CloudFormation, "DescribeChangeSet", &e))
}

async fn collect(aws: &Aws, change_set: &str, first: DescribeChangeSetOutput) -> Result<ChangeSet> {
    let stack_id = first.stack_id().unwrap_or_default().to_owned();
    let mut changes: Vec<_> = first.changes().iter().filter_map(from_sdk).collect();
    let mut next = first.next_token().map(str::to_owned);
    while next.is_some() {
        let more = page(aws, change_set, next).await?;
        changes.extend(more.changes().iter().filter_map(from_sdk));
        next = more.next_token().map(str::to_owned);
    }
    Ok(ChangeSet {
        id: change_set.to_owned(),
        stack_id,
        changes,
        tags: Vec::new(),
    })
}

fn from_sdk(change: &types::Change) -> Option<Change> {
    let change = change.resource_change()?;
    let mut because: Vec<_> = change
        .details()
        .iter()
        .filter_map(|detail| detail.target())
        .filter_map(|target| {
            target
                .name()
                .or_else(|| target.attribute().map(types::ResourceAttribute::as_str))
        })
        .map(str::to_owned)
        .collect();
    because.sort();
    because.dedup();
    Some(Change {
        action: match change.action() {
            Some(types::ChangeAction::Add) => Action::Add,
            Some(types::ChangeAction::Modify) => Action::Modify,
            Some(types::ChangeAction::Remove) => Action::Remove,
            _ => Action::Other,
        },
        logical_id: change.logical_resource_id().unwrap_or_default().to_owned(),
        physical_id: change
            .physical_resource_id()
            .filter(|id| !id.is_empty())
            .map(str::to_owned),
        resource_type: change.resource_type().unwrap_or_default().to_owned(),
        replacement: match change.replacement() {
            Some(types::Replacement::True) => Replacement::Always,
            Some(types::Replacement::Conditional) => Replacement::Perhaps,
            _ => Replacement::Never,
        },
        because,
        kept: matches!(
            change.policy_action(),
            Some(PolicyAction::Retain | PolicyAction::ReplaceAndRetain)
        ),
    })
}

/// Removes a change set that will not be executed. One that cannot be removed costs nothing and does no harm.
pub(super) async fn discard(aws: &Aws, change_set: &str) {
    if let Err(error) = aws
        .cloudformation()
        .delete_change_set()
        .change_set_name(change_set)
        .send()
        .await
    {
        let error = AwsError::new(Service::CloudFormation, "DeleteChangeSet", &error);
        tracing::warn!(%error, "the change set stays");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_or_removed_store_is_a_loss_unless_its_policy_keeps_it() {
        let bucket = Change {
            action: Action::Modify,
            logical_id: "Bucket".to_owned(),
            physical_id: Some("b".to_owned()),
            resource_type: "AWS::S3::Bucket".to_owned(),
            replacement: Replacement::Always,
            because: vec!["BucketName".to_owned()],
            kept: false,
        };
        let perhaps = Change {
            replacement: Replacement::Perhaps,
            ..bucket.clone()
        };
        let in_place = Change {
            replacement: Replacement::Never,
            ..bucket.clone()
        };
        let removed = Change {
            action: Action::Remove,
            ..in_place.clone()
        };
        let kept = Change {
            kept: true,
            ..bucket.clone()
        };
        let policy = Change {
            resource_type: "AWS::S3::BucketPolicy".to_owned(),
            ..bucket.clone()
        };
        let added = Change {
            action: Action::Add,
            physical_id: None,
            ..bucket.clone()
        };
        let losses = [&bucket, &perhaps, &in_place, &removed, &kept, &policy, &added].map(Change::loses_data);
        assert_eq!(losses, [true, true, false, true, false, false, false]);
    }
}
