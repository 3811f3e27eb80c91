//! `rstack gc`.

use std::fmt::Write as _;

use clap::Args as ClapArgs;
use rstack::aws::Aws;
use rstack::event::{Event, Reporter as _};
use rstack::local;
use rstack::settings::Target;
use rstack::stack::{Depth, Down, DownReport, Expired, Survey, plan, survey};
use rstack::time::Timestamp;
use rstack::{ErrorKind, Outcome, Result};
use serde::Serialize;

use super::Context;
use super::down::{How, take_down, tidy_local};
use crate::ui::{Role, Style, Table, removal, text};

/// Take down every environment whose time to live has passed
///
/// Looks at all environments of the region, judges them by AWS's clock, and does what `rstack down` does for each that
/// is overdue. It goes on when one fails. Stacks that rstack did not make are never touched.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Show which would go, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    how: How,
}

const AFTER_HELP: &str = "\
stdout: what became of each environment.

Exit codes: 0 all that is overdue is gone; 3 one or more could not be taken down, or something is left of them; 130 \
interrupted.

Examples:
  rstack gc --dry-run    which are overdue
  rstack gc --yes        in a nightly job";

#[derive(Debug, Serialize)]
struct Report {
    removed: Vec<DownReport>,
    failed: Vec<Failure>,
    /// Environments whose time to live cannot be read.
    unreadable: Vec<String>,
    living: usize,
}

#[derive(Debug, Serialize)]
struct Failure {
    name: String,
    error: String,
    hint: Option<String>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let Some((aws, found)) = look(context).await? else {
            return Ok(finish(context, &Report::of(&Survey::default())));
        };
        if self.dry_run {
            let outcome = if found.unreadable.is_empty() {
                Outcome::Done
            } else {
                Outcome::Partial
            };
            let now = aws.now();
            context
                .ui
                .finish("gc", &found, outcome, |style| of_survey(&found, now, style));
            return Ok(outcome);
        }
        let mut report = Report::of(&found);
        if !found.expired.is_empty() {
            let names: Vec<_> = found.expired.iter().map(|e| e.stack.name.as_str()).collect();
            let question = format!("take down {}, and lose all that they hold?", names.join(", "));
            context.ui.confirm(&question, "y")?;
        }
        for expired in &found.expired {
            match remove(context, &aws, expired, self.how).await {
                Ok(removed) => report.removed.push(removed),
                Err(error) if matches!(*error.kind, ErrorKind::Interrupted(_)) => return Err(error),
                Err(error) => {
                    let (name, hint) = (expired.stack.name.clone(), error.hint.clone());
                    let message = format!("`{name}` was not taken down: {error}");
                    context.ui.report(&Event::Warning {
                        message,
                        hint: hint.clone(),
                    });
                    report.failed.push(Failure {
                        name,
                        error: error.to_string(),
                        hint,
                    });
                }
            }
        }
        tidy_local(context).await?;
        Ok(finish(context, &report))
    }
}

/// Every environment of the region; `None` when the local AWS does not even run.
async fn look(context: &Context<'_>) -> Result<Option<(Aws, Survey)>> {
    let settings = &context.settings;
    if settings.target == Target::Local && local::find(&settings.local).await?.is_none() {
        return Ok(None);
    }
    let aws = context.aws().await?;
    let found = context.until_interrupted(survey(&aws)).await?;
    for stack in &found.unreadable {
        context.ui.report(&Event::Warning {
            message: format!("`{}` is left alone: its time to live cannot be read", stack.name),
            hint: Some("`rstack up --ttl` writes it anew".to_owned()),
        });
    }
    Ok(Some((aws, found)))
}

async fn remove(context: &Context<'_>, aws: &Aws, expired: &Expired, how: How) -> Result<DownReport> {
    let name = expired.stack.name.parse()?;
    let wanted = Down {
        name: &name,
        force: how.force,
        retain: &[],
        any_stack: false,
    };
    match context.until_interrupted(plan(aws, &wanted, Depth::Glance)).await? {
        Some(plan) => take_down(context, aws, &plan, &wanted, how.timeout).await,
        None => Ok(DownReport::absent(name)),
    }
}

fn finish(context: &Context<'_>, report: &Report) -> Outcome {
    let outcome = report.outcome();
    context.ui.finish("gc", report, outcome, |style| report.words(style));
    outcome
}

impl Report {
    fn of(found: &Survey) -> Self {
        Self {
            removed: Vec::new(),
            failed: Vec::new(),
            unreadable: found.unreadable.iter().map(|stack| stack.name.clone()).collect(),
            living: found.living,
        }
    }

    fn outcome(&self) -> Outcome {
        let clean = self.failed.is_empty() && self.unreadable.is_empty();
        let own = if clean { Outcome::Done } else { Outcome::Partial };
        self.removed.iter().map(DownReport::outcome).fold(own, Outcome::and)
    }

    fn words(&self, style: Style) -> String {
        let mut words: String = self.removed.iter().map(|r| removal::of_report(r, style)).collect();
        for failure in &self.failed {
            let _ = writeln!(
                words,
                "{} {}: {}",
                style.paint(Role::Bad, "failed"),
                failure.name,
                failure.error
            );
        }
        let living = text::count(self.living as u64, "environment");
        if self.removed.is_empty() && self.failed.is_empty() {
            let _ = writeln!(words, "nothing is overdue; {living} may live on");
        }
        words
    }
}

fn of_survey(found: &Survey, now: Timestamp, style: Style) -> String {
    if found.expired.is_empty() {
        let living = text::count(found.living as u64, "environment");
        return format!("nothing is overdue; {living} may live on\n");
    }
    let mut table = Table::new(&["=ENVIRONMENT", "=STATUS", ">OVERDUE FOR"]);
    for expired in &found.expired {
        let status = &expired.stack.status;
        table.row([
            (Role::Strong, expired.stack.name.clone()),
            (status.tone().into(), status.to_string()),
            (Role::Plain, text::age(now.since(expired.expired_at))),
        ]);
    }
    table.render(style)
}
