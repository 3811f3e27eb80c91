//! `rstack status`: one environment, or all of them.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use rstack::aws::Aws;
use rstack::status::{self, Condition, Environment, StatusReport, StoreReport};
use rstack::time::Timestamp;
use rstack::{Outcome, Result};
use serde::Serialize;

use super::Context;
use crate::ui::{Line, Role, Style, Table, text};

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
            Self::One(report) => one(report, style),
            Self::All { region, environments } => all(region, environments, style),
        }
    }
}

fn all(region: &str, environments: &[Environment], style: Style) -> String {
    if environments.is_empty() {
        return format!(
            "{}\n",
            style.paint(Role::Plain, &format!("no environments in {region}"))
        );
    }
    let mut table = Table::new(&["NAME", "STATUS", ">AGE", "TIME TO LIVE"]);
    for environment in environments {
        table.row([
            (Role::Strong, environment.name.clone()),
            (environment.status.tone().into(), environment.status.to_string()),
            (Role::Plain, text::age(Duration::from_secs(environment.age_seconds))),
            time_to_live(environment.time_to_live_seconds),
        ]);
    }
    table.render(style)
}

fn time_to_live(seconds: Option<u64>) -> (Role, String) {
    match seconds {
        None => (Role::Quiet, "for ever".to_owned()),
        Some(0) => (Role::Warning, "over; `rstack gc` takes it down".to_owned()),
        Some(left) => (Role::Plain, text::age(Duration::from_secs(left))),
    }
}

fn one(report: &StatusReport, style: Style) -> String {
    let mut shown = headline(report).render(style);
    shown.push('\n');
    if let Some(reason) = &report.reason {
        let _ = writeln!(shown, "{}", style.paint(Role::Plain, reason));
    }
    let sections = [resources(report, style), stores(report, style), outputs(report, style)];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        shown.push('\n');
        shown.push_str(section);
    }
    shown
}

fn headline(report: &StatusReport) -> Line {
    let (role, left) = time_to_live(report.time_to_live_seconds);
    let line = Line::new()
        .and(Role::Strong, &report.name)
        .plain(" ")
        .and(report.status.tone().into(), report.status.as_str())
        .plain(format!(
            " in {}, {} old, time to live: ",
            report.region,
            text::age(Duration::from_secs(report.age_seconds))
        ))
        .and(role, left);
    if report.termination_protection {
        line.and(Role::Warning, ", protected against deletion")
    } else {
        line
    }
}

fn resources(report: &StatusReport, style: Style) -> String {
    if report.resources.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["RESOURCE", "STATUS", "NAME", "TYPE"]);
    for resource in &report.resources {
        let name = resource.physical_id.as_deref().or(resource.reason.as_deref());
        table.row([
            (Role::Strong, resource.logical_id.clone()),
            (resource.status.tone().into(), resource.status.to_string()),
            (Role::Plain, name.unwrap_or_default().to_owned()),
            (Role::Quiet, resource.resource_type.clone()),
        ]);
    }
    table.render(style)
}

fn stores(report: &StatusReport, style: Style) -> String {
    if report.stores.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["STORE", "ANSWERS", "DETAILS", "PLACE"]);
    for store in &report.stores {
        table.row([
            (Role::Strong, store.store.to_string()),
            answer(&store.condition),
            (Role::Plain, details(store)),
            (Role::Quiet, store.place.clone()),
        ]);
    }
    table.render(style)
}

fn answer(condition: &Condition) -> (Role, String) {
    match condition {
        Condition::Answers { seconds } => (Role::Good, format!("in {:.1} ms", seconds * 1000.0)),
        Condition::NotReachable { .. } => (Role::Warning, "not reachable from here".to_owned()),
        Condition::Missing => (Role::Bad, "does not exist any more".to_owned()),
        Condition::Failed { .. } => (Role::Bad, "failed".to_owned()),
    }
}

fn details(store: &StoreReport) -> String {
    let message = match &store.condition {
        Condition::Failed { message } => Some(message.clone()),
        _ => None,
    };
    [
        store.version.as_ref().map(|version| format!("version {version}")),
        store.state.clone(),
        store.items.map(|items| format!("about {}", text::count(items, "item"))),
        message,
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(", ")
}

fn outputs(report: &StatusReport, style: Style) -> String {
    if report.outputs.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["OUTPUT", "VALUE"]);
    for (key, value) in report.outputs.iter() {
        table.row([(Role::Strong, key.to_owned()), (Role::Plain, value.to_owned())]);
    }
    table.render(style)
}
