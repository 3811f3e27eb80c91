//! What `rollback` and `promote` say at their end.

use std::fmt::Write as _;

use rstack::release::{CopyState, MoveKind, Moved};

use super::Report;
use crate::cli::seed;
use crate::ui::{Line, Role, Style, text};

pub(super) fn of(report: &Report, style: Style) -> String {
    let mut words = String::new();
    if let Some(changes) = &report.moved.changes {
        let lists = [&changes.added, &changes.changed, &changes.removed];
        seed::words::signed(&mut words, "", lists, style);
    }
    let _ = writeln!(words, "{}", of_move(&report.moved).render(style));
    if let Some(files) = &report.plain_files {
        let _ = writeln!(words, "{}", seed::words::of_plain_files(files).render(style));
    }
    words
}

fn of_move(moved: &Moved) -> Line {
    let (area, id) = (&moved.area, moved.release.id.as_str());
    if !moved.moved {
        return Line::new()
            .plain(format!("area `{area}` is at release "))
            .and(Role::Good, id)
            .plain(if moved.kind == MoveKind::Sign {
                " already, signed anew"
            } else {
                " already"
            });
    }
    let verb = match (moved.kind, moved.dry_run) {
        (MoveKind::Rollback, false) => "is back at",
        (MoveKind::Rollback, true) => "would go back to",
        (_, false) => "is now at",
        (_, true) => "would go to",
    };
    let line = Line::new()
        .plain(format!("area `{area}` {verb} release "))
        .and(Role::Good, id)
        .plain(
            moved
                .origin
                .as_ref()
                .map_or_else(String::new, |origin| format!(" of area `{}`", origin.area)),
        )
        .plain(format!(
            ": {}, {} added, {} changed, {} removed",
            text::count(moved.files, "file"),
            moved.added,
            moved.changed,
            moved.removed
        ));
    if moved.dry_run {
        return line;
    }
    let lagging = moved.stores.iter().any(|store| store.state == CopyState::Lags);
    line.plain(if lagging { ", but a store lags" } else { "" })
        .and(Role::Quiet, format!(" in {}", text::seconds(moved.seconds)))
}
