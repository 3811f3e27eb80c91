//! `rstack policy`.

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;
use rstack::aws::{Service, permissions};
use rstack::config::{self, Config};
use rstack::policy::{Areas, Effect, Holdings, Operator, Place, Policy, operator, publisher, uncovered, wanted_by};
use rstack::template::Preset;
use serde_json::json;
use tempfile::TempDir;

use crate::support::Rstack;
use crate::support::local::{LocalAws, shared, unique};
use crate::support::python::venv;
use crate::support::scripted::{Script, Scripted, query, resource, resources, stack, stacks_page};

/// The longest that a managed policy may be, without white space.
const LONGEST: usize = 6144;

fn environment() -> Scripted {
    let stack = stack("demo", "CREATE_COMPLETE")
        .environment()
        .output("BucketName", "demo-bucket-1x2y")
        .output("TableName", "demo-table-1x2y")
        .output("RedisAddress", "demo.cache.example")
        .output("RedisPort", "6379")
        .output(
            "RedisAuthSecretArn",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:RedisAuth-1x2y",
        );
    let held = [
        resource("Bucket", "demo-bucket-1x2y", "AWS::S3::Bucket", "CREATE_COMPLETE"),
        resource("Queue", "https://sqs.example/q", "AWS::SQS::Queue", "CREATE_COMPLETE"),
    ];
    Script::new()
        .on("DescribeStacks", [stack])
        .on("ListStackResources", [resources(held)])
        .start()
}

fn printed(aws: &Scripted, args: &[&str]) -> crate::support::Output {
    let call = Rstack::new().endpoint(aws.endpoint());
    call.args(["policy", "-n", "demo"].iter().chain(args)).run()
}

#[test]
fn a_reader_of_one_area_sees_nothing_else() {
    insta::assert_snapshot!(printed(&environment(), &["reader", "--area", "home/me"]), @r#"
    exit: 0
    --- stdout
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "FindStores",
          "Effect": "Allow",
          "Action": [
            "cloudformation:DescribeStacks"
          ],
          "Resource": [
            "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo/*"
          ]
        },
        {
          "Sid": "ListFiles",
          "Effect": "Allow",
          "Action": [
            "s3:ListBucket"
          ],
          "Resource": [
            "arn:aws:s3:::demo-bucket-1x2y"
          ],
          "Condition": {
            "StringLike": {
              "s3:prefix": "home/me/*"
            }
          }
        },
        {
          "Sid": "ReadFiles",
          "Effect": "Allow",
          "Action": [
            "s3:GetObject"
          ],
          "Resource": [
            "arn:aws:s3:::demo-bucket-1x2y/home/me/*"
          ]
        },
        {
          "Sid": "ReadItems",
          "Effect": "Allow",
          "Action": [
            "dynamodb:BatchGetItem"
          ],
          "Resource": [
            "arn:aws:dynamodb:eu-west-1:123456789012:table/demo-table-1x2y"
          ],
          "Condition": {
            "ForAllValues:StringLike": {
              "dynamodb:LeadingKeys": [
                "home/me/*",
                ".rstack/parts/*",
                "."
              ]
            },
            "Null": {
              "dynamodb:LeadingKeys": "false"
            }
          }
        },
        {
          "Sid": "OpenRedis",
          "Effect": "Allow",
          "Action": [
            "secretsmanager:GetSecretValue"
          ],
          "Resource": [
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:RedisAuth-1x2y"
          ]
        }
      ]
    }

    --- stderr
    "#);
}

#[test]
fn a_publisher_leaves_prod_alone_unless_told() {
    let aws = environment();
    insta::assert_snapshot!(printed(&aws, &["publisher"]), @r#"
    exit: 0
    --- stdout
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "FindStores",
          "Effect": "Allow",
          "Action": [
            "cloudformation:DescribeStacks"
          ],
          "Resource": [
            "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo/*"
          ]
        },
        {
          "Sid": "ListFiles",
          "Effect": "Allow",
          "Action": [
            "s3:ListBucket"
          ],
          "Resource": [
            "arn:aws:s3:::demo-bucket-1x2y"
          ]
        },
        {
          "Sid": "PublishFiles",
          "Effect": "Allow",
          "Action": [
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:PutObject"
          ],
          "Resource": [
            "arn:aws:s3:::demo-bucket-1x2y/*"
          ]
        },
        {
          "Sid": "PublishItems",
          "Effect": "Allow",
          "Action": [
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:PutItem"
          ],
          "Resource": [
            "arn:aws:dynamodb:eu-west-1:123456789012:table/demo-table-1x2y"
          ]
        },
        {
          "Sid": "ListItems",
          "Effect": "Allow",
          "Action": [
            "dynamodb:Scan"
          ],
          "Resource": [
            "arn:aws:dynamodb:eu-west-1:123456789012:table/demo-table-1x2y"
          ]
        },
        {
          "Sid": "KeepProductionFiles",
          "Effect": "Deny",
          "Action": [
            "s3:DeleteObject",
            "s3:PutObject"
          ],
          "Resource": [
            "arn:aws:s3:::demo-bucket-1x2y/prod/*"
          ]
        },
        {
          "Sid": "KeepProductionItems",
          "Effect": "Deny",
          "Action": [
            "dynamodb:BatchWriteItem",
            "dynamodb:PutItem"
          ],
          "Resource": [
            "arn:aws:dynamodb:eu-west-1:123456789012:table/demo-table-1x2y"
          ],
          "Condition": {
            "ForAnyValue:StringLike": {
              "dynamodb:LeadingKeys": "prod/*"
            }
          }
        },
        {
          "Sid": "OpenRedis",
          "Effect": "Allow",
          "Action": [
            "secretsmanager:GetSecretValue"
          ],
          "Resource": [
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:RedisAuth-1x2y"
          ]
        }
      ]
    }

    --- stderr
    "#);
    for args in [&["publisher", "--allow-prod"][..], &["publisher", "--area", "prod"]] {
        assert!(!printed(&aws, args).expect(0).stdout.contains("Deny"), "{args:?}");
    }
    let one = printed(&aws, &["publisher", "--area", "uat", "--output", "json"])
        .expect(0)
        .json();
    assert_eq!(one["data"]["role"], "publisher");
    let written: Vec<_> = one["data"]["policy"]["Statement"]
        .as_array()
        .expect("statements")
        .iter()
        .collect();
    let items = written.iter().find(|s| s["Sid"] == "PublishItems").expect("items");
    assert_eq!(
        items["Condition"],
        json!({
            "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["uat/*", ".rstack/parts/*", ".", ".rstack/areas"] },
            "Null": { "dynamodb:LeadingKeys": "false" },
        })
    );
}

#[test]
fn an_operator_is_told_what_the_policy_lacks() {
    let output = printed(&environment(), &["operator"]).expect(0);
    let warned = output
        .stderr
        .contains("warning: the policy does not cover AWS::SQS::Queue\n");
    assert!(warned, "{}", output.stderr);
    let buckets: BTreeSet<_> = Regex::new("arn:aws:s3:::[^\"]+")
        .expect("a pattern")
        .find_iter(&output.stdout)
        .map(|arn| arn.as_str().to_owned())
        .collect();
    assert_eq!(
        buckets.into_iter().collect::<Vec<_>>(),
        ["arn:aws:s3:::demo-bucket-*", "arn:aws:s3:::demo-bucket-*/*"]
    );
}

#[test]
fn an_operator_needs_no_environment_and_the_others_do() {
    let aws = || {
        Script::new().on("DescribeStacks", [stacks_page(Vec::new(), None)]).on(
            "GetCallerIdentity",
            [query("<Arn>arn:aws:sts::123456789012:assumed-role/team/me</Arn>")],
        )
    };
    let output = printed(&aws().start(), &["operator"]).expect(0);
    assert!(
        output
            .stdout
            .contains("arn:aws:cloudformation:eu-west-1:123456789012:stack/demo/*")
    );
    let missing = Script::new()
        .on("DescribeStacks", [stacks_page(Vec::new(), None)])
        .start();
    insta::assert_snapshot!(printed(&missing, &["reader"]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is no environment `demo` in eu-west-1
    hint: `rstack up --name demo` makes it; `rstack status` without a name lists those there are
    ");
}

#[test]
fn options_that_do_not_fit_the_role_are_refused() {
    let aws = Script::new().start();
    insta::assert_snapshot!(printed(&aws, &["operator", "--area", "main"]), @r"
    exit: 2
    --- stdout

    --- stderr
    error: `--area` is for readers and publishers: an operator takes the whole environment down
    hint: leave it out
    ");
    insta::assert_snapshot!(printed(&aws, &["reader", "--allow-prod"]), @r"
    exit: 2
    --- stdout

    --- stderr
    error: `--allow-prod` is for publishers
    hint: leave it out
    ");
}

fn place() -> Place {
    Place::of_arn(
        "arn:aws:cloudformation:ap-southeast-2:123456789012:stack/x/1",
        "ap-southeast-2",
    )
    .expect("an ARN")
}

/// What `up` needs for a preset with these options.
fn operating(stack: &str, preset: Preset, yaml: &str) -> Policy {
    let config: Config = config::parse(yaml, Path::new("rstack.yaml")).expect("valid configuration");
    let template = preset.template(&config.stores);
    let wanted = wanted_by(&template, &config.template.parameters);
    assert_eq!(uncovered(&wanted), [""; 0]);
    operator(&Operator {
        place: &place(),
        stack,
        wanted: &wanted,
        template_bucket: Some("templates"),
    })
}

const TLS_IN_VPC: &str = "
stores:
  redis: {tls: true, vpc: vpc-0123456789abcdef0, subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]}
";

fn operators() -> Vec<Policy> {
    vec![
        operating("demo", Preset::Default, ""),
        operating("demo", Preset::Default, TLS_IN_VPC),
        operating("demo", Preset::Article, "template: {parameters: {TableName: mine}}"),
    ]
}

fn publishing(areas: &Areas) -> Policy {
    publisher(
        &Holdings {
            place: &place(),
            stack: "demo",
            bucket: "bucket",
            table: "table",
            secret: Some("arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:RedisAuth-1x2y"),
        },
        areas,
    )
}

#[test]
fn names_that_the_template_gives_are_named() {
    let text = operating("demo", Preset::Article, "template: {parameters: {TableName: mine}}")
        .to_json()
        .expect("JSON");
    assert!(
        text.contains(":table/mine\"") && text.contains("\"arn:aws:s3:::kinyu-demo-src\""),
        "{text}"
    );
}

#[test]
fn policies_fit_into_what_iam_takes() {
    let longest = operating(&"n".repeat(128), Preset::Default, TLS_IN_VPC);
    for policy in operators().into_iter().chain([longest]) {
        let text = policy.to_json().expect("JSON");
        let length = text.chars().filter(|c| !c.is_whitespace()).count();
        assert!(length <= LONGEST, "{length}");
    }
}

#[test]
fn cfn_lint_finds_nothing_and_would_find_a_wrong_action() {
    let areas = Areas::Only(vec!["home/me".parse().expect("an area")]);
    let mut policies = operators();
    policies.extend([publishing(&Areas::AllButProduction), publishing(&areas)]);
    let dir = TempDir::new().expect("a folder");
    let lint = |policy: &serde_json::Value| {
        let template = json!({
            "Resources": { "Policy": { "Type": "AWS::IAM::ManagedPolicy", "Properties": { "PolicyDocument": policy } } }
        });
        let path = dir.path().join("template.json");
        std::fs::write(&path, template.to_string()).expect("written");
        let output = venv(&["cfn-lint==1.58.0"])
            .command("cfn-lint")
            .args(["--include-checks", "I", "--template"])
            .arg(&path)
            .output()
            .expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for policy in policies {
        let policy = serde_json::to_value(policy).expect("JSON");
        assert_eq!(lint(&policy), "", "{policy:#}");
    }
    let mut wrong = serde_json::to_value(publishing(&areas)).expect("JSON");
    wrong["Statement"][0]["Action"] = json!(["cloudformation:DescribeStack"]);
    assert!(lint(&wrong).contains("W3037"), "the check checks");
}

fn service(name: &str) -> Service {
    match name {
        "CloudFormation" => Service::CloudFormation,
        "S3" => Service::S3,
        "DynamoDb" | "DynamoDB" => Service::DynamoDb,
        "ElastiCache" => Service::ElastiCache,
        "Ec2" => Service::Ec2,
        "SecretsManager" => Service::SecretsManager,
        "Sts" => Service::Sts,
        other => panic!("a service that this test does not know: {other}"),
    }
}

/// IAM's names of an operation's permissions: `s3:ListBucket` for HeadBucket.
fn actions(called: &str, operation: &str) -> Vec<String> {
    let service = service(called);
    let prefix = service.iam_prefix();
    permissions(service, operation)
        .iter()
        .map(|action| format!("{prefix}:{action}"))
        .collect()
}

/// Every call that the source names: errors carry the service and the operation.
fn called_in_source() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let named = Regex::new(r#"Service::(\w+),\s*(?:action: |[A-Z]+,\s*)?"([A-Z][A-Za-z0-9]+)""#).expect("a pattern");
    let asked = Regex::new(r#""(Describe\w+)""#).expect("a pattern");
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(&path)
                    .expect("listed")
                    .map(|entry| entry.expect("an entry").path()),
            );
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("read");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for call in named.captures_iter(code) {
            found.extend(actions(&call[1], &call[2]));
        }
        if path.ends_with("aws/ec2.rs") {
            found.extend(asked.captures_iter(code).flat_map(|call| actions("Ec2", &call[1])));
        }
    }
    // Nobody needs a permission to ask who they are.
    found.remove("sts:GetCallerIdentity");
    found
}

/// What a policy lets the caller do, without CloudFormation in between.
fn directly(policy: &Policy) -> BTreeSet<String> {
    let statements = policy.statements().iter();
    statements
        .filter(|statement| statement.effect() == Effect::Allow && !statement.is_through_cloudformation())
        .flat_map(|statement| statement.actions().iter().map(ToString::to_string))
        .collect()
}

#[test]
fn what_the_source_calls_is_allowed_and_little_else() {
    let mut allowed = directly(&publishing(&Areas::All));
    for policy in operators() {
        allowed.extend(directly(&policy));
    }
    let called = called_in_source();
    assert!(called.len() > 30, "{called:?}");
    let missing: Vec<_> = called.difference(&allowed).collect();
    assert!(missing.is_empty(), "called, but not allowed: {missing:?}");
    // What AWS checks beside the call itself, what CloudFormation may do with the environment's own secret, and the one
    // call whose refusal is no error.
    let more: Vec<_> = allowed.difference(&called).map(String::as_str).collect();
    insta::assert_snapshot!(more.join("\n"), @r"
    cloudformation:DescribeEvents
    cloudformation:ListStacks
    cloudformation:TagResource
    cloudformation:UntagResource
    iam:CreateServiceLinkedRole
    s3:GetObjectLegalHold
    s3:GetObjectRetention
    secretsmanager:DeleteSecret
    secretsmanager:UntagResource
    secretsmanager:UpdateSecret
    ");
}

/// The calls of one run, as RSTACK_LOG shows them.
fn called_in_run(local: &LocalAws, args: &[&str]) -> BTreeSet<String> {
    let output = local
        .rstack(args.iter().copied())
        .env("RSTACK_LOG", "debug")
        .run()
        .expect(0);
    let line = Regex::new(r#"service="?([A-Za-z0-9]+)"? operation="?([A-Za-z0-9]+)"?"#).expect("a pattern");
    let calls = line.captures_iter(&output.stderr);
    let found: BTreeSet<_> = calls.flat_map(|call| actions(&call[1], &call[2])).collect();
    assert!(!found.is_empty(), "{}", output.stderr);
    found
}

#[test]
fn what_the_commands_really_call_is_allowed_to_each_role() {
    let name = unique("policy");
    let operating = directly(&operating(&name, Preset::Default, ""));
    let publishing = directly(&publishing(&Areas::All));
    let within = |called: BTreeSet<String>, allowed: &BTreeSet<String>, what: &str| {
        let missing: Vec<_> = called.difference(allowed).collect();
        assert!(missing.is_empty(), "{what} calls what is not allowed: {missing:?}");
    };
    let run = |args: &[&str]| called_in_run(shared(), args);
    within(run(&["up", "-n", &name]), &operating, "up");
    within(run(&["status", "-n", &name]), &operating, "status");
    // It asks for what is current, which takes no permission for versions.
    let mut seed = run(&["seed", "-n", &name]);
    seed.remove("s3:GetObjectVersion");
    within(seed, &publishing, "seed");
    within(run(&["verify", "-n", &name]), &publishing, "verify");
    within(
        run(&["prune", "main", "-n", &name, "--keep", "1"]),
        &publishing,
        "prune",
    );
    within(
        run(&["up", "-n", &name, "--tag", "team=x", "--yes"]),
        &operating,
        "up again",
    );
    within(run(&["down", "-n", &name, "--yes"]), &operating, "down");
}
