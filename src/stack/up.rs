//! Bringing a stack up: whatever state it is in, `up` ends with the stack that was asked for, or says why not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::outline::Outline;
use super::timing::{ResourceTiming, timings};
use super::{
    ChangeSet, Preflight, Readiness, Scope, Settled, Stack, StackName, StackStatus, Watch, create, describe, express,
    leftover, preflight, reason, tag, update, watch,
};
use crate::aws::Aws;
use crate::error::{Error, Result};
use crate::event::{Event, Operation, OperationKind};

/// Asks whether a change set may be executed; an error means no.
pub type Approve<'a> = dyn Fn(&ChangeSet) -> Result<()> + Sync + 'a;

/// The stack that is wanted.
pub struct Up<'a> {
    pub name: &'a StackName,
    pub template: TemplateText,
    /// Values for the template's parameters; those not named keep what they had.
    pub parameters: BTreeMap<String, String>,
    /// Such as `CAPABILITY_IAM`.
    pub capabilities: Vec<String>,
    /// Tags of the user's own; rstack adds its own to them.
    pub tags: BTreeMap<String, String>,
    pub ttl: Option<TimeToLive>,
    pub on_failure: OnFailure,
    /// Deploy in EXPRESS mode, and wait here for what the stores need.
    pub express: bool,
    /// Wait until the operation has settled.
    pub wait: bool,
    /// What must hold before anything is created.
    pub preflight: Preflight,
    pub approve: &'a Approve<'a>,
}

/// A template as it is sent.
#[derive(Debug, Clone)]
pub struct TemplateText {
    /// Byte for byte.
    pub body: String,
    /// Where the same bytes lie in S3, for a body that is too large to be sent.
    pub url: Option<String>,
}

/// The largest body that CloudFormation takes in a request, in bytes.
pub const LARGEST_BODY: usize = 51_200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeToLive {
    /// Counted from the stack's creation by AWS's clock; when renewed, from now.
    pub length: Duration,
    /// Asked for on the command line: then it also renews that of an existing environment.
    pub explicit: bool,
}

/// What happens to a stack whose creation or update fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    #[default]
    Rollback,
    /// A failed creation is deleted; a failed update is rolled back.
    Delete,
    /// Everything stays as it is, to be looked at.
    Keep,
}

/// What `up` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    Created,
    Updated,
    Unchanged,
    /// Started, or found running, and not waited for.
    Started,
}

/// The stack afterwards, and what it took.
#[derive(Debug, Serialize)]
pub struct UpReport {
    pub done: Done,
    pub stack: Stack,
    /// How long each resource took, longest first; empty when nothing was done.
    pub timings: Vec<ResourceTiming>,
    pub seconds: f64,
}

/// Somebody else's operations can keep a stack busy between our steps; nobody does so this often by accident.
const ROUNDS: usize = 6;

/// Creates the stack, or brings the existing one up to date, and waits.
///
/// # Errors
/// `Stack` when the operation failed, `LostContact` and `Interrupted` while AWS goes on, `Refused` when the stack is
/// somebody else's or stuck, `Declined` when the change was not approved.
pub async fn up(aws: &Aws, wanted: &Up<'_>, watching: &Watch<'_>) -> Result<UpReport> {
    let started = Instant::now();
    let report = |done, stack, settled: Option<Settled>| UpReport {
        done,
        stack,
        timings: settled.map(|s| timings(&s.events)).unwrap_or_default(),
        seconds: started.elapsed().as_secs_f64(),
    };
    let (mut checked, mut is_new) = (false, false);
    for _ in 0..ROUNDS {
        let stack = watching.reading(describe(aws, wanted.name.as_str())).await?;
        let Some(stack) = stack.filter(|s| s.status.readiness() != Readiness::Absent) else {
            if !checked {
                Box::pin(watching.reading(preflight::check(aws, &wanted.preflight))).await?;
                checked = true;
            }
            let creation = create::start(aws, wanted, watching.reporter);
            let Some(stack_id) = watching.requesting(creation).await? else {
                continue;
            };
            if !wanted.wait {
                return Ok(report(Done::Started, described(aws, &stack_id.id).await?, None));
            }
            let settled = create::wait(aws, wanted, &stack_id, watching).await?;
            let stack = stands(settled, OperationKind::Create, wanted.name, watching)?;
            return finish(aws, wanted, watching, report(Done::Created, stack.0, Some(stack.1))).await;
        };
        guard(&stack, wanted.name)?;
        match stack.status.readiness() {
            Readiness::Absent => {}
            Readiness::Busy if !wanted.wait => return Ok(report(Done::Started, stack, None)),
            Readiness::Busy => is_new = attach(aws, &stack, wanted, watching).await? == OperationKind::Create,
            Readiness::Leftover => leftover::remove(aws, &stack, wanted.name, watching).await?,
            Readiness::Stuck => return Err(stuck(aws, &stack, watching.remove)),
            Readiness::Updatable => {
                let Some(change) = update::prepare(aws, wanted, &stack, is_new, watching).await? else {
                    if stack.status == StackStatus::UpdateFailed {
                        return Err(unfinished(aws, &stack, wanted.name, watching).await);
                    }
                    return finish(aws, wanted, watching, report(Done::Unchanged, stack, None)).await;
                };
                let Some(token) = update::start(aws, wanted, &stack, &change, watching).await? else {
                    continue;
                };
                if !wanted.wait {
                    return Ok(report(Done::Started, described(aws, &stack.id).await?, None));
                }
                let settled = watch(aws, &stack.id, OperationKind::Update, Scope::Token(token), watching).await?;
                let stack = stands(settled, OperationKind::Update, wanted.name, watching)?;
                return finish(aws, wanted, watching, report(Done::Updated, stack.0, Some(stack.1))).await;
            }
        }
    }
    Err(Error::refused(format!(
        "stack `{}` never comes to rest: something else keeps changing it",
        wanted.name
    ))
    .with_hint("find out what does, with `rstack status` and the stack's events in the console"))
}

/// EXPRESS ends before the resources serve; the stores are waited for here.
async fn finish(aws: &Aws, wanted: &Up<'_>, watching: &Watch<'_>, report: UpReport) -> Result<UpReport> {
    if wanted.express {
        express::wait_for_stores(aws, &report.stack, watching).await?;
    }
    Ok(report)
}

async fn described(aws: &Aws, stack_id: &str) -> Result<Stack> {
    describe(aws, stack_id).await?.ok_or_else(|| {
        Error::unexpected(format!(
            "CloudFormation does not know {stack_id}, which it has just accepted"
        ))
    })
}

/// The stack, if the operation did what it was for.
fn stands(settled: Settled, kind: OperationKind, name: &StackName, watching: &Watch<'_>) -> Result<(Stack, Settled)> {
    match &settled.stack {
        Some(stack) if settled.succeeded(kind) => Ok((stack.clone(), settled)),
        _ => Err(settled.into_error(name, watching)),
    }
}

/// rstack changes only stacks that it made.
fn guard(stack: &Stack, name: &StackName) -> Result<()> {
    // The remains of a change set that was never executed carry no tags.
    if stack.is_environment() || stack.status == StackStatus::ReviewInProgress {
        return Ok(());
    }
    Err(Error::refused(format!(
        "there is a stack `{name}` that rstack did not make (it has no tag `{}`)",
        tag::ENVIRONMENT
    ))
    .with_hint("choose another name with `--name`"))
}

/// Watches what runs already, and tells what it was. What comes after it is decided by a fresh look at the stack.
async fn attach(aws: &Aws, stack: &Stack, wanted: &Up<'_>, watching: &Watch<'_>) -> Result<OperationKind> {
    let kind = match stack.status {
        StackStatus::CreateInProgress | StackStatus::RollbackInProgress => OperationKind::Create,
        StackStatus::DeleteInProgress => OperationKind::Delete,
        _ => OperationKind::Update,
    };
    watching.reporter.report(&Event::Operation(Operation {
        kind,
        stack: stack.name.clone(),
        stack_id: stack.id.clone(),
        resources: Outline::of(&wanted.template.body).resources,
        attached: true,
    }));
    let settled = watch(aws, &stack.id, kind, Scope::Running, watching).await?;
    // An update that failed leaves a stack that ours may follow; the other two leave nothing to go on with.
    if kind == OperationKind::Update || settled.succeeded(kind) {
        Ok(kind)
    } else {
        Err(settled.into_error(wanted.name, watching))
    }
}

/// An update that failed and was kept, of which nothing is left to be changed.
async fn unfinished(aws: &Aws, stack: &Stack, name: &StackName, watching: &Watch<'_>) -> Error {
    let settled = Settled {
        status: stack.status.clone(),
        stack: Some(stack.clone()),
        events: Vec::new(),
        causes: reason::of_last(aws, &stack.id, OperationKind::Update).await,
    };
    let error = settled.into_error(name, watching);
    let way_out = "change the template and bring it up again, or roll the update back in CloudFormation's console";
    let hint = error
        .hint
        .as_ref()
        .map_or(way_out.to_owned(), |hint| format!("{hint}; then {way_out}"));
    error.with_hint(hint)
}

fn stuck(aws: &Aws, stack: &Stack, remove: &str) -> Error {
    let name = &stack.name;
    let reason = stack.reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
    let hint = match stack.status {
        StackStatus::DeleteFailed => format!("`{remove}` goes on with the deletion"),
        StackStatus::UpdateRollbackFailed => format!(
            "`{}` goes on with the rollback; `{remove}` removes everything",
            aws.command()
                .line(&format!("cloudformation continue-update-rollback --stack-name {name}"))
        ),
        _ => format!("`{remove}` removes it"),
    };
    Error::refused(format!(
        "stack `{name}` is in {} and cannot be updated{reason}",
        stack.status
    ))
    .with_hint(hint)
}
