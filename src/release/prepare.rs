//! Making a release ready to be pointed at: packs and manifest go to the durable stores.

use std::collections::{BTreeMap, HashMap};
use std::io;

use bytes::Bytes;
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Serialize, Serializer};

use super::blob::{self, Keyed};
use super::copies::fetch;
use super::draft::{Draft, Lot, is_code};
use super::make;
use super::marker::{Blob, Head};
use super::mover::{AtHand, Mover, Work, interrupted};
use super::pack::{Compressed, Pack, Slot, slice};
use super::{ContentHash, FileEntry, Manifest, ReleaseId, keys};
use crate::error::{Error, Result};
use crate::event::Task;
use crate::publish::{Meter, Tree};
use crate::store::{StoreError, StoreErrorKind};

/// Packs on their way at once.
const PACKS_AT_ONCE: usize = 2;
/// New packs up to so many bytes stay in memory until the caches have them too.
const KEPT: usize = 16 << 20;

/// Sends what a release adds. What was sent for an attempt that was overtaken is not sent again.
pub(super) struct Preparing<'a> {
    mover: &'a Mover<'a>,
    tree: &'a Tree,
    work: &'a Work<'a>,
    pub(super) at_hand: AtHand,
    /// Packs that were sent, and their bytes.
    pub(super) packs: u64,
    pub(super) pack_bytes: u64,
}

/// A release that is ready to be pointed at.
pub(super) struct Ready {
    /// Of the manifest.
    pub(super) blob: Blob,
    pub(super) packs: Vec<Blob>,
}

impl<'a> Preparing<'a> {
    pub(super) fn new(mover: &'a Mover<'a>, tree: &'a Tree, work: &'a Work<'a>) -> Self {
        Self {
            mover,
            tree,
            work,
            at_hand: AtHand::default(),
            packs: 0,
            pack_bytes: 0,
        }
    }

    /// Sends packs and manifest to the durable stores. Whatever happens next, no reader sees them yet.
    pub(super) async fn prepare(&mut self, head: &Head, mut draft: Draft<'_>) -> Result<Ready> {
        let job = self.mover;
        let mut sizes: HashMap<ContentHash, Blob> = HashMap::new();
        if let Some(held) = &head.current {
            sizes.extend(held.marker.packs.iter().map(|pack| (pack.sha256, *pack)));
        }
        let mut lots = Vec::new();
        for Lot { fresh, moving } in std::mem::take(&mut draft.lots) {
            lots.push((fresh, self.moving(&moving, &sizes).await?));
        }
        let mut places = std::mem::take(&mut draft.known);
        for blob in self.send_packs(epoch(head), lots, &mut places).await? {
            sizes.insert(blob.sha256, blob);
        }
        let mut packs = BTreeMap::new();
        for (path, sha256, _) in draft.files() {
            let place = places
                .get(&sha256)
                .ok_or_else(|| Error::unexpected(format!("the content of `{path}` is in no pack")))?;
            let blob = sizes.get(&place.pack).ok_or_else(|| {
                Error::refused(format!(
                    "`{path}` is in a pack that the marker of area `{}` does not name",
                    job.area
                ))
                .with_hint("`rstack seed` of all its files publishes them anew")
            })?;
            let pack = packs.entry(place.pack).or_insert(Blob { code: false, ..*blob });
            pack.code |= is_code(path);
        }
        let bytes = manifest(job, head, draft, &places)
            .map_err(|error| Error::unexpected(format!("compressing the manifest failed: {error}")))?;
        drop(places);
        let blob = Blob::of(&bytes);
        let keyed = Keyed {
            key: keys::release(job.area, &ReleaseId::of(blob.sha256)),
            blob,
        };
        self.send(&keyed, &bytes).await?;
        self.at_hand.kept.insert(blob.sha256, bytes);
        self.at_hand.sent.insert(blob.sha256);
        Ok(Ready {
            blob,
            packs: packs.into_values().collect(),
        })
    }

    /// The compressed contents that leave small packs.
    async fn moving(
        &self,
        moving: &[(ContentHash, Slot)],
        sizes: &HashMap<ContentHash, Blob>,
    ) -> Result<Vec<Compressed>> {
        let deciding = self.mover.stores.deciding;
        let mut packs: HashMap<ContentHash, Bytes> = HashMap::new();
        let mut compressed = Vec::with_capacity(moving.len());
        for (sha256, place) in moving {
            if !packs.contains_key(&place.pack)
                && let Some(blob) = sizes.get(&place.pack)
            {
                let keyed = Keyed {
                    key: keys::pack(self.mover.area, place.pack),
                    blob: *blob,
                };
                packs.insert(place.pack, fetch(deciding, &keyed).await?);
            }
            let pack = packs.get(&place.pack).cloned().unwrap_or_default();
            let bytes = slice(&pack, place).map_err(|message| {
                let key = keys::pack(self.mover.area, place.pack);
                StoreError::new(deciding.kind(), StoreErrorKind::Corrupt, message).at(key)
            })?;
            compressed.push(Compressed {
                sha256: *sha256,
                bytes: bytes.to_vec(),
            });
        }
        Ok(compressed)
    }

    /// Notes in `places` where each content lies now.
    async fn send_packs(
        &mut self,
        epoch: u64,
        lots: Vec<(Vec<usize>, Vec<Compressed>)>,
        places: &mut HashMap<ContentHash, Slot>,
    ) -> Result<Vec<Blob>> {
        let (job, tree) = (self.mover, self.tree);
        let count = lots.iter().map(|(fresh, moving)| fresh.len() + moving.len()).sum();
        places.reserve(count);
        let meter = Meter::new(self.work.reporter, Task::Pack, count, None);
        let packs = stream::iter(lots).flat_map(|(fresh, moving)| make::packs(tree, fresh, moving, epoch));
        let sending = packs.map_ok(|pack| {
            let this = &*self;
            async move {
                let keyed = Keyed {
                    key: keys::pack(job.area, pack.blob.sha256),
                    blob: pack.blob,
                };
                if !this.at_hand.sent.contains(&pack.blob.sha256) {
                    this.send(&keyed, &pack.bytes).await?;
                }
                Ok(pack)
            }
        });
        let mut sending = sending.try_buffered(PACKS_AT_ONCE).boxed();
        let keep = if job.stores.caches.is_empty() { 0 } else { KEPT };
        let (mut blobs, mut kept, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(Pack {
            blob,
            bytes: value,
            contents,
        }) = sending.try_next().await?
        {
            if self.work.interrupt.requested() {
                return Err(interrupted());
            }
            meter.add(contents.len(), blob.size);
            places.extend(contents);
            blobs.push(blob);
            bytes += value.len();
            if bytes <= keep {
                kept.push((blob.sha256, value));
            }
        }
        drop(sending);
        for blob in &blobs {
            if self.at_hand.sent.insert(blob.sha256) {
                self.packs += 1;
                self.pack_bytes += blob.size;
            }
        }
        self.at_hand.kept.extend(kept);
        Ok(blobs)
    }

    async fn send(&self, keyed: &Keyed, value: &Bytes) -> Result<()> {
        let sending = self
            .mover
            .stores
            .confirming()
            .map(|store| async move { blob::write(store, &[(keyed.clone(), value.clone())]).await });
        try_join_all(sending).await?;
        Ok(())
    }
}

/// The files of a release, written as they are in a manifest without being put together first.
struct Files<'a> {
    draft: &'a Draft<'a>,
    places: &'a HashMap<ContentHash, Slot>,
}

impl Serialize for Files<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.draft.files().filter_map(|(path, sha256, size)| {
            let place = self.places.get(&sha256)?;
            let entry = FileEntry {
                length: place.length,
                offset: place.offset,
                pack: place.pack,
                sha256,
                size,
            };
            Some((path, entry))
        }))
    }
}

/// The manifest of what was drafted, whose contents are all in these places.
fn manifest(
    mover: &Mover<'_>,
    head: &Head,
    mut draft: Draft<'_>,
    places: &HashMap<ContentHash, Slot>,
) -> io::Result<Bytes> {
    let parent = head.current.as_ref().map(|held| held.marker.release.clone());
    let removed = std::mem::take(&mut draft.removed);
    let files = Files { draft: &draft, places };
    let mut manifest = Manifest::new(mover.area.as_str(), mover.author, mover.reason, parent, files);
    manifest.removed = removed;
    manifest.to_bytes()
}

/// The last deletion that the area has seen.
fn epoch(head: &Head) -> u64 {
    let pruned = head.current.as_ref().and_then(|held| held.marker.pruned.as_ref());
    pruned.map_or(0, |pruned| pruned.epoch)
}
