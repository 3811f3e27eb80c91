//! Files that a command writes beside what it shows.

use std::fs;
use std::path::{Path, PathBuf};

use rstack::{Error, Result};

/// A file that will be written when the work is done. Whether that can succeed is asked before it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputFile(PathBuf);

impl OutputFile {
    /// # Errors
    /// Usage when there is no such folder, or it is the folder itself; as the system says when the folder takes no files.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let shown = path.display();
        let file = Self(path.to_owned());
        let folder = file.folder();
        if path.is_dir() {
            return Err(Error::usage(format!("`{shown}` is a folder")).with_hint("name a file in it"));
        }
        if !folder.is_dir() {
            let missing = format!("`{shown}` cannot be written: there is no folder `{}`", folder.display());
            return Err(Error::usage(missing).with_hint("make the folder first, or name another"));
        }
        let temporary = file.temporary();
        fs::write(&temporary, b"").map_err(|error| Error::file("write", path, error))?;
        fs::remove_file(&temporary).map_err(|error| Error::file("write", path, error))?;
        Ok(file)
    }

    /// Writes all of it or nothing: readers see the old file or the new one.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<()> {
        let temporary = self.temporary();
        let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, &self.0));
        written.map_err(|error| {
            // It may not even be there.
            let _ = fs::remove_file(&temporary);
            Error::file("write", &self.0, error)
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn folder(&self) -> &Path {
        match self.0.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    fn temporary(&self) -> PathBuf {
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        self.folder().join(format!(".{name}.{}.unfinished", std::process::id()))
    }
}
