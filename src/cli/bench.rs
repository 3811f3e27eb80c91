//! `rstack bench`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use rstack::bench::{Bench, Loads, ScratchCache, Way};
use rstack::release::SourceUrl;
use rstack::stack::StackName;
use rstack::{Error, Outcome, Result};
use serde::Serialize;

use super::file::OutputFile;
use super::{Context, source};
use crate::ui::chart::{Bar, BarChart, Group, Ink, Picture};
use crate::ui::{Role, Style, Table, text};

/// Time how long it takes to load all of a source: cold, and with the local cache
///
/// A run opens the source and reads every file, from no connection at all to the last byte checked. `cold` has nothing
/// on this machine; `warm` finds everything but the marker in a cache of its own. Sources take turns, so that a busy
/// moment meets all of them; the first run of each is not counted.
#[derive(Debug, ClapArgs)]
#[command(after_help = format!("{AFTER_HELP}\n\n{}", source::HELP))]
pub(crate) struct Args {
    /// What to load [default: the area `main` of the environment]
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// How many runs to count
    #[arg(long, value_name = "N", default_value = "7", value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeat: u32,
    /// Draw the chart into FILE (.svg or .png) too
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
stdout: a line for each source and way.
Exit codes: 0 measured, 1 a source cannot be read, 2 usage

Examples:
  rstack bench -n demo prod
  rstack bench s3://my-bucket/prod redis://my-host:6379/prod --repeat 20";

#[derive(Debug, Serialize)]
struct Report {
    loads: Vec<OfSource>,
}

#[derive(Debug, Serialize)]
struct OfSource {
    source: String,
    #[serde(flatten)]
    loads: Loads,
    /// In seconds.
    median: f64,
}

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let drawing = |path: &PathBuf| Ok::<_, Error>((Picture::of(path)?, OutputFile::new(path)?));
        let plot = self.plot.as_ref().map(drawing).transpose()?;
        let mut rows = Vec::new();
        for (name, url) in self.urls(context)? {
            let cache = std::rc::Rc::new(ScratchCache::new());
            for way in [Way::Cold, Way::Warm] {
                rows.push((name.clone(), url.clone(), std::rc::Rc::clone(&cache), Loads::none(way)));
            }
        }
        let trusted = context.settings.trusted();
        for run in 0..=self.repeat {
            for (_, url, cache, loads) in &mut rows {
                let bench = Bench {
                    url,
                    trusted: &trusted,
                    reporter: context.ui,
                    interrupt: &context.interrupt,
                };
                // Clients of an earlier run would bring their connections.
                let aws = source::aws(context, url).await?;
                let load = Box::pin(bench.load(loads.way, aws.as_ref(), cache, loads));
                context.until_interrupted(load).await?;
                if run == 0 {
                    loads.seconds.clear();
                }
            }
        }
        let loads = rows.into_iter().map(|(source, _, _, loads)| OfSource {
            source,
            median: loads.median(),
            loads,
        });
        let report = Report { loads: loads.collect() };
        let chart = chart(&report, self.repeat);
        if let Some((picture, file)) = plot {
            file.write(&picture.draw(&chart.scene())?)?;
        }
        let shown = |style| format!("{}\n{}", words(&report, style), chart.words(style));
        context.ui.finish("bench", &report, Outcome::Done, shown);
        Ok(Outcome::Done)
    }

    fn urls(&self, context: &Context<'_>) -> Result<Vec<(String, SourceUrl)>> {
        let at = source::At::default();
        if self.sources.is_empty() {
            let name = context.settings.require_name().map(StackName::as_str)?;
            return Ok(vec![(format!("env:{name}/main"), source::url(context, None, &at)?)]);
        }
        let named = self.sources.iter().map(|source| {
            let url = source::url(context, Some(source), &at)?;
            Ok((url.to_string(), url))
        });
        named.collect()
    }
}

fn chart(report: &Report, repeat: u32) -> BarChart {
    let mut groups: Vec<Group> = Vec::new();
    for row in &report.loads {
        let bar = Bar {
            label: match row.loads.way {
                Way::Cold => "cold".to_owned(),
                Way::Warm => "warm".to_owned(),
            },
            ink: Ink::Series(usize::from(row.loads.way == Way::Warm)),
            seconds: row.median,
            low: row.loads.seconds.iter().copied().fold(f64::INFINITY, f64::min),
            high: row.loads.seconds.iter().copied().fold(0.0, f64::max),
        };
        match groups.iter_mut().find(|group| group.label == row.source) {
            Some(group) => group.bars.push(bar),
            None => groups.push(Group {
                label: row.source.clone(),
                bars: vec![bar],
            }),
        }
    }
    BarChart {
        title: "Loading all of a source".to_owned(),
        note: format!(
            "median of {}, with the fastest and the slowest",
            text::count(u64::from(repeat), "run")
        ),
        groups,
    }
}

fn words(report: &Report, style: Style) -> String {
    let mut table = Table::new(&["SOURCE", "WAY", ">FILES", ">SIZE", ">FASTEST", ">MEDIAN", ">SLOWEST"]);
    for OfSource { source, loads, median } in &report.loads {
        let milliseconds = |seconds: f64| format!("{:.1} ms", seconds * 1000.0);
        let fastest = loads.seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let slowest = loads.seconds.iter().copied().fold(0.0, f64::max);
        let way = match loads.way {
            Way::Cold => "cold",
            Way::Warm => "warm",
        };
        table.row([
            (Role::Plain, source.clone()),
            (Role::Plain, way.to_owned()),
            (Role::Plain, text::grouped(loads.files)),
            (Role::Plain, text::bytes(loads.bytes)),
            (Role::Plain, milliseconds(fastest)),
            (Role::Strong, milliseconds(*median)),
            (Role::Plain, milliseconds(slowest)),
        ]);
    }
    table.render(style)
}
