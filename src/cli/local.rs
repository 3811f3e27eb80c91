//! `rstack local`: the AWS on this machine.

mod env;
mod logs;

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use rstack::local::{self, Environment, Running, Status};
use rstack::time::Timestamp;
use rstack::{ErrorKind, Outcome, Result};
use serde_json::json;

use super::Context;
use crate::ui::{Line, Role, Style, Table, text};

/// Start, look at and stop the AWS on this machine
///
/// `--local` starts it by itself; these commands are for looking into it and for ending it.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Local {
    #[command(subcommand)]
    action: Action,
}

const AFTER_HELP: &str = "\
stdout: where it is, or what was asked for.

Exit codes: 0 done, also when there was nothing to stop; 1 it could not be made, started or stopped, or the question \
was answered with no; 2 usage; 130 interrupted.

Examples:
  rstack local start                     before the first `--local`, to see that it works
  eval \"$(rstack local env)\"            then `aws s3 ls`, boto3 and redis-cli use it
  rstack local status                    its servers, and the environments in it
  rstack local logs --follow             what the AWS says while it works
  rstack local stop --yes                in a script; the environments in it are lost";

#[derive(Debug, Subcommand)]
enum Action {
    /// Start it, and install it first when this machine has none yet
    Start,
    /// Stop it; the environments in it are lost
    Stop,
    /// Show its servers and what is in it
    Status,
    /// Print what its servers logged
    Logs(logs::Logs),
    /// Print what aws, boto3 and redis-cli need to reach it, and start it when it is not running
    ///
    /// For the shell: eval "$(rstack local env)"; redis-cli takes -u "$REDIS_URL".
    Env(env::Env),
}

impl Local {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        match self.action {
            Action::Start => start(context).await,
            Action::Stop => stop(context).await,
            Action::Status => status(context).await,
            Action::Logs(logs) => logs.run(context).await,
            Action::Env(env) => env.run(context).await,
        }
    }
}

async fn ensure(context: &Context<'_>) -> Result<local::Local> {
    let settings = &context.settings;
    let region = settings.access.region.as_deref();
    local::ensure(&settings.local, region, context.ui, &context.interrupt).await
}

async fn start(context: &Context<'_>) -> Result<Outcome> {
    let local = ensure(context).await?;
    let (endpoint, redis_url) = (local.endpoint(), local.redis_url());
    let value = json!({ "endpoint": endpoint, "redis_url": redis_url });
    context.ui.finish("local start", &value, Outcome::Done, |_| {
        format!("aws    {endpoint}\nredis  {redis_url}\n")
    });
    Ok(Outcome::Done)
}

async fn stop(context: &Context<'_>) -> Result<Outcome> {
    let options = &context.settings.local;
    let lost = match local::find(options).await? {
        Some(local) => context.until_interrupted(Box::pin(local::environments(&local))).await,
        None => Ok(Vec::new()),
    };
    let question = match &lost {
        Ok(lost) if lost.is_empty() => None,
        Ok(lost) => {
            let names: Vec<String> = lost.iter().map(name).collect();
            let noun = if lost.len() == 1 {
                "this environment"
            } else {
                "these environments"
            };
            Some(format!("stopping the local AWS loses {noun}: {}", names.join(", ")))
        }
        Err(error) if matches!(*error.kind, ErrorKind::Interrupted(_)) => return lost.map(|_| Outcome::Done),
        // One that answers wrongly has to be stoppable all the same.
        Err(error) => Some(format!(
            "the local AWS does not tell what it holds ({error}); stopping it loses all of it"
        )),
    };
    if let Some(question) = question {
        context.ui.confirm(&question, "y")?;
    }
    let stopped = local::stop(options, context.ui, &context.interrupt).await?;
    let value = json!({ "stopped": stopped, "lost": lost.unwrap_or_default() });
    context.ui.finish("local stop", &value, Outcome::Done, |_| {
        if stopped {
            String::new()
        } else {
            "the local AWS is not running\n".to_owned()
        }
    });
    Ok(Outcome::Done)
}

async fn status(context: &Context<'_>) -> Result<Outcome> {
    let status = context
        .until_interrupted(Box::pin(local::status(&context.settings.local)))
        .await?;
    context.ui.finish("local status", &status, Outcome::Done, |style| {
        shown(&status, Timestamp::now(), style)
    });
    Ok(Outcome::Done)
}

fn shown(status: &Status, now: Timestamp, style: Style) -> String {
    let Some(running) = &status.running else {
        return "the local AWS is not running\n".to_owned();
    };
    let Running {
        endpoint,
        redis_url,
        started,
        servers,
        environments,
    } = running;
    let mut shown = String::new();
    for (key, value) in [
        ("aws", endpoint.clone()),
        ("redis", redis_url.clone()),
        ("running", format!("for {}", text::age(now.since(*started)))),
        ("home", text::clean(&status.home.display().to_string()).into_owned()),
    ] {
        let _ = writeln!(shown, "{key:<9}{value}");
    }
    let mut table = Table::new(&["SERVER", ">PID", ">PORT", ">MEMORY"]);
    for server in servers {
        let memory = server.memory.map_or_else(|| "-".to_owned(), text::bytes);
        let cells = [
            server.name.clone(),
            server.pid.to_string(),
            server.port.to_string(),
            memory,
        ];
        table.row(cells.map(|cell| (Role::Plain, cell)));
    }
    let _ = write!(shown, "\n{}", table.render(style));
    for server in servers.iter().filter(|server| !server.answers) {
        let line = Line::new()
            .and(Role::Bad, format!("{} does not answer", server.name))
            .plain("; the next command that uses the local AWS starts it again, empty, and so does ")
            .plain("`rstack local start`");
        let _ = writeln!(shown, "{}", line.render(style));
    }
    if environments.is_empty() {
        shown.push_str("\nno environments\n");
        return shown;
    }
    let mut table = Table::new(&["=ENVIRONMENT", "=STATUS"]);
    for environment in environments {
        let role = Role::from(environment.status.tone());
        table.row([
            (Role::Strong, name(environment)),
            (role, environment.status.to_string()),
        ]);
    }
    let _ = write!(shown, "\n{}", table.render(style));
    shown
}

fn name(environment: &Environment) -> String {
    if environment.region == local::DEFAULT_REGION {
        environment.name.clone()
    } else {
        format!("{} ({})", environment.name, environment.region)
    }
}
