//! What `seed` says on stderr at the end.

use std::sync::Arc;

use rstack::event::{Event, Reporter as _};
use rstack::publish::{Area, Report, StoreReport, StoreState, holder};
use rstack::release::{CopyReport, CopyState};
use rstack::store::{Store, StoreKind, Trouble};

use super::SeedReport;
use crate::cli::Context;

/// Says on stderr what is not done, and why.
pub(crate) fn warn(context: &Context<'_>, report: &SeedReport) {
    let copies = report.release.iter().flat_map(|release| &release.stores);
    warn_of(context, copies, Some(&report.files));
}

/// Of stores that lag, and of plain files; of a store that is in both, once.
pub(crate) fn warn_of<'a>(
    context: &Context<'_>,
    copies: impl IntoIterator<Item = &'a CopyReport>,
    files: Option<&Report>,
) {
    let told = |kind| {
        let mut stores = files.iter().flat_map(|files| &files.stores);
        stores.any(|store| store.store == kind && store.trouble.problem.is_some())
    };
    let copies = copies.into_iter();
    warn_of_copies(
        context,
        copies.filter(|store| store.trouble.problem.is_none() || !told(store.store)),
    );
    if let Some(files) = files {
        warn_of_files(context, files);
    }
}

/// Of stores that do not have the release.
fn warn_of_copies<'a>(context: &Context<'_>, copies: impl IntoIterator<Item = &'a CopyReport>) {
    for store in copies {
        warn_of_trouble(context, &store.trouble);
        if store.state == CopyState::Skipped {
            let message = format!(
                "{}: the release is larger than half of its memory, so it is not there; readers use the other stores",
                store.store
            );
            context.ui.report(&Event::Warning { message, hint: None });
        }
    }
}

/// Of stores that do not have all plain files.
fn warn_of_files(context: &Context<'_>, files: &Report) {
    for store in &files.stores {
        for message in incomplete(store) {
            context.ui.report(&Event::Warning { message, hint: None });
        }
        warn_of_trouble(context, &store.trouble);
    }
}

fn warn_of_trouble(context: &Context<'_>, trouble: &Trouble) {
    if let Some(problem) = &trouble.problem {
        context.ui.report(&Event::Warning {
            message: problem.clone(),
            hint: trouble.hint.clone(),
        });
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

/// The environments on this machine share one Redis: what another one has there under the same keys is replaced.
pub(super) async fn warn_of_neighbours(context: &Context<'_>, stores: &[Arc<dyn Store>], area: &Area, stack_id: &str) {
    let Some(redis) = stores.iter().find(|store| store.kind() == StoreKind::Redis) else {
        return;
    };
    // One that does not answer is told later.
    let holder = holder(&**redis, area).await.ok().flatten();
    let Some(other) = holder.filter(|stack| stack != stack_id) else {
        return;
    };
    let name = other.split('/').nth(1).unwrap_or(&other);
    context.ui.report(&Event::Warning {
        message: format!(
            "area `{area}` of environment `{name}` leaves Redis, which environments on the local AWS share"
        ),
        hint: Some(
            "an area of another name, `--area NAME`, leaves both there; S3 and DynamoDB are not shared".to_owned(),
        ),
    });
}
