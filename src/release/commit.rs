//! The one write that decides.

use std::time::Duration;

use bytes::Bytes;

use super::keys;
use super::marker::{Head, Marker};
use crate::publish::Area;
use crate::store::{Body, Put, Store, StoreErrorKind, StoreResult, Swap};

/// How often a write without an answer is tried again.
const ATTEMPTS: u32 = 4;

/// How moving the deciding marker ended.
#[derive(Debug)]
pub(super) enum Commit {
    Won,
    /// Another's move came first.
    Lost(Box<Marker>),
}

/// Moves the deciding marker from `head` to `marker`.
pub(super) async fn commit(
    store: &dyn Store,
    area: &Area,
    head: &Head,
    marker: &Marker,
    bytes: &Bytes,
) -> StoreResult<Commit> {
    // Whoever moves a marker first keeps the move that it is at: so the history has no hole, and a publisher whose
    // answer was lost finds its move even if others have moved on since.
    if let Some(current) = head.current.as_ref().filter(|_| !head.kept) {
        keep_step(store, area, current.marker.sequence, &current.bytes).await?;
    }
    let key = keys::marker(area);
    let mut attempt = 1;
    loop {
        let swapped = store.compare_and_set(&key, head.version.as_ref(), bytes.clone()).await;
        let failed = match swapped {
            Ok(Swap::Done(_)) => return Ok(Commit::Won),
            Ok(Swap::Conflict) => None,
            Err(error) if may_have_arrived(error.kind) => Some(error),
            Err(error) => return Err(error),
        };
        match (look(store, area, head, marker).await, failed) {
            (Ok(Some(commit)), _) => return Ok(commit),
            (Ok(None) | Err(_), Some(error)) if attempt == ATTEMPTS => return Err(error),
            (Err(error), None) if attempt == ATTEMPTS => return Err(error),
            // Nothing moved, and yet the write was refused: the marker was removed in between, or is read late.
            (Ok(None), None) if attempt == ATTEMPTS => {
                let message = "the marker neither moves nor shows who moved it";
                return Err(crate::store::StoreError::new(store.kind(), StoreErrorKind::Other, message).at(key));
            }
            _ => tokio::time::sleep(Duration::from_millis(50) * attempt).await,
        }
        attempt += 1;
    }
}

/// Who moved the marker, if it has moved.
async fn look(store: &dyn Store, area: &Area, head: &Head, ours: &Marker) -> StoreResult<Option<Commit>> {
    let now = Head::read(store, area, None).await?;
    let Some(found) = now.current.filter(|_| now.sequence > head.sequence) else {
        return Ok(None);
    };
    if found.marker.move_id == ours.move_id {
        return Ok(Some(Commit::Won));
    }
    let key = keys::step(area, ours.sequence);
    let kept = store.get_many(std::slice::from_ref(&key)).await?.pop().flatten();
    let won = match kept {
        Some(kept) => Marker::parse(store, &key, &kept)?.move_id == ours.move_id,
        None => false,
    };
    Ok(Some(if won {
        Commit::Won
    } else {
        Commit::Lost(Box::new(found.marker))
    }))
}

/// Keeps a move; the same bytes however often.
pub(super) async fn keep_step(store: &dyn Store, area: &Area, sequence: u64, bytes: &Bytes) -> StoreResult<()> {
    let put = Put {
        key: keys::step(area, sequence),
        body: Body::Bytes(bytes.clone()),
    };
    store.put_many(&mut std::iter::once(put), &|_, _| ()).await
}

fn may_have_arrived(kind: StoreErrorKind) -> bool {
    matches!(
        kind,
        StoreErrorKind::Throttled | StoreErrorKind::Unreachable | StoreErrorKind::Timeout | StoreErrorKind::Other
    )
}
