//! Bringing the other stores to where the deciding one stands. Copies of the marker only ever move forward.

use bytes::Bytes;

use super::blob::{self, Keyed};
use super::commit::keep_step;
use super::confirm::Confirmed;
use super::keys;
use super::manifest::Extent;
use super::marker::{Blob, Head, Held, Marker};
use super::mover::AtHand;
use super::report::{CopyReport, CopyState};
use crate::publish::{Area, AreaRecord, Index};
use crate::store::{Body, Put, Store, StoreError, StoreErrorKind, StoreResult, Swap};

/// How often a copy is moved again while others move it.
const ATTEMPTS: u32 = 20;
/// Bytes of blobs that are written together.
const TOGETHER: u64 = 1 << 20;
/// Moves that are copied together.
const BATCH: usize = 100;

/// The release that every store should stand at.
pub(super) struct Copying<'a> {
    pub(super) area: &'a Area,
    pub(super) deciding: &'a dyn Store,
    pub(super) held: &'a Held,
    pub(super) extent: Extent,
    pub(super) at_hand: &'a AtHand,
    /// Look whether a store that says that it is up to date really has everything.
    pub(super) check: bool,
}

/// What a store that does not decide is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Durable,
    Cache,
}

/// The blobs of a release, with their keys.
pub(super) fn blobs(area: &Area, marker: &Marker) -> Vec<Keyed> {
    let manifest = Keyed {
        key: keys::release(area, &marker.release),
        blob: marker.manifest,
    };
    let pack = |blob: &Blob| Keyed {
        key: keys::pack(area, blob.sha256),
        blob: *blob,
    };
    marker.packs.iter().map(pack).chain([manifest]).collect()
}

impl Copying<'_> {
    fn marker(&self) -> &Marker {
        &self.held.marker
    }

    /// What an index says of the area.
    pub(super) fn record(&self, complete: bool) -> AreaRecord {
        AreaRecord {
            stack: self.marker().stack.clone(),
            time: self.marker().time,
            files: self.extent.files,
            bytes: self.extent.bytes,
            digest: self.marker().release.to_string(),
            complete,
        }
    }

    /// Brings one store up to date; what stands in the way is told, not raised. `known` is what its copy of the marker was a
    /// moment ago: if that is no longer so, moving it on finds out.
    pub(super) async fn bring(&self, store: &dyn Store, role: Role, known: Option<&Head>) -> CopyReport {
        let brought = async {
            let state = self.try_bring(store, role, known).await?;
            if state == CopyState::Current {
                Confirmed::write(store, self.area, self.marker()).await?;
            }
            Ok(state)
        };
        match brought.await {
            Ok(state) => CopyReport::new(store.kind(), state),
            Err(error) => CopyReport::lags(store.kind(), &error),
        }
    }

    async fn try_bring(&self, store: &dyn Store, role: Role, known: Option<&Head>) -> StoreResult<CopyState> {
        let copy = match known {
            Some(known) => known.clone(),
            None => read_copy(store, self.area, &self.marker().stack).await?,
        };
        let behind = copy
            .current
            .as_ref()
            .is_none_or(|current| current.marker.sequence < self.marker().sequence);
        if !behind && !self.check {
            return Ok(CopyState::Current);
        }
        if role == Role::Cache && !self.fits(store).await? {
            return Ok(CopyState::Skipped);
        }
        let missing = self.missing(store, role, &copy).await?;
        if !behind && missing.is_empty() {
            return Ok(CopyState::Current);
        }
        let mut index = Index::load(store).await?;
        if !index.areas().contains_key(self.area.as_str()) {
            // The index first: whoever looks for this stack's keys must find the area, however far we come.
            index.record(store, self.area, &self.record(false)).await?;
        }
        self.copy(store, &missing).await?;
        if behind {
            let known = copy.current.as_ref().map_or(0, |current| current.marker.sequence);
            self.copy_steps(store, known).await?;
            self.forward(store, copy).await?;
            index.record(store, self.area, &self.record(true)).await?;
        }
        Ok(CopyState::Current)
    }

    /// Whether a store that drops values has room for this release beside others.
    async fn fits(&self, store: &dyn Store) -> StoreResult<bool> {
        let size: u64 = self.marker().packs.iter().map(|pack| pack.size).sum();
        let capacity = store.capacity().await?;
        Ok(capacity.is_none_or(|capacity| size <= capacity / 2))
    }

    async fn missing(&self, store: &dyn Store, role: Role, copy: &Head) -> StoreResult<Vec<Keyed>> {
        let mut missing = blobs(self.area, self.marker());
        if role == Role::Durable {
            missing.retain(|keyed| !self.at_hand.sent.contains(&keyed.blob.sha256));
        }
        if self.check {
            let mut absent = Vec::new();
            for keyed in missing {
                if !blob::is_there(store, &keyed).await? {
                    absent.push(keyed);
                }
            }
            return Ok(absent);
        }
        if let Some(current) = &copy.current {
            let known = blobs(self.area, &current.marker);
            missing.retain(|keyed| !known.contains(keyed));
        }
        Ok(missing)
    }

    /// Small blobs go together.
    async fn copy(&self, store: &dyn Store, missing: &[Keyed]) -> StoreResult<()> {
        let (mut together, mut bytes) = (Vec::new(), 0);
        for keyed in missing {
            if let Some(source) = &self.at_hand.source
                && blob::copy(store, &keyed.of(source, self.area), keyed).await?
            {
                continue;
            }
            if bytes + keyed.blob.size > TOGETHER {
                blob::write(store, &std::mem::take(&mut together)).await?;
                bytes = 0;
            }
            let value = match self.at_hand.kept.get(&keyed.blob.sha256) {
                Some(value) => value.clone(),
                None => fetch(self.deciding, keyed).await?,
            };
            bytes += keyed.blob.size;
            together.push((keyed.clone(), value));
        }
        blob::write(store, &together).await
    }

    /// Copies the moves that this store does not have.
    async fn copy_steps(&self, store: &dyn Store, known: u64) -> StoreResult<()> {
        let newest = self.marker().sequence;
        for first in (known + 1..newest).step_by(BATCH) {
            let batch = first..newest.min(first + BATCH as u64);
            let keys: Vec<String> = batch.map(|sequence| keys::step(self.area, sequence)).collect();
            let steps = self.deciding.get_many(&keys).await?;
            let mut puts = keys.into_iter().zip(steps).filter_map(|(key, step)| {
                Some(Put {
                    key,
                    body: Body::Bytes(step?),
                })
            });
            store.put_many(&mut puts, &|_, _| ()).await?;
        }
        keep_step(store, self.area, newest, &self.held.bytes).await
    }

    /// Moves the copy of the marker, unless it is there or further already.
    async fn forward(&self, store: &dyn Store, mut copy: Head) -> StoreResult<()> {
        let key = keys::marker(self.area);
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                copy = read_copy(store, self.area, &self.marker().stack).await?;
            }
            if copy
                .current
                .as_ref()
                .is_some_and(|current| current.marker.sequence >= self.marker().sequence)
            {
                return Ok(());
            }
            let new = self.held.bytes.clone();
            if let Swap::Done(_) = store.compare_and_set(&key, copy.version.as_ref(), new).await? {
                return Ok(());
            }
        }
        let message = "others move this copy of the marker all the time";
        Err(StoreError::new(store.kind(), StoreErrorKind::Other, message).at(key))
    }
}

/// A copy of the marker; one that cannot be read, or is of another stack, is as good as absent.
pub(super) async fn read_copy(store: &dyn Store, area: &Area, stack: &str) -> StoreResult<Head> {
    match Head::read(store, area, Some(stack)).await {
        Err(error) if error.kind == StoreErrorKind::Corrupt => {
            let held = store.get_versioned(&keys::marker(area)).await?;
            Ok(Head {
                version: held.map(|(_, version)| version),
                ..Head::default()
            })
        }
        other => other,
    }
}

/// A blob that has to be there.
pub(super) async fn fetch(store: &dyn Store, keyed: &Keyed) -> StoreResult<Bytes> {
    let found = blob::read(store, std::slice::from_ref(keyed)).await?.pop().flatten();
    found.ok_or_else(|| {
        let message = "the marker names this, and it is not there";
        StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(&keyed.key)
    })
}
