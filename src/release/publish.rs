//! Publishing a release: packs and manifest to the durable stores, then the one marker that decides, then the copies.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};
use futures_util::{StreamExt, TryStreamExt};

use super::blob::{self, Keyed};
use super::commit::{Commit, commit, keep_step};
use super::copies::{Copying, Role, fetch};
use super::draft::{Content, Draft};
use super::make;
use super::marker::{Blob, Head, Held, Marker, MoveKind, Step};
use super::pack::{Compressed, Pack, Slot, slice};
use super::report::{CopyReport, CopyState, Published};
use super::{ContentHash, FileEntry, Manifest, ReleaseId, keys};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Reporter, Task};
use crate::interrupt::Interrupt;
use crate::publish::{Area, Meter, load_index, record_area, refuse_overlap};
use crate::store::{Store, StoreError, StoreErrorKind};
use crate::trust::PrivateKey;

/// How often a publisher that was overtaken builds on top of the winner.
const ATTEMPTS: u32 = 25;
/// Packs on their way at once.
const PACKS_AT_ONCE: usize = 3;
/// New packs up to so many bytes stay in memory until the caches have them too.
const KEPT: usize = 32 << 20;

/// The stores of an area by what they are for.
#[derive(Debug, Clone)]
pub struct Stores<'a> {
    /// Its marker decides.
    pub deciding: &'a dyn Store,
    /// Have packs and manifest before the marker moves, as the deciding one has.
    pub durable: Vec<&'a dyn Store>,
    /// Follow afterwards.
    pub caches: Vec<&'a dyn Store>,
}

impl<'a> Stores<'a> {
    fn confirming(&self) -> impl Iterator<Item = &'a dyn Store> {
        std::iter::once(self.deciding).chain(self.durable.iter().copied())
    }

    fn following(&self) -> impl Iterator<Item = (&'a dyn Store, Role)> {
        let durable = self.durable.iter().map(|store| (*store, Role::Durable));
        durable.chain(self.caches.iter().map(|store| (*store, Role::Cache)))
    }
}

/// What to publish, where, and in whose name.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    pub content: Content<'a>,
    pub area: &'a Area,
    /// The stack that the stores belong to.
    pub stack_id: &'a str,
    pub stores: &'a Stores<'a>,
    pub author: &'a str,
    pub message: Option<&'a str>,
    /// Signs the move. A release that is there already and lacks this signature is signed anew.
    pub signer: Option<&'a PrivateKey>,
    /// Only find out what would be done.
    pub dry_run: bool,
}

/// How work tells of itself and is told to stop.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
}

/// Publishes a release. Until the deciding marker moves nothing changes for readers; a store that fails afterwards
/// lags, which the report says. Content that the area has already makes no new release and brings copies up to date.
///
/// # Errors
/// Refused when the area lies inside another, or others publish all the time; a durable store's own error; Interrupted
/// before the marker moved.
pub async fn publish(job: &Publication<'_>, work: &Work<'_>) -> Result<Published> {
    Publishing::new(job, work).run().await
}

struct Publishing<'a> {
    job: &'a Publication<'a>,
    work: &'a Work<'a>,
    started: Instant,
    sent: HashSet<ContentHash>,
    kept: HashMap<ContentHash, Bytes>,
    packs: u64,
    pack_bytes: u64,
    overtaken_by: Vec<ReleaseId>,
}

/// A release that is ready to be pointed at.
struct Ready {
    manifest: Manifest,
    blob: Blob,
    packs: Vec<Blob>,
}

impl<'a> Publishing<'a> {
    fn new(job: &'a Publication<'a>, work: &'a Work<'a>) -> Self {
        Self {
            job,
            work,
            started: Instant::now(),
            sent: HashSet::new(),
            kept: HashMap::new(),
            packs: 0,
            pack_bytes: 0,
            overtaken_by: Vec::new(),
        }
    }

    async fn run(mut self) -> Result<Published> {
        let (job, deciding) = (self.job, self.job.stores.deciding);
        let areas = load_index(deciding).await?;
        refuse_overlap(job.area, job.stack_id, &areas)?;
        for attempt in 1..=ATTEMPTS {
            let head = Head::read(deciding, job.area, Some(job.stack_id)).await?;
            let current = match &head.current {
                Some(current) => Some(load_manifest(deciding, job.area, &current.marker).await?),
                None => None,
            };
            let draft = Draft::new(&job.content, current.as_ref());
            if let (Some(held), Some(current)) = (&head.current, &current)
                && draft.is_nothing(current)
            {
                if !self.lacks_signature(&held.marker) {
                    return Ok(self.unchanged(held, current).await);
                }
                match self.sign(&head, held).await? {
                    (Commit::Won, signed) => return Ok(self.unchanged(&signed, current).await),
                    (Commit::Lost(other), _) => self.overtaken(&other, attempt).await,
                }
                continue;
            }
            if job.dry_run {
                return Ok(self.planned(&head, draft));
            }
            let counts = (
                draft.changes.added.len(),
                draft.changes.changed.len(),
                draft.changes.removed.len(),
            );
            let ready = self.prepare(&head, draft).await?;
            match self
                .decide(&head, MoveKind::Publish, ready.blob, ready.packs.clone())
                .await?
            {
                (Commit::Won, moved) => {
                    let mut report = self.committed(&moved, &ready.manifest).await;
                    (report.added, report.changed, report.removed) =
                        (counts.0 as u64, counts.1 as u64, counts.2 as u64);
                    return Ok(report);
                }
                (Commit::Lost(other), _) => self.overtaken(&other, attempt).await,
            }
        }
        Err(
            Error::refused(format!("others publish to area `{}` all the time", job.area))
                .with_hint("run the same command again"),
        )
    }

    /// Sends packs and manifest to the durable stores. Whatever happens next, no reader sees them yet.
    async fn prepare(&mut self, head: &Head, draft: Draft) -> Result<Ready> {
        let job = self.job;
        let parent = head.current.as_ref().map(|held| held.marker.release.clone());
        let mut places = draft.known;
        let mut sizes: HashMap<ContentHash, Blob> = HashMap::new();
        if let Some(held) = &head.current {
            sizes.extend(held.marker.packs.iter().map(|pack| (pack.sha256, *pack)));
        }
        let moving = self.moving(&draft.moving, &sizes).await?;
        for pack in self.send_packs(&draft.fresh, moving).await? {
            sizes.insert(pack.blob.sha256, pack.blob);
            places.extend(pack.contents);
        }
        let mut manifest = Manifest::new(job.area.as_str(), job.author, job.message, parent);
        manifest.removed = draft.removed;
        let mut packs = BTreeMap::new();
        for (path, file) in draft.wanted {
            let place = places
                .get(&file.sha256)
                .ok_or_else(|| Error::unexpected(format!("the content of `{path}` is in no pack")))?;
            if let Some(blob) = sizes.get(&place.pack) {
                packs.insert(place.pack, *blob);
            }
            manifest.files.insert(path, entry(&file.sha256, file.size, place));
        }
        let bytes = manifest
            .to_bytes()
            .map_err(|error| Error::unexpected(format!("compressing the manifest failed: {error}")))?;
        let blob = Blob::of(&bytes);
        let keyed = Keyed {
            key: keys::release(job.area, &ReleaseId::of(blob.sha256)),
            blob,
        };
        self.send(&keyed, &bytes).await?;
        self.kept.insert(blob.sha256, bytes);
        self.sent.insert(blob.sha256);
        Ok(Ready {
            manifest,
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
        let deciding = self.job.stores.deciding;
        let mut packs: HashMap<ContentHash, Bytes> = HashMap::new();
        let mut compressed = Vec::with_capacity(moving.len());
        for (sha256, place) in moving {
            if !packs.contains_key(&place.pack)
                && let Some(blob) = sizes.get(&place.pack)
            {
                let keyed = Keyed {
                    key: keys::pack(self.job.area, place.pack),
                    blob: *blob,
                };
                packs.insert(place.pack, fetch(deciding, &keyed).await?);
            }
            let pack = packs.get(&place.pack).cloned().unwrap_or_default();
            let bytes = slice(&pack, place).map_err(|message| {
                let key = keys::pack(self.job.area, place.pack);
                StoreError::new(deciding.kind(), StoreErrorKind::Corrupt, message).at(key)
            })?;
            compressed.push(Compressed {
                sha256: *sha256,
                bytes: bytes.to_vec(),
            });
        }
        Ok(compressed)
    }

    async fn send_packs(&mut self, fresh: &[usize], moving: Vec<Compressed>) -> Result<Vec<Pack>> {
        let (job, tree) = (self.job, self.job.content.tree);
        let meter = Meter::new(self.work.reporter, Task::Pack, fresh.len() + moving.len(), None);
        let sending = make::packs(tree, fresh, moving).map_ok(|pack| {
            let this = &*self;
            async move {
                let keyed = Keyed {
                    key: keys::pack(job.area, pack.blob.sha256),
                    blob: pack.blob,
                };
                if !this.sent.contains(&pack.blob.sha256) {
                    this.send(&keyed, &pack.bytes).await?;
                }
                Ok(pack)
            }
        });
        let mut sending = sending.try_buffered(PACKS_AT_ONCE).boxed();
        let (mut packs, mut bytes): (Vec<Pack>, usize) = (Vec::new(), 0);
        while let Some(mut pack) = sending.try_next().await? {
            if self.work.interrupt.requested() {
                return Err(interrupted());
            }
            meter.add(pack.contents.len(), pack.bytes.len() as u64);
            bytes += pack.bytes.len();
            if bytes > KEPT {
                pack.bytes = Bytes::new();
            }
            packs.push(pack);
        }
        drop(sending);
        for pack in &packs {
            if self.sent.insert(pack.blob.sha256) {
                self.packs += 1;
                self.pack_bytes += pack.blob.size;
            }
            if !pack.bytes.is_empty() {
                self.kept.insert(pack.blob.sha256, pack.bytes.clone());
            }
        }
        Ok(packs)
    }

    async fn send(&self, keyed: &Keyed, value: &Bytes) -> Result<()> {
        let sending = self
            .job
            .stores
            .confirming()
            .map(|store| async move { blob::write(store, &[(keyed.clone(), value.clone())]).await });
        try_join_all(sending).await?;
        Ok(())
    }

    fn lacks_signature(&self, marker: &Marker) -> bool {
        let signer = self.job.signer.filter(|_| !self.job.dry_run);
        signer.is_some_and(|key| !marker.is_signed_with(&key.public()))
    }

    /// Moves the marker to where it is, with a signature.
    async fn sign(&self, head: &Head, found: &Held) -> Result<(Commit, Held)> {
        let Marker { manifest, packs, .. } = &found.marker;
        self.decide(head, MoveKind::Sign, *manifest, packs.clone()).await
    }

    async fn decide(&self, head: &Head, kind: MoveKind, manifest: Blob, packs: Vec<Blob>) -> Result<(Commit, Held)> {
        let job = self.job;
        if self.work.interrupt.requested() {
            return Err(interrupted());
        }
        let step = Step {
            kind,
            area: job.area,
            stack: job.stack_id,
            author: job.author,
            reason: job.message,
            signer: job.signer,
        };
        let marker = Marker::next(head, &step, manifest, packs);
        let bytes = marker.to_bytes();
        let commit = commit(job.stores.deciding, job.area, head, &marker, &bytes).await?;
        Ok((commit, Held { marker, bytes }))
    }

    async fn overtaken(&mut self, other: &Marker, attempt: u32) {
        self.overtaken_by.push(other.release.clone());
        self.work.reporter.report(&Event::Note {
            message: format!(
                "release {} by {} came first; this one goes on top of it",
                other.release, other.author
            ),
        });
        let pause = fastrand::u64(1..=20 * u64::from(attempt));
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    async fn unchanged(self, held: &Held, current: &Manifest) -> Published {
        let mut report = self.report(&held.marker, current);
        if !self.job.dry_run {
            report.stores = self.follow(held, current, true).await;
        }
        report.seconds = self.started.elapsed().as_secs_f64();
        report
    }

    async fn committed(self, held: &Held, manifest: &Manifest) -> Published {
        let mut report = self.report(&held.marker, manifest);
        report.new = true;
        report.stores = self.follow(held, manifest, false).await;
        report.seconds = self.started.elapsed().as_secs_f64();
        report
    }

    /// The deciding store keeps the move and notes the area; the others are brought to it.
    async fn follow(&self, held: &Held, manifest: &Manifest, check: bool) -> Vec<CopyReport> {
        let job = self.job;
        let copying = Copying {
            area: job.area,
            deciding: job.stores.deciding,
            held,
            files: manifest.files.len() as u64,
            bytes: manifest.bytes(),
            sent: &self.sent,
            kept: &self.kept,
            check,
        };
        let own = async {
            let noted = async {
                keep_step(job.stores.deciding, job.area, held.marker.sequence, &held.bytes).await?;
                if check {
                    return Ok(());
                }
                record_area(job.stores.deciding, job.area, &copying.record(true)).await
            };
            match noted.await {
                Ok(()) => CopyReport::new(job.stores.deciding.kind(), CopyState::Decides),
                Err(error) => CopyReport::lags(job.stores.deciding.kind(), &error),
            }
        };
        let (own, others) = futures_util::future::join(
            own,
            join_all(job.stores.following().map(|(store, role)| copying.bring(store, role))),
        )
        .await;
        let mut reports = vec![own];
        reports.extend(others);
        reports.sort_by_key(|report| report.store);
        reports
    }

    fn planned(self, head: &Head, draft: Draft) -> Published {
        let changes = draft.changes;
        Published {
            release: None,
            new: true,
            sequence: head.sequence + 1,
            parent: head.current.as_ref().map(|held| held.marker.release.clone()),
            files: draft.wanted.len() as u64,
            bytes: draft.wanted.values().map(|file| file.size).sum(),
            added: changes.added.len() as u64,
            changed: changes.changed.len() as u64,
            removed: changes.removed.len() as u64,
            changes: Some(changes),
            packs: 0,
            pack_bytes: 0,
            overtaken_by: Vec::new(),
            stores: Vec::new(),
            seconds: self.started.elapsed().as_secs_f64(),
        }
    }

    fn report(&self, marker: &Marker, manifest: &Manifest) -> Published {
        Published {
            release: Some(marker.release.clone()),
            new: false,
            sequence: marker.sequence,
            parent: manifest.parent.clone(),
            files: manifest.files.len() as u64,
            bytes: manifest.bytes(),
            added: 0,
            changed: 0,
            removed: 0,
            changes: self.job.dry_run.then(super::Changes::default),
            packs: self.packs,
            pack_bytes: self.pack_bytes,
            overtaken_by: self.overtaken_by.clone(),
            stores: Vec::new(),
            seconds: 0.0,
        }
    }
}

fn entry(sha256: &ContentHash, size: u64, place: &Slot) -> FileEntry {
    FileEntry {
        length: place.length,
        offset: place.offset,
        pack: place.pack,
        sha256: *sha256,
        size,
    }
}

fn interrupted() -> Error {
    Error::from(ErrorKind::Interrupted(
        "interrupted before the release was made; readers see what they saw before".to_owned(),
    ))
    .with_hint("run the same command again")
}

/// The manifest of the release that a marker points at.
pub(super) async fn load_manifest(store: &dyn Store, area: &Area, marker: &Marker) -> Result<Manifest> {
    let keyed = Keyed {
        key: keys::release(area, &marker.release),
        blob: marker.manifest,
    };
    let bytes = fetch(store, &keyed).await?;
    Ok(Manifest::parse(store, &keyed.key, &bytes)?)
}
