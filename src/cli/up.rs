//! `rstack up`.

mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args as ClapArgs, ValueEnum};
use rstack::aws::Aws;
use rstack::config::{self, Config};
use rstack::publish::Tree;
use rstack::settings::Target;
use rstack::stack::{
    Approve, ChangeSet, LARGEST_BODY, OnFailure, Preflight, Stack, StackName, StagedTemplate, TemplateText, TimeToLive,
    Timeline, Up, UpReport, Watch, stage, up,
};
use rstack::template::Preset;
use rstack::trust::PrivateKey;
use rstack::{Error, Outcome, Result};
use serde::Serialize;

use super::Context;
use super::authorship::Signing;
use super::seed::{self, Seed, SeedReport};
use super::shell::{command_line, quote};
use super::template::{Choice, choose};
use super::timeline::{Made, TimelineOption};
use super::values::PresetName;

/// Create the environment, or bring an existing one up to date, and wait
///
/// The stack's events are shown until it stands or has been rolled back. An existing environment is changed only
/// after the changes were shown and confirmed; one that is being changed already is watched first. What a failed
/// creation left is removed and made again.
#[derive(Debug, Default, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Preset instead of the one in rstack.yaml
    #[arg(long, value_enum, conflicts_with = "template")]
    preset: Option<PresetName>,
    /// Send a template of your own, byte for byte
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Value for a parameter of the template (repeatable)
    #[arg(short, long = "parameter", value_name = "KEY=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// Bucket for a template too large to be sent with the request
    #[arg(long, value_name = "BUCKET")]
    template_bucket: Option<String>,
    /// Acknowledge what the template may do, such as CAPABILITY_IAM (repeatable)
    #[arg(long = "capability", value_name = "CAPABILITY", value_parser = config::capability)]
    capabilities: Vec<String>,
    /// What happens to a stack that fails [default: rollback]
    #[arg(long, value_enum, value_name = "WHAT")]
    on_failure: Option<Failure>,
    /// Stop watching after this long; AWS goes on
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    timeout: Option<Duration>,
    /// Start the operation and return
    #[arg(long)]
    no_wait: bool,
    /// Deploy in EXPRESS mode, and wait only until the stores serve
    #[arg(long)]
    express: bool,
    /// Tag for the stack (repeatable)
    #[arg(short, long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// Time to live, such as 8h; for an existing environment counted anew from now
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    ttl: Option<Duration>,
    /// Publish a directory once the stack stands; without DIR what `rstack seed` publishes
    #[arg(long, value_name = "DIR", num_args = 0..=1, conflicts_with = "no_wait")]
    #[expect(
        clippy::option_option,
        reason = "clap's form of an option whose value may be left out"
    )]
    seed: Option<Option<PathBuf>>,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    timeline: TimelineOption,
}

const AFTER_HELP: &str = "\
stdout: the outputs, and how long each resource took; with `--timeline` alone also when.

Exit codes: 0 it stands; 3 it stands, but not everything was seeded; 4 it failed or was rolled back; 5 AWS goes on, \
but rstack stopped watching; 130 interrupted (AWS goes on). Run the same command again to attach.

Examples:
  rstack up --local -n demo --seed        one on this machine, with the demo scripts
  rstack up -n pr-123 --ttl 8h            one for a pull request, for eight hours
  rstack up -n demo --timeline up.svg     and draw what each resource did when
  rstack up -n demo --template mine.yaml -p Size=2";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Failure {
    /// Its resources are removed, the stack stays to be looked at
    Rollback,
    /// All of it is removed
    Delete,
    /// All of it stays as it is
    Keep,
}

impl From<Failure> for OnFailure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Rollback => Self::Rollback,
            Failure::Delete => Self::Delete,
            Failure::Keep => Self::Keep,
        }
    }
}

/// What the command did.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    up: UpReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<SeedReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<Timeline>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        // First what can be wrong on this machine.
        let name = context.settings.require_name()?;
        if self.seed.is_none() && (self.signing.sign.is_some() || self.signing.unsigned) {
            return Err(
                Error::usage("`--sign` and `--unsigned` are about what `--seed` publishes")
                    .with_hint("add `--seed`, or leave them out"),
            );
        }
        let tree = match &self.seed {
            Some(dir) => Some(seed::read(context, dir.clone()).await?),
            None => None,
        };
        let signer = match &self.seed {
            Some(_) => self.signing.key(context)?,
            None => None,
        };
        let drawing = self.timeline.wanted()?;
        let aws = context.until_interrupted(context.aws()).await?;
        let up = match bring_up(context, &aws, name, &self).await {
            Ok(up) => up,
            Err(error) => return Err(drawing.make_after(context, &aws, name.as_str(), error).await),
        };
        let Made { timeline, written } = drawing.make(context, &aws, &up.stack.id).await;
        let seed = match tree {
            Some(tree) => Some(self.publish(context, &aws, &up.stack, &tree, signer.as_ref()).await?),
            None => None,
        };
        let outcome = seed.as_ref().map_or(Outcome::Done, SeedReport::outcome);
        let report = Report { up, seed, timeline };
        let drawn = drawing.on_stdout();
        context.conclude("up", &report, outcome, written, |style| {
            words::of(&report, drawn, style)
        })
    }

    /// Publishes as `rstack seed` does.
    async fn publish(
        &self,
        context: &Context<'_>,
        aws: &Aws,
        stack: &Stack,
        tree: &Tree,
        signer: Option<&PrivateKey>,
    ) -> Result<SeedReport> {
        let options = seed::Options::signed(self.signing.clone());
        let area = options.area(context)?;
        let seed = Seed {
            aws,
            stack,
            tree,
            area: &area,
            options: &options,
            signer,
            dry_run: false,
        };
        let report = Box::pin(seed.run(context))
            .await
            .map_err(|error| error.leaving(format!("environment `{}`, which stands", stack.name)))?;
        seed::warn(context, &report);
        Ok(report)
    }
}

/// The command that goes on with all that was asked for, and waits as long as it takes.
fn again(args: &Args, context: &Context<'_>, name: &StackName) -> String {
    let path = |path: &PathBuf| path.display().to_string();
    let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let named = |value: Option<PossibleValue>| value.map(|value| value.get_name().to_owned()).into_iter().collect();
    let valued: [(&str, Vec<String>); 9] = [
        ("--template", args.template.iter().map(path).collect()),
        (
            "--preset",
            named(args.preset.and_then(|preset| preset.to_possible_value())),
        ),
        ("--parameter", pairs(&args.parameters)),
        ("--template-bucket", args.template_bucket.iter().cloned().collect()),
        ("--capability", args.capabilities.clone()),
        (
            "--on-failure",
            named(args.on_failure.and_then(|failure| failure.to_possible_value())),
        ),
        ("--tag", pairs(&args.tags)),
        (
            "--ttl",
            args.ttl
                .iter()
                .map(|ttl| humantime::format_duration(*ttl).to_string().replace(' ', ""))
                .collect(),
        ),
        ("--sign", args.signing.sign.iter().map(path).collect()),
    ];
    let valued = valued.into_iter().flat_map(|(option, values)| {
        values
            .into_iter()
            .map(move |value| format!("{option} {}", quote(&value)))
    });
    let seed = args.seed.as_ref().map(|dir| match dir {
        Some(dir) => format!("--seed {}", quote(&path(dir))),
        None => "--seed".to_owned(),
    });
    let flags = [
        args.express.then(|| "--express".to_owned()),
        args.signing.unsigned.then(|| "--unsigned".to_owned()),
        context.ui.answers_yes().then(|| "--yes".to_owned()),
        seed,
        args.timeline.typed(),
    ];
    let command = command_line(&context.settings, "up", name);
    let words = [command].into_iter().chain(valued).chain(flags.into_iter().flatten());
    words.collect::<Vec<_>>().join(" ")
}

/// Everything of the command but its last words.
pub(crate) async fn bring_up(context: &Context<'_>, aws: &Aws, name: &StackName, args: &Args) -> Result<UpReport> {
    let config = &context.settings.config;
    let on_failure = args
        .on_failure
        .map(OnFailure::from)
        .or(config.on_failure)
        .unwrap_or_default();
    if args.express && on_failure == OnFailure::Delete {
        return Err(
            Error::usage("`--express` and `--on-failure delete` contradict each other")
                .with_hint("EXPRESS deployments can be rolled back or kept; use `--on-failure rollback` or `keep`"),
        );
    }
    let (body, preflight) = template(args, context)?;
    let staged = staged(aws, args, config, &body).await?;
    let attach = again(args, context, name);
    let remove = command_line(&context.settings, "down", name);
    let watch = Watch {
        reporter: context.ui,
        interrupt: &context.interrupt,
        timeout: args.timeout.or(config.timeout),
        attach: &attach,
        remove: &remove,
        deletes_on_failure: false,
    };
    let approve = |changes: &ChangeSet| approve(context, name, changes);
    let wanted = Up {
        name,
        template: TemplateText {
            body,
            url: staged.as_ref().map(|s| s.url.clone()),
        },
        parameters: merged(&config.template.parameters, &args.parameters),
        capabilities: config
            .template
            .capabilities
            .iter()
            .chain(&args.capabilities)
            .cloned()
            .collect(),
        tags: merged(&config.tags, &args.tags),
        ttl: match (args.ttl, config.ttl) {
            (Some(length), _) => Some(TimeToLive { length, explicit: true }),
            (None, Some(length)) => Some(TimeToLive {
                length,
                explicit: false,
            }),
            (None, None) => None,
        },
        on_failure,
        express: args.express,
        wait: !args.no_wait,
        preflight,
        approve: &approve as &Approve<'_>,
    };
    let report = Box::pin(up(aws, &wanted, &watch)).await;
    match staged {
        Some(staged) => unstaged(report, staged, aws).await,
        None => report,
    }
}

/// The template's text, and what must hold before it can be created.
fn template(args: &Args, context: &Context<'_>) -> Result<(String, Preflight)> {
    let stores = &context.settings.config.stores;
    let choice = args
        .template
        .as_deref()
        .map_or_else(|| choose(args.preset, context), Choice::File);
    match choice {
        Choice::File(path) => {
            let body = std::fs::read_to_string(path).map_err(|e| match e.kind() {
                std::io::ErrorKind::NotFound => {
                    Error::usage(format!("the template `{}` does not exist", path.display()))
                }
                _ => Error::file("read", path, e),
            })?;
            if body.trim().is_empty() {
                return Err(Error::usage(format!("the template `{}` is empty", path.display())));
            }
            Ok((body, Preflight::default()))
        }
        Choice::Preset(preset) => {
            let body = preset.template(stores).to_yaml()?;
            let ours = preset == Preset::Default;
            let preflight = Preflight {
                default_vpc: context.settings.target == Target::Aws && (!ours || stores.redis.needs_default_vpc()),
                bucket: stores.s3.bucket_name.clone().filter(|_| ours),
                table: stores.dynamodb.table_name.clone().filter(|_| ours),
            };
            Ok((body, preflight))
        }
    }
}

/// Puts a template that is too large for a request where CloudFormation can read it.
async fn staged(aws: &Aws, args: &Args, config: &Config, body: &str) -> Result<Option<StagedTemplate>> {
    if body.len() <= LARGEST_BODY {
        return Ok(None);
    }
    let bucket = args.template_bucket.as_ref().or(config.template.bucket.as_ref());
    let Some(bucket) = bucket else {
        return Err(Error::usage(format!(
            "the template has {} bytes; CloudFormation takes {LARGEST_BODY} with a request",
            body.len()
        ))
        .with_hint("name a bucket for it with `--template-bucket`, or `template: {bucket: …}` in rstack.yaml"));
    };
    stage(aws, bucket, body).await.map(Some)
}

/// Takes the staged template away, whatever became of the operation.
async fn unstaged(report: Result<UpReport>, staged: StagedTemplate, aws: &Aws) -> Result<UpReport> {
    let left = staged.remove(aws).await;
    report.map_err(|mut error| {
        error.left.extend(left);
        error
    })
}

fn approve(context: &Context<'_>, name: &StackName, changes: &ChangeSet) -> Result<()> {
    let losses: Vec<_> = changes.losses().map(|c| c.logical_id.as_str()).collect();
    if losses.is_empty() {
        return context.ui.confirm(&format!("change environment `{name}`?"), "y");
    }
    context.ui.confirm(
        &format!(
            "this loses everything in {}: go on with environment `{name}`?",
            losses.join(", ")
        ),
        name.as_str(),
    )
}

/// The pairs of the command line over those of the file.
fn merged(file: &BTreeMap<String, String>, typed: &[(String, String)]) -> BTreeMap<String, String> {
    let mut merged = file.clone();
    merged.extend(typed.iter().cloned());
    merged
}

fn pair(text: &str, key: fn(&str) -> Result<String, String>) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("expected KEY=VALUE, not {text:?}"))?;
    Ok((key(name)?, value.to_owned()))
}

fn parameter(text: &str) -> Result<(String, String), String> {
    pair(text, config::parameter_name)
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = pair(text, config::tag_key)?;
    config::tag_value(&value).map(|value| (key, value))
}
