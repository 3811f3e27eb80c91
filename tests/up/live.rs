//! `rstack up` against the real local AWS: the states that a stack goes through by itself.

use std::path::PathBuf;
use std::thread;

use aws_sdk_dynamodb::types::AttributeValue;
use rstack::stack::{self, Stack};
use tempfile::TempDir;

use crate::support::local::{self, LocalAws};
use crate::support::{Rstack, Signal, block_on};

/// Stays in progress until its handle is signalled.
const SLOW: &str = r"
Resources:
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Wait: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: {Ref: Handle}, Timeout: 60}}
";

/// Fails after a second, then is rolled back.
const FAILING: &str = r"
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Wait: {Type: AWS::CloudFormation::WaitCondition, DependsOn: Bucket, Properties: {Handle: {Ref: Handle}, Timeout: 1}}
";

const GOOD: &str = "Resources:\n  Bucket: {Type: AWS::S3::Bucket}\n";

struct World {
    local: &'static LocalAws,
    name: String,
    dir: TempDir,
}

impl World {
    fn new(what: &str) -> Self {
        Self {
            local: local::shared(),
            name: local::unique(what),
            dir: TempDir::new().expect("a temporary folder"),
        }
    }

    fn template(&self, body: &str) -> PathBuf {
        let path = self.dir.path().join("stack.yaml");
        std::fs::write(&path, body).expect("a file");
        path
    }

    fn up<'a>(&'a self, more: impl IntoIterator<Item = &'a str>) -> Rstack {
        self.local
            .rstack(["up", "--name", &self.name])
            .hide(&self.name, "[NAME]")
            .dir(self.dir.path())
            .args(more)
    }

    fn stack(&self) -> Option<Stack> {
        block_on(async {
            stack::describe(&self.local.aws().await, &self.name)
                .await
                .expect("answered")
        })
    }

    fn status(&self) -> Option<String> {
        self.stack()
            .map(|stack| stack.status.to_string())
            .filter(|status| status != "DELETE_COMPLETE")
    }

    /// Tells the wait condition that all is well.
    fn signal_success(&self) {
        let url = block_on(async {
            let aws = self.local.aws().await;
            let resources = stack::describe_resources(&aws, &self.name).await.expect("answered");
            resources
                .into_iter()
                .find(|r| r.logical_id == "Handle")
                .and_then(|r| r.physical_id)
                .expect("a handle")
        });
        let url = url.replace("localhost", "127.0.0.1");
        let body = r#"{"Status": "SUCCESS", "UniqueId": "1", "Data": "d", "Reason": "r"}"#;
        // As on AWS, the signal must come without a content type.
        let script = "import sys, urllib.request as u; \
                      u.urlopen(u.Request(sys.argv[1], sys.argv[2].encode(), {'Content-Type': ''}, method='PUT'))";
        let status = std::process::Command::new("python3")
            .args(["-c", script, &url, body])
            .status()
            .expect("python3");
        assert!(status.success(), "{url}");
    }
}

#[test]
fn an_environment_is_created_then_unchanged_then_changed() {
    let world = World::new("life");
    let created = world.up(["--output", "json", "--ttl", "8h"]).run().expect(0);
    let lines = created.json_lines();
    let result = lines.last().expect("a result");
    assert_eq!(
        (&result["type"], &result["data"]["done"]),
        (&"result".into(), &"created".into())
    );
    let stack = world.stack().expect("it stands");
    let endpoints = stack.outputs.endpoints().expect("the stores have outputs");
    assert_eq!(endpoints.redis.url(), world.local.redis_url());
    let seconds = stack.time_to_live(stack.created).expect("a time to live").as_secs();
    assert!((8 * 3600 - 5..=8 * 3600 + 5).contains(&seconds), "{seconds}");
    assert!(!lines.iter().any(|l| l["type"] == "warning"), "{created}");

    let again = world.up([]).run().expect(0);
    assert!(again.stdout.contains("up to date already"), "{again}");
    assert_eq!(again.stderr, "", "nothing happened, nothing is said");
    assert_eq!(world.stack().expect("it stands").tags, stack.tags);

    let changed = world.up(["--tag", "team=blue", "--yes"]).run().expect(0);
    assert!(changed.stdout.contains("UPDATE_COMPLETE"), "{changed}");
    let after = world.stack().expect("it stands");
    assert_eq!(after.tags.get("team").map(String::as_str), Some("blue"));
    assert_eq!(
        after.expires_at(),
        stack.expires_at(),
        "an update does not renew the time to live"
    );
    assert_eq!(after.outputs, stack.outputs);

    world
        .up(["--tag", "team=blue", "--ttl", "12h", "--yes"])
        .run()
        .expect(0);
    let renewed = world.stack().expect("it stands");
    assert!(
        renewed.expires_at() > stack.expires_at(),
        "asked for explicitly, it is renewed"
    );
}

#[test]
fn killed_in_the_middle_and_run_again_it_attaches() {
    let world = World::new("killed");
    let template = world.template(SLOW);
    let template = template.to_str().expect("a plain path");
    let mut first = world.up(["--template", template]).spawn();
    first.until("Wait");
    first.signal(Signal::KILL);
    assert_eq!(first.wait().code(), None);

    let mut second = world.up(["--template", template]).spawn();
    second.until("already under way");
    world.signal_success();
    let output = second.wait().expect(0);
    assert!(output.stderr.contains("CREATE_COMPLETE"), "{output}");
    assert_eq!(world.status().as_deref(), Some("CREATE_COMPLETE"));
}

#[test]
fn ctrl_c_leaves_the_stack_to_aws() {
    let world = World::new("interrupted");
    let template = world.template(SLOW);
    let mut running = world
        .up(["--template", template.to_str().expect("a plain path")])
        .spawn();
    running.until("Wait").signal(Signal::INT);
    let output = running.wait().expect(130);
    // With the same template: without it, the hint would lead to a change of the stack.
    let again = format!(
        "`rstack up --name {} --local --template {}` attaches again",
        world.name,
        template.display()
    );
    assert!(output.stderr.contains(&again), "{output}");
    assert_eq!(world.status().as_deref(), Some("CREATE_IN_PROGRESS"));
    world.signal_success();
    world
        .up(["--template", template.to_str().expect("a plain path")])
        .run()
        .expect(0);
}

#[test]
fn what_a_failed_creation_left_is_removed_and_made_again() {
    let world = World::new("leftover");
    let failing = world.template(FAILING);
    let failed = world
        .up(["--template", failing.to_str().expect("a plain path")])
        .run()
        .expect(4);
    assert!(
        failed.stderr.contains("Wait (AWS::CloudFormation::WaitCondition)"),
        "{failed}"
    );
    assert_eq!(world.status().as_deref(), Some("ROLLBACK_COMPLETE"));

    let good = world.template(GOOD);
    let output = world
        .up(["--template", good.to_str().expect("a plain path")])
        .run()
        .expect(0);
    assert!(
        output
            .stderr
            .contains("what a failed creation left (ROLLBACK_COMPLETE)"),
        "{output}"
    );
    assert!(
        output.stderr.contains("Wait (AWS::CloudFormation::WaitCondition)"),
        "its cause is told\n{output}"
    );
    assert_eq!(world.status().as_deref(), Some("CREATE_COMPLETE"));
}

#[test]
fn a_failed_creation_that_was_kept_is_emptied_before_it_is_removed() {
    let world = World::new("kept");
    let failing = world.template(FAILING);
    world
        .up([
            "--template",
            failing.to_str().expect("a plain path"),
            "--on-failure",
            "keep",
        ])
        .run()
        .expect(4);
    assert_eq!(world.status().as_deref(), Some("CREATE_FAILED"));
    let bucket = block_on(async {
        let aws = world.local.aws().await;
        let resources = stack::describe_resources(&aws, &world.name).await.expect("answered");
        let bucket = resources
            .into_iter()
            .find(|r| r.logical_id == "Bucket")
            .and_then(|r| r.physical_id)
            .expect("kept");
        aws.s3()
            .put_object()
            .bucket(&bucket)
            .key("late")
            .send()
            .await
            .expect("written");
        bucket
    });
    let good = world.template(GOOD);
    world
        .up(["--template", good.to_str().expect("a plain path")])
        .run()
        .expect(0);
    assert_eq!(world.status().as_deref(), Some("CREATE_COMPLETE"));
    let left = block_on(async {
        world
            .local
            .aws()
            .await
            .s3()
            .head_bucket()
            .bucket(&bucket)
            .send()
            .await
            .is_ok()
    });
    assert!(!left, "the old bucket is gone");
}

#[test]
fn a_failed_creation_can_delete_itself() {
    let world = World::new("deleted");
    let failing = world.template(FAILING);
    let output = world
        .up([
            "--template",
            failing.to_str().expect("a plain path"),
            "--on-failure",
            "delete",
            "--timeline",
        ])
        .run()
        .expect(4);
    assert!(output.stderr.contains("ended in DELETE_COMPLETE"), "{output}");
    let lane = |name: &str| output.stdout.lines().find(|line| line.starts_with(name)).expect(name);
    assert!(lane("Wait ").contains("CREATE_FAILED"), "{output}");
    assert!(lane(&world.name).contains("DELETE_COMPLETE"), "{output}");
    assert!(
        output.stderr.contains("Wait (AWS::CloudFormation::WaitCondition)"),
        "{output}"
    );
    assert!(!output.stderr.contains("left:"), "{output}");
    assert_eq!(world.status(), None);
}

#[test]
fn two_at_once_both_succeed() {
    let world = World::new("twice");
    let runs: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| world.up([]).run().expect(0))).collect();
        runs.into_iter().map(|run| run.join().expect("it ran")).collect()
    });
    let created = runs.iter().filter(|run| run.stdout.contains("is created")).count();
    assert_eq!(created, 1, "one creates, the others find it");
    assert_eq!(world.status().as_deref(), Some("CREATE_COMPLETE"));
}

#[test]
fn parameters_keep_their_values_until_they_are_given_anew() {
    let world = World::new("parameters");
    let template = world.template(
        "Parameters:\n  Size: {Type: String, Default: small}\n  Colour: {Type: String, Default: red}\n\
         Resources:\n  Bucket: {Type: AWS::S3::Bucket, Properties: {Tags: [{Key: s, Value: {Ref: Size}}, {Key: c, Value: {Ref: Colour}}]}}\n",
    );
    let template = template.to_str().expect("a plain path");
    world.up(["--template", template, "-p", "Size=big"]).run().expect(0);
    world
        .up(["--template", template, "-p", "Colour=blue", "--yes"])
        .run()
        .expect(0);
    let parameters = world.stack().expect("it stands").parameters;
    let values: Vec<_> = parameters.values().map(String::as_str).collect();
    assert_eq!(values, ["blue", "big"]);
}

#[test]
fn the_articles_stack_comes_up_under_names_of_ones_own() {
    let world = World::new("article");
    let (bucket, table) = (format!("{}-src", world.name), format!("{}-src", world.name));
    let parameters = [format!("BucketName={bucket}"), format!("TableName={table}")];
    world
        .up(["--preset", "article", "-p", &parameters[0], "-p", &parameters[1]])
        .run()
        .expect(0);
    let endpoints = world
        .stack()
        .expect("it stands")
        .outputs
        .endpoints()
        .expect("the stores have outputs");
    assert_eq!((endpoints.bucket, endpoints.table), (bucket, table));

    let looked = world.local.rstack(["status", "--name", &world.name]).run().expect(0);
    assert!(looked.stdout.contains("ACTIVE"), "{looked}");
    let down = world.local.rstack(["down", "--name", &world.name, "--yes"]);
    down.run().expect(0);
    assert_eq!(world.status(), None);
}

#[test]
fn express_waits_until_the_stores_serve() {
    let world = World::new("express");
    world.up(["--express"]).run().expect(0);
    assert_eq!(world.status().as_deref(), Some("CREATE_COMPLETE"));
}

#[test]
fn a_taken_bucket_name_is_noticed_before_anything_is_made() {
    let first = World::new("names");
    first.up([]).run().expect(0);
    let bucket = first
        .stack()
        .expect("it stands")
        .outputs
        .endpoints()
        .expect("outputs")
        .bucket;
    let second = World::new("names");
    std::fs::write(
        second.dir.path().join("rstack.yaml"),
        format!("stores: {{s3: {{bucket_name: {bucket}}}}}\n"),
    )
    .expect("a file");
    let output = second.up([]).run().expect(1);
    assert!(
        output.stderr.contains(&format!("the bucket `{bucket}` already exists")),
        "{output}"
    );
    assert_eq!(second.status(), None);
}

#[test]
fn a_template_that_is_refused_before_anything_is_made_fails_for_its_resource() {
    let first = World::new("names");
    first.up([]).run().expect(0);
    let outputs = first.stack().expect("it stands").outputs;
    let bucket = outputs.endpoints().expect("outputs").bucket;
    let second = World::new("names");
    let template = format!("Resources: {{A: {{Type: AWS::S3::Bucket, Properties: {{BucketName: {bucket}}}}}}}\n");
    std::fs::write(second.dir.path().join("own.yaml"), template).expect("a file");
    let output = second.up(["--template", "own.yaml"]).run().expect(4);
    let cause = format!(
        "ROLLBACK_COMPLETE: A (AWS::S3::Bucket): Resource of type 'AWS::S3::Bucket' with identifier '{bucket}'"
    );
    assert!(output.stderr.contains(&cause), "{output}");
    assert!(
        output.stderr.contains("hint: bucket names are shared by all of AWS"),
        "{output}"
    );
    let again = second.up(["--template", "own.yaml"]).run().expect(4);
    assert!(
        again.stderr.contains("it failed because A (AWS::S3::Bucket)"),
        "{again}"
    );
}

#[test]
fn an_environment_can_be_seeded_as_soon_as_it_stands() {
    let world = World::new("seeded");
    let output = world.up(["--output", "json", "--seed"]).run().expect(0);
    let result = output.json_lines().pop().expect("a result");
    let stores: Vec<_> = result["data"]["seed"]["stores"]
        .as_array()
        .expect("stores")
        .iter()
        .map(|store| store["store"].as_str().expect("a name"))
        .collect();
    assert_eq!(stores, ["s3", "dynamodb", "redis"]);
    let table = world
        .stack()
        .expect("it stands")
        .outputs
        .endpoints()
        .expect("outputs")
        .table;
    let code = block_on(async {
        let key = AttributeValue::S("main/foo/module1.py".to_owned());
        let dynamodb = world.local.aws().await;
        let item = dynamodb
            .dynamodb()
            .get_item()
            .table_name(table)
            .key("path", key)
            .send()
            .await
            .expect("answered");
        item.item()
            .and_then(|item| item.get("code")?.as_s().ok().cloned())
            .expect("seeded")
    });
    assert!(code.contains("def add(x, y)"), "{code}");

    let missing = world.up(["--seed", "./nowhere"]).run().expect(2);
    assert!(missing.stderr.contains("nowhere"), "{missing}");
}
