//! `rstack down`.

use std::time::Duration;

use clap::Args as ClapArgs;
use rstack::aws::Aws;
use rstack::event::{Event, Reporter as _};
use rstack::local;
use rstack::publish::remove_own_keys;
use rstack::settings::Target;
use rstack::stack::{Depth, Down, DownReport, Plan, Watch, down, plan};
use rstack::store::{RedisAddress, RedisStore};
use rstack::{Outcome, Result};

use super::Context;
use super::shell::command_line;
use crate::ui::removal;

/// Take an environment away, and prove that nothing is left
///
/// Says what will go and asks for the environment's name; then empties its bucket (every version, delete marker and
/// unfinished upload), deletes the stack, tries again where that can help, and asks every service whether its resource
/// is really gone. What the template's DeletionPolicy keeps is neither emptied nor deleted. An environment that is not
/// there is no error. Killed at any point, run it again.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Show what would go, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    how: How,
    /// Leave this resource of the stack standing, with what it holds (repeatable)
    #[arg(long, value_name = "NAME")]
    retain: Vec<String>,
    /// Take down a stack that rstack did not make, too
    #[arg(long)]
    any_stack: bool,
}

/// What `gc` takes too.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct How {
    /// Bypass Object Lock's governance mode, and delete the stack even if resources of it have to be left behind
    #[arg(long)]
    pub(crate) force: bool,
    /// Stop watching after this long; AWS goes on
    #[arg(long, value_name = "TIME", value_parser = rstack::config::duration)]
    pub(crate) timeout: Option<Duration>,
}

const AFTER_HELP: &str = "\
stdout: what was emptied, kept and left.

Exit codes: 0 it is gone, or was not there; 3 it is gone, but something is left or could not be asked for; 4 the \
stack would not go; 5 AWS goes on, but rstack stopped watching; 130 interrupted. Run the same command again to go on.

`--retain` names a resource by its logical id, as `rstack status` shows it. A stack that stands is first updated to \
keep it (DeletionPolicy: Retain), since CloudFormation takes no such wish with the deletion itself.

Examples:
  rstack down -n demo --dry-run          what would go
  rstack down -n demo                    asks for the name, then removes it
  rstack down -n pr-123 --yes            in a script
  rstack down -n demo --retain Bucket    all but the bucket";

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let name = context.settings.require_name()?;
        let wanted = Down {
            name,
            force: self.how.force,
            retain: &self.retain,
            any_stack: self.any_stack,
        };
        let Some((aws, plan)) = found(context, &wanted, self.dry_run).await? else {
            let report = DownReport::absent(name.clone());
            if !self.dry_run {
                tidy_local(context).await?;
            }
            context.ui.finish("down", &report, Outcome::Done, |style| {
                removal::of_report(&report, style)
            });
            return Ok(Outcome::Done);
        };
        if self.dry_run {
            context
                .ui
                .finish("down", &plan, Outcome::Done, |style| removal::of_plan(&plan, style));
            return Ok(Outcome::Done);
        }
        plan.check()?;
        for resource in &plan.resources {
            context.ui.report(&Event::Removal(resource.clone()));
        }
        let question = format!("take down `{name}` in {}, and lose all of this?", aws.region());
        context.ui.confirm(&question, name.as_str())?;
        let report = take_down(context, &aws, &plan, &wanted, self.how.timeout).await?;
        tidy_local(context).await?;
        let outcome = report.outcome();
        context
            .ui
            .finish("down", &report, outcome, |style| removal::of_report(&report, style));
        Ok(outcome)
    }
}

/// The environment, if there is one. A local AWS is not started to find out that it holds nothing.
async fn found(context: &Context<'_>, wanted: &Down<'_>, dry_run: bool) -> Result<Option<(Aws, Plan)>> {
    let settings = &context.settings;
    if settings.target == Target::Local && local::find(&settings.local).await?.is_none() {
        return Ok(None);
    }
    let aws = context.aws().await?;
    let depth = if dry_run || context.ui.asks() {
        Depth::Count
    } else {
        Depth::Glance
    };
    let plan = context.until_interrupted(plan(&aws, wanted, depth)).await?;
    Ok(plan.map(|plan| (aws, plan)))
}

/// Carries out a plan that was agreed to.
pub(crate) async fn take_down(
    context: &Context<'_>,
    aws: &Aws,
    plan: &Plan,
    wanted: &Down<'_>,
    timeout: Option<Duration>,
) -> Result<DownReport> {
    plan.check()?;
    forget_keys(context, &plan.stack.id).await?;
    let attach = command_line(&context.settings, "down", wanted.name);
    let watch = Watch {
        reporter: context.ui,
        interrupt: &context.interrupt,
        timeout: timeout.or(context.settings.config.timeout),
        attach: &attach,
        remove: &attach,
        deletes_on_failure: false,
    };
    down(aws, plan, wanted, &watch).await
}

/// The environments of the local AWS share one Redis, which stays when a stack goes. Its keys go first, out of
/// every database that `--redis-url` may have named: without the stack, nobody would come for them again.
async fn forget_keys(context: &Context<'_>, stack_id: &str) -> Result<()> {
    let settings = &context.settings;
    if settings.target == Target::Local
        && let Some(local) = local::find(&settings.local).await?
    {
        for url in local.redis_databases().await? {
            let store = RedisStore::new(url.parse::<RedisAddress>()?);
            remove_own_keys(&store, stack_id).await?;
        }
    }
    Ok(())
}

/// The local AWS has no reason to run without environments.
pub(crate) async fn tidy_local(context: &Context<'_>) -> Result<()> {
    if let Some(in_use) = context.in_use.get() {
        local::stop_if_unused(&context.settings.local, in_use, context.ui, &context.interrupt).await?;
    }
    Ok(())
}
