//! Seeing to it that the durable stores have a release before a marker moves to it.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::blob::{self, Keyed};
use super::copies::blobs;
use super::marker::Marker;
use super::mover::{AtHand, Mover, Work, interrupted};
use crate::error::{Error, Result};
use crate::event::Task;
use crate::publish::{Area, Meter};
use crate::store::{Store, StoreError, StoreErrorKind, StoreResult};

/// Blobs on their way at once.
const AT_ONCE: usize = 3;
/// Blobs up to so many bytes stay in memory until the caches have them too.
const KEPT: u64 = 16 << 20;

/// Looks in every durable store for the release that `target` points at, under the keys of the mover's area. What a
/// store lacks it gets from itself, under the keys of `source`, else from another that has it.
pub(super) async fn gather(mover: &Mover<'_>, source: &Area, target: &Marker, work: &Work<'_>) -> Result<AtHand> {
    let wanted: Vec<(Keyed, Keyed)> = blobs(source, target)
        .into_iter()
        .zip(blobs(mover.area, target))
        .collect();
    let meter = Meter::new(work.reporter, Task::Gather, wanted.len(), None);
    let mut at_hand = AtHand {
        source: (source != mover.area).then(|| source.clone()),
        ..AtHand::default()
    };
    let mut room = KEPT;
    let gathering = wanted.iter().map(|(from, to)| async move {
        if work.interrupt.requested() {
            return Err(interrupted());
        }
        let value = Gathering { mover, from, to }.run().await?;
        Ok::<_, Error>((to.blob, value))
    });
    let mut gathering = stream::iter(gathering).buffer_unordered(AT_ONCE).boxed();
    while let Some((blob, value)) = gathering.try_next().await? {
        meter.add(1, blob.size);
        at_hand.sent.insert(blob.sha256);
        if let Some(value) = value.filter(|_| blob.size <= room) {
            room -= blob.size;
            at_hand.kept.insert(blob.sha256, value);
        }
    }
    Ok(at_hand)
}

/// One blob.
struct Gathering<'a> {
    mover: &'a Mover<'a>,
    from: &'a Keyed,
    to: &'a Keyed,
}

impl Gathering<'_> {
    /// Gives the value where it had to be read.
    async fn run(&self) -> Result<Option<Bytes>> {
        let mut value = None;
        for store in self.mover.stores.confirming() {
            if blob::is_there(store, self.to).await? || self.copied_inside(store).await? {
                continue;
            }
            if value.is_none() {
                value = Some(self.read().await?);
            }
            if let Some(value) = &value {
                blob::write(store, &[(self.to.clone(), value.clone())]).await?;
            }
        }
        Ok(value)
    }

    async fn copied_inside(&self, store: &dyn Store) -> StoreResult<bool> {
        if self.from.key == self.to.key {
            return Ok(false);
        }
        blob::copy(store, self.from, self.to).await
    }

    /// From wherever it is as it should be.
    async fn read(&self) -> StoreResult<Bytes> {
        let mut damage = None;
        for keyed in [self.from, self.to] {
            for store in self.mover.stores.confirming() {
                match blob::read(store, std::slice::from_ref(keyed)).await {
                    Ok(mut found) => {
                        if let Some(value) = found.pop().flatten() {
                            return Ok(value);
                        }
                    }
                    Err(error) if error.kind == StoreErrorKind::Corrupt => damage = Some(error),
                    Err(error) => return Err(error),
                }
            }
        }
        Err(damage.unwrap_or_else(|| {
            let message = "the release needs this, and no store has it any more";
            StoreError::new(self.mover.stores.deciding.kind(), StoreErrorKind::Corrupt, message).at(&self.from.key)
        }))
    }
}
