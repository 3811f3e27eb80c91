//! Where work runs, and how a Python thread waits for it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tokio::runtime::Builder;
use tokio::sync::{mpsc as jobs, oneshot};
use tokio::task::LocalSet;

use super::error;
use super::process::PerProcess;
use rstack::error::{Error, Result};
use rstack::event::Reporter;
use rstack::release::{CacheOptions, LocalCache};

/// How often a waiting thread looks whether Ctrl-C was pressed.
const POLL: Duration = Duration::from_millis(100);
/// The end of a process waits no longer for its local cache to be written.
const PATIENCE: Duration = Duration::from_secs(5);
/// Files are read and contents are unpacked in these.
const BLOCKING_THREADS: usize = 4;

/// Starts work on the runtime's thread, which it does not have to leave.
type Job = Box<dyn FnOnce() + Send>;

static RUNTIME: OnceLock<PerProcess<Runtime>> = OnceLock::new();

/// What all sources of a process share.
#[derive(Debug)]
pub(super) struct Runtime {
    jobs: jobs::UnboundedSender<Job>,
    /// Locked only by work that runs here, and when the process ends.
    caches: Mutex<Vec<(CacheOptions, Arc<LocalCache>)>>,
}

impl Runtime {
    /// That of this process, started on first use. It goes on until the process ends.
    pub(super) fn get() -> Result<&'static Self> {
        let unexpected = || Error::unexpected("the runtime of this process is missing");
        if let Some(all) = RUNTIME.get() {
            if let Some(own) = all.get() {
                return Ok(own);
            }
            return all.set(Self::start()?).ok_or_else(unexpected);
        }
        // Whichever thread is first wins; the other's runtime is idle.
        let _ = RUNTIME.set(PerProcess::new(Self::start()?));
        Self::running().ok_or_else(unexpected)
    }

    /// That of this process, if it was started.
    fn running() -> Option<&'static Self> {
        RUNTIME.get().and_then(PerProcess::get)
    }

    fn start() -> Result<Self> {
        let failed = |error| {
            Error::unexpected(format!("the async runtime does not start: {error}")).with_hint(
                "a process that closes the descriptors it inherited, as daemons do, has to open its source after that",
            )
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS)
            .build()
            .map_err(failed)?;
        let (jobs, mut waiting) = jobs::unbounded_channel::<Job>();
        let work = async move {
            while let Some(start) = waiting.recv().await {
                start();
            }
        };
        thread::Builder::new()
            .name("rstack".to_owned())
            .spawn(move || LocalSet::new().block_on(&runtime, work))
            .map_err(failed)?;
        Ok(Self {
            jobs,
            caches: Mutex::default(),
        })
    }

    /// Waits for what is still being written, before the process ends.
    pub(super) fn finish() {
        let Some(own) = Self::running() else { return };
        let caches = own.caches.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, cache) in caches.iter() {
            cache.wait_until_written(PATIENCE);
        }
    }

    /// What this machine keeps of what is read: one for all sources that keep it in the same place.
    pub(super) fn cache(&self, options: &CacheOptions, reporter: &dyn Reporter) -> Arc<LocalCache> {
        let mut caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cache)) = caches.iter().find(|(known, _)| known == options) {
            return Arc::clone(cache);
        }
        let cache = LocalCache::open(options, reporter);
        caches.push((options.clone(), Arc::clone(&cache)));
        cache
    }
}

/// Runs work in a thread that nobody waits for, where this process has a runtime. A fork may never need one.
pub(super) fn in_background(work: impl FnOnce() + Send + 'static) {
    if let Some(runtime) = Runtime::running() {
        let start = move || drop(tokio::task::spawn_blocking(work));
        // Fails only when the runtime is gone: then nothing is done ahead.
        let _ = runtime.jobs.send(Box::new(start));
    }
}

/// Runs work on the runtime while this thread waits, detached, no longer than the timeout. Ctrl-C ends the waiting and
/// the work. `what` names the work, for the error when there is no time left.
pub(super) fn wait<T: Send + 'static, F: Future<Output = Result<T>> + 'static>(
    py: Python<'_>,
    timeout: Duration,
    what: impl FnOnce() -> String,
    work: impl FnOnce() -> F + Send + 'static,
) -> PyResult<T> {
    let runtime = py.detach(Runtime::get).map_err(|error| error::raise(py, error))?;
    let (sender, mut receiver) = mpsc::sync_channel(1);
    // Dropped when nobody waits any more.
    let (_waiting, gone) = oneshot::channel::<()>();
    let start = move || {
        let work = work();
        tokio::task::spawn_local(async move {
            tokio::select! {
                done = work => { let _ = sender.send(done); }
                _ = gone => {}
            }
        });
    };
    // Fails only when the thread is gone, which the receiver tells.
    let _ = runtime.jobs.send(Box::new(start));
    let end = Instant::now() + timeout;
    loop {
        let (came, back) = py.detach(move || (receiver.recv_timeout(POLL), receiver));
        receiver = back;
        match came {
            Ok(done) => return done.map_err(|error| error::raise(py, error)),
            Err(RecvTimeoutError::Disconnected) => {
                let broken = Error::unexpected("reading broke off: this is a bug in rstack");
                return Err(error::raise(py, broken));
            }
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
        }
        if Instant::now() >= end {
            return Err(error::late(py, &what(), timeout));
        }
    }
}
