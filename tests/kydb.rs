//! Sources that KYDB wrote.

use serde_json::Value;

use crate::support::local::{LocalAws, shared, unique};
use crate::support::python::venv;
use crate::support::{Output, Rstack};

const REQUIREMENTS: [&str; 1] = ["kydb==1.1.0"];

/// Writes a package through KYDB to `URL`: as text, as bytes and as `{'code': …}`.
const WRITE: &str = r"
import os, kydb
db = kydb.connect(os.environ['URL'])
db['/pkg/__init__.py'] = ''
db['/pkg/text.py'] = 'a = 1\n'
db['/pkg/bytes.py'] = b'b = 2\n'
db['/pkg/sub/code.py'] = {'code': 'c = \u00fc\n'}
db['/pkg/large.py'] = '#' * 100000
";

/// What a bucket, a table and a Redis for KYDB are called.
struct Database {
    local: &'static LocalAws,
    name: String,
}

impl Database {
    fn made(what: &str) -> Self {
        let (local, name) = (shared(), unique(what));
        let made = Self { local, name };
        made.python(
            r"
import os, boto3
name = os.environ['NAME']
boto3.client('s3').create_bucket(Bucket=name, CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
boto3.client('dynamodb').create_table(
    TableName=name, BillingMode='PAY_PER_REQUEST',
    AttributeDefinitions=[{'AttributeName': n, 'AttributeType': t} for n, t in (('path', 'S'), ('folder', 'S'), ('mtime', 'N'))],
    KeySchema=[{'AttributeName': 'path', 'KeyType': 'HASH'}],
    GlobalSecondaryIndexes=[
        {'IndexName': 'folder-index', 'KeySchema': [{'AttributeName': 'folder', 'KeyType': 'HASH'}],
         'Projection': {'ProjectionType': 'ALL'}},
        {'IndexName': 'folder-time-index', 'KeySchema': [{'AttributeName': 'folder', 'KeyType': 'HASH'},
         {'AttributeName': 'mtime', 'KeyType': 'RANGE'}], 'Projection': {'ProjectionType': 'ALL'}},
    ],
)
",
            "",
        );
        made
    }

    /// The URLs of the three stores, as KYDB writes them.
    fn urls(&self) -> [String; 3] {
        let redis = self.local.redis_url().trim_end_matches('/');
        [
            format!("{redis}/{}", self.name),
            format!("s3://{}/base/path", self.name),
            format!("dynamodb://{}/base/path", self.name),
        ]
    }

    fn python(&self, script: &str, url: &str) -> String {
        let more =
            [("NAME", self.name.as_str()), ("URL", url)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables: Vec<_> = self.local.variables().iter().cloned().chain(more).collect();
        venv(&REQUIREMENTS).python(script, &variables)
    }

    fn rstack(&self, args: &[&str]) -> Rstack {
        self.local.rstack(args.iter().copied())
    }

    fn cat(&self, url: &str, path: &str) -> Output {
        self.rstack(&["cat", &format!("kydb+{url}"), path]).run()
    }
}

#[test]
fn what_kydb_wrote_is_listed_and_read_from_every_store() {
    let database = Database::made("kydb");
    for url in database.urls() {
        database.python(WRITE, &url);
        let listed = database
            .rstack(&["ls", &format!("kydb+{url}"), "--output", "json"])
            .run()
            .expect(0);
        let result: Value = listed.json_lines().pop().expect("a result");
        let files = result["data"]["files"].as_array().expect("files");
        let paths: Vec<_> = files
            .iter()
            .map(|file| file["path"].as_str().expect("a path"))
            .collect();
        assert_eq!(
            paths,
            [
                "pkg/__init__.py",
                "pkg/bytes.py",
                "pkg/large.py",
                "pkg/sub/code.py",
                "pkg/text.py"
            ],
            "{url}"
        );
        for (path, content) in [
            ("pkg/__init__.py", String::new()),
            ("pkg/text.py", "a = 1\n".to_owned()),
            ("pkg/bytes.py", "b = 2\n".to_owned()),
            ("pkg/sub/code.py", "c = \u{fc}\n".to_owned()),
            ("pkg/large.py", "#".repeat(100_000)),
        ] {
            assert_eq!(database.cat(&url, path).expect(0).stdout, content, "{url} {path}");
        }
    }
}

#[test]
fn a_pickle_that_could_run_something_is_refused_and_does_not_run() {
    let database = Database::made("kydb-bad");
    let dir = tempfile::tempdir().expect("a folder");
    let witness = dir.path().join("ran");
    let script = format!(
        "
import os, kydb
class Bad:
    def __reduce__(self):
        return (os.system, ('touch {}',))
db = kydb.connect(os.environ['URL'])
db['/pkg/good.py'] = 'a = 1'
db['/pkg/bad.py'] = Bad()
",
        witness.display()
    );
    for url in database.urls() {
        database.python(&script, &url);
        let _ = std::fs::remove_file(&witness);
        let refused = database.cat(&url, "pkg/bad.py").expect(1);
        assert!(refused.stderr.contains("`pkg/bad.py` in kydb+"), "{refused}");
        assert!(
            refused.stderr.contains("unpickling it would call posix.system"),
            "{refused}"
        );
        assert!(refused.stdout.is_empty() && !witness.exists());
    }
    // Python would have run it.
    let unpickle = "import os, kydb; kydb.connect(os.environ['URL'])['/pkg/bad.py']";
    database.python(unpickle, &database.urls()[1]);
    assert!(witness.exists());
}

#[test]
fn whatever_is_no_text_bytes_or_code_is_refused() {
    let database = Database::made("kydb-odd");
    let write = r"
import os, kydb, datetime
value = eval(os.environ['VALUE'])
kydb.connect(os.environ['URL'])['/pkg/odd.py'] = value
";
    let [redis, ..] = database.urls();
    for value in [
        "None",
        "1",
        "10**400",
        "['a = 1']",
        "{}",
        "{'code': None}",
        "{'code': 'a = 1', 'size': 5}",
        "{'code': {'code': 'a = 1'}}",
        "{'text': 'a = 1'}",
        "datetime.date(2026, 1, 1)",
        // Ten to the eighth lists, once they are unfolded; and lists in lists without an end for a stack.
        "__import__('functools').reduce(lambda inner, _: [inner] * 10, range(8), 'a = 1')",
        "__import__('functools').reduce(lambda inner, _: [inner], range(200), 'a = 1')",
    ] {
        let script = write.replace("os.environ['VALUE']", &format!("{value:?}"));
        database.python(&script, &redis);
        let refused = database.cat(&redis, "pkg/odd.py").expect(1);
        assert!(refused.stderr.contains("`pkg/odd.py` in kydb+"), "{value}: {refused}");
        assert!(refused.stdout.is_empty(), "{value}");
    }
}

#[test]
fn what_kydb_has_is_neither_pinned_nor_signed_nor_there_by_accident() {
    let database = Database::made("kydb-none");
    let [redis, ..] = database.urls();
    let source = format!("kydb+{redis}");
    let call = |args: &[&str]| database.rstack(args).hide(&source, "[SOURCE]");
    insta::assert_snapshot!(call(&["ls", &source]).run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is nothing in [SOURCE]
    hint: the base path is the folder that holds the modules
    ");
    let missing = call(&["ls", "kydb+dynamodb://no-such-table/home"]).run().expect(1);
    assert!(
        missing.stderr.contains("table `no-such-table` does not exist"),
        "{missing}"
    );
    assert!(missing.stderr.contains("hint: check the name"), "{missing}");
    insta::assert_snapshot!(call(&["ls", &format!("{source}?at=0123abcd")]).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: `[SOURCE]` is KYDB's, which has no releases to be pinned to
    hint: leave `?at=` out, or `--at`, which pins all that a union has; in a union `?at=` pins one part
    ");
    let key = "ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    insta::assert_snapshot!(call(&["ls", &source]).env("RSTACK_TRUSTED_KEYS", key).run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: `[SOURCE]` cannot be signed, and only what is signed is trusted
    hint: publish what it has to an area, signed, or read without trusted keys
    ");
}
