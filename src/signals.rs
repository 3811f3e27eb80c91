//! Ctrl-C and SIGTERM: the first asks the work to stop, the second ends the process at once.

use std::sync::Arc;
use std::thread;

use rstack::interrupt::Interrupter;
use rstack::{Error, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::ui::Ui;

/// Listens on a thread of its own, so that a prompt or busy work cannot keep a signal waiting.
pub(crate) fn listen(interrupter: Interrupter, ui: Arc<Ui>) -> Result<()> {
    let failed = |e| Error::unexpected(format!("signals cannot be listened for: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(failed)?;
    let (mut int, mut term) = {
        let _guard = runtime.enter();
        (
            signal(SignalKind::interrupt()).map_err(failed)?,
            signal(SignalKind::terminate()).map_err(failed)?,
        )
    };
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
            interrupter.raise();
            tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
            ui.restore();
            exit_interrupted()
        });
    });
    Ok(())
}

#[expect(clippy::exit, reason = "the second signal means now")]
fn exit_interrupted() -> ! {
    std::process::exit(130)
}
