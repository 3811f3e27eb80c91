//! `rstack run`.

mod handover;
mod interpreter;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use clap::Args as ClapArgs;
use rstack::release::SourceUrl;
use rstack::{Error, Outcome, Result};

pub(super) use self::handover::Handover;
use self::handover::Requested;
pub(super) use self::interpreter::Interpreter;
use super::{Context, source};

/// Run a Python program that imports from a source, without a changed line in it
///
/// Opens the source, pins it to the release that is current, and becomes the program: its modules come from that release,
/// also in every Python that it starts, until it calls `rstack.advance()` (with `--at` it stays). Names that are installed
/// or belong to Python win, unless `--only` names them.
#[derive(Debug, ClapArgs)]
#[command(after_help = format!("{AFTER_HELP}\n\n{}", source::HELP))]
pub(crate) struct Args {
    /// What to import from [default: RSTACK_SOURCE, else the area `main` of the environment]
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    #[command(flatten)]
    at: source::At,
    /// Names that come from the source even where they are installed, with all below them, such as `foo,django.contrib`
    /// [default: RSTACK_ONLY]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = dotted)]
    only: Vec<String>,
    /// Give modules real files, for coverage, editors and packages that open their own files
    #[arg(long)]
    materialise: bool,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

const AFTER_HELP: &str = "\
The Python needs the package `rstack`: `pip install .` in a clone of rstack, see docs/python.md. Where that cannot be \
set up from outside, `python -m rstack run SCRIPT` does the same.

stdout and the exit code are the program's.

Exit codes before it starts: 1 the source cannot be opened, or the package is missing; 2 usage.

Examples:
  rstack run -n demo -- python script.py
  rstack run --source 'env:demo/hotfix;env:demo/prod' --only foo -- python -m foo.job
  rstack run -n demo --at 2026-11-01T12:00:00Z -- pytest tests";

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let named = self.source.clone().or_else(|| from_environment("RSTACK_SOURCE"));
        if named.is_none() && context.settings.name().is_none() {
            return Err(Error::usage("which source? none is given").with_hint(
                "name one with `--source SOURCE` or RSTACK_SOURCE, or an environment with `--name NAME` or RSTACK_NAME",
            ));
        }
        let url = source::url(context, named.as_deref(), &self.at)?;
        let (program, arguments) = self
            .program
            .split_first()
            .ok_or_else(|| Error::usage("which program? none is given"))?;
        let interpreter = Interpreter::of(program, arguments)?;
        let site = context.until_interrupted(interpreter.site()).await?;
        let handover = Handover {
            source: pin(context, &url).await?,
            requested: Some(Requested::of(self.source.as_deref(), self.at.pin(), from_environment)),
            only: &self.only,
            materialise: self.materialise,
            site: &site,
        };
        let variables = handover.variables(&context.settings)?;
        // From here on the terminal is the program's.
        context.ui.restore();
        let error = Command::new(program).args(arguments).envs(variables).exec();
        Err(Error::file("run", program, error))
    }
}

fn from_environment(variable: &str) -> Option<String> {
    let value = std::env::var_os(variable).filter(|value| !value.is_empty())?;
    Some(value.to_string_lossy().into_owned())
}

/// The source as every process that follows opens it.
async fn pin(context: &Context<'_>, url: &SourceUrl) -> Result<String> {
    let source = Box::pin(source::open(context, url)).await?;
    source::tell(context, &source);
    let pinned = source.pinned();
    if pinned.is_empty() {
        return Err(Error::refused(format!("nothing of `{url}` could be opened")));
    }
    Ok(pinned)
}

fn dotted(name: &str) -> Result<String, String> {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(|c: char| c.is_ascii_digit())
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    if name.split('.').all(part) {
        Ok(name.to_owned())
    } else {
        Err("expected the name of a module, such as `foo` or `foo.bar`".to_owned())
    }
}
