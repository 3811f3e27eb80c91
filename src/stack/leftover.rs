//! Removing what a first creation that failed has left, so that it can be tried again.

use std::time::Instant;

use super::deletion::Deletion;
use super::inventory::inventory;
use super::{Stack, StackName, Watch, reason};
use crate::aws::Aws;
use crate::error::Result;
use crate::event::Event;

/// Tells why the creation failed, empties what must be empty, and deletes the stack.
pub(super) async fn remove(aws: &Aws, stack: &Stack, name: &StackName, watching: &Watch<'_>) -> Result<()> {
    let cause = reason::of_stack(aws, &stack.id).await;
    watching.reporter.report(&Event::Leftovers {
        stack: stack.name.clone(),
        status: stack.status.clone(),
        cause,
    });
    let holdings = inventory(aws, &stack.id, &[]).await?;
    let deletion = Deletion {
        aws,
        name,
        stack,
        holdings: &holdings,
        retain: &[],
        force: false,
        watching,
        started: Instant::now(),
    };
    deletion.run().await.map(drop)
}
