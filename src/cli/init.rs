//! `rstack init`.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use rstack::{Error, Outcome, Result, config};
use serde::Serialize;

use super::global::Global;
use crate::ui::Ui;

/// Write a commented rstack.yaml
///
/// Every key is in it, explained and switched off; `--name` switches the name on. `--config` writes another file.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Replace the file when there is one
    #[arg(long)]
    force: bool,
}

const AFTER_HELP: &str = "\
stdout: the path of the file.

Exit codes: 0 written; 1 it is already there, or cannot be written; 2 usage.

Examples:
  rstack init --name demo
  rstack init --config other.yaml";

#[derive(Debug, Serialize)]
struct Report {
    path: PathBuf,
}

pub(crate) fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Outcome> {
    let (path, name) = global.config_to_write()?;
    write(&path, &config::sample(name.as_ref()), args.force)?;
    let report = Report { path };
    ui.finish("init", &report, Outcome::Done, |_| {
        format!("{}\n", report.path.display())
    });
    Ok(Outcome::Done)
}

fn write(path: &Path, text: &str, force: bool) -> Result<()> {
    let opened = if force {
        File::create(path)
    } else {
        File::create_new(path)
    };
    let mut file = opened.map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => Error::refused(format!("`{}` is already there", path.display()))
            .with_hint("edit it, or replace it with `rstack init --force`"),
        _ => Error::file("write", path, e),
    })?;
    file.write_all(text.as_bytes())
        .map_err(|e| Error::file("write", path, e))
}
