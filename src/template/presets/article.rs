//! The stack of the article "Remote Importing of Python Modules" by Tony Yum: its three resources in one valid map.

use super::default::redis_outputs;
use crate::stack::output_key;
use crate::template::document::{ParameterDefault, Template};
use crate::template::dynamodb::{Table, Throughput};
use crate::template::elasticache::CacheCluster;
use crate::template::intrinsic::{Condition, Ref};
use crate::template::s3::Bucket;
use crate::template::{Parameter, ParameterType};

/// The article's values are the parameters' defaults, except its author's own security group: without one given, the
/// VPC's default group counts.
#[must_use]
pub fn article() -> Template {
    let mut template = Template::new("The stack of the article Remote Importing of Python Modules");
    let bucket_name = text(&mut template, "BucketName", "Name of the S3 bucket", "kinyu-demo-src");
    let table_name = text(
        &mut template,
        "TableName",
        "Name of the DynamoDB table",
        "kinyu-demo-src",
    );
    let read = number(&mut template, "ReadCapacityUnits", "Reads of 4 KB a second", 5);
    let write = number(&mut template, "WriteCapacityUnits", "Writes of 1 KB a second", 5);
    let node_type = text(
        &mut template,
        "CacheNodeType",
        "Size of the Redis node",
        "cache.t2.micro",
    );
    let nodes = number(&mut template, "NumCacheNodes", "Redis takes one", 1);
    let zone = template.parameter(
        "PreferredAvailabilityZone",
        Parameter {
            r#type: ParameterType::AvailabilityZone,
            description: "Zone of the Redis node",
            default: ParameterDefault::Text("eu-west-1c"),
        },
    );
    let groups = template.parameter(
        "VpcSecurityGroupIds",
        Parameter {
            r#type: ParameterType::CommaDelimitedList,
            description: "Security groups of Redis, open on port 6379; the default group of the VPC when empty",
            default: ParameterDefault::Text(""),
        },
    );
    let given = template.condition("SecurityGroupsGiven", Condition::not_empty(groups.clone()));

    let bucket = template.resource(
        "s3",
        Bucket {
            bucket_name: Some(bucket_name.into()),
            ..Bucket::default()
        },
    );
    let throughput = Throughput {
        read_capacity_units: read.into(),
        write_capacity_units: write.into(),
    };
    let table = template.resource(
        "dynamodb",
        Table::keyed_by_path(Some(table_name.into()), Some(throughput)),
    );
    let redis = template.resource(
        "redis",
        CacheCluster {
            cluster_name: None,
            engine: "redis",
            engine_version: None,
            cache_node_type: node_type.into(),
            num_cache_nodes: nodes.into(),
            auto_minor_version_upgrade: true,
            preferred_availability_zone: Some(zone.into()),
            cache_parameter_group_name: None,
            cache_subnet_group_name: None,
            vpc_security_group_ids: given.then(groups),
        },
    );

    template.output(output_key::BUCKET, "The S3 bucket", bucket.reference());
    template.output(output_key::TABLE, "The DynamoDB table", table.reference());
    redis_outputs(&mut template, "redis", &redis.address(), &redis.port());
    template
}

fn text(template: &mut Template, name: &'static str, description: &'static str, default: &'static str) -> Ref {
    let default = ParameterDefault::Text(default);
    template.parameter(
        name,
        Parameter {
            r#type: ParameterType::String,
            description,
            default,
        },
    )
}

fn number(template: &mut Template, name: &'static str, description: &'static str, default: u32) -> Ref {
    let default = ParameterDefault::Number(default);
    template.parameter(
        name,
        Parameter {
            r#type: ParameterType::Number,
            description,
            default,
        },
    )
}
