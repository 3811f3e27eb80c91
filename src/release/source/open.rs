//! From a location to something that can be read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::kydb::{self, KydbStore};
use super::plain::PlainFiles;
use super::union::Member;
use super::url::{Location, Part};
use crate::aws::Aws;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Reporter;
use crate::interrupt::Interrupt;
use crate::publish::{Area, Tree};
use crate::release::{Place, Reader};
use crate::stack::{Stack, describe, output_key};
use crate::store::{DynamoDbStore, FileStore, RedisAddress, RedisStore, S3Store, Store};
use crate::trust::{Distrust, TrustedKeys};

/// A Redis inside a VPC swallows connection attempts: this much patience, then its packs come from elsewhere.
const PATIENCE: Duration = Duration::from_secs(1);

/// What opening a source takes.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// For sources that take AWS.
    pub aws: Option<&'a Aws>,
    /// Whose releases are taken; everyone's without keys.
    pub trusted: &'a TrustedKeys,
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
}

impl Opening<'_> {
    pub(super) async fn open(&self, part: &Part) -> Result<Member> {
        if let Location::Folder(path) = &part.location {
            return self.folder(path, part).await;
        }
        if let Location::Kydb { store, base } = &part.location {
            return self.kydb(store, base, part).await;
        }
        let place = self.place(&part.location).await?;
        match Reader::open(place.clone(), part.at.as_ref()).await {
            Ok(reader) => Ok(Member::Area(Box::new(reader))),
            Err(missing) if matches!(*missing.kind, ErrorKind::NoRelease { .. }) => {
                self.plain(place, part, missing).await
            }
            Err(error) => Err(error),
        }
    }

    /// An area without a marker: a store alone may have plain files there; an environment has releases or nothing.
    async fn plain(&self, place: Place, part: &Part, missing: Error) -> Result<Member> {
        if matches!(part.location, Location::Environment { .. }) || part.at.is_some() {
            return Err(missing);
        }
        let plain = PlainFiles::read(place, missing).await?;
        if !self.trusted.is_empty() {
            let location = part.location.to_string();
            return Err(Distrust::Unsignable { location }.into());
        }
        Ok(Member::Plain(plain))
    }

    pub(super) async fn place(&self, location: &Location) -> Result<Place> {
        Ok(Place {
            trusted: self.trusted.clone(),
            ..self.found(location).await?
        })
    }

    async fn found(&self, location: &Location) -> Result<Place> {
        Ok(match location {
            Location::Environment { name, area } => environment(self.aws()?, name, area.clone()).await?,
            Location::S3 { bucket, area } => {
                let store = S3Store::new(self.aws()?.s3().clone(), bucket);
                Place::of(Arc::new(store), area.clone())
            }
            Location::DynamoDb { table, area } => {
                let store = DynamoDbStore::new(self.aws()?.dynamodb().clone(), table);
                Place::of(Arc::new(store), area.clone())
            }
            Location::Redis { address, area } => Place::of(Arc::new(RedisStore::new(address.clone())), area.clone()),
            Location::File { root, area } => Place::of(Arc::new(FileStore::new(root)), area.clone()),
            Location::Folder(_) => {
                return Err(Error::usage(format!("`{location}` is a folder, which has no releases")));
            }
            Location::Kydb { .. } => {
                return Err(Error::usage(format!("`{location}` is KYDB's, which has no releases")));
            }
        })
    }

    async fn folder(&self, path: &Path, part: &Part) -> Result<Member> {
        if part.at.is_some() {
            return Err(Error::usage(format!(
                "`{}` is a folder, which has no releases to be pinned to",
                path.display()
            )));
        }
        Ok(Member::Folder(Tree::read(path, self.reporter, self.interrupt).await?))
    }

    async fn kydb(&self, store: &KydbStore, base: &str, part: &Part) -> Result<Member> {
        if part.at.is_some() {
            return Err(Error::usage(format!(
                "`{}` is KYDB's, which has no releases to be pinned to",
                part.location
            )));
        }
        if !self.trusted.is_empty() {
            let location = part.location.to_string();
            return Err(Distrust::Unsignable { location }.into());
        }
        Ok(Member::Folder(Box::pin(kydb::read(store, base, self.aws)).await?))
    }

    fn aws(&self) -> Result<&Aws> {
        self.aws
            .ok_or_else(|| Error::unexpected("this source takes AWS, and there is no connection"))
    }
}

/// An area of an environment: the table's marker, packs from Redis where it answers, else the table, else the bucket.
async fn environment(aws: &Aws, name: &str, area: Area) -> Result<Place> {
    let stack = describe(aws, name).await?.ok_or_else(|| {
        Error::from(ErrorKind::NoEnvironment {
            name: name.to_owned(),
            place: format!("in {}", aws.region()),
        })
        .with_hint("`rstack status` without a name lists those there are")
    })?;
    let endpoints = stack.outputs.endpoints()?;
    let address = RedisAddress {
        tls: endpoints.redis.tls,
        password: password(aws, &stack).await,
        ..RedisAddress::new(endpoints.redis.address, endpoints.redis.port)
    };
    let table = DynamoDbStore::new(aws.dynamodb().clone(), endpoints.table);
    Ok(Place {
        cache: answering(RedisStore::new(address)).await,
        backup: Some(Arc::new(S3Store::new(aws.s3().clone(), endpoints.bucket))),
        stack_id: Some(stack.id),
        ..Place::of(Arc::new(table), area)
    })
}

async fn answering(redis: RedisStore) -> Option<Arc<dyn Store>> {
    match tokio::time::timeout(PATIENCE, redis.ping()).await {
        Ok(Ok(())) => Some(Arc::new(redis)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "redis is passed over");
            None
        }
        Err(_) => {
            tracing::debug!("redis does not answer and is passed over");
            None
        }
    }
}

/// The AUTH token that the stack keeps; without it Redis is passed over.
async fn password(aws: &Aws, stack: &Stack) -> Option<String> {
    let arn = stack.outputs.get(output_key::REDIS_AUTH_SECRET)?;
    aws.secret(arn).await.ok()
}
