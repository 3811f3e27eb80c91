//! What the cache holds, and emptying it.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use super::CacheOptions;
use super::folder::{Folder, KEPT, SEEN, TREES};
use crate::error::{Error, Result};

/// What is kept on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CacheReport {
    /// Absent when the cache is switched off.
    pub folder: Option<PathBuf>,
    /// Why the folder is not used.
    pub problem: Option<String>,
    /// Manifests, packs, notes of where they belong, and Python's bytecode.
    pub files: u64,
    /// Of all of them.
    pub bytes: u64,
    /// In bytes.
    pub limit: u64,
    /// Areas, one for each store that they were read from, of which the highest move seen is recorded.
    pub areas_seen: u64,
}

impl CacheReport {
    fn new(options: &CacheOptions) -> Self {
        Self {
            folder: options.folder.clone(),
            problem: None,
            files: 0,
            bytes: 0,
            limit: options.limit,
            areas_seen: 0,
        }
    }
}

/// Looks at the folder.
///
/// # Errors
/// When it cannot be read; one that is not safe is a finding.
pub fn report(options: &CacheOptions) -> Result<CacheReport> {
    let mut report = CacheReport::new(options);
    let folder = match options.folder.as_deref().map(Folder::find).transpose() {
        Ok(folder) => folder.flatten(),
        Err(unusable) => {
            report.problem = Some(unusable.to_string());
            return Ok(report);
        }
    };
    if let Some(folder) = folder {
        count(&folder, &mut report).map_err(|error| Error::file("read", folder.path("", ""), error))?;
    }
    Ok(report)
}

fn count(folder: &Folder, report: &mut CacheReport) -> std::io::Result<()> {
    for kind in KEPT {
        let files = folder.list(kind)?;
        report.files += files.len() as u64;
        report.bytes += files.iter().map(|(_, metadata)| metadata.len()).sum::<u64>();
    }
    report.areas_seen = folder.list(SEEN)?.len() as u64;
    Ok(())
}

/// Removes what is kept, and tells what that was; with `seen` also what is recorded of the moves that were seen.
///
/// # Errors
/// When the folder is not safe, or something in it cannot be removed.
pub fn clear(options: &CacheOptions, seen: bool) -> Result<CacheReport> {
    let mut report = CacheReport::new(options);
    let found = options.folder.as_deref().map(Folder::find).transpose();
    let found = found.map_err(|unusable| Error::refused(unusable.to_string()).with_hint(unusable.hint()))?;
    let Some(folder) = found.flatten() else {
        return Ok(report);
    };
    count(&folder, &mut report).map_err(|error| Error::file("read", folder.path("", ""), error))?;
    if !seen {
        report.areas_seen = 0;
    }
    let kinds = KEPT.into_iter().chain([TREES]).chain(seen.then_some(SEEN));
    for kind in kinds {
        let listed = folder
            .list(kind)
            .map_err(|error| Error::file("read", folder.path(kind, ""), error))?;
        for (path, metadata) in listed {
            let removed = if metadata.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::file("remove", path, error));
                }
                _ => {}
            }
        }
    }
    Ok(report)
}
