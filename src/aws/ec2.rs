//! The questions to EC2: is there a default VPC, and does a thing of the network still exist.

use super::signed::{Call, element};
use super::{Aws, AwsError, AwsErrorKind, Service};

const VERSION: &str = "2016-11-15";

/// Things of a network that a stack can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkThing {
    SecurityGroup,
    Subnet,
    Vpc,
}

impl Aws {
    /// The id of the region's default VPC; `None` when there is none.
    pub async fn default_vpc(&self) -> Result<Option<String>, AwsError> {
        let filter = [("Filter.1.Name", "isDefault"), ("Filter.1.Value.1", "true")];
        let answer = Call::query(Service::Ec2, VERSION, "DescribeVpcs", &filter)
            .send(self)
            .await?;
        Ok(element(&answer, "vpcId"))
    }

    /// Whether the thing with this id exists.
    pub async fn network_thing_exists(&self, thing: NetworkThing, id: &str) -> Result<bool, AwsError> {
        let (action, parameter, told) = match thing {
            NetworkThing::SecurityGroup => ("DescribeSecurityGroups", "GroupId.1", "groupId"),
            NetworkThing::Subnet => ("DescribeSubnets", "SubnetId.1", "subnetId"),
            NetworkThing::Vpc => ("DescribeVpcs", "VpcId.1", "vpcId"),
        };
        match Call::query(Service::Ec2, VERSION, action, &[(parameter, id)])
            .send(self)
            .await
        {
            Ok(answer) => Ok(element(&answer, told).is_some()),
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
