//! ARNs of one account and region.

use crate::error::{Error, Result};

/// Where an environment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// "aws", "aws-cn", …
    partition: String,
    region: String,
    account: String,
}

impl Place {
    /// From any ARN of the account: a stack's, or the caller's. The region is the one given.
    ///
    /// # Errors
    /// When it is no ARN.
    pub fn of_arn(arn: &str, region: &str) -> Result<Self> {
        let mut fields = arn.split(':');
        let (prefix, partition, account) = (fields.next(), fields.next(), fields.nth(2));
        match (prefix, partition, account) {
            (Some("arn"), Some(partition), Some(account)) if !partition.is_empty() && !account.is_empty() => Ok(Self {
                partition: partition.to_owned(),
                region: region.to_owned(),
                account: account.to_owned(),
            }),
            _ => Err(Error::unexpected(format!("AWS gave {arn:?} as an ARN"))),
        }
    }

    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let Self {
            partition,
            region,
            account,
        } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// Of a bucket, or of keys in it: `bucket/area/*`.
    pub(super) fn s3(&self, resource: &str) -> String {
        format!("arn:{}:s3:::{resource}", self.partition)
    }

    pub(super) fn table(&self, name: &str) -> String {
        self.arn("dynamodb", &format!("table/{name}"))
    }

    /// Every stack of that name, whenever it was made.
    pub(super) fn stack(&self, name: &str) -> String {
        self.arn("cloudformation", &format!("stack/{name}/*"))
    }

    pub(super) fn role(&self, path: &str) -> String {
        format!("arn:{}:iam::{}:role/{path}", self.partition, self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_stacks_and_callers_tell_the_account() {
        for arn in [
            "arn:aws-cn:cloudformation:cn-north-1:123456789012:stack/demo/1",
            "arn:aws-cn:sts::123456789012:assumed-role/x/y",
        ] {
            let place = Place::of_arn(arn, "cn-north-1").expect(arn);
            assert_eq!(place.table("t"), "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/t");
            assert_eq!(place.s3("b/*"), "arn:aws-cn:s3:::b/*");
        }
        for bad in ["", "demo", "arn:aws:s3:::bucket", "arn::x:y:1"] {
            assert!(Place::of_arn(bad, "eu-west-1").is_err(), "{bad:?}");
        }
    }
}
