//! Emptying a bucket: every version, every delete marker, every unfinished upload.

use std::fmt::Write as _;

use serde::Serialize;
use tokio::task::JoinSet;

use super::batch::{Deleter, Undeleted};
use super::versions::{self, Version};
use crate::aws::{Aws, AwsError, AwsErrorKind, Service};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Progress, Reporter, Task};
use crate::interrupt::Interrupt;

/// Requests under way at once, each of up to 1,000 keys: what bounds memory, whatever the bucket holds.
const IN_FLIGHT: usize = 12;
/// A bucket that somebody keeps writing to is listed again this many times.
const PASSES: usize = 5;
/// How many undeleted keys are remembered by name.
const NAMED: usize = 20;

/// What to empty and how.
pub(super) struct Drain<'a> {
    pub(super) aws: &'a Aws,
    pub(super) bucket: &'a str,
    /// Delete what Object Lock holds in governance mode too.
    pub(super) bypass_governance: bool,
    pub(super) reporter: &'a dyn Reporter,
    pub(super) interrupt: &'a Interrupt,
}

/// What was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Drained {
    pub bucket: String,
    /// Object versions, without delete markers.
    pub versions: u64,
    pub delete_markers: u64,
    pub bytes: u64,
    pub uploads: u64,
    /// How many would not go; the first of them are in `undeleted`.
    pub undeleted_count: u64,
    pub undeleted: Vec<Undeleted>,
}

/// One DeleteObjects that has ended.
struct Deleted {
    versions: Vec<Version>,
    undeleted: Vec<Undeleted>,
}

impl Drain<'_> {
    /// Empties the bucket, and lists it again until it is empty. A bucket that is not there is empty.
    ///
    /// # Errors
    /// When keys would not go (each of the first is named), when S3 refuses, and when interrupted: requests in flight
    /// are finished first, and running again goes on where this stopped.
    pub(super) async fn run(&self) -> Result<Drained> {
        let mut drained = Drained {
            bucket: self.bucket.to_owned(),
            ..Drained::default()
        };
        for _ in 0..PASSES {
            let found = self.pass(&mut drained).await?;
            if found == 0 || drained.undeleted_count > 0 {
                break;
            }
        }
        if drained.undeleted_count > 0 {
            return Err(self.stuck(&drained));
        }
        self.abort_uploads(&mut drained).await?;
        if drained
            != (Drained {
                bucket: drained.bucket.clone(),
                ..Drained::default()
            })
        {
            self.report(&drained, Some(drained.total()));
        }
        Ok(drained)
    }

    /// Goes through the bucket once, deleting what it finds; returns how many it found.
    async fn pass(&self, drained: &mut Drained) -> Result<u64> {
        let mut work = JoinSet::new();
        let mut marker = None;
        let mut found = 0;
        let stopped = loop {
            if self.interrupt.requested() {
                break true;
            }
            let Some(page) = versions::page(self.aws, self.bucket, marker).await? else {
                break false;
            };
            found += page.versions.len() as u64;
            while work.len() >= IN_FLIGHT {
                self.take(work.join_next().await, drained)?;
            }
            marker = page.next_to_delete();
            if !page.versions.is_empty() {
                work.spawn(delete(self.deleter(), page.versions));
            }
            if marker.is_none() {
                break false;
            }
        };
        while !work.is_empty() {
            self.take(work.join_next().await, drained)?;
        }
        if stopped {
            Err(self.interrupted(drained))
        } else {
            Ok(found)
        }
    }

    fn deleter(&self) -> Deleter {
        Deleter {
            s3: self.aws.s3().clone(),
            bucket: self.bucket.to_owned(),
            bypass_governance: self.bypass_governance,
        }
    }

    /// Adds up one request that has ended.
    fn take(
        &self,
        ended: Option<Result<Result<Deleted, AwsError>, tokio::task::JoinError>>,
        drained: &mut Drained,
    ) -> Result<()> {
        let Some(ended) = ended else { return Ok(()) };
        let deleted = ended.map_err(|e| Error::unexpected(format!("deleting objects broke off: {e}")))??;
        drained.add(&deleted);
        self.report(drained, None);
        Ok(())
    }

    async fn abort_uploads(&self, drained: &mut Drained) -> Result<()> {
        let mut work = JoinSet::new();
        for upload in versions::uploads(self.aws, self.bucket, usize::MAX).await? {
            if work.len() >= IN_FLIGHT {
                aborted(work.join_next().await, drained)?;
            }
            let request = self
                .aws
                .s3()
                .abort_multipart_upload()
                .bucket(self.bucket)
                .key(upload.key)
                .upload_id(upload.id);
            work.spawn(async move {
                match request.send().await {
                    Ok(_) => Ok(()),
                    Err(e) => {
                        let error = AwsError::new(Service::S3, "AbortMultipartUpload", &e);
                        let gone = error.kind == AwsErrorKind::NotFound;
                        if gone { Ok(()) } else { Err(error) }
                    }
                }
            });
        }
        while !work.is_empty() {
            aborted(work.join_next().await, drained)?;
        }
        Ok(())
    }

    fn report(&self, drained: &Drained, total: Option<u64>) {
        self.reporter.report(&Event::Progress(Progress {
            task: Task::Drain,
            done: drained.total(),
            total,
            bytes: drained.bytes,
            total_bytes: None,
        }));
    }

    fn interrupted(&self, drained: &Drained) -> Error {
        let message = format!(
            "stopped while emptying the bucket `{}`: {} versions and delete markers are gone, the stack is untouched",
            self.bucket,
            drained.total()
        );
        Error::from(ErrorKind::Interrupted(message)).with_hint("run the same command again to go on")
    }

    fn stuck(&self, drained: &Drained) -> Error {
        let s = if drained.undeleted_count == 1 { "" } else { "s" };
        let mut message = format!(
            "{} object version{s} in the bucket `{}` would not go",
            drained.undeleted_count, self.bucket
        );
        for undeleted in drained.undeleted.iter().take(3) {
            let _ = write!(
                message,
                "; {:?}: {} ({})",
                undeleted.key, undeleted.message, undeleted.code
            );
        }
        let hint = if drained.undeleted.iter().any(|u| u.code == "AccessDenied") {
            "allow `s3:DeleteObject` and `s3:DeleteObjectVersion`, or look for Object Lock and legal holds (`--force` \
             bypasses governance mode), or keep the bucket with `--retain`"
        } else {
            "run the same command again, or keep the bucket with `--retain`"
        };
        Error::refused(message).with_hint(hint)
    }
}

async fn delete(deleter: Deleter, versions: Vec<Version>) -> Result<Deleted, AwsError> {
    let undeleted = deleter.delete(&versions).await?;
    Ok(Deleted { versions, undeleted })
}

fn aborted(ended: Option<Result<Result<(), AwsError>, tokio::task::JoinError>>, drained: &mut Drained) -> Result<()> {
    let Some(ended) = ended else { return Ok(()) };
    ended.map_err(|e| Error::unexpected(format!("aborting uploads broke off: {e}")))??;
    drained.uploads += 1;
    Ok(())
}

impl Drained {
    /// Everything that a listing counts.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.versions + self.delete_markers
    }

    fn add(&mut self, deleted: &Deleted) {
        let gone = |version: &&Version| !deleted.undeleted.iter().any(|u| u.is(version));
        for version in deleted.versions.iter().filter(gone) {
            if version.delete_marker {
                self.delete_markers += 1;
            } else {
                self.versions += 1;
                self.bytes += version.size;
            }
        }
        self.undeleted_count += deleted.undeleted.len() as u64;
        let room = NAMED.saturating_sub(self.undeleted.len());
        self.undeleted.extend(deleted.undeleted.iter().take(room).cloned());
    }

    /// Adds a later emptying of the same bucket.
    pub(super) fn merge(&mut self, later: &Self) {
        self.versions += later.versions;
        self.delete_markers += later.delete_markers;
        self.bytes += later.bytes;
        self.uploads += later.uploads;
    }
}
