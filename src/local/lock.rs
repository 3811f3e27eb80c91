//! One starter or stopper at a time, across processes, and none that stops it while others use it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::places::Options;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, LocalStep, Reporter};
use crate::interrupt::Interrupt;

/// After how much waiting it is told: a command that ends looks for a moment whether it is the last one.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// Held while the local AWS is being changed; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) async fn acquire(options: &Options, reporter: &dyn Reporter, interrupt: &Interrupt) -> Result<Self> {
        let (file, path) = open(options, options.lock())?;
        wait(&path, || file.try_lock(), reporter, interrupt).await?;
        Ok(Self { _file: file })
    }
}

/// Held by every command that works with the local AWS, so that none stops it while another still needs it.
#[derive(Debug)]
pub struct InUse {
    file: File,
    path: PathBuf,
}

impl InUse {
    /// Waits for one that is stopping it.
    ///
    /// # Errors
    /// When the file of the lock cannot be written; interrupted.
    pub async fn begin(options: &Options, reporter: &dyn Reporter, interrupt: &Interrupt) -> Result<Self> {
        let (file, path) = open(options, options.in_use())?;
        wait(&path, || file.try_lock_shared(), reporter, interrupt).await?;
        Ok(Self { file, path })
    }

    /// Whether nobody else uses it. Nobody then begins to, until this is dropped.
    pub(super) fn is_alone(&self) -> Result<bool> {
        let failed = |e| Error::file("lock", &self.path, e);
        self.file.unlock().map_err(failed)?;
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(e)) => Err(failed(e)),
        }
    }
}

fn open(options: &Options, path: PathBuf) -> Result<(File, PathBuf)> {
    options.make_folders()?;
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    match file {
        Ok(file) => Ok((file, path)),
        Err(e) => Err(Error::file("write", path, e)),
    }
}

async fn wait(
    path: &Path,
    try_lock: impl Fn() -> Result<(), TryLockError>,
    reporter: &dyn Reporter,
    interrupt: &Interrupt,
) -> Result<()> {
    let began = Instant::now();
    let mut told = false;
    loop {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(e)) => return Err(Error::file("lock", path, e)),
            Err(TryLockError::WouldBlock) => {}
        }
        if !told && began.elapsed() >= TELL_AFTER {
            reporter.report(&Event::Local(LocalStep::WaitingForOther));
            told = true;
        }
        tokio::select! {
            () = sleep(Duration::from_millis(50)) => {}
            () = interrupt.wait() => return Err(interrupted()),
        }
    }
}

pub(super) fn interrupted() -> Error {
    ErrorKind::Interrupted("interrupted while the local AWS was being started".to_owned()).into()
}
