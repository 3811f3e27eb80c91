//! What `seed` says at the end.

use std::fmt::Write as _;

use rstack::Outcome;
use rstack::publish::{Report, StoreReport, StoreState};
use rstack::release::Published;
use rstack::store::StoreKind;

use super::{SeedReport, bytecode};
use crate::ui::{Line, Role, Style, Table, text};

/// The plain files, one line a store, then the release.
pub(crate) fn of(report: &SeedReport, style: Style) -> String {
    let mut words = String::new();
    let files = &report.files;
    if !files.stores.is_empty() {
        words.push_str(&table(files).render(style));
        if report.release.is_none() {
            files.stores.iter().for_each(|store| changes(&mut words, store, style));
        }
        let _ = writeln!(words, "{}", summary(files).render(style));
    }
    for compiled in &report.bytecode {
        let _ = writeln!(words, "{}", bytecode::words(compiled).render(style));
    }
    if let Some(release) = &report.release {
        if let Some(changes) = &release.changes {
            signed(
                &mut words,
                "",
                [&changes.added, &changes.changed, &changes.removed],
                style,
            );
        }
        let _ = writeln!(words, "{}", released(files, release).render(style));
    }
    words
}

fn table(report: &Report) -> Table {
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
    table
}

/// The release in one line.
fn released(report: &Report, release: &Published) -> Line {
    let area = &report.area;
    let Some(id) = &release.release else {
        return Line::new().plain(format!(
            "a release of area `{area}` would be made, its move {}: {} added, {} changed, {} removed",
            release.sequence, release.added, release.changed, release.removed
        ));
    };
    let lagging = if release.outcome() == Outcome::Done {
        ""
    } else {
        ", but a store lags"
    };
    if !release.new {
        return Line::new()
            .plain(format!("area `{area}` has exactly this already: release "))
            .and(Role::Good, id.as_str())
            .plain(if release.signed_anew { ", signed anew" } else { "" })
            .plain(lagging);
    }
    Line::new()
        .plain("release ")
        .and(Role::Good, id.as_str())
        .plain(format!(
            " of area `{area}`: {}, {} added, {} changed, {} removed",
            text::count(release.files, "file"),
            release.added,
            release.changed,
            release.removed
        ))
        .plain(lagging)
        .and(Role::Quiet, format!(" in {}", text::seconds(release.seconds)))
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
    if let Some(changes) = &store.changes {
        let lists = [&changes.added, &changes.changed, &changes.removed];
        signed(words, &format!("{} ", store.store), lists, style);
    }
}

pub(crate) fn signed(words: &mut String, prefix: &str, [added, changed, removed]: [&Vec<String>; 3], style: Style) {
    for (sign, role, paths) in [
        ("+", Role::Good, added),
        ("~", Role::Busy, changed),
        ("-", Role::Bad, removed),
    ] {
        for path in paths {
            let line = Line::new().plain(prefix).and(role, format!("{sign} {path}"));
            let _ = writeln!(words, "{}", line.render(style));
        }
    }
}

/// What became of the plain files, where they are not what the command is about.
pub(crate) fn of_plain_files(report: &Report) -> Line {
    let most = |of: fn(&StoreReport) -> u64| report.stores.iter().map(of).max().unwrap_or_default();
    let line = Line::new().plain(format!(
        "plain files: {} sent, {} removed",
        text::grouped(most(|store| store.sent)),
        text::grouped(most(|store| store.removed))
    ));
    line.plain(match report.outcome() {
        Outcome::Done => " in every store",
        Outcome::Partial => ", but not in every store",
    })
}

/// The stores that were to have them.
fn wanted(report: &Report) -> String {
    let named: Vec<_> = report.stores.iter().map(|store| store.store.as_str()).collect();
    match named.as_slice() {
        all if all.len() == StoreKind::OF_ENVIRONMENT.len() => "every store".to_owned(),
        some => some.join(" and "),
    }
}

fn summary(report: &Report) -> Line {
    let files = format!("{}, {}", text::count(report.files, "file"), text::bytes(report.bytes));
    let line = Line::new().plain(format!("area `{}`: {files}", report.area));
    let end = match (report.dry_run, report.outcome()) {
        (true, _) => "; nothing was written".to_owned(),
        (false, Outcome::Done) => format!(" in {}", wanted(report)),
        (false, Outcome::Partial) => format!(", but not in {}", wanted(report)),
    };
    line.plain(end)
        .and(Role::Quiet, format!(" after {}", text::seconds(report.seconds)))
}
