//! The folder: files that appear whole or not at all, in a place that only its owner may write.

use std::fs::{self, DirBuilder, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;

/// A later version of rstack that keeps things otherwise uses another name beside this one.
const LAYOUT: &str = "v1";
pub(super) const BLOBS: &str = "blob";
pub(super) const NOTES: &str = "note";
pub(super) const SEEN: &str = "seen";
/// What Python made of sources.
pub(super) const BYTECODE: &str = "bytecode";
/// Sources as folders of files, for Python.
pub(super) const TREES: &str = "tree";
/// What may be lost, and counts towards the limit.
pub(super) const KEPT: [&str; 3] = [BLOBS, NOTES, BYTECODE];
const TEMPORARY: &str = "temporary";
/// A file's time says when it was used last, not more exactly than this.
const USED: Duration = Duration::from_mins(1);
/// A temporary file this old was left behind by a process that was killed.
const ABANDONED: Duration = Duration::from_hours(1);

#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("`{}` cannot be made: {error}", path.display())]
    Unmade { path: PathBuf, error: io::Error },
    #[error("`{}` is not a folder", .0.display())]
    NoFolder(PathBuf),
    #[error("`{}` belongs to another user", .0.display())]
    Foreign(PathBuf),
    #[error("others may write to `{}`", .0.display())]
    Open(PathBuf),
}

impl Unusable {
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Open(path) => format!("`chmod go-w {}` keeps others out", path.display()),
            _ => "name another folder with RSTACK_CACHE, or switch the cache off with RSTACK_CACHE=off".to_owned(),
        }
    }
}

impl Folder {
    /// Makes the folder where it is missing, and sees to it that only this user may write there.
    pub(super) fn make(path: &Path) -> Result<Self, Unusable> {
        let folder = Self {
            root: path.join(LAYOUT),
        };
        // What a link leads to is what counts, for the folder that the user names; there are none inside.
        make(path)?;
        check(path, fs::metadata(path))?;
        keep_private(path)?;
        let inner = [BLOBS, NOTES, BYTECODE, TREES, SEEN, TEMPORARY].map(|name| folder.root.join(name));
        for path in std::iter::once(&folder.root).chain(&inner) {
            make(path)?;
            check(path, fs::symlink_metadata(path))?;
        }
        Ok(folder)
    }

    /// The folder as it is; `None` when nothing was ever kept there.
    pub(super) fn find(path: &Path) -> Result<Option<Self>, Unusable> {
        let folder = Self {
            root: path.join(LAYOUT),
        };
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => check(path, found)?,
        }
        if !folder.root.exists() {
            return Ok(None);
        }
        check(&folder.root, fs::symlink_metadata(&folder.root))?;
        Ok(Some(folder))
    }

    pub(super) fn path(&self, kind: &str, name: &str) -> PathBuf {
        self.root.join(kind).join(name)
    }

    /// Everything there is of a kind; what goes meanwhile is left out.
    pub(super) fn list(&self, kind: &str) -> io::Result<Vec<(PathBuf, Metadata)>> {
        let entries = match fs::read_dir(self.root.join(kind)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let entries = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.path(), entry.metadata().ok()?))
        });
        Ok(entries.collect())
    }

    /// A file, which thereby counts as used.
    pub(super) fn read(&self, kind: &str, name: &str) -> io::Result<Option<Vec<u8>>> {
        // A pipe in its place would keep the reader waiting for one who writes.
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        let path = self.path(kind, name);
        let mut file = match OpenOptions::new().read(true).custom_flags(nonblocking).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let mut content = Vec::new();
        content.try_reserve_exact(usize::try_from(metadata.len()).unwrap_or(usize::MAX))?;
        file.read_to_end(&mut content)?;
        let unused = metadata.modified()?.elapsed().unwrap_or_default();
        if unused > USED {
            file.set_modified(SystemTime::now())?;
        }
        Ok(Some(content))
    }

    /// Writes a file beside its place and moves it there: whoever reads it, at any time, finds all of it or nothing.
    /// It is not forced to the disk: what a crash tears does not have its hash any more.
    pub(super) fn write(&self, kind: &str, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let temporary = self.path(TEMPORARY, &format!("{}-{:016x}", std::process::id(), fastrand::u64(..)));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .and_then(|mut file| parts.iter().try_for_each(|part| file.write_all(part)))
            .and_then(|()| fs::rename(&temporary, self.path(kind, name)));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    pub(super) fn remove_abandoned(&self) -> io::Result<()> {
        for (path, metadata) in self.list(TEMPORARY)? {
            if metadata.modified()?.elapsed().unwrap_or_default() > ABANDONED {
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }
}

fn make(path: &Path) -> Result<(), Unusable> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Unusable::Unmade {
        path: path.to_owned(),
        error,
    })
}

/// Takes a folder that was there before from those who could only read it. Code may be nobody else's business.
fn keep_private(path: &Path) -> Result<(), Unusable> {
    let kept = fs::metadata(path).and_then(|found| match found.mode() & 0o077 {
        0 => Ok(()),
        _ => fs::set_permissions(path, Permissions::from_mode(0o700)),
    });
    kept.map_err(|error| Unusable::Unmade {
        path: path.to_owned(),
        error,
    })
}

fn check(path: &Path, found: io::Result<Metadata>) -> Result<(), Unusable> {
    let metadata = found.map_err(|error| Unusable::Unmade {
        path: path.to_owned(),
        error,
    })?;
    if !metadata.is_dir() {
        return Err(Unusable::NoFolder(path.to_owned()));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(Unusable::Foreign(path.to_owned()));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(Unusable::Open(path.to_owned()));
    }
    Ok(())
}
