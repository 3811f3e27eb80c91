//! One starter or stopper at a time, across processes.

use std::fs::{File, TryLockError};
use std::time::Duration;

use tokio::time::sleep;

use super::places::Options;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, LocalStep, Reporter};
use crate::interrupt::Interrupt;

/// Held while the local AWS is being changed; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) async fn acquire(options: &Options, reporter: &dyn Reporter, interrupt: &Interrupt) -> Result<Self> {
        options.make_folders()?;
        let path = options.lock();
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| Error::file("write", &path, e))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(e)) => return Err(Error::file("lock", path, e)),
                Err(TryLockError::WouldBlock) => {}
            }
            if !told {
                reporter.report(&Event::Local(LocalStep::WaitingForOther));
                told = true;
            }
            tokio::select! {
                () = sleep(Duration::from_millis(50)) => {}
                () = interrupt.wait() => return Err(interrupted()),
            }
        }
    }
}

pub(super) fn interrupted() -> Error {
    ErrorKind::Interrupted("interrupted while the local AWS was being started".to_owned()).into()
}
