//! Against the real local AWS.

use aws_sdk_cloudformation::types::Tag;
use futures_util::TryStreamExt;
use rstack::aws::Aws;
use rstack::store::{RedisAddress, RedisStore, Store};

use crate::support::local::{LocalAws, shared, unique};
use crate::support::{Rstack, block_on};

/// Versioned, so that deleting an object leaves something.
const TEMPLATE: &str = r"
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {VersioningConfiguration: {Status: Enabled}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: path, AttributeType: S}]
      KeySchema: [{AttributeName: path, KeyType: HASH}]
  Redis:
    Type: AWS::ElastiCache::CacheCluster
    Properties: {Engine: redis, CacheNodeType: cache.t4g.micro, NumCacheNodes: 1}
Outputs:
  BucketName: {Value: !Ref Bucket}
";

/// Makes an environment out of a template; gives the name of its bucket.
async fn environment(aws: &Aws, name: &str, template: &str, tags: &[(&str, &str)]) -> String {
    let mut request = aws
        .cloudformation()
        .create_stack()
        .stack_name(name)
        .template_body(template);
    for (key, value) in tags {
        request = request.tags(Tag::builder().key(*key).value(*value).build());
    }
    request.send().await.expect("accepted");
    for _ in 0..200 {
        let stack = rstack::stack::describe(aws, name)
            .await
            .expect("answered")
            .expect("there");
        if stack.status.settled() {
            assert_eq!(stack.status.as_str(), "CREATE_COMPLETE");
            return stack.outputs.get("BucketName").unwrap_or_default().to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the stack does not settle");
}

fn on<T>(local: &LocalAws, work: impl AsyncFnOnce(Aws) -> T) -> T {
    block_on(async { work(local.aws().await).await })
}

async fn put(aws: &Aws, bucket: &str, key: &str, text: &'static str) {
    let body = aws_sdk_s3::primitives::ByteStream::from_static(text.as_bytes());
    aws.s3()
        .put_object()
        .bucket(bucket)
        .key(key)
        .body(body)
        .send()
        .await
        .expect("stored");
}

/// A call of the binary whose snapshot has words instead of the names that CloudFormation made up.
fn call(name: &str, args: &[&str]) -> Rstack {
    let mut call = shared().rstack(args.iter().copied());
    let resources = on(shared(), async |aws| {
        rstack::stack::describe_resources(&aws, name).await
    });
    for resource in resources.unwrap_or_default() {
        if let Some(id) = resource.physical_id {
            call = call.hide(id, format!("[{}]", resource.logical_id.to_uppercase()));
        }
    }
    call.hide(name, "[NAME]")
}

async fn bucket_exists(aws: &Aws, bucket: &str) -> bool {
    aws.s3().head_bucket().bucket(bucket).send().await.is_ok()
}

const OURS: (&str, &str) = ("rstack:environment", "yes");

#[test]
fn an_environment_goes_with_everything_in_it() {
    let name = unique("all");
    let bucket = on(shared(), async |aws| {
        let bucket = environment(&aws, &name, TEMPLATE, &[OURS]).await;
        for key in ["main/a.py", "main/a.py", "main/b.py", "with space+plus&<>\"'é\nline"] {
            put(&aws, &bucket, key, "pass\n").await;
        }
        let s3 = aws.s3();
        s3.delete_object()
            .bucket(&bucket)
            .key("main/b.py")
            .send()
            .await
            .expect("deleted");
        s3.create_multipart_upload()
            .bucket(&bucket)
            .key("half")
            .send()
            .await
            .expect("begun");
        bucket
    });
    let output = call(&name, &["down", "--name", &name, "--yes"]).run();
    insta::assert_snapshot!(output, @"
    exit: 0
    --- stdout
    emptied [BUCKET]: 4 object versions, 1 delete marker, 1 unfinished upload, 20 B
    [NAME] is gone after [DURATION]; 3 resources asked for and not found any more

    --- stderr
    [CLOCK] deletes Bucket (AWS::S3::Bucket) [BUCKET]: 2 objects, 2 older versions, 1 delete marker, 1 unfinished upload, 20 B
    [CLOCK] deletes Redis (AWS::ElastiCache::CacheCluster) [REDIS]
    [CLOCK] deletes Table (AWS::DynamoDB::Table) [TABLE]: no items by DynamoDB's own, delayed count
    [CLOCK] emptying the bucket: 5 objects, 20 B, done in [DURATION]
    [CLOCK] deleting stack `[NAME]`
    [CLOCK] DELETE_IN_PROGRESS  [NAME]  AWS::CloudFormation::Stack
    [CLOCK] DELETE_IN_PROGRESS  Table  AWS::DynamoDB::Table
    [CLOCK] DELETE_COMPLETE     Table  AWS::DynamoDB::Table
    [CLOCK] DELETE_IN_PROGRESS  Redis  AWS::ElastiCache::CacheCluster
    [CLOCK] DELETE_COMPLETE     Redis  AWS::ElastiCache::CacheCluster
    [CLOCK] DELETE_IN_PROGRESS  Bucket  AWS::S3::Bucket
    [CLOCK] DELETE_COMPLETE     Bucket  AWS::S3::Bucket
    [CLOCK] DELETE_COMPLETE     [NAME]  AWS::CloudFormation::Stack
    [CLOCK] stack `[NAME]` DELETE_COMPLETE after [DURATION]
    ");
    on(shared(), async |aws| {
        assert!(!bucket_exists(&aws, &bucket).await);
    });
}

#[test]
fn absent_is_a_success() {
    let output = shared().rstack(["down", "-n", "never-was", "--yes"]).run();
    insta::assert_snapshot!(output, @"
    exit: 0
    --- stdout
    there is no environment never-was: nothing to take down

    --- stderr
    ");
}

#[test]
fn a_dry_run_counts_and_changes_nothing() {
    let name = unique("dry");
    let bucket = on(shared(), async |aws| {
        let bucket = environment(&aws, &name, TEMPLATE, &[OURS]).await;
        for _ in 0..3 {
            put(&aws, &bucket, "a.py", "12345").await;
        }
        bucket
    });
    let output = call(&name, &["down", "-n", &name, "--dry-run"]).run();
    insta::assert_snapshot!(output, @"
    exit: 0
    --- stdout
    stack [NAME] (CREATE_COMPLETE)
    deletes Bucket (AWS::S3::Bucket) [BUCKET]: 1 object, 2 older versions, 15 B
    deletes Redis (AWS::ElastiCache::CacheCluster) [REDIS]
    deletes Table (AWS::DynamoDB::Table) [TABLE]: no items by DynamoDB's own, delayed count

    --- stderr
    ");
    on(shared(), async |aws| {
        assert!(bucket_exists(&aws, &bucket).await);
    });
    shared().done(["down", "-n", &name, "--yes"]);
}

#[test]
fn without_a_terminal_it_takes_yes() {
    let name = unique("ask");
    on(shared(), async |aws| environment(&aws, &name, TEMPLATE, &[OURS]).await);
    let output = shared().rstack(["down", "-n", &name]).hide(&name, "[NAME]").run();
    assert_eq!(output.code(), Some(2), "{output}");
    shared().done(["down", "-n", &name, "--yes"]);
}

#[test]
fn a_retained_bucket_is_neither_emptied_nor_deleted() {
    let name = unique("retain");
    let bucket = on(shared(), async |aws| {
        let bucket = environment(&aws, &name, TEMPLATE, &[OURS]).await;
        put(&aws, &bucket, "a.py", "pass").await;
        bucket
    });
    let output = call(&name, &["down", "-n", &name, "--yes", "--retain", "Bucket"]).run();
    insta::assert_snapshot!(output, @"
    exit: 0
    --- stdout
    kept    Bucket (AWS::S3::Bucket) [BUCKET]
    [NAME] is gone after [DURATION]; 2 resources asked for and not found any more

    --- stderr
    [CLOCK] keeps   Bucket (AWS::S3::Bucket) [BUCKET]: --retain says so
    [CLOCK] deletes Redis (AWS::ElastiCache::CacheCluster) [REDIS]
    [CLOCK] deletes Table (AWS::DynamoDB::Table) [TABLE]: no items by DynamoDB's own, delayed count
    [CLOCK] updating stack `[NAME]`
    [CLOCK] UPDATE_IN_PROGRESS  [NAME]  AWS::CloudFormation::Stack  User Initiated
    [CLOCK] UPDATE_IN_PROGRESS  Bucket  AWS::S3::Bucket
    [CLOCK] UPDATE_COMPLETE     Bucket  AWS::S3::Bucket
    [CLOCK] UPDATE_IN_PROGRESS  Redis  AWS::ElastiCache::CacheCluster
    [CLOCK] UPDATE_COMPLETE     Redis  AWS::ElastiCache::CacheCluster
    [CLOCK] UPDATE_IN_PROGRESS  Table  AWS::DynamoDB::Table
    [CLOCK] UPDATE_COMPLETE     Table  AWS::DynamoDB::Table
    [CLOCK] UPDATE_COMPLETE     [NAME]  AWS::CloudFormation::Stack
    [CLOCK] stack `[NAME]` UPDATE_COMPLETE after [DURATION]
    [CLOCK] deleting stack `[NAME]`
    [CLOCK] DELETE_IN_PROGRESS  [NAME]  AWS::CloudFormation::Stack
    [CLOCK] DELETE_IN_PROGRESS  Table  AWS::DynamoDB::Table
    [CLOCK] DELETE_COMPLETE     Table  AWS::DynamoDB::Table
    [CLOCK] DELETE_IN_PROGRESS  Redis  AWS::ElastiCache::CacheCluster
    [CLOCK] DELETE_COMPLETE     Redis  AWS::ElastiCache::CacheCluster
    [CLOCK] DELETE_SKIPPED      Bucket  AWS::S3::Bucket
    [CLOCK] DELETE_COMPLETE     [NAME]  AWS::CloudFormation::Stack
    [CLOCK] stack `[NAME]` DELETE_COMPLETE after [DURATION]
    ");
    on(shared(), async |aws| {
        let object = aws.s3().get_object().bucket(&bucket).key("a.py").send().await;
        assert!(object.is_ok(), "the object is still there");
        assert!(rstack::stack::describe(&aws, &name).await.expect("answered").is_none());
    });
}

#[test]
fn a_bucket_that_its_policy_keeps_is_not_emptied() {
    let name = unique("policy");
    let template = TEMPLATE.replace("  Bucket:\n", "  Bucket:\n    DeletionPolicy: Retain\n");
    let bucket = on(shared(), async |aws| {
        let bucket = environment(&aws, &name, &template, &[OURS]).await;
        put(&aws, &bucket, "a.py", "pass").await;
        bucket
    });
    let output = shared().done(["down", "-n", &name, "--yes"]);
    assert!(output.stdout.contains("kept    Bucket"), "{output}");
    on(shared(), async |aws| {
        assert!(aws.s3().get_object().bucket(&bucket).key("a.py").send().await.is_ok());
    });
}

#[test]
fn a_stack_of_somebody_else_is_refused_unless_it_is_meant() {
    let name = unique("theirs");
    on(shared(), async |aws| environment(&aws, &name, TEMPLATE, &[]).await);
    let output = shared()
        .rstack(["down", "-n", &name, "--yes"])
        .hide(&name, "[NAME]")
        .run();
    insta::assert_snapshot!(output, @"
    exit: 1
    --- stdout

    --- stderr
    error: the stack `[NAME]` is no environment of rstack
    hint: it lacks the tag `rstack:environment`; if `[NAME]` is really the one to delete, add `--any-stack`
    ");
    shared().done(["down", "-n", &name, "--yes", "--any-stack"]);
}

#[test]
fn what_cannot_be_deleted_is_told_and_left_behind_only_by_force() {
    let name = unique("stuck");
    let template = r"
Resources:
  Net:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.9.0.0/16}
  Bucket: {Type: 'AWS::S3::Bucket'}
Outputs:
  BucketName: {Value: !Ref Net}
";
    let vpc = on(shared(), async |aws| environment(&aws, &name, template, &[OURS]).await);
    add_subnet(&vpc);
    let run = |args: &[&str]| call(&name, &["down", "-n", &name, "--yes", "-q"]).args(args).run();
    insta::assert_snapshot!(run(&[]), @r#"
    exit: 4
    --- stdout

    --- stderr
    error: stack `[NAME]` ended in DELETE_FAILED: Net (AWS::EC2::VPC): AWS::EC2::VPC delete failed: b'<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n    <Errors><Error>\n        <Code>DependencyViolation</Code>\n        <Message>The vpc \'[NET]\' has dependencies and cannot be deleted.</Message>\n    </Error></Errors>\n    <RequestID>[UUID]</RequestID>\n</Response>'
    left: stack `[NAME]` (DELETE_FAILED) with Net
    hint: remove what holds Net and run this again, or give the stack up with `--force` (it leaves Net behind)
    "#);
    insta::assert_snapshot!(run(&["--force"]), @"
    exit: 3
    --- stdout
    left    Net (AWS::EC2::VPC) [NET]
    [NAME] is gone after [DURATION], but left 1 resource behind

    --- stderr
    ");
}

/// The stack knows nothing of it, so its VPC cannot be deleted.
fn add_subnet(vpc: &str) {
    let script = r#"
import boto3, os
boto3.client("ec2").create_subnet(VpcId=os.environ["VPC"], CidrBlock="10.9.1.0/24")
"#;
    let mut variables = shared().variables().to_vec();
    variables.push(("VPC".to_owned(), vpc.to_owned()));
    crate::support::python::venv(&["boto3==1.43.11"]).python(script, &variables);
}

#[test]
fn two_at_once_both_succeed() {
    let name = unique("two");
    let bucket = on(shared(), async |aws| {
        let bucket = environment(&aws, &name, TEMPLATE, &[OURS]).await;
        for i in 0..50 {
            put(&aws, &bucket, &format!("{i}"), "pass").await;
        }
        bucket
    });
    let runs: Vec<_> = (0..2)
        .map(|_| shared().rstack(["down", "-n", &name, "--yes"]).spawn())
        .collect();
    for run in runs {
        run.wait().expect(0);
    }
    on(shared(), async |aws| assert!(!bucket_exists(&aws, &bucket).await));
}

/// Many pages, and the same key many times.
#[test]
fn ten_thousand_versions_go_in_bounded_memory_also_when_killed_in_between() {
    let name = unique("many");
    let bucket = on(shared(), async |aws| environment(&aws, &name, TEMPLATE, &[OURS]).await);
    let script = r#"
import boto3, os
from concurrent.futures import ThreadPoolExecutor
s3 = boto3.client("s3")
bucket = os.environ["BUCKET"]
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda i: s3.put_object(Bucket=bucket, Key=f"k{i % 2600}", Body=b"x"), range(10400)))
"#;
    let mut variables = shared().variables().to_vec();
    variables.push(("BUCKET".to_owned(), bucket.clone()));
    crate::support::python::venv(&["boto3==1.43.11"]).python(script, &variables);
    let counted = shared().done(["down", "-n", &name, "--dry-run"]);
    let told = format!("{bucket}: 2,600 objects, 7,800 older versions");
    assert!(counted.stdout.contains(&told), "{counted}");
    let mut killed = shared().rstack(["down", "-n", &name, "--yes"]).spawn();
    killed.until("deletes Bucket");
    killed.signal(crate::support::Signal::KILL);
    killed.wait();
    let output = shared().done(["down", "-n", &name, "--yes"]);
    assert!(output.stdout.contains("emptied"), "{output}");
    on(shared(), async |aws| assert!(!bucket_exists(&aws, &bucket).await));
}

/// The first page looks as if there had never been versions.
#[test]
fn a_bucket_that_got_versioning_late_is_emptied_of_all_versions() {
    let name = unique("late-versions");
    let bucket = on(shared(), async |aws| environment(&aws, &name, TEMPLATE, &[OURS]).await);
    let script = r#"
import boto3, os
from concurrent.futures import ThreadPoolExecutor
s3 = boto3.client("s3")
bucket = os.environ["BUCKET"]
s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda i: s3.put_object(Bucket=bucket, Key=f"k{i:04} +", Body=b"x"), range(2100)))
s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
for i in range(3):
    s3.put_object(Bucket=bucket, Key="late", Body=b"x")
    s3.put_object(Bucket=bucket, Key="k1700 +", Body=b"x")
s3.delete_object(Bucket=bucket, Key="late")
"#;
    let mut variables = shared().variables().to_vec();
    variables.push(("BUCKET".to_owned(), bucket.clone()));
    crate::support::python::venv(&["boto3==1.43.11"]).python(script, &variables);
    let output = shared().done(["down", "-n", &name, "--yes"]);
    let told = format!("emptied {bucket}: 2,106 object versions, 1 delete marker");
    assert!(output.stdout.contains(&told), "{output}");
    on(shared(), async |aws| assert!(!bucket_exists(&aws, &bucket).await));
}

/// All environments of a local AWS share one Redis, which outlives them.
#[test]
fn keys_in_the_shared_redis_go_with_their_environment_only() {
    let (goes, stays) = (unique("goes"), unique("stays"));
    let keys = |pattern: &str| {
        let client = redis::Client::open(shared().redis_url()).expect("an address");
        let mut connection = client.get_connection().expect("a connection");
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(pattern)
            .query(&mut connection)
            .expect("answered");
        keys.len()
    };
    for name in [&goes, &stays] {
        shared().done(["up", "-n", name, "-q"]);
        shared().done(["seed", "-n", name, "--area", name, "-q"]);
        assert!(keys(&format!("{name}/*")) > 0);
    }
    shared().done(["down", "-n", &goes, "--yes", "-q"]);
    assert_eq!(keys(&format!("{goes}/*")), 0);
    assert!(keys(&format!("{stays}/*")) > 0);
    shared().done(["down", "-n", &stays, "--yes", "-q"]);
    assert_eq!(keys(&format!("{stays}/*")), 0);
}

#[test]
fn down_of_the_last_environment_stops_the_local_aws() {
    let local = LocalAws::own();
    let name = unique("last");
    on(&local, async |aws| environment(&aws, &name, TEMPLATE, &[OURS]).await);
    let output = local.done(["down", "-n", &name, "--yes"]);
    assert!(output.stderr.contains("local AWS stopped"), "{output}");
    assert!(std::net::TcpStream::connect(local.endpoint().trim_start_matches("http://")).is_err());
    let again = local.done(["down", "-n", &name, "--yes"]);
    assert!(again.stdout.contains("nothing to take down"), "{again}");
}

#[test]
fn gc_takes_only_what_is_overdue() {
    let (late, alive, forever) = (unique("late"), unique("alive"), unique("forever"));
    let local = shared();
    block_on(async {
        let aws = local.aws_in("ap-south-1").await;
        let expires = |time| [OURS, ("rstack:expires-at", time)];
        environment(&aws, &late, TEMPLATE, &expires("2020-01-01T00:00:00Z")).await;
        environment(&aws, &alive, TEMPLATE, &expires("2999-01-01T00:00:00Z")).await;
        environment(&aws, &forever, TEMPLATE, &[OURS]).await;
    });
    let gc = |args: &[&str]| {
        shared()
            .rstack(["gc", "--region", "ap-south-1"])
            .args(args)
            .hide(&late, "[LATE]")
            .run()
    };
    insta::assert_snapshot!(gc(&["--dry-run"]), @"
    exit: 0
    --- stdout
    ENVIRONMENT  STATUS           OVERDUE FOR
    [LATE]     CREATE_COMPLETE    [DURATION]

    --- stderr
    ");
    insta::assert_snapshot!(gc(&["--yes", "-q"]), @"
    exit: 0
    --- stdout
    [LATE] is gone after [DURATION]; 3 resources asked for and not found any more

    --- stderr
    ");
    insta::assert_snapshot!(gc(&["--yes", "-q"]), @"
    exit: 0
    --- stdout
    nothing is overdue; 2 environments may live on

    --- stderr
    ");
    for name in [&alive, &forever] {
        shared().done(["down", "--region", "ap-south-1", "-n", name, "--yes"]);
    }
}

#[test]
fn no_database_of_the_local_redis_keeps_what_a_seed_put_there() {
    let local = LocalAws::own();
    let url = format!("{}/3", local.redis_url());
    let keys = || {
        let store = RedisStore::new(url.parse::<RedisAddress>().expect("an address"));
        block_on(async { store.list("").try_concat().await.expect("listed").len() })
    };
    local.done(["up", "-n", "elsewhere", "--yes"]);
    local.done(["up", "-n", "stays", "--yes"]);
    local.done(["seed", "-n", "elsewhere", "--redis-url", &url]);
    assert!(keys() > 0);
    local.done(["down", "-n", "elsewhere", "--yes"]);
    assert_eq!(keys(), 0);
}
