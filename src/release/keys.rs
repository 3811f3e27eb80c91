//! Where the records of an area lie.

use super::{ContentHash, ReleaseId};
use crate::publish::{Area, RECORDS};

pub(super) fn marker(area: &Area) -> String {
    area.key(&format!("{RECORDS}/marker"))
}

pub(super) fn step(area: &Area, sequence: u64) -> String {
    area.key(&format!("{RECORDS}/move/{sequence}"))
}

/// The number of the move that such a key is of.
pub(super) fn sequence_of(area: &Area, key: &str) -> Option<u64> {
    let sequence: u64 = key.rsplit('/').next()?.parse().ok()?;
    (key == step(area, sequence)).then_some(sequence)
}

pub(super) fn release(area: &Area, id: &ReleaseId) -> String {
    area.key(&format!("{RECORDS}/release/{id}"))
}

pub(super) fn pack(area: &Area, hash: ContentHash) -> String {
    area.key(&format!("{RECORDS}/pack/{hash}"))
}

pub(super) fn repair(area: &Area) -> String {
    area.key(&format!("{RECORDS}/repair"))
}

pub(super) fn confirmed(area: &Area) -> String {
    area.key(&format!("{RECORDS}/confirmed"))
}
