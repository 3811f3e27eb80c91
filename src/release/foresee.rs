//! Reading what this machine has, in the time that the marker takes to come.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join;

use super::blob::Keyed;
use super::cache::Check;
use super::marker::{Blob, Marker};
use super::place::Place;
use super::read::{AT_ONCE, wanted};
use super::unpack::{Job, unpack};
use super::{ContentHash, FileEntry, Load, Manifest};

/// The release that an area was at when this machine last looked.
pub(super) struct Foreseen {
    pub(super) manifest: Manifest,
    /// All of it where everything is wanted, by hash.
    pub(super) contents: HashMap<ContentHash, Bytes>,
}

/// Takes what is wanted from this machine while the marker is on its way: it is most likely where it was. `None` when
/// something is not here, which is fetched when it is known to be wanted.
pub(super) async fn foresee(place: &Place, last: &Marker, load: Load) -> Option<Foreseen> {
    let wanted = wanted(place, last, load);
    let packs = if load == Load::Everything {
        Check::Whole
    } else {
        Check::Files
    };
    let blobs: Vec<(Blob, Check)> = wanted[1..].iter().map(|keyed| (keyed.blob, packs)).collect();
    let (manifest, loaded) = join(parsed(place, &wanted[0]), place.local.load(&blobs)).await;
    let manifest = manifest?;
    let mut contents = HashMap::new();
    if load == Load::Everything && manifest.bytes() <= AT_ONCE {
        let packs = blobs.iter().map(|(blob, _)| blob.sha256).zip(loaded);
        let packs: HashMap<ContentHash, Bytes> = packs.filter_map(|(hash, pack)| Some((hash, pack?))).collect();
        let files: Vec<FileEntry> = manifest.files.values().copied().collect();
        let job = |(at, entry): (usize, &FileEntry)| {
            let (entry, pack) = (*entry, packs.get(&entry.pack)?.clone());
            Some(Job { at, entry, pack })
        };
        let proven = place.is_proven(last);
        let each = if proven { Check::Whole } else { Check::Files };
        let unpacked = unpack(files.iter().enumerate().filter_map(job).collect(), each)
            .await
            .ok()?;
        // Of each file by itself: two of the same content may lie in different places.
        let sound = unpacked.len() == files.len() && unpacked.iter().all(|(_, content)| content.is_ok());
        // What is damaged is found again by whoever reads it.
        let unpacked = unpacked.into_iter();
        contents.extend(unpacked.filter_map(|(at, content)| Some((files[at].sha256, content.ok()?))));
        if !proven && sound {
            place.prove(last);
        }
    }
    Some(Foreseen { manifest, contents })
}

/// In a thread, since it takes a while when there are many files.
async fn parsed(place: &Place, keyed: &Keyed) -> Option<Manifest> {
    let (local, store, keyed) = (Arc::clone(&place.local), Arc::clone(&place.marker), keyed.clone());
    let parsing = tokio::task::spawn_blocking(move || {
        let bytes = local.load_here(&keyed.blob, Check::Whole)?;
        Manifest::parse(&*store, &keyed.key, &bytes).ok()
    });
    parsing.await.ok()?
}
