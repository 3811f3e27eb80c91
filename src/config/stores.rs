//! The key `stores`: how the three stores are made.

use serde::Deserialize;

use super::scalar::{self, Consistent};

/// Options of the default preset; nothing set gives the smallest stores that serve.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "keys with values")]
pub struct Stores {
    pub s3: S3,
    #[serde(deserialize_with = "scalar::consistent")]
    pub dynamodb: DynamoDb,
    #[serde(deserialize_with = "scalar::consistent")]
    pub redis: Redis,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "keys with values")]
pub struct S3 {
    /// CloudFormation makes a name up when absent, so that environments never collide.
    #[serde(deserialize_with = "scalar::bucket_name")]
    pub bucket_name: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "keys with values")]
pub struct DynamoDb {
    #[serde(deserialize_with = "scalar::table_name")]
    pub table_name: Option<String>,
    pub billing: Billing,
    /// Reads of 4 KB a second; only with provisioned billing.
    #[serde(deserialize_with = "scalar::units")]
    read_units: Option<u32>,
    /// Writes of 1 KB a second; only with provisioned billing.
    #[serde(deserialize_with = "scalar::units")]
    write_units: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Billing {
    #[default]
    OnDemand,
    Provisioned,
}

impl DynamoDb {
    /// Read and write units when they are provisioned.
    #[must_use]
    pub fn units(&self) -> Option<(u32, u32)> {
        const UNITS: u32 = 5;
        match self.billing {
            Billing::OnDemand => None,
            Billing::Provisioned => Some((self.read_units.unwrap_or(UNITS), self.write_units.unwrap_or(UNITS))),
        }
    }
}

impl Consistent for DynamoDb {
    fn contradiction(&self) -> Option<&'static str> {
        let units = [self.read_units, self.write_units];
        (self.billing == Billing::OnDemand && units.iter().any(Option::is_some))
            .then_some("`read_units` and `write_units` need `billing: provisioned`")
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "keys with values")]
pub struct Redis {
    /// Of the cluster, or with TLS of the replication group.
    #[serde(deserialize_with = "scalar::cluster_name")]
    pub cluster_name: Option<String>,
    #[serde(deserialize_with = "scalar::node_type")]
    node_type: Option<String>,
    #[serde(deserialize_with = "scalar::engine_version")]
    engine_version: Option<String>,
    /// Encryption in transit and at rest, and a generated AUTH token.
    pub tls: bool,
    /// Where the security group is made; the account's default VPC when absent.
    #[serde(deserialize_with = "scalar::vpc")]
    pub vpc: Option<String>,
    /// Subnets of `vpc` to make a subnet group of.
    #[serde(deserialize_with = "scalar::subnets")]
    pub subnets: Vec<String>,
    /// An existing cache subnet group.
    #[serde(deserialize_with = "scalar::subnet_group")]
    pub subnet_group: Option<String>,
    /// Existing security groups instead of one of its own.
    #[serde(deserialize_with = "scalar::security_groups")]
    pub security_groups: Vec<String>,
    /// Address ranges that may connect, beside members of the security group.
    #[serde(deserialize_with = "scalar::cidrs")]
    pub allowed_cidrs: Vec<String>,
    /// An instance in the VPC through which Session Manager can forward a port.
    #[serde(deserialize_with = "scalar::instance")]
    pub via: Option<String>,
}

impl Redis {
    #[must_use]
    pub fn node_type(&self) -> &str {
        self.node_type.as_deref().unwrap_or("cache.t4g.micro")
    }

    #[must_use]
    pub fn engine_version(&self) -> &str {
        self.engine_version.as_deref().unwrap_or("7.1")
    }

    /// It goes where the account's default VPC is, which therefore has to exist.
    #[must_use]
    pub fn needs_default_vpc(&self) -> bool {
        self.subnets.is_empty() && self.subnet_group.is_none()
    }
}

impl Consistent for Redis {
    fn contradiction(&self) -> Option<&'static str> {
        let own_group = self.security_groups.is_empty();
        let placed = !self.needs_default_vpc();
        if !self.subnets.is_empty() && self.subnet_group.is_some() {
            Some("`subnets` and `subnet_group` contradict each other; keep one")
        } else if !own_group && !self.allowed_cidrs.is_empty() {
            Some("`allowed_cidrs` opens the group that rstack makes; with `security_groups` open those instead")
        } else if self.vpc.is_some() && !placed {
            Some("`vpc` needs `subnets` or `subnet_group` of that VPC")
        } else if placed && own_group && self.vpc.is_none() {
            Some("`subnets` and `subnet_group` need `vpc`, where the security group is made, or `security_groups`")
        } else {
            None
        }
    }
}
