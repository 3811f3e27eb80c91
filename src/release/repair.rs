//! What readers put back into a cache: noted there, so that `rstack status` can tell.

use serde::{Deserialize, Serialize};

use super::marker::{FORMAT, Marker};
use super::place::Mended;
use super::{ReleaseId, keys};
use crate::publish::Area;
use crate::store::{Body, Put, Store, StoreError, StoreErrorKind, StoreResult};
use crate::time::Timestamp;

/// The last time that a reader found a cache without what a release needs, and filled it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    v: u32,
    /// The stack that the area belongs to.
    pub stack: String,
    pub release: ReleaseId,
    pub time: Timestamp,
    /// Manifests and packs that were not there.
    pub lacking: u64,
    /// Those that were not what their hash says.
    pub damaged: u64,
    /// Of all that was written, in bytes.
    pub bytes: u64,
}

impl Repair {
    pub(super) fn new(marker: &Marker, mended: Mended) -> Self {
        Self {
            v: FORMAT,
            stack: marker.stack.clone(),
            release: marker.release.clone(),
            time: Timestamp::now(),
            lacking: mended.lacking,
            damaged: mended.damaged,
            bytes: mended.bytes,
        }
    }

    pub(super) async fn write(&self, store: &dyn Store, area: &Area) -> StoreResult<()> {
        let put = Put {
            key: keys::repair(area),
            // Numbers and text: nothing that JSON cannot hold.
            body: Body::Bytes(serde_json::to_vec(self).unwrap_or_default().into()),
        };
        store.put_many(&mut std::iter::once(put), &|_, _| ()).await
    }

    pub(super) fn parse(note: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(note)
    }
}

/// The last repair of each of these areas, in their order.
///
/// # Errors
/// When the store cannot be read, or a note is damaged.
pub async fn last_repairs(store: &dyn Store, areas: &[Area]) -> StoreResult<Vec<Option<Repair>>> {
    let wanted: Vec<String> = areas.iter().map(keys::repair).collect();
    let notes = store.get_many(&wanted).await?;
    let parse = |(key, note): (&String, Option<bytes::Bytes>)| {
        let Some(note) = note else { return Ok(None) };
        Repair::parse(&note).map(Some).map_err(|error| {
            let message = format!("this note of a repair cannot be read: {error}");
            StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(key)
        })
    };
    wanted.iter().zip(notes).map(parse).collect()
}
