//! An environment with a release in it, read through something that breaks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::local::{self, LocalAws};
use crate::support::{Output, Rstack, environment};

pub(super) struct World {
    pub(super) local: &'static LocalAws,
    pub(super) name: String,
    pub(super) dir: TempDir,
}

impl World {
    /// Its release is in every store, in a pack that the table keeps in several parts.
    pub(super) fn new(what: &str, redis_port: Option<u16>) -> Self {
        let (local, name) = (local::shared(), local::unique(what));
        match redis_port {
            Some(port) => environment::made_with_redis(local, &name, port),
            None => environment::made(local, &name),
        }
        let dir = TempDir::new().expect("a folder");
        let world = Self { local, name, dir };
        world.write(1);
        world.seed().run().expect(0);
        world
    }

    /// The files of this generation.
    pub(super) fn write(&self, generation: u64) {
        for file in 0..30 {
            let path = self.dir.path().join(format!("src/pkg/{file:02}.bin"));
            fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
            fs::write(path, noise(generation * 1000 + file)).expect("written");
        }
    }

    pub(super) fn source(&self) -> BTreeMap<String, Vec<u8>> {
        self.files("src")
    }

    pub(super) fn pulled(&self) -> BTreeMap<String, Vec<u8>> {
        self.files("out")
    }

    fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.dir.path().join(folder).join("pkg")).expect("a folder");
        let entries = entries.map(|entry| entry.expect("an entry").path());
        let file = |path: std::path::PathBuf| (path.display().to_string(), fs::read(&path).expect("content"));
        let named = entries.map(file).map(|(path, content)| {
            let name = path.rsplit('/').next().expect("a name").to_owned();
            (name, content)
        });
        named.collect()
    }

    pub(super) fn bucket(&self) -> String {
        format!("s3://{0}-bucket/{0}", self.name)
    }

    pub(super) fn table(&self) -> String {
        format!("dynamodb://{0}-table/{0}", self.name)
    }

    pub(super) fn environment(&self) -> String {
        format!("env:{0}/{0}", self.name)
    }

    pub(super) fn seed(&self) -> Rstack {
        self.local
            .rstack(["seed", "./src", "--area", &self.name, "-n", &self.name, "--no-plain"])
            .dir(self.dir.path())
    }

    /// Reads all of a source with this call, which has to end within a minute.
    pub(super) fn pull(&self, call: Rstack, source: &str) -> Output {
        let _ = fs::remove_dir_all(self.dir.path().join("out"));
        let start = Instant::now();
        let output = call.args(["pull", source, "out"]).dir(self.dir.path()).run();
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "{:?}: {output}",
            start.elapsed()
        );
        output
    }

    /// Fails unless the last pull brought exactly what was published.
    #[track_caller]
    pub(super) fn assert_pulled(&self) {
        assert!(self.pulled() == self.source(), "something else was read");
    }

    /// How many moves the area's marker has made.
    pub(super) fn moves(&self) -> usize {
        let output = self
            .local
            .done(["releases", "-n", &self.name, &self.name, "--output", "json"]);
        let result = output.json_lines().pop().expect("a result");
        result["data"]["moves"].as_array().expect("moves").len()
    }
}

/// 15,000 bytes that do not compress: 30 of them are two parts in a table, and small enough for the proxy.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..15_000).map(next).collect()
}
