//! The scripted AWS itself, asked through the library's own clients: a script that answered wrongly would make every
//! test that uses it worthless.

use rstack::aws::{Access, Aws, AwsErrorKind, NetworkThing};
use rstack::stack::{self, StackStatus};

use crate::support::scripted::{
    Script, Scripted, connection_reset, denied, ec2, error, event, events, json, ok, refused_endpoint, resource,
    resources, stack, stack_event, throttled,
};

async fn connect(endpoint: String) -> Aws {
    let access = Access {
        region: Some("eu-west-1".to_owned()),
        endpoint_url: Some(endpoint),
        credentials: Some(("id".to_owned(), "secret".to_owned())),
        ..Access::default()
    };
    Aws::connect(&access).await.expect("a region is set")
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

async fn status_of(aws: &Aws) -> Option<StackStatus> {
    stack::describe(aws, "demo")
        .await
        .expect("answered")
        .map(|stack| stack.status)
}

fn start(script: Script) -> (Scripted, String) {
    let scripted = script.start();
    let endpoint = scripted.endpoint();
    (scripted, endpoint)
}

#[test]
fn answers_come_in_turn_and_the_last_is_repeated() {
    let (scripted, endpoint) = start(Script::new().on(
        "DescribeStacks",
        [
            stack("demo", "CREATE_IN_PROGRESS"),
            stack("demo", "CREATE_COMPLETE").environment(),
        ],
    ));
    run(async {
        let aws = connect(endpoint).await;
        assert_eq!(status_of(&aws).await, Some(StackStatus::CreateInProgress));
        let found = stack::describe(&aws, "demo").await.expect("answered").expect("there");
        assert_eq!(found.status, StackStatus::CreateComplete);
        assert!(found.is_environment());
        assert_eq!(status_of(&aws).await, Some(StackStatus::CreateComplete));
    });
    assert_eq!(scripted.count("DescribeStacks"), 3);
    assert_eq!(scripted.calls()[0].parameter("StackName"), "demo");
}

#[test]
fn a_part_begins_after_its_call_and_events_carry_its_token() {
    let (scripted, endpoint) = start(
        Script::new()
            .on("DescribeStacks", [stack("demo", "CREATE_COMPLETE")])
            .on("DeleteStack", [error(400, "ValidationError", "not now"), ok()])
            .after("DeleteStack")
            .on("DescribeStacks", [stack("demo", "DELETE_IN_PROGRESS")])
            .on(
                "DescribeStackEvents",
                [events(
                    [
                        event("1", "Bucket", "AWS::S3::Bucket", "DELETE_COMPLETE").physical("b"),
                        stack_event("2", "demo", "DELETE_COMPLETE").token(Some("other")),
                    ],
                    None,
                )],
            ),
    );
    run(async {
        let aws = connect(endpoint).await;
        let delete = || {
            aws.cloudformation()
                .delete_stack()
                .stack_name("demo")
                .client_request_token("ours")
                .send()
        };
        assert!(delete().await.is_err());
        assert_eq!(status_of(&aws).await, Some(StackStatus::CreateComplete));
        delete().await.expect("accepted");
        assert_eq!(status_of(&aws).await, Some(StackStatus::DeleteInProgress));
        let page = aws
            .cloudformation()
            .describe_stack_events()
            .stack_name("demo")
            .send()
            .await
            .expect("answered");
        let told: Vec<_> = page
            .stack_events()
            .iter()
            .map(|e| {
                (
                    e.event_id().unwrap_or_default(),
                    e.client_request_token().unwrap_or_default(),
                )
            })
            .collect();
        assert_eq!(told, [("2", "other"), ("1", "ours")]);
    });
    assert_eq!(
        scripted.story(),
        [
            "DeleteStack",
            "DescribeStacks",
            "DeleteStack",
            "DescribeStacks",
            "DescribeStackEvents"
        ]
    );
}

#[test]
fn throttling_and_resets_are_seen_by_the_client_as_such() {
    let (scripted, endpoint) = start(
        Script::new()
            .on(
                "DescribeStacks",
                [throttled(), connection_reset(), stack("demo", "CREATE_COMPLETE").into()],
            )
            .on("ListStackResources", [denied("cloudformation:ListStackResources")]),
    );
    run(async {
        let aws = connect(endpoint).await;
        assert_eq!(status_of(&aws).await, Some(StackStatus::CreateComplete));
        let error = stack::describe_resources(&aws, "demo").await.expect_err("denied");
        assert_eq!(
            error.hint.as_deref(),
            Some(
                "allow the action `cloudformation:ListStackResources` for this identity, or use another one with \
                 `--profile` or `--role-arn`"
            )
        );
    });
    assert_eq!(scripted.count("DescribeStacks"), 3, "two retries by the SDK");
}

#[test]
fn resources_are_listed() {
    let (_scripted, endpoint) = start(Script::new().on(
        "ListStackResources",
        [resources([
            resource("Bucket", "b-1", "AWS::S3::Bucket", "CREATE_COMPLETE"),
            resource("Table", "", "T", "CREATE_FAILED"),
        ])],
    ));
    run(async {
        let listed = stack::describe_resources(&connect(endpoint).await, "demo")
            .await
            .expect("answered");
        assert_eq!(listed[0].physical_id.as_deref(), Some("b-1"));
        assert_eq!(listed[1].physical_id, None);
    });
}

#[test]
fn nobody_listens_at_a_refused_endpoint() {
    run(async {
        let aws = connect(refused_endpoint()).await;
        let error = stack::describe(&aws, "demo").await.expect_err("refused");
        assert!(error.to_string().contains("got no answer"), "{error}");
    });
}

#[test]
fn hand_signed_questions_are_answered_and_retried() {
    let vpc: &[(&str, &str)] = &[("vpcId", "vpc-1"), ("isDefault", "true")];
    let (scripted, endpoint) = start(
        Script::new()
            .on(
                "DescribeVpcs",
                [
                    error(503, "Unavailable", "busy"),
                    ec2("vpcSet", &[vpc]),
                    ec2("vpcSet", &[]),
                ],
            )
            .on(
                "DescribeSecurityGroups",
                [
                    ec2("securityGroupInfo", &[&[("groupId", "sg-1")]]),
                    error(400, "InvalidGroup.NotFound", "gone"),
                    error(403, "UnauthorizedOperation", "no"),
                ],
            )
            .on(
                "GetSecretValue",
                [json(serde_json::json!({ "SecretString": "s3cret" }))],
            )
            .on("DescribeSecret", [error(400, "ResourceNotFoundException", "gone")]),
    );
    run(async {
        let aws = connect(endpoint).await;
        assert_eq!(aws.default_vpc().await.expect("answered").as_deref(), Some("vpc-1"));
        assert_eq!(aws.default_vpc().await.expect("answered"), None);
        let exists = || aws.network_thing_exists(NetworkThing::SecurityGroup, "sg-1");
        assert!(exists().await.expect("answered"));
        assert!(!exists().await.expect("answered"));
        let denied = exists().await.expect_err("denied");
        assert_eq!(denied.kind, AwsErrorKind::Denied);
        assert_eq!(aws.secret("arn").await.expect("answered"), "s3cret");
        assert!(!aws.secret_exists("arn").await.expect("answered"));
    });
    let asked = &scripted.calls_of("DescribeSecurityGroups")[0];
    assert_eq!(asked.parameter("GroupId.1"), "sg-1");
    let signature = &asked.headers["authorization"];
    assert!(signature.contains("/eu-west-1/ec2/aws4_request"), "{signature}");
    assert_eq!(scripted.calls_of("GetSecretValue")[0].json()["SecretId"], "arn");
}
