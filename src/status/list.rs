//! Every environment of an account's region.

use serde::Serialize;

use crate::aws::{Aws, AwsError, Service};
use crate::error::Result;
use crate::stack::{Stack, StackStatus};
use crate::time::Timestamp;

/// One line of the list.
#[derive(Debug, Clone, Serialize)]
pub struct Environment {
    pub name: String,
    pub id: String,
    pub status: StackStatus,
    pub created: Timestamp,
    pub age_seconds: u64,
    /// Absent without a time to live.
    pub expires_at: Option<Timestamp>,
    /// Zero once it has passed.
    pub time_to_live_seconds: Option<u64>,
}

impl Environment {
    fn new(stack: Stack, now: Timestamp) -> Self {
        Self {
            age_seconds: now.since(stack.created).as_secs(),
            expires_at: stack.expires_at(),
            time_to_live_seconds: stack.time_to_live(now).map(|left| left.as_secs()),
            name: stack.name,
            id: stack.id,
            status: stack.status,
            created: stack.created,
        }
    }
}

/// The environments of the region, by name. They are known by their tag; stacks made otherwise are left out.
///
/// # Errors
/// When CloudFormation refuses or cannot be reached.
pub async fn environments(aws: &Aws, now: Timestamp) -> Result<Vec<Environment>> {
    let mut found = Vec::new();
    let mut stacks = aws.cloudformation().describe_stacks().into_paginator().items().send();
    while let Some(stack) = stacks.next().await {
        let stack = stack.map_err(|e| AwsError::new(Service::CloudFormation, "DescribeStacks", &e))?;
        let stack = Stack::from_sdk(&stack)?;
        if stack.is_environment() && stack.status != StackStatus::DeleteComplete {
            found.push(Environment::new(stack, now));
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}
