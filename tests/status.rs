//! `rstack status`.

use std::time::{Duration, Instant};

use regex::Regex;

use crate::support::environment::{made, made_with_ttl};
use crate::support::local::{shared, unique};
use crate::support::scripted::{
    Script, cache_cluster, denied, event, events, resource, resources, stack, stack_event, stacks_page, status,
};
use crate::support::terminal::session;
use crate::support::{Output, Rstack, Signal};

/// With the widths of columns taken out: they follow from how long things took.
fn squeezed(output: &Output) -> String {
    let gaps = Regex::new(r" {2,}|(\[DURATION\]) +").expect("a good pattern");
    gaps.replace_all(&output.to_string(), "$1  ").into_owned()
}

#[test]
fn an_environment_is_shown_with_its_resources_stores_and_outputs() {
    let name = unique("status");
    made(shared(), &name);
    let port = shared().redis_url().rsplit(':').next().expect("a port");
    let call = shared()
        .rstack(["status", "-n", &name])
        .hide(&name, "demo")
        .hide(port, "[PORT]");
    insta::assert_snapshot!(squeezed(&call.run()), @r"
    exit: 0
    --- stdout
    demo CREATE_COMPLETE in eu-west-1, [DURATION]  old, time to live: for ever

    RESOURCE  STATUS  NAME  TYPE
    bucket  CREATE_COMPLETE  demo-bucket  AWS::S3::Bucket
    redis  CREATE_COMPLETE  demo-redis  AWS::ElastiCache::CacheCluster
    table  CREATE_COMPLETE  demo-table  AWS::DynamoDB::Table

    STORE  ANSWERS  DETAILS  PLACE
    s3  in [DURATION]  demo-bucket
    dynamodb  in [DURATION]  ACTIVE, about 0 items  demo-table
    redis  in [DURATION]  version 7.1, available  127.0.0.1:[PORT]

    OUTPUT  VALUE
    BucketName  demo-bucket
    RedisAddress  127.0.0.1
    RedisPort  [PORT]
    TableName  demo-table

    --- stderr
    ");
}

#[test]
fn json_says_the_same() {
    let name = unique("status-json");
    made(shared(), &name);
    let lines = shared().done(["status", "-n", &name, "--output", "json"]).json_lines();
    let [result] = lines.as_slice() else {
        panic!("one line: {lines:?}")
    };
    assert_eq!(
        (&result["v"], &result["type"], &result["command"]),
        (&1.into(), &"result".into(), &"status".into())
    );
    let data = &result["data"];
    assert_eq!(data["status"], "CREATE_COMPLETE");
    assert_eq!(data["outputs"]["BucketName"], format!("{name}-bucket"));
    assert_eq!(data["resources"].as_array().map(Vec::len), Some(3));
    for store in data["stores"].as_array().expect("stores") {
        assert_eq!(store["condition"], "answers", "{store}");
        assert!(store["seconds"].as_f64().is_some_and(|s| s < 5.0), "{store}");
    }
}

#[test]
fn without_a_name_every_environment_is_listed_with_its_time_to_live() {
    let (first, second, over) = (unique("list-a"), unique("list-b"), unique("list-c"));
    made(shared(), &first);
    made_with_ttl(shared(), &second, "2099-01-01T00:00:00Z");
    made_with_ttl(shared(), &over, "2020-01-01T00:00:00Z");
    let listed = shared().done(["status"]).stdout;
    let line = |name: &str| {
        let line = listed.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("{name} is missing:\n{listed}"))
            .to_owned()
    };
    assert!(line(&first).ends_with("for ever"), "{listed}");
    assert!(line(&second).contains('d'), "{listed}");
    assert!(line(&over).ends_with("over; `rstack gc` takes it down"), "{listed}");
    assert!(listed.starts_with("NAME"), "{listed}");
}

#[test]
fn one_that_does_not_exist_is_an_error_that_says_how_to_make_it() {
    let output = shared().rstack(["status", "-n", "nowhere"]).run();
    insta::assert_snapshot!(output, @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is no environment `nowhere` on the local AWS
    hint: `rstack up --name nowhere --local` makes it; `rstack status --local` without a name lists those there are
    ");
}

#[test]
fn watching_shows_it_again_until_interrupted() {
    let name = unique("watched");
    made(shared(), &name);
    let mut watching = shared()
        .rstack(["status", "-n", &name, "--watch", "1", "--output", "json"])
        .spawn();
    // The second of them, which is the first that follows a line.
    watching.until("\n{\"v\":1,\"type\":\"status\"").signal(Signal::INT);
    let output = watching.wait().expect(0);
    let lines = output.json_lines();
    let (last, refreshes) = lines.split_last().expect("lines");
    assert!(refreshes.len() >= 2, "{refreshes:?}");
    assert!(
        refreshes
            .iter()
            .all(|line| line["type"] == "status" && line["data"]["name"] == name.as_str())
    );
    assert_eq!(
        (&last["type"], &last["data"]["name"]),
        (&"result".into(), &name.as_str().into())
    );
}

#[test]
fn the_end_of_watching_is_no_error() {
    let home = shared().home().display().to_string();
    let args = ["status", "--region", "eu-west-1", "--watch", "1", "--local"];
    let ended = session(&args, &[("RSTACK_HOME", &home)], 80, &[("e", "\u{3}")]);
    assert_eq!(ended.code, 0, "{}", ended.text);
    assert!(!ended.text.contains("interrupted"), "{}", ended.text);
}

#[test]
fn a_narrow_terminal_cuts_neither_statuses_nor_names_nor_values() {
    let url = "rediss://master.demo-redis-1x2y3z.abcdef.euw1.cache.amazonaws.com:6379";
    let aws = Script::new()
        .on(
            "DescribeStacks",
            [stack("demo", "CREATE_COMPLETE")
                .environment()
                .created("2026-01-01T00:00:00Z")
                .output("RedisUrl", url)],
        )
        .on(
            "ListStackResources",
            [resources([resource(
                "Table",
                "demo-Table-484A69F6EF6FA",
                "AWS::DynamoDB::Table",
                "CREATE_COMPLETE",
            )])],
        )
        .start();
    let endpoint = aws.endpoint();
    let env = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    let shown = session(&["status", "-n", "demo", "--color", "never"], &env, 40, &[]);
    let tables = shown.text.replace('\r', "");
    let tables = tables.split_once("\n\n").expect("a headline").1;
    assert_eq!(
        tables,
        format!(
            "RESOURCE  Table\nSTATUS    CREATE_COMPLETE\nNAME      demo-Table-484A69F6EF6FA\n\
             TYPE      AWS::DynamoDB::Table\n\nOUTPUT  RedisUrl\nVALUE   {url}\n"
        )
    );
}

/// A stack that is settled in this status after one resource has failed.
fn failed(status: &str) -> Script {
    Script::new()
        .on(
            "DescribeStacks",
            [stack("demo", status).environment().created("2026-01-01T00:00:00Z")],
        )
        .on("ListStackResources", [resources([])])
        .on(
            "DescribeStackEvents",
            [events(
                [
                    stack_event("1", "demo", "CREATE_IN_PROGRESS").reason("User Initiated"),
                    event("2", "Bucket", "AWS::S3::Bucket", "CREATE_FAILED").reason("taken already exists"),
                    event("3", "Table", "AWS::DynamoDB::Table", "CREATE_FAILED").reason("Resource creation cancelled"),
                    stack_event("4", "demo", "ROLLBACK_IN_PROGRESS").reason("The following resource(s) failed"),
                    stack_event("5", "demo", status),
                ],
                None,
            )],
        )
}

#[test]
fn a_stack_that_failed_is_shown_with_its_first_cause() {
    let aws = failed("ROLLBACK_COMPLETE").start();
    insta::assert_snapshot!(squeezed(&aws.rstack(["status", "-n", "demo"]).run()), @r"
    exit: 0
    --- stdout
    demo ROLLBACK_COMPLETE in eu-west-1, [DURATION]  old, time to live: for ever
    first cause: Bucket (AWS::S3::Bucket): taken already exists

    --- stderr
    ");
    let data = &aws
        .rstack(["status", "-n", "demo", "--output", "json"])
        .run()
        .expect(0)
        .json()["data"];
    assert_eq!(data["cause"], "Bucket (AWS::S3::Bucket): taken already exists");
}

/// The address is reserved for documentation: nothing ever answers there, as for a Redis inside a VPC.
#[test]
fn a_redis_inside_a_vpc_is_shown_as_not_reachable_within_two_seconds() {
    let aws = Script::new()
        .on(
            "DescribeStacks",
            [stack("demo", "CREATE_COMPLETE")
                .environment()
                .created("2026-01-01T00:00:00Z")
                .output("BucketName", "b")
                .output("RedisAddress", "192.0.2.1")
                .output("RedisPort", "6379")],
        )
        .on(
            "ListStackResources",
            [resources([resource(
                "redis",
                "demo-redis",
                "AWS::ElastiCache::CacheCluster",
                "CREATE_COMPLETE",
            )])],
        )
        .on("DescribeCacheClusters", [cache_cluster("demo-redis", "available")])
        .on("HeadBucket", [status(403)])
        .start();
    let started = Instant::now();
    let output = Rstack::new()
        .endpoint(aws.endpoint())
        .args(["status", "-n", "demo", "--output", "json"])
        .run()
        .expect(0);
    assert!(started.elapsed() < Duration::from_secs(2));
    let data = &output.json()["data"];
    assert_eq!(data["stores"][0]["condition"], "failed");
    assert_eq!(data["stores"][1]["condition"], "not_reachable");
    assert_eq!(data["stores"][1]["state"], "available");
}

#[test]
fn the_list_reads_every_page_and_leaves_out_other_stacks() {
    let aws = Script::new()
        .on(
            "DescribeStacks",
            [
                stacks_page(
                    [
                        stack("other", "CREATE_COMPLETE"),
                        stack("b", "CREATE_FAILED").environment(),
                    ],
                    Some("2"),
                ),
                stacks_page([stack("a", "CREATE_COMPLETE").environment()], None),
            ],
        )
        .start();
    let output = Rstack::new().endpoint(aws.endpoint()).args(["status"]).run();
    insta::assert_snapshot!(squeezed(&output), @r"
    exit: 0
    --- stdout
    NAME  STATUS  AGE  TIME TO LIVE
    a  CREATE_COMPLETE  [DURATION]  for ever
    b  CREATE_FAILED  [DURATION]  for ever

    --- stderr
    ");
    assert_eq!(aws.calls()[1].parameter("NextToken"), "2");
}

#[test]
fn a_refusal_names_the_action() {
    let aws = Script::new()
        .on("DescribeStacks", [denied("cloudformation:DescribeStacks")])
        .start();
    let output = Rstack::new().endpoint(aws.endpoint()).args(["status"]).run();
    insta::assert_snapshot!(output, @r"
    exit: 1
    --- stdout

    --- stderr
    error: CloudFormation DescribeStacks was refused with AccessDenied: User: arn:aws:iam::123456789012:user/ci is not authorized to perform: cloudformation:DescribeStacks (request scripted-request)
    hint: allow the action `cloudformation:DescribeStacks` for this identity, or use another one with `--profile` or `--role-arn`
    ");
}
