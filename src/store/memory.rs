//! A store in this process's memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{Done, FileDigest, Listed, Pages, Puts, Store, StoreKind, StoreResult, Swap, Version};

#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<String, Bytes>>);

impl MemoryStore {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        // No code that holds the lock can leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Memory
    }

    fn place(&self) -> &'static str {
        "this process"
    }

    async fn ping(&self) -> StoreResult<()> {
        Ok(())
    }

    async fn get_many(&self, keys: &[String]) -> StoreResult<Vec<Option<Bytes>>> {
        let entries = self.entries();
        Ok(keys.iter().map(|key| entries.get(key).cloned()).collect())
    }

    async fn put_many(&self, puts: &mut Puts<'_>, done: &Done<'_>) -> StoreResult<()> {
        for put in puts {
            let value = put.body.read(StoreKind::Memory, &put.key).await?;
            let size = value.len() as u64;
            self.entries().insert(put.key.clone(), value);
            done(&put.key, size);
        }
        Ok(())
    }

    async fn delete_many(&self, keys: &[String]) -> StoreResult<()> {
        let mut entries = self.entries();
        for key in keys {
            entries.remove(key);
        }
        Ok(())
    }

    fn list(&self, prefix: &str) -> Pages<'_> {
        let page = self
            .entries()
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| Listed {
                key: key.clone(),
                size: Some(value.len() as u64),
                md5: FileDigest::of(value).md5,
            })
            .collect();
        stream::iter([Ok(page)]).boxed()
    }

    async fn get_versioned(&self, key: &str) -> StoreResult<Option<(Bytes, Version)>> {
        Ok(self
            .entries()
            .get(key)
            .map(|value| (value.clone(), Version::content(value.clone()))))
    }

    async fn compare_and_set(&self, key: &str, expected: Option<&Version>, new: Bytes) -> StoreResult<Swap> {
        let mut entries = self.entries();
        let held = entries.get(key).cloned().map(Version::content);
        if held.as_ref() != expected {
            return Ok(Swap::Conflict);
        }
        entries.insert(key.to_owned(), new.clone());
        Ok(Swap::Done(Version::content(new)))
    }
}
