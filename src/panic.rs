//! A panic is a bug: say so, and how to report it.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::sync::Arc;

use rstack::Error;

use crate::ui::Ui;

/// From here on a panic, in whatever thread, ends the process with one clear error and exit code 1.
pub(crate) fn report(ui: Arc<Ui>) {
    std::panic::set_hook(Box::new(move |info| {
        ui.restore();
        let place = info
            .location()
            .map(|at| format!(" at {}:{}", at.file(), at.line()))
            .unwrap_or_default();
        let message = info.payload_as_str().unwrap_or("no message");
        let mut hint = format!(
            "please report it with this message, the command and `rstack --version` ({})",
            env!("CARGO_PKG_VERSION")
        );
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            hint = format!("{hint}\n{backtrace}");
        } else {
            hint.push_str("; RUST_BACKTRACE=1 adds where it came from");
        }
        let error = Error::unexpected(format!("this is a bug in rstack{place}: {message}")).with_hint(hint);
        exit_with(ui.end(Err(error)))
    }));
}

#[expect(clippy::exit, reason = "after a bug nothing else may run")]
fn exit_with(code: u8) -> ! {
    std::process::exit(code.into())
}
