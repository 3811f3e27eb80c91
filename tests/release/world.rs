//! Three stores as an environment has them, and what its readers see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use rstack::Result;
use rstack::event::{Event, Reporter};
use rstack::interrupt;
use rstack::publish::{Area, Tree};
use rstack::release::{
    Content, ContentHash, Keep, Moved, Mover, Pin, Place, Proposal, Prune, PruneReport, Publication, Published, Reader,
    Stores, Work, prune, publish,
};
use rstack::store::{MemoryStore, Store};
use rstack::time::Timestamp;
use rstack::trust::{PrivateKey, TrustedKeys};

pub(super) type Files = BTreeMap<String, Bytes>;

pub(super) fn files<const N: usize>(files: [(&str, &str); N]) -> Files {
    let file = |(path, content): (&str, &str)| (path.to_owned(), Bytes::from(content.to_owned()));
    files.into_iter().map(file).collect()
}

pub(super) struct Silence;

impl Reporter for Silence {
    fn report(&self, _event: &Event) {}
}

/// Deciding, durable, cache.
#[derive(Clone)]
pub(super) struct World {
    pub(super) stores: [Arc<dyn Store>; 3],
    pub(super) area: Area,
    pub(super) stack: String,
    pub(super) signer: Option<Arc<PrivateKey>>,
    pub(super) trusted: TrustedKeys,
}

impl World {
    pub(super) fn new(stores: [Arc<dyn Store>; 3], area: &str) -> Self {
        Self {
            stores,
            area: area.parse().expect("an area"),
            stack: format!("stack-of-{area}"),
            signer: None,
            trusted: TrustedKeys::default(),
        }
    }

    pub(super) fn in_memory() -> Self {
        let store = || Arc::new(MemoryStore::new()) as Arc<dyn Store>;
        Self::new([store(), store(), store()], "prod")
    }

    /// The same stores, each behind something else.
    pub(super) fn behind(&self, wrap: impl Fn(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        Self {
            stores: self.stores.clone().map(wrap),
            ..self.clone()
        }
    }

    pub(super) fn roles(&self) -> Stores<'_> {
        Stores {
            deciding: &*self.stores[0],
            durable: vec![&*self.stores[1]],
            caches: vec![&*self.stores[2]],
        }
    }

    pub(super) async fn publish(&self, files: &Files, message: &str) -> Result<Published> {
        self.publish_content(files, false, &[], message).await
    }

    /// Adds files to what is there, and hides paths.
    pub(super) async fn publish_content(
        &self,
        files: &Files,
        onto_current: bool,
        removed: &[&str],
        message: &str,
    ) -> Result<Published> {
        let tree = Tree::of(files.clone())?;
        let removed: BTreeSet<Box<str>> = removed.iter().map(|path| (*path).into()).collect();
        let (stores, (_interrupter, interrupt)) = (self.roles(), interrupt::channel());
        let job = Publication {
            content: Content {
                tree: &tree,
                onto_current,
                removed: &removed,
            },
            mover: self.mover(&stores, message),
            trusted: &self.trusted,
            dry_run: false,
        };
        let work = Work {
            reporter: &Silence,
            interrupt: &interrupt,
        };
        publish(&job, &work).await
    }

    fn mover<'a>(&'a self, stores: &'a Stores<'a>, reason: &'a str) -> Mover<'a> {
        Mover {
            area: &self.area,
            stack_id: &self.stack,
            stores,
            author: "tester",
            reason: Some(reason),
            signer: self.signer.as_deref(),
            unsigned: true,
        }
    }

    pub(super) async fn rollback(&self, to: Option<&Pin>) -> Result<Moved> {
        let stores = self.roles();
        let mover = self.mover(&stores, "back");
        let proposal = Proposal::rollback(&mover, to, &self.trusted).await?;
        self.carry_out(&proposal, &mover).await
    }

    /// To the release of another area.
    pub(super) async fn promote(&self, from: &Area, at: Option<&Pin>) -> Result<Moved> {
        let stores = self.roles();
        let mover = self.mover(&stores, "promoted");
        let proposal = Proposal::promotion(&mover, from, at, &self.trusted).await?;
        self.carry_out(&proposal, &mover).await
    }

    /// Lets go of all other releases, also of recent ones, by a clock that is so far ahead.
    pub(super) async fn prune(&self, keep: Keep, later: Duration) -> Result<PruneReport> {
        let (stores, (_interrupter, interrupt)) = (self.roles(), interrupt::channel());
        let job = Prune {
            mover: self.mover(&stores, "pruned"),
            trusted: &self.trusted,
            keep,
            even_recent: true,
            clock: &|| Timestamp::now() + later,
            dry_run: false,
        };
        let work = Work {
            reporter: &Silence,
            interrupt: &interrupt,
        };
        prune(&job, &work).await
    }

    async fn carry_out(&self, proposal: &Proposal, mover: &Mover<'_>) -> Result<Moved> {
        let (_interrupter, interrupt) = interrupt::channel();
        let work = Work {
            reporter: &Silence,
            interrupt: &interrupt,
        };
        proposal.carry_out(mover, &work).await
    }

    /// As `env:` reads it: the deciding marker, packs from the cache first.
    pub(super) fn environment(&self) -> Place {
        let [deciding, durable, cache] = self.stores.clone();
        Place {
            cache: Some(cache),
            backup: Some(durable),
            stack_id: Some(self.stack.clone()),
            trusted: self.trusted.clone(),
            ..Place::of(deciding, self.area.clone())
        }
    }

    /// One store on its own, by its copy of the marker.
    pub(super) fn copy(&self, store: usize) -> Place {
        Place {
            stack_id: Some(self.stack.clone()),
            trusted: self.trusted.clone(),
            ..Place::of(self.stores[store].clone(), self.area.clone())
        }
    }

    /// A store loses what has keys that begin so.
    pub(super) async fn copy_lost(&self, store: usize, prefix: &str) {
        let pages: Vec<_> = self.stores[store].list(prefix).try_collect().await.expect("pages");
        let keys: Vec<String> = pages.concat().into_iter().map(|found| found.key).collect();
        self.stores[store].delete_many(&keys).await.expect("removed");
    }

    /// What a reader of each store, and of the environment, sees now; `None` without a release.
    pub(super) async fn seen(&self) -> Vec<Option<Files>> {
        let mut seen = Vec::new();
        for place in [self.copy(0), self.copy(1), self.copy(2), self.environment()] {
            seen.push(match Reader::open(place, None).await {
                Ok(reader) => Some(all(&reader).await),
                Err(error) if error.to_string().contains("there is no release") => None,
                Err(error) => panic!("{error}"),
            });
        }
        seen
    }

    pub(super) async fn at(&self, pin: &Pin) -> Files {
        let reader = Reader::open(self.environment(), Some(pin)).await.expect("a release");
        all(&reader).await
    }
}

/// Everything that a release has.
pub(super) async fn all(reader: &Reader) -> Files {
    let paths: Vec<&str> = reader.manifest().files.keys().map(AsRef::as_ref).collect();
    let contents = reader.read_many(&paths).await.expect("contents");
    let pairs = paths.iter().zip(contents);
    pairs
        .map(|(path, content)| ((*path).to_owned(), content.expect("it is in the manifest")))
        .collect()
}

/// A marker that somebody changed, with the checksum that goes with it.
pub(super) fn summed(marker: &str) -> Bytes {
    let (text, _) = marker.rsplit_once(",\"sum\":").expect("a checksum");
    let sum = ContentHash::of(format!("{text}}}").as_bytes());
    format!("{text},\"sum\":\"{sum}\"}}").into()
}
