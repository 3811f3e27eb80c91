//! Work that blocks, beside the runtime.

use std::thread;

use rstack::{Error, Result};
use tokio::sync::oneshot;

/// Runs what blocks on a thread of its own, which nobody waits for after an interrupt: for those of the runtime, the end
/// of the process would wait.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (sender, answer) = oneshot::channel();
    thread::spawn(move || {
        // Nobody listens any more after an interrupt.
        let _ = sender.send(work());
    });
    let lost = |_| Error::unexpected("work on a thread of its own ended without an answer");
    answer.await.map_err(lost)?
}
