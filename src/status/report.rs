//! One environment.

use futures_util::future::join;
use serde::Serialize;

use super::probe::{StoreReport, probe};
use super::seeded;
use crate::aws::Aws;
use crate::error::Result;
use crate::stack::{
    Outputs, Resource, ResourceStatus, Stack, StackStatus, Tone, describe, describe_resources, first_cause,
};
use crate::time::Timestamp;

/// Everything that `rstack status` shows of one environment.
#[derive(Debug, Clone, Serialize)]
pub struct StatusReport {
    pub name: String,
    pub id: String,
    pub region: String,
    pub status: StackStatus,
    /// Why it is in this status, where CloudFormation says so.
    pub reason: Option<String>,
    /// What it failed of first, of a stack that failed; absent where its history does not tell.
    pub cause: Option<String>,
    pub created: Timestamp,
    pub updated: Option<Timestamp>,
    pub age_seconds: u64,
    /// Absent without a time to live.
    pub expires_at: Option<Timestamp>,
    /// Zero once it has passed.
    pub time_to_live_seconds: Option<u64>,
    pub termination_protection: bool,
    /// Those that exist, are being made, or could not be deleted.
    pub resources: Vec<Resource>,
    /// The stores that the outputs name; empty while there are no outputs.
    pub stores: Vec<StoreReport>,
    pub outputs: Outputs,
}

/// Looks at the environment `name`; `None` when there is none. All stores are asked at the same time, and a store
/// that does not answer is a finding, not an error.
///
/// # Errors
/// When CloudFormation refuses or cannot be reached.
pub async fn status(aws: &Aws, name: &str, now: Timestamp) -> Result<Option<StatusReport>> {
    let (stack, resources) = join(Box::pin(describe(aws, name)), Box::pin(describe_resources(aws, name))).await;
    let Some(stack) = stack? else { return Ok(None) };
    let mut resources = resources?;
    resources.retain(|resource| resource.status != ResourceStatus::DeleteComplete);
    let probed = Box::pin(probe(aws, &stack.outputs, &resources));
    let (cause, mut stores) = join(Box::pin(cause(aws, &stack)), probed).await;
    seeded::read(aws, &stack.id, &stack.outputs, &mut stores).await;
    Ok(Some(StatusReport {
        age_seconds: now.since(stack.created).as_secs(),
        expires_at: stack.expires_at(),
        time_to_live_seconds: stack.time_to_live(now).map(|left| left.as_secs()),
        region: aws.region().to_owned(),
        resources,
        stores,
        name: stack.name,
        id: stack.id,
        status: stack.status,
        reason: stack.reason,
        cause,
        created: stack.created,
        updated: stack.updated,
        termination_protection: stack.termination_protection,
        outputs: stack.outputs,
    }))
}

/// What a stack failed of, where it did.
async fn cause(aws: &Aws, stack: &Stack) -> Option<String> {
    match stack.status.tone() {
        Tone::Bad => first_cause(aws, &stack.id).await,
        Tone::Good | Tone::Busy | Tone::Quiet => None,
    }
}
