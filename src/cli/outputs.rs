//! `rstack outputs`: what other programs need to find the stores.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;

use clap::Args;
use rstack::aws::Aws;
use rstack::settings::Target;
use rstack::stack::{self, Stack, output_key};
use rstack::{Error, Outcome, Result};
use serde::Serialize;

use super::Context;
use super::shell::command_line;
use super::variables::{VariableFormat, Variables};

/// Print where an environment's stores are, for other programs
///
/// The names stay the same from release to release: RSTACK_NAME, RSTACK_REGION, RSTACK_BUCKET, RSTACK_TABLE,
/// RSTACK_REDIS_HOST, RSTACK_REDIS_PORT, RSTACK_REDIS_URL, RSTACK_SECURITY_GROUP and, with TLS,
/// RSTACK_REDIS_AUTH_SECRET (the ARN of the secret, never the password). An output `Xyz` of a template of your own is
/// RSTACK_OUTPUT_Xyz.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Outputs {
    /// How to print them
    #[arg(long, value_enum, default_value = "env")]
    format: VariableFormat,
}

const AFTER_HELP: &str = "\
Examples:
  rstack outputs -n demo > .env
  eval \"$(rstack outputs -n demo --format shell)\"
  rstack outputs -n demo --format github     in a GitHub Actions step

stdout: the variables; with `--format github` nothing, since they go into the file that GITHUB_OUTPUT names.

Exit codes: 0 printed, 1 there is no such environment, 2 usage or configuration";

/// The outputs whose variables have a name of their own.
const NAMED: [(&str, &str); 7] = [
    (output_key::BUCKET, "RSTACK_BUCKET"),
    (output_key::TABLE, "RSTACK_TABLE"),
    (output_key::REDIS_ADDRESS, "RSTACK_REDIS_HOST"),
    (output_key::REDIS_PORT, "RSTACK_REDIS_PORT"),
    (output_key::REDIS_URL, "RSTACK_REDIS_URL"),
    (output_key::SECURITY_GROUP, "RSTACK_SECURITY_GROUP"),
    (output_key::REDIS_AUTH_SECRET, "RSTACK_REDIS_AUTH_SECRET"),
];

#[derive(Debug, Serialize)]
struct Report<'a> {
    name: &'a str,
    id: &'a str,
    region: &'a str,
    outputs: &'a stack::Outputs,
    variables: &'a Variables,
}

impl Outputs {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let name = context.settings.require_name()?;
        let aws = context.until_interrupted(context.aws()).await?;
        let found = context.until_interrupted(stack::describe(&aws, name.as_str())).await?;
        let stack = found.ok_or_else(|| context.no_environment(name, &aws))?;
        if stack.outputs.is_empty() {
            let error = Error::refused(format!("environment `{name}` has no outputs: it is {}", stack.status));
            return Err(error.with_hint(format!(
                "`{}` shows it; `{}` completes it",
                command_line(&context.settings, "status", name),
                command_line(&context.settings, "up", name),
            )));
        }
        let variables = variables(&stack, &aws, context.settings.target);
        let text = variables.render(self.format);
        let text = if self.format == VariableFormat::Github {
            append_for_github(&text)?;
            String::new()
        } else {
            text
        };
        let report = Report {
            name: &stack.name,
            id: &stack.id,
            region: aws.region(),
            outputs: &stack.outputs,
            variables: &variables,
        };
        context.ui.finish("outputs", &report, Outcome::Done, |_| text);
        Ok(Outcome::Done)
    }
}

fn variables(stack: &Stack, aws: &Aws, target: Target) -> Variables {
    let mut variables = Variables::default();
    variables.set("RSTACK_NAME", &stack.name);
    variables.set("RSTACK_REGION", aws.region());
    if let Some(url) = aws.config().endpoint_url() {
        variables.set("RSTACK_ENDPOINT_URL", url);
    }
    if target == Target::Local {
        variables.set("RSTACK_LOCAL", "1");
    }
    for (key, name) in NAMED {
        if let Some(value) = stack.outputs.get(key) {
            variables.set(name, value);
        }
    }
    let others = stack
        .outputs
        .iter()
        .filter(|(key, _)| NAMED.iter().all(|(named, _)| named != key));
    for (key, value) in others {
        variables.set(format!("RSTACK_OUTPUT_{key}"), value);
    }
    variables
}

/// GitHub may have written to the file before, and will again: only ever append, in one write.
fn append_for_github(text: &str) -> Result<()> {
    let path = env::var_os("GITHUB_OUTPUT")
        .filter(|path| !path.is_empty())
        .ok_or_else(|| {
            Error::configuration("GITHUB_OUTPUT is not set").with_hint(
                "`--format github` works in a step of GitHub Actions; elsewhere use `env`, `shell` or `json`",
            )
        })?;
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|e| Error::file("open", &path, e))?;
    file.write_all(text.as_bytes())
        .map_err(|e| Error::file("write", &path, e))
}
