//! What belongs to one stack.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;

use super::area::RECORDS;
use super::index;
use super::ledger::Ledger;
use super::{Area, AreaRecord};
use crate::error::Result;
use crate::store::Store;

/// Keys removed by one request of ours; the store makes of them what it can.
const BATCH: usize = 1000;

/// The areas of a store that belong to the stack with this id, by name. One read. What another stack put there counts
/// as absent: environments on this machine share one Redis.
///
/// # Errors
/// When the store cannot be read.
pub async fn areas(store: &dyn Store, stack_id: &str) -> Result<BTreeMap<String, AreaRecord>> {
    let mut areas = index::load(store).await?;
    areas.retain(|_, record| record.stack == stack_id);
    Ok(areas)
}

/// Removes from a store that outlives the stack (the Redis of the local AWS) every key that the stack put there, and
/// returns how many keys that were. Removing from an empty or foreign store is no error. Call it again after an error.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn remove_own_keys(store: &dyn Store, stack_id: &str) -> Result<u64> {
    let mut removed = 0;
    for name in areas(store, stack_id).await?.into_keys() {
        let area: Area = name.parse()?;
        if let Some(ledger) = Ledger::load(store, &area)
            .await?
            .filter(|ledger| ledger.stack == stack_id)
        {
            for paths in ledger.paths.chunks(BATCH) {
                let keys: Vec<String> = paths.iter().map(|path| area.key(path)).collect();
                store.delete_many(&keys).await?;
                removed += keys.len() as u64;
            }
        }
        removed += remove_records(store, &area).await?;
        index::update(store, |areas| {
            if areas.get(&name).is_some_and(|record| record.stack == stack_id) {
                areas.remove(&name);
            }
        })
        .await?;
    }
    Ok(removed)
}

/// Everything that rstack keeps for itself in an area: the ledger, and what belongs to releases.
async fn remove_records(store: &dyn Store, area: &Area) -> Result<u64> {
    let mut removed = 0;
    let mut pages = store.list(&area.key(&format!("{RECORDS}/")));
    while let Some(page) = pages.try_next().await? {
        let keys: Vec<String> = page.into_iter().map(|listed| listed.key).collect();
        store.delete_many(&keys).await?;
        removed += keys.len() as u64;
    }
    Ok(removed)
}
