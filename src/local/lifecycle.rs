//! Finding, starting, mending and stopping the two servers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::environments::environments;
use super::launch;
use super::lock::{InUse, Lock};
use super::places::Options;
use super::state::{self, Process, Recorded, State};
use super::{DEFAULT_REGION, ministack, process, redis};
use crate::aws::Access;
use crate::error::{Error, Result};
use crate::event::{Event, LocalStep, Reporter};
use crate::interrupt::Interrupt;

/// How long a server may take to answer. Generous, because giving one up loses what it holds: a machine under full
/// load has taken seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

const MEND: &str = "`rstack local start` mends it";

/// A running local AWS.
#[derive(Debug, Clone)]
pub struct Local {
    pub(super) state: State,
    pub(super) aws: Process,
}

impl Local {
    /// For the AWS SDKs and tools: "http://127.0.0.1:PORT".
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.aws.port)
    }

    /// "redis://127.0.0.1:PORT".
    #[must_use]
    pub fn redis_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.state.redis.port)
    }

    /// One URL for each database of its Redis that holds keys.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn redis_databases(&self) -> Result<Vec<String>> {
        let databases = redis::databases(self.state.redis.port).await;
        let silent = || Error::local("the Redis of the local AWS does not answer").with_hint(MEND);
        let url = |database| format!("{}/{database}", self.redis_url());
        Ok(databases.ok_or_else(silent)?.into_iter().map(url).collect())
    }

    /// What [`crate::aws::Aws::connect`] needs.
    #[must_use]
    pub fn access(&self, region: Option<&str>) -> Access {
        Access {
            region: Some(region.unwrap_or(DEFAULT_REGION).to_owned()),
            profile: None,
            endpoint_url: Some(self.endpoint()),
            role_arn: None,
            credentials: Some(("test".to_owned(), "test".to_owned())),
        }
    }

    pub(super) fn regions(&self) -> &BTreeSet<String> {
        &self.state.regions
    }
}

/// What was found of a local AWS that is remembered.
pub(super) enum Found {
    Running(Local),
    /// Only its Redis is gone.
    WithoutRedis(Local),
    Dead,
    Nothing,
}

/// The local AWS, if it is running; its Redis may be gone, which [`ensure`] mends.
///
/// # Errors
/// When its state cannot be read.
pub async fn find(options: &Options) -> Result<Option<Local>> {
    Ok(match look(options).await? {
        Found::Running(local) | Found::WithoutRedis(local) => Some(local),
        Found::Dead | Found::Nothing => None,
    })
}

/// The local AWS, made on first use, started when it is not running, and mended when half of it is gone. Two callers
/// at once get the same one. `region` is the one the caller is going to use.
///
/// # Errors
/// When Python or Redis is missing (the hint says what to install), the installation fails, or a server does not come
/// up; interrupted.
pub async fn ensure(
    options: &Options,
    region: Option<&str>,
    reporter: &dyn Reporter,
    interrupt: &Interrupt,
) -> Result<Local> {
    let region = region.unwrap_or(DEFAULT_REGION);
    if let Found::Running(local) = look(options).await?
        && local.state.regions.contains(region)
    {
        return Ok(local);
    }
    let began = Instant::now();
    let lock = Lock::acquire(options, reporter, interrupt).await?;
    let mut local = match look(options).await? {
        Found::Running(local) => local,
        found => {
            let local = revive(options, found, reporter, interrupt).await?;
            let seconds = began.elapsed().as_secs_f64();
            let endpoint = local.endpoint();
            reporter.report(&Event::Local(LocalStep::Ready { endpoint, seconds }));
            local
        }
    };
    if local.state.regions.insert(region.to_owned()) {
        state::write(options, &local.state)?;
    }
    drop(lock);
    Ok(local)
}

/// Stops it and forgets it; what its environments held is lost. Returns whether anything ran.
///
/// # Errors
/// When a process does not end.
pub async fn stop(options: &Options, reporter: &dyn Reporter, interrupt: &Interrupt) -> Result<bool> {
    let dir = options.run_dir();
    if !dir.exists() && process::all_in(&dir).is_empty() {
        return Ok(false);
    }
    let _lock = Lock::acquire(options, reporter, interrupt).await?;
    let ran = !process::all_in(&dir).is_empty();
    if ran {
        reporter.report(&Event::Local(LocalStep::Stopping));
        process::end_all_in(&dir).await?;
    }
    state::remove(options)?;
    if ran {
        reporter.report(&Event::Local(LocalStep::Stopped));
    }
    Ok(ran)
}

/// Stops it when no stack is left in any region and no other command uses it: that one then does so at its own end.
/// Returns whether it was stopped.
///
/// # Errors
/// As [`stop`], and when the stacks cannot be listed.
pub async fn stop_if_unused(
    options: &Options,
    in_use: &InUse,
    reporter: &dyn Reporter,
    interrupt: &Interrupt,
) -> Result<bool> {
    if !in_use.is_alone()? {
        return Ok(false);
    }
    match find(options).await? {
        Some(local) if environments(&local).await?.is_empty() => stop(options, reporter, interrupt).await,
        _ => Ok(false),
    }
}

/// Brings up what is not running. When that fails, nothing is left running.
async fn revive(options: &Options, found: Found, reporter: &dyn Reporter, interrupt: &Interrupt) -> Result<Local> {
    let revived = match found {
        Found::Running(local) => Ok(local),
        Found::WithoutRedis(local) => launch::mend_redis(options, local, reporter, interrupt).await,
        Found::Nothing => launch::start(options, reporter, interrupt).await,
        Found::Dead => {
            let what = "the local AWS".to_owned();
            reporter.report(&Event::Local(LocalStep::Restarting { what }));
            let message = "the local AWS had stopped: the environments in it are gone".to_owned();
            let hint = Some("bring them up again with `rstack up`".to_owned());
            reporter.report(&Event::Warning { message, hint });
            launch::start(options, reporter, interrupt).await
        }
    };
    if revived.is_err() {
        process::end_all_in(&options.run_dir()).await?;
        state::remove(options)?;
    }
    revived
}

pub(super) async fn look(options: &Options) -> Result<Found> {
    let state = match state::read(options)? {
        Recorded::State(state) => state,
        Recorded::Unreadable => return Ok(Found::Dead),
        Recorded::Nothing => return Ok(Found::Nothing),
    };
    let Some(aws) = state.aws else { return Ok(Found::Dead) };
    let dir = options.run_dir();
    let redis = state.redis;
    let (aws_answers, redis_answers) = tokio::join!(
        patiently(|| process::runs_in(aws.pid, &dir), || ministack::answers(aws.port)),
        patiently(
            || process::runs_in(redis.pid, &dir),
            || redis::answers(redis.port, redis.pid)
        ),
    );
    let local = Local { state, aws };
    Ok(match (aws_answers, redis_answers) {
        (true, true) => Found::Running(local),
        (true, false) => Found::WithoutRedis(local),
        (false, _) => Found::Dead,
    })
}

/// Asks until the server answers, is no longer alive, or patience ends.
pub(super) async fn patiently(alive: impl Fn() -> bool, answers: impl AsyncFn() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while alive() {
        if answers().await {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        sleep(Duration::from_millis(10)).await;
    }
    false
}
