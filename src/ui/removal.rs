//! Words for what goes and what stays when an environment is taken down.

use rstack::stack::{Contents, DownReport, Holding, Kept, Plan, Planned, Proof};

use super::line::Line;
use super::style::{Role, Style};
use super::text;

/// "deletes Bucket (AWS::S3::Bucket) demo-bucket-1x: 12 objects, 3.4 KiB".
pub(crate) fn of_planned(planned: &Planned) -> Line {
    let holding = &planned.holding;
    let line = match holding.kept {
        None => Line::new().and(Role::Bad, "deletes "),
        Some(_) => Line::new().and(Role::Good, "keeps   "),
    };
    let line = named(line, holding);
    match (&planned.contents, holding.kept) {
        (_, Some(Kept::Policy)) => line.plain(": its DeletionPolicy says so"),
        (_, Some(Kept::Option)) => line.plain(": --retain says so"),
        (Some(contents), None) => line.plain(format!(": {}", of_contents(contents))),
        (None, None) => line,
    }
}

fn named(line: Line, holding: &Holding) -> Line {
    let line = line
        .and(Role::Strong, &holding.logical_id)
        .and(Role::Quiet, format!(" ({})", holding.resource_type));
    if holding.physical_id.starts_with(&holding.logical_id) {
        line
    } else {
        line.plain(format!(" {}", holding.physical_id))
    }
}

fn of_contents(contents: &Contents) -> String {
    match contents {
        Contents::Bucket(bucket) if bucket.is_empty() => "empty".to_owned(),
        Contents::Bucket(bucket) => {
            let more = if bucket.more { "more than " } else { "" };
            let mut parts = vec![format!("{more}{}", text::count(bucket.objects, "object"))];
            for (number, noun) in [
                (bucket.old_versions, "older version"),
                (bucket.delete_markers, "delete marker"),
                (bucket.uploads, "unfinished upload"),
            ] {
                if number > 0 {
                    parts.push(text::count(number, noun));
                }
            }
            parts.push(text::bytes(bucket.bytes));
            parts.join(", ")
        }
        Contents::Table(table) if table.items == 0 => "no items by DynamoDB's own, delayed count".to_owned(),
        Contents::Table(table) => {
            let (items, bytes) = (text::count(table.items, "item"), text::bytes(table.bytes));
            format!("about {items}, {bytes}")
        }
    }
}

/// The whole plan, for `--dry-run`.
pub(crate) fn of_plan(plan: &Plan, style: Style) -> String {
    let head = Line::new()
        .plain("stack ")
        .and(Role::Strong, plan.stack.name.as_str())
        .plain(" (")
        .and(plan.stack.status.tone().into(), plan.stack.status.as_str())
        .plain(")");
    let mut lines = vec![head];
    lines.extend(plan.resources.iter().map(of_planned));
    for obstacle in &plan.obstacles {
        lines.push(Line::new().and(Role::Bad, "refused ").plain(obstacle.to_string()));
        lines.push(
            Line::new()
                .and(Role::Hint, "  hint: ")
                .plain(obstacle.way_out(&plan.aws)),
        );
    }
    lines.iter().map(|line| line.render(style) + "\n").collect()
}

/// What was done, and what is left. `verbose` also names what was not asked for.
pub(crate) fn of_report(report: &DownReport, style: Style) -> String {
    if report.absent {
        return format!("there is no environment {}: nothing to take down\n", report.name);
    }
    let mut lines = Vec::new();
    for drained in report.drained.iter().filter(|d| d.total() + d.uploads > 0) {
        let mut parts = vec![text::count(drained.versions, "object version")];
        for (number, noun) in [
            (drained.delete_markers, "delete marker"),
            (drained.uploads, "unfinished upload"),
        ] {
            if number > 0 {
                parts.push(text::count(number, noun));
            }
        }
        let (parts, bytes) = (parts.join(", "), text::bytes(drained.bytes));
        lines.push(Line::new().plain(format!("emptied {}: {parts}, {bytes}", drained.bucket)));
    }
    for holding in report.kept() {
        lines.push(named(Line::new().and(Role::Good, "kept    "), holding));
    }
    for fate in report.left() {
        lines.push(named(Line::new().and(Role::Bad, "left    "), &fate.holding));
    }
    for (holding, reason) in report.unproven() {
        let line = named(Line::new().and(Role::Warning, "unsure  "), holding);
        lines.push(line.plain(format!(": {reason}")));
    }
    lines.push(last_line(report));
    lines.iter().map(|line| line.render(style) + "\n").collect()
}

fn last_line(report: &DownReport) -> Line {
    let line = Line::new().and(Role::Strong, report.name.as_str()).plain(" is gone");
    let line = line.plain(format!(" after {}", text::seconds(report.seconds)));
    let gone = report.resources.iter().filter(|f| f.proof == Proof::Gone).count() as u64;
    let left = report.left().count() as u64;
    if left > 0 {
        return line.and(
            Role::Bad,
            format!(", but left {} behind", text::count(left, "resource")),
        );
    }
    if gone == 0 {
        return line;
    }
    line.plain(format!(
        "; {} asked for and not found any more",
        text::count(gone, "resource")
    ))
}
