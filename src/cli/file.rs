//! Files that a command writes beside what it shows.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rstack::{Error, ErrorKind, Result};

use super::Context;
use super::apart::apart;

/// A file that will be written when the work is done. Whether that can succeed is asked before it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputFile {
    /// As it was typed.
    path: PathBuf,
    /// Where that leads to, behind all links.
    target: PathBuf,
    manner: Manner,
}

/// How something at a path is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// A file, or nothing yet: another one takes its place, so that readers see the old one or the new one.
    Replace,
    /// A device or a FIFO: it stays what it is.
    Through,
    /// What this process writes to anyhow, such as `/dev/stdout`: written where it stands, by the same handle.
    Stdout,
    Stderr,
}

impl OutputFile {
    /// # Errors
    /// Usage when there is no such folder, or it is the folder itself; as the system says when it cannot be written.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let shown = path.display();
        if path.as_os_str() == "-" {
            return Err(Error::usage("`-` is no file here: stdout has the table")
                .with_hint("name a file, or `/dev/stdout` to get both there"));
        }
        if path.is_dir() {
            return Err(Error::usage(format!("`{shown}` is a folder")).with_hint("name a file in it"));
        }
        let target = followed(path);
        let manner = Manner::of(&target).map_err(|error| Error::file("write", path, error))?;
        let file = Self {
            path: path.to_owned(),
            target,
            manner,
        };
        if manner == Manner::Replace {
            file.try_out()?;
        }
        Ok(file)
    }

    /// Whether a file could be replaced, or made, without doing it.
    fn try_out(&self) -> Result<()> {
        let (shown, folder) = (self.path.display(), self.folder());
        if !folder.is_dir() {
            let missing = format!("`{shown}` cannot be written: there is no folder `{}`", folder.display());
            return Err(Error::usage(missing).with_hint("make the folder first, or name another"));
        }
        let temporary = self.temporary();
        let there = match OpenOptions::new().write(true).open(&self.target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map(drop),
        };
        there
            .and_then(|()| fs::write(&temporary, b""))
            .and_then(|()| fs::remove_file(&temporary))
            .map_err(|error| Error::file("write", &self.path, error))
    }

    /// Writes all of it; of a file all or nothing. A FIFO that nobody reads can be waited for until an interrupt.
    ///
    /// # Errors
    /// As the system says, and when interrupted.
    pub(crate) async fn write(&self, context: &Context<'_>, bytes: Vec<u8>) -> Result<()> {
        if self.manner != Manner::Through {
            return self.write_now(&bytes);
        }
        let file = self.clone();
        let writing = context.until_interrupted(apart(move || file.write_now(&bytes)));
        writing.await.map_err(|error| match &*error.kind {
            ErrorKind::Interrupted(_) => {
                let message = format!("interrupted while `{}` was being written", self.path.display());
                ErrorKind::Interrupted(message).into()
            }
            _ => error,
        })
    }

    fn write_now(&self, bytes: &[u8]) -> Result<()> {
        let written = match self.manner {
            Manner::Replace => self.replace(bytes),
            Manner::Through => pour(OpenOptions::new().write(true).open(&self.target), bytes),
            Manner::Stdout => pour(own(io::stdout()), bytes),
            Manner::Stderr => pour(own(io::stderr()), bytes),
        };
        written.map_err(|error| Error::file("write", &self.path, error))
    }

    /// Keeps the mode of the file that was there.
    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.temporary();
        let mode = fs::metadata(&self.target).map(|there| there.permissions()).ok();
        let written = fs::write(&temporary, bytes)
            .and_then(|()| mode.map_or(Ok(()), |mode| fs::set_permissions(&temporary, mode)))
            .and_then(|()| fs::rename(&temporary, &self.target));
        if written.is_err() {
            // It may not even be there.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether both lead to the same place.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.target == other.target
    }

    fn folder(&self) -> &Path {
        match self.target.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// A name that no other run takes, and that is never too long.
    fn temporary(&self) -> PathBuf {
        self.folder().join(format!(".rstack-{}.unfinished", std::process::id()))
    }
}

impl Manner {
    fn of(target: &Path) -> io::Result<Self> {
        let there = match fs::metadata(target) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Replace),
            Err(error) => return Err(error),
        };
        let is = |stream: io::Result<File>| {
            stream
                .and_then(|ours| ours.metadata())
                .is_ok_and(|ours| one(&ours, &there))
        };
        let kind = there.file_type();
        Ok(if is(own(io::stdout())) {
            Self::Stdout
        } else if is(own(io::stderr())) {
            Self::Stderr
        } else if kind.is_fifo() || kind.is_char_device() || kind.is_block_device() || kind.is_socket() {
            Self::Through
        } else {
            Self::Replace
        })
    }
}

fn one(this: &Metadata, that: &Metadata) -> bool {
    (this.dev(), this.ino()) == (that.dev(), that.ino())
}

/// A stream of this process, by a handle that shares its place in a file.
fn own(stream: impl AsFd) -> io::Result<File> {
    stream
        .as_fd()
        .try_clone_to_owned()
        .map(|handle: OwnedFd| File::from(handle))
}

fn pour(file: io::Result<File>, bytes: &[u8]) -> io::Result<()> {
    file.and_then(|mut file| file.write_all(bytes))
}

/// What a path names behind all links, also where there is nothing yet. What the system alone can open, such as the pipe
/// behind `/dev/fd/63`, is left under the name that opens it.
fn followed(path: &Path) -> PathBuf {
    /// As many as Linux follows.
    const LINKS: usize = 40;
    let mut at = path.to_owned();
    for _ in 0..LINKS {
        let Ok(next) = fs::read_link(&at) else { break };
        let next = at.parent().unwrap_or(Path::new("")).join(next);
        if fs::metadata(&at).is_ok() && !next.exists() {
            return at;
        }
        at = next;
    }
    // Without links in it the folder can be compared.
    let folder = at.parent().filter(|folder| *folder != Path::new(""));
    match (folder.unwrap_or(Path::new(".")).canonicalize(), at.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => at,
    }
}
