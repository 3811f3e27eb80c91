//! What a stack is right now.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::types;
use serde::Serialize;

use super::{Outputs, ResourceStatus, StackStatus, tag};
use crate::aws::{Aws, AwsError, Service};
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// A stack as DescribeStacks tells it.
#[derive(Debug, Clone, Serialize)]
pub struct Stack {
    pub name: String,
    pub id: String,
    pub status: StackStatus,
    pub reason: Option<String>,
    pub created: Timestamp,
    pub updated: Option<Timestamp>,
    pub outputs: Outputs,
    /// Names under which outputs are exported for other stacks.
    pub exports: Vec<String>,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub termination_protection: bool,
}

impl Stack {
    /// When it may be taken down, if it has a time to live.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.tags.get(tag::EXPIRES_AT).and_then(|text| Timestamp::parse(text))
    }

    /// Time left at `now`; `Some(ZERO)` once it has passed, `None` without a time to live.
    #[must_use]
    pub fn time_to_live(&self, now: Timestamp) -> Option<Duration> {
        self.expires_at().map(|end| end.since(now))
    }

    /// rstack made it (or was told to look after it).
    #[must_use]
    pub fn is_environment(&self) -> bool {
        self.tags.contains_key(tag::ENVIRONMENT)
    }

    pub(crate) fn from_sdk(stack: &types::Stack) -> Result<Self> {
        let missing = |what: &str| Error::unexpected(format!("CloudFormation described a stack without {what}"));
        Ok(Self {
            name: stack.stack_name().ok_or_else(|| missing("a name"))?.to_owned(),
            id: stack.stack_id().ok_or_else(|| missing("an id"))?.to_owned(),
            status: StackStatus::from(stack.stack_status().ok_or_else(|| missing("a status"))?.as_str()),
            reason: stack.stack_status_reason().filter(|r| !r.is_empty()).map(str::to_owned),
            created: stack.creation_time().ok_or_else(|| missing("a creation time"))?.into(),
            updated: stack.last_updated_time().map(Timestamp::from),
            outputs: stack
                .outputs()
                .iter()
                .filter_map(|o| Some((o.output_key()?.to_owned(), o.output_value()?.to_owned())))
                .collect(),
            exports: stack
                .outputs()
                .iter()
                .filter_map(|o| o.export_name())
                .map(str::to_owned)
                .collect(),
            parameters: stack
                .parameters()
                .iter()
                .filter_map(|p| Some((p.parameter_key()?.to_owned(), p.parameter_value()?.to_owned())))
                .collect(),
            tags: stack
                .tags()
                .iter()
                .filter_map(|t| Some((t.key()?.to_owned(), t.value()?.to_owned())))
                .collect(),
            termination_protection: stack.enable_termination_protection().unwrap_or_default(),
        })
    }
}

/// The stack of that name or ARN; `None` when there is none (which is how AWS shows one deleted, asked by name).
///
/// # Errors
/// When CloudFormation refuses or cannot be reached.
pub async fn describe(aws: &Aws, name_or_id: &str) -> Result<Option<Stack>> {
    match aws
        .cloudformation()
        .describe_stacks()
        .stack_name(name_or_id)
        .send()
        .await
    {
        Ok(output) => output.stacks().first().map(Stack::from_sdk).transpose(),
        Err(error) => {
            let error = AwsError::new(Service::CloudFormation, "DescribeStacks", &error);
            if error.is("ValidationError") && error.message.contains("does not exist") {
                Ok(None)
            } else {
                Err(error.into())
            }
        }
    }
}

/// Every stack of the region that exists.
///
/// # Errors
/// When CloudFormation refuses or cannot be reached.
pub async fn describe_all(aws: &Aws) -> Result<Vec<Stack>> {
    let mut stacks = Vec::new();
    let mut pages = aws.cloudformation().describe_stacks().into_paginator().items().send();
    while let Some(stack) = pages.next().await {
        let stack = stack.map_err(|e| AwsError::new(Service::CloudFormation, "DescribeStacks", &e))?;
        let stack = Stack::from_sdk(&stack)?;
        if stack.status != StackStatus::DeleteComplete {
            stacks.push(stack);
        }
    }
    Ok(stacks)
}

/// One resource as ListStackResources tells it.
#[derive(Debug, Clone, Serialize)]
pub struct Resource {
    pub logical_id: String,
    /// Absent until the resource exists.
    pub physical_id: Option<String>,
    pub resource_type: String,
    pub status: ResourceStatus,
    pub reason: Option<String>,
    pub updated: Option<Timestamp>,
}

/// Every resource of a stack, deleted ones included while CloudFormation remembers them.
///
/// # Errors
/// When CloudFormation refuses or cannot be reached.
pub async fn describe_resources(aws: &Aws, name_or_id: &str) -> Result<Vec<Resource>> {
    let mut pages = aws
        .cloudformation()
        .list_stack_resources()
        .stack_name(name_or_id)
        .into_paginator()
        .send();
    let mut resources = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|e| AwsError::new(Service::CloudFormation, "ListStackResources", &e))?;
        resources.extend(page.stack_resource_summaries().iter().map(|r| Resource {
            logical_id: r.logical_resource_id().unwrap_or_default().to_owned(),
            physical_id: r.physical_resource_id().filter(|id| !id.is_empty()).map(str::to_owned),
            resource_type: r.resource_type().unwrap_or_default().to_owned(),
            status: ResourceStatus::from(r.resource_status().map_or("UNKNOWN", |s| s.as_str())),
            reason: r.resource_status_reason().filter(|r| !r.is_empty()).map(str::to_owned),
            updated: r.last_updated_timestamp().map(Timestamp::from),
        }));
    }
    Ok(resources)
}
