//! Moving an area to a release that exists, as `rollback` and `promote` do: show what that changes, ask, move, and bring
//! everything along.

mod words;

use clap::Args as ClapArgs;
use rstack::event::{Event, Reporter as _};
use rstack::publish::{self, Area};
use rstack::release::{Moved, Mover, Proposal, Work};
use rstack::{Outcome, Result};
use serde::Serialize;

use super::Context;
use super::authorship::{Authorship, Signing};
use super::environment::{AllStores, Environment};
use super::plain::{Now, PlainOption};
use super::redis::RedisOption;
use super::seed::warn_of;

/// How an area is moved.
#[derive(Debug, Clone, ClapArgs)]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) authorship: Authorship,
    #[command(flatten)]
    pub(super) signing: Signing,
    #[command(flatten)]
    pub(super) plain: PlainOption,
    #[command(flatten)]
    pub(super) redis: RedisOption,
    /// Only show what would change
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// What was moved.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    moved: Moved,
    /// The plain files; null where none were written.
    plain_files: Option<publish::Report>,
}

/// One move.
pub(super) struct Moving<'a> {
    pub(super) context: &'a Context<'a>,
    /// "rollback" or "promote".
    pub(super) command: &'static str,
    pub(super) area: &'a Area,
    pub(super) options: &'a Options,
    /// The command, without a release.
    pub(super) again: String,
    /// Its option that names a release.
    pub(super) pin: &'static str,
    pub(super) question: String,
}

impl Moving<'_> {
    pub(super) async fn run(&self, propose: impl AsyncFn(&Mover<'_>) -> Result<Proposal>) -> Result<Outcome> {
        let (context, options) = (self.context, self.options);
        let signer = options.signing.key(context)?;
        let environment = Environment::find(context, &options.redis).await?;
        let opened = environment.stores(context).await?;
        let stores = opened.roles();
        let author = options.authorship.author();
        let by = Mover {
            area: self.area,
            stack_id: &environment.stack.id,
            stores: &stores,
            author: &author,
            reason: options.authorship.message.as_deref(),
            signer: signer.as_ref(),
            unsigned: options.signing.unsigned,
        };
        let proposal = context.until_interrupted(propose(&by)).await?;
        if options.dry_run {
            let moved = proposal.preview(&by);
            self.finish(
                &Report {
                    moved,
                    plain_files: None,
                },
                Outcome::Done,
            );
            return Ok(Outcome::Done);
        }
        if !proposal.is_nothing() {
            context.ui.report(&Event::Move(Box::new(proposal.preview(&by))));
            context.ui.confirm(&self.question, "y")?;
        }
        let work = Work {
            reporter: context.ui,
            interrupt: &context.interrupt,
        };
        let moved = Box::pin(proposal.carry_out(&by, &work)).await?;
        self.bring_along(&environment, &opened, moved).await
    }

    /// Plain files, and what is to be said of stores that lag.
    async fn bring_along(&self, environment: &Environment, opened: &AllStores, mut moved: Moved) -> Result<Outcome> {
        let context = self.context;
        // Pinned: without that, rolling back again would go back one more.
        let again = format!("{} {} {}", self.again, self.pin, moved.release.id);
        environment.advise(context, &again, &mut moved.stores);
        let plain = &self.options.plain;
        let now = Now {
            bytes: moved.bytes,
            // Also where the first move was made by a run that did not come so far.
            first: moved.previous.is_none() || moved.sequence == 1,
        };
        let followed = Box::pin(plain.follow(context, environment, opened, self.area, now, &again)).await?;
        warn_of(context, &moved.stores, followed.files.as_ref());
        let outcome = moved.outcome().and(followed.outcome());
        let plain_files = followed.files;
        self.finish(&Report { moved, plain_files }, outcome);
        Ok(outcome)
    }

    fn finish(&self, report: &Report, outcome: Outcome) {
        let ui = self.context.ui;
        ui.finish(self.command, report, outcome, |style| words::of(report, style));
    }
}
