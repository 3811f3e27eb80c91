//! What belongs to one process.

use std::sync::OnceLock;

/// A value for each process that uses it. A fork inherits its parent's memory, and so connections and threads that are
/// not its own: it makes its own, and never drops what it inherited, which would disturb the parent.
///
/// Nothing here waits for a lock, since a thread that held one is missing in a fork.
#[derive(Debug)]
pub(super) struct PerProcess<T> {
    pid: u32,
    /// `None` only while it is dropped.
    value: Option<T>,
    next: OnceLock<Box<Self>>,
}

impl<T> PerProcess<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            pid: std::process::id(),
            value: Some(value),
            next: OnceLock::new(),
        }
    }

    /// The value of this process, if it has one.
    pub(super) fn get(&self) -> Option<&T> {
        let pid = std::process::id();
        let mut link = self;
        loop {
            if link.pid == pid {
                return link.value.as_ref();
            }
            link = link.next.get()?;
        }
    }

    /// The value of the nearest ancestor that has one. Only what is plain memory may be used of it.
    pub(super) fn inherited(&self) -> Option<&T> {
        let mut link = self;
        while let Some(next) = link.next.get() {
            link = next;
        }
        link.value.as_ref()
    }

    /// The value of this process: this one, unless another thread was faster.
    pub(super) fn set(&self, value: T) -> Option<&T> {
        let mut own = Box::new(Self::new(value));
        let mut link = self;
        loop {
            if link.pid == own.pid {
                return link.value.as_ref();
            }
            match link.next.set(own) {
                Ok(()) => return self.get(),
                Err(refused) => own = refused,
            }
            link = link.next.get()?;
        }
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if self.pid != std::process::id() {
            std::mem::forget(self.value.take());
        }
    }
}
