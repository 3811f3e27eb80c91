//! `rstack bench`.

mod delay;
mod files;
mod line;
mod once;
mod plan;
mod report;
mod run;
mod words;

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use rstack::bench::Way;
use rstack::{Error, Outcome, Result};

use self::delay::{Delay, Delays};
use self::files::Files;
use self::plan::Plan;
use self::run::Run;
use super::redis::RedisOption;
use super::{Context, source};

/// Time loading from each store: one by one, batched, as a release; single reads; publishing
///
/// Without SOURCE: the environment as a whole and each of its three stores, with what is in its area `main`. Every run
/// starts with clients that have no connection and ends with the last byte checked. All take turns, so that a busy
/// moment meets each of them. What cannot be measured is said in its line, and the rest goes on.
///
/// Ways: `each` plain file by itself, as the article reads them; `batched`, the same files in as few requests as the
/// store takes; `cold`, the release with nothing of it on this machine; `warm`, with all of it in the local cache;
/// `release`, both of these; `read`, one value on a connection that was used before; `publish`, a release to all three
/// stores, into an area of its own that is removed afterwards.
#[derive(Debug, ClapArgs)]
#[command(after_help = format!("{AFTER_HELP}\n\n{}", source::HELP))]
pub(crate) struct Args {
    /// What to load [default: the environment and its three stores, area `main`]
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// What to time (repeatable, or with commas) [default: all that apply]
    #[arg(long = "way", value_name = "WAY", value_enum, value_delimiter = ',')]
    ways: Vec<WayName>,
    /// How many runs to count
    #[arg(long, value_name = "N", default_value = "7", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    repeat: u32,
    /// How many runs before, which are not counted
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(0..=1000))]
    warm_up: u32,
    /// Readers at the same time, each with connections of its own; more than one are timed with `cold`, or with the ways
    /// of loading that `--way` names
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1",
          value_parser = clap::value_parser!(u32).range(1..=256))]
    concurrency: Vec<u32>,
    /// Load the demo scripts N times over, from an area of their own that is removed afterwards
    #[arg(long, value_name = "N", conflicts_with = "sources", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    scale: Option<u32>,
    /// Make round trips to stores of the local AWS take longer, by a proxy that is checked first
    #[arg(long = "delay", value_name = "STORE=TIME,…", value_delimiter = ',', value_parser = delay::parse)]
    delays: Vec<Delay>,
    /// Draw the chart into FILE (.svg or .png) too
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Write the figures into FILE too
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    redis: RedisOption,
}

const AFTER_HELP: &str = "\
stdout: a line for each source and way, then the same as bars. Times are whole ones, from start to end; FASTEST, \
MEDIAN, P95 and P99 are of all counted runs. TRIPS is how many requests had to wait for another's answer, at the \
least.

Exit codes: 0 measured; 1 nothing could be measured; 2 usage; 3 some could not be measured, or something of it is \
left; 130 interrupted, and what was made for it is removed.

Examples:
  rstack bench --local -n demo                          the article's table, from your environment
  rstack bench --local -n demo --delay redis=0.7ms,dynamodb=5ms,s3=30ms --plot chart.svg
  rstack bench -n demo --scale 100 --way each,release   700 scripts
  rstack bench -n demo --way cold --concurrency 1,4,16
  rstack bench s3://my-bucket/prod redis://my-host:6379/prod --repeat 20 --csv times.csv";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WayName {
    Each,
    Batched,
    Release,
    Cold,
    Warm,
    Read,
    Publish,
}

impl WayName {
    fn ways(self) -> &'static [Way] {
        match self {
            Self::Each => &[Way::Each],
            Self::Batched => &[Way::Batched],
            Self::Release => &[Way::Cold, Way::Warm],
            Self::Cold => &[Way::Cold],
            Self::Warm => &[Way::Warm],
            Self::Read => &[Way::Read],
            Self::Publish => &[Way::Publish],
        }
    }
}

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        // First what can be wrong on this machine.
        self.consistent()?;
        let files = Files::of(self.plot.as_deref(), self.csv.as_deref())?;
        let urls = plan::urls(context, &self)?;
        let delays = Delays::start(context, &self.delays).await?;
        let plan = Box::pin(Plan::of(context, &self, urls, delays)).await?;
        let report = Box::pin(Run::new(context, &self, plan).finish()).await?;
        let chart = words::chart(&report);
        let written = files.write(context, &report, &chart).await;
        let outcome = report.outcome();
        let shown = |style| words::of(&report, &chart, style);
        context.conclude("bench", &report, outcome, written, shown)
    }

    /// What can be seen to be wrong without asking anybody.
    fn consistent(&self) -> Result<()> {
        let twice = |at: usize| self.concurrency[..at].contains(&self.concurrency[at]);
        if let Some(at) = (0..self.concurrency.len()).find(|at| twice(*at)) {
            let twice = format!("`--concurrency` names {} twice", self.concurrency[at]);
            return Err(Error::usage(twice).with_hint("name each number once"));
        }
        let several = self.concurrency.iter().any(|readers| *readers > 1);
        if several && self.ways().is_some_and(|ways| !ways.into_iter().any(Way::loads)) {
            return Err(
                Error::usage("`--concurrency` is for ways that load all files: none of those asked for does")
                    .with_hint("add `--way cold`, or leave `--concurrency` out"),
            );
        }
        Ok(())
    }

    /// The ways asked for; `None` where all that apply are meant.
    fn ways(&self) -> Option<Vec<Way>> {
        let asked = |way: &Way| self.ways.iter().any(|name| name.ways().contains(way));
        (!self.ways.is_empty()).then(|| Way::ALL.into_iter().filter(asked).collect())
    }
}
