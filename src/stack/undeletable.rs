//! Why a resource would not go, as far as that decides what to do next.

use std::time::Duration;

use crate::event::{StackEvent, WaitReason};

/// What may be different the next time; the one that takes most patience last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Passing {
    /// Something was written into a bucket after it was emptied.
    Refilled,
    /// Something else still depends on it. CloudFormation has waited for that already, so it rarely passes.
    Held,
    /// A cluster is still being changed or made, which takes minutes.
    Busy,
}

impl Passing {
    /// Reads it off the reason that CloudFormation gives; `None` for what will not pass.
    fn of(reason: &str) -> Option<Self> {
        const REFILLED: [&str; 2] = ["BucketNotEmpty", "bucket you tried to delete is not empty"];
        const HELD: [&str; 4] = [
            "DependencyViolation",
            "dependent object",
            "has dependencies",
            "CacheSubnetGroupInUse",
        ];
        const BUSY: [&str; 7] = [
            "not in a valid state to be deleted",
            "InvalidReplicationGroupState",
            "InvalidCacheClusterState",
            "InvalidCacheParameterGroupState",
            "ResourceInUseException",
            "OperationAborted",
            "Rate exceeded",
        ];
        let says = |texts: &[&str]| texts.iter().any(|text| reason.contains(text));
        if says(&REFILLED) {
            Some(Self::Refilled)
        } else if says(&BUSY) {
            Some(Self::Busy)
        } else if says(&HELD) {
            Some(Self::Held)
        } else {
            None
        }
    }

    /// What all the failures of a deletion have in common; `None` when one of them will not pass.
    pub(super) fn common(events: &[StackEvent]) -> Option<Self> {
        let failures = events.iter().filter(|e| !e.of_stack && e.status.failed());
        let mut passing = failures.map(|e| Self::of(e.reason.as_deref().unwrap_or_default()));
        passing.try_fold(None, |most, one| Some(most.max(Some(one?))))?
    }

    /// How long to wait after this many tries; `None` gives up.
    pub(super) fn pause(self, tries: u32) -> Option<Duration> {
        match self {
            Self::Refilled if tries < 6 => Some(Duration::from_secs(1)),
            Self::Held if tries < 3 => Some(Duration::from_secs(2 << tries)),
            Self::Busy if tries < 24 => Some(Duration::from_secs(1 << tries.min(5))),
            _ => None,
        }
    }

    pub(super) fn wait_reason(self) -> WaitReason {
        match self {
            Self::Refilled => WaitReason::BucketNotEmpty,
            Self::Held | Self::Busy => WaitReason::NotYetDeletable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::ResourceStatus;
    use crate::time::Timestamp;

    #[test]
    fn reasons_of_the_services() {
        let table = [
            (
                "The bucket you tried to delete is not empty (Service: S3, Status Code: 409, Request ID: X)",
                Some(Passing::Refilled),
            ),
            (
                "Cluster demo is not in a valid state to be deleted. (Service: ElastiCache, Status Code: 400)",
                Some(Passing::Busy),
            ),
            (
                "resource sg-1 has a dependent object (Service: Ec2, Status Code: 400)",
                Some(Passing::Held),
            ),
            ("API: s3:DeleteBucket Access Denied", None),
            ("", None),
        ];
        for (reason, expected) in table {
            assert_eq!(Passing::of(reason), expected, "{reason}");
        }
    }

    fn failed(reason: &str) -> StackEvent {
        StackEvent {
            id: reason.to_owned(),
            time: Timestamp::now(),
            logical_id: "R".to_owned(),
            physical_id: None,
            resource_type: "T".to_owned(),
            status: ResourceStatus::DeleteFailed,
            reason: Some(reason.to_owned()),
            of_stack: false,
            token: None,
            operation_id: None,
        }
    }

    #[test]
    fn one_lasting_failure_is_enough() {
        let (empty, busy, denied) = (
            failed("BucketNotEmpty"),
            failed("DependencyViolation"),
            failed("Access Denied"),
        );
        assert_eq!(Passing::common(&[]), None);
        assert_eq!(Passing::common(std::slice::from_ref(&empty)), Some(Passing::Refilled));
        assert_eq!(Passing::common(&[busy.clone(), empty.clone()]), Some(Passing::Held));
        assert_eq!(Passing::common(&[empty, busy, denied]), None);
    }

    #[test]
    fn patience_ends() {
        for passing in [Passing::Refilled, Passing::Held, Passing::Busy] {
            let waits: Vec<_> = (1..).map_while(|tries| passing.pause(tries)).collect();
            assert!(
                waits.len() >= 2 && waits.iter().sum::<Duration>() < Duration::from_mins(15),
                "{waits:?}"
            );
        }
    }
}
