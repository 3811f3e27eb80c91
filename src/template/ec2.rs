//! Security groups of Amazon EC2.

use serde::Serialize;

use super::intrinsic::{GetAtt, Text};
use super::resource::Handle;

/// `AWS::EC2::SecurityGroup`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecurityGroup {
    pub group_description: &'static str,
    /// The account's default VPC when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_group_ingress: Vec<Ingress>,
}

/// TCP to one port, from somewhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ingress {
    description: &'static str,
    ip_protocol: &'static str,
    from_port: u16,
    to_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    cidr_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cidr_ipv6: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_security_group_id: Option<Text>,
}

impl Ingress {
    fn to_port(description: &'static str, port: u16) -> Self {
        Self {
            description,
            ip_protocol: "tcp",
            from_port: port,
            to_port: port,
            cidr_ip: None,
            cidr_ipv6: None,
            source_security_group_id: None,
        }
    }

    /// From an address range of IPv4 or IPv6, in the notation with a slash.
    pub(super) fn from_cidr(description: &'static str, port: u16, cidr: &str) -> Self {
        let mut rule = Self::to_port(description, port);
        let family = if cidr.contains(':') {
            &mut rule.cidr_ipv6
        } else {
            &mut rule.cidr_ip
        };
        *family = Some(cidr.to_owned());
        rule
    }

    /// From the members of another group.
    pub(super) fn from_members(description: &'static str, port: u16, group: &Handle<SecurityGroup>) -> Self {
        Self {
            source_security_group_id: Some(group.group_id().into()),
            ..Self::to_port(description, port)
        }
    }
}

impl Handle<SecurityGroup> {
    /// The id. `Ref` would not do: it gives the name of a group without a `VpcId`.
    pub(super) fn group_id(&self) -> GetAtt {
        GetAtt::of(self.id, "GroupId")
    }
}
