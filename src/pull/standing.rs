//! What is where the directory shall be.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::record::Record;
use crate::error::{Error, Result};
use crate::publish::{BYTECODE, PULL_RECORD};
use crate::release::ContentHash;

/// Says that the folder it lies in may be deleted at any time: bford.info/cachedir.
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// What is there already.
#[derive(Debug)]
pub(super) enum Standing {
    /// Nothing, or an empty directory.
    Vacant,
    /// What the last pull made.
    Pulled(Pulled),
    /// A directory with something in it that no pull made.
    Foreign,
}

#[derive(Debug)]
pub(super) struct Pulled {
    pub(super) record: Record,
    /// Files that are as they were pulled.
    pub(super) intact: BTreeMap<String, ContentHash>,
    /// Paths that somebody changed or added since, which replacing the directory would lose. Caches do not count.
    pub(super) touched: Vec<String>,
}

impl Standing {
    /// Looks at `directory`, and hashes what is in it if a pull made it.
    pub(super) fn of(directory: &Path) -> Result<Self> {
        let mut entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Vacant),
            Err(error) => return Err(Error::file("read", directory, error)),
        };
        if entries.next().is_none() {
            return Ok(Self::Vacant);
        }
        let Some(record) = Record::read(directory)? else {
            return Ok(Self::Foreign);
        };
        let mut found = Vec::new();
        walk(directory, "", &mut found)?;
        let (mut intact, mut touched) = (BTreeMap::new(), Vec::new());
        for path in found {
            match record.files.get(&path) {
                Some(hash) if is_intact(&directory.join(&path), *hash)? => {
                    intact.insert(path, *hash);
                }
                _ => touched.push(path),
            }
        }
        Ok(Self::Pulled(Pulled {
            record,
            intact,
            touched,
        }))
    }
}

/// Everything that is no directory, with slashes; links are not followed.
fn walk(root: &Path, folder: &str, found: &mut Vec<String>) -> Result<()> {
    let place = root.join(folder);
    let unreadable = |error: io::Error| Error::file("read", &place, error);
    for entry in fs::read_dir(&place).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() {
            name.clone()
        } else {
            format!("{folder}/{name}")
        };
        if !entry.file_type().map_err(unreadable)?.is_dir() {
            found.extend((path != PULL_RECORD).then_some(path));
        } else if name != BYTECODE && !entry.path().join(CACHE_TAG).exists() {
            walk(root, &path, found)?;
        }
    }
    Ok(())
}

fn is_intact(path: &PathBuf, hash: ContentHash) -> Result<bool> {
    let unreadable = |error: io::Error| Error::file("read", path, error);
    if !fs::symlink_metadata(path).map_err(unreadable)?.is_file() {
        return Ok(false);
    }
    let mut file = File::open(path).map_err(unreadable)?;
    ContentHash::read(&mut file)
        .map(|found| found == hash)
        .map_err(unreadable)
}
