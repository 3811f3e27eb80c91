//! `rstack cache`.

use clap::{Args, Subcommand};
use rstack::release::{CacheReport, clear_cache, report_cache};
use rstack::{Outcome, Result};

use super::Context;
use crate::ui::{Role, Style, Table, text};

/// Look at what this machine keeps of what was read, and remove it
///
/// Manifests and packs are kept by their hash, for all processes of one user, and hashed again whenever they are read: so
/// what was read once is not fetched again. The folder is below RSTACK_HOME or the user's cache folder; RSTACK_CACHE
/// names another one, or is `off`. RSTACK_CACHE_SIZE or `cache: {size: …}` in rstack.yaml bounds it (1GiB).
#[derive(Debug, Args)]
pub(super) struct Cache {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show where it is and what it holds
    #[command(after_help = INFO_HELP)]
    Info,
    Clear(Clear),
}

const INFO_HELP: &str = "\
stdout: a table of one line.

Exit codes: 0 shown, 1 it cannot be read, 2 usage";

/// Remove what it holds; the next reader fetches again what it needs
#[derive(Debug, Args)]
#[command(after_help = CLEAR_HELP)]
struct Clear {
    /// Forget also how far each area was seen to have come
    ///
    /// A reader refuses a marker that is older than one that this machine has seen. This takes such a marker as it is.
    #[arg(long)]
    seen: bool,
}

const CLEAR_HELP: &str = "\
stdout: what was removed.

Exit codes: 0 removed, 1 the folder is not safe, or something in it stays, 2 usage

Examples:
  rstack cache clear
  rstack cache clear --seen";

impl Cache {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let options = &context.settings.cache;
        match self.action {
            Action::Info => {
                let report = report_cache(options)?;
                let shown = |style| words(&report, style);
                context.ui.finish("cache info", &report, Outcome::Done, shown);
            }
            Action::Clear(Clear { seen }) => {
                let removed = clear_cache(options, seen)?;
                let shown = |_| {
                    let (files, bytes) = (text::count(removed.files, "file"), text::bytes(removed.bytes));
                    let seen = match removed.areas_seen {
                        0 => String::new(),
                        areas => {
                            let (count, were) = (text::count(areas, "area"), if areas == 1 { "was" } else { "were" });
                            format!(", and how far {count} {were} seen to have come")
                        }
                    };
                    format!("removed {files}, {bytes}{seen}\n")
                };
                context.ui.finish("cache clear", &removed, Outcome::Done, shown);
            }
        }
        Ok(Outcome::Done)
    }
}

fn words(report: &CacheReport, style: Style) -> String {
    let Some(folder) = &report.folder else {
        return "the cache is switched off\n".to_owned();
    };
    if let Some(problem) = &report.problem {
        return format!("the cache is not used: {}\n", text::clean(problem));
    }
    let mut table = Table::new(&[">FILES", ">SIZE", ">LIMIT", ">AREAS SEEN", "FOLDER"]);
    table.row([
        (Role::Plain, text::grouped(report.files)),
        (Role::Strong, text::bytes(report.bytes)),
        (Role::Plain, text::bytes(report.limit)),
        (Role::Plain, text::grouped(report.areas_seen)),
        (Role::Quiet, folder.display().to_string()),
    ]);
    table.render(style)
}
