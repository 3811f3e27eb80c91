//! Resources: the closed set of types that the presets use.

use std::marker::PhantomData;

use serde::Serialize;

use super::dynamodb::Table;
use super::ec2::SecurityGroup;
use super::elasticache::{CacheCluster, ParameterGroup, ReplicationGroup, SubnetGroup};
use super::intrinsic::Ref;
use super::s3::{Bucket, BucketPolicy};
use super::secretsmanager::Secret;

/// One entry of `Resources`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resource {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_policy: Option<Policy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_replace_policy: Option<Policy>,
    properties: Properties,
}

/// An environment is throw-away: what holds data says in so many words that it goes with the stack, without a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Policy {
    Delete,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Properties {
    Bucket(Bucket),
    BucketPolicy(BucketPolicy),
    Table(Table),
    CacheCluster(CacheCluster),
    ReplicationGroup(ReplicationGroup),
    ParameterGroup(ParameterGroup),
    SubnetGroup(SubnetGroup),
    SecurityGroup(SecurityGroup),
    Secret(Secret),
}

impl Properties {
    /// CloudFormation's name of the type, and whether it holds data.
    fn kind(&self) -> (&'static str, bool) {
        match self {
            Self::Bucket(_) => ("AWS::S3::Bucket", true),
            Self::BucketPolicy(_) => ("AWS::S3::BucketPolicy", false),
            Self::Table(_) => ("AWS::DynamoDB::Table", true),
            Self::CacheCluster(_) => ("AWS::ElastiCache::CacheCluster", true),
            Self::ReplicationGroup(_) => ("AWS::ElastiCache::ReplicationGroup", true),
            Self::ParameterGroup(_) => ("AWS::ElastiCache::ParameterGroup", false),
            Self::SubnetGroup(_) => ("AWS::ElastiCache::SubnetGroup", false),
            Self::SecurityGroup(_) => ("AWS::EC2::SecurityGroup", false),
            Self::Secret(_) => ("AWS::SecretsManager::Secret", true),
        }
    }
}

impl Resource {
    pub(super) fn new(properties: Properties) -> Self {
        let (r#type, holds_data) = properties.kind();
        let policy = holds_data.then_some(Policy::Delete);
        Self {
            r#type,
            deletion_policy: policy,
            update_replace_policy: policy,
            properties,
        }
    }

    pub(super) fn type_name(&self) -> &'static str {
        self.r#type
    }
}

/// A resource that has been added; its type knows which attributes there are.
#[derive(Debug)]
pub struct Handle<P> {
    pub(super) id: &'static str,
    properties: PhantomData<P>,
}

impl<P> Handle<P> {
    pub(super) fn new(id: &'static str) -> Self {
        Self {
            id,
            properties: PhantomData,
        }
    }

    pub(super) fn reference(&self) -> Ref {
        Ref::to(self.id)
    }
}

macro_rules! properties_from {
    ($($name:ident),*) => {
        $(impl From<$name> for Properties {
            fn from(properties: $name) -> Self {
                Self::$name(properties)
            }
        })*
    };
}

properties_from!(
    Bucket,
    BucketPolicy,
    Table,
    CacheCluster,
    ReplicationGroup,
    ParameterGroup,
    SubnetGroup,
    SecurityGroup,
    Secret
);
