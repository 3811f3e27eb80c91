//! Manifests and packs in a store: written whole or in parts, checked against their hash when they are read, unless each file
//! is.

use bytes::{Bytes, BytesMut};
use futures_util::future::join_all;

use super::ContentHash;
use super::cache::Check;
use super::marker::{Blob, PART};
use crate::publish::Area;
use crate::store::{Body, FileDigest, Put, Store, StoreError, StoreErrorKind, StoreResult, Stretch};

/// A blob and the key that it has in an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keyed {
    pub(super) key: String,
    pub(super) blob: Blob,
}

impl Keyed {
    fn is_whole(&self, store: &dyn Store) -> bool {
        store.limit(&self.key, self.blob.size).is_none()
    }

    /// The keys that hold it in this store, in order.
    fn keys(&self, store: &dyn Store) -> Vec<String> {
        if self.is_whole(store) {
            return vec![self.key.clone()];
        }
        (0..self.blob.parts)
            .map(|part| format!("{}/{part}", self.key))
            .collect()
    }

    /// The same blob in another area.
    pub(super) fn of(&self, other: &Area, area: &Area) -> Self {
        Self {
            key: area
                .path(&self.key)
                .map_or_else(|| self.key.clone(), |path| other.key(path)),
            blob: self.blob,
        }
    }

    /// What to write for it.
    pub(super) fn puts(&self, store: &dyn Store, value: &Bytes) -> Vec<Put> {
        let keys = self.keys(store);
        let size = if keys.len() == 1 {
            value.len()
        } else {
            usize::try_from(PART).unwrap_or(usize::MAX)
        };
        let put = |(part, key): (usize, String)| {
            let start = (part * size).min(value.len());
            let end = (start + size).min(value.len());
            Put {
                key,
                body: Body::Bytes(value.slice(start..end)),
            }
        };
        keys.into_iter().enumerate().map(put).collect()
    }

    /// Large ones are hashed in a thread, so that several are at once.
    pub(super) async fn check(&self, store: &dyn Store, value: &Bytes, check: Check) -> StoreResult<()> {
        let hash = if check == Check::Files {
            if value.len() as u64 == self.blob.size {
                return Ok(());
            }
            let message = "what is stored here is not what the marker says: its size differs";
            return Err(StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(&self.key));
        } else if value.len() < LARGE {
            ContentHash::of(value)
        } else {
            let value = value.clone();
            let hashing = tokio::task::spawn_blocking(move || ContentHash::of(&value)).await;
            let broken = |error| {
                StoreError::new(
                    store.kind(),
                    StoreErrorKind::Other,
                    format!("hashing broke off: {error}"),
                )
            };
            hashing.map_err(broken)?
        };
        if hash == self.blob.sha256 {
            return Ok(());
        }
        let message = "what is stored here is not what its name says: its hash differs";
        Err(StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(&self.key))
    }
}

/// In bytes.
const LARGE: usize = 1 << 20;
/// Values that are read back together; parts of a pack in a table have up to 390 KiB.
const READ_BACK: usize = 4;

/// Writes blobs, and sees to it that they are there.
pub(super) async fn write(store: &dyn Store, blobs: &[(Keyed, Bytes)]) -> StoreResult<()> {
    let puts: Vec<Put> = blobs
        .iter()
        .flat_map(|(keyed, value)| keyed.puts(store, value))
        .collect();
    let written: Vec<(String, FileDigest)> = puts
        .iter()
        .filter_map(|put| match &put.body {
            Body::Bytes(value) => Some((put.key.clone(), FileDigest::of(value))),
            Body::File(_) => None,
        })
        .collect();
    store.put_many(&mut puts.into_iter(), &|_, _| ()).await?;
    read_back(store, &written).await
}

/// A store that knows checksums is asked for them; from any other the values are read, a few at a time.
async fn read_back(store: &dyn Store, written: &[(String, FileDigest)]) -> StoreResult<()> {
    let different = |key: &String| {
        let message = "read back after writing, it is not what was written";
        StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(key)
    };
    if store.lists_sizes() {
        for (key, digest) in written {
            if !store.holds(key, digest).await? {
                return Err(different(key));
            }
        }
        return Ok(());
    }
    for few in written.chunks(READ_BACK) {
        let keys: Vec<String> = few.iter().map(|(key, _)| key.clone()).collect();
        for ((key, digest), value) in few.iter().zip(store.get_many(&keys).await?) {
            if !value.is_some_and(|value| digest.matches(&value)) {
                return Err(different(key));
            }
        }
    }
    Ok(())
}

/// What a store has of a blob.
#[derive(Debug)]
pub(super) enum Found {
    /// Checked as far as was said.
    There(Bytes),
    /// It, or a part of it, is not there.
    Absent,
    Damaged(StoreError),
}

/// Looks for blobs in one batch, and checks each as far as is said.
pub(super) async fn look(store: &dyn Store, blobs: &[(Keyed, Check)]) -> StoreResult<Vec<Found>> {
    let keys: Vec<Vec<String>> = blobs.iter().map(|(keyed, _)| keyed.keys(store)).collect();
    let mut values = store.get_many(&keys.concat()).await?.into_iter();
    let joined = keys.iter().map(|keys| join(values.by_ref().take(keys.len()).collect()));
    let checking = blobs.iter().zip(joined).map(|((keyed, check), value)| async move {
        match value {
            Some(value) => match keyed.check(store, &value, *check).await {
                Ok(()) => Found::There(value),
                Err(damage) => Found::Damaged(damage),
            },
            None => Found::Absent,
        }
    });
    Ok(join_all(checking).await)
}

/// Some bytes of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) keyed: Keyed,
    /// From the start of the blob, in bytes.
    pub(super) start: u64,
    /// In bytes, at least 1.
    pub(super) length: u64,
}

impl Piece {
    /// Where it lies in this store, in order.
    fn stretches(&self, store: &dyn Store) -> Vec<Stretch> {
        let keys = self.keyed.keys(store);
        let end = self.start.saturating_add(self.length);
        if keys.len() == 1 {
            let (start, length) = (self.start, self.length);
            return keys.into_iter().map(|key| Stretch { key, start, length }).collect();
        }
        let part = |(part, key): (u64, String)| {
            let (first, last) = (self.start.max(part * PART), end.min((part + 1) * PART));
            (first < last).then(|| Stretch {
                key,
                start: first - part * PART,
                length: last - first,
            })
        };
        (0..).zip(keys).filter_map(part).collect()
    }
}

/// Reads pieces in one batch; `None` where one is not there. A piece has no hash that could be checked here.
pub(super) async fn read_pieces(store: &dyn Store, pieces: &[Piece]) -> StoreResult<Vec<Option<Bytes>>> {
    let stretches: Vec<Vec<Stretch>> = pieces.iter().map(|piece| piece.stretches(store)).collect();
    let mut values = store.get_ranges(&stretches.concat()).await?.into_iter();
    let joined = stretches
        .iter()
        .map(|of_piece| join(values.by_ref().take(of_piece.len()).collect()));
    Ok(joined.collect())
}

/// Reads blobs in one batch; `None` where one, or a part of it, is not there.
pub(super) async fn read(store: &dyn Store, blobs: &[Keyed]) -> StoreResult<Vec<Option<Bytes>>> {
    let blobs: Vec<(Keyed, Check)> = blobs.iter().map(|keyed| (keyed.clone(), Check::Whole)).collect();
    let found = look(store, &blobs).await?.into_iter().map(|found| match found {
        Found::There(value) => Ok(Some(value)),
        Found::Absent => Ok(None),
        Found::Damaged(damage) => Err(damage),
    });
    found.collect()
}

/// Copies a blob inside a store; false where it is not there, or does not arrive as it should be.
pub(super) async fn copy(store: &dyn Store, from: &Keyed, to: &Keyed) -> StoreResult<bool> {
    let pairs: Vec<(String, String)> = from.keys(store).into_iter().zip(to.keys(store)).collect();
    let found = store.copy_many(&pairs).await?;
    Ok(found.into_iter().all(|found| found) && is_there(store, to).await?)
}

/// Whether a store has a blob as it should be.
pub(super) async fn is_there(store: &dyn Store, keyed: &Keyed) -> StoreResult<bool> {
    if keyed.is_whole(store) {
        // Some stores can tell without sending it.
        let digest = FileDigest {
            size: keyed.blob.size,
            sha256: keyed.blob.sha256.0,
            md5: None,
        };
        return store.holds(&keyed.key, &digest).await;
    }
    match read(store, std::slice::from_ref(keyed)).await {
        Ok(found) => Ok(matches!(found.as_slice(), [Some(_)])),
        Err(error) if error.kind == StoreErrorKind::Corrupt => Ok(false),
        Err(error) => Err(error),
    }
}

fn join(mut parts: Vec<Option<Bytes>>) -> Option<Bytes> {
    if parts.len() == 1 {
        return parts.pop().flatten();
    }
    let parts: Vec<Bytes> = parts.into_iter().collect::<Option<_>>()?;
    let mut value = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
    for part in &parts {
        value.extend_from_slice(part);
    }
    Some(value.freeze())
}
