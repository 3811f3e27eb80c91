//! Requests that have no answer yet, in the whole process: for whoever tells which service keeps it waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whether anybody wants to know. A process that forks must not: a lock that another thread holds just then stays locked.
static WATCHED: AtomicBool = AtomicBool::new(false);
static WAITING: Mutex<Waiting> = Mutex::new(Waiting {
    next: 0,
    requests: Vec::new(),
});

#[derive(Debug)]
struct Waiting {
    next: u64,
    requests: Vec<Request>,
}

#[derive(Debug)]
struct Request {
    number: u64,
    service: String,
    began: Instant,
}

/// A request without an answer: from its beginning until this is ended or dropped. `None` when nobody watches.
#[derive(Debug)]
pub(crate) struct Underway(Option<u64>);

impl Underway {
    pub(crate) fn begin(service: &str) -> Self {
        if !WATCHED.load(Ordering::Relaxed) {
            return Self(None);
        }
        change(|waiting| {
            waiting.next += 1;
            waiting.requests.push(Request {
                number: waiting.next,
                service: service.to_owned(),
                began: Instant::now(),
            });
            Self(Some(waiting.next))
        })
    }

    pub(crate) fn end(&self) {
        if let Some(number) = self.0 {
            change(|waiting| waiting.requests.retain(|request| request.number != number));
        }
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.end();
    }
}

/// From now on requests are noted.
pub fn watch() {
    WATCHED.store(true, Ordering::Relaxed);
}

/// The services that have kept a request waiting for at least this long.
#[must_use]
pub fn silent(since: Duration) -> Vec<String> {
    change(|waiting| {
        let silent = waiting
            .requests
            .iter()
            .filter(|request| request.began.elapsed() >= since);
        silent.map(|request| request.service.clone()).collect()
    })
}

fn change<T>(work: impl FnOnce(&mut Waiting) -> T) -> T {
    // Nobody panics between two changes that belong together.
    work(&mut WAITING.lock().unwrap_or_else(PoisonError::into_inner))
}
