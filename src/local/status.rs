//! The local AWS as it is right now.

use serde::Serialize;

use super::environments::{Environment, environments};
use super::lifecycle::{Local, find};
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
    /// Bytes of memory; absent where the system does not tell.
    pub memory: Option<u64>,
}

/// Looks at it without starting it.
///
/// # Errors
/// When its state cannot be read or it stops answering meanwhile.
pub async fn status(options: &Options) -> Result<Status> {
    let running = match find(options).await? {
        Some(local) => Some(running(&local).await?),
        None => None,
    };
    Ok(Status {
        running,
        home: options.home.clone(),
    })
}

async fn running(local: &Local) -> Result<Running> {
    let redis = local.state.redis;
    let redis_version = redis::info(redis.port).await.and_then(|info| info.version());
    let server = |name, of: super::state::Process| Server {
        name,
        pid: of.pid,
        port: of.port,
        memory: process::resident_bytes(of.pid),
    };
    Ok(Running {
        endpoint: local.endpoint(),
        redis_url: local.redis_url(),
        started: local.state.started,
        servers: vec![
            server(format!("ministack {}", ministack::VERSION), local.aws),
            server(redis_version.unwrap_or_else(|| "Redis".to_owned()), redis),
        ],
        environments: environments(local).await?,
    })
}
