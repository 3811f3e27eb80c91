//! `rstack completions`.

use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::Shell;
use rstack::{Error, Outcome, Result};
use serde::Serialize;

use super::Cli;
use crate::ui::Ui;

/// Print the completions of a shell
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[arg(value_enum)]
    shell: Shell,
}

const AFTER_HELP: &str = "\
stdout: the script that the shell reads.

Exit codes: 0 printed; 2 usage.

Examples:
  rstack completions bash > ~/.local/share/bash-completion/completions/rstack
  rstack completions zsh > \"${fpath[1]}/_rstack\"
  rstack completions fish > ~/.config/fish/completions/rstack.fish";

#[derive(Debug, Serialize)]
struct Report {
    shell: String,
    script: String,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rstack", &mut script);
    let report = Report {
        shell: args.shell.to_string(),
        script: String::from_utf8(script)
            .map_err(|e| Error::unexpected(format!("the completions are no text: {e}")))?,
    };
    ui.finish("completions", &report, Outcome::Done, |_| report.script.clone());
    Ok(Outcome::Done)
}
