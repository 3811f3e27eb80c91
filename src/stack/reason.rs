//! Why a stack failed: the causes out of its events, and what to do about the usual ones.

use aws_sdk_cloudformation::types::{EventFilter, EventType};

use super::events::EventLog;
use super::{Cause, Scope, Tone};
use crate::aws::{Aws, LIMIT_REACHED};
use crate::event::{OperationKind, StackEvent};

/// The causes of a failed operation: first cause first, mere consequences left out.
///
/// The service keeps some causes (validation before anything is made) only in `DescribeEvents`, which not every
/// endpoint has: when it cannot be asked, what the events say must do.
pub(super) async fn causes(aws: &Aws, stack_id: &str, events: &[StackEvent]) -> Vec<Cause> {
    let by_events = from_events(events);
    let points_elsewhere = by_events.first().is_none_or(|cause| points_elsewhere(&cause.reason));
    let of_resource = events.iter().any(|e| !e.of_stack && e.status.failed());
    if of_resource && !points_elsewhere {
        return by_events;
    }
    let by_operation = from_operation(aws, stack_id).await;
    if by_operation.is_empty() {
        by_events
    } else {
        by_operation
    }
}

/// Why a stack that nobody watched ended as it did, as one sentence; `None` when its history does not tell.
pub(crate) async fn of_stack(aws: &Aws, stack_id: &str) -> Option<String> {
    let first = of_last(aws, stack_id, OperationKind::Create).await.into_iter().next()?;
    Some(format!(
        "{} ({}): {}",
        first.logical_id, first.resource_type, first.reason
    ))
}

/// The causes of a stack's last operation, which is of this kind; none when its history does not tell.
pub(super) async fn of_last(aws: &Aws, stack_id: &str, kind: OperationKind) -> Vec<Cause> {
    let mut log = EventLog::new(kind, Scope::Running);
    match log.read(aws, stack_id).await {
        Ok(_) => causes(aws, stack_id, log.events()).await,
        Err(_) => Vec::new(),
    }
}

/// Failures of resources; failing those, what the stack itself says.
pub(super) fn from_events(events: &[StackEvent]) -> Vec<Cause> {
    let cause = |event: &StackEvent| {
        Some(Cause {
            logical_id: event.logical_id.clone(),
            resource_type: event.resource_type.clone(),
            reason: event.reason.clone()?,
        })
    };
    let of_resources: Vec<_> = events
        .iter()
        .filter(|e| !e.of_stack && e.status.failed())
        .filter_map(cause)
        .filter(|c| !is_consequence(&c.reason))
        .collect();
    if !of_resources.is_empty() {
        return of_resources;
    }
    events
        .iter()
        .filter(|e| e.of_stack && e.status.tone() == Tone::Bad)
        .filter_map(cause)
        .take(1)
        .collect()
}

/// A resource that was stopped because another one failed.
fn is_consequence(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    [
        "creation cancelled",
        "update cancelled",
        "delete cancelled",
        "deletion cancelled",
        "resource creation canceled",
    ]
    .iter()
    .any(|words| reason.contains(words))
}

/// A sentence that only says where the cause is told, as of a stack whose template was refused before anything was made.
fn points_elsewhere(reason: &str) -> bool {
    ["DescribeEvents", "FAILED event"]
        .iter()
        .any(|words| reason.contains(words))
}

async fn from_operation(aws: &Aws, stack_id: &str) -> Vec<Cause> {
    let filter = EventFilter::builder().failed_events(true).build();
    let Ok(output) = aws
        .cloudformation()
        .describe_events()
        .stack_name(stack_id)
        .filters(filter)
        .send()
        .await
    else {
        return Vec::new();
    };
    let mut causes: Vec<_> = output
        .operation_events()
        .iter()
        .filter(|e| !matches!(e.event_type(), Some(EventType::StackEvent)))
        .filter_map(|e| {
            let reason = [
                e.validation_status_reason(),
                e.resource_status_reason(),
                e.hook_status_reason(),
            ]
            .into_iter()
            .flatten()
            .find(|reason| !reason.is_empty())?;
            Some(Cause {
                logical_id: e.logical_resource_id().unwrap_or_default().to_owned(),
                resource_type: e.resource_type().unwrap_or_default().to_owned(),
                reason: reason.to_owned(),
            })
        })
        .filter(|c| !is_consequence(&c.reason) && !points_elsewhere(&c.reason))
        .collect();
    // Newest first, as all histories are.
    causes.reverse();
    causes
}

/// What to do about a reason that people meet often.
#[must_use]
pub(super) fn hint(reason: &str) -> Option<String> {
    let lower = reason.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    if let Some(action) = denied_action(reason) {
        return Some(format!(
            "allow `{action}` for the identity that runs rstack, or use another one with `--profile` or `--role-arn`"
        ));
    }
    let hint = if has(&["requires capabilities"]) {
        "the template makes IAM resources: add `--capability CAPABILITY_IAM` (or CAPABILITY_NAMED_IAM)"
    } else if has(&[
        "accessdenied",
        "access denied",
        "not authorized",
        "unauthorizedoperation",
    ]) {
        "the identity that runs rstack lacks a permission that this resource needs"
    } else if has(&["bucket"])
        && has(&[
            "already exists",
            "already owned",
            "bucketalready",
            "name_conflict",
            "not available",
        ])
    {
        "bucket names are shared by all of AWS: choose another one, or give none and let CloudFormation make one up"
    } else if has(&["already exists", "alreadyexists"]) {
        "a resource of that name exists: choose another name in rstack.yaml, or give none and let CloudFormation make one up"
    } else if has(&[
        "limitexceeded",
        "limit exceeded",
        "quota",
        "limit has been reached",
        "maximum number",
        "toomanybuckets",
        "exceeded",
    ]) {
        LIMIT_REACHED
    } else if has(&[
        "default vpc",
        "vpcidnotspecified",
        "no default subnet",
        "default subnet",
    ]) {
        "the account has no default VPC in this region: set `stores.redis.vpc` and `stores.redis.subnets` in rstack.yaml"
    } else if has(&["invalidgroup.notfound", "invalidgroupid"])
        || (has(&["security group"]) && has(&["not exist", "not found", "invalid"]))
    {
        "check `stores.redis.security_groups` in rstack.yaml: the group must exist in this region and VPC"
    } else if has(&["subnet"]) && has(&["not exist", "not found", "notfound", "invalid"]) {
        "check `stores.redis.subnets` and `subnet_group` in rstack.yaml: they must exist in this region and VPC"
    } else if has(&[
        "insufficientcacheclustercapacity",
        "insufficient capacity",
        "does not support the node type",
        "cache node type",
    ]) {
        "choose another `stores.redis.node_type`, or another zone"
    } else if has(&["parameter"])
        && has(&[
            "must have values",
            "was not provided",
            "do not exist in the template",
            "template which does not require",
        ])
    {
        "`rstack up --parameter NAME=VALUE`, or `template.parameters` in rstack.yaml, gives what the template's `Parameters` name"
    } else if has(&[
        "template format error",
        "template error",
        "template validation error",
        "invalid template",
        "encountered unsupported property",
    ]) {
        "the template is not valid: `cfn-lint` tells where"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

/// The action in "… is not authorized to perform: s3:CreateBucket on resource …".
fn denied_action(reason: &str) -> Option<&str> {
    let after = reason.split_once("authorized to perform: ")?.1;
    let action = after.split([' ', ',', '\n']).next()?.trim_end_matches('.');
    (!action.is_empty()).then_some(action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::ResourceStatus;
    use crate::time::Timestamp;

    fn event(logical_id: &str, of_stack: bool, status: &str, reason: &str) -> StackEvent {
        StackEvent {
            id: logical_id.to_owned(),
            time: Timestamp::now(),
            logical_id: logical_id.to_owned(),
            physical_id: None,
            resource_type: "AWS::X::Y".to_owned(),
            status: ResourceStatus::from(status),
            reason: Some(reason.to_owned()),
            of_stack,
            token: None,
            operation_id: None,
        }
    }

    #[test]
    fn the_first_cause_comes_first_and_consequences_are_left_out() {
        let events = [
            event("Cancelled", false, "CREATE_FAILED", "Resource creation cancelled"),
            event("Bucket", false, "CREATE_FAILED", "demo already exists"),
            event("Table", false, "CREATE_FAILED", "another thing"),
            event(
                "demo",
                true,
                "ROLLBACK_IN_PROGRESS",
                "The following resource(s) failed to create",
            ),
        ];
        let causes = from_events(&events);
        assert_eq!(
            causes.iter().map(|c| c.logical_id.as_str()).collect::<Vec<_>>(),
            ["Bucket", "Table"]
        );
        assert_eq!(from_events(&events[3..])[0].logical_id, "demo");
    }

    #[test]
    fn usual_reasons_have_hints() {
        let table = [
            (
                "kinyu-demo-src already exists in stack bucket",
                "bucket names are shared",
            ),
            (
                "The requested bucket name is not available. The bucket namespace is shared",
                "bucket names are shared",
            ),
            (
                "User: arn:aws:iam::1:user/x is not authorized to perform: s3:CreateBucket on resource: y",
                "allow `s3:CreateBucket`",
            ),
            (
                "Requires capabilities : [CAPABILITY_IAM]",
                "--capability CAPABILITY_IAM",
            ),
            (
                "You have exceeded the number of buckets: TooManyBuckets",
                "limit of the account",
            ),
            (
                "The maximum number of VPCs has been reached. (Service: Ec2, Status Code: 400)",
                "limit of the account",
            ),
            ("No default VPC for this user (VPCIdNotSpecified)", "no default VPC"),
            (
                "The security group 'sg-1' does not exist",
                "stores.redis.security_groups",
            ),
            ("The subnet ID 'subnet-1' does not exist", "stores.redis.subnets"),
            ("Parameters: [Size] must have values", "--parameter"),
            ("Parameters: [Sice] do not exist in the template", "--parameter"),
            ("Template format error: unsupported structure", "cfn-lint"),
        ];
        for (reason, words) in table {
            let hint = hint(reason).unwrap_or_default();
            assert!(hint.contains(words), "{reason}: {hint}");
        }
        assert_eq!(hint("something nobody has seen"), None);
    }
}
