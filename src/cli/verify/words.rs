//! What `verify` says at the end.

use std::fmt::Write as _;

use rstack::release::{Finding, StoreVerified, Verified, VerifiedState, Wrong};

use crate::ui::{Line, Role, Style, Table, text};

/// Differences of one store that are named; JSON names all.
const NAMED: usize = 20;

/// The stores, then what is wrong with each, then the whole in one line. `repair` is the command that would mend it.
pub(super) fn of(report: &Verified, repair: Option<&str>, style: Style) -> String {
    let mut words = table(report).render(style);
    let mut line = |line: Line| {
        let _ = writeln!(words, "{}", line.render(style));
    };
    for store in &report.stores {
        details(store).into_iter().for_each(&mut line);
    }
    let counted = format!(
        "area `{}` at move {}: {}, {}, {}",
        report.area,
        report.sequence,
        text::count(report.releases, "release"),
        text::count(report.packs, "pack"),
        text::count(report.contents, "content")
    );
    let pruned = if report.pruned == 0 {
        String::new()
    } else {
        format!(", {} more pruned", text::grouped(report.pruned))
    };
    line(
        Line::new()
            .plain(counted + &pruned)
            .and(Role::Quiet, format!(" after {}", text::seconds(report.seconds))),
    );
    let mendable = report.stores.iter().any(|store| match store.state {
        VerifiedState::Lags => true,
        // What is only outdated takes another publishing.
        VerifiedState::Differs => store.count(Wrong::Missing) + store.count(Wrong::Damaged) > 0,
        _ => false,
    });
    let outdated = |store: &StoreVerified| store.count(Wrong::Outdated) > 0;
    if report.stores.iter().any(outdated) {
        let hint = "`rstack seed DIR --plain` writes the plain files of what it publishes, and removes old ones";
        line(Line::new().and(Role::Hint, "hint: ").plain(hint));
    }
    if let Some(repair) = repair.filter(|_| mendable) {
        line(
            Line::new()
                .and(Role::Hint, "hint: ")
                .plain(format!("`{repair}` mends what can be mended")),
        );
    }
    words
}

fn table(report: &Verified) -> Table {
    let mut table = Table::new(&[
        "STORE",
        "STATE",
        ">MOVE",
        ">READ",
        ">BYTES",
        ">MISSING",
        ">DAMAGED",
        ">OUTDATED",
        ">EXTRA",
    ]);
    for store in &report.stores {
        let (role, state) = state(store);
        let move_ = store
            .sequence
            .map_or_else(|| "-".to_owned(), |sequence| sequence.to_string());
        let count = |number: u64| (Role::Plain, text::grouped(number));
        let extra = store.extra.as_ref();
        let extra = extra.map_or_else(|| "?".to_owned(), |extra| text::grouped(extra.len() as u64));
        table.row([
            (Role::Strong, store.store.to_string()),
            (role, state.to_owned()),
            (Role::Plain, move_),
            count(store.checked),
            (Role::Plain, text::bytes(store.bytes)),
            count(store.count(Wrong::Missing)),
            count(store.count(Wrong::Damaged)),
            count(store.count(Wrong::Outdated)),
            (Role::Plain, extra),
        ]);
    }
    table
}

fn state(store: &StoreVerified) -> (Role, &'static str) {
    match store.state {
        VerifiedState::Right => (Role::Good, "right"),
        VerifiedState::Repaired => (Role::Good, "repaired"),
        VerifiedState::Differs => (Role::Bad, "differs"),
        VerifiedState::Lags => (Role::Warning, "lags"),
        VerifiedState::Skipped => (Role::Quiet, "skipped"),
        VerifiedState::Unreachable => (Role::Warning, "unreachable"),
        VerifiedState::Failed => (Role::Bad, "failed"),
    }
}

fn details(store: &StoreVerified) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(problem) = &store.trouble.problem {
        lines.push(Line::new().and(Role::Warning, problem));
        lines.extend(
            store
                .trouble
                .hint
                .iter()
                .map(|hint| Line::new().and(Role::Hint, "hint: ").plain(hint)),
        );
    } else if store.behind > 0 {
        let was = if store.state == VerifiedState::Lags {
            "is"
        } else {
            "was"
        };
        let moves = text::count(store.behind, "move");
        lines.push(
            Line::new()
                .and(Role::Strong, store.store.to_string())
                .plain(format!(" {was} {moves} behind")),
        );
    }
    lines.extend(
        store
            .differences
            .iter()
            .take(NAMED)
            .map(|found| of_difference(store, found)),
    );
    let more = store.differences.len().saturating_sub(NAMED);
    if more > 0 {
        let more = format!("{} more; `--output json` names all", text::grouped(more as u64));
        lines.push(
            Line::new()
                .and(Role::Strong, store.store.to_string())
                .and(Role::Quiet, format!(" … {more}")),
        );
    }
    lines
}

fn of_difference(store: &StoreVerified, found: &Finding) -> Line {
    let what = match found.what {
        Wrong::Missing => "missing",
        Wrong::Damaged => "damaged",
        Wrong::Outdated => "outdated",
    };
    let line = Line::new()
        .and(Role::Strong, store.store.to_string())
        .and(if found.repaired { Role::Plain } else { Role::Bad }, format!(" {what}"))
        .plain(format!(" {}", found.key));
    let line = match &found.message {
        Some(message) => line.and(Role::Quiet, format!(": {message}")),
        None => line,
    };
    if found.repaired {
        line.and(Role::Good, ", repaired")
    } else {
        line
    }
}
