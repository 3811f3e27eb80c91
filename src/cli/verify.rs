//! `rstack verify`.

mod words;

use clap::Args as ClapArgs;
use rstack::publish::Area;
use rstack::release::{Verification, VerifiedState, Work, verify};
use rstack::store::StoreKind;
use rstack::{Outcome, Result};

use super::Context;
use super::environment::Environment;
use super::redis::RedisOption;
use super::shell::{command_line, quote};

/// Read back everything that an area keeps, in every store, and check it
///
/// Reads the markers, every move, every manifest and every pack, unpacks every file and checks each hash; compares plain
/// files with the release where the area has some; and says by name what is missing or damaged, and which store lags.
/// `--repair` copies what is wrong from a store that has it right, and reads it back; a Redis that was emptied gets all of it.
/// What is right is never written over.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Which area [default: main]
    #[arg(value_name = "AREA")]
    area: Option<Area>,
    /// Copy what is missing or damaged from a store that has it right
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    redis: RedisOption,
}

const AFTER_HELP: &str = "\
stdout: a line for each store, then one for each thing that is not as it should be.

Moves are kept under their number, not under a hash: of them, what most stores have is taken for right, if S3 or \
DynamoDB has it. `extra` counts what nothing names: left by a publishing that was cut short, or of one that goes on \
just now.

Exit codes: 0 all is right, or was repaired; 1 there is no release, or the table cannot be read; 3 something differs, \
lags or could not be read; 130 interrupted.

Examples:
  rstack verify -n demo prod
  rstack verify -n demo prod --repair
  rstack verify -n demo --output json    in a nightly job";

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let area = self.area.map_or_else(|| context.area(), Ok)?;
        let environment = Environment::find(context, &self.redis).await?;
        let stores = environment.stores(context).await?;
        let job = Verification {
            area: &area,
            stack_id: &environment.stack.id,
            stores: &stores.roles(),
            repair: self.repair,
        };
        let work = Work {
            reporter: context.ui,
            interrupt: &context.interrupt,
        };
        let mut report = Box::pin(verify(&job, &work)).await?;
        let again = format!(
            "{} {}{}",
            command_line(&context.settings, "verify", context.settings.require_name()?),
            quote(area.as_str()),
            if self.repair { " --repair" } else { "" }
        );
        for store in &mut report.stores {
            if store.store == StoreKind::Redis && store.state == VerifiedState::Unreachable {
                store.trouble.hint = Some(environment.way().advice(context, &again));
            }
        }
        let outcome = report.outcome();
        let repair = (!self.repair).then(|| format!("{again} --repair"));
        context.ui.finish("verify", &report, outcome, |style| {
            words::of(&report, repair.as_deref(), style)
        });
        Ok(outcome)
    }
}
