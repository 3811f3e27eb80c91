//! A store that dies after so many writes, or loses the answer to one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use rstack::store::{Done, Pages, Puts, Store, StoreError, StoreErrorKind, StoreKind, StoreResult, Swap, Version};

/// What several stores of one publisher have in common.
#[derive(Debug)]
pub(super) struct Fate {
    /// Writes that still go through; after them nothing answers any more.
    writes: AtomicI64,
    /// The next conditional write goes through, and its answer is lost.
    pub(super) lose_answer: AtomicBool,
}

impl Fate {
    pub(super) fn after(writes: i64) -> Arc<Self> {
        Arc::new(Self {
            writes: AtomicI64::new(writes),
            lose_answer: AtomicBool::new(false),
        })
    }

    pub(super) fn never() -> Arc<Self> {
        Self::after(i64::MAX)
    }

    pub(super) fn has_struck(&self) -> bool {
        self.writes.load(Ordering::SeqCst) < 0
    }
}

#[derive(Debug)]
pub(super) struct Faulty {
    pub(super) inner: Arc<dyn Store>,
    pub(super) fate: Arc<Fate>,
}

impl Faulty {
    /// Others get their turn first, so that publishers at once really interleave.
    async fn read(&self) -> StoreResult<()> {
        for _ in 0..fastrand_like() {
            tokio::task::yield_now().await;
        }
        if self.fate.has_struck() {
            Err(self.dead())
        } else {
            Ok(())
        }
    }

    async fn write(&self) -> StoreResult<()> {
        self.read().await?;
        if self.fate.writes.fetch_sub(1, Ordering::SeqCst) <= 0 {
            self.fate.writes.store(-1, Ordering::SeqCst);
            return Err(self.dead());
        }
        Ok(())
    }

    fn dead(&self) -> StoreError {
        StoreError::new(self.inner.kind(), StoreErrorKind::Unreachable, "killed")
    }
}

/// 0 to 3, unlike from call to call.
fn fastrand_like() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) % 4
}

#[async_trait]
impl Store for Faulty {
    fn kind(&self) -> StoreKind {
        self.inner.kind()
    }

    fn place(&self) -> &str {
        self.inner.place()
    }

    async fn ping(&self) -> StoreResult<()> {
        self.inner.ping().await
    }

    async fn get_many(&self, keys: &[String]) -> StoreResult<Vec<Option<Bytes>>> {
        self.read().await?;
        self.inner.get_many(keys).await
    }

    async fn put_many(&self, puts: &mut Puts<'_>, done: &Done<'_>) -> StoreResult<()> {
        for put in puts {
            self.write().await?;
            self.inner.put_many(&mut std::iter::once(put), done).await?;
        }
        Ok(())
    }

    async fn delete_many(&self, keys: &[String]) -> StoreResult<()> {
        self.write().await?;
        self.inner.delete_many(keys).await
    }

    fn list(&self, prefix: &str) -> Pages<'_> {
        self.inner.list(prefix)
    }

    async fn get_versioned(&self, key: &str) -> StoreResult<Option<(Bytes, Version)>> {
        self.read().await?;
        self.inner.get_versioned(key).await
    }

    async fn compare_and_set(&self, key: &str, expected: Option<&Version>, new: Bytes) -> StoreResult<Swap> {
        self.write().await?;
        let swap = self.inner.compare_and_set(key, expected, new).await?;
        if key.ends_with("/marker") && self.fate.lose_answer.swap(false, Ordering::SeqCst) {
            return Err(StoreError::new(
                self.inner.kind(),
                StoreErrorKind::Timeout,
                "the answer was lost",
            ));
        }
        Ok(swap)
    }
}
