//! One object: reading, writing, comparing, removing.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, Delete, ObjectIdentifier, TaggingDirective};
use aws_smithy_types::base64;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::S3Store;
use crate::aws::{AwsError, AwsErrorKind, Service};
use crate::store::body::{self, Digester, FileBody};
use crate::store::interface::{Mark, settle};
use crate::store::{FileDigest, StoreError, StoreErrorKind, StoreKind, StoreResult, Stretch, Swap, Version, backoff};

/// How often an answer that broke off is asked for again; what fails earlier, the SDK asks for again itself.
const BROKEN_ANSWERS: u32 = 3;
/// What stands for itself in the header that names what to copy.
const IN_A_HEADER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

impl S3Store {
    /// The value and its ETag.
    pub(super) async fn get_value(&self, key: &str) -> StoreResult<Option<(Bytes, String)>> {
        self.get(key, None).await
    }

    /// A stretch of a value; `None` where the value ends before.
    pub(super) async fn get_stretch(&self, stretch: &Stretch) -> StoreResult<Option<Bytes>> {
        let range = format!("bytes={}-{}", stretch.start, stretch.end() - 1);
        let found = self.get(&stretch.key, Some(range)).await?;
        Ok(found
            .map(|(value, _)| value)
            .filter(|value| value.len() as u64 == stretch.length))
    }

    async fn get(&self, key: &str, range: Option<String>) -> StoreResult<Option<(Bytes, String)>> {
        for attempt in 1.. {
            let request = self.client.get_object().bucket(&self.bucket).key(key);
            let output = match request.set_range(range.clone()).send().await {
                Ok(output) => output,
                Err(error) => {
                    let error = AwsError::new(Service::S3, "GetObject", &error);
                    if error.is("InvalidRange") {
                        return Ok(None);
                    }
                    return self.absent(&error, key).map(|()| None);
                }
            };
            let tag = output.e_tag().unwrap_or_default().to_owned();
            match output.body.collect().await {
                Ok(value) => return Ok(Some((value.into_bytes(), tag))),
                Err(error) if attempt == BROKEN_ANSWERS => return Err(broken(&error).at(key)),
                Err(_) => tokio::time::sleep(backoff::delay(attempt)).await,
            }
        }
        Ok(None)
    }

    /// Writes a value; S3 checks what arrives against the digest, and keeps it.
    pub(super) async fn put_value(&self, key: &str, value: Bytes, digest: FileDigest) -> StoreResult<()> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_sha256(base64::encode(digest.sha256))
            .body(value.into())
            .send()
            .await
            .map_err(|error| self.refused(&AwsError::new(Service::S3, "PutObject", &error)).at(key))?;
        Ok(())
    }

    /// Copies a value inside the bucket, with a new checksum of what arrives; false when there is none.
    pub(super) async fn copy_value(&self, from: &str, to: &str) -> StoreResult<bool> {
        let source = format!("{}/{from}", self.bucket);
        let copied = self
            .client
            .copy_object()
            .copy_source(utf8_percent_encode(&source, IN_A_HEADER).to_string())
            .bucket(&self.bucket)
            .key(to)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            // Tags of the source would take a permission to read them.
            .tagging_directive(TaggingDirective::Replace)
            .send()
            .await;
        match copied {
            Ok(_) => Ok(true),
            Err(error) => self
                .absent(&AwsError::new(Service::S3, "CopyObject", &error), from)
                .map(|()| false),
        }
    }

    /// Writes a file a buffer at a time; S3 refuses it if it is no longer what was hashed.
    pub(super) async fn stream_file(&self, key: &str, file: &FileBody) -> StoreResult<()> {
        let gone = |error: &dyn std::fmt::Display| {
            let message = format!("`{}` cannot be read any more: {error}", file.path.display());
            StoreError::new(StoreKind::S3, StoreErrorKind::Changed, message).at(key)
        };
        let now = tokio::fs::metadata(&file.path).await.map_err(|error| gone(&error))?;
        if now.len() != file.digest.size {
            return Err(body::changed(StoreKind::S3, file).at(key));
        }
        let stream = ByteStream::from_path(&file.path).await.map_err(|error| gone(&error))?;
        let sent = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_sha256(base64::encode(file.digest.sha256))
            .body(stream)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = AwsError::new(Service::S3, "PutObject", &error);
                if error.is("BadDigest") || error.is("XAmzContentChecksumMismatch") {
                    return Err(body::changed(StoreKind::S3, file).at(key));
                }
                Err(self.refused(&error).at(key))
            }
        }
    }

    /// Whether the checksum kept with the object proves it equal or different; `None` where there is no such checksum.
    pub(super) async fn checksum_says(&self, key: &str, digest: &FileDigest) -> StoreResult<Option<bool>> {
        let head = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        let head = match head {
            Ok(head) => head,
            Err(error) => {
                // The service tells no missing bucket from a missing key here; the next request will.
                return self
                    .absent(&AwsError::new(Service::S3, "GetObject", &error), key)
                    .map(|()| Some(false));
            }
        };
        let size = head.content_length().and_then(|size| u64::try_from(size).ok());
        let sum = head.checksum_sha256().and_then(|sum| base64::decode(sum).ok());
        let sum = sum.filter(|sum| sum.len() == 32).map(|sum| sum == digest.sha256);
        Ok(match (size == Some(digest.size), sum) {
            (true, sum) => sum,
            // They contradict each other, as behind a proxy that drops the length of a HEAD: only the content can tell.
            (false, Some(true)) => None,
            (false, _) => Some(false),
        })
    }

    /// Reads the object through a hash.
    pub(super) async fn content_says(&self, key: &str, digest: &FileDigest) -> StoreResult<bool> {
        'attempts: for attempt in 1.. {
            let mut body = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
                Ok(output) => output.body,
                Err(error) => {
                    return self
                        .absent(&AwsError::new(Service::S3, "GetObject", &error), key)
                        .map(|()| false);
                }
            };
            let mut digester = Digester::default();
            while let Some(piece) = body.next().await {
                match piece {
                    Ok(piece) => digester.update(&piece),
                    Err(error) if attempt == BROKEN_ANSWERS => return Err(broken(&error).at(key)),
                    Err(_) => {
                        tokio::time::sleep(backoff::delay(attempt)).await;
                        continue 'attempts;
                    }
                }
            }
            let found = digester.finish();
            return Ok((found.size, found.sha256) == (digest.size, digest.sha256));
        }
        Ok(false)
    }

    pub(super) async fn delete_one(&self, key: &str) -> StoreResult<()> {
        self.client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| {
                self.refused(&AwsError::new(Service::S3, "DeleteObject", &error))
                    .at(key)
            })?;
        Ok(())
    }

    /// At most 1,000 keys.
    pub(super) async fn delete_batch(&self, keys: &[&String]) -> StoreResult<()> {
        let objects = keys
            .iter()
            .map(|key| ObjectIdentifier::builder().key(key.as_str()).build());
        let delete = objects
            .collect::<Result<Vec<_>, _>>()
            .and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build())
            .map_err(|error| StoreError::new(StoreKind::S3, StoreErrorKind::Other, error.to_string()))?;
        let output = self
            .client
            .delete_objects()
            .bucket(&self.bucket)
            .delete(delete)
            .send()
            .await
            .map_err(|error| self.refused(&AwsError::new(Service::S3, "DeleteObject", &error)))?;
        let Some(first) = output.errors().first() else {
            return Ok(());
        };
        let kind = match first.code() {
            Some("AccessDenied") => StoreErrorKind::Denied,
            Some("SlowDown") => StoreErrorKind::Throttled,
            _ => StoreErrorKind::Other,
        };
        let message = format!(
            "{} of {} objects could not be removed: {}",
            output.errors().len(),
            keys.len(),
            first.message().or(first.code()).unwrap_or("no reason given")
        );
        Err(StoreError::new(StoreKind::S3, kind, message).at(first.key().unwrap_or_default()))
    }

    pub(super) async fn swap(&self, key: &str, expected: Option<&Version>, new: Bytes) -> StoreResult<Swap> {
        let tag = match expected {
            None => None,
            Some(Version(Mark::Tag(tag))) => Some(tag.clone()),
            // A version of another store never matches.
            Some(Version(Mark::Content(_))) => return Ok(Swap::Conflict),
        };
        let sent = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .set_if_none_match(tag.is_none().then(|| "*".to_owned()))
            .set_if_match(tag)
            .body(new.clone().into())
            .send()
            .await;
        let error = match sent {
            Ok(output) => return Ok(Swap::Done(Version::tag(output.e_tag().unwrap_or_default()))),
            Err(error) => AwsError::new(Service::S3, "PutObject", &error),
        };
        match error.kind {
            AwsErrorKind::Precondition => settle(self, key, &new).await,
            AwsErrorKind::NotFound if error.is("NoSuchKey") => Ok(Swap::Conflict),
            kind if kind.is_transient() => match settle(self, key, &new).await {
                Ok(Swap::Done(version)) => Ok(Swap::Done(version)),
                _ => Err(self.refused(&error).at(key)),
            },
            _ => Err(self.refused(&error).at(key)),
        }
    }

    /// A missing key is a miss, every other error stays one.
    fn absent(&self, error: &AwsError, key: &str) -> StoreResult<()> {
        if error.kind == AwsErrorKind::NotFound && !error.is("NoSuchBucket") {
            Ok(())
        } else {
            Err(self.refused(error).at(key))
        }
    }
}

fn broken(error: &dyn std::fmt::Display) -> StoreError {
    let message = format!("the answer broke off: {error}");
    StoreError::new(StoreKind::S3, StoreErrorKind::Unreachable, message)
}
