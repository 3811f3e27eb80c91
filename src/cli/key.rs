//! `rstack key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rstack::trust::{self, PublicKey};
use rstack::{Outcome, Result};
use serde::Serialize;

use crate::ui::Ui;

/// Keys to sign releases with
#[derive(Debug, Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Generate(Generate),
    Public(Public),
}

/// Make a key: the private half goes into a file of yours, the public half is printed
///
/// Keep the file where only publishers reach it, and give it to `rstack seed --sign FILE`. Give the public key to
/// readers, in RSTACK_TRUSTED_KEYS or as `trusted_keys` in rstack.yaml: they then refuse what it has not signed.
#[derive(Debug, Args)]
#[command(after_help = GENERATE_HELP)]
struct Generate {
    /// Where to write the private key; it must not exist yet
    #[arg(value_name = "FILE", default_value = "rstack-key.pem")]
    file: PathBuf,
}

const GENERATE_HELP: &str = "\
stdout: the public key. The private key is Ed25519, PKCS#8 in PEM, readable by you alone, and never printed.

Example:
  rstack key generate prod.pem";

/// Print the public half of a private key
#[derive(Debug, Args)]
struct Public {
    /// File of the private key
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Serialize)]
struct Report {
    file: PathBuf,
    public_key: PublicKey,
}

impl Key {
    pub(crate) fn run(self, ui: &Ui) -> Result<Outcome> {
        let (command, public_key, file) = match self.action {
            Action::Generate(Generate { file }) => ("key generate", trust::generate(&file)?, file),
            Action::Public(Public { file }) => ("key public", trust::read_private_key(&file)?.public(), file),
        };
        let report = Report { file, public_key };
        ui.finish(command, &report, Outcome::Done, |_| format!("{public_key}\n"));
        Ok(Outcome::Done)
    }
}
