//! Starting the servers and waiting until they answer.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tokio::process::Child;

use super::lifecycle::{Local, patiently};
use super::lock::interrupted;
use super::places::{Options, log_tail};
use super::state::{self, Process, State};
use super::{install, ministack, port, process, redis};
use crate::error::{Error, Result};
use crate::event::{Event, LocalStep, Reporter};
use crate::interrupt::Interrupt;
use crate::time::Timestamp;

/// Another process may take a port between our choosing it and the server's binding it.
const ATTEMPTS: usize = 5;

/// Both servers anew, empty; what still runs of earlier ones is ended first. The caller holds the lock, and ends what
/// was started when this fails.
pub(super) async fn start(options: &Options, reporter: &dyn Reporter, interrupt: &Interrupt) -> Result<Local> {
    let redis_server = redis::find(options.redis_server.as_deref()).await?;
    let python = install::ensure(options, reporter, interrupt).await?;
    process::end_all_in(&options.run_dir()).await?;
    let spawn_redis = |port| {
        reporter.report(&Event::Local(LocalStep::StartingRedis { port }));
        redis::spawn(&redis_server, options, port)
    };
    let redis = on_a_free_port(&options.redis_log(), interrupt, spawn_redis, redis::answers).await?;
    let mut state = State {
        started: Timestamp::now(),
        redis,
        aws: None,
        regions: BTreeSet::new(),
    };
    state::write(options, &state)?;
    let spawn_aws = |port| {
        reporter.report(&Event::Local(LocalStep::StartingAws { port }));
        ministack::spawn(&python, options, port, redis.port)
    };
    let answers = async |port, _| ministack::answers(port).await;
    let aws = on_a_free_port(&options.aws_log(), interrupt, spawn_aws, answers).await?;
    state.aws = Some(aws);
    state::write(options, &state)?;
    Ok(Local { state, aws })
}

/// Redis again, on the port that ministack tells its clients; everything anew when that port is taken.
pub(super) async fn mend_redis(
    options: &Options,
    local: Local,
    reporter: &dyn Reporter,
    interrupt: &Interrupt,
) -> Result<Local> {
    let Local { mut state, aws } = local;
    let port = state.redis.port;
    let redis_server = redis::find(options.redis_server.as_deref()).await?;
    reporter.report(&Event::Local(LocalStep::Restarting {
        what: "Redis".to_owned(),
    }));
    process::kill_in(&options.run_dir(), state.redis.pid).await;
    port::released(port).await;
    let child = redis::spawn(&redis_server, options, port)?;
    let warn = |message: &str, hint: &str| {
        reporter.report(&Event::Warning {
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
        });
    };
    if let Some(redis) = up(child, port, redis::answers).await {
        warn(
            "the local Redis had stopped: what it held is gone",
            "fill it again with `rstack seed`",
        );
        state.redis = redis;
        state::write(options, &state)?;
        return Ok(Local { state, aws });
    }
    warn(
        "the local Redis had stopped, and its port is taken: the environments of the local AWS are gone",
        "bring them up again with `rstack up`",
    );
    start(options, reporter, interrupt).await
}

/// Spawns a server on one free port after the other until it does not find the port taken.
async fn on_a_free_port(
    log: &Path,
    interrupt: &Interrupt,
    spawn: impl Fn(u16) -> Result<Child>,
    answers: impl AsyncFn(u16, u32) -> bool,
) -> Result<Process> {
    for _ in 0..ATTEMPTS {
        let port = port::free()?;
        let child = spawn(port)?;
        let process = tokio::select! {
            process = up(child, port, &answers) => process,
            () = interrupt.wait() => return Err(interrupted()),
        };
        if let Some(process) = process {
            return Ok(process);
        }
        let said = fs::read(log).unwrap_or_default();
        if !String::from_utf8_lossy(&said).to_lowercase().contains("already in use") {
            break;
        }
    }
    let name = log.file_stem().unwrap_or_default().display();
    Err(Error::local(format!("{name} does not start: {}", log_tail(log)))
        .with_hint(format!("its whole output is in `{}`", log.display())))
}

/// Waits until the server answers; `None` when it ends or stays silent.
async fn up(mut child: Child, port: u16, answers: impl AsyncFn(u16, u32) -> bool) -> Option<Process> {
    let pid = child.id()?;
    let answered = tokio::select! {
        answered = patiently(|| true, async || answers(port, pid).await) => answered,
        _ = child.wait() => false,
    };
    answered.then_some(Process { pid, port })
}
