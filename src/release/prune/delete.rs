//! What a store has of packs and manifests, and deleting some of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::report::{PrunedStore, PrunedStoreState};
use crate::event::{Reporter, Task};
use crate::publish::{Area, Meter, RECORDS};
use crate::release::marker::PART;
use crate::release::verify::{base, list};
use crate::store::{Store, StoreResult, Trouble};

/// Keys that are deleted before it is asked again whether to go on.
const BATCH: usize = 250;

/// A pack or a manifest, by the keys that hold it in one store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) keys: Vec<String>,
    /// In bytes, where it is known.
    pub(super) size: u64,
}

/// Packs and manifests by their key.
pub(super) type Values = BTreeMap<String, Value>;

/// Every pack and manifest in a store; `None` where this identity may not list.
pub(super) async fn values(
    store: &dyn Store,
    area: &Area,
    sizes: &HashMap<String, u64>,
) -> StoreResult<Option<Values>> {
    let Some(listed) = list(store, area).await? else {
        return Ok(None);
    };
    let prefixes = ["pack/", "release/"].map(|kind| area.key(&format!("{RECORDS}/{kind}")));
    let mut values = Values::new();
    for (key, size) in listed {
        if !prefixes.iter().any(|prefix| key.starts_with(prefix)) {
            continue;
        }
        let value = values.entry(base(area, &key).to_owned()).or_default();
        value.size += size.unwrap_or_default();
        value.keys.push(key);
    }
    for (key, value) in &mut values {
        value.size = sizes.get(key).copied().unwrap_or(value.size);
    }
    Ok(Some(values))
}

/// The same values in a store that may not be listed.
pub(super) fn elsewhere(store: &dyn Store, values: &Values) -> Values {
    let of = |(key, value): (&String, &Value)| {
        let keys = if store.limit(key, value.size).is_none() {
            vec![key.clone()]
        } else {
            let parts = 0..value.size.div_ceil(PART);
            parts.map(|part| format!("{key}/{part}")).collect()
        };
        let size = value.size;
        (key.clone(), Value { keys, size })
    };
    values.iter().map(of).collect()
}

/// Those of the values that have these keys.
pub(super) fn among(values: &Values, keys: &BTreeSet<String>) -> Values {
    let wanted = values.iter().filter(|(key, _)| keys.contains(*key));
    wanted.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Deletes values as long as `go_on` says so.
pub(super) async fn delete(
    store: &dyn Store,
    values: &Values,
    reporter: &dyn Reporter,
    go_on: impl Fn() -> bool,
) -> PrunedStore {
    let mut report = PrunedStore::new(store.kind(), PrunedStoreState::Done);
    report.left = values.len() as u64;
    if values.is_empty() {
        return report;
    }
    let bytes = values.values().map(|value| value.size).sum();
    let meter = Meter::new(
        reporter,
        Task::Remove { store: store.kind() },
        values.len(),
        Some(bytes),
    );
    let mut waiting = values.values().peekable();
    while waiting.peek().is_some() {
        if !go_on() {
            report.state = PrunedStoreState::Unfinished;
            report.trouble = Trouble::of("stopped; the next run goes on");
            return report;
        }
        let (mut keys, mut count, mut size) = (Vec::new(), 0, 0);
        while let Some(value) = waiting.next_if(|value| keys.is_empty() || keys.len() + value.keys.len() <= BATCH) {
            keys.extend(value.keys.iter().cloned());
            count += 1;
            size += value.size;
        }
        if let Err(error) = store.delete_many(&keys).await {
            return report.failing(&error);
        }
        meter.add(count, size);
        report.deleted += count as u64;
        report.left -= count as u64;
        report.bytes += size;
    }
    report
}
