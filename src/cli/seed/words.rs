//! What `seed` says at the end.

use std::fmt::Write as _;

use rstack::Outcome;
use rstack::publish::{Report, StoreReport, StoreState};

use crate::ui::{Line, Role, Style, Table, text};

/// One line a store, then the whole.
pub(crate) fn of(report: &Report, style: Style) -> String {
    let mut words = String::new();
    let heading = if report.dry_run { ">TO SEND" } else { ">SENT" };
    let removed = if report.dry_run { ">TO REMOVE" } else { ">REMOVED" };
    let mut table = Table::new(&[
        "STORE",
        "STATE",
        heading,
        ">UNCHANGED",
        removed,
        ">BYTES",
        ">TOOK",
        ">RATE",
    ]);
    for store in &report.stores {
        let (role, state) = state(store);
        table.row([
            (Role::Strong, store.store.to_string()),
            (role, state.to_owned()),
            (Role::Plain, text::grouped(store.sent)),
            (Role::Plain, text::grouped(store.unchanged)),
            (Role::Plain, text::grouped(store.removed)),
            (Role::Plain, text::bytes(store.sent_bytes)),
            (Role::Quiet, text::seconds(store.seconds)),
            (Role::Quiet, rate(report, store)),
        ]);
    }
    words.push_str(&table.render(style));
    for store in &report.stores {
        changes(&mut words, store, style);
    }
    words.push_str(&summary(report).render(style));
    words.push('\n');
    words
}

fn state(store: &StoreReport) -> (Role, &'static str) {
    match store.state {
        StoreState::Done if store.skipped.is_empty() => (Role::Good, "done"),
        StoreState::Done => (Role::Warning, "done, some left out"),
        StoreState::Planned => (Role::Quiet, "planned"),
        StoreState::Failed => (Role::Bad, "failed"),
        StoreState::HeldBack => (Role::Warning, "held back"),
        StoreState::Raced => (Role::Warning, "raced"),
        StoreState::Interrupted => (Role::Warning, "interrupted"),
    }
}

fn rate(report: &Report, store: &StoreReport) -> String {
    if report.dry_run || store.sent_bytes == 0 || store.seconds <= 0.0 {
        return "-".to_owned();
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is shown with three digits"
    )]
    let rate = (store.sent_bytes as f64 / store.seconds) as u64;
    format!("{}/s", text::bytes(rate))
}

fn changes(words: &mut String, store: &StoreReport, style: Style) {
    let Some(changes) = &store.changes else { return };
    for (sign, role, paths) in [
        ("+", Role::Good, &changes.added),
        ("~", Role::Busy, &changes.changed),
        ("-", Role::Bad, &changes.removed),
    ] {
        for path in paths {
            let line = Line::new()
                .plain(format!("{} ", store.store))
                .and(role, format!("{sign} {path}"));
            let _ = writeln!(words, "{}", line.render(style));
        }
    }
}

fn summary(report: &Report) -> Line {
    let files = format!("{}, {}", text::count(report.files, "file"), text::bytes(report.bytes));
    let line = Line::new().plain(format!("area `{}`: {files}", report.area));
    let end = match (report.dry_run, report.outcome()) {
        (true, _) => "; nothing was written",
        (false, Outcome::Done) => " in every store",
        (false, Outcome::Partial) => ", but not in every store",
    };
    line.plain(end)
        .and(Role::Quiet, format!(" after {}", text::seconds(report.seconds)))
}
