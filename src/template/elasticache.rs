//! Amazon ElastiCache.

use std::collections::BTreeMap;

use serde::Serialize;

use super::intrinsic::{GetAtt, Sub, Text, Value};
use super::resource::Handle;

/// `AWS::ElastiCache::CacheCluster`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CacheCluster {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<Text>,
    pub engine: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine_version: Option<Text>,
    pub cache_node_type: Text,
    pub num_cache_nodes: Value<u32>,
    pub auto_minor_version_upgrade: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_availability_zone: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_parameter_group_name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_subnet_group_name: Option<Text>,
    pub vpc_security_group_ids: Value<Vec<Text>>,
}

impl Handle<CacheCluster> {
    pub(super) fn address(&self) -> GetAtt {
        GetAtt::of(self.id, "RedisEndpoint.Address")
    }

    pub(super) fn port(&self) -> GetAtt {
        GetAtt::of(self.id, "RedisEndpoint.Port")
    }
}

/// `AWS::ElastiCache::ReplicationGroup`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "the names are CloudFormation's")]
pub struct ReplicationGroup {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication_group_id: Option<Text>,
    pub replication_group_description: &'static str,
    pub engine: &'static str,
    pub engine_version: Text,
    pub cache_node_type: Text,
    pub num_cache_clusters: u32,
    pub automatic_failover_enabled: bool,
    pub auto_minor_version_upgrade: bool,
    pub transit_encryption_enabled: bool,
    pub at_rest_encryption_enabled: bool,
    pub auth_token: Sub,
    pub cache_parameter_group_name: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_subnet_group_name: Option<Text>,
    pub security_group_ids: Value<Vec<Text>>,
}

impl Handle<ReplicationGroup> {
    pub(super) fn address(&self) -> GetAtt {
        GetAtt::of(self.id, "PrimaryEndPoint.Address")
    }

    pub(super) fn port(&self) -> GetAtt {
        GetAtt::of(self.id, "PrimaryEndPoint.Port")
    }
}

/// `AWS::ElastiCache::ParameterGroup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ParameterGroup {
    pub description: &'static str,
    pub cache_parameter_group_family: &'static str,
    pub properties: BTreeMap<&'static str, &'static str>,
}

/// `AWS::ElastiCache::SubnetGroup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SubnetGroup {
    pub description: &'static str,
    pub subnet_ids: Vec<String>,
}
