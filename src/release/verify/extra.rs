//! Keys of rstack's that nothing names.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;

use crate::publish::{Area, RECORDS};
use crate::store::{Store, StoreErrorKind, StoreResult};

/// The keys of rstack's own records in an area, with their sizes where a listing tells them; `None` when this identity
/// may not list.
pub(in crate::release) async fn list(
    store: &dyn Store,
    area: &Area,
) -> StoreResult<Option<BTreeMap<String, Option<u64>>>> {
    let mut keys = BTreeMap::new();
    let mut pages = store.list(&area.key(&format!("{RECORDS}/")));
    loop {
        match pages.try_next().await {
            Ok(Some(page)) => keys.extend(page.into_iter().map(|listed| (listed.key, listed.size))),
            Ok(None) => return Ok(Some(keys)),
            Err(error) if error.kind == StoreErrorKind::Denied => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

/// The value that a key is, or is a part of.
pub(in crate::release) fn base<'k>(area: &Area, key: &'k str) -> &'k str {
    let name = area.path(key).and_then(|path| path.strip_prefix(RECORDS));
    let split = name.is_some_and(|name| name.starts_with("/pack/") || name.starts_with("/release/"));
    match key.rsplit_once('/') {
        Some((base, part))
            if split && !part.is_empty() && part.len() < 16 && part.bytes().all(|b| b.is_ascii_digit()) =>
        {
            base
        }
        _ => key,
    }
}

/// Those of the listed keys that are none of the `known`, each value once.
pub(super) fn extra(area: &Area, listed: &BTreeMap<String, Option<u64>>, known: &BTreeSet<String>) -> Vec<String> {
    let unknown = listed
        .keys()
        .map(|key| base(area, key))
        .filter(|key| !known.contains(*key));
    let unique: BTreeSet<&str> = unknown.collect();
    unique.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_belong_to_their_value() {
        let area = Area::default();
        let pack = format!("main/.rstack/pack/{}", "0".repeat(64));
        assert_eq!(base(&area, &format!("{pack}/12")), pack);
        assert_eq!(base(&area, &pack), pack);
        assert_eq!(
            base(&area, "main/.rstack/release/0123456789012345"),
            "main/.rstack/release/0123456789012345"
        );
        assert_eq!(
            base(&area, "main/.rstack/release/0123456789012345/0"),
            "main/.rstack/release/0123456789012345"
        );
        assert_eq!(base(&area, "main/.rstack/move/7"), "main/.rstack/move/7");
    }
}
