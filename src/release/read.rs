//! Reading one release of one area.

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::{Either, select};

use super::blob::Keyed;
use super::cache::Check;
use super::foresee::{Foreseen, foresee};
use super::history::Pin;
use super::marker::{Blob, Marker};
use super::pack;
use super::place::Place;
use super::unpack::{Job, Unpacked, unpack};
use super::{ContentHash, FileEntry, Manifest, keys};
use crate::error::Result;
use crate::store::{StoreError, StoreErrorKind};

/// Packs of so many bytes together come with the manifest, when all of a release is wanted.
pub(super) const AT_ONCE: u64 = 48 << 20;

/// How much of a release is fetched when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Load {
    /// Only what it has; contents are fetched when they are read.
    #[default]
    Index,
    /// Its packs of what Python imports too, together with the index, unless they are large: contents are unpacked when
    /// they are read. They may still be on their way into the local cache: see
    /// [`wait_until_written`](super::LocalCache::wait_until_written).
    Code,
    /// As `Code`, for who is going to read all of it: what this machine has is unpacked while the marker is on its way.
    Everything,
}

impl Load {
    /// Whether it fetches a pack when the release is opened.
    pub(super) fn wants(self, pack: &Blob) -> bool {
        match self {
            Self::Index => false,
            Self::Code => pack.code,
            Self::Everything => true,
        }
    }
}

/// One release of an area, pinned: what it says does not change, whatever is published meanwhile.
#[derive(Debug)]
pub struct Reader {
    place: Place,
    load: Load,
    marker: Marker,
    manifest: Arc<Manifest>,
    /// What was unpacked when it was opened; whoever reads first gets it.
    unpacked: Mutex<Contents>,
    /// How often little was read of a pack.
    pub(super) nibbled: Mutex<HashMap<ContentHash, u32>>,
}

type Contents = HashMap<ContentHash, Bytes>;

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
        let last = place.last_seen().filter(|_| pin.is_none());
        let Some(last) = last else {
            let marker = place.find(pin).await?;
            return Self::at(place, marker, load).await;
        };
        let (marker, foreseen) = find_foreseeing(&place, &last, load).await?;
        Self::make(place, marker, load, foreseen).await
    }

    /// The release that this machine read last, if what is wanted of it is still here and the marker still leads to it: one
    /// request.
    pub(super) async fn again(place: Place, load: Load) -> Option<Self> {
        let last = place.last_seen().filter(|last| place.is_here(last, load))?;
        let (marker, foreseen) = find_foreseeing(&place, &last, load).await.ok()?;
        if marker.manifest != last.manifest {
            return None;
        }
        Self::make(place, marker, load, foreseen).await.ok()
    }

    pub(super) async fn at(place: Place, marker: Marker, load: Load) -> Result<Self> {
        Self::make(place, marker, load, None).await
    }

    async fn make(place: Place, marker: Marker, load: Load, foreseen: Option<Foreseen>) -> Result<Self> {
        // The local cache has the packs from now on.
        let wanted = wanted(&place, &marker, load);
        let mut unpacked = Contents::new();
        let manifest = if let Some(foreseen) = foreseen {
            // Packs that were hashed are taken as they are; one that was wrong is asked for where it is right.
            let packs = if load == Load::Everything {
                Check::Whole
            } else {
                Check::Fresh
            };
            place.fetch(&marker, &wanted[1..], packs).await?;
            unpacked = foreseen.contents;
            foreseen.manifest
        } else {
            // Who reads all of it checks every file, and need not check the packs as well.
            let packs = if load == Load::Everything {
                Check::Files
            } else {
                Check::Fresh
            };
            let (fetched, writing) = place.fetch_writing(&marker, &wanted, packs).await?;
            let manifest = fetched.into_iter().next().unwrap_or_default();
            let manifest = Manifest::parse(&*place.marker, &wanted[0].key, &manifest);
            // Whoever wants packs has something to do with them meanwhile.
            if load != Load::Code {
                writing.done().await;
            }
            manifest?
        };
        let manifest = Arc::new(manifest);
        Ok(Self {
            place,
            load,
            marker,
            manifest,
            unpacked: Mutex::new(unpacked),
            nibbled: Mutex::default(),
        })
    }

    /// Opens the release that the area points at now; `None` when the marker has not moved.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub async fn advance(&self) -> Result<Option<Self>> {
        self.advance_in(self.place.clone()).await
    }

    async fn advance_in(&self, place: Place) -> Result<Option<Self>> {
        place.findings.forgive_cache();
        let marker = place.find(None).await?;
        if marker.move_id == self.marker.move_id {
            return Ok(None);
        }
        Self::at(place, marker, self.load).await.map(Some)
    }

    /// As [`Reader::advance`] of a reader whose place was remembered, the area being where it is found now: from then on
    /// it is read there, also when the marker has not moved.
    pub(super) async fn advance_to(&self, place: Place) -> Result<Self> {
        let moved = self.advance_in(place.clone()).await?;
        Ok(moved.unwrap_or_else(|| Self {
            place,
            load: self.load,
            marker: self.marker.clone(),
            manifest: Arc::clone(&self.manifest),
            unpacked: Mutex::default(),
            nibbled: Mutex::default(),
        }))
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

    /// The content of a path whose pack is in this process's memory, without waiting for anything; `None` also when it
    /// is not what its hash says, which [`Reader::read_many`] gets over.
    #[must_use]
    pub fn at_hand(&self, path: &str) -> Option<Bytes> {
        let entry = self.manifest.files.get(path)?;
        let pack = self.place.local.held(entry.pack)?;
        pack::unpack(&pack, entry).ok()
    }

    /// The contents of these paths, in their order; `None` where the release has none. What is not on this machine is
    /// fetched in one batch: whole packs, unless little is wanted of a large one.
    ///
    /// # Errors
    /// When a pack is missing everywhere or is not what its hash says, and whatever keeps a store from being read.
    pub async fn read_many(&self, paths: &[&str]) -> Result<Vec<Option<Bytes>>> {
        let entries = paths.iter().map(|path| self.manifest.files.get(*path).copied());
        let entries: Vec<Option<FileEntry>> = entries.collect();
        let mut contents = self.given(&entries);
        let few = (entries.iter().zip(&contents)).map(|(entry, content)| entry.filter(|_| content.is_none()));
        for (at, content) in self.few(&few.collect::<Vec<_>>()).await.into_iter().enumerate() {
            contents[at] = contents[at].take().or(content);
        }
        let missing = |at: usize| entries[at].filter(|_| contents[at].is_none());
        let missing: Vec<(usize, FileEntry)> = (0..paths.len()).filter_map(|at| Some((at, missing(at)?))).collect();
        let mut wrong = Vec::new();
        for (at, unpacked) in self.unpack(&missing, Check::Fresh).await? {
            match unpacked {
                Ok(content) => contents[at] = Some(content),
                Err(_) => wrong.extend(entries[at].map(|entry| (at, entry))),
            }
        }
        // Of packs that this machine kept, or that came with all of a release, nothing was checked before. Those with
        // something wrong are now, and come from where they are as they should be.
        for (at, unpacked) in self.unpack(&wrong, Check::Whole).await? {
            let content = unpacked.map_err(|wrong| self.damaged(paths[at], entries[at], &wrong))?;
            contents[at] = Some(content);
        }
        Ok(contents)
    }

    /// What was unpacked before anybody asked.
    fn given(&self, entries: &[Option<FileEntry>]) -> Vec<Option<Bytes>> {
        let unpacked = std::mem::take(&mut *self.unpacked.lock().unwrap_or_else(PoisonError::into_inner));
        let given = entries
            .iter()
            .map(|entry| unpacked.get(&entry.as_ref()?.sha256).cloned());
        given.collect()
    }

    /// Each file is hashed; `check` says whether packs are too.
    async fn unpack(&self, files: &[(usize, FileEntry)], check: Check) -> Result<Vec<Unpacked>> {
        let wanted = files.iter().map(|(_, entry)| entry.pack).collect();
        let packs = self.packs(&wanted, check).await?;
        let jobs = files.iter().map(|(at, entry)| Job {
            at: *at,
            entry: *entry,
            pack: packs.get(&entry.pack).cloned().unwrap_or_default(),
        });
        unpack(jobs.collect(), Check::Files).await
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

/// The marker, and what this machine has of the release that it led to last, if it still does.
async fn find_foreseeing(place: &Place, last: &Marker, load: Load) -> Result<(Marker, Option<Foreseen>)> {
    let (finding, foreseeing) = (pin!(place.find(None)), pin!(foresee(place, last, load)));
    let (marker, foreseen) = match select(finding, foreseeing).await {
        Either::Right((foreseen, finding)) => (finding.await?, foreseen),
        Either::Left((marker, foreseeing)) => match marker? {
            marker if marker.manifest == last.manifest => (marker, foreseeing.await),
            marker => (marker, None),
        },
    };
    let foreseen = foreseen.filter(|_| marker.manifest == last.manifest);
    Ok((marker, foreseen))
}

/// The manifest, and the packs that are wanted with it.
pub(super) fn wanted(place: &Place, marker: &Marker, load: Load) -> Vec<Keyed> {
    let packs = marker.packs.iter().filter(|pack| load.wants(pack));
    let size: u64 = packs.clone().map(|pack| pack.size).sum();
    let packs = packs.filter(|_| size <= AT_ONCE).map(|pack| place.pack(pack));
    [place.manifest_of(marker)].into_iter().chain(packs).collect()
}
