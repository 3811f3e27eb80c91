//! What can be known to fail before anything is created.

use crate::aws::{Aws, AwsError, AwsErrorKind, Service, Table};
use crate::error::{Error, Result};

/// What must hold for a template to have a chance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preflight {
    /// The template names neither VPC nor subnets, so the region's default VPC is used.
    pub default_vpc: bool,
    /// Names that the template gives its bucket and table; a taken one would only be noticed after minutes, and on
    /// some endpoints destroy what is there.
    pub bucket: Option<String>,
    pub table: Option<String>,
}

/// Asks the services in parallel.
pub(super) async fn check(aws: &Aws, preflight: &Preflight) -> Result<()> {
    tokio::try_join!(
        default_vpc(aws, preflight),
        bucket(aws, preflight),
        table(aws, preflight)
    )
    .map(|_| ())
}

async fn default_vpc(aws: &Aws, preflight: &Preflight) -> Result<()> {
    if !preflight.default_vpc {
        return Ok(());
    }
    match aws.default_vpc().await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(
            Error::refused(format!("the account has no default VPC in {}", aws.region())).with_hint(
                "set `stores.redis.vpc` and `stores.redis.subnets` in rstack.yaml to place Redis in a VPC of yours",
            ),
        ),
        // Whoever may make Redis need not be allowed to look at VPCs; the service itself will tell.
        Err(error) if error.kind == AwsErrorKind::Denied => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn bucket(aws: &Aws, preflight: &Preflight) -> Result<()> {
    let Some(bucket) = &preflight.bucket else { return Ok(()) };
    let exists = match aws.s3().head_bucket().bucket(bucket).send().await {
        Ok(_) => true,
        Err(error) => {
            let error = AwsError::new(Service::S3, "HeadBucket", &error);
            match error.kind {
                AwsErrorKind::NotFound => false,
                // Somebody else's, in whatever region.
                AwsErrorKind::Denied => true,
                _ if error.code.is_none() && !error.kind.is_transient() => true,
                _ => return Err(error.into()),
            }
        }
    };
    if exists { Err(taken("bucket", bucket)) } else { Ok(()) }
}

async fn table(aws: &Aws, preflight: &Preflight) -> Result<()> {
    let Some(table) = &preflight.table else { return Ok(()) };
    match Table::describe(aws, table).await {
        Ok(Some(_)) => Err(taken("table", table)),
        Ok(None) => Ok(()),
        Err(error) if error.kind == AwsErrorKind::Denied => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn taken(what: &str, name: &str) -> Error {
    Error::refused(format!("the {what} `{name}` already exists")).with_hint(format!(
        "choose another name for the {what}, or give none and let CloudFormation make one up"
    ))
}
