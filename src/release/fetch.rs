//! What is known by its hash, from whichever store has it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use super::blob::{self, Found, Keyed, Piece};
use super::cache::{Check, Writing};
use super::marker::{Blob, Marker};
use super::place::{Mended, Place};
use super::repair::Repair;
use super::{Manifest, keys};
use crate::error::ErrorKind;
use crate::store::{Store, StoreError, StoreErrorKind, StoreKind, StoreResult};

/// A Redis inside a VPC swallows connection attempts: this much patience, and a second for each so many bytes; then
/// what it was asked for comes from elsewhere.
const PATIENCE: Duration = Duration::from_secs(1);
const BYTES_A_SECOND: u64 = 1 << 20;

/// What is left of a release's manifest.
#[derive(Debug)]
pub enum KeptManifest {
    Whole(Box<Manifest>),
    /// The only store that was asked is a cache, which keeps older releases or not.
    Dropped,
    /// No store has it as it should be.
    Damaged(StoreError),
}

/// Blobs that a cache should have and has not.
#[derive(Debug, Default)]
struct Gaps {
    lacking: Vec<usize>,
    damaged: Vec<usize>,
}

impl Place {
    pub(super) fn manifest_of(&self, marker: &Marker) -> Keyed {
        Keyed {
            key: keys::release(&self.area, &marker.release),
            blob: marker.manifest,
        }
    }

    pub(super) fn pack(&self, blob: &Blob) -> Keyed {
        Keyed {
            key: keys::pack(&self.area, blob.sha256),
            blob: *blob,
        }
    }

    /// The manifest of the release that a move led to.
    ///
    /// # Errors
    /// When no store has it as it should be.
    pub async fn manifest(&self, marker: &Marker) -> crate::error::Result<Manifest> {
        let keyed = self.manifest_of(marker);
        let fetched = self.fetch(marker, std::slice::from_ref(&keyed), Check::Whole).await?;
        let bytes = fetched.into_iter().next().unwrap_or_default();
        Ok(Manifest::parse(&*self.marker, &keyed.key, &bytes)?)
    }

    /// The manifest of a release that may be an older one, or what has become of it.
    ///
    /// # Errors
    /// When a store cannot be asked.
    pub async fn kept_manifest(&self, marker: &Marker) -> crate::error::Result<KeptManifest> {
        let error = match self.manifest(marker).await {
            Ok(manifest) => return Ok(KeptManifest::Whole(Box::new(manifest))),
            Err(error) => error,
        };
        match *error.kind {
            ErrorKind::Store(damage) if damage.kind == StoreErrorKind::Corrupt => {
                let cache = self.marker.kind() == StoreKind::Redis;
                if cache && !blob::is_there(&*self.marker, &self.manifest_of(marker)).await? {
                    return Ok(KeptManifest::Dropped);
                }
                Ok(KeptManifest::Damaged(damage))
            }
            _ => Err(error),
        }
    }

    /// Blobs of the release that a move leads to, in their order: from this machine, else from the cache, else where the
    /// marker is, else from the backup. This machine and the cache then have them too. `packs` says how packs are checked,
    /// the manifest is as a whole.
    pub(super) async fn fetch(&self, marker: &Marker, wanted: &[Keyed], packs: Check) -> StoreResult<Vec<Bytes>> {
        let (values, writing) = self.fetch_writing(marker, wanted, packs).await?;
        writing.done().await;
        Ok(values)
    }

    /// As [`Place::fetch`], but this machine may still be writing what is new.
    pub(super) async fn fetch_writing(
        &self,
        marker: &Marker,
        wanted: &[Keyed],
        packs: Check,
    ) -> StoreResult<(Vec<Bytes>, Writing)> {
        let checked = |keyed: &Keyed| {
            let is_manifest = keyed.blob == marker.manifest;
            (keyed.clone(), if is_manifest { Check::Whole } else { packs })
        };
        let wanted: Vec<(Keyed, Check)> = wanted.iter().map(checked).collect();
        let blobs: Vec<(Blob, Check)> = wanted.iter().map(|(keyed, check)| (keyed.blob, *check)).collect();
        let mut found = self.local.load(&blobs).await;
        let missing = missing(&found);
        if missing.is_empty() {
            return Ok((found.into_iter().flatten().collect(), Writing::nothing()));
        }
        let gaps = self.ask_cache(&wanted, &mut found).await;
        self.ask_stores(&wanted, &mut found).await?;
        let values: Vec<Bytes> = found.into_iter().flatten().collect();
        let fresh = missing.into_iter().map(|at| {
            let (keyed, check) = &wanted[at];
            (keyed.blob.sha256, values[at].clone(), *check)
        });
        let writing = self.local.keep(fresh.collect());
        self.repair(marker, &wanted, &values, &gaps).await;
        Ok((values, writing))
    }

    /// Pieces of blobs, from the first store that has all of them; `None` when none has, or one cannot say: reading whole
    /// blobs then tells why.
    pub(super) async fn fetch_pieces(&self, pieces: &[Piece]) -> Option<Vec<Bytes>> {
        if let Some(cache) = self.cache.as_ref().filter(|_| !self.findings.cache_fails()) {
            let asked = tokio::time::timeout(PATIENCE, blob::read_pieces(&**cache, pieces)).await;
            if let Some(found) = asked.ok().and_then(Result::ok).and_then(all) {
                return Some(found);
            }
        }
        for store in [Some(&self.marker), self.backup.as_ref()].into_iter().flatten() {
            if let Some(found) = all(blob::read_pieces(&**store, pieces).await.ok()?) {
                return Some(found);
            }
        }
        None
    }

    /// It can give nothing older, only nothing: what it lacks, or cannot say, is asked for elsewhere.
    async fn ask_cache(&self, wanted: &[(Keyed, Check)], found: &mut [Option<Bytes>]) -> Gaps {
        let mut gaps = Gaps::default();
        let Some(cache) = self.cache.as_ref().filter(|_| !self.findings.cache_fails()) else {
            return gaps;
        };
        let missing = missing(found);
        let asked: Vec<(Keyed, Check)> = missing.iter().map(|at| wanted[*at].clone()).collect();
        let bytes: u64 = asked.iter().map(|(keyed, _)| keyed.blob.size).sum();
        let patience = PATIENCE + Duration::from_secs(bytes / BYTES_A_SECOND);
        let looked = match tokio::time::timeout(patience, blob::look(&**cache, &asked)).await {
            Ok(Ok(looked)) => looked,
            Ok(Err(error)) => {
                self.findings.pass_over_cache(&**cache, &error);
                return gaps;
            }
            Err(_) => {
                let error = StoreError::new(cache.kind(), StoreErrorKind::Timeout, "it does not answer in time");
                self.findings.pass_over_cache(&**cache, &error);
                return gaps;
            }
        };
        for (at, looked) in missing.into_iter().zip(looked) {
            match looked {
                Found::There(value) => found[at] = Some(value),
                Found::Absent => gaps.lacking.push(at),
                Found::Damaged(_) => gaps.damaged.push(at),
            }
        }
        gaps
    }

    async fn ask_stores(&self, wanted: &[(Keyed, Check)], found: &mut [Option<Bytes>]) -> StoreResult<()> {
        let mut damage = None;
        for store in [Some(&self.marker), self.backup.as_ref()].into_iter().flatten() {
            let missing = missing(found);
            if missing.is_empty() {
                return Ok(());
            }
            let asked: Vec<(Keyed, Check)> = missing.iter().map(|at| wanted[*at].clone()).collect();
            for (at, looked) in missing.into_iter().zip(blob::look(&**store, &asked).await?) {
                match looked {
                    Found::There(value) => found[at] = Some(value),
                    Found::Absent => {}
                    Found::Damaged(error) => damage = Some(error),
                }
            }
        }
        let Some(first) = missing(found).into_iter().next() else {
            return Ok(());
        };
        Err(damage.unwrap_or_else(|| {
            let message = "the marker names this, and it is not there";
            StoreError::new(self.marker.kind(), StoreErrorKind::Corrupt, message).at(&wanted[first].0.key)
        }))
    }

    async fn repair(&self, marker: &Marker, wanted: &[(Keyed, Check)], values: &[Bytes], gaps: &Gaps) {
        let Some(cache) = &self.cache else { return };
        if let Err(error) = self.fill(&**cache, marker, wanted, values, gaps).await {
            tracing::debug!(%error, "the cache cannot be filled");
        }
    }

    async fn fill(
        &self,
        cache: &dyn Store,
        marker: &Marker,
        wanted: &[(Keyed, Check)],
        values: &[Bytes],
        gaps: &Gaps,
    ) -> StoreResult<()> {
        let gone = gaps.lacking.iter().chain(&gaps.damaged);
        // A release that publishers keep out of a small cache stays out of it.
        let size: u64 = marker.packs.iter().map(|pack| pack.size).sum();
        if gone.clone().next().is_none() || cache.capacity().await?.is_some_and(|capacity| size > capacity / 2) {
            return Ok(());
        }
        let sound = join_all(gone.map(|at| self.sound(&wanted[*at], &values[*at]))).await;
        let count = |sound: &[Option<(Keyed, Bytes)>]| sound.iter().flatten().count() as u64;
        let (lacking, damaged) = sound.split_at(gaps.lacking.len());
        let (lacking, damaged) = (count(lacking), count(damaged));
        let blobs: Vec<(Keyed, Bytes)> = sound.into_iter().flatten().collect();
        if blobs.is_empty() {
            return Ok(());
        }
        blob::write(cache, &blobs).await?;
        let mended = self.findings.mended(Mended {
            lacking,
            damaged,
            bytes: blobs.iter().map(|(_, value)| value.len() as u64).sum(),
        });
        Repair::new(marker, mended).write(cache, &self.area).await
    }

    /// A blob as it should be, to be written: what was found, or where that was taken unchecked and is wrong, what another
    /// store has.
    async fn sound(&self, (keyed, check): &(Keyed, Check), value: &Bytes) -> Option<(Keyed, Bytes)> {
        if *check != Check::Files || keyed.check(&*self.marker, value, Check::Whole).await.is_ok() {
            return Some((keyed.clone(), value.clone()));
        }
        let mut found = [None];
        let asked = self.ask_stores(&[(keyed.clone(), Check::Whole)], &mut found).await;
        let [found] = found;
        asked.ok().and(found).map(|found| (keyed.clone(), found))
    }
}

fn all(found: Vec<Option<Bytes>>) -> Option<Vec<Bytes>> {
    found.into_iter().collect()
}

fn missing(found: &[Option<Bytes>]) -> Vec<usize> {
    (0..found.len()).filter(|at| found[*at].is_none()).collect()
}
