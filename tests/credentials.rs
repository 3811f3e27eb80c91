//! Who rstack is to AWS: which credentials it takes, and what it says when there are none or they do not work.

use insta::assert_snapshot;
use tempfile::TempDir;

use crate::support::Rstack;
use crate::support::scripted::{Script, error, resource, resources, stack, status, throttled};

/// A folder with an AWS configuration of one profile, `work`, and its path.
fn profiles() -> (TempDir, String) {
    let dir = TempDir::new().expect("a temporary folder");
    let path = dir.path().join("config");
    let text = "[profile work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = secret\n";
    std::fs::write(&path, text).expect("a file");
    let path = path.display().to_string();
    (dir, path)
}

#[test]
fn a_profile_that_was_named_goes_before_keys_in_the_environment() {
    let (_dir, config) = profiles();
    let aws = Script::new()
        .on("DescribeStacks", [stack("demo", "CREATE_COMPLETE").environment()])
        .start();
    let signed_by = |args: &[&str]| {
        let call = aws.rstack(args.iter().copied()).env("AWS_CONFIG_FILE", &config);
        call.run().expect(0);
        let call = aws.calls().pop().expect("a call");
        call.headers["authorization"].clone()
    };
    assert!(signed_by(&["status"]).contains("Credential=test/"));
    assert!(signed_by(&["status", "--profile", "work"]).contains("Credential=AKIDWORK/"));
}

#[test]
fn a_profile_that_is_not_there_is_named_whatever_keys_there_are() {
    let (_dir, config) = profiles();
    let call = Rstack::new()
        .endpoint("http://127.0.0.1:9")
        .env("AWS_CONFIG_FILE", config);
    assert_snapshot!(call.args(["status", "--profile", "nope"]).run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: CloudFormation DescribeStacks: no AWS credentials were found; the profile `nope` gives none: profile `nope` was not defined: could not find source profile nope referenced from the root profile
    hint: `aws configure list-profiles` names the profiles there are; `aws sso login --profile …` opens one again
    ");
}

#[test]
fn a_clock_that_is_wrong_is_told_from_credentials_that_are() {
    for (code, message) in [
        (
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        (
            "SignatureDoesNotMatch",
            "Signature expired: 20261123T100000Z is now earlier than 20261123T105500Z",
        ),
    ] {
        let aws = Script::new().on("DescribeStacks", [error(403, code, message)]).start();
        let output = aws.rstack(["status"]).run();
        assert_eq!(output.code(), Some(1));
        assert!(
            output.stderr.contains("hint: set the clock of this machine"),
            "{output}"
        );
    }
}

#[test]
fn a_store_that_refuses_is_told_on_a_line_of_its_own() {
    let environment = stack("demo", "CREATE_COMPLETE")
        .environment()
        .output("BucketName", "the-bucket");
    let bucket = resource("Bucket", "the-bucket", "AWS::S3::Bucket", "CREATE_COMPLETE");
    let aws = Script::new()
        .on("DescribeStacks", [environment])
        .on("ListStackResources", [resources([bucket])])
        .on("HeadBucket", [status(403)])
        .on("GetObject", [status(403)])
        .start();
    let output = aws.rstack(["status", "-n", "demo"]).run().expect(0);
    let told = "\ns3: S3 HeadBucket failed: HTTP status 403";
    assert!(output.stdout.contains(told), "{output}");
}

#[test]
fn a_region_that_cannot_be_one_is_named() {
    let call = Rstack::new()
        .endpoint("http://127.0.0.1:9")
        .env("AWS_REGION", "eu west 1");
    assert_snapshot!(call.args(["status"]).run(), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: the AWS region is "eu west 1"
    hint: expected a region such as eu-west-1; look at AWS_REGION and the AWS profile
    "#);
}

#[test]
fn how_often_a_request_is_made_is_said_as_for_other_tools() {
    let (_dir, config) = profiles();
    std::fs::write(&config, "[default]\nmax_attempts = 2\n").expect("a file");
    let attempts = |name: &str, value: &str| {
        let aws = Script::new().on("DescribeStacks", [throttled()]).start();
        aws.rstack(["status"]).env(name, value).run().expect(1);
        aws.count("DescribeStacks")
    };
    assert_eq!(attempts("AWS_MAX_ATTEMPTS", "1"), 1);
    assert_eq!(attempts("AWS_CONFIG_FILE", &config), 2);
    assert_eq!(attempts("AWS_RETRY_MODE", "standard"), 5);
}
