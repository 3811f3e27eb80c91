//! Reading one release of one area.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::blob::{self, Keyed};
use super::history::{self, Pin};
use super::marker::{Head, Held, Marker};
use super::pack::unpack;
use super::{ContentHash, FileEntry, Manifest, keys};
use crate::error::{Error, ErrorKind, Result};
use crate::publish::Area;
use crate::store::{Store, StoreError, StoreErrorKind, StoreResult};
use crate::trust::TrustedKeys;

/// Packs that stay in memory, in bytes; the rest is asked for again.
const KEPT: usize = 64 << 20;

/// Where an area is read.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its marker is believed.
    pub marker: Arc<dyn Store>,
    /// Asked before it for what is known by its hash; one that fails or lacks it is passed over, and filled again.
    pub cache: Option<Arc<dyn Store>>,
    /// Asked after it for what it lacks.
    pub backup: Option<Arc<dyn Store>>,
    pub area: Area,
    /// The stack that the area has to belong to, where that is known.
    pub stack_id: Option<String>,
    /// Whose releases are taken; everyone's without keys.
    pub trusted: TrustedKeys,
}

impl Place {
    /// One area of one store, read by its own marker.
    #[must_use]
    pub fn of(store: Arc<dyn Store>, area: Area) -> Self {
        Self {
            marker: store,
            cache: None,
            backup: None,
            area,
            stack_id: None,
            trusted: TrustedKeys::default(),
        }
    }

    async fn head(&self) -> Result<Held> {
        let head = Head::read(&*self.marker, &self.area, self.stack_id.as_deref()).await?;
        head.current.ok_or_else(|| {
            Error::from(ErrorKind::NoRelease {
                area: self.area.to_string(),
                place: self.marker.place().to_owned(),
            })
            .with_hint("`rstack seed DIR --area AREA` publishes one")
        })
    }

    /// Every move of the area's marker that is kept, the newest first.
    ///
    /// # Errors
    /// When there is no release, or the store cannot be read.
    pub async fn moves(&self) -> Result<Vec<Marker>> {
        let head = self.head().await?;
        Ok(history::moves(&*self.marker, &self.area, &head).await?)
    }

    /// The manifest of the release that a move led to.
    ///
    /// # Errors
    /// When no store has it as it should be.
    pub async fn manifest(&self, marker: &Marker) -> Result<Manifest> {
        let keyed = Keyed {
            key: keys::release(&self.area, &marker.release),
            blob: marker.manifest,
        };
        let bytes = self
            .fetch(std::slice::from_ref(&keyed))
            .await?
            .pop()
            .unwrap_or_default();
        Ok(Manifest::parse(&*self.marker, &keyed.key, &bytes)?)
    }

    /// Blobs by hash: from the cache, else where the marker is, else from the backup; then into the cache.
    async fn fetch(&self, wanted: &[Keyed]) -> StoreResult<Vec<Bytes>> {
        let mut found: Vec<Option<Bytes>> = match &self.cache {
            // It can give nothing older, only nothing: what it lacks, or cannot say, is asked for elsewhere.
            Some(cache) => blob::read(&**cache, wanted).await.unwrap_or_else(|error| {
                tracing::debug!(%error, "the cache is passed over");
                vec![None; wanted.len()]
            }),
            None => vec![None; wanted.len()],
        };
        let from_cache: BTreeSet<usize> = (0..found.len()).filter(|at| found[*at].is_some()).collect();
        for store in [Some(&self.marker), self.backup.as_ref()].into_iter().flatten() {
            let missing: Vec<usize> = (0..found.len()).filter(|at| found[*at].is_none()).collect();
            if missing.is_empty() {
                break;
            }
            let keyed: Vec<Keyed> = missing.iter().map(|at| wanted[*at].clone()).collect();
            for (at, value) in missing.into_iter().zip(blob::read(&**store, &keyed).await?) {
                found[at] = value;
            }
        }
        let mut values = Vec::with_capacity(found.len());
        for (keyed, value) in wanted.iter().zip(found) {
            values.push(value.ok_or_else(|| {
                let message = "the marker names this, and it is not there";
                StoreError::new(self.marker.kind(), StoreErrorKind::Corrupt, message).at(&keyed.key)
            })?);
        }
        self.repair(wanted, &values, &from_cache).await;
        Ok(values)
    }

    async fn repair(&self, wanted: &[Keyed], values: &[Bytes], had: &BTreeSet<usize>) {
        let Some(cache) = self.cache.as_ref().filter(|_| had.len() < wanted.len()) else {
            return;
        };
        let lacking = wanted
            .iter()
            .zip(values)
            .enumerate()
            .filter(|(at, _)| !had.contains(at));
        let blobs: Vec<(Keyed, Bytes)> = lacking
            .map(|(_, (keyed, value))| (keyed.clone(), value.clone()))
            .collect();
        if let Err(error) = blob::write(&**cache, &blobs).await {
            tracing::debug!(%error, "the cache cannot be filled");
        }
    }
}

/// One release of an area, pinned: what it says does not change, whatever is published meanwhile.
#[derive(Debug)]
pub struct Reader {
    place: Place,
    marker: Marker,
    manifest: Manifest,
    packs: Mutex<HashMap<ContentHash, Bytes>>,
}

impl Reader {
    /// Opens the release that the area points at, or that the pin means.
    ///
    /// # Errors
    /// When there is no such release, or a store cannot be read, or what it holds is not what its hash says; and when
    /// keys are trusted, and none of them signed it.
    pub async fn open(place: Place, pin: Option<&Pin>) -> Result<Self> {
        let head = place.head().await?;
        let marker = match pin {
            Some(pin) => history::find(&*place.marker, &place.area, &head, pin).await?,
            None => head.marker,
        };
        marker.check(&place.area, &place.trusted)?;
        let manifest = place.manifest(&marker).await?;
        Ok(Self {
            place,
            marker,
            manifest,
            packs: Mutex::default(),
        })
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

    /// The contents of these paths, in their order; `None` where the release has none. What is not in memory is
    /// fetched in one batch, whole packs at a time.
    ///
    /// # Errors
    /// When a pack is missing everywhere or is not what its hash says, and whatever keeps a store from being read.
    pub async fn read_many(&self, paths: &[&str]) -> Result<Vec<Option<Bytes>>> {
        let entries: Vec<Option<&FileEntry>> = paths.iter().map(|path| self.manifest.files.get(*path)).collect();
        let wanted: BTreeSet<ContentHash> = entries.iter().flatten().map(|entry| entry.pack).collect();
        let packs = self.load(&wanted).await?;
        let mut contents = Vec::with_capacity(paths.len());
        for (path, entry) in paths.iter().zip(entries) {
            let content = match entry {
                Some(entry) => Some(self.unpack(path, entry, &packs)?),
                None => None,
            };
            contents.push(content);
        }
        Ok(contents)
    }

    fn unpack(&self, path: &str, entry: &FileEntry, packs: &HashMap<ContentHash, Bytes>) -> StoreResult<Bytes> {
        let pack = packs.get(&entry.pack).cloned().unwrap_or_default();
        unpack(&pack, entry).map_err(|wrong| {
            let message = format!("`{path}` in this pack is damaged: {wrong}");
            let key = keys::pack(&self.place.area, entry.pack);
            StoreError::new(self.place.marker.kind(), StoreErrorKind::Corrupt, message).at(key)
        })
    }

    async fn load(&self, wanted: &BTreeSet<ContentHash>) -> Result<HashMap<ContentHash, Bytes>> {
        let mut packs: HashMap<ContentHash, Bytes> = {
            let kept = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
            wanted
                .iter()
                .filter_map(|pack| Some((*pack, kept.get(pack)?.clone())))
                .collect()
        };
        let missing: Vec<Keyed> = self
            .marker
            .packs
            .iter()
            .filter(|blob| wanted.contains(&blob.sha256) && !packs.contains_key(&blob.sha256))
            .map(|blob| Keyed {
                key: keys::pack(&self.place.area, blob.sha256),
                blob: *blob,
            })
            .collect();
        if missing.is_empty() {
            return Ok(packs);
        }
        let values = self.place.fetch(&missing).await?;
        let fetched = missing.iter().map(|keyed| keyed.blob.sha256).zip(values);
        let mut kept = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        for (hash, value) in fetched {
            let held: usize = kept.values().map(Bytes::len).sum();
            if held + value.len() <= KEPT {
                kept.insert(hash, value.clone());
            }
            packs.insert(hash, value);
        }
        Ok(packs)
    }
}
