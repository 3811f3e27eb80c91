//! Options that every command takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rstack::Result;
use rstack::config::FILE_NAME;
use rstack::settings::{self, Flags, Settings};
use rstack::stack::StackName;

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The environment's name
    #[arg(short, long, global = true, value_name = "NAME")]
    name: Option<String>,
    /// Configuration file instead of ./rstack.yaml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use the AWS on this machine, started when it is not running
    #[arg(long, global = true)]
    local: bool,
    /// AWS region
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// Profile of the AWS configuration
    #[arg(long, global = true, value_name = "PROFILE")]
    profile: Option<String>,
    /// Endpoint for every AWS service
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Role to assume
    #[arg(long, global = true, value_name = "ARN")]
    role_arn: Option<String>,
    #[command(flatten)]
    pub(crate) display: Display,
}

/// How to show things.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Display {
    /// Format of what is shown
    #[arg(long, global = true, value_name = "FORMAT", default_value = "auto")]
    pub(crate) output: Format,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
    /// Only results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// More detail
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Answer yes to every question
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A live view on a terminal, plain lines elsewhere
    Auto,
    /// Plain lines
    Plain,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

impl Global {
    pub(crate) fn settings(&self) -> Result<Settings> {
        Settings::load(self.flags(), variable)
    }

    /// As if `--local` had been typed.
    pub(crate) fn local(&mut self) {
        self.local = true;
    }

    /// Where `init` writes, and the name it puts there; what stands in a file already does not matter.
    pub(crate) fn config_to_write(&self) -> Result<(PathBuf, Option<StackName>)> {
        let path = settings::named_config(&self.flags(), &variable).unwrap_or_else(|| FILE_NAME.into());
        let name = self.name.as_deref().map(str::parse).transpose()?;
        Ok((path, name))
    }

    fn flags(&self) -> Flags {
        Flags {
            name: self.name.clone(),
            config: self.config.clone(),
            local: self.local,
            region: self.region.clone(),
            profile: self.profile.clone(),
            endpoint_url: self.endpoint_url.clone(),
            role_arn: self.role_arn.clone(),
        }
    }
}

/// What is no UTF-8 becomes text that no check takes, rather than nothing.
fn variable(key: &str) -> Option<String> {
    std::env::var_os(key).map(|value| value.to_string_lossy().into_owned())
}
