//! `rstack template`.

use std::path::Path;

use clap::{Args as ClapArgs, ValueEnum};
use rstack::config::Stores;
use rstack::event::{Event, Reporter};
use rstack::settings::Target;
use rstack::template::{Format, Preset};
use rstack::{Error, Outcome, Result};
use serde::Serialize;

use super::Context;
use super::values::PresetName;

/// Print the CloudFormation template that `up` sends
///
/// The preset `default` follows `stores` in rstack.yaml; the choices of `article` are parameters of the template.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// How to write it [default: yaml]
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// Which template, instead of the one in rstack.yaml
    #[arg(long, value_enum)]
    preset: Option<PresetName>,
}

const AFTER_HELP: &str = "\
stdout: the template. Nothing is asked of AWS.

Exit codes: 0 printed; 1 the file that rstack.yaml names cannot be read; 2 usage or configuration.

Examples:
  rstack template > stack.yaml
  rstack template --preset article --format json";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatName {
    Yaml,
    Json,
}

#[derive(Debug, Serialize)]
struct Report {
    template: String,
}

pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<Outcome> {
    let template = text(args, context)?;
    let report = Report { template };
    context
        .ui
        .finish("template", &report, Outcome::Done, |_| report.template.clone());
    Ok(Outcome::Done)
}

fn text(args: &Args, context: &Context<'_>) -> Result<String> {
    match choose(args.preset, context) {
        Choice::File(_) if args.format.is_some() => Err(Error::usage(
            "`--format` is for rstack's own templates, and rstack.yaml names a file",
        )
        .with_hint("leave `--format` out, or choose one of rstack's own with `--preset`")),
        Choice::File(path) => std::fs::read_to_string(path).map_err(|e| Error::file("read", path, e)),
        Choice::Preset(preset) => {
            let format = match args.format {
                None | Some(FormatName::Yaml) => Format::Yaml,
                Some(FormatName::Json) => Format::Json,
            };
            preset.template(&context.settings.config.stores).to_text(format)
        }
    }
}

/// Where the template comes from.
pub(super) enum Choice<'a> {
    Preset(Preset),
    File(&'a Path),
}

/// What was typed, then what rstack.yaml says, then the default preset.
pub(super) fn choose<'a>(preset: Option<PresetName>, context: &'a Context<'_>) -> Choice<'a> {
    let config = &context.settings.config;
    if let (None, Some(path)) = (preset, &config.template.file) {
        return Choice::File(path);
    }
    let preset = preset.map(Preset::from).or(config.template.preset).unwrap_or_default();
    if preset == Preset::Article && config.stores != Stores::default() {
        context.ui.report(&Event::Warning {
            message: "`stores` in rstack.yaml does not change the preset `article`".to_owned(),
            hint: Some("its choices are parameters: set them under `template: parameters:`".to_owned()),
        });
    }
    if preset == Preset::Default && config.stores.redis.tls && context.settings.target == Target::Local {
        context.ui.report(&Event::Warning {
            message: "the local AWS has a Redis without TLS: what is made with `tls: true` cannot use it".to_owned(),
            hint: Some(
                "leave out `stores: {redis: {tls: true}}` for the local AWS, as in a file for `--config`".to_owned(),
            ),
        });
    }
    Choice::Preset(preset)
}
