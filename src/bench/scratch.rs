//! What measuring makes, and takes away again.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::subject::Standing;
use crate::aws::Aws;
use crate::error::Result;
use crate::event::Reporter;
use crate::interrupt::Interrupt;
use crate::publish::{Area, Publish, Tree, publish as publish_files, remove_areas};
use crate::release::{CacheOptions, Content, LocalCache, Mover, Publication, Stores, Work, publish as publish_release};
use crate::store::{Store, StoreError, StoreKind};
use crate::trust::TrustedKeys;

/// A cache of its own, which goes with this.
#[derive(Debug)]
pub struct ScratchCache(PathBuf);

impl ScratchCache {
    /// In the system's folder for temporary files; made when it is first used.
    #[must_use]
    pub fn new() -> Self {
        let name = format!("rstack-bench-{}-{:016x}", std::process::id(), fastrand::u64(..));
        Self(std::env::temp_dir().join(name))
    }

    pub(super) fn open(&self, reporter: &dyn Reporter) -> Arc<LocalCache> {
        LocalCache::open(&CacheOptions::in_folder(&self.0), reporter)
    }
}

impl Default for ScratchCache {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for ScratchCache {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the names of all scratch areas begin with.
const PREFIX: &str = "bench-";
/// A run that was killed leaves its areas behind; none takes longer than this, in seconds.
const ABANDONED: u64 = 6 * 3600;

/// Areas that nobody else has: one to read from, and as many to publish to as it takes. Their names say when they were
/// made: `bench-6928f0a5-0b1c2d3e-0`, in seconds since 1970.
#[derive(Debug)]
pub struct ScratchAreas {
    prefix: String,
    given: AtomicU32,
}

impl ScratchAreas {
    #[must_use]
    pub fn new() -> Self {
        Self {
            prefix: format!("{PREFIX}{:08x}-{:08x}", now(), fastrand::u32(..)),
            given: AtomicU32::new(0),
        }
    }

    /// Another one, in which nothing is.
    ///
    /// # Errors
    /// Never: its name is one of an area.
    pub fn another(&self) -> Result<Area> {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}", self.prefix).parse()
    }

    /// What their names begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether there may be anything to remove.
    #[must_use]
    pub fn used(&self) -> bool {
        self.given.load(Ordering::Relaxed) > 0
    }

    /// Removes all of them from a store, and what runs have left there that were killed six hours ago or more.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn remove(&self, store: &dyn Store) -> Result<u64> {
        let now = now();
        remove_areas(store, PREFIX, |area| {
            area.starts_with(&self.prefix) || abandoned(area, now)
        })
        .await
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// Whether this is a scratch area that nobody uses any more.
fn abandoned(area: &str, now: u64) -> bool {
    let mut parts = area.strip_prefix(PREFIX).unwrap_or_default().split('-');
    let (Some(made), Some(random), Some(number), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let ours = [made, random].into_iter().all(|part| part.len() == 8) && number.parse::<u32>().is_ok();
    u32::from_str_radix(made, 16).is_ok_and(|made| ours && u64::from(made) + ABANDONED < now)
}

impl Default for ScratchAreas {
    fn default() -> Self {
        Self::new()
    }
}

/// Publishes a release to all stores of an environment, as `rstack seed` does; with `plain`, plain files too. Returns
/// what keeps a store from having all of it.
///
/// # Errors
/// As publishing does.
pub async fn fill(filling: &Filling<'_>, plain: bool) -> Result<Option<StoreError>> {
    let Filling {
        standing,
        aws,
        tree,
        area,
        reporter,
        interrupt,
    } = *filling;
    let [s3, dynamodb, redis] = StoreKind::OF_ENVIRONMENT.map(|kind| standing.store(kind, aws));
    let stores = Stores {
        deciding: &*dynamodb,
        durable: vec![&*s3],
        caches: vec![&*redis],
    };
    let removed = BTreeSet::new();
    let job = Publication {
        content: Content {
            tree,
            onto_current: false,
            removed: &removed,
        },
        mover: Mover {
            area,
            stack_id: &standing.stack_id,
            stores: &stores,
            author: "rstack bench",
            reason: None,
            signer: None,
            unsigned: true,
        },
        trusted: &TrustedKeys::default(),
        dry_run: false,
    };
    let work = Work { reporter, interrupt };
    let published = Box::pin(publish_release(&job, &work)).await?;
    if plain {
        let job = Publish {
            tree,
            area,
            stack_id: &standing.stack_id,
            stores: &[&*s3, &*dynamodb, &*redis],
            unanswered: &[],
            dry_run: false,
            reporter,
            interrupt,
        };
        Box::pin(publish_files(&job)).await?;
    }
    Ok(published.stores.into_iter().find_map(|store| store.trouble.cause))
}

/// What to publish, and where.
#[derive(Clone, Copy)]
pub struct Filling<'a> {
    pub standing: &'a Standing,
    pub aws: &'a Aws,
    pub tree: &'a Tree,
    pub area: &'a Area,
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_abandoned_six_hours_after_it_was_made() {
        let made = 0x6928_f0a5;
        let later = |hours: u64| made + hours * 3600 + 1;
        assert!(abandoned("bench-6928f0a5-0b1c2d3e-0", later(6)));
        assert!(!abandoned("bench-6928f0a5-0b1c2d3e-0", later(5)));
        for other in [
            "bench-6928f0a5",
            "bench-6928f0a5-0b1c2d3e-x",
            "bench-mark-20260101-1",
            "main",
            "bench-",
        ] {
            assert!(!abandoned(other, later(1000)), "{other}");
        }
        let areas = ScratchAreas::new();
        let own = areas.another().expect("an area");
        assert!(!abandoned(own.as_str(), now()) && abandoned(own.as_str(), now() + ABANDONED + 1));
    }
}
