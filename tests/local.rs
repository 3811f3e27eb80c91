//! The AWS on this machine.

use crate::support::block_on;
use crate::support::local::{LocalAws, shared, unique};
use crate::support::python::venv;

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
fn the_same_one_is_found_again() {
    let local = LocalAws::own();
    let first = local.done(["local", "env"]).stdout;
    assert_eq!(local.done(["local", "env"]).stdout, first);
    let stacks = block_on(async {
        let request = local.aws().await.cloudformation().describe_stacks();
        request.send().await.expect("answered")
    });
    assert!(stacks.stacks().is_empty());
}
