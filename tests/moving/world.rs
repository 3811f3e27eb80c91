//! An environment, and eyes on what its readers and its stores see.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use futures_util::TryStreamExt;
use rstack::store::{DynamoDbStore, RedisStore, S3Store, Store};
use tempfile::TempDir;

use crate::support::local::{self, LocalAws};
use crate::support::{Output, Rstack, block_on, environment};

/// One Redis serves all tests: so every area's name begins with the environment's.
pub(super) struct World {
    pub(super) local: &'static LocalAws,
    pub(super) name: String,
    dir: TempDir,
}

pub(super) type Files = BTreeMap<String, String>;

pub(super) fn files<const N: usize>(files: [(&str, &str); N]) -> Files {
    let file = |(path, content): (&str, &str)| (path.to_owned(), content.to_owned());
    files.into_iter().map(file).collect()
}

impl World {
    pub(super) fn new(what: &str) -> Self {
        let (local, name) = (local::shared(), local::unique(what));
        environment::made(local, &name);
        let dir = TempDir::new().expect("a folder");
        Self { local, name, dir }
    }

    pub(super) fn area(&self, area: &str) -> String {
        format!("{}-{area}", self.name)
    }

    /// The folder of files to publish.
    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn call<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Rstack {
        let call = self.local.rstack(args).args(["-n", &self.name, "--author", "me"]);
        call.hide(&self.name, "[NAME]")
            .hide(self.dir().display().to_string(), "[DIR]")
    }

    /// A command that moves nothing, and so has no author.
    pub(super) fn look<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        let call = self.local.rstack(args).args(["-n", &self.name]);
        call.hide(&self.name, "[NAME]").run()
    }

    /// Publishes these, and nothing else; gives the release.
    pub(super) fn seed(&self, area: &str, files: &Files, more: &[&str]) -> String {
        let dir = TempDir::new().expect("a folder");
        for (path, content) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, content).expect("written");
        }
        let source = dir.path().to_str().expect("UTF-8");
        let call = self.call(["seed", source, "--area", area, "--output", "json"]);
        let output = call.args(more).run().expect(0);
        let result = output.json_lines().pop().expect("a result");
        result["data"]["release"]["release"].as_str().expect("an id").to_owned()
    }

    /// What a reader of the source sees.
    pub(super) fn read(&self, source: &str) -> Files {
        let listed = self.look(["ls", source, "--output", "json"]).expect(0);
        let result = listed.json_lines().pop().expect("a result");
        let paths = result["data"]["files"].as_array().expect("files").iter();
        let paths = paths.map(|file| file["path"].as_str().expect("a path").to_owned());
        paths
            .map(|path| {
                let content = self.look(["cat", source, &path]).expect(0).stdout;
                (path, content)
            })
            .collect()
    }

    /// Fails unless readers of the environment and of each store on its own see exactly these.
    #[track_caller]
    pub(super) fn assert_seen(&self, area: &str, files: &Files) {
        let redis = self.local.redis_url().trim_end_matches('/');
        for source in [
            format!("env:{}/{area}", self.name),
            format!("dynamodb://{}-table/{area}", self.name),
            format!("s3://{}-bucket/{area}", self.name),
            format!("{redis}/{area}"),
        ] {
            assert_eq!(&self.read(&source), files, "{source}");
        }
    }

    /// The plain files of an area in S3, DynamoDB and Redis.
    pub(super) fn plain(&self, area: &str) -> [Files; 3] {
        self.stores().map(|store| block_on(held(&*store, area)))
    }

    pub(super) fn stores(&self) -> [Box<dyn Store>; 3] {
        let aws = block_on(self.local.aws());
        [
            Box::new(S3Store::new(aws.s3().clone(), format!("{}-bucket", self.name))),
            Box::new(DynamoDbStore::new(
                aws.dynamodb().clone(),
                format!("{}-table", self.name),
            )),
            Box::new(RedisStore::new(self.local.redis_url().parse().expect("an address"))),
        ]
    }

    /// The moves of an area, the newest first.
    pub(super) fn moves(&self, area: &str) -> Vec<serde_json::Value> {
        let output = self.look(["releases", area, "--output", "json"]).expect(0);
        let result = output.json_lines().pop().expect("a result");
        result["data"]["moves"].as_array().expect("moves").clone()
    }
}

async fn held(store: &dyn Store, area: &str) -> Files {
    let prefix = format!("{area}/");
    let pages: Vec<_> = store.list(&prefix).try_collect().await.expect("pages");
    let keys: Vec<String> = pages.concat().into_iter().map(|found| found.key).collect();
    let values = store.get_many(&keys).await.expect("values");
    keys.iter()
        .map(|key| key[prefix.len()..].to_owned())
        .zip(values)
        .filter(|(path, _)| !path.starts_with(".rstack/"))
        .map(|(path, value)| (path, String::from_utf8(value.expect("a value").to_vec()).expect("text")))
        .collect()
}

/// Takes everything from a store whose key begins so.
pub(super) fn lose(store: &dyn Store, prefix: &str) {
    block_on(async {
        let pages: Vec<_> = store.list(prefix).try_collect().await.expect("pages");
        let keys: Vec<String> = pages.concat().into_iter().map(|found| found.key).collect();
        assert!(!keys.is_empty(), "{prefix}");
        store.delete_many(&keys).await.expect("removed");
    });
}

/// What was said, without the progress, whose lines depend on speed, and with single spaces.
pub(super) fn told(output: &Output) -> String {
    let lines = output.to_string();
    let lines = lines.lines().filter(|line| !line.contains(" sending to ")).map(|line| {
        let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}
