//! The Redis server of the local AWS.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::places::{Options, fresh_log};
use super::port;
use crate::error::{Error, Result};

const OLDEST: (u32, u32) = (6, 0);
const INSTALL: &str = "install Redis or Valkey: `apt-get install redis-server`, `dnf install valkey` or \
                       `brew install redis`; or name a server with RSTACK_REDIS_SERVER";

/// The server program.
///
/// # Errors
/// When there is none, or it is too old: what to install.
pub(super) async fn find(named: Option<&Path>) -> Result<PathBuf> {
    let candidates = match named {
        Some(server) => vec![server.to_owned()],
        None => vec![PathBuf::from("redis-server"), PathBuf::from("valkey-server")],
    };
    for server in candidates {
        let Ok(output) = Command::new(&server)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .await
        else {
            continue;
        };
        let text = String::from_utf8_lossy(&output.stdout);
        return match version(&text) {
            Some((_, numbers)) if numbers >= OLDEST => Ok(server),
            Some((version, _)) => {
                let name = server.display();
                Err(
                    Error::local(format!("the local AWS needs Redis 6.0 or newer; `{name}` is {version}"))
                        .with_hint(INSTALL),
                )
            }
            None => Err(Error::local(format!("`{}` is not a Redis server", server.display())).with_hint(INSTALL)),
        };
    }
    let error = match named {
        Some(server) => format!("RSTACK_REDIS_SERVER names `{}`, which does not run", server.display()),
        None => "the local AWS needs a Redis, and neither `redis-server` nor `valkey-server` is in PATH".to_owned(),
    };
    Err(Error::local(error).with_hint(INSTALL))
}

/// From "Redis server v=7.0.15 sha=…": the version as it stands, and its first two numbers.
fn version(text: &str) -> Option<(&str, (u32, u32))> {
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("v="))?;
    let mut numbers = version.split('.').map(str::parse);
    Some((version, (numbers.next()?.ok()?, numbers.next()?.ok()?)))
}

/// Starts it in memory only. It outlives this process, and Ctrl-C in the terminal does not reach its process group.
pub(super) fn spawn(server: &Path, options: &Options, port: u16) -> Result<Child> {
    let log = fresh_log(&options.redis_log())?;
    let complaints = log
        .try_clone()
        .map_err(|e| Error::file("write", options.redis_log(), e))?;
    let (dir, port) = (options.run_dir(), port.to_string());
    Command::new(server)
        // The name that `process` looks for, whatever the program is called.
        .arg0("redis-server")
        .args(["--port", &port, "--bind", "127.0.0.1", "--protected-mode", "yes"])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no", "--dir"])
        .arg(&dir)
        .current_dir(&dir)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(complaints)
        .process_group(0)
        .spawn()
        .map_err(|e| Error::file("run", server, e))
}

/// What a running server tells of itself.
#[derive(Debug)]
pub(super) struct Info(String);

/// Asks the server on `port`; `None` when it does not answer.
pub(super) async fn info(port: u16) -> Option<Info> {
    section(port, "server").await
}

/// The databases of the server on `port` that hold keys; `None` when it does not answer.
pub(super) async fn databases(port: u16) -> Option<Vec<u32>> {
    Some(section(port, "keyspace").await?.databases())
}

async fn section(port: u16, name: &str) -> Option<Info> {
    // RESP: "$length\r\n", the text, "\r\n".
    let whole = |answer: &[u8]| {
        let text = String::from_utf8_lossy(answer);
        let Some((head, body)) = text.strip_prefix('$').and_then(|text| text.split_once("\r\n")) else {
            return false;
        };
        head.parse().is_ok_and(|length: usize| body.len() >= length)
    };
    let answer = port::ask(port, &format!("INFO {name}\r\n"), whole).await?;
    Some(Info(String::from_utf8_lossy(&answer).into_owned()))
}

impl Info {
    pub(super) fn process_id(&self) -> Option<u32> {
        self.field("process_id:")?.parse().ok()
    }

    /// "Redis 7.0.15". Valkey also gives a `redis_version`, the one it is compatible with.
    pub(super) fn version(&self) -> Option<String> {
        let valkey = self.field("valkey_version:").map(|version| format!("Valkey {version}"));
        valkey.or_else(|| Some(format!("Redis {}", self.field("redis_version:")?)))
    }

    /// From "db3:keys=7,expires=0,avg_ttl=0": 3.
    fn databases(&self) -> Vec<u32> {
        let number = |line: &str| line.strip_prefix("db")?.split_once(":keys=")?.0.parse().ok();
        self.0.lines().filter_map(number).collect()
    }

    fn field(&self, key: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(key)).map(str::trim)
    }
}

/// Whether the server on `port` answers, and is the process `pid`.
pub(super) async fn answers(port: u16, pid: u32) -> bool {
    info(port).await.and_then(|info| info.process_id()) == Some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_that_hold_keys_are_read() {
        let info = Info("$50\r\n# Keyspace\r\ndb0:keys=1,expires=0\r\ndb12:keys=7,expires=0\r\n".to_owned());
        assert_eq!(info.databases(), [0, 12]);
    }

    #[test]
    fn versions_of_both_servers_are_read() {
        let redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64";
        let valkey = "Valkey server v=8.1.1 sha=00000000:0 malloc=libc bits=64";
        assert_eq!(version(redis), Some(("7.0.15", (7, 0))));
        assert_eq!(version(valkey), Some(("8.1.1", (8, 1))));
        assert_eq!(version("GNU bash, version 5.2"), None);
    }
}
