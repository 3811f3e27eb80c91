//! An environment to seed, and eyes on its stores.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use rstack::store::{DynamoDbStore, RedisStore, S3Store, Store};
use tempfile::TempDir;

use crate::support::local::{self, LocalAws};
use crate::support::terminal::{self, Session};
use crate::support::{Output, Rstack, block_on};

/// An environment of the shared local AWS. Its area has its name, since one Redis serves all tests.
pub(super) struct World {
    pub(super) name: String,
    local: &'static LocalAws,
    outputs: serde_json::Value,
}

pub(super) type Files = BTreeMap<String, Vec<u8>>;

impl World {
    pub(super) fn new(what: &str) -> Self {
        let (local, name) = (local::shared(), local::unique(what));
        local.done(["up", "--yes", "-n", &name]);
        Self::of(local, name)
    }

    /// From a template of one's own.
    pub(super) fn from_template(what: &str, template: &str) -> Self {
        let (local, name) = (local::shared(), local::unique(what));
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("template.yaml");
        fs::write(&file, template).expect("written");
        local.done(["up", "--yes", "-n", &name, "--template", file.to_str().expect("UTF-8")]);
        Self::of(local, name)
    }

    fn of(local: &'static LocalAws, name: String) -> Self {
        let stack = block_on(async { rstack::stack::describe(&local.aws().await, &name).await });
        let stack = stack.expect("an answer").expect("a stack");
        let outputs = serde_json::to_value(&stack.outputs).expect("outputs");
        Self { name, local, outputs }
    }

    pub(super) fn output(&self, key: &str) -> &str {
        self.outputs[key].as_str().expect(key)
    }

    /// `rstack seed` to the environment's own area.
    pub(super) fn seed<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Rstack {
        self.local
            .rstack(["seed", "-n", &self.name, "--area", &self.name])
            .hide(&self.name, "[NAME]")
            .args(args)
    }

    /// Any command, about this environment.
    pub(super) fn rstack<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Rstack {
        self.local.rstack(args).args(["-n", &self.name])
    }

    /// As [`World::seed`] of a directory.
    pub(super) fn seed_dir(&self, dir: &Path) -> Rstack {
        let path = dir.to_str().expect("UTF-8");
        self.seed([path]).hide(path, "[DIR]")
    }

    /// What `rstack seed` of the demo scripts shows on a terminal of so many columns.
    pub(super) fn seed_on_a_terminal(&self, columns: u16) -> Session {
        let home = self.local.home().display().to_string();
        let env = [("RSTACK_HOME", home.as_str()), ("RSTACK_LOCAL", "1")];
        terminal::session(&["seed", "-n", &self.name, "--area", &self.name], &env, columns, &[])
    }

    pub(super) fn variables(&self) -> &[(String, String)] {
        self.local.variables()
    }

    /// S3, DynamoDB, Redis.
    pub(super) fn stores(&self) -> [Box<dyn Store>; 3] {
        let aws = block_on(self.local.aws());
        [
            Box::new(S3Store::new(aws.s3().clone(), self.output("BucketName"))),
            Box::new(DynamoDbStore::new(aws.dynamodb().clone(), self.output("TableName"))),
            Box::new(RedisStore::new(self.local.redis_url().parse().expect("an address"))),
        ]
    }

    /// What each store has in the area, without rstack's own records.
    pub(super) fn held(&self) -> [Files; 3] {
        self.stores().map(|store| block_on(held(&*store, &self.name)))
    }

    /// Fails unless every store has exactly these.
    #[track_caller]
    pub(super) fn assert_held(&self, files: &Files) {
        let [s3, dynamodb, redis] = self.held();
        for (store, held) in [("s3", s3), ("dynamodb", dynamodb), ("redis", redis)] {
            assert_eq!(
                held.keys().collect::<Vec<_>>(),
                files.keys().collect::<Vec<_>>(),
                "{store}"
            );
            for (path, content) in &held {
                assert!(files[path] == *content, "{store}: {path:?} differs");
            }
        }
    }
}

pub(super) async fn held(store: &dyn Store, area: &str) -> Files {
    let prefix = format!("{area}/");
    let pages: Vec<_> = store.list(&prefix).try_collect().await.expect("pages");
    let keys: Vec<String> = pages.concat().into_iter().map(|found| found.key).collect();
    let paths = keys.iter().map(|key| key[prefix.len()..].to_owned());
    let values = store.get_many(&keys).await.expect("values");
    paths
        .zip(values)
        .filter(|(path, _)| !path.starts_with(".rstack/"))
        .map(|(path, value)| (path, value.expect("a value").to_vec()))
        .collect()
}

/// A directory with these files.
pub(super) struct Dir(TempDir);

impl Dir {
    pub(super) fn new(files: &Files) -> Self {
        let dir = Self(TempDir::new().expect("a folder"));
        for (path, content) in files {
            dir.write(path, content);
        }
        dir
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn write(&self, path: &str, content: &[u8]) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, content).expect("written");
        path
    }
}

/// `count` files of `size` bytes, all different; `seed` makes other contents for the same names.
pub(super) fn many(count: usize, size: usize, seed: u8) -> Files {
    (0..count)
        .map(|i| {
            let mut content = format!("# {i} {seed}\n").into_bytes();
            content.resize(size, b'a' + seed);
            (format!("pkg/m{i:04}.py"), content)
        })
        .collect()
}

pub(super) fn files<const N: usize>(files: [(&str, &[u8]); N]) -> Files {
    files
        .into_iter()
        .map(|(path, content)| (path.to_owned(), content.to_vec()))
        .collect()
}

/// What was said, as a snapshot: without the progress, whose lines depend on speed, and with columns one space apart,
/// since their widths do too.
pub(super) fn told(output: &Output) -> String {
    let lines = output.to_string();
    let lines = lines.lines().filter(|line| !line.contains(" sending to ")).map(|line| {
        let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}
