//! Reading one release of one area.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::join_all;

use super::blob::Keyed;
use super::cache::Check;
use super::history::Pin;
use super::marker::Marker;
use super::pack::Unpacker;
use super::place::Place;
use super::{ContentHash, FileEntry, Manifest, keys};
use crate::error::{Error, Result};
use crate::store::{StoreError, StoreErrorKind};

/// Packs of so many bytes together come with the manifest, when all of a release is wanted.
const AT_ONCE: u64 = 48 << 20;
/// A thread unpacks this much, in bytes of content, before another one helps.
const A_THREAD: u64 = 512 << 10;
const THREADS: u64 = 4;

/// How much of a release is fetched when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Load {
    /// Only what it has; contents are fetched when they are read.
    #[default]
    Index,
    /// Its contents too, together with the index, unless they are large.
    Everything,
}

/// One release of an area, pinned: what it says does not change, whatever is published meanwhile.
#[derive(Debug)]
pub struct Reader {
    place: Place,
    load: Load,
    marker: Marker,
    manifest: Arc<Manifest>,
    /// How often little was read of a pack.
    pub(super) nibbled: Mutex<HashMap<ContentHash, u32>>,
}

impl Reader {
    /// Opens the release that the area points at, or that the pin means.
    ///
    /// # Errors
    /// When there is no such release, or a store cannot be read, or what it holds is not what its hash says; when keys
    /// are trusted, and none of them signed it; and when the area was seen at a later move before.
    pub async fn open(place: Place, pin: Option<&Pin>) -> Result<Self> {
        Self::load(place, pin, Load::Index).await
    }

    /// As [`Reader::open`]; everything takes two steps that depend on each other: the marker, and what it names.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub async fn load(place: Place, pin: Option<&Pin>, load: Load) -> Result<Self> {
        let marker = place.find(pin).await?;
        Self::at(place, marker, load).await
    }

    pub(super) async fn at(place: Place, marker: Marker, load: Load) -> Result<Self> {
        let mut wanted = vec![place.manifest_of(&marker)];
        let size: u64 = marker.packs.iter().map(|pack| pack.size).sum();
        if load == Load::Everything && size <= AT_ONCE {
            wanted.extend(marker.packs.iter().map(|pack| place.pack(pack)));
        }
        // The local cache has the packs from now on.
        let fetched = place.fetch(&marker, &wanted, Check::Files).await?;
        let manifest = fetched.into_iter().next().unwrap_or_default();
        let manifest = Arc::new(Manifest::parse(&*place.marker, &wanted[0].key, &manifest)?);
        Ok(Self {
            place,
            load,
            marker,
            manifest,
            nibbled: Mutex::default(),
        })
    }

    /// Opens the release that the area points at now; `None` when the marker has not moved.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub async fn advance(&self) -> Result<Option<Self>> {
        self.place.findings.forgive_cache();
        let marker = self.place.find(None).await?;
        if marker.move_id == self.marker.move_id {
            return Ok(None);
        }
        Self::at(self.place.clone(), marker, self.load).await.map(Some)
    }

    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The move that led to this release.
    #[must_use]
    pub fn marker(&self) -> &Marker {
        &self.marker
    }

    /// The index: what there is, told without asking a store.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The contents of these paths, in their order; `None` where the release has none. What is not on this machine is
    /// fetched in one batch: whole packs, unless little is wanted of a large one.
    ///
    /// # Errors
    /// When a pack is missing everywhere or is not what its hash says, and whatever keeps a store from being read.
    pub async fn read_many(&self, paths: &[&str]) -> Result<Vec<Option<Bytes>>> {
        let entries = paths.iter().map(|path| self.manifest.files.get(*path).copied());
        let entries: Vec<Option<FileEntry>> = entries.collect();
        let mut contents = self.few(&entries).await;
        let missing = |at: usize| entries[at].filter(|_| contents[at].is_none());
        let missing: Vec<(usize, FileEntry)> = (0..paths.len()).filter_map(|at| Some((at, missing(at)?))).collect();
        let mut wrong = Vec::new();
        for (at, unpacked) in self.unpack(&missing, Check::Files).await? {
            match unpacked {
                Ok(content) => contents[at] = Some(content),
                Err(_) => wrong.extend(entries[at].map(|entry| (at, entry))),
            }
        }
        // Of packs that this machine kept, nothing was checked before. Those with something wrong are now, and where
        // the fault was here, they come from elsewhere.
        for (at, unpacked) in self.unpack(&wrong, Check::Whole).await? {
            let content = unpacked.map_err(|wrong| self.damaged(paths[at], entries[at], &wrong))?;
            contents[at] = Some(content);
        }
        Ok(contents)
    }

    async fn unpack(&self, files: &[(usize, FileEntry)], check: Check) -> Result<Vec<Unpacked>> {
        let wanted = files.iter().map(|(_, entry)| entry.pack).collect();
        let packs = self.packs(&wanted, check).await?;
        let jobs = files.iter().map(|(at, entry)| Job {
            at: *at,
            entry: *entry,
            pack: packs.get(&entry.pack).cloned().unwrap_or_default(),
        });
        unpack(jobs.collect()).await
    }

    fn damaged(&self, path: &str, entry: Option<FileEntry>, wrong: &str) -> StoreError {
        let message = format!("`{path}` in this pack is damaged: {wrong}");
        let error = StoreError::new(self.place.marker.kind(), StoreErrorKind::Corrupt, message);
        match entry {
            Some(entry) => error.at(keys::pack(&self.place.area, entry.pack)),
            None => error,
        }
    }

    async fn packs(&self, wanted: &BTreeSet<ContentHash>, check: Check) -> Result<HashMap<ContentHash, Bytes>> {
        let packs = self.marker.packs.iter().filter(|blob| wanted.contains(&blob.sha256));
        let packs: Vec<Keyed> = packs.map(|blob| self.place.pack(blob)).collect();
        if packs.is_empty() {
            return Ok(HashMap::new());
        }
        let fetched = self.place.fetch(&self.marker, &packs, check).await?;
        Ok(packs.iter().map(|keyed| keyed.blob.sha256).zip(fetched).collect())
    }
}

/// One file to unpack, and where its content belongs.
struct Job {
    at: usize,
    entry: FileEntry,
    pack: Bytes,
}

type Unpacked = (usize, Result<Bytes, String>);

/// In threads, unless it is little.
async fn unpack(jobs: Vec<Job>) -> Result<Vec<Unpacked>> {
    let size: u64 = jobs.iter().map(|job| job.entry.size).sum();
    let threads = (size / A_THREAD).min(THREADS);
    if threads == 0 {
        return Ok(unpack_here(jobs));
    }
    let share = size.div_ceil(threads);
    let mut shares = vec![Vec::new()];
    let mut bytes = 0;
    for job in jobs {
        if bytes >= share {
            shares.push(Vec::new());
            bytes = 0;
        }
        bytes += job.entry.size;
        if let Some(last) = shares.last_mut() {
            last.push(job);
        }
    }
    let working = shares
        .into_iter()
        .map(|jobs| tokio::task::spawn_blocking(|| unpack_here(jobs)));
    let mut unpacked = Vec::new();
    for done in join_all(working).await {
        unpacked.extend(done.map_err(|error| Error::unexpected(format!("unpacking broke off: {error}")))?);
    }
    Ok(unpacked)
}

/// Contents share buffers of this size, in bytes, so that a large one is not made of many small pieces; one that is
/// larger has its own.
const BUFFER: usize = 256 << 10;

fn unpack_here(jobs: Vec<Job>) -> Vec<Unpacked> {
    let mut unpacker = match Unpacker::new() {
        Ok(unpacker) => unpacker,
        Err(error) => return jobs.into_iter().map(|job| (job.at, Err(error.clone()))).collect(),
    };
    let mut done = Vec::with_capacity(jobs.len());
    let mut jobs = jobs.into_iter().peekable();
    while let Some(first) = jobs.next() {
        let mut size = first.size();
        if size > BUFFER {
            done.push((first.at, unpacker.unpack(&first.pack, &first.entry)));
            continue;
        }
        let mut together = vec![first];
        while let Some(job) = jobs.next_if(|job| size.saturating_add(job.size()) <= BUFFER) {
            size += job.size();
            together.push(job);
        }
        let mut buffer = vec![0; size];
        let mut rest = &mut buffer[..];
        let mut results = Vec::with_capacity(together.len());
        for job in &together {
            let (here, behind) = rest.split_at_mut(job.size());
            results.push(unpacker.unpack_into(&job.pack, &job.entry, here));
            rest = behind;
        }
        let mut buffer = Bytes::from(buffer);
        for (job, result) in together.into_iter().zip(results) {
            let content = buffer.split_to(job.size());
            done.push((job.at, result.map(|()| content)));
        }
    }
    done
}

impl Job {
    fn size(&self) -> usize {
        usize::try_from(self.entry.size).unwrap_or(usize::MAX)
    }
}
