//! In whose name a marker moves: options of every command that moves one.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use rstack::trust::{PrivateKey, read_private_key};
use rstack::{Error, Result};

use super::Context;

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
        let user = || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        let named = self.author.clone().or_else(user);
        named
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "unknown".to_owned())
    }
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
            Some(file) => read_private_key(file).map(Some),
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
