//! What the local AWS holds.

use serde::Serialize;

use super::lifecycle::Local;
use crate::aws::{Aws, AwsError, Service};
use crate::error::Result;
use crate::stack::StackStatus;

/// A stack of the local AWS, made by rstack or not.
#[derive(Debug, Clone, Serialize)]
pub struct Environment {
    pub name: String,
    pub region: String,
    pub status: StackStatus,
}

/// Every stack that exists, in every region that was used.
///
/// # Errors
/// When the local AWS does not answer.
pub async fn environments(local: &Local) -> Result<Vec<Environment>> {
    let mut found = Vec::new();
    for region in local.regions() {
        let aws = Aws::connect(&local.access(Some(region))).await?;
        let mut pages = aws.cloudformation().describe_stacks().into_paginator().items().send();
        while let Some(stack) = pages.next().await {
            let stack = stack.map_err(|e| AwsError::new(Service::CloudFormation, "DescribeStacks", &e))?;
            let status = stack.stack_status().map(|status| StackStatus::from(status.as_str()));
            let Some(status) = status else { continue };
            if status != StackStatus::DeleteComplete {
                let name = stack.stack_name().unwrap_or_default().to_owned();
                found.push(Environment {
                    name,
                    region: region.clone(),
                    status,
                });
            }
        }
    }
    Ok(found)
}
