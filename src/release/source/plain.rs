//! The files below a prefix of a store that no marker speaks for: what other tools put there, or plain files alone.
//!
//! Nothing names them as a whole, so they are listed and read once to learn their hashes; what is read later has to
//! have the same hash, so that an opened source does not change under its reader.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;

use crate::error::{Error, Result};
use crate::publish::{Area, RECORDS, is_inside};
use crate::release::{ContentHash, Place};
use crate::store::{Store, StoreError, StoreErrorKind};

/// How many values are asked for at once, and how many bytes of them where the listing tells sizes.
const BATCH: usize = 100;
const BATCH_BYTES: u64 = 16 << 20;
/// Contents that stay in memory, in bytes; the rest is asked for again.
const KEPT: u64 = 64 << 20;
/// Behind the name of an area that has releases.
const MARKER: &str = "/.rstack/marker";

/// Plain files of one area of one store, as they were when they were opened.
#[derive(Debug)]
pub struct PlainFiles {
    store: Arc<dyn Store>,
    area: Area,
    files: BTreeMap<Box<str>, PlainFile>,
}

#[derive(Debug)]
struct PlainFile {
    sha256: ContentHash,
    /// In bytes.
    size: u64,
    content: Option<Bytes>,
}

impl PlainFiles {
    /// Reads an area that has no marker; `missing` is the error that says so, and stands if there are no files either.
    ///
    /// # Errors
    /// When there is nothing, the store cannot be listed or read, or a key cannot be the path of a file; and when there
    /// are releases, whose marker was lost: what lies beside them may be older.
    pub(super) async fn read(place: Place, missing: Error) -> Result<Self> {
        let keys = match list(&place).await {
            Ok(keys) => keys,
            Err(error) if error.kind == StoreErrorKind::Denied => {
                let message = format!("{missing}, and whether there are plain files cannot be seen: {error}");
                return Err(Error::refused(message).with_hint(error.hint().or(missing.hint).unwrap_or_default()));
            }
            Err(error) => return Err(error.into()),
        };
        let (records, paths): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .partition(|(path, _)| path.strip_prefix(RECORDS).is_some_and(|rest| rest.starts_with('/')));
        if let Some((record, _)) = records.iter().find(|(path, _)| is_of_a_release(path)) {
            return Err(Error::refused(format!(
                "{missing}, but a part of one, `{}`: its marker was lost",
                place.area.key(record)
            ))
            .with_hint("publish it again with `rstack seed`, or read another store of the same environment"));
        }
        if let Some((inner, _)) = paths.iter().find_map(|(path, _)| path.split_once(MARKER)) {
            return Err(Error::refused(format!("{missing}, but in areas below it"))
                .with_hint(format!("name one of them, such as `{}`", place.area.key(inner))));
        }
        if paths.is_empty() {
            return Err(Error {
                hint: Some(
                    "`rstack seed DIR --area AREA` publishes one; there are no plain files there either".to_owned(),
                ),
                ..missing
            });
        }
        if let Some((path, _)) = paths.iter().find(|(path, _)| !is_inside(path)) {
            return Err(Error::refused(format!(
                "{:?} in {} cannot be a file",
                place.area.key(path),
                place.marker.place()
            ))
            .with_hint("its path would lead out of the area; remove it"));
        }
        let mut plain = Self {
            store: place.marker,
            area: place.area,
            files: BTreeMap::new(),
        };
        plain.load(paths).await?;
        Ok(plain)
    }

    /// Learns what the files are, and keeps the first of them.
    async fn load(&mut self, paths: Vec<(String, u64)>) -> Result<()> {
        let mut kept = 0;
        let mut rest = paths.as_slice();
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(batch_of(rest));
            rest = after;
            let keys: Vec<String> = batch.iter().map(|(path, _)| self.area.key(path)).collect();
            for ((path, _), value) in batch.iter().zip(self.store.get_many(&keys).await?) {
                // Removed since it was listed.
                let Some(value) = value else { continue };
                let size = value.len() as u64;
                kept += size;
                let file = PlainFile {
                    sha256: ContentHash::of(&value),
                    size,
                    content: (kept <= KEPT).then_some(value),
                };
                self.files.insert(path.as_str().into(), file);
            }
        }
        Ok(())
    }

    /// Where they are, in words.
    #[must_use]
    pub fn place(&self) -> String {
        format!("`{}/` of {}", self.area, self.store.place())
    }

    pub(super) fn find(&self, path: &str) -> Option<(ContentHash, u64)> {
        self.files.get(path).map(|file| (file.sha256, file.size))
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(AsRef::as_ref)
    }

    pub(super) async fn read_many(&self, paths: &[&str]) -> Result<Vec<Option<Bytes>>> {
        let files: Vec<Option<&PlainFile>> = paths.iter().map(|path| self.files.get(*path)).collect();
        let mut contents: Vec<Option<Bytes>> = files.iter().map(|file| (*file)?.content.clone()).collect();
        let wanted: Vec<usize> = (0..paths.len())
            .filter(|at| files[*at].is_some() && contents[*at].is_none())
            .collect();
        let keys: Vec<String> = wanted.iter().map(|at| self.area.key(paths[*at])).collect();
        for ((at, key), value) in wanted.into_iter().zip(&keys).zip(self.store.get_many(&keys).await?) {
            let same = |value: &Bytes| files[at].is_some_and(|file| file.sha256 == ContentHash::of(value));
            contents[at] = Some(value.filter(same).ok_or_else(|| {
                StoreError::new(
                    self.store.kind(),
                    StoreErrorKind::Changed,
                    "it changed while it was being read",
                )
                .at(key)
            })?);
        }
        Ok(contents)
    }
}

/// Paths below the area and their sizes, 0 where the listing does not tell them, in order.
async fn list(place: &Place) -> Result<Vec<(String, u64)>, StoreError> {
    let prefix = place.area.key("");
    let mut found = BTreeMap::new();
    let mut pages = place.marker.list(&prefix);
    while let Some(page) = pages.try_next().await? {
        for listed in page {
            // Consoles mark folders by empty keys that end in a slash.
            if let Some(path) = listed
                .key
                .strip_prefix(&prefix)
                .filter(|path| !path.is_empty() && !path.ends_with('/'))
            {
                found.insert(path.to_owned(), listed.size.unwrap_or(0));
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// Whether a record speaks of releases; the ledger of plain files does not.
fn is_of_a_release(path: &str) -> bool {
    let name = path.split('/').nth(1);
    matches!(name, Some("move" | "release" | "pack"))
}

/// How many of these, which are not empty, go into one request.
fn batch_of(paths: &[(String, u64)]) -> usize {
    let mut bytes = 0;
    let fits = paths.iter().take(BATCH).take_while(|(_, size)| {
        bytes += size;
        bytes <= BATCH_BYTES
    });
    fits.count().max(1)
}
