//! The manifest: the files of a release and where their bytes are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, IntoInnerError, Read};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{ContentHash, ReleaseId};
use crate::publish::is_inside;
use crate::store::{Store, StoreError, StoreErrorKind, StoreResult};
use crate::time::Timestamp;

const FORMAT: u32 = 1;
const LEVEL: i32 = 3;
/// A manifest that unpacks to more than this is not one.
const LARGEST: u64 = 2 << 30;
/// How many times larger one becomes, at most, unless its files are all alike.
const USUAL: u64 = 16;

/// An immutable list of files. Its JSON form has its names in alphabetical order and no white space. `Files` is whatever
/// is written as such a map: a large release is written without being put together first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest<Files = BTreeMap<Box<str>, FileEntry>> {
    /// Where it was published first; it may be promoted to others.
    pub area: String,
    pub author: String,
    pub files: Files,
    pub message: Option<String>,
    /// The release that it was made from.
    pub parent: Option<ReleaseId>,
    /// Paths that this release hides in a union, and directories of which it hides all.
    pub removed: BTreeSet<Box<str>>,
    pub time: Timestamp,
    v: u32,
}

/// One file: what it is, and where its compressed bytes lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Compressed, in bytes.
    pub length: u64,
    /// From the start of the pack, in bytes.
    pub offset: u64,
    pub pack: ContentHash,
    pub sha256: ContentHash,
    /// In bytes.
    pub size: u64,
}

/// Whether one of these paths is this one, or a directory that it is in.
pub(super) fn covers(paths: &BTreeSet<Box<str>>, path: &str) -> bool {
    let mut directories = path.match_indices('/').map(|(end, _)| &path[..end]);
    !paths.is_empty() && (paths.contains(path) || directories.any(|directory| paths.contains(directory)))
}

/// How large a release is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) files: u64,
    /// Of all files together.
    pub(super) bytes: u64,
}

impl<Files: Serialize> Manifest<Files> {
    pub(super) fn new(
        area: &str,
        author: &str,
        message: Option<&str>,
        parent: Option<ReleaseId>,
        files: Files,
    ) -> Self {
        Self {
            area: area.to_owned(),
            author: author.to_owned(),
            files,
            message: message.map(str::to_owned),
            parent,
            removed: BTreeSet::new(),
            time: Timestamp::now(),
            v: FORMAT,
        }
    }

    pub(super) fn to_bytes(&self) -> std::io::Result<Bytes> {
        let mut writer = BufWriter::new(zstd::Encoder::new(Vec::new(), LEVEL)?);
        serde_json::to_writer(&mut writer, self)?;
        let encoder = writer.into_inner().map_err(IntoInnerError::into_error)?;
        Ok(encoder.finish()?.into())
    }
}

impl Manifest {
    /// Of all files together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|file| file.size).sum()
    }

    pub(super) fn extent(&self) -> Extent {
        Extent {
            files: self.files.len() as u64,
            bytes: self.bytes(),
        }
    }

    /// Reads what [`Manifest::to_bytes`] wrote; the hash was checked before.
    pub(super) fn parse(store: &dyn Store, key: &str, value: &[u8]) -> StoreResult<Self> {
        let corrupt = |message: String| StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(key);
        let unreadable = |error: &dyn std::fmt::Display| corrupt(format!("this manifest cannot be read: {error}"));
        let text = unpack(value).map_err(|error| unreadable(&error))?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| unreadable(&error))?;
        if manifest.v != FORMAT {
            let message = format!(
                "this manifest has format {}, which only a newer rstack knows",
                manifest.v
            );
            return Err(corrupt(message));
        }
        if let Some(path) = manifest.files.keys().find(|path| !is_inside(path)) {
            return Err(corrupt(format!(
                "this manifest names a path that leads out of its area: {path:?}"
            )));
        }
        Ok(manifest)
    }
}

/// In one piece where that is enough, which takes half the time.
fn unpack(value: &[u8]) -> std::io::Result<Vec<u8>> {
    let usual = usize::try_from((value.len() as u64 * USUAL).min(LARGEST));
    if let Ok(Ok(text)) = usual.map(|usual| zstd::bulk::decompress(value, usual)) {
        return Ok(text);
    }
    let mut text = Vec::new();
    zstd::Decoder::new(value)?.take(LARGEST).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn a_manifest_comes_back_and_its_names_are_in_order() {
        let mut manifest = Manifest::new("prod", "me", Some("why"), None, BTreeMap::new());
        manifest.time = Timestamp::parse("2026-11-01T12:00:00Z").expect("a time");
        let hash = ContentHash::of(b"x");
        let entry = FileEntry {
            length: 5,
            offset: 0,
            pack: hash,
            sha256: hash,
            size: 1,
        };
        manifest.files.insert("b.py".into(), entry);
        manifest.files.insert("a/é.py".into(), entry);
        manifest.removed.insert("c.py".into());
        let bytes = manifest.to_bytes().expect("bytes");
        assert_eq!(
            Manifest::parse(&MemoryStore::new(), "k", &bytes).expect("read"),
            manifest
        );
        let text = String::from_utf8(zstd::decode_all(&bytes[..]).expect("zstd")).expect("UTF-8");
        let sorted: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let names: Vec<_> = sorted.as_object().expect("an object").keys().cloned().collect();
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(sorted["files"]["b.py"]["offset"], 0);
    }

    #[test]
    fn a_manifest_of_files_that_are_all_alike_comes_back() {
        let hash = ContentHash::of(b"");
        let entry = FileEntry {
            length: 0,
            offset: 0,
            pack: hash,
            sha256: hash,
            size: 0,
        };
        let files = (0..1_000).map(|number| (format!("{number}").into(), entry)).collect();
        let manifest = Manifest::new("prod", "me", None, None, files);
        let bytes = manifest.to_bytes().expect("bytes");
        let text = serde_json::to_vec(&manifest).expect("JSON");
        assert!(
            text.len() as u64 > bytes.len() as u64 * USUAL,
            "{} of {}",
            bytes.len(),
            text.len()
        );
        let read = Manifest::parse(&MemoryStore::new(), "k", &bytes).expect("read");
        assert_eq!(read.files, manifest.files);
    }
}
