//! Deleting a stack until it is gone: empty, delete, watch, and again while what stands in the way can pass.

use std::time::{Duration, Instant};

use aws_sdk_cloudformation::types::{self, DeletionMode, ResourceStatus};

use super::drain::{Drain, Drained};
use super::inventory::Holding;
use super::plan::imported;
use super::undeletable::Passing;
use super::{Cause, Scope, Settled, Stack, StackName, StackStatus, Watch, describe, token, watch};
use crate::aws::{Aws, AwsError, AwsErrorKind, Service};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Operation, OperationKind, PlannedResource, StackEvent, WaitReason};

/// One stack on its way out.
pub(super) struct Deletion<'a> {
    pub(super) aws: &'a Aws,
    pub(super) name: &'a StackName,
    pub(super) stack: &'a Stack,
    pub(super) holdings: &'a [Holding],
    /// Logical ids to leave standing, of a stack whose deletion has failed before: only then does the service take them.
    pub(super) retain: &'a [String],
    /// See [`super::Down::force`].
    pub(super) force: bool,
    pub(super) watching: &'a Watch<'a>,
    pub(super) started: Instant,
}

/// How it went.
#[derive(Debug, Default)]
pub(super) struct Deleted {
    pub(super) drained: Vec<Drained>,
    /// DeleteStack was sent with FORCE_DELETE_STACK: CloudFormation let go of what it could not delete.
    pub(super) forced: bool,
}

impl Deletion<'_> {
    /// Returns once the stack is gone.
    ///
    /// # Errors
    /// `Stack` when it would not go, `LostContact` and `Interrupted` as [`watch`]; what could not be emptied.
    pub(super) async fn run(&self) -> Result<Deleted> {
        let mut deleted = Deleted::default();
        let mut tries = 0;
        loop {
            let settled = match self.running().await? {
                Now::Gone => return Ok(deleted),
                Now::Deleting => self.attach(OperationKind::Delete).await?,
                Now::Standing => {
                    self.drain(&mut deleted).await?;
                    match self.delete(deleted.forced).await? {
                        Some(settled) => settled,
                        None => return Ok(deleted),
                    }
                }
            };
            tries += 1;
            if settled.succeeded(OperationKind::Delete) {
                return Ok(deleted);
            }
            if settled.status != StackStatus::DeleteFailed || deleted.forced {
                return Err(self.failed(settled).await);
            }
            let passing = Passing::common(&settled.events);
            match passing.and_then(|passing| Some((passing, passing.pause(tries)?))) {
                Some((passing, wait)) => self.rest(passing.wait_reason(), wait).await?,
                None if self.force => deleted.forced = true,
                None => return Err(self.failed(settled).await),
            }
        }
    }

    /// What the stack is doing now. An operation that must end before a deletion can begin is watched to its end.
    async fn running(&self) -> Result<Now> {
        let status = describe(self.aws, &self.stack.id).await?.map(|stack| stack.status);
        match status {
            None | Some(StackStatus::DeleteComplete) => Ok(Now::Gone),
            Some(StackStatus::DeleteInProgress) => Ok(Now::Deleting),
            Some(
                StackStatus::UpdateInProgress
                | StackStatus::UpdateCompleteCleanupInProgress
                | StackStatus::UpdateRollbackInProgress
                | StackStatus::UpdateRollbackCompleteCleanupInProgress
                | StackStatus::ImportInProgress
                | StackStatus::ImportRollbackInProgress,
            ) => {
                self.attach(OperationKind::Update).await?;
                Ok(Now::Standing)
            }
            Some(_) => Ok(Now::Standing),
        }
    }

    async fn attach(&self, kind: OperationKind) -> Result<Settled> {
        self.report_operation(kind, true);
        self.watch(kind, Scope::Running).await
    }

    async fn drain(&self, deleted: &mut Deleted) -> Result<()> {
        for bucket in self.buckets() {
            let drain = Drain {
                aws: self.aws,
                bucket: &bucket.physical_id,
                bypass_governance: self.force,
                reporter: self.watching.reporter,
                interrupt: self.watching.interrupt,
            };
            let drained = drain.run().await.map_err(|error| self.standing(error))?;
            match deleted.drained.iter_mut().find(|d| d.bucket == drained.bucket) {
                Some(before) => before.merge(&drained),
                None => deleted.drained.push(drained),
            }
        }
        Ok(())
    }

    fn buckets(&self) -> impl Iterator<Item = &Holding> {
        self.holdings
            .iter()
            .filter(|h| h.kept.is_none() && h.resource_type == "AWS::S3::Bucket")
    }

    /// Sends DeleteStack and watches. Another run may send its own at the same time, so whichever deletion begins now
    /// is ours; `None` when another one has ended already.
    async fn delete(&self, forced: bool) -> Result<Option<Settled>> {
        if self.watching.interrupt.requested() {
            let stopped = Error::from(ErrorKind::Interrupted(
                "stopped before the stack was deleted".to_owned(),
            ));
            return Err(self.standing(stopped.with_hint("run the same command again to go on")));
        }
        let last = self.last_event().await?;
        if last.as_ref().is_some_and(|event| self.is_gone_by(event)) {
            return Ok(None);
        }
        let last = last.and_then(|event| event.event_id);
        let request = self
            .aws
            .cloudformation()
            .delete_stack()
            .stack_name(&self.stack.id)
            .client_request_token(token())
            .set_retain_resources((!self.retain.is_empty()).then(|| self.retain.to_vec()))
            .set_deletion_mode(forced.then_some(DeletionMode::ForceDeleteStack));
        if let Err(error) = request.send().await {
            let error = AwsError::new(Service::CloudFormation, "DeleteStack", &error);
            return Err(self.standing(error.into()));
        }
        self.report_operation(OperationKind::Delete, false);
        self.watch(OperationKind::Delete, Scope::Since(last)).await.map(Some)
    }

    /// Nothing follows the end of a stack.
    fn is_gone_by(&self, event: &types::StackEvent) -> bool {
        event.physical_resource_id() == Some(&self.stack.id)
            && event.resource_status() == Some(&ResourceStatus::DeleteComplete)
    }

    /// Where the history ends before the deletion begins.
    async fn last_event(&self) -> Result<Option<types::StackEvent>> {
        let answer = self
            .aws
            .cloudformation()
            .describe_stack_events()
            .stack_name(&self.stack.id)
            .send()
            .await;
        match answer {
            Ok(page) => Ok(page.stack_events.unwrap_or_default().into_iter().next()),
            Err(error) => {
                let error = AwsError::new(Service::CloudFormation, "DescribeStackEvents", &error);
                if error.kind == AwsErrorKind::Invalid {
                    Ok(None)
                } else {
                    Err(error.into())
                }
            }
        }
    }

    async fn watch(&self, kind: OperationKind, scope: Scope) -> Result<Settled> {
        let watching = Watch {
            timeout: self
                .watching
                .timeout
                .map(|timeout| timeout.saturating_sub(self.started.elapsed())),
            ..*self.watching
        };
        watch(self.aws, &self.stack.id, kind, scope, &watching).await
    }

    fn report_operation(&self, kind: OperationKind, attached: bool) {
        self.watching.reporter.report(&Event::Operation(Operation {
            kind,
            stack: self.stack.name.clone(),
            stack_id: self.stack.id.clone(),
            resources: self
                .holdings
                .iter()
                .map(|h| PlannedResource {
                    logical_id: h.logical_id.clone(),
                    resource_type: h.resource_type.clone(),
                })
                .collect(),
            attached,
        }));
    }

    async fn rest(&self, reason: WaitReason, wait: Duration) -> Result<()> {
        self.watching.reporter.report(&Event::Waiting {
            reason,
            seconds: wait.as_secs_f64(),
        });
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = self.watching.interrupt.wait() => {
                let stopped = Error::from(ErrorKind::Interrupted("stopped before the stack was gone".to_owned()));
                Err(self.standing(stopped.with_hint(format!("`{}` goes on", self.watching.attach))))
            }
        }
    }

    /// The stack would not go, and trying again does not help.
    async fn failed(&self, settled: Settled) -> Error {
        if settled.status != StackStatus::DeleteFailed {
            return self.given_up(settled).await;
        }
        let stuck: Vec<_> = failures(&settled.events).map(|e| e.logical_id.clone()).collect();
        let mut error = settled.into_error(self.name, self.watching);
        if !stuck.is_empty() {
            let way_out = format!(
                "remove what holds {0} and run this again, or give the stack up with `--force` (it leaves {0} behind)",
                stuck.join(", ")
            );
            error.hint = Some(match error.hint {
                Some(hint) => format!("{hint}\n{way_out}"),
                None => way_out,
            });
        }
        error
    }

    /// CloudFormation took the deletion back, as it does when other stacks import from this one.
    async fn given_up(&self, mut settled: Settled) -> Error {
        let told = settled.events.iter().rev().find(|e| e.of_stack && e.reason.is_some());
        if let (true, Some(event)) = (settled.causes.is_empty(), told) {
            settled.causes.push(Cause {
                logical_id: event.logical_id.clone(),
                resource_type: event.resource_type.clone(),
                reason: event.reason.clone().unwrap_or_default(),
            });
        }
        let importing = imported(self.aws, self.stack).await.unwrap_or_default();
        let mut error = settled.into_error(self.name, self.watching);
        error.hint = Some(importing.first().map_or_else(
            || "something else still uses this stack; see its events in CloudFormation".to_owned(),
            |obstacle| obstacle.way_out(&self.aws.command()),
        ));
        error
    }

    /// An error before the stack is gone: it still stands.
    fn standing(&self, error: Error) -> Error {
        error.leaving(format!("stack `{}`", self.name))
    }
}

enum Now {
    Gone,
    Deleting,
    Standing,
}

fn failures(events: &[StackEvent]) -> impl Iterator<Item = &StackEvent> {
    events.iter().filter(|e| !e.of_stack && e.status.failed())
}
