//! Making a resource outlive its stack.
//!
//! DeleteStack takes RetainResources only for a stack whose deletion has failed already. A healthy stack is therefore
//! updated first, to the same template with `DeletionPolicy: Retain` on the resources to keep; nothing else changes.

use aws_sdk_cloudformation::types::{Parameter, TemplateStage};

use super::inventory::template;
use super::retain::{Policies, retaining};
use super::{LARGEST_BODY, Readiness, Scope, Stack, StackName, Watch, token, watch};
use crate::aws::{Aws, AwsError, Service};
use crate::error::{Error, Result};
use crate::event::{Event, Operation, OperationKind};

/// Sets the policy where the template does not have it already.
///
/// # Errors
/// When the stack cannot be updated in its state, the template is too large to be sent, or the update fails.
pub(super) async fn set(
    aws: &Aws,
    stack: &Stack,
    name: &StackName,
    retained: &[String],
    watching: &Watch<'_>,
) -> Result<()> {
    let processed = template(aws, &stack.id, TemplateStage::Processed)
        .await?
        .unwrap_or_default();
    let policies = Policies::of(&processed)?;
    if retained.iter().all(|resource| policies.keep(resource)) {
        return Ok(());
    }
    let names = retained.join(", ");
    if stack.status.readiness() != Readiness::Updatable {
        let message = format!(
            "the stack `{name}` is in {}: nothing in it can be marked to be kept",
            stack.status
        );
        return Err(Error::refused(message).with_hint(format!(
            "move what {names} holds elsewhere first, and run `rstack down` without `--retain`"
        )));
    }
    let original = template(aws, &stack.id, TemplateStage::Original)
        .await?
        .unwrap_or_default();
    let body = retaining(&original, retained)?;
    if body.len() > LARGEST_BODY {
        let message = format!("the stack's template has more than {LARGEST_BODY} bytes, so it cannot be sent again");
        return Err(Error::refused(message).with_hint(format!(
            "set `DeletionPolicy: Retain` on {names} in the template itself, and run `rstack up` first"
        )));
    }
    let token = token();
    update(aws, stack, body, &token).await?;
    watching.reporter.report(&Event::Operation(Operation {
        kind: OperationKind::Update,
        stack: stack.name.clone(),
        stack_id: stack.id.clone(),
        resources: Vec::new(),
        attached: false,
    }));
    let settled = watch(aws, &stack.id, OperationKind::Update, Scope::Token(token), watching).await?;
    if settled.succeeded(OperationKind::Update) {
        Ok(())
    } else {
        Err(settled.into_error(name, watching))
    }
}

async fn update(aws: &Aws, stack: &Stack, body: String, token: &str) -> Result<()> {
    use aws_sdk_cloudformation::types::Capability;
    let parameters = stack
        .parameters
        .keys()
        .map(|key| Parameter::builder().parameter_key(key).use_previous_value(true).build());
    aws.cloudformation()
        .update_stack()
        .stack_name(&stack.id)
        .template_body(body)
        .set_parameters(Some(parameters.collect()))
        .capabilities(Capability::CapabilityNamedIam)
        .capabilities(Capability::CapabilityAutoExpand)
        .client_request_token(token)
        .send()
        .await
        .map_err(|e| AwsError::new(Service::CloudFormation, "UpdateStack", &e))?;
    Ok(())
}
