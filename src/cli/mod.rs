//! The command line, one file a command.

mod global;
mod local;

pub use global::{Display, Format, When};

use clap::{Parser, Subcommand};
use rstack::aws::Aws;
use rstack::interrupt::Interrupt;
use rstack::settings::{Settings, Target};
use rstack::{Outcome, Result};

use crate::ui::Ui;

/// A throw-away home for Python code in AWS.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: global::Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Local(local::Local),
}

/// What every command gets.
pub struct Context<'a> {
    pub settings: Settings,
    pub ui: &'a Ui,
    pub interrupt: Interrupt,
}

impl Context<'_> {
    /// Clients of the AWS that the settings name; the local one is started first when it is not running.
    pub async fn aws(&self) -> Result<Aws> {
        let settings = &self.settings;
        match settings.target {
            Target::Aws => Aws::connect(&settings.access).await,
            Target::Local => {
                let region = settings.access.region.as_deref();
                let local = rstack::local::ensure(&settings.local, region, self.ui, &self.interrupt).await?;
                Aws::connect(&local.access(region)).await
            }
        }
    }
}

pub async fn run(cli: Cli, ui: &Ui, interrupt: Interrupt) -> Result<Outcome> {
    let settings = cli.global.settings()?;
    let context = Context {
        settings,
        ui,
        interrupt,
    };
    match cli.command {
        Command::Local(command) => command.run(&context).await,
    }
}
