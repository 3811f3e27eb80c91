//! The three stores, private, encrypted and cheap.

use std::collections::BTreeMap;

use crate::config::{Redis, Stores};
use crate::stack::output_key;
use crate::template::Template;
use crate::template::dynamodb::{Table, Throughput};
use crate::template::ec2::{Ingress, SecurityGroup};
use crate::template::elasticache::{CacheCluster, ParameterGroup, ReplicationGroup, SubnetGroup};
use crate::template::intrinsic::{GetAtt, Sub, Text, Value};
use crate::template::s3::{Bucket, BucketEncryption, BucketPolicy, Lifecycle, PublicAccessBlock};
use crate::template::secretsmanager::{GenerateSecretString, Secret};

const REDIS_PORT: u16 = 6379;

/// A bucket, a table and a Redis as `stores` wants them. Names that it does not give are CloudFormation's to make.
#[must_use]
pub fn default(stores: &Stores) -> Template {
    let mut template = Template::new("A throw-away home for Python code: S3, DynamoDB and Redis, made by rstack");
    bucket(&mut template, stores.s3.bucket_name.as_deref());
    table(&mut template, stores);
    redis(&mut template, &stores.redis);
    template
}

fn bucket(template: &mut Template, name: Option<&str>) {
    let bucket = template.resource(
        "Bucket",
        Bucket {
            bucket_name: name.map(Text::from),
            public_access_block_configuration: Some(PublicAccessBlock::ALL),
            bucket_encryption: Some(BucketEncryption::with_s3_keys()),
            lifecycle_configuration: Some(Lifecycle::abort_uploads_after(1)),
        },
    );
    template.resource("BucketPolicy", BucketPolicy::tls_only(&bucket));
    template.output(output_key::BUCKET, "The S3 bucket", bucket.reference());
}

fn table(template: &mut Template, stores: &Stores) {
    let throughput = stores.dynamodb.units().map(|(read, write)| Throughput {
        read_capacity_units: read.into(),
        write_capacity_units: write.into(),
    });
    let name = stores.dynamodb.table_name.as_deref().map(Text::from);
    let table = template.resource("Table", Table::keyed_by_path(name, throughput));
    template.output(output_key::TABLE, "The DynamoDB table", table.reference());
}

/// Where Redis goes, and who may connect.
struct Place {
    parameter_group: Text,
    subnet_group: Option<Text>,
    security_groups: Value<Vec<Text>>,
}

fn redis(template: &mut Template, options: &Redis) {
    let place = Place {
        parameter_group: parameter_group(template, options),
        subnet_group: subnet_group(template, options),
        security_groups: security_groups(template, options),
    };
    if options.tls {
        replication_group(template, options, place);
    } else {
        cache_cluster(template, options, place);
    }
}

/// Redis is a cache here: when it is full, what was used least recently makes room.
fn parameter_group(template: &mut Template, options: &Redis) -> Text {
    let family = match options.engine_version().split('.').next() {
        Some("4") => "redis4.0",
        Some("5") => "redis5.0",
        Some("6") => "redis6.x",
        _ => "redis7",
    };
    let group = template.resource(
        "RedisParameters",
        ParameterGroup {
            description: "Redis of an rstack environment: a cache that evicts what was used least recently",
            cache_parameter_group_family: family,
            properties: BTreeMap::from([("maxmemory-policy", "allkeys-lru")]),
        },
    );
    group.reference().into()
}

fn subnet_group(template: &mut Template, options: &Redis) -> Option<Text> {
    if options.subnets.is_empty() {
        return options.subnet_group.as_deref().map(Text::from);
    }
    let group = template.resource(
        "RedisSubnets",
        SubnetGroup {
            description: "Subnets for Redis of an rstack environment",
            subnet_ids: options.subnets.clone(),
        },
    );
    Some(group.reference().into())
}

/// Two groups, one for Redis and one for whoever may connect: a single group open to its own members would also open
/// that port of every client to the others.
fn security_groups(template: &mut Template, options: &Redis) -> Value<Vec<Text>> {
    if !options.security_groups.is_empty() {
        let given: Vec<_> = options
            .security_groups
            .iter()
            .map(|id| Text::from(id.as_str()))
            .collect();
        return given.into();
    }
    let clients = template.resource(
        "RedisClients",
        SecurityGroup {
            group_description: "Its members may connect to Redis of an rstack environment",
            vpc_id: options.vpc.clone(),
            security_group_ingress: Vec::new(),
        },
    );
    template.output(
        output_key::SECURITY_GROUP,
        "Members of this security group may connect to Redis",
        clients.group_id(),
    );
    let ranges = options
        .allowed_cidrs
        .iter()
        .map(|cidr| Ingress::from_cidr("Redis from an allowed address range", REDIS_PORT, cidr));
    let group = template.resource(
        "RedisSecurityGroup",
        SecurityGroup {
            group_description: "Redis of an rstack environment",
            vpc_id: options.vpc.clone(),
            security_group_ingress: [Ingress::from_members("Redis from its clients", REDIS_PORT, &clients)]
                .into_iter()
                .chain(ranges)
                .collect(),
        },
    );
    vec![group.group_id().into()].into()
}

fn cache_cluster(template: &mut Template, options: &Redis, place: Place) {
    let cluster = template.resource(
        "Redis",
        CacheCluster {
            cluster_name: options.cluster_name.as_deref().map(Text::from),
            engine: "redis",
            engine_version: Some(options.engine_version().into()),
            cache_node_type: options.node_type().into(),
            num_cache_nodes: 1.into(),
            auto_minor_version_upgrade: true,
            preferred_availability_zone: None,
            cache_parameter_group_name: Some(place.parameter_group),
            cache_subnet_group_name: place.subnet_group,
            vpc_security_group_ids: place.security_groups,
        },
    );
    redis_outputs(template, "redis", &cluster.address(), &cluster.port());
}

/// Only a replication group can have an AUTH token. Its logical id is not the cluster's: CloudFormation refuses to
/// change the type of a resource, but replaces one by another.
fn replication_group(template: &mut Template, options: &Redis, place: Place) {
    let token = template.resource(
        "RedisAuth",
        Secret {
            description: "AUTH token for Redis of an rstack environment",
            generate_secret_string: GenerateSecretString {
                password_length: 64,
                // ElastiCache takes few of the special characters; URLs take fewer.
                exclude_punctuation: true,
            },
        },
    );
    let group = template.resource(
        "RedisTls",
        ReplicationGroup {
            replication_group_id: options.cluster_name.as_deref().map(Text::from),
            replication_group_description: "Redis of an rstack environment",
            engine: "redis",
            engine_version: options.engine_version().into(),
            cache_node_type: options.node_type().into(),
            num_cache_clusters: 1,
            automatic_failover_enabled: false,
            auto_minor_version_upgrade: true,
            transit_encryption_enabled: true,
            at_rest_encryption_enabled: true,
            auth_token: token.value(),
            cache_parameter_group_name: place.parameter_group,
            cache_subnet_group_name: place.subnet_group,
            security_group_ids: place.security_groups,
        },
    );
    redis_outputs(template, "rediss", &group.address(), &group.port());
    template.output(
        output_key::REDIS_AUTH_SECRET,
        "ARN of the secret that holds the AUTH token of Redis",
        token.reference(),
    );
}

pub(super) fn redis_outputs(template: &mut Template, scheme: &str, address: &GetAtt, port: &GetAtt) {
    let url = Sub::new()
        .text(scheme)
        .text("://")
        .attribute(address)
        .text(":")
        .attribute(port);
    template.output(output_key::REDIS_ADDRESS, "Host name of Redis", address.clone());
    template.output(output_key::REDIS_PORT, "Port of Redis", port.clone());
    template.output(output_key::REDIS_URL, "URL of Redis, without a password", url);
}
