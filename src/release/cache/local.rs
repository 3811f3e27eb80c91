//! The cache as readers use it: memory, and behind it the folder, if that is safe.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::task::JoinHandle;

use super::folder::{BLOBS, BYTECODE, Folder, TREES};
use super::memory::{Held, Memory};
use super::seen::Seen;
use super::sweep::sweep;
use crate::event::{Event, Reporter};
use crate::release::{Blob, ContentHash};

/// How large the folder may become when nothing else is said, in bytes.
const LIMIT: u64 = 1 << 30;
/// The folder is looked through after so much of its limit was written.
const SHARE: u64 = 32;

/// Of a hash, in bytes.
pub(super) const HASH: usize = 32;

/// Where the cache is, and how large it may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheOptions {
    /// `None`: only memory is used.
    pub folder: Option<PathBuf>,
    /// In bytes.
    pub limit: u64,
}

impl CacheOptions {
    /// With the usual limit.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: Some(folder.into()),
            limit: LIMIT,
        }
    }

    /// Nothing is kept beyond a process.
    #[must_use]
    pub fn off() -> Self {
        Self {
            folder: None,
            limit: LIMIT,
        }
    }
}

/// Manifests and packs by their hash, shared by all readers of a process, and through the folder by all processes of a
/// user. Everything that is read is hashed again, as a whole or file by file; what is damaged is dropped and counts as
/// absent.
#[derive(Debug, Default)]
pub struct LocalCache {
    pub(super) folder: Option<Folder>,
    limit: u64,
    written: AtomicU64,
    /// Batches that are on their way into the folder.
    unwritten: Mutex<usize>,
    written_one: Condvar,
    memory: Mutex<Memory>,
    pub(super) notes: Mutex<HashMap<String, Bytes>>,
    seen: Seen,
    resolving: tokio::sync::Mutex<()>,
}

/// A batch on its way into the folder, until it is dropped.
struct Unwritten(Arc<LocalCache>);

impl Unwritten {
    fn one_more(cache: &Arc<LocalCache>) -> Self {
        *cache.unwritten.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(cache))
    }
}

impl Drop for Unwritten {
    fn drop(&mut self) {
        *self.0.unwritten.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.written_one.notify_all();
    }
}

/// Writing to the folder, which goes on meanwhile.
#[must_use]
pub(in crate::release) struct Writing(Option<JoinHandle<()>>);

impl Writing {
    pub(in crate::release) fn nothing() -> Self {
        Self(None)
    }

    pub(in crate::release) async fn done(self) {
        if let Some(writing) = self.0
            && let Err(error) = writing.await
        {
            tracing::debug!(%error, "writing to the local cache broke off");
        }
    }
}

/// What is checked of a blob before it is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::release) enum Check {
    /// Its own hash.
    Whole,
    /// Its own hash when it comes from a store, nothing but its size when this machine has it: of a pack that was kept, every
    /// file that is taken is checked against its own hash. When one is wrong, the pack has to be asked for again as a
    /// whole, which drops it if the fault is here.
    Fresh,
    /// Nothing but its size, wherever it comes from, by who checks every file that is in the pack.
    Files,
}

impl LocalCache {
    /// Opens the folder; one that is not safe is told to the reporter and not used.
    #[must_use]
    pub fn open(options: &CacheOptions, reporter: &dyn Reporter) -> Arc<Self> {
        let folder = options.folder.as_deref().and_then(|path| {
            Folder::make(path)
                .map_err(|unusable| {
                    reporter.report(&Event::Warning {
                        message: format!("what is read is not kept on this machine: {unusable}"),
                        hint: Some(unusable.hint()),
                    });
                })
                .ok()
        });
        Arc::new(Self {
            folder,
            limit: options.limit,
            ..Self::default()
        })
    }

    /// Keeps nothing beyond this process.
    #[must_use]
    pub fn in_memory() -> Arc<Self> {
        Arc::default()
    }

    /// Those of these blobs that are here.
    pub(in crate::release) async fn load(self: &Arc<Self>, wanted: &[(Blob, Check)]) -> Vec<Option<Bytes>> {
        // Reading and hashing: as many at once as there are threads for it.
        let loading = wanted.iter().map(|(blob, check)| {
            let (this, blob, check) = (Arc::clone(self), *blob, *check);
            async move {
                match this.at_once(&blob, check) {
                    Ok(found) => found,
                    Err(held) => tokio::task::spawn_blocking(move || this.read(&blob, held, check))
                        .await
                        .ok()?,
                }
            }
        });
        join_all(loading).await
    }

    /// As [`LocalCache::load`], of one blob and in this thread.
    pub(in crate::release) fn load_here(&self, blob: &Blob, check: Check) -> Option<Bytes> {
        self.at_once(blob, check)
            .unwrap_or_else(|held| self.read(blob, held, check))
    }

    /// What can be told of a blob without reading and hashing; else what of it has to be hashed, if it is held.
    fn at_once(&self, blob: &Blob, check: Check) -> Result<Option<Bytes>, Option<Held>> {
        match self.lock().get(blob.sha256) {
            Some(held) if held.checked || check != Check::Whole => Ok(Some(held.value)),
            None if self.folder.is_none() => Ok(None),
            held => Err(held),
        }
    }

    /// Reads what is not held already, and checks it.
    fn read(&self, blob: &Blob, held: Option<Held>, check: Check) -> Option<Bytes> {
        let name = blob.sha256.to_string();
        let value = match held {
            Some(held) => held.value,
            None => match self.folder.as_ref()?.read(BLOBS, &name) {
                Ok(value) => Bytes::from(value?),
                Err(error) => {
                    tracing::debug!(%error, %name, "the local cache cannot be read");
                    return None;
                }
            },
        };
        let checked = check == Check::Whole;
        if value.len() as u64 != blob.size || (checked && ContentHash::of(&value) != blob.sha256) {
            tracing::warn!(%name, "dropped from the local cache: it is damaged");
            self.lock().remove(blob.sha256);
            if let Some(folder) = &self.folder {
                let _ = std::fs::remove_file(folder.path(BLOBS, &name));
            }
            return None;
        }
        let held = Held {
            value: value.clone(),
            checked,
        };
        self.lock().put(blob.sha256, held);
        Some(value)
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A blob that is in memory; whoever takes something out of it checks that. `None` also when the memory is in use just
    /// now: in a fork, whoever used it may be missing, so nobody waits here.
    pub(in crate::release) fn held(&self, hash: ContentHash) -> Option<Bytes> {
        let memory = match self.memory.try_lock() {
            Ok(memory) => memory,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        memory.get(hash).map(|held| held.value)
    }

    /// Whether a blob is here, as far as can be told without reading it.
    pub(in crate::release) fn has(&self, blob: &Blob) -> bool {
        let folder = self.folder.as_ref();
        let on_disk = |folder: &Folder| {
            let found = std::fs::metadata(folder.path(BLOBS, &blob.sha256.to_string()));
            found.is_ok_and(|found| found.len() == blob.size)
        };
        self.lock().get(blob.sha256).is_some() || folder.is_some_and(on_disk)
    }

    /// Keeps blobs that were checked so far: in memory now, in the folder when what is returned is done.
    pub(in crate::release) fn keep(self: &Arc<Self>, blobs: Vec<(ContentHash, Bytes, Check)>) -> Writing {
        for (hash, value, check) in &blobs {
            let held = Held {
                value: value.clone(),
                checked: *check != Check::Files,
            };
            self.lock().put(*hash, held);
        }
        if self.folder.is_none() || blobs.is_empty() {
            return Writing::nothing();
        }
        let (this, unwritten) = (Arc::clone(self), Unwritten::one_more(self));
        Writing(Some(tokio::task::spawn_blocking(move || {
            for (hash, value, _) in &blobs {
                this.write(BLOBS, &hash.to_string(), &[value]);
            }
            drop(unwritten);
        })))
    }

    /// Waits until nothing is being written any more, at most so long: a process that ends takes its threads with it.
    pub fn wait_until_written(&self, at_most: Duration) {
        let unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        drop(
            self.written_one
                .wait_timeout_while(unwritten, at_most, |unwritten| *unwritten > 0),
        );
    }

    /// What Python made of a source, by the hash of all that it depends on.
    #[must_use]
    pub fn bytecode(&self, key: ContentHash) -> Option<Bytes> {
        let folder = self.folder.as_ref()?;
        let mut kept = Bytes::from(folder.read(BYTECODE, &key.to_string()).ok()??);
        let hash = kept.split_off(kept.len().checked_sub(HASH)?);
        if ContentHash::of(&kept).0 == *hash {
            return Some(kept);
        }
        let _ = std::fs::remove_file(folder.path(BYTECODE, &key.to_string()));
        None
    }

    #[must_use]
    pub fn has_bytecode(&self, key: ContentHash) -> bool {
        self.bytecode_path(key).is_some_and(|path| path.exists())
    }

    /// Where it is kept, or would be; `None` when nothing is kept beyond this process.
    #[must_use]
    pub fn bytecode_path(&self, key: ContentHash) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.path(BYTECODE, &key.to_string()))
    }

    /// With its hash behind it, which Python does not mind.
    pub fn keep_bytecode(&self, key: ContentHash, bytecode: &[u8]) {
        let hash = ContentHash::of(bytecode);
        self.write(BYTECODE, &key.to_string(), &[bytecode, &hash.0]);
    }

    /// Where the files of a source are put that has this digest; `None` when nothing is kept beyond this process.
    #[must_use]
    pub fn tree(&self, digest: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.path(TREES, digest))
    }

    /// Held while an environment is looked for, so that it is asked for once.
    pub(in crate::release) async fn resolving(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.resolving.lock().await
    }

    /// The highest sequence that was seen in a line of moves; 0 when none was.
    pub(in crate::release) fn highest(&self, line: &str) -> u64 {
        self.seen.highest(self.folder.as_ref(), line)
    }

    pub(in crate::release) fn saw(&self, line: &str, sequence: u64) {
        self.seen.saw(self.folder.as_ref(), line, sequence);
    }

    /// A cache that cannot be written is no reason to fail.
    pub(super) fn write(&self, kind: &str, name: &str, parts: &[&[u8]]) {
        let Some(folder) = &self.folder else { return };
        let size: u64 = parts.iter().map(|part| part.len() as u64).sum();
        if size > self.limit {
            return;
        }
        if let Err(error) = folder.write(kind, name, parts) {
            tracing::debug!(%error, "the local cache cannot be written");
            return;
        }
        // The first write of a process looks as well: many short ones would otherwise never look.
        let before = self.written.fetch_add(size, Ordering::Relaxed);
        let share = (self.limit / SHARE).max(1);
        if before == 0 || before / share != (before + size) / share {
            sweep(folder, self.limit);
        }
    }
}
