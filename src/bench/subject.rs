//! What is loaded, and from where.

use std::sync::Arc;

use crate::aws::Aws;
use crate::error::Result;
use crate::publish::Area;
use crate::release::{LocalCache, Place, SourceUrl};
use crate::store::{DynamoDbStore, RedisAddress, RedisStore, S3Store, Store, StoreKind};
use crate::trust::TrustedKeys;

/// Something to load, under the name that it is shown by.
#[derive(Debug, Clone)]
pub struct Subject {
    pub label: String,
    pub target: Target,
}

/// Where it is.
#[derive(Debug, Clone)]
pub enum Target {
    /// As it is typed.
    Source(SourceUrl),
    /// An area of an environment, found before anything is timed: by its own marker, or by the copies of one store.
    Area {
        standing: Standing,
        area: Area,
        by: Option<StoreKind>,
    },
}

/// Where the stores of an environment are.
#[derive(Debug, Clone)]
pub struct Standing {
    pub bucket: String,
    pub table: String,
    pub redis: RedisAddress,
    pub stack_id: String,
}

/// What a subject turned out to hold.
#[derive(Debug, Clone)]
pub struct Held {
    /// Of the files, sorted.
    pub paths: Vec<String>,
    /// Under which each of them lies as a plain file, if the store has those.
    pub plain: Vec<String>,
    /// A small value to read by itself.
    pub one: Option<String>,
}

impl Standing {
    /// One of the stores, not yet connected.
    #[must_use]
    pub fn store(&self, kind: StoreKind, aws: &Aws) -> Arc<dyn Store> {
        match kind {
            StoreKind::S3 => Arc::new(S3Store::new(aws.s3().clone(), &self.bucket)),
            StoreKind::DynamoDb => Arc::new(DynamoDbStore::new(aws.dynamodb().clone(), &self.table)),
            StoreKind::Redis | StoreKind::File | StoreKind::Memory => Arc::new(RedisStore::new(self.redis.clone())),
        }
    }

    pub(super) fn place(
        &self,
        area: &Area,
        by: Option<StoreKind>,
        aws: &Aws,
        cache: &Arc<LocalCache>,
        trusted: &TrustedKeys,
    ) -> Place {
        let place = Place::of(self.store(by.unwrap_or(StoreKind::DynamoDb), aws), area.clone());
        let whole = by.is_none();
        Place {
            cache: whole.then(|| self.store(StoreKind::Redis, aws)),
            backup: whole.then(|| self.store(StoreKind::S3, aws)),
            stack_id: Some(self.stack_id.clone()),
            trusted: trusted.clone(),
            local: Arc::clone(cache),
            ..place
        }
    }
}

impl Subject {
    /// Whether it takes AWS.
    #[must_use]
    pub fn needs_aws(&self) -> bool {
        match &self.target {
            Target::Source(url) => url.needs_aws(),
            Target::Area { .. } => true,
        }
    }

    /// The environment, where this is one as a whole.
    #[must_use]
    pub fn environment(&self) -> Option<&Standing> {
        match &self.target {
            Target::Area { standing, by: None, .. } => Some(standing),
            _ => None,
        }
    }
}

impl Held {
    /// # Errors
    /// Refused when there is nothing.
    pub(super) fn of(paths: Vec<String>) -> Result<Self> {
        if paths.is_empty() {
            return Err(crate::error::Error::refused("it is empty: there is nothing to load")
                .with_hint("`rstack seed` publishes something; `--scale N` takes the demo scripts N times over"));
        }
        Ok(Self {
            paths,
            plain: Vec::new(),
            one: None,
        })
    }
}
