//! A store that counts what it is asked and what it gives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use rstack::store::{Done, Pages, Puts, Store, StoreKind, StoreResult, Stretch, Swap, Version};

#[derive(Debug)]
pub(super) struct Counting {
    pub(super) inner: Arc<dyn Store>,
    /// Calls that ask for values.
    pub(super) reads: Arc<AtomicU64>,
    /// Of the values that were handed out.
    pub(super) bytes: Arc<AtomicU64>,
}

impl Counting {
    pub(super) fn around(inner: Arc<dyn Store>) -> (Arc<dyn Store>, Arc<AtomicU64>) {
        let (counting, reads, _) = Self::with_bytes(inner);
        (counting, reads)
    }

    pub(super) fn with_bytes(inner: Arc<dyn Store>) -> (Arc<dyn Store>, Arc<AtomicU64>, Arc<AtomicU64>) {
        let (reads, bytes) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let counting = Self {
            inner,
            reads: Arc::clone(&reads),
            bytes: Arc::clone(&bytes),
        };
        (Arc::new(counting), reads, bytes)
    }

    fn gave(&self, values: &[Option<Bytes>]) {
        let bytes: usize = values.iter().flatten().map(Bytes::len).sum();
        self.bytes.fetch_add(bytes as u64, Ordering::SeqCst);
    }

    fn read(&self) {
        self.reads.fetch_add(1, Ordering::SeqCst);
    }
}

/// What was counted, which then starts anew.
pub(super) fn taken(count: &AtomicU64) -> u64 {
    count.swap(0, Ordering::SeqCst)
}

#[async_trait]
impl Store for Counting {
    fn kind(&self) -> StoreKind {
        self.inner.kind()
    }

    fn place(&self) -> &str {
        self.inner.place()
    }

    async fn ping(&self) -> StoreResult<()> {
        self.read();
        self.inner.ping().await
    }

    async fn get_many(&self, keys: &[String]) -> StoreResult<Vec<Option<Bytes>>> {
        self.read();
        let values = self.inner.get_many(keys).await?;
        self.gave(&values);
        Ok(values)
    }

    async fn get_ranges(&self, wanted: &[Stretch]) -> StoreResult<Vec<Option<Bytes>>> {
        self.read();
        let values = self.inner.get_ranges(wanted).await?;
        self.gave(&values);
        Ok(values)
    }

    async fn put_many(&self, puts: &mut Puts<'_>, done: &Done<'_>) -> StoreResult<()> {
        self.inner.put_many(puts, done).await
    }

    async fn delete_many(&self, keys: &[String]) -> StoreResult<()> {
        self.inner.delete_many(keys).await
    }

    fn list(&self, prefix: &str) -> Pages<'_> {
        self.read();
        self.inner.list(prefix)
    }

    async fn capacity(&self) -> StoreResult<Option<u64>> {
        self.read();
        self.inner.capacity().await
    }

    async fn get_versioned(&self, key: &str) -> StoreResult<Option<(Bytes, Version)>> {
        self.read();
        self.inner.get_versioned(key).await
    }

    async fn compare_and_set(&self, key: &str, expected: Option<&Version>, new: Bytes) -> StoreResult<Swap> {
        self.inner.compare_and_set(key, expected, new).await
    }
}
