//! Amazon S3.

use serde::Serialize;

use super::intrinsic::{GetAtt, Sub, Text};
use super::resource::Handle;

/// `AWS::S3::Bucket`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Bucket {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket_name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_access_block_configuration: Option<PublicAccessBlock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket_encryption: Option<BucketEncryption>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle_configuration: Option<Lifecycle>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "the names are CloudFormation's")]
pub struct PublicAccessBlock {
    pub block_public_acls: bool,
    pub block_public_policy: bool,
    pub ignore_public_acls: bool,
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    pub(super) const ALL: Self = Self {
        block_public_acls: true,
        block_public_policy: true,
        ignore_public_acls: true,
        restrict_public_buckets: true,
    };
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BucketEncryption {
    server_side_encryption_configuration: [EncryptionRule; 1],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EncryptionRule {
    server_side_encryption_by_default: DefaultEncryption,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct DefaultEncryption {
    #[serde(rename = "SSEAlgorithm")]
    algorithm: &'static str,
}

impl BucketEncryption {
    /// With keys that S3 keeps.
    pub(super) fn with_s3_keys() -> Self {
        Self {
            server_side_encryption_configuration: [EncryptionRule {
                server_side_encryption_by_default: DefaultEncryption { algorithm: "AES256" },
            }],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Lifecycle {
    rules: [LifecycleRule; 1],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LifecycleRule {
    id: &'static str,
    status: &'static str,
    abort_incomplete_multipart_upload: AbortAfter,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AbortAfter {
    days_after_initiation: u32,
}

impl Lifecycle {
    /// Uploads that were begun and never finished are invisible, and paid for, until something removes them.
    pub(super) fn abort_uploads_after(days: u32) -> Self {
        Self {
            rules: [LifecycleRule {
                id: "abort-unfinished-uploads",
                status: "Enabled",
                abort_incomplete_multipart_upload: AbortAfter {
                    days_after_initiation: days,
                },
            }],
        }
    }
}

impl Handle<Bucket> {
    pub(super) fn arn(&self) -> GetAtt {
        GetAtt::of(self.id, "Arn")
    }
}

/// `AWS::S3::BucketPolicy`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BucketPolicy {
    bucket: Text,
    policy_document: PolicyDocument,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDocument {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    principal: &'static str,
    action: &'static str,
    resource: [Text; 2],
    condition: StatementCondition,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatementCondition {
    bool: SecureTransport,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct SecureTransport {
    /// IAM compares text, also here.
    #[serde(rename = "aws:SecureTransport")]
    value: &'static str,
}

impl BucketPolicy {
    /// Refuses every request that does not come over TLS.
    pub(super) fn tls_only(bucket: &Handle<Bucket>) -> Self {
        Self {
            bucket: bucket.reference().into(),
            policy_document: PolicyDocument {
                version: "2012-10-17",
                statement: [Statement {
                    sid: "DenyWithoutTls",
                    effect: "Deny",
                    principal: "*",
                    action: "s3:*",
                    resource: [
                        bucket.arn().into(),
                        Sub::new().attribute(&bucket.arn()).text("/*").into(),
                    ],
                    condition: StatementCondition {
                        bool: SecureTransport { value: "false" },
                    },
                }],
            },
        }
    }
}
