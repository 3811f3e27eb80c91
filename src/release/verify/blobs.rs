//! Manifests and packs: every store's are hashed, and of each pack every file once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::report::Wrong;
use super::run::Look;
use super::witness::{Copy, Standing, Witness};
use crate::error::{Error, Result};
use crate::publish::Meter;
use crate::release::blob::{self, Keyed};
use crate::release::copies::{blobs, fetch};
use crate::release::marker::{Blob, Held, Marker};
use crate::release::pack;
use crate::release::{ContentHash, FileEntry, Manifest, ReleaseId, keys};
use crate::store::{Store, StoreErrorKind, StoreResult};

/// Values that are on their way at once, and KiB of them.
const AT_ONCE: usize = 8;
const BUDGET: u32 = 64 << 10;
/// A manifest takes several times its size once it is unpacked.
const UNPACKED: u64 = 8;
/// Damaged files of one pack that are named.
const NAMED: usize = 10;

/// A release that has to be there.
pub(super) struct Kept {
    pub(super) manifest: Keyed,
    pub(super) packs: Vec<Blob>,
}

/// The contents of a pack by offset and length, each under one of its paths.
type Contents = BTreeMap<(u64, u64), (FileEntry, Box<str>)>;

/// What the manifests say.
#[derive(Default)]
pub(super) struct Index {
    pub(super) contents: HashMap<ContentHash, Contents>,
    pub(super) current: Option<Manifest>,
}

/// How a store's value is.
enum Seen {
    Right(Bytes),
    Missing,
    Damaged(String),
    /// It cannot be asked.
    Unknown,
}

/// The releases that these moves lead to.
pub(super) fn releases<'m>(look: &Look<'_>, moves: impl Iterator<Item = &'m Marker>) -> BTreeMap<&'m ReleaseId, Kept> {
    let kept = |marker: &'m Marker| Kept {
        manifest: Keyed {
            key: keys::release(look.area, &marker.release),
            blob: marker.manifest,
        },
        packs: marker.packs.clone(),
    };
    moves.map(|marker| (&marker.release, kept(marker))).collect()
}

impl Look<'_> {
    /// Looks at every manifest, and gives what they say.
    pub(super) async fn manifests(
        &self,
        releases: &BTreeMap<&ReleaseId, Kept>,
        head: &Held,
        meter: &Meter<'_>,
    ) -> Result<Index> {
        let jobs: Vec<_> = releases
            .iter()
            .map(|(id, kept)| async move {
                let _room = self.room(kept.manifest.blob.size * UNPACKED).await?;
                let mut manifest = None;
                let parse = async |store: &dyn Store, value: Bytes| {
                    manifest = Some(Manifest::parse(store, &kept.manifest.key, &value));
                };
                self.blob(&kept.manifest, head, meter, parse).await?;
                Ok::<_, Error>((kept, *id == &head.marker.release, manifest.transpose()))
            })
            .collect();
        let mut manifests = stream::iter(jobs).buffer_unordered(AT_ONCE);
        let mut index = Index::default();
        while let Some((kept, current, manifest)) = manifests.try_next().await? {
            let Some(manifest) = manifest? else { continue };
            self.unnamed(kept, &manifest);
            for (path, file) in &manifest.files {
                let contents = index.contents.entry(file.pack).or_default();
                let place = (file.offset, file.length);
                contents.entry(place).or_insert_with(|| (*file, path.clone()));
            }
            if current {
                index.current = Some(manifest);
            }
        }
        Ok(index)
    }

    /// Tells of packs that a manifest needs and the move to it does not name, so that nobody fetches them.
    fn unnamed(&self, kept: &Kept, manifest: &Manifest) {
        let named: BTreeSet<ContentHash> = kept.packs.iter().map(|pack| pack.sha256).collect();
        let lost = manifest.files.values().find(|file| !named.contains(&file.pack));
        if let Some(file) = lost {
            let message = format!("the move to it does not name its pack {}", file.pack);
            self.witnesses[0].differs(&kept.manifest.key, Wrong::Damaged, false, Some(message));
        }
    }

    /// Looks at every pack, and at what is in it.
    pub(super) async fn packs(
        &self,
        packs: &BTreeMap<ContentHash, Blob>,
        mut contents: HashMap<ContentHash, Contents>,
        head: &Held,
        meter: &Meter<'_>,
    ) -> Result<()> {
        let jobs: Vec<_> = packs
            .values()
            .map(|pack| {
                let keyed = Keyed {
                    key: keys::pack(self.area, pack.sha256),
                    blob: *pack,
                };
                let contents = contents.remove(&pack.sha256).unwrap_or_default();
                async move {
                    let _room = self.room(keyed.blob.size).await?;
                    let mut damaged = Vec::new();
                    let check = async |_: &dyn Store, value: Bytes| damaged = unpack_all(value, contents).await;
                    self.blob(&keyed, head, meter, check).await?;
                    for message in damaged {
                        self.witnesses[0].differs(&keyed.key, Wrong::Damaged, false, Some(message));
                    }
                    Ok::<_, Error>(())
                }
            })
            .collect();
        stream::iter(jobs).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Looks at one value in every store. The first store that has it right shows it to `inspect`, and is where the
    /// others get it from.
    async fn blob(
        &self,
        keyed: &Keyed,
        head: &Held,
        meter: &Meter<'_>,
        inspect: impl AsyncFnOnce(&dyn Store, Bytes),
    ) -> Result<()> {
        self.go_on()?;
        let (mut inspect, mut right, mut wrong) = (Some(inspect), None, Vec::new());
        for witness in &self.witnesses {
            match look_at(witness, keyed).await {
                Seen::Right(value) => {
                    if let Some(inspect) = inspect.take() {
                        inspect(witness.store, value).await;
                        right = Some(witness);
                    }
                }
                Seen::Missing => wrong.push((witness, Wrong::Missing, None)),
                Seen::Damaged(message) => wrong.push((witness, Wrong::Damaged, Some(message))),
                Seen::Unknown => {}
            }
            meter.add(1, keyed.blob.size);
        }
        for (witness, what, message) in wrong {
            let required = what == Wrong::Damaged || self.requires(witness, keyed, head);
            let wanted = self.repair && (required || self.will_require(witness, keyed, head));
            let copied = match right {
                Some(right) if wanted => Some(copy(right, witness, keyed).await),
                _ => None,
            };
            let repaired = matches!(copied, Some(Ok(())));
            if wanted && !repaired {
                witness.found().incomplete = true;
            }
            if required {
                let nowhere = || right.is_none().then(|| "no store has it as it should be".to_owned());
                let failed = copied.and_then(Result::err).map(|error| error.to_string());
                witness.differs(&keyed.key, what, repaired, failed.or_else(nowhere).or(message));
            }
        }
        Ok(())
    }

    /// Whether the store is not as it should be without this. Caches need only what their own marker names.
    fn requires(&self, witness: &Witness<'_>, keyed: &Keyed, head: &Held) -> bool {
        let named = |marker: &Marker| blobs(self.area, marker).contains(keyed);
        match (witness.standing, &witness.copy) {
            (Standing::Decides | Standing::Durable, _) => true,
            (Standing::Cache, Copy::Good(copy)) => named(&copy.marker),
            (Standing::Cache, Copy::Damaged(_)) => !witness.exempt && named(&head.marker),
            (Standing::Cache, Copy::Absent) => false,
        }
    }

    /// Whether it needs this once its marker is where it should be.
    fn will_require(&self, witness: &Witness<'_>, keyed: &Keyed, head: &Held) -> bool {
        !witness.exempt && blobs(self.area, &head.marker).contains(keyed)
    }

    async fn room(&self, bytes: u64) -> Result<tokio::sync::SemaphorePermit<'_>> {
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(BUDGET).min(BUDGET);
        let room = self.budget.acquire_many(kib).await;
        room.map_err(|error| Error::unexpected(format!("the budget of memory is gone: {error}")))
    }
}

/// How much may be in memory at once.
pub(super) fn budget() -> tokio::sync::Semaphore {
    tokio::sync::Semaphore::new(BUDGET as usize)
}

async fn look_at(witness: &Witness<'_>, keyed: &Keyed) -> Seen {
    if !witness.answers() {
        return Seen::Unknown;
    }
    let seen = match blob::read(witness.store, std::slice::from_ref(keyed)).await {
        Ok(mut found) => match found.pop().flatten() {
            Some(value) => Seen::Right(value),
            None => Seen::Missing,
        },
        Err(error) if error.kind == StoreErrorKind::Corrupt => Seen::Damaged(error.message),
        Err(error) => {
            witness.fails(error);
            return Seen::Unknown;
        }
    };
    let bytes = if matches!(seen, Seen::Missing) {
        0
    } else {
        keyed.blob.size
    };
    witness.read(1, bytes);
    seen
}

async fn copy(from: &Witness<'_>, to: &Witness<'_>, keyed: &Keyed) -> StoreResult<()> {
    let value = fetch(from.store, keyed).await?;
    blob::write(to.store, &[(keyed.clone(), value)]).await
}

/// What is wrong with the files of a pack.
async fn unpack_all(pack: Bytes, contents: Contents) -> Vec<String> {
    let work = move || {
        let wrong = contents.values().filter_map(|(file, path)| {
            let error = pack::check(&pack, file).err()?;
            Some(format!("`{path}` in this pack: {error}"))
        });
        wrong.take(NAMED).collect()
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| vec![format!("unpacking broke off: {error}")])
}
