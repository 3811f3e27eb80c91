//! The index of a store: which areas it has, told by one small value.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Area;
use crate::error::{Error, Result};
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

/// The index as it was read last. Changing it costs a write, and a read more only when others changed it meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    areas: Areas,
    version: Option<Version>,
}

impl Index {
    pub(crate) async fn load(store: &dyn Store) -> StoreResult<Self> {
        let Some((value, version)) = store.get_versioned(KEY).await? else {
            return Ok(Self {
                areas: Areas::new(),
                version: None,
            });
        };
        let stored: Stored = parse(store, KEY, &value)?;
        known_format(store, KEY, stored.v)?;
        Ok(Self {
            areas: stored.areas,
            version: Some(version),
        })
    }

    pub(crate) fn areas(&self) -> &Areas {
        &self.areas
    }

    /// Notes what an area holds.
    pub(crate) async fn record(&mut self, store: &dyn Store, area: &Area, record: &AreaRecord) -> StoreResult<()> {
        self.update(store, |areas| {
            areas.insert(area.as_str().to_owned(), record.clone());
        })
        .await
    }

    /// Notes an area that is about to be made, unless it is known. Of two that lie one inside the other, and are made at the
    /// same time, one is refused.
    pub(crate) async fn claim(store: &dyn Store, area: &Area, record: &AreaRecord) -> Result<()> {
        let mut index = Self::load(store).await?;
        let noting = index.try_update(store, |areas| {
            refuse_overlap(area, &record.stack, areas)?;
            let known = areas
                .get(area.as_str())
                .is_some_and(|known| known.stack == record.stack);
            if !known {
                areas.insert(area.as_str().to_owned(), record.clone());
            }
            Ok(())
        });
        noting.await
    }

    /// Writes one in place of what cannot be read, unless somebody else has done so.
    pub(crate) async fn mend(store: &dyn Store, areas: Areas) -> StoreResult<()> {
        let version = match store.get_versioned(KEY).await {
            Ok(Some((value, _))) if parse::<Stored>(store, KEY, &value).is_ok() => return Ok(()),
            Ok(found) => found.map(|(_, version)| version),
            // No value at all, such as a list in Redis, which nothing can be compared with.
            Err(error) if error.kind == StoreErrorKind::Corrupt => {
                store.delete_many(&[KEY.to_owned()]).await?;
                None
            }
            Err(error) => return Err(error),
        };
        let damaged = Self {
            areas: Areas::new(),
            version,
        };
        match damaged.swap(store, areas).await? {
            Swap::Done(_) => Ok(()),
            Swap::Conflict => Err(changing(store)),
        }
    }

    /// Whether it names the area as this stack's.
    pub(crate) fn knows(&self, area: &Area, stack_id: &str) -> bool {
        self.areas
            .get(area.as_str())
            .is_some_and(|known| known.stack == stack_id)
    }

    async fn swap(&self, store: &dyn Store, areas: Areas) -> StoreResult<Swap> {
        let new = to_bytes(&Stored { v: FORMAT, areas });
        store.compare_and_set(KEY, self.version.as_ref(), new).await
    }

    /// Changes the index, again as long as others change it at the same time.
    pub(super) async fn update(&mut self, store: &dyn Store, change: impl Fn(&mut Areas)) -> StoreResult<()> {
        let change = |areas: &mut Areas| {
            change(areas);
            Ok(())
        };
        self.try_update(store, change).await
    }

    /// As [`Index::update`], unless the change is refused.
    async fn try_update<E: From<StoreError>>(
        &mut self,
        store: &dyn Store,
        change: impl Fn(&mut Areas) -> Result<(), E>,
    ) -> Result<(), E> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                *self = Self::load(store).await?;
            }
            let mut areas = self.areas.clone();
            change(&mut areas)?;
            if areas == self.areas {
                return Ok(());
            }
            if let Swap::Done(version) = self.swap(store, areas.clone()).await? {
                let empty = areas.is_empty();
                *self = Self {
                    areas,
                    version: Some(version),
                };
                if empty {
                    store.delete_many(&[KEY.to_owned()]).await?;
                    self.version = None;
                }
                return Ok(());
            }
        }
        Err(changing(store).into())
    }
}

fn changing(store: &dyn Store) -> StoreError {
    let message = "others change the index of areas all the time";
    StoreError::new(store.kind(), StoreErrorKind::Other, message).at(KEY)
}

/// Refuses an area that lies inside another one of the stack, or around it.
pub(crate) fn refuse_overlap(area: &Area, stack_id: &str, areas: &Areas) -> Result<()> {
    let own = areas.iter().filter(|(_, record)| record.stack == stack_id);
    let names = own.filter_map(|(name, _)| name.parse::<Area>().ok());
    let Some(other) = names.into_iter().find(|other| area.overlaps(other)) else {
        return Ok(());
    };
    Err(Error::refused(format!(
        "area `{area}` and area `{other}`, which exists, lie one inside the other"
    ))
    .with_hint("choose another name, so that the files of one cannot be taken for files of the other"))
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
