//! The binary, in a world of its own.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{Output, Running};

/// One call of `rstack`: nothing of the caller's environment but PATH, HOME and RSTACK_HOME in an empty folder, and an
/// empty stdin.
#[derive(Debug)]
pub(crate) struct Rstack {
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    dir: Option<PathBuf>,
    hidden: Vec<(String, String)>,
}

impl Rstack {
    pub(crate) fn new() -> Self {
        Self {
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            hidden: Vec::new(),
        }
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// With credentials and a region, against this endpoint: a scripted AWS, or a server of another kind.
    pub(crate) fn endpoint(self, url: impl AsRef<str>) -> Self {
        self.env("AWS_ENDPOINT_URL", url.as_ref())
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
    }

    /// Runs there instead of in an empty folder.
    pub(crate) fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Shows `word` instead of `text` in snapshots.
    pub(crate) fn hide(mut self, text: impl Into<String>, word: impl Into<String>) -> Self {
        self.hidden.push((text.into(), word.into()));
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Output {
        self.spawn().wait()
    }

    /// Starts it, for tests that watch it or send it signals.
    pub(crate) fn spawn(mut self) -> Running {
        let world = TempDir::new().expect("a temporary folder");
        let (home, empty) = (world.path().join("home"), world.path().join("empty"));
        for dir in [&home, &empty] {
            std::fs::create_dir(dir).expect("a new folder");
        }
        let dir = self.dir.take().unwrap_or(empty);
        let mut command = Command::new(env!("CARGO_BIN_EXE_rstack"));
        command
            .args(&self.args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("RSTACK_HOME", home.join("rstack"))
            .env("NO_COLOR", "1")
            // What one test reads, another finds in the stores, not on this machine.
            .env("RSTACK_CACHE", "off")
            // No answer must not mean a minute of waiting for the metadata service of EC2.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Longer paths first: one may lie inside the other.
        self.hidden.push((dir.display().to_string(), "[DIR]".to_owned()));
        self.hidden.push((home.display().to_string(), "[HOME]".to_owned()));
        Running::start(&mut command, self.hidden, world)
    }
}
