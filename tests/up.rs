//! `rstack up` against scripted answers: what no emulator shows.

mod live;

use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::scripted::{
    Answer, EventAnswer, Script, Scripted, change, change_set, connection_reset, denied, ec2, error, event, events, ok,
    operation_events, query, refused_endpoint, stack, stack_event, stack_id, template, throttled, xml,
};
use crate::support::{Rstack, Signal};

const TEMPLATE: &str = "Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n  Table:\n    Type: AWS::DynamoDB::Table\n";

/// `rstack up --name demo --template FILE` against the script.
struct Story {
    aws: Scripted,
    dir: TempDir,
}

impl Story {
    fn new(script: Script) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        std::fs::write(dir.path().join("stack.yaml"), TEMPLATE).expect("a file");
        Self {
            aws: script.start(),
            dir,
        }
    }

    fn up<'a>(&self, more: impl IntoIterator<Item = &'a str>) -> Rstack {
        Rstack::new()
            .endpoint(self.aws.endpoint())
            .dir(self.dir.path())
            .args(["up", "--name", "demo", "--template", "stack.yaml"])
            .args(more)
    }
}

fn absent() -> Answer {
    error(400, "ValidationError", "Stack with id demo does not exist")
}

fn accepted() -> Answer {
    query(format!("<StackId>{}</StackId>", stack_id("demo")))
}

fn begun() -> EventAnswer {
    stack_event("1", "demo", "CREATE_IN_PROGRESS").reason("User Initiated")
}

/// A creation whose events come as `pages`, then ends in `status`.
fn creation(histories: impl IntoIterator<Item = Answer>, status: &str) -> Script {
    Script::new()
        .on("DescribeStacks", [absent()])
        .on("CreateStack", [accepted()])
        .after("CreateStack")
        .on("DescribeStackEvents", histories)
        .on("DescribeStacks", [stack("demo", status).environment()])
}

#[test]
fn every_event_is_shown_once_and_in_order_across_pages_and_equal_times() {
    let bucket = |id: &str, status: &str| event(id, "Bucket", "AWS::S3::Bucket", status);
    let story = Story::new(creation(
        [
            // The first read is older than the operation; then the history grows, two events a page.
            events([], None),
            events([begun()], None),
            throttled(),
            events(
                [
                    bucket("3", "CREATE_IN_PROGRESS").reason("Resource creation Initiated"),
                    bucket("4", "CREATE_COMPLETE"),
                ],
                Some("older"),
            ),
            events([begun(), bucket("2", "CREATE_IN_PROGRESS")], None),
            events(
                [
                    bucket("4", "CREATE_COMPLETE"),
                    stack_event("5", "demo", "CREATE_COMPLETE"),
                ],
                None,
            ),
        ],
        "CREATE_COMPLETE",
    ));
    let output = story.up(["--output", "json"]).run().expect(0);
    let ids: Vec<_> = output
        .json_lines()
        .into_iter()
        .filter(|line| line["type"] == "stack")
        .map(|line| line["id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    let create = &story.aws.calls_of("CreateStack")[0];
    assert_eq!(create.parameter("TemplateBody"), TEMPLATE, "byte for byte");
    assert_eq!(create.parameter("OnFailure"), "ROLLBACK");
    assert!(create.parameter("ClientRequestToken").starts_with("rstack-"));
}

#[test]
fn a_failure_shows_its_first_cause_with_a_hint_and_exits_4() {
    let story = Story::new(creation(
        [events(
            [
                begun(),
                event("2", "Table", "AWS::DynamoDB::Table", "CREATE_IN_PROGRESS"),
                event("3", "Bucket", "AWS::S3::Bucket", "CREATE_FAILED").reason("taken already exists in bucket"),
                event("4", "Table", "AWS::DynamoDB::Table", "CREATE_FAILED").reason("Resource creation cancelled"),
                stack_event("5", "demo", "ROLLBACK_IN_PROGRESS")
                    .reason("The following resource(s) failed to create: [Bucket]"),
                stack_event("6", "demo", "ROLLBACK_COMPLETE"),
            ],
            None,
        )],
        "ROLLBACK_COMPLETE",
    ));
    insta::assert_snapshot!(story.up([]).run(), @r"
    exit: 4
    --- stdout

    --- stderr
    [CLOCK] creating stack `demo`
    [CLOCK] CREATE_IN_PROGRESS  demo  AWS::CloudFormation::Stack  User Initiated
    [CLOCK] CREATE_IN_PROGRESS  Table  AWS::DynamoDB::Table
    [CLOCK] CREATE_FAILED       Bucket  AWS::S3::Bucket  taken already exists in bucket
    [CLOCK] CREATE_FAILED       Table  AWS::DynamoDB::Table  Resource creation cancelled
    [CLOCK] ROLLBACK_IN_PROGRESS  demo  AWS::CloudFormation::Stack  The following resource(s) failed to create: [Bucket]
    [CLOCK] ROLLBACK_COMPLETE   demo  AWS::CloudFormation::Stack
    [CLOCK] stack `demo` ROLLBACK_COMPLETE after [DURATION]
    error: stack `demo` ended in ROLLBACK_COMPLETE: Bucket (AWS::S3::Bucket): taken already exists in bucket
    left: stack `demo` (ROLLBACK_COMPLETE); `rstack down --name demo` removes it
    hint: bucket names are shared by all of AWS: choose another one, or give none and let CloudFormation make one up
    ");
}

#[test]
fn a_rollback_that_fails_is_told_with_what_is_left() {
    let story = Story::new(creation(
        [events(
            [
                begun(),
                event("2", "Bucket", "AWS::S3::Bucket", "CREATE_FAILED")
                    .reason("You have attempted to create more buckets than allowed: TooManyBuckets"),
                stack_event("3", "demo", "ROLLBACK_IN_PROGRESS"),
                event("4", "Table", "AWS::DynamoDB::Table", "DELETE_FAILED").reason("not now"),
                stack_event("5", "demo", "ROLLBACK_FAILED"),
            ],
            None,
        )],
        "ROLLBACK_FAILED",
    ));
    let output = story.up([]).run().expect(4);
    assert!(
        output.stderr.contains("TooManyBuckets") && output.stderr.contains("a limit of the account"),
        "{output}"
    );
    assert!(
        output.stderr.contains("left: stack `demo` (ROLLBACK_FAILED)"),
        "{output}"
    );
}

#[test]
fn a_cause_that_only_describe_events_knows_is_told() {
    let story = Story::new(
        creation(
            [events(
                [
                    begun(),
                    stack_event("2", "demo", "ROLLBACK_IN_PROGRESS").reason("Call DescribeEvents for the reason"),
                    stack_event("3", "demo", "ROLLBACK_COMPLETE"),
                ],
                None,
            )],
            "ROLLBACK_COMPLETE",
        )
        .on(
            "DescribeEvents",
            [operation_events(&[
                &[
                    ("EventType", "STACK_EVENT_OF_A_KIND_TO_COME"),
                    ("LogicalResourceId", "demo"),
                    ("ResourceType", "AWS::CloudFormation::Stack"),
                    ("ResourceStatusReason", "See the operation's FAILED event for details."),
                ],
                &[
                    ("EventType", "VALIDATION_ERROR"),
                    ("LogicalResourceId", "Bucket"),
                    ("ResourceType", "AWS::S3::Bucket"),
                    ("ValidationStatusReason", "Bucket name taken already exists"),
                ],
            ])],
        ),
    );
    let output = story.up([]).run().expect(4);
    assert!(
        output
            .stderr
            .contains("ROLLBACK_COMPLETE: Bucket (AWS::S3::Bucket): Bucket name taken already exists"),
        "{output}"
    );
    assert!(!output.stderr.contains("FAILED event"), "{output}");
}

#[test]
fn the_end_is_not_believed_before_events_and_description_agree() {
    let story = Story::new(
        Script::new()
            .on("DescribeStacks", [absent()])
            .on("CreateStack", [accepted()])
            .after("CreateStack")
            .on(
                "DescribeStackEvents",
                [events(
                    [
                        begun(),
                        event("2", "Bucket", "AWS::S3::Bucket", "CREATE_COMPLETE"),
                        stack_event("3", "demo", "CREATE_COMPLETE"),
                    ],
                    None,
                )],
            )
            // The description lags behind: absent, then in progress, then true.
            .on(
                "DescribeStacks",
                [
                    absent(),
                    stack("demo", "CREATE_IN_PROGRESS").environment().into(),
                    stack("demo", "CREATE_COMPLETE").environment().into(),
                ],
            ),
    );
    story.up([]).run().expect(0);
    assert_eq!(story.aws.count("DescribeStacks"), 4);
}

#[test]
fn a_running_creation_is_attached_to_and_then_needs_nothing() {
    let story = Story::new(
        Script::new()
            .on(
                "DescribeStacks",
                [
                    stack("demo", "CREATE_IN_PROGRESS").environment(),
                    stack("demo", "CREATE_COMPLETE")
                        .environment()
                        .tag("rstack:version", "0.1.0"),
                ],
            )
            .on(
                "DescribeStackEvents",
                [events([begun(), stack_event("2", "demo", "CREATE_COMPLETE")], None)],
            )
            .on("GetTemplate", [template(TEMPLATE)]),
    );
    let output = story.up([]).run().expect(0);
    assert!(output.stderr.contains("already under way"), "{output}");
    assert!(output.stdout.contains("up to date already"), "{output}");
}

#[test]
fn whoever_loses_the_race_attaches_to_the_winner() {
    let story = Story::new(
        Script::new()
            .on(
                "DescribeStacks",
                [
                    absent(),
                    stack("demo", "CREATE_IN_PROGRESS").environment().into(),
                    stack("demo", "CREATE_COMPLETE").environment().into(),
                ],
            )
            .on(
                "CreateStack",
                [error(400, "AlreadyExistsException", "Stack [demo] already exists")],
            )
            .on(
                "DescribeStackEvents",
                [events([begun(), stack_event("2", "demo", "CREATE_COMPLETE")], None)],
            )
            .on("GetTemplate", [template(TEMPLATE)]),
    );
    story.up([]).run().expect(0);
    assert_eq!(story.aws.count("CreateStack"), 1);
}

/// A stack that stands with another template, and a change set that replaces the bucket.
fn replacement() -> Script {
    Script::new()
        .on("DescribeStacks", [stack("demo", "CREATE_COMPLETE").environment()])
        .on("GetTemplate", [template("Resources: {}")])
        .on("CreateChangeSet", [query("<Id>arn:change</Id>")])
        .on(
            "DescribeChangeSet",
            [change_set(
                "c",
                "demo",
                "CREATE_COMPLETE",
                [change("Modify", "Bucket", "AWS::S3::Bucket", Some("True"))],
            )],
        )
        .on("DeleteChangeSet", [ok()])
        .on("ExecuteChangeSet", [ok()])
        .after("ExecuteChangeSet")
        .on("DescribeStacks", [stack("demo", "UPDATE_COMPLETE").environment()])
        .on(
            "DescribeStackEvents",
            [events(
                [
                    begun().token(Some("old")),
                    stack_event("2", "demo", "UPDATE_IN_PROGRESS"),
                    stack_event("3", "demo", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
                    stack_event("4", "demo", "UPDATE_COMPLETE"),
                ],
                None,
            )],
        )
}

#[test]
fn a_change_is_shown_and_without_a_yes_it_is_discarded() {
    let story = Story::new(replacement());
    let output = story.up([]).run();
    assert_eq!(story.aws.count("ExecuteChangeSet"), 0);
    assert_eq!(story.aws.count("DeleteChangeSet"), 1);
    insta::assert_snapshot!(output, @r"
    exit: 2
    --- stdout

    --- stderr
    [CLOCK] ! replace Bucket  AWS::S3::Bucket  what it holds is lost
    error: nobody can be asked here: this loses everything in Bucket: go on with environment `demo`?
    hint: add `--yes` to answer yes
    ");
}

#[test]
fn a_change_with_a_yes_is_executed() {
    let story = Story::new(replacement());
    let output = story.up(["--yes"]).run().expect(0);
    assert!(output.stdout.contains("UPDATE_COMPLETE"), "{output}");
    assert!(
        !output.stderr.contains("CREATE_IN_PROGRESS"),
        "the old operation is not ours\n{output}"
    );
}

#[test]
fn an_empty_change_set_is_deleted_again_and_is_a_success() {
    let empty = query(
        "<ChangeSetName>c</ChangeSetName><Status>FAILED</Status><StatusReason>The submitted information didn't contain changes. \
         Submit different information to create a change set.</StatusReason>",
    );
    let story = Story::new(
        Script::new()
            .on("DescribeStacks", [stack("demo", "CREATE_COMPLETE").environment()])
            .on("GetTemplate", [template("# the same in other words\n")])
            .on("CreateChangeSet", [query("<Id>arn:change</Id>")])
            .on("DescribeChangeSet", [empty])
            .on("DeleteChangeSet", [ok()]),
    );
    let output = story.up([]).run().expect(0);
    assert!(output.stdout.contains("up to date already"), "{output}");
    assert_eq!(story.aws.count("DeleteChangeSet"), 1);
}

#[test]
fn another_version_of_rstack_alone_is_no_change() {
    let story = Story::new(
        Script::new()
            .on(
                "DescribeStacks",
                [stack("demo", "CREATE_COMPLETE")
                    .environment()
                    .tag("rstack:version", "0.0.1")],
            )
            .on("GetTemplate", [template(TEMPLATE)]),
    );
    story.up([]).run().expect(0);
    assert_eq!(story.aws.count("CreateChangeSet"), 0);
}

#[test]
fn tags_that_nobody_names_any_more_stay_and_others_are_shown() {
    let tagged = || stack("demo", "CREATE_COMPLETE").environment().tag("team", "core");
    let same = Story::new(
        Script::new()
            .on("DescribeStacks", [tagged()])
            .on("GetTemplate", [template(TEMPLATE)]),
    );
    assert!(same.up([]).run().expect(0).stdout.contains("up to date already"));

    let story = Story::new(
        Script::new()
            .on("DescribeStacks", [tagged()])
            .on("GetTemplate", [template(TEMPLATE)])
            .on("CreateChangeSet", [query("<Id>arn:change</Id>")])
            .on("DescribeChangeSet", [change_set("c", "demo", "CREATE_COMPLETE", [])])
            .on("DeleteChangeSet", [ok()]),
    );
    let output = story.up(["-t", "team=web", "-t", "cost=42"]).run().expect(2);
    assert!(output.stderr.contains("+ add tag cost = 42\n"), "{output}");
    assert!(
        output.stderr.contains("~ change tag team = web, which was core\n"),
        "{output}"
    );
}

#[test]
fn an_update_that_failed_and_was_kept_is_no_success() {
    let failed = || stack("demo", "UPDATE_FAILED").environment();
    let story = Story::new(
        Script::new()
            .on("DescribeStacks", [failed()])
            .on("GetTemplate", [template(TEMPLATE)])
            .on(
                "DescribeStackEvents",
                [events(
                    [
                        stack_event("1", "demo", "UPDATE_IN_PROGRESS").reason("User Initiated"),
                        event("2", "Table", "AWS::DynamoDB::Table", "UPDATE_FAILED").reason("too many tables"),
                        stack_event("3", "demo", "UPDATE_FAILED"),
                    ],
                    None,
                )],
            ),
    );
    insta::assert_snapshot!(story.up([]).run(), @r"
    exit: 4
    --- stdout

    --- stderr
    error: stack `demo` ended in UPDATE_FAILED: Table (AWS::DynamoDB::Table): too many tables
    left: stack `demo` (UPDATE_FAILED); `rstack down --name demo` removes it
    hint: change the template and bring it up again, or roll the update back in CloudFormation's console
    ");
}

#[test]
fn what_does_not_answer_as_aws_does_is_told() {
    let story = Story::new(Script::new().on("DescribeStacks", [xml("<html>a portal</html>")]));
    let output = story.up([]).run().expect(1);
    assert!(output.stderr.contains("its answer cannot be read"), "{output}");
    assert!(
        output.stderr.contains("something else than AWS answers there"),
        "{output}"
    );
}

#[test]
fn somebody_elses_stack_is_not_touched() {
    let story = Story::new(Script::new().on("DescribeStacks", [stack("demo", "CREATE_COMPLETE")]));
    insta::assert_snapshot!(story.up(["--yes"]).run(), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is a stack `demo` that rstack did not make (it has no tag `rstack:environment`)
    hint: choose another name with `--name`
    ");
}

#[test]
fn a_stuck_stack_names_the_way_out() {
    let story = Story::new(
        Script::new().on(
            "DescribeStacks",
            [stack("demo", "UPDATE_ROLLBACK_FAILED")
                .environment()
                .reason("Table is stuck")],
        ),
    );
    let output = story.up([]).run().expect(1);
    assert!(
        output.stderr.contains("continue-update-rollback --stack-name demo"),
        "{output}"
    );
    assert!(output.stderr.contains("Table is stuck"), "{output}");
}

#[test]
fn a_refused_permission_names_the_action() {
    let story = Story::new(
        Script::new()
            .on("DescribeStacks", [absent()])
            .on("CreateStack", [denied("cloudformation:CreateStack")]),
    );
    let output = story.up([]).run().expect(1);
    assert!(
        output.stderr.contains("allow the action `cloudformation:CreateStack`"),
        "{output}"
    );
}

#[test]
fn credentials_that_expire_meanwhile_lose_contact_and_say_how_to_attach() {
    let story = Story::new(creation(
        [
            events([begun()], None),
            error(
                403,
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
        ],
        "CREATE_IN_PROGRESS",
    ));
    let output = story.up([]).run().expect(5);
    assert!(output.stderr.contains("fresh credentials"), "{output}");
    assert!(output.stderr.contains("rstack up --name demo"), "{output}");
}

#[test]
fn throttling_and_resets_while_watching_fail_nothing() {
    let story = Story::new(creation(
        [
            events([begun()], None),
            throttled(),
            throttled(),
            throttled(),
            throttled(),
            throttled(),
            throttled(),
            connection_reset(),
            connection_reset(),
            events([begun(), stack_event("2", "demo", "CREATE_COMPLETE")], None),
        ],
        "CREATE_COMPLETE",
    ));
    story.up([]).run().expect(0);
}

#[test]
fn a_timeout_leaves_the_stack_to_aws() {
    let story = Story::new(creation([events([begun()], None)], "CREATE_IN_PROGRESS"));
    let output = story.up(["--timeout", "1s"]).run().expect(5);
    assert!(
        output.stderr.contains("has not settled within 1s; AWS goes on"),
        "{output}"
    );
}

#[test]
fn ctrl_c_and_sigterm_stop_watching_and_say_how_to_attach() {
    for signal in [Signal::INT, Signal::TERM] {
        let story = Story::new(creation([events([begun()], None)], "CREATE_IN_PROGRESS"));
        let mut running = story.up([]).spawn();
        running.until("CREATE_IN_PROGRESS").signal(signal);
        let output = running.wait().expect(130);
        assert!(output.stderr.contains("AWS goes on"), "{output}");
        assert!(output.stderr.contains("rstack up --name demo"), "{output}");
    }
}

#[test]
fn what_to_run_again_is_all_that_was_asked_for() {
    let story = Story::new(creation([events([begun()], None)], "CREATE_IN_PROGRESS"));
    std::fs::create_dir(story.dir.path().join("my code")).expect("a folder");
    std::fs::write(story.dir.path().join("my code/a.py"), "a = 1\n").expect("written");
    let asked = "-p Size=2 -t team=core --ttl 90m --on-failure keep --timeout 1s --yes --timeline t.svg --seed";
    let asked = asked.split(' ').chain(["my code"]);
    let output = story.up(asked).run().expect(5);
    let again = "`rstack up --name demo --template stack.yaml --parameter Size=2 --on-failure keep --tag team=core \
                 --ttl 1h30m --yes --seed 'my code' --timeline t.svg` attaches again";
    assert!(output.stderr.contains(again), "{output}");
}

#[test]
fn an_interrupt_ends_waiting_for_any_answer() {
    let slow = |answer: Answer| answer.delayed(Duration::from_secs(30));
    let absent_and = |action, answer| Script::new().on("DescribeStacks", [absent()]).on(action, [answer]);
    let standing = || {
        let script = Script::new().on("DescribeStacks", [stack("demo", "CREATE_COMPLETE").environment()]);
        script.on("GetTemplate", [template("Resources: {}")])
    };
    for (asked, script, says) in [
        (
            "DescribeStacks",
            Script::new().on("DescribeStacks", [slow(absent())]),
            "nothing was changed",
        ),
        (
            "CreateStack",
            absent_and("CreateStack", slow(accepted())),
            "if it has taken the request, it goes on",
        ),
        (
            "GetTemplate",
            Script::new()
                .on("DescribeStacks", [stack("demo", "CREATE_COMPLETE").environment()])
                .on("GetTemplate", [slow(template("Resources: {}"))]),
            "nothing was changed",
        ),
        (
            "CreateChangeSet",
            standing().on("CreateChangeSet", [slow(query("<Id>arn:change</Id>"))]),
            "if it has taken the request, it goes on",
        ),
    ] {
        let story = Story::new(script);
        let mut running = story.up([]).spawn();
        while story.aws.count(asked) == 0 {
            sleep(Duration::from_millis(10));
        }
        running.signal(Signal::TERM);
        let output = running.wait().expect(130);
        assert!(output.stderr.contains(says), "{asked}: {output}");
    }
}

#[test]
fn a_stack_that_somebody_deletes_while_we_watch_is_a_failure() {
    let story = Story::new(
        creation(
            [
                events([begun()], None),
                events(
                    [
                        begun(),
                        stack_event("2", "demo", "DELETE_IN_PROGRESS").token(Some("theirs")),
                        stack_event("3", "demo", "DELETE_COMPLETE").token(Some("theirs")),
                    ],
                    None,
                ),
            ],
            "DELETE_COMPLETE",
        )
        .on("DescribeEvents", [error(400, "ValidationError", "unknown")]),
    );
    let output = story.up([]).run().expect(4);
    assert!(output.stderr.contains("ended in DELETE_COMPLETE"), "{output}");
    assert!(output.stderr.contains("somebody deleted it meanwhile"), "{output}");
}

#[test]
fn nothing_is_created_without_a_default_vpc() {
    let aws = Script::new()
        .on("DescribeStacks", [absent()])
        .on("DescribeVpcs", [ec2("vpcSet", &[])])
        .start();
    let output = Rstack::new()
        .endpoint(aws.endpoint())
        .args(["up", "--name", "demo"])
        .run();
    assert_eq!(aws.count("CreateStack"), 0);
    insta::assert_snapshot!(output, @r"
        exit: 1
        --- stdout

        --- stderr
        error: the account has no default VPC in eu-west-1
        hint: set `stores.redis.vpc` and `stores.redis.subnets` in rstack.yaml to place Redis in a VPC of yours
        ");
}

#[test]
fn no_wait_returns_while_aws_works() {
    let story = Story::new(creation([events([begun()], None)], "CREATE_IN_PROGRESS"));
    let output = story.up(["--no-wait"]).run().expect(0);
    assert!(output.stdout.contains("under way"), "{output}");
    assert_eq!(story.aws.count("DescribeStackEvents"), 0);
}

#[test]
fn a_missing_capability_names_the_option() {
    let story = Story::new(Script::new().on("DescribeStacks", [absent()]).on(
        "CreateStack",
        [error(
            400,
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_IAM]",
        )],
    ));
    let output = story.up([]).run().expect(1);
    assert!(output.stderr.contains("--capability CAPABILITY_IAM"), "{output}");
}

#[test]
fn the_time_to_live_counts_by_awss_clock() {
    let story = Story::new(
        Script::new()
            .on(
                "DescribeStacks",
                [absent().header("date", "Sun, 01 Nov 2026 12:00:00 GMT")],
            )
            .on("CreateStack", [accepted()])
            .after("CreateStack")
            .on("DescribeStacks", [stack("demo", "CREATE_IN_PROGRESS").environment()]),
    );
    story.up(["--no-wait", "--ttl", "8h"]).run().expect(0);
    let create = &story.aws.calls_of("CreateStack")[0];
    let tags: Vec<_> = (1..=3)
        .map(|i| create.parameter(&format!("Tags.member.{i}.Value")).to_owned())
        .collect();
    assert!(
        tags.iter().any(|value| value.starts_with("2026-11-01T20:00:0")),
        "{tags:?}"
    );
}

#[test]
fn contradictions_and_bad_values_are_usage_errors() {
    let story = Story::new(Script::new().on("DescribeStacks", [absent()]));
    for (more, words) in [
        (vec!["--express", "--on-failure", "delete"], "contradict"),
        (vec!["--ttl", "soon"], "length of time"),
        (vec!["--parameter", "Size"], "KEY=VALUE"),
        (vec!["--tag", "aws:x=1"], "tag's key"),
        (vec!["--timeout", "0"], "length of time"),
    ] {
        let output = story.up(more.clone()).run().expect(2);
        assert!(output.stderr.contains(words), "{more:?}\n{output}");
    }
}

#[test]
fn a_template_that_is_too_large_needs_a_bucket() {
    let story = Story::new(Script::new().on("DescribeStacks", [absent()]));
    std::fs::write(story.dir.path().join("stack.yaml"), "#".repeat(51_201)).expect("a file");
    let output = story.up([]).run().expect(2);
    assert!(output.stderr.contains("--template-bucket"), "{output}");
    let output = story.up(["--template", "missing.yaml"]).run();
    assert_eq!(output.code(), Some(2), "an option twice is a usage error\n{output}");
    let output = Rstack::new()
        .endpoint(story.aws.endpoint())
        .args(["up", "-n", "demo", "--template", "missing.yaml"])
        .run()
        .expect(2);
    assert!(output.stderr.contains("`missing.yaml` does not exist"), "{output}");
}

#[test]
fn no_connection_is_an_error_that_says_where_to_look() {
    let output = Rstack::new()
        .endpoint(refused_endpoint())
        .args(["up", "--name", "demo"])
        .run()
        .expect(1);
    assert!(output.stderr.contains("got no answer"), "{output}");
    assert!(output.stderr.contains("HTTPS_PROXY"), "{output}");
}

/// A service that answers slowly is asked again only after it answered.
#[test]
fn reads_do_not_overlap() {
    let slow = events([begun()], None).delayed(Duration::from_millis(300));
    let story = Story::new(creation([slow], "CREATE_IN_PROGRESS"));
    story.up(["--timeout", "1s"]).run().expect(5);
    assert!(
        story.aws.count("DescribeStackEvents") <= 5,
        "{}",
        story.aws.count("DescribeStackEvents")
    );
}
