//! What no emulator shows, as scripted answers.

use std::time::Duration;

use serde_json::Value;

use crate::support::scripted::{
    Answer, EventAnswer, Script, Scripted, connection_reset, deleted, denied, error, event, events, imports,
    multipart_uploads, object_versions, ok, operation_events, refused_endpoint, replication_group, resource, resources,
    stack, stack_event, stacks, status, table, template, throttled, version, xml,
};
use crate::support::{Output, Rstack, Signal};

const BODY: &str = "Resources:\n  Bucket: {Type: 'AWS::S3::Bucket'}\n  Table: {Type: 'AWS::DynamoDB::Table'}\n";

fn created() -> Vec<EventAnswer> {
    vec![
        stack_event("c1", "demo", "CREATE_IN_PROGRESS").token(Some("somebody")),
        stack_event("c2", "demo", "CREATE_COMPLETE").token(Some("somebody")),
    ]
}

fn history(more: impl IntoIterator<Item = EventAnswer>) -> Answer {
    events(created().into_iter().chain(more), None)
}

fn gone_events() -> [EventAnswer; 3] {
    [
        stack_event("d1", "demo", "DELETE_IN_PROGRESS"),
        event("d2", "Bucket", "AWS::S3::Bucket", "DELETE_COMPLETE").physical("the-bucket"),
        stack_event("d3", "demo", "DELETE_COMPLETE"),
    ]
}

/// A deletion that ends in DELETE_FAILED because of `reason`. Ids of its events begin with `id`.
fn failed_events(id: &str, reason: &str) -> Vec<EventAnswer> {
    let all = "The following resource(s) failed to delete: [Bucket]. ";
    vec![
        stack_event(&format!("{id}1"), "demo", "DELETE_IN_PROGRESS"),
        event(&format!("{id}2"), "Bucket", "AWS::S3::Bucket", "DELETE_FAILED")
            .physical("the-bucket")
            .reason(reason),
        stack_event(&format!("{id}3"), "demo", "DELETE_FAILED").reason(all),
    ]
}

const NOT_EMPTY: &str = "The bucket you tried to delete is not empty (Service: S3, Status Code: 409, Request ID: R)";

/// An environment that stands, with a bucket of one object and a table, as far as it is only looked at.
fn looked_at(status: &str) -> Script {
    Script::new()
        .on("DescribeStacks", [stack("demo", status).environment()])
        .on("DescribeStackEvents", [history([])])
        .on("GetTemplate", [template(BODY)])
        .on(
            "ListStackResources",
            [resources([
                resource("Bucket", "the-bucket", "AWS::S3::Bucket", "CREATE_COMPLETE"),
                resource("Table", "the-table", "AWS::DynamoDB::Table", "CREATE_COMPLETE"),
            ])],
        )
        .on("ListObjectVersions", [one_object()])
        .on("ListMultipartUploads", [multipart_uploads(&[])])
        .on(
            "GetObjectLockConfiguration",
            [error(404, "ObjectLockConfigurationNotFoundError", "none")],
        )
        .on("DescribeTable", [table("the-table", "ACTIVE", 2, false)])
}

/// The same, and its bucket can be emptied.
fn standing(status: &str) -> Script {
    emptied(looked_at(status), [deleted(&[])])
}

fn emptied(script: Script, answers: impl IntoIterator<Item = Answer>) -> Script {
    script
        .on("DeleteObjects", answers)
        .after("DeleteObjects")
        .on("ListObjectVersions", [object_versions([], None)])
}

fn one_object() -> Answer {
    object_versions([version("a.py", "v1", 7, false)], None)
}

/// What follows a deletion that works.
fn then_gone(script: Script) -> Script {
    script
        .on("DeleteStack", [ok()])
        .after("DeleteStack")
        .on("DescribeStackEvents", [history(gone_events())])
        .on("DescribeStacks", [stack("demo", "DELETE_COMPLETE").environment()])
        .on("HeadBucket", [status(404)])
        .on("DescribeTable", [error(400, "ResourceNotFoundException", "no table")])
}

fn down(aws: &Scripted, more: &[&str]) -> Output {
    aws.rstack(["down", "-n", "demo", "--yes"]).args(more).run()
}

#[test]
fn the_order_is_look_empty_delete_prove() {
    let aws = then_gone(standing("CREATE_COMPLETE")).start();
    down(&aws, &[]).expect(0);
    let story = aws.story();
    let position = |action: &str| story.iter().position(|a| a == action).expect(action);
    assert!(position("DeleteObjects") < position("DeleteStack"), "{story:?}");
    assert!(position("DeleteStack") < position("HeadBucket"), "{story:?}");
    let delete = &aws.calls_of("DeleteStack")[0];
    assert!(delete.parameter("StackName").starts_with("arn:"), "by ARN: {delete:?}");
    assert!(
        delete.parameter("ClientRequestToken").starts_with("rstack-"),
        "{delete:?}"
    );
    assert!(
        aws.calls_of("DeleteObjects")[0]
            .body
            .contains("<VersionId>v1</VersionId>")
    );
}

#[test]
fn a_late_object_is_deleted_and_the_stack_tried_again() {
    let aws = standing("CREATE_COMPLETE")
        .on("DeleteStack", [ok()])
        .after("DeleteStack")
        .on("DescribeStackEvents", [history(failed_events("f", NOT_EMPTY))])
        .on("DescribeStacks", [stack("demo", "DELETE_FAILED").environment()])
        .on(
            "ListObjectVersions",
            [
                object_versions([version("late", "v2", 3, false)], None),
                object_versions([], None),
            ],
        )
        .after("DeleteStack")
        .on(
            "DescribeStackEvents",
            [history(failed_events("f", NOT_EMPTY).into_iter().chain(gone_events()))],
        )
        .on("DescribeStacks", [stack("demo", "DELETE_COMPLETE").environment()])
        .on("HeadBucket", [status(404)])
        .on("DescribeTable", [error(400, "ResourceNotFoundException", "no table")])
        .start();
    let output = down(&aws, &[]);
    insta::assert_snapshot!(output, @"
    exit: 0
    --- stdout
    emptied the-bucket: 2 object versions, 10 B
    demo is gone after [DURATION]; 2 resources asked for and not found any more

    --- stderr
    [CLOCK] deletes Bucket (AWS::S3::Bucket) the-bucket: 1 object, 7 B
    [CLOCK] deletes Table (AWS::DynamoDB::Table) the-table: about 2 items, 200 B
    [CLOCK] emptying the bucket: 1 object, 7 B, done in [DURATION]
    [CLOCK] deleting stack `demo`
    [CLOCK] DELETE_IN_PROGRESS  demo  AWS::CloudFormation::Stack
    [CLOCK] DELETE_FAILED       Bucket  AWS::S3::Bucket  The bucket you tried to delete is not empty (Service: S3, Status Code: 409, Request ID: R)
    [CLOCK] DELETE_FAILED       demo  AWS::CloudFormation::Stack  The following resource(s) failed to delete: [Bucket]. 
    [CLOCK] stack `demo` DELETE_FAILED after [DURATION]
    [CLOCK] something was written into the bucket meanwhile; trying again in [DURATION]
    [CLOCK] emptying the bucket: 1 object, 3 B, done in [DURATION]
    [CLOCK] deleting stack `demo`
    [CLOCK] DELETE_IN_PROGRESS  demo  AWS::CloudFormation::Stack
    [CLOCK] DELETE_COMPLETE     Bucket  AWS::S3::Bucket
    [CLOCK] DELETE_COMPLETE     demo  AWS::CloudFormation::Stack
    [CLOCK] stack `demo` DELETE_COMPLETE after [DURATION]
    ");
    assert_eq!(aws.count("DeleteStack"), 2);
    let tokens: Vec<_> = aws
        .calls_of("DeleteStack")
        .iter()
        .map(|c| c.parameter("ClientRequestToken").to_owned())
        .collect();
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn throttling_and_lost_connections_at_any_call_do_not_stop_it() {
    let stumbling = |answer: Answer| [throttled(), connection_reset(), answer];
    let slow = |answer: Answer| [error(503, "SlowDown", "Please reduce your request rate."), answer];
    let aws = Script::new()
        .on(
            "DescribeStacks",
            stumbling(stack("demo", "CREATE_COMPLETE").environment().into()),
        )
        .on("DescribeStackEvents", stumbling(history([])))
        .on("GetTemplate", stumbling(template(BODY)))
        .on(
            "ListStackResources",
            stumbling(resources([resource(
                "Bucket",
                "the-bucket",
                "AWS::S3::Bucket",
                "CREATE_COMPLETE",
            )])),
        )
        .on("ListObjectVersions", slow(one_object()))
        .on("ListMultipartUploads", slow(multipart_uploads(&[])))
        .on(
            "GetObjectLockConfiguration",
            [error(404, "ObjectLockConfigurationNotFoundError", "none")],
        )
        .on("DeleteObjects", slow(deleted(&[])))
        .after("DeleteObjects")
        .on("ListObjectVersions", slow(object_versions([], None)))
        .on("DeleteStack", stumbling(ok()))
        .after("DeleteStack")
        .on("DescribeStackEvents", stumbling(history(gone_events())))
        .on(
            "DescribeStacks",
            stumbling(stack("demo", "DELETE_COMPLETE").environment().into()),
        )
        .on("HeadBucket", [status(503), status(404)])
        .start();
    down(&aws, &["-q"]).expect(0);
}

#[test]
fn a_key_that_will_not_go_is_named_and_the_stack_left_alone() {
    let aws = looked_at("CREATE_COMPLETE")
        .on("DeleteObjects", [deleted(&[("a.py", "AccessDenied", "Access Denied")])])
        .start();
    insta::assert_snapshot!(down(&aws, &["-q"]), @r#"
    exit: 1
    --- stdout

    --- stderr
    error: 1 object version in the bucket `the-bucket` would not go; "a.py": Access Denied (AccessDenied)
    left: stack `demo`
    hint: allow `s3:DeleteObject` and `s3:DeleteObjectVersion`, or look for Object Lock and legal holds (`--force` bypasses governance mode), or keep the bucket with `--retain`
    "#);
    assert_eq!(aws.count("DeleteStack"), 0);
}

#[test]
fn a_key_that_the_service_stumbles_over_is_tried_again() {
    let stumble = deleted(&[("a.py", "InternalError", "We encountered an internal error.")]);
    let aws = then_gone(emptied(looked_at("CREATE_COMPLETE"), [stumble, deleted(&[])])).start();
    down(&aws, &["-q"]).expect(0);
    assert_eq!(aws.count("DeleteObjects"), 2);
}

#[test]
fn keys_that_xml_cannot_hold_are_deleted_one_by_one() {
    let odd = object_versions([version("odd%01+key", "v1", 1, false)], None);
    let aws = then_gone(
        looked_at("CREATE_COMPLETE")
            .on("ListObjectVersions", [odd])
            .on("DeleteObject", [status(204)])
            .after("DeleteObject")
            .on("ListObjectVersions", [object_versions([], None)]),
    )
    .start();
    down(&aws, &["-q"]).expect(0);
    assert_eq!(aws.calls_of("DeleteObject")[0].parameter("Key"), "odd\u{1} key");
}

#[test]
fn termination_protection_is_refused_before_anything_is_lost() {
    let aws = looked_at("CREATE_COMPLETE")
        .on(
            "DescribeStacks",
            [stack("demo", "CREATE_COMPLETE").environment().protected()],
        )
        .start();
    insta::assert_snapshot!(down(&aws, &[]), @"
    exit: 1
    --- stdout

    --- stderr
    error: the stack `demo` has termination protection
    hint: run `aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name demo --region eu-west-1 --endpoint-url http://127.0.0.1:[PORT]` first
    ");
    assert_eq!(aws.count("DeleteObjects") + aws.count("DeleteStack"), 0);
}

#[test]
fn an_export_that_others_import_is_refused_with_their_names() {
    let exporting = stack("demo", "CREATE_COMPLETE")
        .environment()
        .export("demo-bucket")
        .export("demo-table");
    let none = error(
        400,
        "ValidationError",
        "Export 'demo-table' is not imported by any stack.",
    );
    let aws = looked_at("CREATE_COMPLETE")
        .on("DescribeStacks", [exporting])
        .on("ListImports", [imports(&["billing", "reports"]), none])
        .start();
    insta::assert_snapshot!(down(&aws, &[]), @"
    exit: 1
    --- stdout

    --- stderr
    error: the export `demo-bucket` is imported by billing, reports
    hint: delete or change the importing stacks first: billing, reports
    ");
    assert_eq!(aws.count("DeleteObjects") + aws.count("DeleteStack"), 0);
}

#[test]
fn a_deletion_refused_by_an_import_is_a_failure_not_a_success() {
    let reason = "Export demo-bucket cannot be deleted as it is in use by billing";
    let exporting = || stack("demo", "CREATE_COMPLETE").environment().export("demo-bucket");
    let none = error(
        400,
        "ValidationError",
        "Export 'demo-bucket' is not imported by any stack.",
    );
    let refused = [
        stack_event("d1", "demo", "DELETE_IN_PROGRESS"),
        stack_event("d2", "demo", "CREATE_COMPLETE").reason(reason),
    ];
    let before = looked_at("CREATE_COMPLETE")
        .on("DescribeStacks", [exporting()])
        .on("ListImports", [none]);
    let aws = emptied(before, [deleted(&[])])
        .on("DeleteStack", [ok()])
        .after("DeleteStack")
        .on("DescribeStackEvents", [history(refused)])
        .on("ListImports", [imports(&["billing"])])
        .on("DescribeEvents", [operation_events(&[])])
        .start();
    insta::assert_snapshot!(down(&aws, &["-q"]), @"
    exit: 4
    --- stdout

    --- stderr
    error: stack `demo` ended in CREATE_COMPLETE: demo (AWS::CloudFormation::Stack): Export demo-bucket cannot be deleted as it is in use by billing
    left: stack `demo` (CREATE_COMPLETE); `rstack down --name demo` removes it
    hint: delete or change the importing stacks first: billing
    ");
}

#[test]
fn table_deletion_protection_is_refused() {
    let aws = looked_at("CREATE_COMPLETE")
        .on("DescribeTable", [table("the-table", "ACTIVE", 2, true)])
        .start();
    insta::assert_snapshot!(down(&aws, &[]), @"
    exit: 1
    --- stdout

    --- stderr
    error: the table `the-table` has deletion protection
    hint: run `aws dynamodb update-table --table-name the-table --no-deletion-protection-enabled --region eu-west-1 --endpoint-url http://127.0.0.1:[PORT]` first, or keep the table with `--retain`
    ");
    assert_eq!(aws.count("DeleteObjects"), 0);
}

#[test]
fn a_legal_hold_is_refused_and_named() {
    let lock = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    let aws = looked_at("CREATE_COMPLETE")
        .on("GetObjectLockConfiguration", [xml(lock)])
        .on("HeadObject", [status(200).header("x-amz-object-lock-legal-hold", "ON")])
        .start();
    insta::assert_snapshot!(down(&aws, &[]), @"
    exit: 1
    --- stdout

    --- stderr
    error: the bucket `the-bucket` holds 1 object version under legal hold
    hint: lift each with `aws s3api put-object-legal-hold --legal-hold Status=OFF --bucket the-bucket --key KEY --version-id ID --region eu-west-1 --endpoint-url http://127.0.0.1:[PORT]`, or keep the bucket with `--retain`
    ");
    assert_eq!(aws.count("DeleteObjects"), 0);
}

#[test]
fn an_action_that_is_not_allowed_is_named() {
    let aws = looked_at("CREATE_COMPLETE")
        .on("DeleteObjects", [denied("s3:DeleteObjectVersion")])
        .start();
    insta::assert_snapshot!(down(&aws, &["-q"]), @"
    exit: 1
    --- stdout

    --- stderr
    error: S3 DeleteObjects was refused with AccessDenied: User: arn:aws:iam::123456789012:user/ci is not authorized to perform: s3:DeleteObjectVersion (request scripted-request)
    left: stack `demo`
    hint: allow the actions `s3:DeleteObject` and `s3:DeleteObjectVersion` for this identity, or use another one with `--profile` or `--role-arn`
    ");
}

#[test]
fn a_stale_description_after_the_end_is_not_believed() {
    let old = stack("demo", "CREATE_COMPLETE").environment();
    let aws = then_gone(standing("CREATE_COMPLETE"))
        .on(
            "DescribeStackEvents",
            [history([]), history([]), history(gone_events())],
        )
        .on(
            "DescribeStacks",
            [old.clone(), old, stack("demo", "DELETE_COMPLETE").environment()],
        )
        .start();
    down(&aws, &["-q"]).expect(0);
}

#[test]
fn a_stack_whose_rollback_failed_is_taken_down() {
    let aws = then_gone(standing("ROLLBACK_FAILED")).start();
    down(&aws, &["-q"]).expect(0);
}

#[test]
fn a_stack_that_somebody_else_deletes_meanwhile_is_gone_all_the_same() {
    let missing = error(400, "ValidationError", "Stack with id demo does not exist");
    let theirs = gone_events().map(|event| event.token(Some("theirs")));
    let aws = looked_at("CREATE_COMPLETE")
        .on("ListObjectVersions", [one_object(), error(404, "NoSuchBucket", "gone")])
        .on(
            "ListMultipartUploads",
            [multipart_uploads(&[]), error(404, "NoSuchBucket", "gone")],
        )
        .on("DeleteStack", [ok()])
        .after("DeleteStack")
        .on("DescribeStackEvents", [history(theirs)])
        .on("DescribeStacks", [missing])
        .on("HeadBucket", [status(404)])
        .on("DescribeTable", [error(400, "ResourceNotFoundException", "no table")])
        .start();
    down(&aws, &["-q"]).expect(0);
}

#[test]
fn a_stack_that_was_gone_before_the_deletion_began_is_not_waited_for() {
    let aws = then_gone(standing("CREATE_COMPLETE"))
        .on("DescribeStackEvents", [history([])])
        .start();
    down(&aws, &["-q"]).expect(0);
    // Once to plan, once to watch, once to prove it: the id of a stack is never used again.
    assert_eq!(aws.count("DescribeStacks"), 3);
}

#[test]
fn a_deletion_that_somebody_else_ended_just_before_ours_is_not_waited_for() {
    let aws = standing("CREATE_COMPLETE")
        .on("DescribeStackEvents", [history(gone_events())])
        .on("HeadBucket", [status(404)])
        .on("DescribeTable", [error(400, "ResourceNotFoundException", "no table")])
        .start();
    // A second deletion would be a call that the script does not know.
    down(&aws, &[]).expect(0);
}

#[test]
fn a_deletion_under_way_is_attached_to() {
    let aws = looked_at("DELETE_IN_PROGRESS")
        .on(
            "DescribeStackEvents",
            [history([stack_event("d1", "demo", "DELETE_IN_PROGRESS")])],
        )
        .after("DescribeStackEvents")
        .on("DescribeStackEvents", [history(gone_events())])
        .on("DescribeStacks", [stack("demo", "DELETE_COMPLETE").environment()])
        .on("HeadBucket", [status(404)])
        .on("DescribeTable", [error(400, "ResourceNotFoundException", "no table")])
        .start();
    let output = down(&aws, &[]).expect(0);
    assert!(output.stderr.contains("already under way"), "{output}");
    assert_eq!(aws.count("DeleteStack") + aws.count("DeleteObjects"), 0);
}

#[test]
fn what_is_left_at_a_service_is_named() {
    let aws = then_gone(standing("CREATE_COMPLETE"))
        .on("HeadBucket", [status(200)])
        .on("DescribeTable", [denied("dynamodb:DescribeTable")])
        .start();
    insta::assert_snapshot!(down(&aws, &["-q"]), @"
    exit: 3
    --- stdout
    emptied the-bucket: 1 object version, 7 B
    left    Bucket (AWS::S3::Bucket) the-bucket
    unsure  Table (AWS::DynamoDB::Table) the-table: DynamoDB DescribeTable was refused with AccessDenied: User: arn:aws:iam::123456789012:user/ci is not authorized to perform: dynamodb:DescribeTable (request scripted-request)
    demo is gone after [DURATION], but left 1 resource behind

    --- stderr
    ");
}

#[test]
fn every_kind_of_resource_is_asked_for_at_its_own_service() {
    let held = [
        ("Group", "rg", "AWS::ElastiCache::ReplicationGroup"),
        ("Cluster", "cc", "AWS::ElastiCache::CacheCluster"),
        ("Parameters", "pg", "AWS::ElastiCache::ParameterGroup"),
        ("Subnets", "sg", "AWS::ElastiCache::SubnetGroup"),
        ("Firewall", "sg-1", "AWS::EC2::SecurityGroup"),
        ("Secret", "arn:secret", "AWS::SecretsManager::Secret"),
        ("Policy", "the-bucket", "AWS::S3::BucketPolicy"),
    ];
    let held = held.map(|(id, physical, kind)| resource(id, physical, kind, "CREATE_COMPLETE"));
    let aws = then_gone(looked_at("CREATE_COMPLETE").on("ListStackResources", [resources(held)]))
        .on(
            "DescribeReplicationGroups",
            [
                replication_group("rg", "deleting"),
                error(404, "ReplicationGroupNotFoundFault", ""),
            ],
        )
        .on("DescribeCacheClusters", [error(404, "CacheClusterNotFound", "")])
        .on(
            "DescribeCacheParameterGroups",
            [error(404, "CacheParameterGroupNotFound", "")],
        )
        .on(
            "DescribeCacheSubnetGroups",
            [error(400, "CacheSubnetGroupNotFoundFault", "")],
        )
        .on("DescribeSecurityGroups", [error(400, "InvalidGroup.NotFound", "")])
        .on("DescribeSecret", [error(400, "ResourceNotFoundException", "")])
        .start();
    let lines = down(&aws, &["--output", "json"]).expect(0).json_lines();
    let resources = lines.last().expect("a line")["data"]["resources"]
        .as_array()
        .expect("a list");
    let states: Vec<_> = resources
        .iter()
        .map(|r| r["state"].as_str().expect("a state"))
        .collect();
    assert_eq!(states, ["gone", "gone", "gone", "gone", "gone", "gone", "not_asked"]);
}

#[test]
fn a_service_that_lags_is_asked_again() {
    let aws = then_gone(standing("CREATE_COMPLETE"))
        .on("HeadBucket", [status(200), status(200), status(404)])
        .start();
    down(&aws, &["-q"]).expect(0);
}

#[test]
fn force_gives_up_what_will_not_go() {
    let lasting = "API: s3:DeleteBucket Access Denied";
    let script = || {
        standing("CREATE_COMPLETE")
            .on("DeleteStack", [ok()])
            .after("DeleteStack")
            .on("DescribeStackEvents", [history(failed_events("f", lasting))])
            .on("DescribeStacks", [stack("demo", "DELETE_FAILED").environment()])
            .after("DeleteStack")
            .on(
                "DescribeStackEvents",
                [history(failed_events("f", lasting).into_iter().chain(gone_events()))],
            )
            .on("DescribeStacks", [stack("demo", "DELETE_COMPLETE").environment()])
            .on("HeadBucket", [status(200)])
            .on("DescribeTable", [error(400, "ResourceNotFoundException", "no table")])
    };
    let aws = script().start();
    insta::assert_snapshot!(down(&aws, &["-q"]), @"
    exit: 4
    --- stdout

    --- stderr
    error: stack `demo` ended in DELETE_FAILED: Bucket (AWS::S3::Bucket): API: s3:DeleteBucket Access Denied
    left: stack `demo` (DELETE_FAILED) with Bucket
    hint: the identity that runs rstack lacks a permission that this resource needs
          remove what holds Bucket and run this again, or give the stack up with `--force` (it leaves Bucket behind)
    ");
    assert_eq!(aws.count("DeleteStack"), 1);
    let aws = script().start();
    insta::assert_snapshot!(down(&aws, &["-q", "--force"]), @"
    exit: 3
    --- stdout
    emptied the-bucket: 1 object version, 7 B
    left    Bucket (AWS::S3::Bucket) the-bucket
    demo is gone after [DURATION], but left 1 resource behind

    --- stderr
    ");
    let modes: Vec<_> = aws
        .calls_of("DeleteStack")
        .iter()
        .map(|c| c.parameter("DeletionMode").to_owned())
        .collect();
    assert_eq!(modes, ["", "FORCE_DELETE_STACK"]);
}

#[test]
fn an_interrupt_stops_watching_and_says_how_to_go_on() {
    let going = [stack_event("d1", "demo", "DELETE_IN_PROGRESS")];
    let aws = standing("CREATE_COMPLETE")
        .on("DeleteStack", [ok()])
        .after("DeleteStack")
        .on("DescribeStackEvents", [history(going)])
        .on("DescribeStacks", [stack("demo", "DELETE_IN_PROGRESS").environment()])
        .start();
    let mut run = aws.rstack(["down", "-n", "demo", "--yes"]).spawn();
    run.until("DELETE_IN_PROGRESS  demo");
    run.signal(Signal::INT);
    insta::assert_snapshot!(run.wait(), @"
    exit: 130
    --- stdout

    --- stderr
    [CLOCK] deletes Bucket (AWS::S3::Bucket) the-bucket: 1 object, 7 B
    [CLOCK] deletes Table (AWS::DynamoDB::Table) the-table: about 2 items, 200 B
    [CLOCK] emptying the bucket: 1 object, 7 B, done in [DURATION]
    [CLOCK] deleting stack `demo`
    [CLOCK] DELETE_IN_PROGRESS  demo  AWS::CloudFormation::Stack
    error: stopped watching; AWS goes on
    hint: `rstack down --name demo` attaches again
    ");
}

#[test]
fn a_time_out_is_lost_contact() {
    let aws = standing("CREATE_COMPLETE")
        .on("DeleteStack", [ok()])
        .after("DeleteStack")
        .on(
            "DescribeStackEvents",
            [history([stack_event("d1", "demo", "DELETE_IN_PROGRESS")])],
        )
        .on("DescribeStacks", [stack("demo", "DELETE_IN_PROGRESS").environment()])
        .start();
    let output = down(&aws, &["-q", "--timeout", "1s"]);
    assert_eq!(output.code(), Some(5), "{output}");
}

#[test]
fn an_interrupt_while_emptying_finishes_what_is_in_flight_and_leaves_the_stack() {
    let page = object_versions([version("a", "v", 1, false)], Some(("a", "v"))).delayed(Duration::from_millis(100));
    let endless = looked_at("CREATE_COMPLETE").on("ListObjectVersions", [page]);
    let aws = endless.on("DeleteObjects", [deleted(&[])]).start();
    let mut run = aws.rstack(["down", "-n", "demo", "--yes"]).spawn();
    run.until("deletes Bucket");
    std::thread::sleep(Duration::from_millis(500));
    run.signal(Signal::TERM);
    let output = run.wait().expect(130);
    assert!(
        output.stderr.contains("stopped while emptying the bucket `the-bucket`"),
        "{output}"
    );
    assert_eq!(aws.count("DeleteStack"), 0);
}

#[test]
fn retain_on_a_stack_that_cannot_be_updated_is_refused() {
    let aws = looked_at("ROLLBACK_COMPLETE").start();
    insta::assert_snapshot!(down(&aws, &["-q", "--retain", "Bucket"]), @"
    exit: 1
    --- stdout

    --- stderr
    error: the stack `demo` is in ROLLBACK_COMPLETE: nothing in it can be marked to be kept
    hint: move what Bucket holds elsewhere first, and run `rstack down` without `--retain`
    ");
    let unknown = looked_at("CREATE_COMPLETE").start();
    insta::assert_snapshot!(down(&unknown, &["-q", "--retain", "Buckt"]), @"
    exit: 2
    --- stdout

    --- stderr
    error: the stack has no resource `Buckt` to retain
    hint: its resources are Bucket, Table
    ");
}

#[test]
fn retain_after_a_failed_deletion_goes_with_the_deletion() {
    let aws = looked_at("DELETE_FAILED")
        .on("DeleteStack", [ok()])
        .after("DeleteStack")
        .on("DescribeStackEvents", [history(gone_events())])
        .on("DescribeStacks", [stack("demo", "DELETE_COMPLETE").environment()])
        .on("DescribeTable", [error(400, "ResourceNotFoundException", "no table")])
        .start();
    let output = down(&aws, &["-q", "--retain", "Bucket"]).expect(0);
    assert!(output.stdout.contains("kept    Bucket"), "{output}");
    assert_eq!(
        aws.calls_of("DeleteStack")[0].parameter("RetainResources.member.1"),
        "Bucket"
    );
    assert_eq!(aws.count("DeleteObjects") + aws.count("UpdateStack"), 0);
}

#[test]
fn nobody_there_is_said_with_a_hint() {
    let output = Rstack::new()
        .endpoint(refused_endpoint())
        .args(["down", "-n", "demo", "--yes"])
        .run();
    assert_eq!(output.code(), Some(1), "{output}");
    assert!(output.stderr.contains("got no answer"), "{output}");
}

#[test]
fn json_ends_with_one_result() {
    let aws = then_gone(standing("CREATE_COMPLETE")).start();
    let lines = down(&aws, &["--output", "json"]).expect(0).json_lines();
    let last = lines.last().expect("a line");
    assert_eq!(last["type"], "result");
    let types: Vec<&Value> = lines.iter().map(|line| &line["type"]).collect();
    assert!(types.iter().any(|t| **t == "removal"), "{types:?}");
    insta::assert_snapshot!(serde_json::to_string_pretty(&last["data"]["resources"]).expect("JSON"), @r#"
    [
      {
        "logical_id": "Bucket",
        "physical_id": "the-bucket",
        "resource_type": "AWS::S3::Bucket",
        "kept": null,
        "state": "gone"
      },
      {
        "logical_id": "Table",
        "physical_id": "the-table",
        "resource_type": "AWS::DynamoDB::Table",
        "kept": null,
        "state": "gone"
      }
    ]
    "#);
}

#[test]
fn gc_goes_on_when_one_fails_and_leaves_alone_what_it_cannot_read() {
    let expired = |name: &str| {
        stack(name, "CREATE_COMPLETE")
            .environment()
            .tag("rstack:expires-at", "2020-01-01T00:00:00Z")
    };
    let all = [
        expired("stuck").protected(),
        stack("odd", "CREATE_COMPLETE")
            .environment()
            .tag("rstack:expires-at", "soon"),
        expired("demo"),
        stack("theirs", "CREATE_COMPLETE").tag("rstack:expires-at", "2020-01-01T00:00:00Z"),
    ];
    let described = [stacks(all), expired("stuck").protected().into(), expired("demo").into()];
    let environments = looked_at("CREATE_COMPLETE").on("DescribeStacks", described);
    let aws = then_gone(emptied(environments, [deleted(&[])])).start();
    insta::assert_snapshot!(aws.rstack(["gc", "--yes"]).run(), @"
    exit: 3
    --- stdout
    emptied the-bucket: 1 object version, 7 B
    demo is gone after [DURATION]; 2 resources asked for and not found any more
    failed stuck: the stack `stuck` has termination protection

    --- stderr
    [CLOCK] warning: `odd` is left alone: its time to live cannot be read
    [CLOCK] hint: `rstack up --ttl` writes it anew
    [CLOCK] warning: `stuck` was not taken down: the stack `stuck` has termination protection
    [CLOCK] hint: run `aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name stuck --region eu-west-1 --endpoint-url http://127.0.0.1:[PORT]` first
    [CLOCK] emptying the bucket: 1 object, 7 B, done in [DURATION]
    [CLOCK] deleting stack `demo`
    [CLOCK] DELETE_IN_PROGRESS  demo  AWS::CloudFormation::Stack
    [CLOCK] DELETE_COMPLETE     Bucket  AWS::S3::Bucket
    [CLOCK] DELETE_COMPLETE     demo  AWS::CloudFormation::Stack
    [CLOCK] stack `demo` DELETE_COMPLETE after [DURATION]
    ");
}
