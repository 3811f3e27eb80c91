//! The command line: parse, listen for signals, run, say how it ended. The only place that exits.

mod cli;
mod ui;

use std::process::ExitCode;

use clap::Parser;
use rstack::{Outcome, Result, interrupt};

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let ui = ui::Ui::new(&cli.global.display);
    let ending = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| rstack::Error::unexpected(format!("the async runtime does not start: {e}")))
        .and_then(|runtime| runtime.block_on(run(cli, &ui)));
    ExitCode::from(match ending {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            ui.error(&error);
            error.exit_code()
        }
    })
}

async fn run(cli: cli::Cli, ui: &ui::Ui) -> Result<Outcome> {
    let (interrupter, interrupt) = interrupt::channel();
    tokio::spawn(listen(interrupter));
    cli::run(cli, ui, interrupt).await
}

/// The first Ctrl-C or SIGTERM asks the work to stop; the second exits at once.
async fn listen(interrupter: interrupt::Interrupter) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return;
    };
    for count in 0.. {
        tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
        if count > 0 {
            std::process::exit(130);
        }
        interrupter.raise();
    }
}
