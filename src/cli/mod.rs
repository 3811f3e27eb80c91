//! The command line, one file a command.

mod apart;
mod authorship;
mod bench;
mod cache;
mod cat;
mod completions;
mod demo;
mod diff;
mod down;
mod environment;
mod file;
mod gc;
mod global;
mod hotfix;
mod init;
mod key;
mod local;
mod ls;
mod moving;
mod outputs;
mod parse;
mod plain;
mod policy;
mod promote;
mod prune;
mod pull;
mod redis;
mod releases;
mod rollback;
mod run;
mod seed;
mod shell;
mod silence;
mod source;
mod status;
mod template;
mod timeline;
mod up;
mod values;
mod variables;
mod verify;

pub(crate) use global::{Display, Format, When};
pub(crate) use parse::parse;

use std::sync::{Arc, OnceLock};

use clap::{Parser, Subcommand};
use futures_util::future::LocalBoxFuture;
use rstack::aws::{Access, Aws};
use rstack::interrupt::Interrupt;
use rstack::local::InUse;
use rstack::publish::Area;
use rstack::release::LocalCache;
use rstack::settings::{Settings, Target};
use rstack::stack::StackName;
use rstack::{Error, ErrorKind, Outcome, Result};
use serde::Serialize;

use self::shell::{command_line, completed};
use crate::ui::{Style, Ui};

/// A throw-away home for Python code in AWS: an S3 bucket, a DynamoDB table and a Redis as one CloudFormation stack.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: global::Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  rstack demo                    the whole tour on this machine, no AWS account needed
  rstack up --local -n demo      an environment on the AWS of this machine
  rstack up -n demo --ttl 8h     one in your AWS account, to be gone in eight hours
  rstack down -n demo            take it away again, and prove that nothing is left

stdout carries only data; progress, questions and errors go to stderr.

Exit codes:
  0 done   1 unexpected, or AWS refused   2 usage or configuration
  3 done, but something is left, skipped or lagging   4 the stack failed or was rolled back
  5 lost contact or timed out while AWS goes on   130 interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Args),
    Seed(seed::Args),
    Releases(releases::Args),
    Ls(ls::Args),
    Cat(cat::Args),
    Cache(cache::Cache),
    Run(run::Args),
    Bench(bench::Args),
    Diff(diff::Args),
    Pull(pull::Args),
    Rollback(rollback::Args),
    Promote(promote::Args),
    Hotfix(hotfix::Args),
    Prune(prune::Args),
    Verify(verify::Args),
    Status(status::Status),
    Outputs(outputs::Outputs),
    Template(template::Args),
    Down(down::Args),
    Demo(demo::Args),
    Gc(gc::Args),
    Policy(policy::Args),
    Local(local::Local),
    Key(key::Key),
    Init(init::Args),
    Completions(completions::Args),
}

/// What every command gets.
pub(crate) struct Context<'a> {
    pub(crate) settings: Settings,
    pub(crate) ui: &'a Ui,
    pub(crate) interrupt: Interrupt,
    cache: OnceLock<Arc<LocalCache>>,
    in_use: OnceLock<InUse>,
}

impl Context<'_> {
    /// Runs work that only reads, which an interrupt may cut off anywhere.
    pub(crate) fn until_interrupted<'b, T>(
        &'b self,
        work: impl Future<Output = Result<T>> + 'b,
    ) -> LocalBoxFuture<'b, Result<T>> {
        Box::pin(async {
            tokio::select! {
                biased;
                done = work => done,
                () = self.interrupt.wait() => {
                    Err(ErrorKind::Interrupted("interrupted; nothing was changed".to_owned()).into())
                }
            }
        })
    }

    /// The area configured, or `main`.
    pub(crate) fn area(&self) -> Result<Area> {
        match &self.settings.config.seed.area {
            Some(configured) => configured.parse(),
            None => Ok(Area::default()),
        }
    }

    /// The error of a command that needs an environment which is not there.
    pub(crate) fn no_environment(&self, name: &StackName, aws: &Aws) -> Error {
        let (place, list) = match self.settings.target {
            Target::Aws => (format!("in {}", aws.region()), "rstack status"),
            Target::Local => ("on the local AWS".to_owned(), "rstack status --local"),
        };
        let missing = ErrorKind::NoEnvironment {
            name: name.to_string(),
            place,
        };
        let up = command_line(&self.settings, "up", name);
        Error::from(missing).with_hint(format!(
            "`{up}` makes it; `{list}` without a name lists those there are"
        ))
    }

    /// Shows what a command found, also when a file beside it could not be written: that is the command's error then.
    pub(crate) fn conclude<T: Serialize>(
        &self,
        command: &'static str,
        value: &T,
        outcome: Outcome,
        written: Result<()>,
        text: impl FnOnce(Style) -> String,
    ) -> Result<Outcome> {
        match written {
            Ok(()) => self.ui.finish(command, value, outcome, text),
            Err(_) => self.ui.data(command, value, text),
        }
        written.map(|()| outcome)
    }

    /// What this machine keeps of what is read, opened on first use.
    pub(crate) fn cache(&self) -> &Arc<LocalCache> {
        let open = || LocalCache::open(&self.settings.cache, self.ui);
        self.cache.get_or_init(open)
    }

    /// Clients of the AWS that the settings name; the local one is started first when it is not running.
    pub(crate) async fn aws(&self) -> Result<Aws> {
        Aws::connect(&self.access().await?).await
    }

    /// What clients are made of, for whoever makes them again and again.
    pub(crate) async fn access(&self) -> Result<Access> {
        let settings = &self.settings;
        match settings.target {
            Target::Aws => Ok(settings.access.clone()),
            Target::Local => {
                let region = settings.access.region.as_deref();
                if self.in_use.get().is_none() {
                    let in_use = InUse::begin(&settings.local, self.ui, &self.interrupt).await?;
                    let _ = self.in_use.set(in_use);
                }
                let local = rstack::local::ensure(&settings.local, region, self.ui, &self.interrupt).await?;
                Ok(local.access(region))
            }
        }
    }
}

pub(crate) async fn run(cli: Cli, ui: &Ui, interrupt: Interrupt) -> Result<Outcome> {
    let Cli { mut global, command } = cli;
    if matches!(command, Command::Demo(_)) {
        global.local();
    }
    // Made only where it is needed: `init` has to work beside a configuration file that is wrong.
    let context = || {
        global.settings().map(|settings| Context {
            settings,
            ui,
            interrupt,
            cache: OnceLock::new(),
            in_use: OnceLock::new(),
        })
    };
    let work = async {
        match command {
            Command::Up(command) => Box::pin(command.run(&context()?)).await,
            Command::Seed(command) => Box::pin(command.run(&context()?)).await,
            Command::Releases(command) => Box::pin(command.run(&context()?)).await,
            Command::Ls(command) => Box::pin(command.run(&context()?)).await,
            Command::Cat(command) => Box::pin(command.run(&context()?)).await,
            Command::Cache(command) => command.run(&context()?),
            Command::Run(command) => Box::pin(command.run(&context()?)).await,
            Command::Bench(command) => Box::pin(command.run(&context()?)).await,
            Command::Diff(command) => Box::pin(command.run(&context()?)).await,
            Command::Pull(command) => Box::pin(command.run(&context()?)).await,
            Command::Rollback(command) => Box::pin(command.run(&context()?)).await,
            Command::Hotfix(command) => Box::pin(command.run(&context()?)).await,
            Command::Promote(command) => Box::pin(command.run(&context()?)).await,
            Command::Prune(command) => Box::pin(command.run(&context()?)).await,
            Command::Verify(command) => Box::pin(command.run(&context()?)).await,
            Command::Status(command) => Box::pin(command.run(&context()?)).await,
            Command::Outputs(command) => Box::pin(command.run(&context()?)).await,
            Command::Template(args) => template::run(&args, &context()?),
            Command::Demo(command) => Box::pin(command.run(context()?)).await,
            Command::Down(command) => Box::pin(command.run(&context()?)).await,
            Command::Gc(command) => Box::pin(command.run(&context()?)).await,
            Command::Policy(command) => Box::pin(command.run(&context()?)).await,
            Command::Local(command) => Box::pin(command.run(&context()?)).await,
            Command::Key(command) => command.run(ui),
            Command::Init(args) => init::run(&args, &global, ui),
            Command::Completions(args) => completions::run(&args, ui),
        }
    };
    let done = silence::told(ui, Box::pin(work)).await;
    done.map_err(|error| match (&error.hint, global.settings()) {
        (Some(hint), Ok(settings)) => {
            let hint = completed(hint, &settings);
            error.with_hint(hint)
        }
        _ => error,
    })
}
