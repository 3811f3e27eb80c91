//! When a store's copy of a marker was last known to be the current one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::keys;
use super::marker::{FORMAT, Marker};
use crate::error::{Error, Result};
use crate::publish::Area;
use crate::store::{Body, Put, Store, StoreError, StoreErrorKind, StoreKind, StoreResult};
use crate::time::Timestamp;

/// Written beside a copy by whoever compared it with the marker that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Confirmed {
    v: u32,
    pub(super) sequence: u64,
    pub(super) time: Timestamp,
}

impl Confirmed {
    /// Notes that the copy is at this move, which is the current one now.
    pub(super) async fn write(store: &dyn Store, area: &Area, marker: &Marker) -> StoreResult<()> {
        let confirmed = Self {
            v: FORMAT,
            sequence: marker.sequence,
            time: Timestamp::now(),
        };
        let put = Put {
            key: keys::confirmed(area),
            // Numbers and text: nothing that JSON cannot hold.
            body: Body::Bytes(serde_json::to_vec(&confirmed).unwrap_or_default().into()),
        };
        store.put_many(&mut std::iter::once(put), &|_, _| ()).await
    }

    pub(super) async fn read(store: &dyn Store, area: &Area) -> StoreResult<Option<Self>> {
        let key = keys::confirmed(area);
        let Some(value) = store.get_many(std::slice::from_ref(&key)).await?.pop().flatten() else {
            return Ok(None);
        };
        Self::parse(&value).map(Some).map_err(|error| {
            let message = format!("when this copy was confirmed cannot be read: {error}");
            StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(key)
        })
    }

    pub(super) fn parse(value: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(value)
    }

    /// Refuses a copy that was last known to be current longer ago than the limit. A move is current when it is made,
    /// so its own time counts too. An environment's marker in DynamoDB is no copy: it is always current.
    pub(super) fn refuse_stale(
        store: &dyn Store,
        copy: &Marker,
        confirmed: Option<Self>,
        limit: Duration,
    ) -> Result<()> {
        if store.kind() == StoreKind::DynamoDb {
            return Ok(());
        }
        let confirmed = confirmed.filter(|confirmed| confirmed.sequence >= copy.sequence);
        let known = confirmed.map_or(copy.time, |confirmed| confirmed.time.max(copy.time));
        let age = Timestamp::now().since(known);
        if age <= limit {
            return Ok(());
        }
        let (area, place) = (&copy.area, store.place());
        let limit = humantime::format_duration(limit);
        Err(Error::refused(format!(
            "the copy of area `{area}` in {place} is stale: it was last known to be the current one at {known}, more than \
             {limit} ago"
        ))
        .with_hint(
            "whoever publishes or seeds the same again compares it; or read `env:NAME/AREA`, which is always current",
        ))
    }
}
