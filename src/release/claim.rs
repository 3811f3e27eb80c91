//! An area of one's own: what would lie inside another area, or around it, is refused before anything is written.

use std::time::Duration;

use futures_util::future::join_all;

use super::marker::Marker;
use super::mover::Mover;
use crate::error::Result;
use crate::publish::{AreaRecord, Index, refuse_overlap};

/// How long another store's index is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The deciding store's index, after a look at all of them where the area would be a new one: another may lie in one store
/// alone. One that cannot be read now is left to what comes later.
pub(super) async fn look(mover: &Mover<'_>) -> Result<Index> {
    let Mover {
        area, stack_id, stores, ..
    } = *mover;
    let index = Index::load(stores.deciding).await?;
    refuse_overlap(area, stack_id, index.areas())?;
    if !index.knows(area, stack_id) {
        let others = stores.following();
        let others = others.map(|(store, _)| tokio::time::timeout(PATIENCE, Index::load(store)));
        for other in join_all(others).await.into_iter().flatten().flatten() {
            refuse_overlap(area, stack_id, other.areas())?;
        }
    }
    Ok(index)
}

/// Notes the area of a first move before it is made.
pub(super) async fn claim(mover: &Mover<'_>, first: &Marker) -> Result<()> {
    let record = AreaRecord {
        stack: first.stack.clone(),
        time: first.time,
        files: 0,
        bytes: 0,
        digest: first.release.to_string(),
        complete: false,
    };
    Index::claim(mover.stores.deciding, mover.area, &record).await
}
