//! What IAM calls the permission for an operation, where that is not the operation's own name.

use super::Service;

/// The IAM actions that an operation of a service's API needs, without the prefix.
#[must_use]
pub fn permissions(service: Service, operation: &str) -> Vec<&str> {
    match (service, operation) {
        (Service::S3, "HeadBucket" | "ListObjectsV2") => vec!["ListBucket"],
        (Service::S3, "CopyObject") => vec!["GetObject", "PutObject"],
        (Service::S3, "HeadObject") => vec!["GetObject", "GetObjectVersion"],
        // Object by object; a version is another permission than what is current.
        (Service::S3, "DeleteObjects") => vec!["DeleteObject", "DeleteObjectVersion"],
        (Service::S3, "ListObjectVersions") => vec!["ListBucketVersions"],
        (Service::S3, "ListMultipartUploads") => vec!["ListBucketMultipartUploads"],
        (Service::S3, "GetObjectLockConfiguration") => vec!["GetBucketObjectLockConfiguration"],
        _ => vec![operation],
    }
}
