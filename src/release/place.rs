//! Where an area is read, and which of its moves a reader goes by.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;

use super::cache::{LocalCache, NoteKind};
use super::confirm::Confirmed;
use super::history::{self, DamagedMove, Pin};
use super::marker::{Head, Held, Marker};
use super::read::Load;
use super::source::Whereabouts;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::publish::Area;
use crate::store::{Store, StoreError};
use crate::trust::{Distrust, SignatureState, TrustedKeys};

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
    /// Of an environment, so that other processes need not ask for it.
    pub whereabouts: Option<Arc<Whereabouts>>,
    /// As an earlier process found it, and without a Redis that takes a password: for a release of which this machine has
    /// what is wanted when it is opened. What else is read comes from where it was.
    pub remembered: bool,
    /// Whose releases are taken; everyone's without keys.
    pub trusted: TrustedKeys,
    /// A copy of a marker that was not known to be the current one for so long is refused.
    pub stale: Option<Duration>,
    /// Asked before any store.
    pub local: Arc<LocalCache>,
    /// Shared by all readers that come from this one.
    pub findings: Arc<Findings>,
}

/// What the readers of a place came upon.
#[derive(Debug, Default)]
pub struct Findings {
    waiting: Mutex<Vec<Event>>,
    warned: AtomicBool,
    cache_fails: AtomicBool,
    mended: Mutex<Mended>,
}

/// What was put back into the cache.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mended {
    pub(super) lacking: u64,
    pub(super) damaged: u64,
    pub(super) bytes: u64,
}

impl Findings {
    /// Warnings that were not told yet.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<Event> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the cache is asked no more.
    pub(super) fn cache_fails(&self) -> bool {
        self.cache_fails.load(Ordering::Relaxed)
    }

    /// Adds to what was put back, and tells how much that is by now.
    pub(super) fn mended(&self, now: Mended) -> Mended {
        let mut mended = self.mended.lock().unwrap_or_else(PoisonError::into_inner);
        mended.lacking += now.lacking;
        mended.damaged += now.damaged;
        mended.bytes += now.bytes;
        *mended
    }

    /// Gives the cache another chance.
    pub(super) fn forgive_cache(&self) {
        self.cache_fails.store(false, Ordering::Relaxed);
    }

    /// From now on the cache is passed over, which is told once.
    pub(super) fn pass_over_cache(&self, cache: &dyn Store, error: &StoreError) {
        self.cache_fails.store(true, Ordering::Relaxed);
        tracing::debug!(%error, "the cache is passed over");
        if self.warned.swap(true, Ordering::Relaxed) {
            return;
        }
        let warning = Event::Warning {
            message: format!("{} {} is passed over: {}", cache.kind(), cache.place(), error.message),
            hint: error.hint(),
        };
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(warning);
    }
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
            whereabouts: None,
            remembered: false,
            trusted: TrustedKeys::default(),
            stale: None,
            local: LocalCache::in_memory(),
            findings: Arc::default(),
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

    /// What is to be thought of the signature of a move that was found here.
    #[must_use]
    pub fn signature_state(&self, marker: &Marker) -> SignatureState {
        marker.signature_state(&self.area, &self.trusted)
    }

    /// Every move of the area's marker that is kept, the newest first. They are not checked against trusted keys, since
    /// they are only shown: see [`Place::signature_state`].
    ///
    /// # Errors
    /// When there is no release, or the store cannot be read.
    pub async fn moves(&self) -> Result<Vec<Marker>> {
        let head = self.head().await?;
        Ok(history::moves(&*self.marker, &self.area, &head).await?)
    }

    /// As [`Place::moves`], and those that are kept and cannot be read.
    ///
    /// # Errors
    /// When there is no release, or the store cannot be read.
    pub async fn readable_moves(&self) -> Result<(Vec<Marker>, Vec<DamagedMove>)> {
        let head = self.head().await?;
        Ok(history::readable_moves(&*self.marker, &self.area, &head).await?)
    }

    /// Which move the area is at.
    ///
    /// # Errors
    /// When there is no release, or the store cannot be read.
    pub async fn sequence(&self) -> Result<u64> {
        Ok(self.head().await?.marker.sequence)
    }

    /// The move that the area is at, or that the pin means. One that leads to a release with a known id is not asked
    /// for when this machine has it: it can lead nowhere else.
    pub(super) async fn find(&self, pin: Option<&Pin>) -> Result<Marker> {
        let marker = match pin {
            None => self.current().await?,
            Some(pin) => match self.noted(pin) {
                Some(marker) => marker,
                None => self.earlier(pin).await?,
            },
        };
        marker.check(&self.area, &self.trusted)?;
        if pin.is_none() {
            self.local.saw(&self.line(&marker), marker.sequence);
            self.local
                .leave_note(NoteKind::Current, &self.here(), &marker.to_bytes());
        }
        self.local
            .leave_note(NoteKind::Move, &self.about(marker.release.as_str()), &marker.to_bytes());
        Ok(marker)
    }

    async fn current(&self) -> Result<Marker> {
        let Some(limit) = self.stale else {
            let head = self.head().await?;
            self.refuse_older(&head.marker)?;
            return Ok(head.marker);
        };
        let (head, confirmed) = join(self.head(), Confirmed::read(&*self.marker, &self.area)).await;
        let head = head?;
        self.refuse_older(&head.marker)?;
        Confirmed::refuse_stale(&*self.marker, &head.marker, confirmed?, limit)?;
        Ok(head.marker)
    }

    async fn earlier(&self, pin: &Pin) -> Result<Marker> {
        let head = self.head().await?;
        if matches!(pin, Pin::Time(_)) {
            self.refuse_older(&head.marker)?;
        }
        history::find(&*self.marker, &self.area, &head, pin).await
    }

    /// Refuses a marker that is behind one that was here before.
    fn refuse_older(&self, marker: &Marker) -> Result<()> {
        let seen = self.local.highest(&self.line(marker));
        if marker.sequence >= seen {
            return Ok(());
        }
        Err(Distrust::Older {
            area: self.area.to_string(),
            place: self.marker.place().to_owned(),
            sequence: marker.sequence,
            seen,
        }
        .into())
    }

    /// The moves of one area in one store, as long as it belongs to one stack.
    fn line(&self, marker: &Marker) -> String {
        format!("{}\n{}", self.here(), marker.stack)
    }

    fn here(&self) -> String {
        let (kind, place) = (self.marker.kind(), self.marker.place());
        format!("{kind}\n{place}\n{}", self.area)
    }

    fn about(&self, release: &str) -> String {
        format!("{}\n{release}", self.here())
    }

    /// The move that the area was at when this machine last looked: nothing to go by, only to be quick.
    pub(super) fn last_seen(&self) -> Option<Marker> {
        let note = self.local.note(NoteKind::Current, &self.here())?;
        Marker::parse(&*self.marker, "", &note).ok()
    }

    /// Whether this machine once hashed each file of a release, out of packs that it hashed too. The same manifest and the
    /// same packs hold the same files, so it is enough from then on to hash those. Before, a manifest may say of a file
    /// what its pack does not hold: who publishes takes over places that others wrote.
    pub(super) fn is_proven(&self, marker: &Marker) -> bool {
        let manifest = marker.manifest.sha256.to_string();
        self.local.note(NoteKind::Proven, &manifest).is_some()
    }

    pub(super) fn prove(&self, marker: &Marker) {
        let manifest = marker.manifest.sha256.to_string();
        self.local.leave_note(NoteKind::Proven, &manifest, &Bytes::new());
    }

    fn noted(&self, pin: &Pin) -> Option<Marker> {
        let Pin::Release(id) = pin else { return None };
        let note = self.local.note(NoteKind::Move, &self.about(id))?;
        let marker = Marker::parse(&*self.marker, "", &note).ok()?;
        (marker.release.as_str() == id).then_some(marker)
    }

    /// Whether the pin names a release by its id, and this machine has all that it is made of.
    pub(super) fn noted_complete(&self, pin: &Pin) -> bool {
        self.noted(pin)
            .is_some_and(|marker| self.is_here(&marker, Load::Everything))
    }

    /// Whether this machine has all that is wanted of the release when it is opened.
    pub(super) fn is_here(&self, marker: &Marker, load: Load) -> bool {
        let packs = marker.packs.iter().filter(|pack| load.wants(pack));
        packs.chain([&marker.manifest]).all(|blob| self.local.has(blob))
    }
}
