//! How far each area was seen to have come, so that an older move is not taken for the current one.
//!
//! In the folder, a line of moves is a folder of its own and a sequence is the name of an empty file in it. The highest
//! name counts and lower ones are removed afterwards: however many processes do so at once, it never becomes lower.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::folder::{Folder, SEEN};
use crate::release::ContentHash;

#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<String, u64>>);

impl Seen {
    pub(super) fn highest(&self, folder: Option<&Folder>, line: &str) -> u64 {
        let here = {
            let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.get(line).copied().unwrap_or(0)
        };
        here.max(folder.map_or(0, |folder| recorded(folder, line).into_iter().max().unwrap_or(0)))
    }

    pub(super) fn saw(&self, folder: Option<&Folder>, line: &str, sequence: u64) {
        {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let highest = seen.entry(line.to_owned()).or_default();
            *highest = sequence.max(*highest);
        }
        if let Some(folder) = folder
            && let Err(error) = record(folder, line, sequence)
        {
            tracing::debug!(%error, "the local cache cannot be written");
        }
    }
}

fn record(folder: &Folder, line: &str, sequence: u64) -> io::Result<()> {
    let before = recorded(folder, line);
    if before.iter().any(|recorded| *recorded >= sequence) {
        return Ok(());
    }
    let path = folder.path(SEEN, &name(line));
    fs::create_dir_all(&path)?;
    fs::File::create(path.join(sequence.to_string()))?;
    for lower in before {
        let _ = fs::remove_file(path.join(lower.to_string()));
    }
    Ok(())
}

fn recorded(folder: &Folder, line: &str) -> Vec<u64> {
    let entries = fs::read_dir(folder.path(SEEN, &name(line)));
    let entries = entries.into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn name(line: &str) -> String {
    ContentHash::of(line.as_bytes()).to_string()
}
