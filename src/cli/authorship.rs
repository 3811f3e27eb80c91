//! In whose name a marker moves: options of every command that moves one.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Args as ClapArgs;
use rstack::event::{Event, Reporter as _};
use rstack::trust::{PrivateKey, others_may_read, read_private_key};
use rstack::{Error, Result};

use super::Context;
use super::shell::quote;

/// Who moves it and why.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Authorship {
    /// Why, for the history
    #[arg(short, long, value_name = "WHY")]
    pub(crate) message: Option<String>,
    /// In whose name [default: the user's]
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
}

impl Authorship {
    /// The name given, or the user's.
    pub(crate) fn author(&self) -> String {
        let given = self.author.clone().filter(|name| !name.is_empty());
        given.or_else(user).unwrap_or_else(|| "unknown".to_owned())
    }
}

/// Whose process this is. Containers and cron leave the variables out, and only then the system is asked.
fn user() -> Option<String> {
    let variable = |name: &&str| std::env::var(name).ok().filter(|name| !name.is_empty());
    ["USER", "LOGNAME"].iter().find_map(variable).or_else(system_user)
}

/// `id` fails for a user id without a name.
fn system_user() -> Option<String> {
    let output = Command::new("id").arg("-un").stderr(Stdio::null()).output().ok()?;
    let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}

/// With which key.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Signing {
    /// Sign with this private key, as `rstack key generate` makes it [default: `signing_key` in rstack.yaml]
    #[arg(long, value_name = "KEY", conflicts_with = "unsigned")]
    pub(crate) sign: Option<PathBuf>,
    /// Do not sign, even where readers may insist on it
    #[arg(long)]
    pub(crate) unsigned: bool,
}

impl Signing {
    /// The key given, or configured; none with `--unsigned`.
    pub(crate) fn key(&self, context: &Context<'_>) -> Result<Option<PrivateKey>> {
        if self.unsigned {
            return Ok(None);
        }
        let config = &context.settings.config;
        match self.sign.as_ref().or(config.signing_key.as_ref()) {
            Some(file) => {
                let key = read_private_key(file)?;
                if others_may_read(file) {
                    context.ui.report(&Event::Warning {
                        message: format!("others may read the private key `{}`", file.display()),
                        hint: Some(format!("`chmod go-rwx {}`", quote(&file.display().to_string()))),
                    });
                }
                Ok(Some(key))
            }
            None if config.trusted_keys.is_empty() => Ok(None),
            None => Err(Error::usage(
                "keys are trusted here, and nothing is given to sign with: readers would refuse it",
            )
            .with_hint(
                "name a private key with `--sign KEY`, RSTACK_SIGNING_KEY or `signing_key` in rstack.yaml, or \
                         say `--unsigned`",
            )),
        }
    }
}
