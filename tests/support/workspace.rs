//! An environment of the local AWS, and a folder beside it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::local::{self, LocalAws};
use super::{Output, environment};

pub(crate) struct Workspace {
    pub(crate) local: &'static LocalAws,
    /// Of the environment. Tests call its area the same.
    pub(crate) name: String,
    dir: TempDir,
}

impl Workspace {
    pub(crate) fn new(what: &str) -> Self {
        let (local, name) = (local::shared(), local::unique(what));
        environment::made(local, &name);
        Self {
            local,
            name,
            dir: TempDir::new().expect("a folder"),
        }
    }

    /// Inside the folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        fs::write(path, content).expect("written");
    }

    /// A command on the environment, run in the folder.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let call = self.local.rstack(args.iter().copied()).args(["-n", &self.name]);
        call.dir(self.dir.path()).hide(&self.name, "[NAME]").run()
    }

    /// Publishes a folder of it as a release of the area, by "me".
    pub(crate) fn seed(&self, folder: &str, more: &[&str]) -> Output {
        let seed = ["seed", folder, "--area", &self.name, "--author", "me"];
        self.run(&[&seed, more].concat())
    }

    /// Every move of the area, the newest first.
    pub(crate) fn moves(&self) -> Vec<Value> {
        let output = self.run(&["releases", &self.name, "--output", "json"]).expect(0);
        let result = output.json_lines().pop().expect("a result");
        result["data"]["moves"].as_array().expect("moves").clone()
    }
}
