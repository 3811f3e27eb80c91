//! Plain files, against the release and against what the last publishing says that it wrote.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::join_all;

use super::report::Wrong;
use super::run::Look;
use super::witness::{Copy, Standing, Witness};
use crate::error::Result;
use crate::publish::{Meter, WrittenFile, list_found, written_files};
use crate::release::blob::Keyed;
use crate::release::copies::fetch;
use crate::release::marker::Marker;
use crate::release::pack::unpack;
use crate::release::{ContentHash, FileEntry, Manifest, keys};
use crate::store::{Body, Put, StoreError, StoreErrorKind, StoreResult};

/// Values that are in memory together.
const CHUNK: usize = 100;
const CHUNK_BYTES: u64 = 4 << 20;

const UNLISTED: &str = "the list of the plain files that were written cannot be read";

/// The plain files that each store says it has.
pub(super) type Ledgers = Vec<Vec<WrittenFile>>;

impl Look<'_> {
    /// Reads what each store says of its plain files; none where there are none. Where that is damaged, those of the release
    /// that are there.
    pub(super) async fn ledgers(&self, manifest: &Manifest) -> Ledgers {
        let reading = self.witnesses.iter().map(async |witness| {
            if !witness.answers() {
                return Vec::new();
            }
            match self.ledger(witness, manifest).await {
                Ok(files) => files,
                Err(error) if error.kind == StoreErrorKind::Corrupt => {
                    let key = error.key.clone().unwrap_or_default();
                    witness.differs(&key, Wrong::Damaged, false, Some(error.message));
                    Vec::new()
                }
                Err(error) => {
                    witness.fails(error);
                    Vec::new()
                }
            }
        });
        join_all(reading).await
    }

    async fn ledger(&self, witness: &Witness<'_>, manifest: &Manifest) -> StoreResult<Vec<WrittenFile>> {
        if let Some(files) = written_files(witness.store, self.area, self.stack).await? {
            return Ok(files);
        }
        let all: Vec<_> = manifest.files.iter().collect();
        let mut files = Vec::new();
        for chunk in all.chunks(CHUNK) {
            let keys: Vec<String> = chunk.iter().map(|(path, _)| self.area.key(path)).collect();
            let there = witness.store.are_there(&keys).await?;
            let written = chunk.iter().zip(there).filter(|(_, there)| *there);
            files.extend(written.map(|((path, entry), _)| WrittenFile {
                path: path.to_string(),
                sha256: entry.sha256.0,
                size: entry.size,
            }));
        }
        let mending = list_found(witness.store, self.area, self.stack, &files);
        self.put_right(witness, self.area.ledger_key(), UNLISTED, mending).await;
        Ok(files)
    }

    /// Gives caches that were emptied the plain files that durable stores have. Whether they came is seen when all are compared.
    pub(super) async fn refill(&self, ledgers: &mut Ledgers, marker: &Marker, manifest: &Manifest) -> Result<()> {
        let durable = self.witnesses.iter().zip(&*ledgers);
        let durable = durable.filter(|(witness, _)| witness.standing != Standing::Cache);
        let files = durable.flat_map(|(_, files)| files).filter_map(|file| {
            let entry = manifest.files.get(file.path.as_str())?;
            (entry.sha256.0 == file.sha256).then(|| (file.path.clone(), (file.clone(), *entry)))
        });
        let files: BTreeMap<String, (WrittenFile, FileEntry)> = files.collect();
        for (witness, listed) in self.witnesses.iter().zip(ledgers) {
            let fits = |file: &&(WrittenFile, FileEntry)| {
                let key = self.area.key(&file.0.path);
                witness.store.limit(&key, file.0.size).is_none()
            };
            let wanted: Vec<_> = files.values().filter(fits).cloned().collect();
            if wanted.is_empty() || !self.is_emptied(witness).await {
                continue;
            }
            self.go_on()?;
            *listed = wanted.iter().map(|(file, _)| file.clone()).collect();
            if let Err(error) = self.fill(witness, marker, manifest, listed, wanted).await {
                witness.fails(error);
            }
        }
        Ok(())
    }

    /// Whether a cache has nothing of the area: no marker, and no list of plain files, of whichever stack.
    async fn is_emptied(&self, witness: &Witness<'_>) -> bool {
        let markerless = matches!(witness.copy, Copy::Absent) && witness.version.is_none();
        if witness.standing != Standing::Cache || !markerless || witness.exempt || !witness.answers() {
            return false;
        }
        match witness.store.are_there(&[self.area.ledger_key()]).await {
            Ok(there) => there == [false],
            Err(error) => {
                witness.fails(error);
                false
            }
        }
    }

    async fn fill(
        &self,
        witness: &Witness<'_>,
        marker: &Marker,
        manifest: &Manifest,
        listed: &[WrittenFile],
        files: Vec<(WrittenFile, FileEntry)>,
    ) -> StoreResult<()> {
        self.enlist(witness.store, marker, manifest).await?;
        list_found(witness.store, self.area, self.stack, listed).await?;
        for (hash, files) in by_pack(files, |(_, entry)| entry.pack) {
            let Some(pack) = self.pack(marker, hash).await else {
                continue;
            };
            let mut puts = files.iter().filter_map(|(file, entry)| {
                Some(Put {
                    key: self.area.key(&file.path),
                    body: Body::Bytes(unpack(&pack, entry).ok()?),
                })
            });
            witness.store.put_many(&mut puts, &|_, _| ()).await?;
        }
        Ok(())
    }

    /// Compares the plain files of every store.
    pub(super) async fn plain(
        &self,
        ledgers: &Ledgers,
        marker: &Marker,
        manifest: &Manifest,
        meter: &Meter<'_>,
    ) -> Result<()> {
        let comparing = self.witnesses.iter().zip(ledgers).map(|(witness, files)| async move {
            let mut mend = Vec::new();
            for chunk in chunks(files) {
                self.go_on()?;
                for (file, what) in compare(self, witness, chunk, manifest).await {
                    let entry = manifest.files.get(file.path.as_str());
                    match entry.filter(|entry| entry.sha256.0 == file.sha256 && what != Wrong::Outdated) {
                        Some(entry) if self.repair => mend.push((file.path.clone(), *entry, what)),
                        _ => witness.differs(&self.area.key(&file.path), what, false, None),
                    }
                }
                meter.add(chunk.len(), chunk.iter().map(|file| file.size).sum());
            }
            self.rewrite(witness, marker, mend).await;
            self.lacking(witness, files, manifest);
            Ok(())
        });
        join_all(comparing).await.into_iter().collect()
    }

    /// Writes files anew from the packs, a pack at a time.
    async fn rewrite(&self, witness: &Witness<'_>, marker: &Marker, files: Vec<(String, FileEntry, Wrong)>) {
        for (hash, files) in by_pack(files, |(_, entry, _)| entry.pack) {
            let pack = self.pack(marker, hash).await;
            for (path, entry, what) in files {
                let key = self.area.key(&path);
                match pack.as_ref().map(|pack| unpack(pack, &entry)) {
                    Some(Ok(content)) => self.mend(witness, &key, what, &content).await,
                    Some(Err(error)) => witness.differs(&key, what, false, Some(error)),
                    None => witness.differs(&key, what, false, Some("no store has its pack".to_owned())),
                }
            }
        }
    }

    /// A pack from whichever store has it.
    async fn pack(&self, marker: &Marker, hash: ContentHash) -> Option<Bytes> {
        let keyed = Keyed {
            key: keys::pack(self.area, hash),
            blob: *marker.packs.iter().find(|pack| pack.sha256 == hash)?,
        };
        for witness in self.witnesses.iter().filter(|witness| witness.answers()) {
            if let Ok(value) = fetch(witness.store, &keyed).await {
                return Some(value);
            }
        }
        None
    }

    /// Files of the release that were never written beside the others.
    fn lacking(&self, witness: &Witness<'_>, files: &[WrittenFile], manifest: &Manifest) {
        if files.is_empty() {
            return;
        }
        for (path, entry) in &manifest.files {
            let key = self.area.key(path);
            let written = files.binary_search_by(|file| file.path.as_str().cmp(path)).is_ok();
            if !written && witness.store.limit(&key, entry.size).is_none() {
                witness.differs(&key, Wrong::Outdated, false, Some("it was never written".to_owned()));
            }
        }
    }
}

/// Those files that are not as they should be.
async fn compare<'f>(
    look: &Look<'_>,
    witness: &Witness<'_>,
    files: &'f [WrittenFile],
    manifest: &Manifest,
) -> Vec<(&'f WrittenFile, Wrong)> {
    if !witness.answers() {
        return Vec::new();
    }
    let keys: Vec<String> = files.iter().map(|file| look.area.key(&file.path)).collect();
    let values = match read(witness, &keys).await {
        Ok(values) => values,
        Err(error) => {
            witness.fails(error);
            return Vec::new();
        }
    };
    let mut wrong = Vec::new();
    for (file, value) in files.iter().zip(values) {
        let released = manifest.files.get(file.path.as_str()).map(|entry| entry.sha256.0);
        let hash = value.as_ref().map(|value| ContentHash::of(value).0);
        let what = match hash {
            Some(hash) if Some(hash) == released => continue,
            Some(hash) if hash == file.sha256 => Wrong::Outdated,
            Some(_) => Wrong::Damaged,
            None => Wrong::Missing,
        };
        wrong.push((file, what));
    }
    wrong
}

/// The values; one that cannot be read is as good as an empty one, which is not what was written.
async fn read(witness: &Witness<'_>, keys: &[String]) -> StoreResult<Vec<Option<Bytes>>> {
    let damaged = |error: &StoreError| error.kind == StoreErrorKind::Corrupt;
    let values = match witness.store.get_many(keys).await {
        Err(error) if damaged(&error) => {
            let mut values = Vec::with_capacity(keys.len());
            for key in keys {
                values.push(match witness.store.get_many(std::slice::from_ref(key)).await {
                    Ok(mut value) => value.pop().flatten(),
                    Err(error) if damaged(&error) => Some(Bytes::new()),
                    Err(error) => return Err(error),
                });
            }
            values
        }
        other => other?,
    };
    let bytes = values.iter().flatten().map(|value| value.len() as u64).sum();
    witness.read(keys.len() as u64, bytes);
    Ok(values)
}

fn by_pack<T>(files: Vec<T>, pack: impl Fn(&T) -> ContentHash) -> BTreeMap<ContentHash, Vec<T>> {
    let mut packs: BTreeMap<ContentHash, Vec<T>> = BTreeMap::new();
    for file in files {
        packs.entry(pack(&file)).or_default().push(file);
    }
    packs
}

fn chunks(files: &[WrittenFile]) -> Vec<&[WrittenFile]> {
    let mut chunks = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, file) in files.iter().enumerate() {
        if at > start && (at - start == CHUNK || bytes + file.size > CHUNK_BYTES) {
            chunks.push(&files[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += file.size;
    }
    if start < files.len() {
        chunks.push(&files[start..]);
    }
    chunks
}
