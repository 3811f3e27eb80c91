//! What `seed` says on stderr at the end.

use rstack::event::{Event, Reporter as _};
use rstack::publish::{StoreReport, StoreState};
use rstack::release::CopyState;

use super::SeedReport;
use crate::cli::Context;

/// Says on stderr what is not done, and why.
pub(crate) fn warn(context: &Context<'_>, report: &SeedReport) {
    let told = |kind| {
        let mut stores = report.files.stores.iter();
        stores.any(|store| store.store == kind && store.problem.is_some())
    };
    for store in report.release.iter().flat_map(|release| &release.stores) {
        if let Some(problem) = store.problem.as_ref().filter(|_| !told(store.store)) {
            context.ui.report(&Event::Warning {
                message: problem.clone(),
                hint: store.hint.clone(),
            });
        }
        if store.state == CopyState::Skipped {
            let message = format!(
                "{}: the release is larger than half of its memory, so it is not there; readers use the other stores",
                store.store
            );
            context.ui.report(&Event::Warning { message, hint: None });
        }
    }
    for store in &report.files.stores {
        for message in incomplete(store) {
            context.ui.report(&Event::Warning { message, hint: None });
        }
        if let Some(problem) = &store.problem {
            context.ui.report(&Event::Warning {
                message: problem.message.clone(),
                hint: problem.hint.clone(),
            });
        }
    }
}

fn incomplete(store: &StoreReport) -> Vec<String> {
    const NAMED: usize = 20;
    let mut messages: Vec<String> = store
        .skipped
        .iter()
        .take(NAMED)
        .map(|file| {
            format!(
                "{}: `{}` is left out: {}, and has {}",
                store.store, file.path, file.reason, file.size
            )
        })
        .collect();
    if let Some(more) = store.skipped.len().checked_sub(NAMED).filter(|more| *more > 0) {
        messages.push(format!("{}: {more} more files are left out", store.store));
    }
    if store.state == StoreState::HeldBack {
        // The problem says why.
        messages.clear();
    }
    messages
}
