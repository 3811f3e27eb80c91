//! A stream that remembers why it could not be written, instead of failing in the middle of the work.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// stdout or stderr (or a buffer in tests). Whole texts are written at once and flushed.
pub(crate) struct Sink(Mutex<State>);

struct State {
    writer: Box<dyn Write + Send>,
    failure: Option<io::Error>,
}

impl Sink {
    pub(crate) fn new(writer: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(State {
            writer: Box::new(writer),
            failure: None,
        }))
    }

    /// Writes all of `text`, or nothing more once a write has failed.
    pub(crate) fn write(&self, text: &(impl AsRef<[u8]> + ?Sized)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failure.is_none() {
            let written = state.writer.write_all(text.as_ref());
            state.failure = written.and_then(|()| state.writer.flush()).err();
        }
    }

    /// Whoever read this stream has gone.
    pub(crate) fn closed(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = state.failure.as_ref();
        failure.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What was to be written is lost although somebody wanted it, for example because a disk is full.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failure.as_ref()?.kind() == io::ErrorKind::BrokenPipe {
            return None;
        }
        state.failure.take()
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sink")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;

    /// A sink whose content can be read.
    #[derive(Clone, Default)]
    pub(in crate::ui) struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Buffer {
        pub(in crate::ui) fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("UTF-8")
        }
    }

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_left_is_no_failure_and_a_full_disk_is() {
        let left = Sink::new(Failing(io::ErrorKind::BrokenPipe));
        left.write("x");
        assert!(left.closed() && left.failure().is_none());

        let full = Sink::new(Failing(io::ErrorKind::StorageFull));
        full.write("x");
        assert!(!full.closed());
        assert_eq!(full.failure().map(|e| e.kind()), Some(io::ErrorKind::StorageFull));
    }
}
