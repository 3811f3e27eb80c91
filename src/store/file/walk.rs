//! What lies in a folder: the files that can be values, and what is there that can be none.

use std::fmt;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::names;

/// Something in the folder that is no value of a store.
#[derive(Debug)]
pub(super) struct Odd {
    message: String,
    pub(super) hint: &'static str,
}

impl std::error::Error for Odd {}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Odd {
    fn error(message: String, hint: &'static str) -> io::Error {
        io::Error::other(Self { message, hint })
    }

    /// What an error is about, where it is this.
    pub(super) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    pub(super) fn twice(key: &str) -> io::Error {
        Self::error(
            format!("two files stand for {key:?}, one of them under an escaped name"),
            "remove or rename one of them",
        )
    }

    fn special(path: &Path) -> io::Error {
        Self::error(
            format!("`{}` is neither a file nor a directory", path.display()),
            "remove it",
        )
    }
}

/// The value at a path. Never waits for somebody to write to it, as opening a pipe would.
pub(super) fn value_of(path: &Path) -> io::Result<Vec<u8>> {
    match content(path) {
        Err(error) if error.kind() == ErrorKind::IsADirectory => content(&path.join(names::VALUE)),
        other => other,
    }
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut file: File = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(Odd::special(path));
    }
    let mut value = Vec::new();
    file.read_to_end(&mut value)?;
    Ok(value)
}

/// Tells of every file below `root`: its names from there on, and its size. A link to a file inside of it is such a file.
///
/// # Errors
/// Names what can be no value: a link that leads out or to a folder, a name that is not UTF-8, a pipe.
pub(super) fn walk(root: &Path, found: &mut dyn FnMut(&[String], u64)) -> io::Result<()> {
    match root.canonicalize() {
        Ok(real) if real.is_dir() => descend(root, &real, &mut Vec::new(), found),
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(()),
        Err(error) => Err(error),
    }
}

fn descend(
    folder: &Path,
    root: &Path,
    names: &mut Vec<String>,
    found: &mut dyn FnMut(&[String], u64),
) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        // Removed since it was seen.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| {
            let message = format!("the name of `{}` is not UTF-8", entry.path().display());
            Odd::error(message, "rename it")
        })?;
        names.push(name);
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => descend(&entry.path(), root, names, found)?,
            Ok(metadata) if metadata.is_file() => found(names, metadata.len()),
            Ok(metadata) if metadata.is_symlink() => found(names, linked(&entry, root)?),
            Ok(_) => return Err(Odd::special(&entry.path())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        names.pop();
    }
    Ok(())
}

/// The size of the file that a link leads to, which has to be below `root`.
fn linked(entry: &DirEntry, root: &Path) -> io::Result<u64> {
    let link = entry.path();
    let wrong = |what: String| {
        Odd::error(
            format!("the link `{}` {what}", link.display()),
            "put the file itself there",
        )
    };
    let target = link.canonicalize().map_err(|error| match error.kind() {
        ErrorKind::NotFound => wrong("leads nowhere".to_owned()),
        _ => error,
    })?;
    if !target.starts_with(root) {
        return Err(wrong(format!("leads out of the folder, to `{}`", target.display())));
    }
    let metadata = target.metadata()?;
    if metadata.is_dir() {
        return Err(wrong(format!("leads to a folder, `{}`", target.display())));
    }
    if !metadata.is_file() {
        return Err(Odd::special(&link));
    }
    Ok(metadata.len())
}
