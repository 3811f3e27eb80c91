//! How a value lies in the table.
//!
//! A value that fits is one item: `path` is its key, `code` the value, as text where it is text. A larger one is an
//! item with `parts` (keys of further items, in order) and `size`. A part is written once under a name that nobody
//! else uses, before the item that names it: whatever is torn, an item's parts are those it was written with.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::store::hex::hex;
use crate::store::{StoreError, StoreErrorKind, StoreKind, StoreResult};

pub(super) const PATH: &str = "path";
pub(super) const CODE: &str = "code";
pub(super) const PARTS: &str = "parts";
const SIZE: &str = "size";

/// What DynamoDB takes as one item, attribute names included.
const LARGEST_ITEM: usize = 400 * 1024;
const LARGEST_PART: usize = 390 * 1024;
pub(super) const LONGEST_KEY: usize = 2048;
/// A key that nothing has: reading it shows whether the table answers.
pub(crate) const PROBE_KEY: &str = ".";
/// Parts live here, outside of every area; listings leave it out.
pub(crate) const PARTS_PREFIX: &str = ".rstack/parts/";

pub(super) type Item = HashMap<String, AttributeValue>;

/// A stretch of a value, and the key of the item that holds it.
pub(super) struct Part {
    name: String,
    value: Bytes,
}

impl Part {
    pub(super) fn to_item(&self) -> Item {
        let code = AttributeValue::B(Blob::new(self.value.as_ref()));
        HashMap::from([path(&self.name), (CODE.to_owned(), code)])
    }
}

/// The largest value, in bytes, that is one item under `key`.
pub(super) fn largest_value(key: &str) -> usize {
    LARGEST_ITEM.saturating_sub(PATH.len() + key.len() + CODE.len())
}

/// A value as an item, or as parts and the item that names them.
pub(super) enum Written {
    Whole(Item),
    Split { head: Item, parts: Vec<Part> },
}

pub(super) fn write(key: &str, value: &Bytes) -> Written {
    if value.len() <= largest_value(key) {
        return Written::Whole(HashMap::from([path(key), (CODE.to_owned(), code(value))]));
    }
    let owner = hex(&Sha256::digest(key)[..16]);
    let mut names = Vec::new();
    let mut parts = Vec::new();
    for start in (0..value.len()).step_by(LARGEST_PART) {
        let part = value.slice(start..value.len().min(start + LARGEST_PART));
        let name = format!("{PARTS_PREFIX}{owner}/{}-{}", hex(&Sha256::digest(&part)), nonce());
        names.push(AttributeValue::S(name.clone()));
        parts.push(Part { name, value: part });
    }
    let head = HashMap::from([
        path(key),
        (PARTS.to_owned(), AttributeValue::L(names)),
        (SIZE.to_owned(), AttributeValue::N(value.len().to_string())),
    ]);
    Written::Split { head, parts }
}

pub(super) fn path(key: &str) -> (String, AttributeValue) {
    (PATH.to_owned(), AttributeValue::S(key.to_owned()))
}

/// Text where it is text, so that other tools read it as text.
pub(super) fn code(value: &Bytes) -> AttributeValue {
    match std::str::from_utf8(value) {
        Ok(text) => AttributeValue::S(text.to_owned()),
        Err(_) => AttributeValue::B(Blob::new(value.as_ref())),
    }
}

/// The key of an item.
pub(super) fn key_of(item: &Item) -> Option<&str> {
    item.get(PATH)?.as_s().ok().map(String::as_str)
}

/// The names of its parts; none for a whole value.
pub(super) fn parts_of(item: &Item) -> Vec<String> {
    match item.get(PARTS) {
        Some(AttributeValue::L(names)) => names.iter().filter_map(|name| name.as_s().ok().cloned()).collect(),
        _ => Vec::new(),
    }
}

/// The value of an item that has one of its own.
pub(super) fn whole(item: &mut Item) -> Option<Bytes> {
    match item.remove(CODE)? {
        AttributeValue::S(text) => Some(text.into_bytes().into()),
        AttributeValue::B(blob) => Some(blob.into_inner().into()),
        _ => None,
    }
}

/// Checks a part against the hash in its name.
pub(super) fn is_intact(name: &str, part: &[u8]) -> bool {
    let hash = hex(&Sha256::digest(part));
    name.rsplit('/').next().is_some_and(|name| name.starts_with(&hash))
}

pub(super) fn corrupt(key: &str, message: &str) -> StoreError {
    StoreError::new(StoreKind::DynamoDb, StoreErrorKind::Corrupt, message).at(key)
}

/// The size that the head of a split value tells.
pub(super) fn size_of(key: &str, head: &Item) -> StoreResult<usize> {
    head.get(SIZE)
        .and_then(|size| size.as_n().ok()?.parse().ok())
        .ok_or_else(|| corrupt(key, "the item has neither `code` nor `parts` and `size`"))
}

fn nonce() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:016x}", RandomState::new().hash_one((std::process::id(), count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_plain_item_is_400_kilobytes_with_its_names() {
        let key = "main/a.py";
        let fits = Bytes::from(vec![b'a'; largest_value(key)]);
        let Written::Whole(item) = write(key, &fits) else {
            panic!("split")
        };
        let size: usize = item
            .iter()
            .map(|(name, value)| name.len() + value.as_s().expect("text").len())
            .sum();
        assert_eq!(size, 409_600);
        let over = Bytes::from(vec![b'a'; largest_value(key) + 1]);
        assert!(matches!(write(key, &over), Written::Split { parts, .. } if parts.len() == 2));
    }

    #[test]
    fn two_writes_of_the_same_value_share_no_part() {
        let value = Bytes::from(vec![0; 500_000]);
        let names = |written| match written {
            Written::Split { head, .. } => parts_of(&head),
            Written::Whole(_) => Vec::new(),
        };
        let (first, second) = (names(write("k", &value)), names(write("k", &value)));
        assert_eq!(first.len(), 2);
        assert!(first.iter().all(|name| !second.contains(name)));
        assert!(is_intact(&first[0], &value[..LARGEST_PART]));
        assert!(!is_intact(&first[0], b"something else"));
    }
}
