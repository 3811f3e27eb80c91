//! One run of each way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::try_join_all;

use super::scratch::{Filling, ScratchCache, fill};
use super::subject::{Held, Standing, Subject, Target};
use super::way::Way;
use crate::aws::{Access, Aws, StoreEndpoints};
use crate::error::{Error, Result};
use crate::event::{Event, Reporter};
use crate::interrupt::Interrupt;
use crate::publish::{Area, RECORDS, Tree};
use crate::release::{Load, LocalCache, Opening, Reader, Source};
use crate::store::Store;
use crate::traffic::Traffic;
use crate::trust::TrustedKeys;

/// Single reads of one run.
const READS: usize = 20;

/// What measuring takes.
pub struct Bench<'a> {
    /// Every run connects anew.
    pub access: &'a Access,
    pub endpoints: &'a StoreEndpoints,
    pub trusted: &'a TrustedKeys,
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
}

/// One run. Making clients is not in it, connecting is.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Of the run; of single reads one of each.
    pub seconds: Vec<f64>,
    /// Of one reader.
    pub files: u64,
    /// Of their contents, of one reader.
    pub bytes: u64,
    /// Of all readers together; round trips are those of the one that made most.
    pub traffic: Traffic,
}

/// One reader and all that it loads with.
struct Seat {
    aws: Option<Aws>,
    cache: Arc<LocalCache>,
}

impl Bench<'_> {
    /// Clients without a connection.
    async fn aws(&self, subject: &Subject) -> Result<Option<Aws>> {
        if !subject.needs_aws() {
            return Ok(None);
        }
        let aws = Aws::connect(self.access).await?.by_way_of(self.endpoints.clone());
        let _ = (aws.s3(), aws.dynamodb());
        Ok(Some(aws))
    }

    fn opening<'b>(&'b self, seat: &'b Seat, load: Load) -> Opening<'b> {
        Opening {
            aws: seat.aws.as_ref(),
            trusted: self.trusted,
            cache: &seat.cache,
            load,
            reporter: self.reporter,
            interrupt: self.interrupt,
        }
    }

    async fn seat(&self, subject: &Subject, cache: Arc<LocalCache>) -> Result<Seat> {
        let aws = self.aws(subject).await?;
        Ok(Seat { aws, cache })
    }

    /// Finds out what there is to load in these ways.
    ///
    /// # Errors
    /// When the subject cannot be opened, or is empty.
    pub async fn look(&self, subject: &Subject, ways: &[Way]) -> Result<Held> {
        let seat = self.seat(subject, LocalCache::in_memory()).await?;
        let paths = match &subject.target {
            Target::Source(url) => {
                let source = Source::open(url, &self.opening(&seat, Load::Index)).await?;
                source.list().into_keys().collect()
            }
            Target::Area { standing, area, by } => {
                let place = standing.place(area, *by, seat.clients()?, &seat.cache, self.trusted);
                let reader = Reader::load(place, None, Load::Index).await?;
                reader.manifest().files.keys().map(ToString::to_string).collect()
            }
        };
        let mut held = Held::of(paths)?;
        if !ways.iter().any(|way| way.reads_keys()) {
            return Ok(held);
        }
        if let Some((store, area)) = self.store(subject, &seat).await {
            let plain: Vec<String> = held.paths.iter().map(|path| area.key(path)).collect();
            if store.are_there(&plain).await?.iter().all(|there| *there) {
                held.one = plain.first().cloned();
                held.plain = plain;
            } else {
                let marker = area.key(&format!("{RECORDS}/marker"));
                held.one = store.are_there(std::slice::from_ref(&marker)).await?[0].then_some(marker);
            }
        }
        Ok(held)
    }

    /// The one store that a subject is in.
    async fn store(&self, subject: &Subject, seat: &Seat) -> Option<(Arc<dyn Store>, Area)> {
        match &subject.target {
            Target::Area { by: None, .. } => None,
            Target::Area {
                standing,
                area,
                by: Some(kind),
            } => Some((standing.store(*kind, seat.aws.as_ref()?), area.clone())),
            // An environment has three; a folder and a union have none, which is no error here.
            Target::Source(url) if url.reads_an_environment() => None,
            Target::Source(url) => {
                let place = Source::place(url, &self.opening(seat, Load::Index)).await.ok()?;
                Some((place.marker, place.area))
            }
        }
    }

    /// Runs one way of loading once, with so many readers at the same time, each with connections of its own.
    ///
    /// # Errors
    /// As opening and reading do; when something is not there any more; and for publishing, which is another function.
    pub async fn load(
        &self,
        subject: &Subject,
        held: &Held,
        way: Way,
        readers: u32,
        cache: &ScratchCache,
    ) -> Result<Measured> {
        let mut seats = Vec::new();
        for _ in 0..readers {
            let local = match way {
                Way::Warm => cache.open(self.reporter),
                _ => LocalCache::in_memory(),
            };
            let seat = self.seat(subject, local).await?;
            let store = if way.reads_keys() {
                self.store(subject, &seat).await
            } else {
                None
            };
            seats.push((seat, store.map(|(store, _)| store)));
        }
        if way == Way::Read {
            let store = seats.pop().and_then(|(_, store)| store).ok_or_else(no_store)?;
            return single_reads(&*store, held).await;
        }
        let start = Instant::now();
        let loads = seats.iter().map(|(seat, store)| async move {
            let load = async {
                match (way, store) {
                    (Way::Each, Some(store)) => each(&**store, &held.plain).await,
                    (Way::Batched, Some(store)) => store.get_many(&held.plain).await.map_err(Error::from),
                    (Way::Cold | Way::Warm, _) => self.everything(subject, seat).await.map(|(_, contents)| contents),
                    _ => Err(no_store()),
                }
            };
            let (loaded, traffic) = Box::pin(Traffic::of(load)).await;
            loaded.map(|contents| (contents, traffic))
        });
        let loaded = try_join_all(loads).await;
        let seconds = start.elapsed().as_secs_f64();
        let (mut bytes, mut traffic) = (0, Traffic::default());
        for (contents, of_one) in loaded? {
            bytes = whole(&held.paths, &contents)?;
            traffic = traffic.beside(of_one);
        }
        Ok(Measured {
            seconds: vec![seconds],
            files: held.paths.len() as u64,
            bytes,
            traffic,
        })
    }

    /// Opens the subject and reads all of it: paths and contents.
    async fn everything(&self, subject: &Subject, seat: &Seat) -> Result<(Vec<String>, Vec<Option<Bytes>>)> {
        match &subject.target {
            Target::Source(url) => {
                let source = Source::open(url, &self.opening(seat, Load::Everything)).await?;
                let paths: Vec<String> = source.list().into_keys().collect();
                let wanted: Vec<&str> = paths.iter().map(String::as_str).collect();
                let contents = source.read_many(&wanted).await?;
                self.tell(source.take_warnings());
                Ok((paths, contents))
            }
            Target::Area { standing, area, by } => {
                let place = standing.place(area, *by, seat.clients()?, &seat.cache, self.trusted);
                let reader = Reader::load(place, None, Load::Everything).await?;
                let wanted: Vec<&str> = reader.manifest().files.keys().map(AsRef::as_ref).collect();
                let contents = reader.read_many(&wanted).await?;
                self.tell(reader.place().findings.take_warnings());
                Ok((wanted.iter().map(ToString::to_string).collect(), contents))
            }
        }
    }

    /// What came up while something was read, such as a Redis that does not answer.
    fn tell(&self, warnings: Vec<Event>) {
        for warning in warnings {
            self.reporter.report(&warning);
        }
    }

    /// All that a subject holds, to be published again.
    ///
    /// # Errors
    /// As opening and reading do.
    pub async fn tree(&self, subject: &Subject) -> Result<Tree> {
        let seat = self.seat(subject, LocalCache::in_memory()).await?;
        let (paths, contents) = self.everything(subject, &seat).await?;
        let found = paths.into_iter().zip(contents);
        let contents: BTreeMap<String, Bytes> = found.filter_map(|(path, content)| Some((path, content?))).collect();
        Tree::of(contents)
    }

    /// Publishes a release to all stores of an environment, once.
    ///
    /// # Errors
    /// As publishing does, and when a store lags: that would be another work.
    pub async fn publish(&self, standing: &Standing, tree: &Tree, area: &Area) -> Result<Measured> {
        let aws = Aws::connect(self.access).await?.by_way_of(self.endpoints.clone());
        let _ = (aws.s3(), aws.dynamodb());
        let filling = Filling {
            standing,
            aws: &aws,
            tree,
            area,
            reporter: &Unheard,
            interrupt: self.interrupt,
        };
        let start = Instant::now();
        let (lagging, traffic) = Traffic::of(Box::pin(fill(&filling, false))).await;
        let seconds = start.elapsed().as_secs_f64();
        if let Some(lagging) = lagging? {
            return Err(lagging.into());
        }
        Ok(Measured {
            seconds: vec![seconds],
            files: tree.len() as u64,
            bytes: tree.bytes(),
            traffic,
        })
    }
}

/// Progress of what is timed is not shown.
struct Unheard;

impl Reporter for Unheard {
    fn report(&self, _: &Event) {}
}

impl Seat {
    fn clients(&self) -> Result<&Aws> {
        self.aws
            .as_ref()
            .ok_or_else(|| Error::unexpected("this takes AWS, and there is no connection"))
    }
}

async fn each(store: &dyn Store, keys: &[String]) -> Result<Vec<Option<Bytes>>> {
    let mut contents = Vec::with_capacity(keys.len());
    for key in keys {
        contents.extend(store.get_many(std::slice::from_ref(key)).await?);
    }
    Ok(contents)
}

/// Reads one value again and again, on one connection.
async fn single_reads(store: &dyn Store, held: &Held) -> Result<Measured> {
    let key = held.one.as_ref().ok_or_else(no_store)?;
    let key = std::slice::from_ref(key);
    store.get_many(key).await?;
    let mut seconds = Vec::with_capacity(READS);
    let mut measured = (0, Traffic::default());
    for _ in 0..READS {
        let start = Instant::now();
        let (value, traffic) = Traffic::of(store.get_many(key)).await;
        seconds.push(start.elapsed().as_secs_f64());
        measured = (whole(key, &value?)?, traffic);
    }
    let (bytes, traffic) = measured;
    Ok(Measured {
        seconds,
        files: 1,
        bytes,
        traffic,
    })
}

/// Bytes of all contents, of which none may be missing.
fn whole(paths: &[String], contents: &[Option<Bytes>]) -> Result<u64> {
    if contents.len() != paths.len() {
        return Err(Error::refused("it changed while it was being measured"));
    }
    let mut bytes = 0;
    for (path, content) in paths.iter().zip(contents) {
        let Some(content) = content else {
            return Err(Error::refused(format!("`{path}` is not there any more")));
        };
        bytes += content.len() as u64;
    }
    Ok(bytes)
}

fn no_store() -> Error {
    Error::refused("there are no plain files to read one by one").with_hint(
        "`rstack seed --plain` writes those of an area's newest release, and the URL of one store, without `?at=`, reads them",
    )
}
