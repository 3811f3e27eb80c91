//! `rstack promote`.

use clap::Args as ClapArgs;
use rstack::publish::Area;
use rstack::release::{Pin, Proposal};
use rstack::{Outcome, Result};

use super::Context;
use super::moving::{Moving, Options};
use super::shell::{command_line, quote};

/// Give an area the release of another, file for file
///
/// Shows what that changes and asks. It is the same release, with the same id; its packs are copied inside the stores, so
/// that each area lives on its own, whatever becomes of the other. Only what TO does not have yet is copied. Readers of TO
/// see all of it at once, when its marker moves.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The area whose release it is
    #[arg(value_name = "FROM")]
    from: Area,
    /// The area that gets it
    #[arg(value_name = "TO")]
    to: Area,
    /// An older release of FROM: its id (or the first digits of it), or a time at which it was current
    #[arg(long, value_name = "RELEASE|TIME")]
    at: Option<Pin>,
    #[command(flatten)]
    options: Options,
}

const AFTER_HELP: &str = "\
stdout: where the area is now, and what that changed.

A signature is of one area: `--sign` signs for TO. With trusted keys, only a release that FROM has signed is promoted.

Exit codes: 0 the area is there (also when it was already); 1 refused, or somebody else came first: nothing was \
moved; 2 usage; 3 moved, but a store or the plain files lag (run the same command again); 130 interrupted.

Examples:
  rstack promote -n demo uat prod -m \"accepted by QA\"
  rstack promote -n demo uat prod --at 6abda09a17119ce1
  rstack promote -n demo uat prod --dry-run           only show which files would change";

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let Self { from, to, at, options } = &self;
        let mut again = command_line(&context.settings, "promote", context.settings.require_name()?);
        for area in [from, to] {
            again.push(' ');
            again.push_str(&quote(area.as_str()));
        }
        let trusted = context.settings.trusted();
        let moving = Moving {
            context,
            command: "promote",
            area: to,
            options,
            again,
            pin: "--at",
            question: format!("promote area `{from}` to area `{to}`?"),
        };
        let at = at.as_ref();
        moving
            .run(async |mover| Proposal::promotion(mover, from, at, &trusted).await)
            .await
    }
}
