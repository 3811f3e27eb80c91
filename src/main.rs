//! The command line: parse, listen for signals, run, say how it ended. The only place that exits.

mod cli;
mod logging;
mod panic;
mod signals;
mod ui;

use std::process::ExitCode;
use std::sync::Arc;

use rstack::interrupt::{self, Interrupt};
use rstack::{Error, Outcome, Result};

use crate::cli::Cli;
use crate::ui::Ui;

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(unparsed) => return ExitCode::from(unparsed.show()),
    };
    let (interrupter, interrupt) = interrupt::channel();
    let ui = Arc::new(Ui::new(&cli.global.display, interrupt.clone()));
    panic::report(Arc::clone(&ui));
    let ending = logging::start()
        .and_then(|()| signals::listen(interrupter, Arc::clone(&ui)))
        .and_then(|()| run(cli, &ui, interrupt));
    ExitCode::from(ui.end(ending))
}

/// Files are read, hashed and compressed in these. Each has memory of its own that it hardly ever gives back.
const BLOCKING_THREADS: usize = 4;

/// One thread is enough: the work is waiting for answers.
fn run(cli: Cli, ui: &Ui, interrupt: Interrupt) -> Result<Outcome> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .map_err(|e| Error::unexpected(format!("the async runtime does not start: {e}")))?
        .block_on(cli::run(cli, ui, interrupt))
}
