//! Templates that are too large for a request lie in S3 while they are used.

use aws_sdk_s3::primitives::ByteStream;

use super::token;
use crate::aws::{Aws, AwsError, Service};
use crate::error::{Error, Result};

/// The largest template that CloudFormation reads from S3, in bytes.
const LARGEST_IN_S3: usize = 1_000_000;

/// A template in a bucket, to be removed once the operation has begun.
#[derive(Debug)]
pub struct StagedTemplate {
    /// As CloudFormation reads it.
    pub url: String,
    bucket: String,
    key: String,
}

/// Puts the template into `bucket`.
///
/// # Errors
/// `Refused` when it is too large even so; `Aws` when the bucket cannot be written.
pub async fn stage(aws: &Aws, bucket: &str, body: &str) -> Result<StagedTemplate> {
    if body.len() > LARGEST_IN_S3 {
        return Err(Error::refused(format!(
            "the template has {} bytes; CloudFormation takes {LARGEST_IN_S3} at most",
            body.len()
        ))
        .with_hint("split it into nested stacks"));
    }
    // A name of its own, so that two runs with the same template do not remove each other's.
    let key = format!("rstack-templates/{}.template", token());
    aws.s3()
        .put_object()
        .bucket(bucket)
        .key(&key)
        .body(ByteStream::from(body.as_bytes().to_vec()))
        .send()
        .await
        .map_err(|e| AwsError::new(Service::S3, "PutObject", &e))?;
    let suffix = if aws.region().starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    let url = aws.config().endpoint_url().map_or_else(
        || format!("https://{bucket}.s3.{}.{suffix}/{key}", aws.region()),
        |endpoint| format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
    );
    Ok(StagedTemplate {
        url,
        bucket: bucket.to_owned(),
        key,
    })
}

impl StagedTemplate {
    /// Takes the template away again. When that is refused, the name of what stays.
    pub async fn remove(self, aws: &Aws) -> Option<String> {
        let removed = aws
            .s3()
            .delete_object()
            .bucket(&self.bucket)
            .key(&self.key)
            .send()
            .await;
        removed.is_err().then(|| format!("s3://{}/{}", self.bucket, self.key))
    }
}
