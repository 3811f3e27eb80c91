//! The index of a store: which areas it has, told by one small value.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Area;
use crate::store::{Store, StoreError, StoreErrorKind, StoreResult, Swap, Version};
use crate::time::Timestamp;

/// In every store, beside all areas.
pub(crate) const KEY: &str = ".rstack/areas";
pub(super) const FORMAT: u32 = 1;
/// How often a change of the index is tried again while others change it.
const ATTEMPTS: u32 = 10;

/// What one area holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaRecord {
    /// The stack it belongs to.
    pub stack: String,
    /// When it was published, by the publisher's clock.
    pub time: Timestamp,
    /// How many files it has.
    pub files: u64,
    /// Of all files together.
    pub bytes: u64,
    /// Names the set of files with their contents.
    pub digest: String,
    /// Everything is there; otherwise a publishing is going on or was cut short.
    pub complete: bool,
}

/// Areas by name.
pub(crate) type Areas = BTreeMap<String, AreaRecord>;

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u32,
    areas: Areas,
}

pub(crate) async fn load(store: &dyn Store) -> StoreResult<Areas> {
    load_versioned(store).await.map(|(areas, _)| areas)
}

async fn load_versioned(store: &dyn Store) -> StoreResult<(Areas, Option<Version>)> {
    let Some((value, version)) = store.get_versioned(KEY).await? else {
        return Ok((Areas::new(), None));
    };
    let stored: Stored = parse(store, KEY, &value)?;
    known_format(store, KEY, stored.v)?;
    Ok((stored.areas, Some(version)))
}

/// Changes the index, again as long as others change it at the same time.
pub(super) async fn update(store: &dyn Store, change: impl Fn(&mut Areas)) -> StoreResult<()> {
    for _ in 0..ATTEMPTS {
        let (mut areas, version) = load_versioned(store).await?;
        let before = areas.clone();
        change(&mut areas);
        if areas == before {
            return Ok(());
        }
        let empty = areas.is_empty();
        let new = to_bytes(&Stored { v: FORMAT, areas });
        if let Swap::Done(_) = store.compare_and_set(KEY, version.as_ref(), new).await? {
            if empty {
                store.delete_many(&[KEY.to_owned()]).await?;
            }
            return Ok(());
        }
    }
    let message = "others change the index of areas all the time";
    Err(StoreError::new(store.kind(), StoreErrorKind::Other, message).at(KEY))
}

/// Notes what an area holds.
pub(crate) async fn record(store: &dyn Store, area: &Area, record: &AreaRecord) -> StoreResult<()> {
    update(store, |areas| {
        areas.insert(area.as_str().to_owned(), record.clone());
    })
    .await
}

pub(super) fn parse<T: DeserializeOwned>(store: &dyn Store, key: &str, value: &[u8]) -> StoreResult<T> {
    serde_json::from_slice(value).map_err(|error| unreadable(store, key, &error))
}

pub(super) fn unwritable(store: &dyn Store, key: &str, error: &dyn fmt::Display) -> StoreError {
    let message = format!("this record of rstack's cannot be put together: {error}");
    StoreError::new(store.kind(), StoreErrorKind::Other, message).at(key)
}

pub(super) fn unreadable(store: &dyn Store, key: &str, error: &dyn fmt::Display) -> StoreError {
    let message = format!("this record of rstack's cannot be read: {error}");
    StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(key)
}

pub(super) fn known_format(store: &dyn Store, key: &str, format: u32) -> StoreResult<()> {
    if format == FORMAT {
        return Ok(());
    }
    let message = format!("this record has format {format}, which only a newer rstack knows");
    Err(StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(key))
}

pub(super) fn to_bytes(value: &impl Serialize) -> Bytes {
    // Text keys, numbers and text: nothing that JSON cannot hold.
    serde_json::to_vec(value).unwrap_or_default().into()
}
