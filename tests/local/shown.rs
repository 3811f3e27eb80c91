//! What the commands print.

use regex::Regex;
use rustix::process::kill_process;

use crate::support::local::{LocalAws, shared, unique};
use crate::support::python::venv;
use crate::support::{Signal, block_on};

#[test]
fn what_other_tools_need_is_printed_for_the_shell() {
    let output = shared().done(["local", "env"]);
    insta::assert_snapshot!(output, @r"
    exit: 0
    --- stdout
    export AWS_ENDPOINT_URL=http://127.0.0.1:[PORT]
    export AWS_REGION=eu-west-1
    export AWS_DEFAULT_REGION=eu-west-1
    export AWS_ACCESS_KEY_ID=test
    export AWS_SECRET_ACCESS_KEY=test
    export REDIS_URL=redis://127.0.0.1:[PORT]

    --- stderr
    ");
}

#[test]
fn what_other_tools_need_is_printed_as_lines_of_a_file() {
    let output = shared().done(["local", "env", "--format", "env", "--region", "us-west-2"]);
    insta::assert_snapshot!(output, @r"
    exit: 0
    --- stdout
    AWS_ENDPOINT_URL=http://127.0.0.1:[PORT]
    AWS_REGION=us-west-2
    AWS_DEFAULT_REGION=us-west-2
    AWS_ACCESS_KEY_ID=test
    AWS_SECRET_ACCESS_KEY=test
    REDIS_URL=redis://127.0.0.1:[PORT]

    --- stderr
    ");
}

#[test]
fn a_strange_region_never_reaches_a_shell() {
    let local = LocalAws::stopped();
    let output = local
        .rstack(["local", "env", "--region", "a b'; echo harm; '"])
        .run()
        .expect(2);
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("expected a region"), "{output}");
}

#[test]
fn boto3_and_redis_py_work_with_nothing_but_the_printed_variables() {
    let script = r#"
import boto3, os, redis
bucket = os.environ["BUCKET"]
s3 = boto3.client("s3")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
s3.put_object(Bucket=bucket, Key="k", Body=b"bytes")
client = redis.from_url(os.environ["REDIS_URL"])
client.set(bucket, "value")
print(s3.get_object(Bucket=bucket, Key="k")["Body"].read().decode(), client.get(bucket).decode())
"#;
    let mut variables = shared().variables().to_vec();
    variables.push(("BUCKET".to_owned(), unique("bucket")));
    let printed = venv(&["boto3==1.43.11", "redis==7.1.0"]).python(script, &variables);
    assert_eq!(printed, "bytes value\n");
}

#[test]
fn status_shows_servers_and_environments() {
    let local = LocalAws::own();
    local.done(["local", "start", "--region", "us-west-2"]);
    block_on(async {
        local.make_stack("eu-west-1", "demo").await;
        local.make_stack("us-west-2", "other").await;
    });
    // Columns are as wide as the numbers in them.
    let status = Regex::new(" +")
        .expect("a good pattern")
        .replace_all(&local.done(["local", "status"]).to_string(), " ")
        .into_owned();
    let numbers = Regex::new(r" [\d.]+\b").expect("a good pattern");
    insta::assert_snapshot!(numbers.replace_all(&status, " [N]"), @r"
    exit: [N]
    --- stdout
    aws http://127.0.0.1:[PORT]
    redis redis://127.0.0.1:[PORT]
    running for [DURATION]
    home [RSTACK_HOME]

    SERVER PID PORT MEMORY
    ministack [N] [N] [N] [N] MiB
    Redis [N] [N] [N] [N] MiB

    ENVIRONMENT STATUS
    demo CREATE_COMPLETE
    other (us-west-2) CREATE_COMPLETE

    --- stderr
    ");
}

#[test]
fn status_as_json_names_everything() {
    let local = LocalAws::own();
    let status = &local.done(["local", "status", "--output", "json"]).json()["data"]["running"];
    assert_eq!(status["endpoint"], local.endpoint());
    assert_eq!(status["servers"][1]["pid"], local.pid("redis").as_raw_nonzero().get());
    assert!(status["servers"][0]["memory"].as_u64().expect("bytes") > 10_000_000);
}

#[test]
fn stop_asks_before_environments_are_lost() {
    let local = LocalAws::own();
    block_on(async {
        local.make_stack("eu-west-1", "demo").await;
        local.make_stack("eu-west-1", "other").await;
    });
    insta::assert_snapshot!(local.rstack(["local", "stop"]).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: nobody can be asked here: stopping the local AWS loses these environments: demo, other
    hint: add `--yes` to answer yes
    ");
    assert_eq!(local.processes().len(), 2);
    insta::assert_snapshot!(local.rstack(["local", "stop", "--yes"]).run(), @r"
    exit: 0
    --- stdout

    --- stderr
    [CLOCK] stopping the local AWS
    [CLOCK] local AWS stopped
    ");
}

#[test]
fn logs_of_both_servers_are_printed() {
    let local = LocalAws::own();
    let redis = local.done(["local", "logs", "--redis"]).stdout;
    assert!(redis.contains("Ready to accept connections"), "{redis}");
    local.done(["local", "logs"]);
}

#[test]
fn followed_logs_go_on_until_interrupted() {
    let local = LocalAws::own();
    let mut logs = local.rstack(["local", "logs", "--redis", "--follow"]).spawn();
    logs.until("Ready to accept connections");
    kill_process(local.pid("redis"), Signal::TERM).expect("it runs");
    logs.until("Redis is now ready to exit").signal(Signal::INT);
    logs.wait().expect(0);
}

#[test]
fn logs_of_one_that_never_ran_are_an_error() {
    insta::assert_snapshot!(LocalAws::bare().rstack(["local", "logs"]).run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: the local AWS was never started, so there is no log
    hint: start it with `rstack local start`
    ");
}

#[test]
fn status_of_one_that_does_not_run_starts_nothing() {
    let local = LocalAws::stopped();
    insta::assert_snapshot!(local.done(["local", "status"]), @r"
    exit: 0
    --- stdout
    the local AWS is not running

    --- stderr
    ");
    assert_eq!(local.processes(), []);
}
