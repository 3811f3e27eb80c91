//! The new directory beside the old one, until it takes its place.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::error::{Error, Result};

/// Between the name of the directory and a number: what was left behind is known by it.
const MARK: &str = ".rstack-pull-";

/// Where the directory shall be: its real path, which has a parent and is none of the directories that the process
/// is in.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) path: PathBuf,
    parent: PathBuf,
    name: String,
}

impl Target {
    /// Finds the place, and makes the folders above it.
    pub(super) fn find(directory: &Path) -> Result<Self> {
        let path = match directory.canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == ErrorKind::NotFound && !directory.is_symlink() => absent(directory)?,
            Err(error) => return Err(Error::file("read", directory, error)),
        };
        let shown = directory.display();
        if path.exists() && !path.is_dir() {
            return Err(Error::usage(format!("`{shown}` is not a directory")));
        }
        if std::env::current_dir().is_ok_and(|here| here.starts_with(&path)) {
            return Err(Error::usage(format!(
                "`{shown}` is the directory that you are in, and would be replaced"
            ))
            .with_hint("name a directory in it, or go out of it first"));
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::usage(format!("`{shown}` cannot be replaced")));
        };
        Ok(Self {
            parent: parent.to_owned(),
            name: name.to_string_lossy().into_owned(),
            path,
        })
    }

    /// Removes what killed processes left beside it. Whoever still works there holds a lock.
    pub(super) fn sweep(&self) {
        let prefix = self.prefix();
        for entry in fs::read_dir(&self.parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix)
                && File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok())
            {
                // What cannot be removed now is tried again by the next one.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    fn prefix(&self) -> String {
        format!(".{}{MARK}", self.name)
    }
}

/// The real path of a directory that is not there yet.
fn absent(directory: &Path) -> Result<PathBuf> {
    let parent = match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = directory
        .file_name()
        .ok_or_else(|| Error::usage(format!("`{}` names no directory", directory.display())))?;
    fs::create_dir_all(parent).map_err(|error| Error::file("make", parent, error))?;
    let parent = parent
        .canonicalize()
        .map_err(|error| Error::file("read", parent, error))?;
    Ok(parent.join(name))
}

/// A directory that is being built. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Staging {
    path: PathBuf,
    /// Locked as long as this process is at work here, so that others do not take it for what was left behind.
    _lock: File,
    folders: HashSet<String>,
}

impl Staging {
    /// An empty one beside the target.
    pub(super) fn new(target: &Target) -> Result<Self> {
        let name = format!("{}{:016x}", target.prefix(), fastrand::u64(..));
        let path = target.parent.join(name);
        let unmade = |error| Error::file("make", &path, error);
        fs::create_dir(&path).map_err(unmade)?;
        let lock = File::open(&path).map_err(unmade)?;
        lock.lock().map_err(unmade)?;
        Ok(Self {
            path,
            _lock: lock,
            folders: HashSet::new(),
        })
    }

    pub(super) fn write(&mut self, path: &str, content: &[u8]) -> Result<()> {
        let place = self.place(path)?;
        let mut file = File::create_new(&place).map_err(|error| clash(path, &place, error))?;
        file.write_all(content)
            .map_err(|error| Error::file("write", &place, error))
    }

    /// Takes over a file of the old directory, which is known to be as it should be; `false` where the file system
    /// cannot.
    pub(super) fn link(&mut self, path: &str, old: &Path) -> Result<bool> {
        let place = self.place(path)?;
        match fs::hard_link(old.join(path), &place) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(clash(path, &place, error)),
            linked => Ok(linked.is_ok()),
        }
    }

    /// Where a file goes, in folders that are made now if they are not there.
    fn place(&mut self, path: &str) -> Result<PathBuf> {
        for (at, _) in path.match_indices('/') {
            let folder = &path[..at];
            if !self.folders.contains(folder) {
                let place = self.path.join(folder);
                fs::create_dir(&place).map_err(|error| clash(folder, &place, error))?;
                self.folders.insert(folder.to_owned());
            }
        }
        Ok(self.path.join(path))
    }

    /// Puts it where the target is, in one step where the file system has one. What was there is then here.
    pub(super) fn take_place(&self, target: &Target) -> Result<()> {
        let unmoved = |error: std::io::Error| Error::file("replace", &target.path, error);
        if !target.path.exists() {
            return fs::rename(&self.path, &target.path).map_err(unmoved);
        }
        match renameat_with(CWD, &self.path, CWD, &target.path, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                self.take_place_in_two_steps(target).map_err(unmoved)
            }
            Err(Errno::BUSY) => {
                Err(unmoved(Errno::BUSY.into())
                    .with_hint("something is mounted there; pull into a directory inside of it"))
            }
            Err(error) => Err(unmoved(error.into())),
        }
    }

    /// For file systems that cannot exchange two names: there is a moment without a directory.
    fn take_place_in_two_steps(&self, target: &Target) -> std::io::Result<()> {
        // Unlike what is being built, whoever finds it may not remove it.
        let aside = target.parent.join(format!(".{}.rstack-old", target.name));
        fs::rename(&target.path, &aside)?;
        if let Err(error) = fs::rename(&self.path, &target.path) {
            fs::rename(&aside, &target.path)?;
            return Err(error);
        }
        fs::rename(&aside, &self.path)
    }

    /// Removes what lies here, and says what it could not remove.
    pub(super) fn remove(self) -> Option<PathBuf> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::debug!(%error, "the old directory stays");
                Some(self.path.clone())
            }
            _ => None,
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn clash(path: &str, place: &Path, error: std::io::Error) -> Error {
    if error.kind() == ErrorKind::AlreadyExists {
        return Error::refused(format!(
            "`{path}` and another path of the source are one name on this file system"
        ))
        .with_hint("it makes no difference between capital and small letters, or writes accents in one way only");
    }
    Error::file("write", place, error)
}
