//! Publishing to several stores: durable ones first, at once; Redis when they have confirmed.

use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use futures_util::future::join_all;

use super::plan::{Plan, plan};
use super::report::{Report, StoreReport, StoreState};
use super::send::{Ending, Sending, Sent};
use super::{Area, Tree};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Reporter;
use crate::interrupt::Interrupt;
use crate::store::{Store, StoreError, Trouble};

/// What to publish, and where.
#[derive(Clone, Copy)]
pub struct Publish<'a> {
    pub tree: &'a Tree,
    pub area: &'a Area,
    /// The stack that the stores belong to.
    pub stack_id: &'a str,
    pub stores: &'a [&'a dyn Store],
    /// Of those, the ones that did not answer a moment ago: they are not waited for again.
    pub unanswered: &'a [StoreError],
    /// Only find out what would be done.
    pub dry_run: bool,
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
}

/// Publishes a tree to an area. A store that fails or cannot be reached is named in the report; the others are done
/// all the same, except that Redis never gets ahead of a durable store.
///
/// # Errors
/// Refused when the area lies inside another; the store's own error when not one store could be written; Interrupted
/// when a stop was asked for, with how far it came.
pub async fn publish(job: &Publish<'_>) -> Result<Report> {
    let start = Instant::now();
    let plans = look(job).await?;
    let mut stores = Vec::with_capacity(plans.len());
    if job.dry_run {
        stores.extend(plans.iter().map(|(store, plan)| match plan {
            Ok(plan) => planned(job, plan, start),
            Err(error) => failed(*store, error, start),
        }));
    } else {
        write(job, &plans, &mut stores).await;
    }
    let report = Report {
        area: job.area.clone(),
        directory: job.tree.root().map(Into::into),
        files: job.tree.len() as u64,
        bytes: job.tree.bytes(),
        dry_run: job.dry_run,
        stores,
        seconds: start.elapsed().as_secs_f64(),
    };
    if report.stores.iter().any(|store| store.state == StoreState::Interrupted) {
        return Err(interrupted(&report));
    }
    // With nothing written anywhere this is no half success.
    let all_failed = report
        .stores
        .iter()
        .all(|store| matches!(store.state, StoreState::Failed | StoreState::HeldBack));
    let cause = report.stores.iter().find_map(|store| store.trouble.cause.clone());
    match cause {
        Some(error) if all_failed => Err(error.into()),
        _ => Ok(report),
    }
}

type Looked<'a> = Vec<(&'a dyn Store, Result<Plan<'a>, StoreError>)>;

/// Looks at every store before anything is written to one of them.
async fn look<'a>(job: &Publish<'a>) -> Result<Looked<'a>> {
    let looking = job.stores.iter().map(async |store| {
        let known = job.unanswered.iter().find(|error| error.store == store.kind());
        match known {
            Some(error) => Err(error.clone().into()),
            None => plan(job, *store).await,
        }
    });
    let looking = join_all(looking);
    let plans = tokio::select! {
        plans = looking => plans,
        () = job.interrupt.wait() => {
            return Err(ErrorKind::Interrupted("interrupted before any plain file was sent".to_owned()).into());
        }
    };
    let plans = job.stores.iter().zip(plans).map(|(store, plan)| match plan {
        Ok(plan) => Ok((*store, Ok(plan))),
        Err(error) => match *error.kind {
            ErrorKind::Store(error) => Ok((*store, Err(error))),
            _ => Err(error),
        },
    });
    plans.collect()
}

async fn write(job: &Publish<'_>, plans: &Looked<'_>, reports: &mut Vec<StoreReport>) {
    let run = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
    let (durable, rest): (Vec<_>, Vec<_>) = plans.iter().partition(|(store, _)| store.kind().durable());
    for group in [durable, rest] {
        let behind = reports
            .iter()
            .find(|report| report.state != StoreState::Done)
            .map(|report| report.store);
        let writing = group.into_iter().map(async |(store, plan)| match (behind, plan) {
            (_, Err(error)) => failed(*store, error, Instant::now()),
            (Some(behind), Ok(plan)) => held_back(job, plan, behind.as_str()),
            (None, Ok(plan)) => write_one(job, plan, &run).await,
        });
        reports.extend(join_all(writing).await);
    }
}

async fn write_one(job: &Publish<'_>, plan: &Plan<'_>, run: &str) -> StoreReport {
    let start = Instant::now();
    let (sent, ending) = Sending { job, plan, run }.carry_out().await;
    let (state, trouble) = match ending {
        Ending::Done => (StoreState::Done, Trouble::default()),
        Ending::Interrupted => (StoreState::Interrupted, Trouble::default()),
        Ending::Raced => (StoreState::Raced, raced(plan.store, job.area)),
        Ending::Failed(error) => (StoreState::Failed, error.into()),
    };
    StoreReport {
        state,
        trouble,
        ..done(plan, sent, start)
    }
}

fn done(plan: &Plan<'_>, sent: Sent, start: Instant) -> StoreReport {
    StoreReport {
        store: plan.store.kind(),
        state: StoreState::Done,
        sent: sent.files,
        sent_bytes: sent.bytes,
        unchanged: (plan.wanted.len() - plan.send.len()) as u64,
        removed: sent.removed,
        skipped: plan.skipped.clone(),
        changes: None,
        seconds: start.elapsed().as_secs_f64(),
        trouble: Trouble::default(),
    }
}

fn planned(job: &Publish<'_>, plan: &Plan<'_>, start: Instant) -> StoreReport {
    let sent = Sent {
        files: plan.send.len() as u64,
        bytes: plan.send_bytes(job),
        removed: plan.remove.len() as u64,
    };
    StoreReport {
        state: StoreState::Planned,
        changes: Some(plan.changes(job)),
        ..done(plan, sent, start)
    }
}

fn held_back(job: &Publish<'_>, plan: &Plan<'_>, behind: &str) -> StoreReport {
    let message = format!(
        "left as it is, because {behind} does not have all of area `{}` yet",
        job.area
    );
    StoreReport {
        state: StoreState::HeldBack,
        trouble: Trouble::of(message).with_hint("run the same command again once that is mended"),
        ..done(plan, Sent::default(), Instant::now())
    }
}

fn failed(store: &dyn Store, error: &StoreError, start: Instant) -> StoreReport {
    StoreReport {
        store: store.kind(),
        state: StoreState::Failed,
        sent: 0,
        sent_bytes: 0,
        unchanged: 0,
        removed: 0,
        skipped: Vec::new(),
        changes: None,
        seconds: start.elapsed().as_secs_f64(),
        trouble: error.clone().into(),
    }
}

fn raced(store: &dyn Store, area: &Area) -> Trouble {
    Trouble::of(format!(
        "{}: another publishing to area `{area}` came in between",
        store.kind()
    ))
    .with_hint("run the same command again once the other has ended")
}

fn interrupted(report: &Report) -> Error {
    let far: Vec<String> = report
        .stores
        .iter()
        .map(|store| match store.state {
            StoreState::HeldBack => format!("{} was not begun", store.store),
            StoreState::Failed => format!("{} failed", store.store),
            _ => format!(
                "{} has {} of {} files",
                store.store,
                store.unchanged + store.sent,
                report.files
            ),
        })
        .collect();
    Error::from(ErrorKind::Interrupted(format!(
        "interrupted while publishing to area `{}`: {}",
        report.area,
        far.join(", ")
    )))
    .with_hint("run the same command again to complete it; what is there is not sent twice")
}
