//! The note of what nothing names: when each was seen first, so that it can go a day later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::publish::{Area, RECORDS};
use crate::store::{Body, Put, Store, StoreResult};
use crate::time::Timestamp;

const FORMAT: u32 = 1;

/// Keys by when they were seen first, by AWS's clock.
pub(super) type Orphans = BTreeMap<String, Timestamp>;

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    v: u32,
    stack: String,
    seen: Orphans,
}

pub(in crate::release) fn key(area: &Area) -> String {
    area.key(&format!("{RECORDS}/orphans"))
}

/// What an earlier run of this stack noted; nothing when it cannot be read, which only makes them wait longer.
pub(super) async fn load(store: &dyn Store, area: &Area, stack: &str) -> StoreResult<Orphans> {
    let value = store.get_many(&[key(area)]).await?.pop().flatten();
    let stored = value.and_then(|value| {
        let json = zstd::decode_all(&value[..]).ok()?;
        serde_json::from_slice::<Stored>(&json).ok()
    });
    let own = stored.filter(|stored| stored.v == FORMAT && stored.stack == stack);
    Ok(own.map(|stored| stored.seen).unwrap_or_default())
}

pub(super) async fn save(store: &dyn Store, area: &Area, stack: &str, seen: Orphans) -> StoreResult<()> {
    if seen.is_empty() {
        return store.delete_many(&[key(area)]).await;
    }
    let stored = Stored {
        v: FORMAT,
        stack: stack.to_owned(),
        seen,
    };
    // Text, times and text keys into memory: nothing that can fail.
    let json = serde_json::to_vec(&stored).unwrap_or_default();
    let value = zstd::bulk::compress(&json, 1).unwrap_or_default();
    let put = Put {
        key: key(area),
        body: Body::Bytes(value.into()),
    };
    store.put_many(&mut std::iter::once(put), &|_, _| ()).await
}
