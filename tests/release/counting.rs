//! A store that counts what it is asked, and can be told to hand out something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use rstack::store::{Done, Pages, Puts, Store, StoreKind, StoreResult, Swap, Version};

#[derive(Debug)]
pub(super) struct Counting {
    pub(super) inner: Arc<dyn Store>,
    /// Calls that ask for values.
    pub(super) reads: Arc<AtomicU64>,
    /// Entries that were written.
    pub(super) writes: Arc<AtomicU64>,
}

impl Counting {
    pub(super) fn around(inner: Arc<dyn Store>) -> (Arc<dyn Store>, Arc<AtomicU64>) {
        let reads = Arc::new(AtomicU64::new(0));
        let counting = Self {
            inner,
            reads: Arc::clone(&reads),
            writes: Arc::default(),
        };
        (Arc::new(counting), reads)
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
        self.inner.get_many(keys).await
    }

    async fn put_many(&self, puts: &mut Puts<'_>, done: &Done<'_>) -> StoreResult<()> {
        let mut puts = puts.inspect(|_| {
            self.writes.fetch_add(1, Ordering::SeqCst);
        });
        self.inner.put_many(&mut puts, done).await
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
