//! `rstack local`: the AWS on this machine.

use std::fmt::Write as _;

use clap::{Args, Subcommand, ValueEnum};
use rstack::local::{self, Environment, Running, Status};
use rstack::time::Timestamp;
use rstack::{Error, Outcome, Result};
use serde::Serialize;
use serde_json::json;

use super::Context;

/// Start, look at and stop the AWS on this machine
///
/// `--local` starts it by itself; these commands are for looking into it and for ending it.
#[derive(Debug, Args)]
pub struct Local {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start it, and install it first when this machine has none yet
    Start,
    /// Stop it; the environments in it are lost
    Stop,
    /// Show its servers and what is in it
    Status,
    /// Print what aws, boto3 and redis-cli need to reach it
    Env(Env),
}

#[derive(Debug, Args)]
struct Env {
    /// How to print the variables
    #[arg(long, value_enum, default_value = "shell")]
    format: EnvFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EnvFormat {
    /// For `eval "$(rstack local env)"`
    Shell,
    /// NAME=value lines, as in .env files
    Env,
    Json,
}

impl Local {
    pub async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        match self.action {
            Action::Start => start(context).await,
            Action::Stop => stop(context).await,
            Action::Status => status(context).await,
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
        Some(local) => local::environments(&local).await?,
        None => Vec::new(),
    };
    if !lost.is_empty() {
        let names: Vec<String> = lost.iter().map(name).collect();
        let (noun, verb) = if lost.len() == 1 {
            ("environment", "is")
        } else {
            ("environments", "are")
        };
        context.ui.confirm(
            &format!("the {noun} {} {verb} lost; stop the local AWS?", names.join(", ")),
            "y",
        )?;
    }
    let stopped = local::stop(options, context.ui, &context.interrupt).await?;
    let value = json!({ "stopped": stopped, "lost": lost });
    context.ui.finish("local stop", &value, Outcome::Done, |_| {
        if stopped {
            String::new()
        } else {
            "not running\n".to_owned()
        }
    });
    Ok(Outcome::Done)
}

async fn status(context: &Context<'_>) -> Result<Outcome> {
    let status = local::status(&context.settings.local).await?;
    context.ui.finish("local status", &status, Outcome::Done, |_| {
        text(&status, Timestamp::now())
    });
    Ok(Outcome::Done)
}

fn text(status: &Status, now: Timestamp) -> String {
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
    let mut text = format!("aws      {endpoint}\nredis    {redis_url}\n");
    let up = humantime::format_duration(std::time::Duration::from_secs(now.since(*started).as_secs()));
    let _ = writeln!(text, "running  for {up}");
    let _ = writeln!(text, "home     {}\n", status.home.display());
    for server in servers {
        let memory = server
            .memory
            .map_or_else(String::new, |bytes| format!("  {} MB", bytes / 1_000_000));
        let _ = writeln!(
            text,
            "{:<18} pid {:<8} port {:<6}{memory}",
            server.name, server.pid, server.port
        );
    }
    text.push('\n');
    if environments.is_empty() {
        text.push_str("no environments\n");
    }
    for environment in environments {
        let _ = writeln!(text, "{:<30} {}", name(environment), environment.status);
    }
    text
}

fn name(environment: &Environment) -> String {
    if environment.region == local::DEFAULT_REGION {
        environment.name.clone()
    } else {
        format!("{} ({})", environment.name, environment.region)
    }
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
    async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let local = ensure(context).await?;
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

impl EnvFormat {
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

/// A word for the shell, quoted only where it has to be: a region is whatever the user typed.
fn quote(word: &str) -> String {
    if word.bytes().all(|b| b.is_ascii_alphanumeric() || b":/._-".contains(&b)) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
