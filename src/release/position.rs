//! How far the marker of each area has come in a store.

use super::keys;
use super::marker::Marker;
use crate::publish::Area;
use crate::store::{Store, StoreResult};

/// The move that each of these areas is at in a store, in their order; `None` where there is no marker of this stack that
/// can be read. One read.
///
/// # Errors
/// When the store cannot be read.
pub async fn positions(store: &dyn Store, areas: &[Area], stack_id: &str) -> StoreResult<Vec<Option<u64>>> {
    let wanted: Vec<String> = areas.iter().map(keys::marker).collect();
    let markers = store.get_many(&wanted).await?;
    let position = |(key, value): (&String, Option<bytes::Bytes>)| {
        let marker = Marker::parse(store, key, &value?).ok()?;
        (marker.stack == stack_id).then_some(marker.sequence)
    };
    Ok(wanted.iter().zip(markers).map(position).collect())
}
