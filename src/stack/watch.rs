//! Watching one operation of a stack until it has settled.
//!
//! Done means: the stack's own event has a settled status and DescribeStacks, asked by ARN, agrees. Neither alone is
//! believed: events lag, and a description may still show the time before the operation.

use std::time::{Duration, Instant};

use super::events::EventLog;
use super::pace::Pace;
use super::{Cause, Stack, StackFailure, StackName, StackStatus, describe, reason};
use crate::aws::{Aws, AwsErrorKind};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, OperationKind, Reporter, StackEvent, WaitReason};
use crate::interrupt::Interrupt;

/// Which of a stack's events belong to the operation being watched.
#[derive(Debug, Clone)]
pub enum Scope {
    /// Started by us, with this `ClientRequestToken`.
    Token(String),
    /// Whatever runs now, started by somebody else or by an earlier run.
    Running,
    /// The operation of the watched kind that begins after the event with this id, whoever starts it.
    Since(Option<String>),
}

/// How to watch.
pub struct Watch<'a> {
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
    /// Stop watching after this long; AWS goes on.
    pub timeout: Option<Duration>,
    /// The command that attaches again, for whoever stops watching.
    pub attach: &'a str,
    /// The command that takes the environment down, for whoever is left with one that failed.
    pub remove: &'a str,
    /// The service deletes the stack itself when the operation fails (`OnFailure=DELETE`), so that a finished rollback
    /// is not the end.
    pub deletes_on_failure: bool,
}

impl Watch<'_> {
    /// Work that only reads, which an interrupt may cut off anywhere.
    pub(super) async fn reading<T, E: Into<Error>>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T> {
        tokio::select! {
            done = work => done.map_err(Into::into),
            () = self.interrupt.wait() => {
                Err(ErrorKind::Interrupted("interrupted; nothing was changed".to_owned()).into())
            }
        }
    }

    /// A request that changes something. When an interrupt cuts it off, AWS may have taken it.
    pub(super) async fn requesting<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            () = self.interrupt.wait() => {
                let message = "interrupted while AWS was asked; if it has taken the request, it goes on".to_owned();
                Err(Error::from(ErrorKind::Interrupted(message)).with_hint(self.attach_hint()))
            }
        }
    }

    fn attach_hint(&self) -> String {
        format!("`{}` attaches again", self.attach)
    }
}

/// How an operation ended.
#[derive(Debug, Clone)]
pub struct Settled {
    pub status: StackStatus,
    /// The stack afterwards; `None` once it is deleted and forgotten.
    pub stack: Option<Stack>,
    /// The operation's events, oldest first.
    pub events: Vec<StackEvent>,
    /// Why it failed: first cause first, cancellations left out. Empty after a success.
    pub causes: Vec<Cause>,
}

impl Settled {
    /// The operation did what it was for.
    #[must_use]
    pub fn succeeded(&self, kind: OperationKind) -> bool {
        matches!(
            (kind, &self.status),
            (OperationKind::Create, StackStatus::CreateComplete)
                | (
                    OperationKind::Update,
                    StackStatus::UpdateComplete | StackStatus::ImportComplete
                )
                | (OperationKind::Delete, StackStatus::DeleteComplete)
        )
    }

    /// The failure that this ending is, with a hint when its cause is a known one.
    #[must_use]
    pub fn into_error(self, stack: &StackName, watch: &Watch<'_>) -> Error {
        let gone = self.status == StackStatus::DeleteComplete;
        let hint = self
            .causes
            .iter()
            .find_map(|cause| reason::hint(&cause.reason))
            .or_else(|| {
                (gone && self.causes.is_empty())
                    .then(|| format!("somebody deleted it meanwhile; `{}` makes it again", watch.attach))
            });
        let left = self.stack.as_ref().filter(|_| !gone).map(|found| {
            let resources: Vec<_> = self.causes.iter().map(|cause| cause.logical_id.as_str()).collect();
            match found.status {
                StackStatus::UpdateRollbackComplete => {
                    format!("stack `{stack}` as it was before the update ({})", found.status)
                }
                StackStatus::DeleteFailed => {
                    format!("stack `{stack}` ({}) with {}", found.status, resources.join(", "))
                }
                _ => format!("stack `{stack}` ({}); `{}` removes it", found.status, watch.remove),
            }
        });
        let failure = StackFailure {
            stack: stack.clone(),
            status: self.status,
            causes: self.causes,
            events: self.events,
        };
        let mut error = Error::from(ErrorKind::Stack(Box::new(failure)));
        error.hint = hint;
        error.left.extend(left);
        error
    }
}

/// A description that contradicts the events is believed after this long.
const EVENTS_MAY_LAG: Duration = Duration::from_secs(15);
/// A stack that AWS says does not exist, although its creation was accepted, is believed gone after this long.
const CREATION_MAY_LAG: Duration = Duration::from_secs(20);
/// A rollback that ought to be followed by deletion is taken for the end after this long.
const DELETION_MAY_LAG: Duration = Duration::from_secs(30);
/// Without any answer for this long, contact is lost.
const SILENCE: Duration = Duration::from_mins(5);

/// Watches the operation `kind` of the stack with this ARN until it settles, reporting every event once.
///
/// # Errors
/// `LostContact` after the time-out or when AWS stops answering, `Interrupted` when asked to stop. AWS goes on in all
/// three cases, and the hint names the command that attaches again.
pub async fn watch(aws: &Aws, stack_id: &str, kind: OperationKind, scope: Scope, watch: &Watch<'_>) -> Result<Settled> {
    let mut watching = Watching {
        aws,
        stack_id,
        kind,
        watch,
        log: EventLog::new(kind, scope),
        pace: Pace::new(),
        started: Instant::now(),
        answered: Instant::now(),
        contradiction: None,
    };
    let (status, stack) = watching.run().await?;
    let causes = if status == goal(kind) {
        Vec::new()
    } else {
        reason::causes(aws, stack_id, watching.log.events()).await
    };
    let name = stack.as_ref().map_or(stack_id, |stack| stack.name.as_str()).to_owned();
    let seconds = watching.started.elapsed().as_secs_f64();
    watch.reporter.report(&Event::Settled {
        stack: name,
        status: status.clone(),
        seconds,
    });
    Ok(Settled {
        status,
        stack,
        events: watching.log.events().to_vec(),
        causes,
    })
}

fn goal(kind: OperationKind) -> StackStatus {
    match kind {
        OperationKind::Create => StackStatus::CreateComplete,
        OperationKind::Update => StackStatus::UpdateComplete,
        OperationKind::Delete => StackStatus::DeleteComplete,
    }
}

struct Watching<'a> {
    aws: &'a Aws,
    stack_id: &'a str,
    kind: OperationKind,
    watch: &'a Watch<'a>,
    log: EventLog,
    pace: Pace,
    started: Instant,
    /// When the service last answered anything.
    answered: Instant,
    /// What events and description disagree about, and since when.
    contradiction: Option<(StackStatus, Instant)>,
}

type Ending = (StackStatus, Option<Stack>);

impl Watching<'_> {
    async fn run(&mut self) -> Result<Ending> {
        let interrupt = self.watch.interrupt;
        let mut round = 0_u32;
        loop {
            self.rest().await?;
            let began = self.started.elapsed();
            let looked = tokio::select! {
                looked = self.look(round) => looked,
                () = interrupt.wait() => return Err(self.interrupted()),
            };
            match looked {
                Ok(Some(ending)) => return Ok(ending),
                Ok(None) => self.pace.answered(began, self.started.elapsed()),
                Err(error) => self.bear(&error)?,
            }
            round = round.wrapping_add(1);
        }
    }

    /// One read: of the history, or every eighth time of the description, which may know more. When the one says that
    /// it is over, the other is asked at once.
    async fn look(&mut self, round: u32) -> Result<Option<Ending>> {
        let stack = if round % 8 == 7 {
            let stack = describe(self.aws, self.stack_id).await?;
            self.answered = Instant::now();
            if stack.as_ref().is_some_and(|stack| !stack.status.settled()) {
                self.contradiction = None;
                return Ok(None);
            }
            self.read_events().await?;
            stack
        } else {
            self.read_events().await?;
            if !self.over() {
                return Ok(None);
            }
            let (stack, late) = tokio::join!(
                describe(self.aws, self.stack_id),
                self.log.read(self.aws, self.stack_id)
            );
            let stack = stack?;
            self.answered = Instant::now();
            // Late events belong to the story, but must not fail an operation that is over.
            self.report(&late.unwrap_or_default());
            stack
        };
        if let Some(status) = self.log.overtaken() {
            return Ok(Some((status, stack)));
        }
        let by_events = self.log.stack_status();
        let Some(stack) = stack else {
            return Ok(self.without_description(by_events.as_ref()));
        };
        Ok(self.judge(by_events.as_ref(), stack))
    }

    async fn read_events(&mut self) -> Result<()> {
        match self.log.read(self.aws, self.stack_id).await {
            Ok(fresh) => self.report(&fresh),
            // A stack that has just been accepted, or is already gone; the description tells which.
            Err(error) if error.is("ValidationError") => {}
            Err(error) => return Err(error.into()),
        }
        self.answered = Instant::now();
        Ok(())
    }

    /// By the history.
    fn over(&self) -> bool {
        self.log.stack_status().is_some_and(|status| status.settled()) || self.log.overtaken().is_some()
    }

    /// AWS says that there is no such stack.
    fn without_description(&mut self, by_events: Option<&StackStatus>) -> Option<Ending> {
        let deleting = self.kind == OperationKind::Delete
            || matches!(
                by_events,
                Some(StackStatus::DeleteInProgress | StackStatus::DeleteComplete)
            );
        let patience = if deleting { Duration::ZERO } else { CREATION_MAY_LAG };
        self.lasts(StackStatus::DeleteComplete, patience)
            .then_some((StackStatus::DeleteComplete, None))
    }

    fn judge(&mut self, by_events: Option<&StackStatus>, stack: Stack) -> Option<Ending> {
        let described = stack.status.clone();
        let agreed = by_events == Some(&described) && described.settled();
        let patience = if !described.settled() {
            self.contradiction = None;
            return None;
        } else if agreed && self.watch.deletes_on_failure && described == StackStatus::RollbackComplete {
            DELETION_MAY_LAG
        } else if agreed || described == StackStatus::DeleteComplete {
            // One that is gone by its id stays gone, whoever deleted it.
            Duration::ZERO
        } else if by_events.is_none() && described != goal(self.kind) {
            // The operation has not shown at all: this is the time before it.
            return None;
        } else {
            EVENTS_MAY_LAG
        };
        self.lasts(described.clone(), patience)
            .then_some((described, Some(stack)))
    }

    /// Whether `status` has been described for as long as `patience` without a break.
    fn lasts(&mut self, status: StackStatus, patience: Duration) -> bool {
        let since = match &self.contradiction {
            Some((before, since)) if *before == status => *since,
            _ => Instant::now(),
        };
        self.contradiction = Some((status, since));
        since.elapsed() >= patience
    }

    fn report(&self, events: &[StackEvent]) {
        for event in events {
            self.watch.reporter.report(&Event::Stack(event.clone()));
        }
    }

    /// Throttling and lost reads slow the watching down; anything else, or a long silence, ends it.
    fn bear(&mut self, error: &Error) -> Result<()> {
        let reason = match &*error.kind {
            ErrorKind::Aws(aws) if aws.kind == AwsErrorKind::Throttled => WaitReason::Throttled,
            ErrorKind::Aws(aws) if aws.kind.is_transient() => WaitReason::ConnectionLost,
            _ => return Err(self.lost(error)),
        };
        if self.answered.elapsed() > SILENCE {
            return Err(self.lost(error));
        }
        self.pace.refused();
        tracing::debug!(%error, "a read failed");
        let seconds = self.pace.next(self.started.elapsed()).as_secs_f64();
        self.watch.reporter.report(&Event::Waiting { reason, seconds });
        Ok(())
    }

    async fn rest(&mut self) -> Result<()> {
        let mut wait = self.pace.next(self.started.elapsed());
        if let Some(timeout) = self.watch.timeout {
            let left = timeout.saturating_sub(self.started.elapsed());
            if left.is_zero() {
                let limit = humantime::format_duration(timeout);
                let message = format!("the stack has not settled within {limit}; AWS goes on");
                return Err(Error::from(ErrorKind::LostContact(message)).with_hint(self.watch.attach_hint()));
            }
            wait = wait.min(left);
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = self.watch.interrupt.wait() => Err(self.interrupted()),
        }
    }

    fn interrupted(&self) -> Error {
        Error::from(ErrorKind::Interrupted("stopped watching; AWS goes on".to_owned()))
            .with_hint(self.watch.attach_hint())
    }

    fn lost(&self, error: &Error) -> Error {
        let attach = self.watch.attach_hint();
        let hint = error
            .hint
            .as_ref()
            .map_or(attach.clone(), |first| format!("{first}; then {attach}"));
        Error::from(ErrorKind::LostContact(format!("lost contact with the stack: {error}"))).with_hint(hint)
    }
}
