//! What is remembered between commands: which processes, which ports, which regions.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind::NotFound;

use serde::{Deserialize, Serialize};

use super::places::Options;
use crate::error::{Error, Result};
use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) started: Timestamp,
    pub(super) redis: Process,
    /// Absent while ministack is being started.
    pub(super) aws: Option<Process>,
    /// Every region a command has named: ministack can list stacks of one region at a time only.
    pub(super) regions: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) port: u16,
}

/// What the state file says.
pub(super) enum Recorded {
    Nothing,
    /// Cut off, edited, or written by another version.
    Unreadable,
    State(State),
}

pub(super) fn read(options: &Options) -> Result<Recorded> {
    let path = options.state();
    match fs::read(&path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).map_or(Recorded::Unreadable, Recorded::State)),
        Err(e) if e.kind() == NotFound => Ok(Recorded::Nothing),
        Err(e) => Err(Error::file("read", path, e)),
    }
}

/// Readers see the old state or the new one, never half of one.
pub(super) fn write(options: &Options, state: &State) -> Result<()> {
    let path = options.state();
    let next = path.with_extension("json.new");
    let text = serde_json::to_vec_pretty(state).map_err(|e| Error::unexpected(e.to_string()))?;
    fs::write(&next, text).map_err(|e| Error::file("write", &next, e))?;
    fs::rename(&next, &path).map_err(|e| Error::file("write", path, e))
}

pub(super) fn remove(options: &Options) -> Result<()> {
    let path = options.state();
    match fs::remove_file(&path) {
        Err(e) if e.kind() != NotFound => Err(Error::file("remove", path, e)),
        _ => Ok(()),
    }
}
