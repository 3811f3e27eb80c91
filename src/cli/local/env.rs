//! `rstack local env`.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use rstack::{Error, Outcome, Result};
use serde::Serialize;

use crate::cli::Context;
use crate::cli::shell::quote;

#[derive(Debug, Args)]
pub(super) struct Env {
    /// How to print the variables
    #[arg(long, value_enum, default_value = "shell")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For `eval "$(rstack local env)"`
    Shell,
    /// NAME=value lines, as in .env files
    Env,
    /// One JSON object
    Json,
}

/// What other tools read from their environment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Variables {
    aws_endpoint_url: String,
    aws_region: String,
    aws_default_region: String,
    aws_access_key_id: String,
    aws_secret_access_key: String,
    redis_url: String,
}

impl Env {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let local = super::ensure(context).await?;
        let access = local.access(context.settings.access.region.as_deref());
        let region = access.region.unwrap_or_default();
        let (aws_access_key_id, aws_secret_access_key) = access.credentials.unwrap_or_default();
        let variables = Variables {
            aws_endpoint_url: local.endpoint(),
            aws_default_region: region.clone(),
            aws_region: region,
            aws_access_key_id,
            aws_secret_access_key,
            redis_url: local.redis_url(),
        };
        let text = self.format.render(&variables)?;
        context.ui.finish("local env", &variables, Outcome::Done, |_| text);
        Ok(Outcome::Done)
    }
}

impl Format {
    fn render(self, variables: &Variables) -> Result<String> {
        let unexpected = |e: serde_json::Error| Error::unexpected(e.to_string());
        let prefix = match self {
            Self::Json => return Ok(serde_json::to_string_pretty(variables).map_err(unexpected)? + "\n"),
            Self::Shell => "export ",
            Self::Env => "",
        };
        let value = serde_json::to_value(variables).map_err(unexpected)?;
        let mut text = String::new();
        for (name, value) in value.as_object().into_iter().flatten() {
            let _ = writeln!(text, "{prefix}{name}={}", quote(value.as_str().unwrap_or_default()));
        }
        Ok(text)
    }
}
