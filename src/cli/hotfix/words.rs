//! What `hotfix` says.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rstack::Outcome;
use rstack::publish::Area;
use rstack::release::Published;

use super::Report;
use crate::cli::seed;
use crate::ui::{Line, Role, Style, text};

/// Before anybody is asked.
pub(super) fn of_plan(area: &Area, plan: &Published, hidden: &BTreeSet<Box<str>>) -> String {
    let hides: Vec<&str> = hidden.iter().map(AsRef::as_ref).collect();
    let hides = if hides.is_empty() {
        String::new()
    } else {
        format!("; {} hidden", hides.join(", "))
    };
    format!(
        "area `{area}` would have {}: {} added, {} changed, {} removed{hides}",
        text::count(plan.files, "file"),
        plan.added,
        plan.changed,
        plan.removed
    )
}

pub(super) fn of(report: &Report, style: Style) -> String {
    let mut words = String::new();
    let (area, release) = (&report.area, &report.release);
    if let Some(changes) = &release.changes {
        let lists = [&changes.added, &changes.changed, &changes.removed];
        seed::words::signed(&mut words, "", lists, style);
    }
    for path in &report.hidden {
        let line = Line::new().and(Role::Bad, format!("! {path}")).plain(" is hidden");
        let _ = writeln!(words, "{}", line.render(style));
    }
    let lagging = if release.outcome() == Outcome::Done {
        ""
    } else {
        ", but a store lags"
    };
    let line = match &release.release {
        None => Line::new().plain(of_plan(area, release, &BTreeSet::new())),
        Some(id) if !release.new => Line::new()
            .plain(format!("area `{area}` is so already: release "))
            .and(Role::Good, id.as_str())
            .plain(if release.signed_anew { ", signed anew" } else { "" })
            .plain(lagging),
        Some(id) => Line::new()
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
            .and(Role::Quiet, format!(" in {}", text::seconds(release.seconds))),
    };
    let _ = writeln!(words, "{}", line.render(style));
    if let Some(files) = &report.plain_files {
        let _ = writeln!(words, "{}", seed::words::of_plain_files(files).render(style));
    }
    words
}
