//! Environments made by CloudFormation alone, for tests of commands that only look at them.

use aws_sdk_cloudformation::types::Tag;
use serde_json::json;

use super::block_on;
use super::local::LocalAws;

/// The environment `name`, with `NAME-bucket`, `NAME-table` and a Redis, and the outputs of rstack's own templates.
pub(crate) fn made(local: &LocalAws, name: &str) {
    make(local, name, &[], None);
}

/// As [`made`], with the Redis at this port of loopback.
pub(crate) fn made_with_redis(local: &LocalAws, name: &str, port: u16) {
    make(local, name, &[], Some(port));
}

pub(crate) fn made_with_ttl(local: &LocalAws, name: &str, expires_at: &str) {
    make(local, name, &[("rstack:expires-at", expires_at)], None);
}

fn make(local: &LocalAws, name: &str, tags: &[(&str, &str)], redis_port: Option<u16>) {
    let mut template = json!({
        "Resources": {
            "bucket": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": format!("{name}-bucket") } },
            "table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": format!("{name}-table"),
                    "AttributeDefinitions": [{ "AttributeName": "path", "AttributeType": "S" }],
                    "KeySchema": [{ "AttributeName": "path", "KeyType": "HASH" }],
                    "BillingMode": "PAY_PER_REQUEST",
                },
            },
            "redis": {
                "Type": "AWS::ElastiCache::CacheCluster",
                "Properties": {
                    "ClusterName": format!("{name}-redis"),
                    "Engine": "redis",
                    "EngineVersion": "7.1",
                    "CacheNodeType": "cache.t4g.micro",
                    "NumCacheNodes": 1,
                },
            },
        },
        "Outputs": {
            "BucketName": { "Value": { "Ref": "bucket" } },
            "TableName": { "Value": { "Ref": "table" } },
            "RedisAddress": { "Value": { "Fn::GetAtt": ["redis", "RedisEndpoint.Address"] } },
            "RedisPort": { "Value": { "Fn::GetAtt": ["redis", "RedisEndpoint.Port"] } },
        },
    });
    if let Some(port) = redis_port {
        template["Outputs"]["RedisAddress"]["Value"] = json!("127.0.0.1");
        template["Outputs"]["RedisPort"]["Value"] = json!(port.to_string());
    }
    let tag = |(key, value): (&str, &str)| Tag::builder().key(key).value(value).build();
    block_on(async {
        let aws = local.aws().await;
        let client = aws.cloudformation();
        let request = client
            .create_stack()
            .stack_name(name)
            .template_body(template.to_string());
        let tags = tags
            .iter()
            .copied()
            .chain([("rstack:environment", name)])
            .map(tag)
            .collect();
        request.set_tags(Some(tags)).send().await.expect("accepted");
        for _ in 0..400 {
            let stack = rstack::stack::describe(&aws, name)
                .await
                .expect("answered")
                .expect("it exists");
            if stack.status.settled() {
                assert_eq!(stack.status.as_str(), "CREATE_COMPLETE");
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("{name} does not settle");
    });
}
