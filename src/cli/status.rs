//! `rstack status`: one environment, or all of them.

pub(super) mod words;

use std::time::Duration;

use clap::Args;
use rstack::aws::Aws;
use rstack::stack::Timeline;
use rstack::status::{self, Environment, StatusReport};
use rstack::time::Timestamp;
use rstack::{Outcome, Result};
use serde::Serialize;

use super::Context;
use super::timeline::{Made, TimelineOption, Wanted};
use crate::ui::{Style, chart};

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
    #[command(flatten)]
    timeline: TimelineOption,
}

const AFTER_HELP: &str = "\
Examples:
  rstack status                  every environment in the region
  rstack status -n demo          one of them
  rstack status -n demo --watch  the same, refreshed until Ctrl-C
  rstack status -n demo --timeline up.png
                                 what each resource did when, in the newest operation

stdout: the tables, or one JSON object. A store that cannot be reached from here is shown, and is no error.

Exit codes: 0 shown, also when Ctrl-C ends `--watch`; 1 there is no such environment; 2 usage; 130 interrupted";

/// What was found, in the form that is shown.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Found {
    One(Box<One>),
    All {
        region: String,
        environments: Vec<Environment>,
    },
}

/// One environment, and what its resources did when.
#[derive(Debug, Serialize)]
struct One {
    #[serde(flatten)]
    report: StatusReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<Timeline>,
    /// The timeline belongs among the words.
    #[serde(skip)]
    drawn: bool,
}

impl Status {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let drawing = self.timeline.wanted()?;
        if !matches!(drawing, Wanted::Nowhere) {
            context.settings.require_name()?;
        }
        let aws = context.until_interrupted(context.aws()).await?;
        let Some(seconds) = self.watch else {
            let (found, written) = context.until_interrupted(find(context, &aws, &drawing)).await?;
            return context.conclude("status", &found, Outcome::Done, written, |style| found.text(style));
        };
        watch(context, &aws, &drawing, Duration::from_secs(seconds)).await
    }
}

/// Shows it again and again. An interrupt is how that is meant to end.
async fn watch(context: &Context<'_>, aws: &Aws, drawing: &Wanted, pause: Duration) -> Result<Outcome> {
    let (mut found, mut written) = context.until_interrupted(find(context, aws, drawing)).await?;
    loop {
        context.ui.refresh("status", &found, |style| found.text(style));
        written?;
        if context.ui.reader_left() {
            break;
        }
        let next = async {
            tokio::time::sleep(pause).await;
            find(context, aws, drawing).await
        };
        tokio::select! {
            biased;
            next = next => (found, written) = next?,
            () = context.interrupt.wait() => break,
        }
    }
    context.ui.finish("status", &found, Outcome::Done, |_| String::new());
    Ok(Outcome::Done)
}

/// What there is to show, and whether a file beside it could be written.
async fn find(context: &Context<'_>, aws: &Aws, drawing: &Wanted) -> Result<(Found, Result<()>)> {
    let now = Timestamp::now();
    let Some(name) = context.settings.name() else {
        let environments = status::environments(aws, now).await?;
        let region = aws.region().to_owned();
        return Ok((Found::All { region, environments }, Ok(())));
    };
    match status::status(aws, name.as_str(), now).await? {
        Some(report) => {
            let Made { timeline, written } = drawing.make(context, aws, name.as_str()).await;
            let one = One {
                report,
                timeline,
                drawn: drawing.on_stdout(),
            };
            Ok((Found::One(Box::new(one)), written))
        }
        None => Err(context.no_environment(name, aws)),
    }
}

impl Found {
    fn text(&self, style: Style) -> String {
        match self {
            Self::One(one) => {
                let mut shown = words::one(&one.report, style);
                if let Some(timeline) = one.timeline.as_ref().filter(|_| one.drawn) {
                    shown.push('\n');
                    shown.push_str(&chart::timeline_words(timeline, style));
                }
                shown
            }
            Self::All { region, environments } => words::all(region, environments, style),
        }
    }
}
