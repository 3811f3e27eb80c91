//! Removing what a first creation that failed has left, so that it can be tried again.

use super::{Scope, Stack, StackName, Watch, reason, token, watch};
use crate::aws::{Aws, AwsError, Service};
use crate::error::Result;
use crate::event::{Event, OperationKind};

/// Tells why the creation failed, empties what must be empty, and deletes the stack.
pub(super) async fn remove(aws: &Aws, stack: &Stack, name: &StackName, watching: &Watch<'_>) -> Result<()> {
    let cause = reason::of_stack(aws, &stack.id).await;
    watching.reporter.report(&Event::Leftovers {
        stack: stack.name.clone(),
        status: stack.status.clone(),
        cause,
    });
    let token = token();
    aws.cloudformation()
        .delete_stack()
        .stack_name(&stack.id)
        .client_request_token(&token)
        .send()
        .await
        .map_err(|e| AwsError::new(Service::CloudFormation, "DeleteStack", &e))?;
    let settled = watch(aws, &stack.id, OperationKind::Delete, Scope::Token(token), watching).await?;
    if settled.succeeded(OperationKind::Delete) {
        Ok(())
    } else {
        Err(settled.into_error(name))
    }
}
