//! `rstack status`: one environment, or all of them.

pub(super) mod words;

use std::time::Duration;

use clap::Args;
use rstack::aws::Aws;
use rstack::status::{self, Environment, StatusReport};
use rstack::time::Timestamp;
use rstack::{Outcome, Result};
use serde::Serialize;

use super::Context;
use crate::ui::Style;

/// Show an environment, or all of them
///
/// With a name: the stack, its resources, how long it may live, whether its stores answer and how quickly, and its
/// outputs. Without one: every environment in the region.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Status {
    /// Show it again every so many seconds, until interrupted
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    watch: Option<u64>,
}

const AFTER_HELP: &str = "\
Examples:
  rstack status                  every environment in the region
  rstack status -n demo          one of them
  rstack status -n demo --watch  the same, refreshed until Ctrl-C

stdout: the tables, or one JSON object. A store that cannot be reached from here is shown, and is no error.
Exit codes: 0 shown, 1 there is no such environment, 2 usage, 130 interrupted";

/// What was found, in the form that is shown.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Found {
    One(Box<StatusReport>),
    All {
        region: String,
        environments: Vec<Environment>,
    },
}

impl Status {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let aws = context.until_interrupted(context.aws()).await?;
        let Some(seconds) = self.watch else {
            let found = context.until_interrupted(find(context, &aws)).await?;
            context
                .ui
                .finish("status", &found, Outcome::Done, |style| found.text(style));
            return Ok(Outcome::Done);
        };
        loop {
            let found = context.until_interrupted(find(context, &aws)).await?;
            context.ui.refresh("status", &found, |style| found.text(style));
            if context.ui.reader_left() {
                return Ok(Outcome::Done);
            }
            let pause = tokio::time::sleep(Duration::from_secs(seconds));
            let pause = async {
                pause.await;
                Ok(())
            };
            context.until_interrupted(pause).await?;
        }
    }
}

async fn find(context: &Context<'_>, aws: &Aws) -> Result<Found> {
    let now = Timestamp::now();
    let Some(name) = context.settings.name() else {
        let environments = status::environments(aws, now).await?;
        let region = aws.region().to_owned();
        return Ok(Found::All { region, environments });
    };
    match status::status(aws, name.as_str(), now).await? {
        Some(report) => Ok(Found::One(Box::new(report))),
        None => Err(context.no_environment(name, aws)),
    }
}

impl Found {
    fn text(&self, style: Style) -> String {
        match self {
            Self::One(report) => words::one(report, style),
            Self::All { region, environments } => words::all(region, environments, style),
        }
    }
}
