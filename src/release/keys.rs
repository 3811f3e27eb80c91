//! Where the records of an area lie.

use super::{ContentHash, ReleaseId};
use crate::publish::{Area, RECORDS};

pub(super) fn marker(area: &Area) -> String {
    area.key(&format!("{RECORDS}/marker"))
}

pub(super) fn step(area: &Area, sequence: u64) -> String {
    area.key(&format!("{RECORDS}/move/{sequence}"))
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
