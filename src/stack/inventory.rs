//! Everything that a stack holds, the stacks inside it included.

use serde::Serialize;

use super::retain::Policies;
use super::{Resource, ResourceStatus, describe_resources};
use crate::aws::{Aws, AwsError, Service};
use crate::error::Result;

/// Why a resource outlives its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The template's DeletionPolicy says so.
    Policy,
    /// `--retain` says so.
    Option,
}

/// One resource of a stack.
#[derive(Debug, Clone, Serialize)]
pub struct Holding {
    /// In a nested stack, "Nested/Bucket".
    pub logical_id: String,
    pub physical_id: String,
    pub resource_type: String,
    pub kept: Option<Kept>,
}

pub(super) const NESTED: &str = "AWS::CloudFormation::Stack";

/// Every resource that exists, in the service's order, a nested stack before what it holds.
///
/// # Errors
/// When CloudFormation refuses or cannot be reached, or a template cannot be read.
pub(super) async fn inventory(aws: &Aws, stack_id: &str, retain: &[String]) -> Result<Vec<Holding>> {
    let mut found = Vec::new();
    let mut open = vec![(stack_id.to_owned(), String::new(), None)];
    while let Some((id, prefix, inherited)) = open.pop() {
        let (resources, policies) = tokio::join!(describe_resources(aws, &id), policies(aws, &id));
        let policies = policies?;
        for resource in resources?.into_iter().filter(exists) {
            let Some(physical_id) = resource.physical_id else {
                continue;
            };
            let kept = if inherited.is_some() {
                inherited
            } else if prefix.is_empty() && retain.contains(&resource.logical_id) {
                Some(Kept::Option)
            } else {
                policies.keep(&resource.logical_id).then_some(Kept::Policy)
            };
            let logical_id = format!("{prefix}{}", resource.logical_id);
            if resource.resource_type == NESTED {
                open.push((physical_id.clone(), format!("{logical_id}/"), kept));
            }
            found.push(Holding {
                logical_id,
                physical_id,
                resource_type: resource.resource_type,
                kept,
            });
        }
    }
    Ok(found)
}

fn exists(resource: &Resource) -> bool {
    !matches!(
        resource.status,
        ResourceStatus::DeleteComplete | ResourceStatus::DeleteSkipped
    )
}

/// A stack that only waits for its first change set has no template yet.
async fn policies(aws: &Aws, stack_id: &str) -> Result<Policies> {
    let template = template(aws, stack_id, aws_sdk_cloudformation::types::TemplateStage::Processed).await?;
    template
        .as_deref()
        .map_or_else(|| Ok(Policies::default()), Policies::of)
}

/// The stack's template; `None` when it has none.
pub(super) async fn template(
    aws: &Aws,
    stack_id: &str,
    stage: aws_sdk_cloudformation::types::TemplateStage,
) -> Result<Option<String>> {
    let answer = aws
        .cloudformation()
        .get_template()
        .stack_name(stack_id)
        .template_stage(stage)
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(answer
            .template_body()
            .filter(|body| !body.is_empty())
            .map(str::to_owned)),
        Err(error) => {
            let error = AwsError::new(Service::CloudFormation, "GetTemplate", &error);
            if error.is("ValidationError") {
                Ok(None)
            } else {
                Err(error.into())
            }
        }
    }
}
