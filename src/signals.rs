//! Ctrl-C, SIGTERM and a terminal that goes away: the first asks the work to stop, another Ctrl-C or SIGTERM ends the
//! process at once. A terminal that goes away may say so twice, by its shell and by itself, and nobody means more by it.

use std::sync::Arc;
use std::{fs, io, thread};

use futures_util::future::select_all;
use rstack::interrupt::Interrupter;
use rstack::{Error, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ui::Ui;

/// Those that end the process when they come second.
const AT_ONCE: [fn() -> SignalKind; 2] = [SignalKind::interrupt, SignalKind::terminate];

/// Listens on a thread of its own, so that a prompt or busy work cannot keep a signal waiting.
pub(crate) fn listen(interrupter: Interrupter, ui: Arc<Ui>) -> Result<()> {
    let failed = |e| Error::unexpected(format!("signals cannot be listened for: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(failed)?;
    let hangup = hangup_counts().then(SignalKind::hangup);
    let mut signals = {
        let _guard = runtime.enter();
        let listened = AT_ONCE.into_iter().map(|kind| kind()).chain(hangup).map(signal);
        listened.collect::<io::Result<Vec<_>>>().map_err(failed)?
    };
    thread::spawn(move || {
        runtime.block_on(async {
            any(&mut signals).await;
            interrupter.raise();
            any(&mut signals[..AT_ONCE.len()]).await;
            ui.restore();
            exit_interrupted()
        });
    });
    Ok(())
}

async fn any(signals: &mut [Signal]) {
    let received = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    select_all(received).await;
}

/// Whether SIGHUP is to be heard: `nohup` has it ignored, which listening would undo. Where the system does not say, it
/// stays as it is.
fn hangup_counts() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 == 0)
}

#[expect(clippy::exit, reason = "the second signal means now")]
fn exit_interrupted() -> ! {
    std::process::exit(130)
}
