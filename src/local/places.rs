//! Where the parts of the local AWS are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Which local AWS, and the programs it is made of.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The folder that holds all of it: virtual environment, logs, state.
    pub home: PathBuf,
    /// The Python to make the virtual environment with; found in PATH when absent.
    pub python: Option<PathBuf>,
    /// The Redis server; `redis-server` or `valkey-server` in PATH when absent.
    pub redis_server: Option<PathBuf>,
}

impl Options {
    pub(super) fn lock(&self) -> PathBuf {
        self.home.join("local/lock")
    }

    pub(super) fn in_use(&self) -> PathBuf {
        self.home.join("local/in-use")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.home.join("local/state.json")
    }

    pub(super) fn venv(&self) -> PathBuf {
        self.home.join("local/venv")
    }

    /// Both servers run in this folder, and nothing else does: it is how a process is known to be ours.
    pub(super) fn run_dir(&self) -> PathBuf {
        self.as_the_system_shows("local/run")
    }

    /// Likewise of the installation.
    pub(super) fn install_dir(&self) -> PathBuf {
        self.as_the_system_shows("local/install")
    }

    /// Without symbolic links.
    fn as_the_system_shows(&self, dir: &str) -> PathBuf {
        let dir = self.home.join(dir);
        dir.canonicalize().unwrap_or(dir)
    }

    /// The output of ministack.
    #[must_use]
    pub fn aws_log(&self) -> PathBuf {
        self.home.join("local/log/ministack.log")
    }

    /// The output of the Redis server.
    #[must_use]
    pub fn redis_log(&self) -> PathBuf {
        self.home.join("local/log/redis.log")
    }

    pub(super) fn make_folders(&self) -> Result<()> {
        for dir in [self.run_dir(), self.install_dir(), self.home.join("local/log")] {
            fs::create_dir_all(&dir).map_err(|e| Error::file("make", dir, e))?;
        }
        Ok(())
    }
}

/// A new log file; the one before is kept beside it as `.old`.
pub(super) fn fresh_log(path: &Path) -> Result<fs::File> {
    if path.exists() {
        fs::rename(path, path.with_extension("log.old")).map_err(|e| Error::file("rename", path, e))?;
    }
    fs::File::create(path).map_err(|e| Error::file("write", path, e))
}

/// The last lines of a log, for an error message.
pub(super) fn log_tail(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join("; ")
}
