//! `rstack rollback`.

use clap::Args as ClapArgs;
use rstack::publish::Area;
use rstack::release::{Pin, Proposal};
use rstack::{Outcome, Result};

use super::Context;
use super::moving::{Moving, Options};
use super::shell::{command_line, quote};

/// Move an area back to an earlier release
///
/// Shows what that changes and asks. Without `--to` it goes to the release that was current before the current one became
/// so; rolling back again goes back one more, and a release that was rolled back from counts as if it had never been.
/// Nothing is lost: every release stays in `rstack releases`, and `--to` goes forward again too.
///
/// The move is one write: readers see the old release or the new one. S3, Redis and plain files follow. If somebody else
/// publishes or rolls back meanwhile, nothing is moved, and rstack says who it was and where the area is now.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The area [default: main]
    #[arg(value_name = "AREA")]
    area: Option<Area>,
    /// The release with this id (or the first digits of it), or the one that was current at this time
    #[arg(long, value_name = "RELEASE|TIME")]
    to: Option<Pin>,
    #[command(flatten)]
    options: Options,
}

const AFTER_HELP: &str = "\
stdout: where the area is now, and what that changed.

Exit codes: 0 the area is there (also when it was already); 1 refused, or somebody else came first: nothing was \
moved; 2 usage; 3 moved, but a store or the plain files lag (the same with `--to RELEASE` brings them along, without \
it goes back one more); 130 interrupted.

Examples:
  rstack rollback -n demo prod                        to the release before, after a question
  rstack rollback -n demo prod --yes -m \"bad prices\"   without one, with a reason for the history
  rstack rollback -n demo prod --to 2026-11-01T12:00:00Z
  rstack rollback -n demo prod --dry-run              only show which files would change";

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let area = self.area.map_or_else(|| context.area(), Ok)?;
        let mut again = command_line(&context.settings, "rollback", context.settings.require_name()?);
        again.push(' ');
        again.push_str(&quote(area.as_str()));
        let trusted = context.settings.trusted();
        let moving = Moving {
            context,
            command: "rollback",
            area: &area,
            options: &self.options,
            again,
            pin: "--to",
            question: format!("roll area `{area}` back?"),
        };
        let to = self.to.as_ref();
        moving
            .run(async |mover| Proposal::rollback(mover, to, &trusted).await)
            .await
    }
}
