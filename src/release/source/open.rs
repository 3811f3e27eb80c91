//! From a location to something that can be read.

use std::path::Path;
use std::sync::Arc;

use super::environment;
use super::kydb::{self, KydbStore};
use super::location::Location;
use super::plain::PlainFiles;
use super::union::Member;
use super::url::Part;
use crate::aws::Aws;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Reporter};
use crate::interrupt::Interrupt;
use crate::publish::{Area, Tree};
use crate::release::{Load, LocalCache, Place, Reader};
use crate::store::{DynamoDbStore, FileStore, RedisStore, S3Store};
use crate::trust::{Distrust, TrustedKeys};

const UNPINNABLE: &str =
    "leave `?at=` out, or `--at`, which pins all that a union has; in a union `?at=` pins one part";

/// What opening a source takes.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// For sources that take AWS.
    pub aws: Option<&'a Aws>,
    /// Whose releases are taken; everyone's without keys.
    pub trusted: &'a TrustedKeys,
    /// What this machine keeps of what is read.
    pub cache: &'a Arc<LocalCache>,
    pub load: Load,
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
}

impl Opening<'_> {
    /// Opens a part of a source; `None` where it may be missing and cannot be opened, which is told.
    pub(super) async fn member(&self, part: &Part) -> Result<Option<Arc<Member>>> {
        self.unless_optional(part, self.open(part).await.map(|member| Some(Arc::new(member))))
    }

    /// A part as it is now: itself where nothing has changed, or where it is pinned.
    pub(super) async fn advance(&self, part: &Part, member: Option<&Arc<Member>>) -> Result<Option<Arc<Member>>> {
        match member {
            Some(member) if part.at.is_some() => Ok(Some(Arc::clone(member))),
            Some(member) => {
                let advanced = match &**member {
                    Member::Area(reader) => self.advance_reader(part, reader).await.map(|moved| match moved {
                        Some(reader) => Arc::new(Member::Area(Box::new(reader))),
                        None => Arc::clone(member),
                    }),
                    Member::Folder(_) | Member::Plain(_) => self.open(part).await.map(Arc::new),
                };
                advanced.map(Some)
            }
            None => self.member(part).await,
        }
    }

    async fn advance_reader(&self, part: &Part, reader: &Reader) -> Result<Option<Reader>> {
        if reader.place().remembered {
            return reader.advance_to(self.place(part).await?).await.map(Some);
        }
        reader.advance().await
    }

    fn unless_optional(&self, part: &Part, opened: Result<Option<Arc<Member>>>) -> Result<Option<Arc<Member>>> {
        match opened {
            // A release that cannot be trusted is not a missing one.
            Err(error) if part.optional && !matches!(*error.kind, ErrorKind::Untrusted(_)) => {
                self.reporter.report(&Event::Warning {
                    message: format!("{} is passed over: {error}", part.location),
                    hint: error.hint,
                });
                Ok(None)
            }
            other => other,
        }
    }

    async fn open(&self, part: &Part) -> Result<Member> {
        if let Location::Folder(path) = &part.location {
            return self.folder(path, part).await;
        }
        if let Location::Kydb { store, base } = &part.location {
            return self.kydb(store, base, part).await;
        }
        if let Some(reader) = self.again(part).await {
            return Ok(Member::Area(Box::new(reader)));
        }
        let place = Place {
            stale: part.stale,
            ..self.place(part).await?
        };
        match Reader::load(place.clone(), part.at.as_ref(), self.load).await {
            Ok(reader) => Ok(Member::Area(Box::new(reader))),
            Err(missing) if matches!(*missing.kind, ErrorKind::NoRelease { .. }) => {
                self.plain(place, part, missing).await
            }
            Err(error) => Err(error),
        }
    }

    /// An area without a marker: a store alone may have plain files there; an environment has releases or nothing.
    async fn plain(&self, place: Place, part: &Part, missing: Error) -> Result<Member> {
        if matches!(part.location, Location::Environment { .. }) || part.at.is_some() || part.stale.is_some() {
            return Err(missing);
        }
        let plain = PlainFiles::read(place, missing).await?;
        if !self.trusted.is_empty() {
            let location = part.location.to_string();
            return Err(Distrust::Unsignable { location }.into());
        }
        Ok(Member::Plain(plain))
    }

    /// An environment that this machine has read not long ago, if it is as it was: the marker tells, and nothing else is
    /// asked. Otherwise it is looked for, and whatever went wrong goes wrong again.
    async fn again(&self, part: &Part) -> Option<Reader> {
        let Location::Environment { name, area } = &part.location else {
            return None;
        };
        if part.at.is_some() || part.stores.is_some() {
            return None;
        }
        let place = environment::remembered(self.aws?, self.cache, name, area.clone())?;
        Reader::again(self.read_here(place), self.load).await
    }

    pub(super) async fn place(&self, part: &Part) -> Result<Place> {
        Ok(self.read_here(self.found(part).await?))
    }

    /// With what this process trusts, and what this machine keeps.
    fn read_here(&self, place: Place) -> Place {
        Place {
            trusted: self.trusted.clone(),
            local: Arc::clone(self.cache),
            ..place
        }
    }

    async fn environment(&self, name: &str, area: &Area, part: &Part) -> Result<Place> {
        let (aws, pin) = (self.aws()?, part.at.as_ref());
        if let Some(stores) = &part.stores {
            return Ok(environment::told(aws, self.cache, stores, area.clone(), pin).await);
        }
        match pin.and_then(|pin| environment::noted(aws, self.cache, name, area.clone(), pin)) {
            Some(place) => Ok(place),
            None => environment::place(aws, self.cache, name, area.clone()).await,
        }
    }

    async fn found(&self, part: &Part) -> Result<Place> {
        let location = &part.location;
        Ok(match location {
            Location::Environment { name, area } => self.environment(name, area, part).await?,
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
            ))
            .with_hint(UNPINNABLE));
        }
        Ok(Member::Folder(Tree::read(path, self.reporter, self.interrupt).await?))
    }

    async fn kydb(&self, store: &KydbStore, base: &str, part: &Part) -> Result<Member> {
        if part.at.is_some() {
            return Err(Error::usage(format!(
                "`{}` is KYDB's, which has no releases to be pinned to",
                part.location
            ))
            .with_hint(UNPINNABLE));
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
