//! The server that answers as AWS.

use std::path::Path;
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::{Child, Command};

use super::DEFAULT_REGION;
use super::places::{Options, fresh_log};
use super::port;
use crate::error::{Error, Result};

pub(super) const VERSION: &str = "1.5.33";
const ACCOUNT: &str = "123456789012";
/// What the presets need, and what people's own templates most often hold besides.
const SERVICES: &str = "cloudformation,s3,dynamodb,elasticache,ec2,sts,secretsmanager,iam,logs,sns,sqs";

/// `python -m ministack`, with a collector that looks less often. What is stored makes no cycles, and looking through all of it
/// again and again takes a fifth of the time of an upload; memory stays the same.
const START: &str = "import gc, runpy
gc.set_threshold(10_000, 20, 50)
runpy.run_module('ministack', run_name='__main__', alter_sys=True)";

/// What pip is asked for.
pub(super) fn requirement() -> String {
    format!("ministack=={VERSION}")
}

/// Starts it in memory only. It outlives this process, and Ctrl-C in the terminal does not reach its process group.
/// Its environment is made from nothing, because it takes settings from dozens of variables.
pub(super) fn spawn(python: &Path, options: &Options, port: u16, redis_port: u16) -> Result<Child> {
    let log = fresh_log(&options.aws_log())?;
    let complaints = log
        .try_clone()
        .map_err(|e| Error::file("write", options.aws_log(), e))?;
    let dir = options.run_dir();
    Command::new(python)
        .args(["-c", START])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", &dir)
        .env("TMPDIR", &dir)
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("REDIS_HOST", "127.0.0.1")
        .env("REDIS_PORT", redis_port.to_string())
        .env("MINISTACK_REGION", DEFAULT_REGION)
        .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
        .env("SERVICES", SERVICES)
        // Otherwise it would run ElastiCache in containers where it can, and ignore our Redis.
        .env("DOCKER_HOST", "unix:///nonexistent")
        .env("SFTP_ENABLED", "0")
        .env("IOT_MTLS_ENABLED", "0")
        .env("LOG_LEVEL", "WARNING")
        .env("PERSIST_STATE", "0")
        .env("S3_PERSIST", "0")
        .current_dir(&dir)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(complaints)
        .process_group(0)
        .spawn()
        .map_err(|e| Error::file("run", python, e))
}

/// Whether the server on `port` answers, and is the version we know.
pub(super) async fn answers(port: u16) -> bool {
    #[derive(Deserialize)]
    struct Health {
        version: String,
    }
    let health = |answer: &[u8]| {
        let body = answer
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .map(|end| &answer[end + 4..])?;
        serde_json::from_slice::<Health>(body).ok()
    };
    let request = "GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    port::ask(port, request, |answer| health(answer).is_some())
        .await
        .and_then(|answer| health(&answer))
        .is_some_and(|health| health.version == VERSION)
}
