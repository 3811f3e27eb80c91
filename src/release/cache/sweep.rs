//! Keeping the folder within its limit.

use std::fs;
use std::time::SystemTime;

use super::folder::{Folder, KEPT};

/// Removes what was not used for the longest time until nine tenths of the limit are left, so that the next write does
/// not have to look again. Several processes may do so at once: a file that is gone is gone.
pub(super) fn sweep(folder: &Folder, limit: u64) {
    if let Err(error) = try_sweep(folder, limit) {
        tracing::debug!(%error, "the local cache cannot be looked through");
    }
}

fn try_sweep(folder: &Folder, limit: u64) -> std::io::Result<()> {
    folder.remove_abandoned()?;
    let mut files = Vec::new();
    for kind in KEPT {
        files.extend(folder.list(kind)?);
    }
    let mut bytes: u64 = files.iter().map(|(_, metadata)| metadata.len()).sum();
    if bytes <= limit {
        return Ok(());
    }
    files.sort_by_key(|(_, metadata)| metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH));
    for (path, metadata) in files {
        if bytes <= limit / 10 * 9 {
            break;
        }
        match fs::remove_file(&path) {
            Ok(()) => bytes -= metadata.len(),
            Err(error) => tracing::debug!(%error, path = %path.display(), "it stays in the local cache"),
        }
    }
    Ok(())
}
