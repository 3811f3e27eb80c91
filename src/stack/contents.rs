//! What a bucket or a table holds: what would be lost with it.

use serde::Serialize;
use tokio::task::JoinSet;

use super::versions::{self, Version};
use crate::aws::{Aws, AwsError, Service, Table};
use crate::error::Result;
use crate::time::Timestamp;

/// Versions whose locks are looked at, one request each.
const LOCKS: usize = 1000;
const IN_FLIGHT: usize = 16;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// One page of a bucket: enough to say "more than".
    Glance,
    /// Up to 100,000 versions.
    Count,
}

impl Depth {
    fn pages(self) -> usize {
        match self {
            Self::Glance => 1,
            Self::Count => 100,
        }
    }
}

/// What a bucket holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BucketContents {
    /// Objects that a reader sees.
    pub objects: u64,
    /// Older versions behind them.
    pub old_versions: u64,
    pub delete_markers: u64,
    /// Of objects and old versions.
    pub bytes: u64,
    /// Unfinished uploads.
    pub uploads: u64,
    /// There is more than was counted.
    pub more: bool,
    pub locks: Locks,
}

/// What Object Lock keeps from being deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Locks {
    /// The bucket has Object Lock at all.
    pub enabled: bool,
    pub legal_holds: u64,
    /// Versions that nobody can delete before their time.
    pub compliance: u64,
    /// Versions that only `--force` deletes before their time.
    pub governance: u64,
    /// When the last of them runs out.
    pub until: Option<Timestamp>,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableContents {
    /// By DynamoDB's own count, which may be six hours old.
    pub items: u64,
    pub bytes: u64,
    pub deletion_protection: bool,
}

/// Looks into a bucket; `None` when there is no such bucket.
pub(super) async fn of_bucket(aws: &Aws, bucket: &str, depth: Depth) -> Result<Option<BucketContents>> {
    let (listed, uploads, locked) = tokio::join!(
        list(aws, bucket, depth),
        versions::uploads(aws, bucket, 1000),
        has_object_lock(aws, bucket)
    );
    let Some((mut contents, held)) = listed? else {
        return Ok(None);
    };
    contents.uploads = uploads?.len() as u64;
    contents.locks.enabled = locked?;
    if contents.locks.enabled {
        look_at_locks(aws, bucket, held, &mut contents.locks).await?;
    }
    Ok(Some(contents))
}

/// Counts, and keeps the first versions for a look at their locks.
async fn list(aws: &Aws, bucket: &str, depth: Depth) -> Result<Option<(BucketContents, Vec<Version>)>> {
    let mut contents = BucketContents::default();
    let mut first = Vec::new();
    let mut marker = None;
    for _ in 0..depth.pages() {
        let Some(page) = versions::page(aws, bucket, marker).await? else {
            return Ok(None);
        };
        for version in page.versions {
            contents.add(&version);
            if first.len() < LOCKS && !version.delete_marker {
                first.push(version);
            }
        }
        marker = page.next;
        contents.more = marker.is_some();
        if !contents.more {
            break;
        }
    }
    Ok(Some((contents, first)))
}

/// Not being allowed to ask, or a service that has no such thing, counts as no: then the deletion itself tells.
async fn has_object_lock(aws: &Aws, bucket: &str) -> Result<bool> {
    match aws.s3().get_object_lock_configuration().bucket(bucket).send().await {
        Ok(answer) => Ok(answer
            .object_lock_configuration()
            .is_some_and(|lock| lock.object_lock_enabled().is_some())),
        Err(error) => {
            let error = AwsError::new(Service::S3, "GetObjectLockConfiguration", &error);
            if error.kind.is_transient() {
                Err(error.into())
            } else {
                Ok(false)
            }
        }
    }
}

async fn look_at_locks(aws: &Aws, bucket: &str, versions: Vec<Version>, locks: &mut Locks) -> Result<()> {
    let mut work = JoinSet::new();
    for version in versions {
        if work.len() >= IN_FLIGHT {
            locks.take(work.join_next().await, aws.now());
        }
        let request = aws
            .s3()
            .head_object()
            .bucket(bucket)
            .key(version.key)
            .set_version_id(version.id);
        work.spawn(async move { request.send().await.ok() });
    }
    while !work.is_empty() {
        locks.take(work.join_next().await, aws.now());
    }
    Ok(())
}

impl Locks {
    /// Adds what HeadObject tells. One that cannot be asked is left to the deletion, which will tell.
    fn take(
        &mut self,
        ended: Option<Result<Option<aws_sdk_s3::operation::head_object::HeadObjectOutput>, tokio::task::JoinError>>,
        now: Timestamp,
    ) {
        use aws_sdk_s3::types::{ObjectLockLegalHoldStatus, ObjectLockMode};
        let Some(Ok(Some(head))) = ended else { return };
        if head.object_lock_legal_hold_status() == Some(&ObjectLockLegalHoldStatus::On) {
            self.legal_holds += 1;
        }
        let until = head.object_lock_retain_until_date().map(Timestamp::from);
        let Some(until) = until.filter(|until| *until > now) else {
            return;
        };
        match head.object_lock_mode() {
            Some(ObjectLockMode::Compliance) => self.compliance += 1,
            Some(ObjectLockMode::Governance) => self.governance += 1,
            _ => return,
        }
        self.until = self.until.max(Some(until));
    }
}

impl BucketContents {
    /// Nothing would be lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.more && self.objects + self.old_versions + self.delete_markers + self.uploads == 0
    }

    fn add(&mut self, version: &Version) {
        self.bytes += version.size;
        match (version.delete_marker, version.latest) {
            (true, _) => self.delete_markers += 1,
            (false, true) => self.objects += 1,
            (false, false) => self.old_versions += 1,
        }
    }
}

/// Looks at a table; `None` when there is none.
pub(super) async fn of_table(aws: &Aws, table: &str) -> Result<Option<TableContents>> {
    let found = Table::describe(aws, table).await?;
    Ok(found.map(|table| TableContents {
        items: table.items.unwrap_or_default(),
        bytes: table.bytes.unwrap_or_default(),
        deletion_protection: table.deletion_protection,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version() -> impl Strategy<Value = Version> {
        (any::<bool>(), any::<bool>(), 0_u64..1_000_000).prop_map(|(latest, delete_marker, size)| Version {
            key: "k".to_owned(),
            id: None,
            size: if delete_marker { 0 } else { size },
            latest,
            delete_marker,
        })
    }

    proptest! {
        #[test]
        fn everything_listed_is_counted_once(versions in proptest::collection::vec(version(), 0..50)) {
            let mut contents = BucketContents::default();
            for version in &versions {
                contents.add(version);
            }
            let counted = contents.objects + contents.old_versions + contents.delete_markers;
            prop_assert_eq!(counted, versions.len() as u64);
            prop_assert_eq!(contents.bytes, versions.iter().map(|v| v.size).sum::<u64>());
            prop_assert_eq!(contents.is_empty(), versions.is_empty());
        }
    }
}
