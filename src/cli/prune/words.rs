//! What `prune` says at the end, and before it asks.

use std::fmt::Write as _;

use rstack::release::{PruneReport, PrunedRelease, PrunedStore, PrunedStoreState};

use crate::ui::{Line, Role, Style, Table, text};

/// Releases of a kind that are named; JSON names all.
const NAMED: usize = 20;

/// The releases, then the stores, then the whole in one line.
pub(super) fn of(report: &PruneReport, style: Style) -> String {
    let mut words = String::new();
    if let Some(table) = releases(report) {
        words.push_str(&table.render(style));
    }
    let mut line = |line: Line| {
        let _ = writeln!(words, "{}", line.render(style));
    };
    for (what, releases) in kinds(report) {
        let more = releases.len().saturating_sub(NAMED);
        if more > 0 {
            let more = format!("{} more {what}; `--output json` names all", text::grouped(more as u64));
            line(Line::new().and(Role::Quiet, more));
        }
    }
    if report
        .stores
        .iter()
        .any(|store| store.deleted + store.left > 0 || store.trouble.problem.is_some())
    {
        let _ = write!(words, "{}", stores(report).render(style));
    }
    for store in &report.stores {
        for said in problem(store) {
            let _ = writeln!(words, "{}", said.render(style));
        }
    }
    for said in summary(report) {
        let _ = writeln!(words, "{}", said.render(style));
    }
    words
}

fn kinds(report: &PruneReport) -> [(&'static str, &Vec<PrunedRelease>); 3] {
    let (retired, deleted) = if report.dry_run {
        ("would be retired", "would be deleted")
    } else {
        ("retired", "deleted")
    };
    [
        (retired, &report.retired),
        ("waiting", &report.waiting),
        (deleted, &report.deleted),
    ]
}

fn releases(report: &PruneReport) -> Option<Table> {
    let mut table = Table::new(&["RELEASE", ">MOVE", "BY", "CURRENT UNTIL", "WHAT", "DUE", "WHY"]);
    let mut any = false;
    for (what, releases) in kinds(report) {
        for release in releases.iter().take(NAMED) {
            any = true;
            table.row([
                (Role::Strong, release.release.to_string()),
                (Role::Quiet, release.sequence.to_string()),
                (Role::Plain, release.author.clone()),
                (Role::Plain, release.current_until.to_string()),
                (Role::Warning, what.to_owned()),
                (Role::Plain, release.due.map(|due| due.to_string()).unwrap_or_default()),
                (Role::Plain, release.reason.clone().unwrap_or_default()),
            ]);
        }
    }
    any.then_some(table)
}

fn stores(report: &PruneReport) -> Table {
    let deleted = if report.dry_run { ">TO DELETE" } else { ">DELETED" };
    let mut table = Table::new(&["STORE", "STATE", deleted, ">FREED", ">LEFT"]);
    for store in &report.stores {
        let (role, state) = match store.state {
            PrunedStoreState::Done => (Role::Good, "done"),
            PrunedStoreState::Planned => (Role::Quiet, "planned"),
            PrunedStoreState::Lags => (Role::Warning, "lags"),
            PrunedStoreState::Unfinished => (Role::Warning, "unfinished"),
            PrunedStoreState::Unreachable => (Role::Warning, "unreachable"),
        };
        table.row([
            (Role::Strong, store.store.to_string()),
            (role, state.to_owned()),
            (Role::Plain, text::grouped(store.deleted)),
            (Role::Plain, text::bytes(store.bytes)),
            (Role::Plain, text::grouped(store.left)),
        ]);
    }
    table
}

fn problem(store: &PrunedStore) -> Vec<Line> {
    let problem = store
        .trouble
        .problem
        .iter()
        .map(|problem| Line::new().and(Role::Warning, problem));
    let hint = store
        .trouble
        .hint
        .iter()
        .map(|hint| Line::new().and(Role::Hint, "hint: ").plain(hint));
    problem.chain(hint).collect()
}

fn summary(report: &PruneReport) -> Vec<Line> {
    let kept = text::count(report.kept, "release");
    let counts = [
        (report.retired.len(), "retired"),
        (report.waiting.len(), "waiting"),
        (report.deleted.len(), "deleted"),
    ];
    let mut said = format!("area `{}`: {kept} kept", report.area);
    for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
        let _ = write!(said, ", {} {what}", text::grouped(*count as u64));
    }
    if report.dry_run {
        said.push_str("; nothing was changed");
    }
    let mut lines = vec![
        Line::new()
            .plain(said)
            .and(Role::Quiet, format!(" after {}", text::seconds(report.seconds))),
    ];
    if report.recent > 0 {
        let recent = text::count(report.recent, "release");
        lines.push(Line::new().plain(format!(
            "{recent} of these because of having been current within the last 30 days; `--even-recent` lets go of them"
        )));
    }
    if report.orphans > 0 {
        let orphans = text::count(report.orphans, "value");
        lines.push(Line::new().plain(format!(
            "{orphans} that nothing names: a run a day from now deletes what nobody has needed by then"
        )));
    }
    if let Some(until) = report.busy_until {
        lines.push(Line::new().and(
            Role::Warning,
            format!("another run is deleting, or was killed while it did: run this again after {until}"),
        ));
    }
    lines
}
