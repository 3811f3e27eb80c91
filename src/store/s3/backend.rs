//! The bucket as a store.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::list;
use crate::aws::{AwsError, Service};
use crate::store::pool::{self, Bounds};
use crate::store::{
    Body, Done, FileDigest, Limit, Pages, Put, Puts, Store, StoreError, StoreKind, StoreResult, Stretch, Swap, Version,
};

/// What a single PutObject takes.
const LARGEST_OBJECT: u64 = 5 << 30;
const LONGEST_KEY: usize = 1024;
const WRITES: Bounds = Bounds {
    jobs: 64,
    bytes: 16 << 20,
};
const READS_AT_ONCE: usize = 32;
const COPIES_AT_ONCE: usize = 32;
/// Larger files are streamed.
pub(super) const LARGEST_IN_MEMORY: u64 = 4 << 20;

#[derive(Debug, Clone)]
pub struct S3Store {
    pub(super) client: Client,
    pub(super) bucket: String,
    place: String,
}

impl S3Store {
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        let bucket = bucket.into();
        let place = format!("bucket `{bucket}`");
        Self { client, bucket, place }
    }

    pub(super) fn refused(&self, error: &AwsError) -> StoreError {
        StoreError::aws(StoreKind::S3, &self.place, error)
    }

    async fn put(&self, put: Put, done: &Done<'_>) -> StoreResult<()> {
        let size = put.body.size();
        match put.body {
            Body::File(file) if size > LARGEST_IN_MEMORY => self.stream_file(&put.key, &file).await?,
            body => {
                let digest = match &body {
                    Body::File(file) => file.digest,
                    Body::Bytes(value) => FileDigest::of(value),
                };
                let value = body.read(StoreKind::S3, &put.key).await?;
                self.put_value(&put.key, value, digest).await?;
            }
        }
        done(&put.key, size);
        Ok(())
    }
}

#[async_trait]
impl Store for S3Store {
    fn kind(&self) -> StoreKind {
        StoreKind::S3
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn limit(&self, key: &str, size: u64) -> Option<Limit> {
        if key.len() > LONGEST_KEY {
            return Some(Limit::Key(LONGEST_KEY as u64));
        }
        (size > LARGEST_OBJECT).then_some(Limit::Value(LARGEST_OBJECT))
    }

    async fn ping(&self) -> StoreResult<()> {
        match self.client.head_bucket().bucket(&self.bucket).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.refused(&AwsError::new(Service::S3, "ListBucket", &error))),
        }
    }

    async fn get_many(&self, keys: &[String]) -> StoreResult<Vec<Option<Bytes>>> {
        let reads: Vec<_> = keys.iter().map(|key| self.get_value(key)).collect();
        stream::iter(reads)
            .buffered(READS_AT_ONCE)
            .map_ok(|found| found.map(|(value, _)| value))
            .try_collect()
            .await
    }

    async fn get_ranges(&self, wanted: &[Stretch]) -> StoreResult<Vec<Option<Bytes>>> {
        let reads: Vec<_> = wanted.iter().map(|stretch| self.get_stretch(stretch)).collect();
        stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await
    }

    async fn put_many(&self, puts: &mut Puts<'_>, done: &Done<'_>) -> StoreResult<()> {
        // A streamed file is in memory a buffer at a time.
        let weigh = |put: &Put| match put.body {
            Body::File(_) => put.body.size().min(LARGEST_IN_MEMORY),
            Body::Bytes(_) => put.body.size(),
        };
        pool::run(WRITES, puts, weigh, |put| self.put(put, done)).await
    }

    async fn copy_many(&self, copies: &[(String, String)]) -> StoreResult<Vec<bool>> {
        let copies: Vec<_> = copies.iter().map(|(from, to)| self.copy_value(from, to)).collect();
        stream::iter(copies).buffered(COPIES_AT_ONCE).try_collect().await
    }

    async fn delete_many(&self, keys: &[String]) -> StoreResult<()> {
        // XML has no way to write these characters, so a key with one goes by a request of its own.
        let (odd, plain): (Vec<_>, Vec<_>) = keys
            .iter()
            .partition(|key| key.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')));
        for batch in plain.chunks(1000) {
            self.delete_batch(batch).await?;
        }
        for key in odd {
            self.delete_one(key).await?;
        }
        Ok(())
    }

    fn list(&self, prefix: &str) -> Pages<'_> {
        list::pages(self, prefix)
    }

    async fn holds(&self, key: &str, digest: &FileDigest) -> StoreResult<bool> {
        if let Some(answer) = self.checksum_says(key, digest).await? {
            return Ok(answer);
        }
        self.content_says(key, digest).await
    }

    async fn get_versioned(&self, key: &str) -> StoreResult<Option<(Bytes, Version)>> {
        Ok(self
            .get_value(key)
            .await?
            .map(|(value, tag)| (value, Version::tag(tag))))
    }

    async fn compare_and_set(&self, key: &str, expected: Option<&Version>, new: Bytes) -> StoreResult<Swap> {
        self.swap(key, expected, new).await
    }
}
