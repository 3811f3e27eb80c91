//! The local AWS as it is right now.

use serde::Serialize;

use super::environments::{Environment, environments};
use super::lifecycle::{Found, Local, look};
use super::places::Options;
use super::{ministack, process, redis};
use crate::error::Result;
use crate::time::Timestamp;

#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub running: Option<Running>,
    pub home: std::path::PathBuf,
}

#[derive(Debug, Clone, Serialize)]
pub struct Running {
    pub endpoint: String,
    pub redis_url: String,
    pub started: Timestamp,
    pub servers: Vec<Server>,
    pub environments: Vec<Environment>,
}

/// One of its processes.
#[derive(Debug, Clone, Serialize)]
pub struct Server {
    /// "ministack 1.5.33", "Redis 7.0.15".
    pub name: String,
    pub pid: u32,
    pub port: u16,
    /// The next command that uses the local AWS mends one that does not.
    pub answers: bool,
    /// Bytes of memory; absent where the system does not tell.
    pub memory: Option<u64>,
}

/// Looks at it without starting it.
///
/// # Errors
/// When its state cannot be read or it stops answering meanwhile.
pub async fn status(options: &Options) -> Result<Status> {
    let running = match look(options).await? {
        Found::Running(local) => Some(running(&local, true).await?),
        Found::WithoutRedis(local) => Some(running(&local, false).await?),
        Found::Dead | Found::Nothing => None,
    };
    Ok(Status {
        running,
        home: options.home.clone(),
    })
}

async fn running(local: &Local, redis_answers: bool) -> Result<Running> {
    let redis = local.state.redis;
    let redis_info = if redis_answers {
        redis::info(redis.port).await
    } else {
        None
    };
    let redis_version = redis_info.and_then(|info| info.version());
    let server = |name, of: super::state::Process, answers| Server {
        name,
        pid: of.pid,
        port: of.port,
        answers,
        // The process id of one that is gone may be another program's by now.
        memory: if answers { process::resident_bytes(of.pid) } else { None },
    };
    Ok(Running {
        endpoint: local.endpoint(),
        redis_url: local.redis_url(),
        started: local.state.started,
        servers: vec![
            server(format!("ministack {}", ministack::VERSION), local.aws, true),
            server(
                redis_version.unwrap_or_else(|| "Redis".to_owned()),
                redis,
                redis_answers,
            ),
        ],
        environments: environments(local).await?,
    })
}
