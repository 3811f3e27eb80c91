//! `rstack bench`.

use std::fs;

use crate::support::local::{shared, unique};
use crate::support::{Rstack, environment};

#[test]
fn every_source_is_loaded_cold_and_warm_as_often_as_asked() {
    let (local, name) = (shared(), unique("bench"));
    environment::made(local, &name);
    local.done(["seed", "-n", &name, "--area", &name, "--no-plain"]);
    let redis = format!("{}/{name}", local.redis_url().trim_end_matches('/'));
    let s3 = format!("s3://{name}-bucket/{name}");
    let run = |more: &[&str]| {
        let temporary = tempfile::TempDir::new().expect("a folder");
        let call = local.rstack(["bench", "-n", &name, &name, &redis, &s3, "--repeat", "3"]);
        let output = call
            .args(more.iter().copied())
            .env("TMPDIR", temporary.path())
            .run()
            .expect(0);
        let left = fs::read_dir(temporary.path()).expect("a folder").count();
        assert_eq!(left, 0, "its cache is gone");
        output
    };
    let result = run(&["--output", "json"]).json_lines().pop().expect("a result");
    let loads = result["data"]["loads"].as_array().expect("loads");
    let ways: Vec<_> = loads
        .iter()
        .map(|load| (load["source"].clone(), load["way"].clone()))
        .collect();
    let expected = [format!("env:{name}/{name}"), redis.clone(), s3.clone()];
    let expected = expected
        .iter()
        .flat_map(|source| ["cold", "warm"].map(|way| (source.as_str().into(), way.into())));
    assert_eq!(ways, expected.collect::<Vec<_>>());
    for load in loads {
        assert_eq!(
            (&load["files"], load["seconds"].as_array().map(Vec::len)),
            (&7.into(), Some(3)),
            "{load}"
        );
        assert!(load["median"].as_f64().is_some_and(|median| median > 0.0), "{load}");
    }
    let table = run(&[]).stdout;
    assert_eq!(table.lines().take_while(|line| !line.is_empty()).count(), 7, "{table}");
    assert!(table.starts_with("SOURCE"), "{table}");
    assert_eq!(table.matches('█').count().min(1), 1, "{table}");
    assert!(
        table.ends_with("median of 3 runs, with the fastest and the slowest\n"),
        "{table}"
    );
}

#[test]
fn a_source_that_cannot_be_read_is_an_error() {
    let output = Rstack::new()
        .args(["bench", "redis://127.0.0.1:1/prod"])
        .run()
        .expect(1);
    assert!(output.stderr.contains("cannot be reached"), "{output}");
    Rstack::new().args(["bench", "./src", "--repeat", "0"]).run().expect(2);
}
