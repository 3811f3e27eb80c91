//! Asking every service whether what a stack held is really gone.

use std::time::Duration;

use futures_util::future::join_all;
use serde::Serialize;

use super::inventory::{Holding, NESTED};
use super::{StackStatus, describe};
use crate::aws::{Aws, AwsError, AwsErrorKind, NetworkThing, Service, Table};
use crate::error::{ErrorKind, Result};

/// Services answer from copies that lag: what still shows is asked for again after each of these.
const AGAIN: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// What asking for a resource gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Proof {
    /// Its service does not know it.
    Gone,
    /// It is still there.
    Left,
    /// Its service would not say.
    Unproven { reason: String },
    /// It goes with another resource, or rstack does not know how to ask for its type: the stack's word is taken.
    NotAsked,
}

/// Asks for each of these at its own service; the order is kept.
pub(super) async fn prove(aws: &Aws, holdings: &[&Holding]) -> Vec<Proof> {
    let mut proofs = join_all(holdings.iter().map(|holding| ask(aws, holding))).await;
    for wait in AGAIN {
        if !proofs.contains(&Proof::Left) {
            break;
        }
        tokio::time::sleep(wait).await;
        for (proof, holding) in proofs.iter_mut().zip(holdings) {
            if *proof == Proof::Left {
                *proof = ask(aws, holding).await;
            }
        }
    }
    proofs
}

async fn ask(aws: &Aws, holding: &Holding) -> Proof {
    let id = holding.physical_id.as_str();
    let there = match holding.resource_type.as_str() {
        "AWS::S3::Bucket" => bucket(aws, id).await,
        "AWS::DynamoDB::Table" => table(aws, id).await,
        "AWS::ElastiCache::CacheCluster" => cluster(aws, id).await,
        "AWS::ElastiCache::ReplicationGroup" => replication_group(aws, id).await,
        "AWS::ElastiCache::ParameterGroup" => parameter_group(aws, id).await,
        "AWS::ElastiCache::SubnetGroup" => subnet_group(aws, id).await,
        "AWS::EC2::SecurityGroup" => aws.network_thing_exists(NetworkThing::SecurityGroup, id).await,
        "AWS::EC2::Subnet" => aws.network_thing_exists(NetworkThing::Subnet, id).await,
        "AWS::EC2::VPC" => aws.network_thing_exists(NetworkThing::Vpc, id).await,
        "AWS::SecretsManager::Secret" => aws.secret_exists(id).await,
        NESTED => match nested(aws, id).await {
            Ok(there) => Ok(there),
            Err(error) => return unproven(&error),
        },
        _ => return Proof::NotAsked,
    };
    match there {
        Ok(true) => Proof::Left,
        Ok(false) => Proof::Gone,
        Err(error) => Proof::Unproven {
            reason: error.to_string(),
        },
    }
}

fn unproven(error: &crate::error::Error) -> Proof {
    let reason = match &*error.kind {
        ErrorKind::Aws(error) => error.to_string(),
        other => other.to_string(),
    };
    Proof::Unproven { reason }
}

async fn bucket(aws: &Aws, name: &str) -> Result<bool, AwsError> {
    let answer = aws.s3().head_bucket().bucket(name).send().await;
    found(answer.map_err(|e| AwsError::new(Service::S3, "HeadBucket", &e)))
}

async fn table(aws: &Aws, name: &str) -> Result<bool, AwsError> {
    Ok(Table::describe(aws, name).await?.is_some())
}

async fn cluster(aws: &Aws, id: &str) -> Result<bool, AwsError> {
    let answer = aws
        .elasticache()
        .describe_cache_clusters()
        .cache_cluster_id(id)
        .send()
        .await;
    found(answer.map_err(|e| AwsError::new(Service::ElastiCache, "DescribeCacheClusters", &e)))
}

async fn replication_group(aws: &Aws, id: &str) -> Result<bool, AwsError> {
    let request = aws.elasticache().describe_replication_groups().replication_group_id(id);
    let answer = request.send().await;
    found(answer.map_err(|e| AwsError::new(Service::ElastiCache, "DescribeReplicationGroups", &e)))
}

async fn parameter_group(aws: &Aws, name: &str) -> Result<bool, AwsError> {
    let request = aws
        .elasticache()
        .describe_cache_parameter_groups()
        .cache_parameter_group_name(name);
    let answer = request.send().await;
    found(answer.map_err(|e| AwsError::new(Service::ElastiCache, "DescribeCacheParameterGroups", &e)))
}

async fn subnet_group(aws: &Aws, name: &str) -> Result<bool, AwsError> {
    let request = aws
        .elasticache()
        .describe_cache_subnet_groups()
        .cache_subnet_group_name(name);
    let answer = request.send().await;
    found(answer.map_err(|e| AwsError::new(Service::ElastiCache, "DescribeCacheSubnetGroups", &e)))
}

async fn nested(aws: &Aws, id: &str) -> Result<bool> {
    let stack = describe(aws, id).await?;
    Ok(stack.is_some_and(|stack| stack.status != StackStatus::DeleteComplete))
}

fn found<T>(answer: Result<T, AwsError>) -> Result<bool, AwsError> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.kind == AwsErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
