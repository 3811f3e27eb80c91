//! `rstack hotfix`.

mod files;
mod words;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs};
use rstack::event::{Event, Reporter as _};
use rstack::publish::{self, Area};
use rstack::release::{self, Content, Mover, Publication, Published, Work};
use rstack::{Outcome, Result};
use serde::Serialize;

use super::Context;
use super::environment::{AllStores, Environment};
use super::moving::Options;
use super::plain::Now;
use super::seed::warn_of;
use super::shell::{command_line, quote};

/// Put single files in front of another area, without publishing it anew
///
/// Adds the files to the area `hotfix`, as a release on top of what it has already. Readers of the union `hotfix;prod` take
/// a path from `hotfix` where that has it, else from `prod`. `--remove` hides a file, or a directory with all that is in it:
/// the union then has no such file, whatever `prod` has. `--clear` makes the area empty again, once `prod` itself is right.
///
/// A file's path in the area is its path below the current directory, or below `--base`. Shows what that changes, and asks.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
#[command(group = ArgGroup::new("what").args(["files", "removed", "clear"]).required(true).multiple(true))]
pub(crate) struct Args {
    /// Files to put there
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Path in the area that the union is to have no file at, or directory that it is to have none in (repeatable)
    #[arg(long = "remove", value_name = "PATH")]
    removed: Vec<String>,
    /// Take everything out again: the files, and what is hidden
    #[arg(long, conflicts_with_all = ["files", "removed", "base"])]
    clear: bool,
    /// Folder that paths in the area begin at [default: the current directory]
    #[arg(long, value_name = "DIR")]
    base: Option<PathBuf>,
    /// The area
    #[arg(long, value_name = "AREA", default_value = "hotfix")]
    area: Area,
    #[command(flatten)]
    options: Options,
}

const AFTER_HELP: &str = "\
stdout: what the area has now. stderr ends with the union that reads it.

Exit codes: 0 done; 1 refused: nothing was changed; 2 usage; 3 published, but a store or the plain files lag (run the \
same command again); 130 interrupted.

Examples:
  rstack hotfix -n demo pricing.py -m \"half prices\"
  rstack hotfix -n demo src/shop/pricing.py --base src --remove shop/old.py
  rstack ls -n demo 'hotfix;prod'                     what readers of the union see
  rstack hotfix -n demo --clear";

/// What was put there.
#[derive(Debug, Serialize)]
struct Report {
    area: Area,
    release: Published,
    /// Paths that were asked to be hidden.
    hidden: BTreeSet<Box<str>>,
    /// The plain files; null where none were written.
    plain_files: Option<publish::Report>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        // First what can be wrong on this machine.
        let signer = self.options.signing.key(context)?;
        let tree = files::tree(&self.files, self.base.as_deref())?;
        let hidden = files::hidden(&tree, &self.removed)?;
        let environment = Environment::find(context, &self.options.redis).await?;
        let stores = environment.stores(context).await?;
        let (roles, author) = (stores.roles(), self.options.authorship.author());
        let trusted = context.settings.trusted();
        let job = Publication {
            content: Content {
                tree: &tree,
                onto_current: !self.clear,
                removed: &hidden,
            },
            mover: Mover {
                area: &self.area,
                stack_id: &environment.stack.id,
                stores: &roles,
                author: &author,
                reason: self.options.authorship.message.as_deref(),
                signer: signer.as_ref(),
                unsigned: self.options.signing.unsigned,
            },
            trusted: &trusted,
            dry_run: true,
        };
        let work = Work {
            reporter: context.ui,
            interrupt: &context.interrupt,
        };
        let plan = Box::pin(release::publish(&job, &work)).await?;
        if self.options.dry_run {
            self.finish(context, plan, &hidden, None, Outcome::Done);
            return Ok(Outcome::Done);
        }
        if plan.new {
            self.ask(context, &plan, &hidden)?;
        }
        let job = Publication { dry_run: false, ..job };
        let published = Box::pin(release::publish(&job, &work)).await?;
        self.bring_along(context, &environment, &stores, published, &hidden)
            .await
    }

    fn ask(&self, context: &Context<'_>, plan: &Published, hidden: &BTreeSet<Box<str>>) -> Result<()> {
        let message = words::of_plan(&self.area, plan, hidden);
        context.ui.report(&Event::Note { message });
        let question = if self.clear {
            format!("empty area `{}`?", self.area)
        } else {
            format!("publish to area `{}`?", self.area)
        };
        context.ui.confirm(&question, "y")
    }

    /// Plain files, and what is to be said of stores that lag.
    async fn bring_along(
        &self,
        context: &Context<'_>,
        environment: &Environment,
        stores: &AllStores,
        mut published: Published,
        hidden: &BTreeSet<Box<str>>,
    ) -> Result<Outcome> {
        let again = self.command(context)?;
        environment.advise(context, &again, &mut published.stores);
        let now = Now {
            bytes: published.bytes,
            first: published.sequence == 1,
        };
        let plain = &self.options.plain;
        let followed = Box::pin(plain.follow(context, environment, stores, &self.area, now, &again)).await?;
        warn_of(context, &published.stores, followed.files.as_ref());
        let outcome = published.outcome().and(followed.outcome());
        if !self.clear {
            let name = context.settings.require_name()?;
            let union = quote(&format!("{};prod", self.area));
            let message = format!(
                "in front of an area, such as `prod`, it is read as {union}: {} {union}",
                command_line(&context.settings, "ls", name)
            );
            context.ui.report(&Event::Note { message });
        }
        self.finish(context, published, hidden, followed.files, outcome);
        Ok(outcome)
    }

    fn finish(
        &self,
        context: &Context<'_>,
        release: Published,
        hidden: &BTreeSet<Box<str>>,
        plain_files: Option<publish::Report>,
        outcome: Outcome,
    ) {
        let report = Report {
            area: self.area.clone(),
            release,
            hidden: hidden.clone(),
            plain_files,
        };
        context
            .ui
            .finish("hotfix", &report, outcome, |style| words::of(&report, style));
    }

    /// The command that would do this again.
    fn command(&self, context: &Context<'_>) -> Result<String> {
        let mut words = vec![command_line(
            &context.settings,
            "hotfix",
            context.settings.require_name()?,
        )];
        words.extend(self.files.iter().map(|file| quote(&file.display().to_string())));
        if let Some(base) = &self.base {
            words.push(format!("--base {}", quote(&base.display().to_string())));
        }
        words.extend(self.removed.iter().map(|path| format!("--remove {}", quote(path))));
        if self.clear {
            words.push("--clear".to_owned());
        }
        words.push(format!("--area {}", quote(self.area.as_str())));
        Ok(words.join(" "))
    }
}
