//! `rstack prune`.

mod words;

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args as ClapArgs;
use rstack::publish::Area;
use rstack::release::{Keep, Mover, Prune, PrunedStoreState, Work, prune};
use rstack::store::StoreKind;
use rstack::{Outcome, Result};

use super::Context;
use super::authorship::{Authorship, Signing};
use super::environment::Environment;
use super::redis::RedisOption;
use super::shell::{command_line, quote};

/// Let go of an area's old releases
///
/// Retires them first: from then on readers are told that they were pruned, and for a day `rstack rollback` still brings
/// one back. A later run, a day after at least, deletes the packs and manifests that only they named, in every store. So run
/// it every night with the same options. What packs other releases share stays, and so does the history: who published
/// what, when and why. The current release always stays, and so do those that were current within the last 30 days unless
/// `--even-recent` is given.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Which area
    #[arg(value_name = "AREA")]
    area: Area,
    #[command(flatten)]
    rule: Rule,
    /// Also releases that were current within the last 30 days
    #[arg(long)]
    even_recent: bool,
    /// Only show what would be retired and deleted
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    authorship: Authorship,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    redis: RedisOption,
}

#[derive(Debug, Clone, Copy, ClapArgs)]
#[group(required = true, multiple = false)]
struct Rule {
    /// Keep so many releases: those that were current last
    #[arg(long, value_name = "N")]
    keep: Option<NonZeroUsize>,
    /// Let go of releases that have not been current for so long, such as 90d
    #[arg(long, value_name = "AGE", value_parser = rstack::config::duration)]
    older_than: Option<Duration>,
}

impl Rule {
    fn keep(self) -> Keep {
        match (self.keep, self.older_than) {
            (Some(count), _) => Keep::Newest(count.get()),
            (None, age) => Keep::Within(age.unwrap_or(Duration::MAX)),
        }
    }

    /// As it is typed.
    fn option(self) -> String {
        match (self.keep, self.older_than) {
            (Some(count), _) => format!("--keep {count}"),
            (None, age) => {
                let age = humantime::format_duration(age.unwrap_or(Duration::MAX)).to_string();
                format!("--older-than {}", quote(&age))
            }
        }
    }
}

const AFTER_HELP: &str = "\
stdout: the releases that are retired, that wait, and that are deleted; then what each store was freed of.

Packs that nothing names, as a publishing that was cut short leaves them, go a day after a run saw them first.

Exit codes: 0 done, or nothing to do; 1 there is no release, or the table cannot be written; 2 usage; 3 a store could \
not be freed, or another run is deleting: a later run completes it; 130 interrupted.

Examples:
  rstack prune prod -n demo --keep 20 --dry-run
  rstack prune prod -n demo --keep 20 --yes           in a nightly job
  rstack prune uat -n demo --older-than 90d -m \"quarterly\"";

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let signer = self.signing.key(context)?;
        let environment = Environment::find(context, &self.redis).await?;
        let stores = environment.stores(context).await?;
        let author = self.authorship.author();
        let (clock, trusted) = (|| environment.aws.now(), context.settings.trusted());
        let planning = Prune {
            mover: Mover {
                area: &self.area,
                stack_id: &environment.stack.id,
                stores: &stores.roles(),
                author: &author,
                reason: self.authorship.message.as_deref(),
                signer: signer.as_ref(),
                unsigned: self.signing.unsigned,
            },
            trusted: &trusted,
            keep: self.rule.keep(),
            even_recent: self.even_recent,
            clock: &clock,
            dry_run: true,
        };
        let work = Work {
            reporter: context.ui,
            interrupt: &context.interrupt,
        };
        let planned = context.until_interrupted(prune(&planning, &work)).await?;
        let mut report = if self.dry_run {
            planned
        } else {
            if !planned.is_nothing() {
                if context.ui.asks() {
                    context.ui.data("plan", &planned, |style| words::of(&planned, style));
                }
                let question = format!("prune area `{}`?", self.area);
                context.ui.confirm(&question, "y")?;
            }
            let job = Prune {
                dry_run: false,
                ..planning
            };
            Box::pin(prune(&job, &work)).await?
        };
        let again = format!(
            "{} {} {}{}",
            command_line(&context.settings, "prune", context.settings.require_name()?),
            quote(self.area.as_str()),
            self.rule.option(),
            if self.even_recent { " --even-recent" } else { "" }
        );
        for store in &mut report.stores {
            if store.store == StoreKind::Redis && store.state == PrunedStoreState::Unreachable {
                store.trouble.hint = Some(environment.way().advice(context, &again));
            }
        }
        let outcome = report.outcome();
        context
            .ui
            .finish("prune", &report, outcome, |style| words::of(&report, style));
        Ok(outcome)
    }
}
