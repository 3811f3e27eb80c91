//! The ledger of an area: which files the last publishing put there, so that the next one knows what to remove.
//!
//! It is written before anything is sent (not complete, naming old and new files) and again when all is done. Whoever
//! is interrupted leaves a ledger behind that names every file which may be there.

use std::fmt;
use std::io::{self, BufReader, BufWriter, IntoInnerError};

use bytes::Bytes;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Tree;
use super::area::Area;
use super::index::{self, FORMAT};
use crate::store::{Body, Put, Store, StoreError, StoreErrorKind, StoreResult, Version, hex, unhex};
use crate::time::Timestamp;

/// Ledgers of many files are large; most of what can be gained comes with the first level.
const LEVEL: i32 = 1;

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) stack: String,
    /// Every file that it names was there and read back when it was written, and nothing has been sent since.
    pub(super) complete: bool,
    pub(super) files: Vec<Named>,
    pub(super) version: Version,
    /// It cannot be read; stack and files are then empty.
    pub(super) damage: Option<StoreError>,
}

/// A file that a ledger names.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) path: String,
    /// SHA-256 and size; `None` for one that is on its way out.
    pub(super) held: Option<([u8; 32], u64)>,
}

#[derive(Deserialize)]
struct Stored {
    v: u32,
    stack: String,
    complete: bool,
    files: NamedFiles,
}

struct NamedFiles(Vec<Named>);

impl<'de> Deserialize<'de> for NamedFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = NamedFiles;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("files by path")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NamedFiles, A::Error> {
                let mut files = Vec::new();
                while let Some((path, held)) = map.next_entry::<_, Option<(String, u64)>>()? {
                    let held = held.and_then(|(sha256, size)| Some((unhex(&sha256)?, size)));
                    files.push(Named { path, held });
                }
                Ok(NamedFiles(files))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

impl Ledger {
    /// Whether it names the files of the tree that the store can hold, with their contents, and no others.
    pub(super) fn names_just(&self, store: &dyn Store, area: &Area, tree: &Tree) -> bool {
        let files = tree.files().iter();
        let fitting = files.filter(|file| store.limit(&area.key(&file.path), file.digest.size).is_none());
        let held = self.files.iter().all(|named| {
            let digest = tree.find(&named.path).map(|place| &tree.files()[place].digest);
            named.held == digest.map(|digest| (digest.sha256, digest.size))
        });
        held && fitting.count() == self.files.len()
    }

    /// The ledger of an area, if it has one.
    pub(super) async fn load(store: &dyn Store, area: &Area) -> StoreResult<Option<Self>> {
        let key = area.ledger_key();
        let Some((value, version)) = store.get_versioned(&key).await? else {
            return Ok(None);
        };
        let stored = match parse(&value) {
            Ok(stored) => stored,
            Err(error) => {
                return Ok(Some(Self {
                    stack: String::new(),
                    complete: false,
                    files: Vec::new(),
                    version,
                    damage: Some(index::unreadable(store, &key, &error)),
                }));
            }
        };
        index::known_format(store, &key, stored.v)?;
        Ok(Some(Self {
            stack: stored.stack,
            complete: stored.complete,
            files: stored.files.0,
            version,
            damage: None,
        }))
    }
}

fn parse(value: &[u8]) -> io::Result<Stored> {
    let json = BufReader::new(zstd::Decoder::new(value)?);
    Ok(serde_json::from_reader(json)?)
}

/// A plain file as the last publishing wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenFile {
    pub(crate) path: String,
    pub(crate) sha256: [u8; 32],
    /// In bytes.
    pub(crate) size: u64,
}

/// The plain files that the stack's last publishing to an area put there, in the order of their paths; those on their
/// way out left out. `None` when the ledger is damaged, so that nobody knows.
pub(crate) async fn written_files(
    store: &dyn Store,
    area: &Area,
    stack_id: &str,
) -> StoreResult<Option<Vec<WrittenFile>>> {
    let Some(ledger) = Ledger::load(store, area).await? else {
        return Ok(Some(Vec::new()));
    };
    if ledger.damage.is_some() {
        return Ok(None);
    }
    if ledger.stack != stack_id {
        return Ok(Some(Vec::new()));
    }
    let written = ledger.files.into_iter().filter_map(|Named { path, held }| {
        let (sha256, size) = held?;
        Some(WrittenFile { path, sha256, size })
    });
    let mut files: Vec<_> = written.collect();
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(Some(files))
}

/// A ledger to write.
#[derive(Serialize)]
pub(super) struct Entry<'a> {
    v: u32,
    stack: &'a str,
    run: &'a str,
    time: Timestamp,
    complete: bool,
    #[serde(serialize_with = "files")]
    files: Files<'a>,
}

pub(super) enum Files<'a> {
    /// What a publishing writes.
    Sent {
        tree: &'a Tree,
        /// Places in the tree.
        wanted: &'a [usize],
        /// Paths on their way out.
        removing: &'a [String],
    },
    /// What was found, when nobody knew any more.
    Found(&'a [WrittenFile]),
}

impl<'a> Entry<'a> {
    pub(super) fn new(stack: &'a str, run: &'a str, complete: bool, files: Files<'a>) -> Self {
        Self {
            v: FORMAT,
            stack,
            run,
            time: Timestamp::now(),
            complete,
            files,
        }
    }

    /// Compressed JSON.
    pub(super) fn to_bytes(&self) -> io::Result<Bytes> {
        let mut writer = BufWriter::new(zstd::Encoder::new(Vec::new(), LEVEL)?);
        serde_json::to_writer(&mut writer, self)?;
        let encoder = writer.into_inner().map_err(IntoInnerError::into_error)?;
        Ok(encoder.finish()?.into())
    }
}

/// `{path: [sha256, size]}`; `null` for one that is on its way out.
fn files<S: Serializer>(files: &Files<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    match files {
        Files::Sent { tree, wanted, removing } => {
            let mut map = serializer.serialize_map(Some(wanted.len() + removing.len()))?;
            for place in *wanted {
                let file = &tree.files()[*place];
                map.serialize_entry(&file.path, &(hex(&file.digest.sha256), file.digest.size))?;
            }
            for path in *removing {
                map.serialize_entry(path, &())?;
            }
            map.end()
        }
        Files::Found(files) => {
            serializer.collect_map(files.iter().map(|file| (&file.path, (hex(&file.sha256), file.size))))
        }
    }
}

/// Writes a ledger in place of one that is damaged or missing: it names what is there, and the next publishing looks at all
/// of it. One that somebody else has written meanwhile stays.
pub(crate) async fn list_found(
    store: &dyn Store,
    area: &Area,
    stack_id: &str,
    files: &[WrittenFile],
) -> StoreResult<()> {
    let key = area.ledger_key();
    let entry = Entry::new(stack_id, "found", false, Files::Found(files));
    let ledger = entry
        .to_bytes()
        .map_err(|error| index::unwritable(store, &key, &error))?;
    match Ledger::load(store, area).await {
        Ok(Some(found)) if found.damage.is_none() => Ok(()),
        Ok(found) => {
            let version = found.map(|found| found.version);
            store.compare_and_set(&key, version.as_ref(), ledger).await.map(drop)
        }
        // No value at all, such as a list in Redis, which nothing can be compared with.
        Err(error) if error.kind == StoreErrorKind::Corrupt => {
            let body = Body::Bytes(ledger);
            let mut put = std::iter::once(Put { key, body });
            store.put_many(&mut put, &|_, _| ()).await
        }
        Err(error) => Err(error),
    }
}
