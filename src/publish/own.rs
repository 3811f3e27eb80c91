//! What belongs to one stack.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;

use super::area::RECORDS;
use super::index::Index;
use super::ledger::Ledger;
use super::{Area, AreaRecord, Tree};
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
    let index = Index::load(store).await?;
    let own = index.areas().iter().filter(|(_, record)| record.stack == stack_id);
    Ok(own.map(|(name, record)| (name.clone(), record.clone())).collect())
}

/// The id of the stack that an area of a store belongs to.
///
/// # Errors
/// When the store cannot be read.
pub async fn holder(store: &dyn Store, area: &Area) -> Result<Option<String>> {
    let index = Index::load(store).await?;
    Ok(index.areas().get(area.as_str()).map(|record| record.stack.clone()))
}

/// Whether plain files of this stack were ever written to the area, be it none at all.
///
/// # Errors
/// When the store cannot be read.
pub async fn follows_plain_files(store: &dyn Store, area: &Area, stack_id: &str) -> Result<bool> {
    let ledger = Ledger::load(store, area).await?;
    Ok(ledger.is_some_and(|ledger| ledger.stack == stack_id))
}

/// Whether the area has plain files of this stack in a store that are not those of the tree, where one is given.
///
/// # Errors
/// When the store cannot be read.
pub async fn has_other_plain_files(
    store: &dyn Store,
    area: &Area,
    stack_id: &str,
    tree: Option<&Tree>,
) -> Result<bool> {
    let Some(ledger) = Ledger::load(store, area).await? else {
        return Ok(false);
    };
    if ledger.stack != stack_id || ledger.files.is_empty() {
        return Ok(false);
    }
    Ok(!tree.is_some_and(|tree| ledger.complete && ledger.names_just(store, area, tree)))
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
        let ledger = Ledger::load(store, &area).await?;
        // Without a ledger to go by, all of the area: the index says whose it is.
        let damaged = ledger.as_ref().is_some_and(|ledger| ledger.damage.is_some());
        if let Some(ledger) = ledger.filter(|ledger| ledger.stack == stack_id) {
            for files in ledger.files.chunks(BATCH) {
                let keys: Vec<String> = files.iter().map(|file| area.key(&file.path)).collect();
                store.delete_many(&keys).await?;
                removed += keys.len() as u64;
            }
        }
        let rest = if damaged { String::new() } else { format!("{RECORDS}/") };
        removed += remove_under(store, &area.key(&rest), |_| true).await?;
        let mut index = Index::load(store).await?;
        index
            .update(store, |areas| {
                if areas.get(&name).is_some_and(|record| record.stack == stack_id) {
                    areas.remove(&name);
                }
            })
            .await?;
    }
    Ok(removed)
}

/// Removes the areas of a store that are `chosen` among those whose names begin with `prefix`, whatever they hold, and
/// returns how many keys that were. No such name has a slash in it. Call it again after an error.
///
/// # Errors
/// When the store cannot be read or written.
pub(crate) async fn remove_areas(store: &dyn Store, prefix: &str, chosen: impl Fn(&str) -> bool) -> Result<u64> {
    let of_chosen = |key: &str| key.split_once('/').is_some_and(|(area, _)| chosen(area));
    let removed = remove_under(store, prefix, of_chosen).await?;
    let mut index = Index::load(store).await?;
    index
        .update(store, |areas| {
            areas.retain(|name, _| !(name.starts_with(prefix) && chosen(name)));
        })
        .await?;
    Ok(removed)
}

/// Removes every key that begins with `prefix` and is `chosen`: the records of an area are the ledger, and what belongs
/// to releases.
async fn remove_under(store: &dyn Store, prefix: &str, chosen: impl Fn(&str) -> bool) -> Result<u64> {
    let mut removed = 0;
    let mut pages = store.list(prefix);
    while let Some(page) = pages.try_next().await? {
        let keys = page.into_iter().map(|listed| listed.key);
        let keys: Vec<String> = keys.filter(|key| chosen(key)).collect();
        store.delete_many(&keys).await?;
        removed += keys.len() as u64;
    }
    Ok(removed)
}
