//! What a signature vouches for besides the tree at hand: what the current release says, which anybody may have written who
//! may write to the store.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::blob::Keyed;
use super::copies::fetch;
use super::draft::is_code;
use super::marker::{Blob, Marker};
use super::mover::{Mover, Work, interrupted};
use super::{ContentHash, FileEntry, Manifest, keys, pack};
use crate::error::{Error, Result};
use crate::event::{Event, Task};
use crate::publish::{Meter, Tree};
use crate::shell::quote;
use crate::store::StoreErrorKind;
use crate::trust::{Distrust, TrustedKeys};

/// Packs on their way at once.
const AT_ONCE: usize = 2;

/// Why a move that is to be signed must not build on the current one unseen. `None` where nothing is signed, or where the
/// current one is by the same key or a trusted one.
pub(super) fn distrust(marker: &Marker, mover: &Mover<'_>, trusted: &TrustedKeys) -> Option<Distrust> {
    let own = mover.signer?.public();
    marker.check(mover.area, &trusted.with(own)).err()
}

/// To sign what stays of the current release.
pub(super) fn refuse_to_keep(mover: &Mover<'_>, distrust: &Distrust) -> Error {
    let area = quote(mover.area.as_str());
    let empty = format!("empty the area first: `rstack hotfix --area {area} --clear`");
    let hint = match distrust {
        Distrust::UnknownKey { .. } => format!("{}; or {empty}", distrust.hint()),
        _ => empty,
    };
    Error::refused(format!(
        "signing would vouch for what area {area} has already: {distrust}"
    ))
    .with_hint(hint)
}

/// To sign a release without having looked at it.
pub(super) fn refuse_to_prune(mover: &Mover<'_>, distrust: &Distrust) -> Error {
    let area = quote(mover.area.as_str());
    let hint =
        format!("publish a release that is signed, or roll back to one; `rstack releases {area}` shows whose this is");
    Error::refused(format!(
        "pruning would vouch for the release that area {area} is at: {distrust}"
    ))
    .with_hint(hint)
}

/// Contents of the tree that are not where the current release says, so that there is no pack for them. Reads them back.
pub(super) async fn find_misplaced(
    tree: &Tree,
    mover: &Mover<'_>,
    marker: &Marker,
    manifest: &Manifest,
    work: &Work<'_>,
) -> Result<HashSet<ContentHash>> {
    let files = files_of(tree, manifest);
    if !names_packs_of(marker, manifest) {
        return Ok(files.map(|file| file.sha256).collect());
    }
    let mut by_pack: HashMap<ContentHash, Vec<FileEntry>> = HashMap::new();
    for file in files {
        by_pack.entry(file.pack).or_default().push(*file);
    }
    let packs = marker.packs.iter();
    let looks: Vec<(Blob, Vec<FileEntry>)> = packs
        .filter_map(|pack| Some((*pack, by_pack.remove(&pack.sha256)?)))
        .collect();
    let bytes = looks.iter().map(|(pack, _)| pack.size).sum();
    let meter = &Meter::new(work.reporter, Task::Verify, looks.len(), Some(bytes));
    let looks = looks.into_iter().map(|(blob, files)| async move {
        if work.interrupt.requested() {
            return Err(interrupted());
        }
        let key = keys::pack(mover.area, blob.sha256);
        let wrong = match fetch(mover.stores.deciding, &Keyed { key, blob }).await {
            Ok(pack) => {
                let wrong = move || {
                    files
                        .into_iter()
                        .filter(|file| pack::check(&pack, file).is_err())
                        .collect()
                };
                let checking = tokio::task::spawn_blocking(wrong).await;
                checking.map_err(|error| Error::unexpected(format!("checking a pack broke off: {error}")))?
            }
            Err(error) if error.kind == StoreErrorKind::Corrupt => files,
            Err(error) => return Err(error.into()),
        };
        meter.add(1, blob.size);
        Ok::<Vec<FileEntry>, Error>(wrong)
    });
    let wrong: Vec<_> = stream::iter(looks).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(wrong.into_iter().flatten().map(|file| file.sha256).collect())
}

/// Contents of the tree that the current release has in packs which its marker does not name: readers do not find them there.
/// A signature does not cover which packs a marker names.
pub(super) fn find_unnamed(tree: &Tree, marker: &Marker, manifest: &Manifest) -> HashSet<ContentHash> {
    let named: HashSet<ContentHash> = marker.packs.iter().map(|pack| pack.sha256).collect();
    let unnamed = files_of(tree, manifest).filter(|file| !named.contains(&file.pack));
    unnamed.map(|file| file.sha256).collect()
}

/// Files of a release with contents that are in the tree.
fn files_of<'a>(tree: &Tree, manifest: &'a Manifest) -> impl Iterator<Item = &'a FileEntry> {
    let wanted: HashSet<[u8; 32]> = tree.files().iter().map(|file| file.digest.sha256).collect();
    manifest
        .files
        .values()
        .filter(move |file| wanted.contains(&file.sha256.0))
}

/// Whether a marker names just the packs that the files of its manifest are in.
pub(super) fn names_packs_of(marker: &Marker, manifest: &Manifest) -> bool {
    let mut used: BTreeMap<ContentHash, bool> = BTreeMap::new();
    for (path, file) in &manifest.files {
        *used.entry(file.pack).or_default() |= is_code(path);
    }
    let named: BTreeMap<ContentHash, bool> = marker.packs.iter().map(|pack| (pack.sha256, pack.code)).collect();
    named.len() == marker.packs.len() && named == used
}

/// What becomes of contents that are not where the current release says.
pub(super) fn warning(distrust: &Distrust, misplaced: usize) -> Event {
    let hint = "what that release says of them is not so; `rstack releases` shows whose it is";
    Event::Warning {
        message: format!("{misplaced} contents are published anew: {distrust}"),
        hint: Some(hint.to_owned()),
    }
}
