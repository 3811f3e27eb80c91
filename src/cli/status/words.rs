//! Environments as tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use rstack::publish::AreaRecord;
use rstack::status::{Condition, Environment, StatusReport, StoreReport};
use rstack::store::StoreKind;
use rstack::time::Timestamp;

use crate::ui::{Line, Role, Style, Table, text};

pub(super) fn all(region: &str, environments: &[Environment], style: Style) -> String {
    if environments.is_empty() {
        return format!(
            "{}\n",
            style.paint(Role::Plain, &format!("no environments in {region}"))
        );
    }
    let mut table = Table::new(&["=NAME", "=STATUS", ">AGE", "TIME TO LIVE"]);
    for environment in environments {
        table.row([
            (Role::Strong, environment.name.clone()),
            (environment.status.tone().into(), environment.status.to_string()),
            (Role::Plain, text::age(Duration::from_secs(environment.age_seconds))),
            time_to_live(environment.time_to_live_seconds),
        ]);
    }
    table.render(style)
}

fn time_to_live(seconds: Option<u64>) -> (Role, String) {
    match seconds {
        None => (Role::Quiet, "for ever".to_owned()),
        Some(0) => (Role::Warning, "over; `rstack gc` takes it down".to_owned()),
        Some(left) => (Role::Plain, text::age(Duration::from_secs(left))),
    }
}

pub(in crate::cli) fn one(report: &StatusReport, style: Style) -> String {
    let mut shown = headline(report).render(style);
    shown.push('\n');
    let cause = report.cause.as_deref();
    // Of a stack whose resources tell nothing, the cause is its own reason.
    if let Some(reason) = report
        .reason
        .as_deref()
        .filter(|reason| !cause.is_some_and(|cause| cause.ends_with(reason)))
    {
        let _ = writeln!(shown, "{}", style.paint(Role::Plain, reason));
    }
    if let Some(cause) = cause {
        let line = Line::new().and(Role::Bad, "first cause: ").plain(cause);
        let _ = writeln!(shown, "{}", line.render(style));
    }
    let sections = [
        resources(report, style),
        stores(report, style),
        areas(report, style),
        outputs(report, style),
    ];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        shown.push('\n');
        shown.push_str(section);
    }
    shown
}

fn headline(report: &StatusReport) -> Line {
    let (role, left) = time_to_live(report.time_to_live_seconds);
    let line = Line::new()
        .and(Role::Strong, &report.name)
        .plain(" ")
        .and(report.status.tone().into(), report.status.as_str())
        .plain(format!(
            " in {}, {} old, time to live: ",
            report.region,
            text::age(Duration::from_secs(report.age_seconds))
        ))
        .and(role, left);
    if report.termination_protection {
        line.and(Role::Warning, ", protected against deletion")
    } else {
        line
    }
}

fn resources(report: &StatusReport, style: Style) -> String {
    if report.resources.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["=RESOURCE", "=STATUS", "=NAME", "TYPE"]);
    for resource in &report.resources {
        let name = resource.physical_id.as_deref().or(resource.reason.as_deref());
        table.row([
            (Role::Strong, resource.logical_id.clone()),
            (resource.status.tone().into(), resource.status.to_string()),
            (Role::Plain, name.unwrap_or_default().to_owned()),
            (Role::Quiet, resource.resource_type.clone()),
        ]);
    }
    table.render(style)
}

fn stores(report: &StatusReport, style: Style) -> String {
    if report.stores.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["STORE", "=ANSWERS", "DETAILS", "=PLACE"]);
    for store in &report.stores {
        table.row([
            (Role::Strong, store.store.to_string()),
            answer(&store.condition),
            (Role::Plain, details(store)),
            (Role::Quiet, store.place.clone()),
        ]);
    }
    let mut words = table.render(style);
    // A terminal cuts what a table has no room for, and this has to be read to its end.
    for store in &report.stores {
        if let Condition::Failed { message } = &store.condition {
            let line = Line::new().and(Role::Bad, format!("{}: {message}", store.store));
            words.push_str(&line.render(style));
            words.push('\n');
        }
    }
    words
}

fn answer(condition: &Condition) -> (Role, String) {
    match condition {
        Condition::Answers { seconds } => (Role::Good, format!("in {:.1} ms", seconds * 1000.0)),
        Condition::NotReachable { .. } => (Role::Warning, "not reachable from here".to_owned()),
        Condition::Missing => (Role::Bad, "does not exist any more".to_owned()),
        Condition::Failed { .. } => (Role::Bad, "failed".to_owned()),
    }
}

fn details(store: &StoreReport) -> String {
    [
        store.version.as_ref().map(|version| format!("version {version}")),
        store.state.clone(),
        store.items.map(|items| format!("about {}", text::count(items, "item"))),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(", ")
}

/// One line an area: what its newest publishing is, and which stores have it.
fn areas(report: &StatusReport, style: Style) -> String {
    let names: BTreeSet<&String> = known_areas(report).flat_map(|(_, areas)| areas.keys()).collect();
    if names.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["=AREA", ">FILES", ">SIZE", "SEEDED", "=IN"]);
    for name in names {
        let held: Vec<(&StoreReport, Option<&AreaRecord>)> = known_areas(report)
            .map(|(store, areas)| (store, areas.get(name)))
            .collect();
        // Markers tell the order where there are some, and of them the one that decides.
        let standing = held
            .iter()
            .filter_map(|(store, record)| Some((store.store, at(store, name), (*record)?)));
        let decides = |(store, moved, _): &(StoreKind, Option<u64>, &AreaRecord)| {
            *store == StoreKind::DynamoDb && moved.is_some()
        };
        let Some((_, current, newest)) = standing.max_by_key(|stood| (decides(stood), stood.1, stood.2.time)) else {
            continue;
        };
        let stores: Vec<String> = held
            .iter()
            .map(|(store, record)| {
                let Some(record) = record else {
                    return format!("not in {}", store.store);
                };
                let state = match (at(store, name), current) {
                    _ if !record.complete => " (incomplete)",
                    (Some(moved), Some(current)) if moved < current => " (behind)",
                    (Some(moved), Some(current)) if moved > current => " (ahead of what decides)",
                    (Some(_), Some(_)) => "",
                    (None, Some(_)) if store.moves.contains_key(name) => " (marker missing or damaged)",
                    _ if record.digest != newest.digest => " (behind)",
                    _ => "",
                };
                format!("{}{state}", store.store)
            })
            .collect();
        let age = Timestamp::now().since(newest.time);
        table.row([
            (Role::Strong, name.clone()),
            (Role::Plain, text::grouped(newest.files)),
            (Role::Plain, text::bytes(newest.bytes)),
            (Role::Plain, format!("{} ago", text::age(age))),
            (Role::Plain, stores.join(", ")),
        ]);
    }
    table.render(style) + &repairs(report, style)
}

/// The move that a store's marker of an area is at.
fn at(store: &StoreReport, name: &str) -> Option<u64> {
    store.moves.get(name).copied().flatten()
}

fn repairs(report: &StatusReport, style: Style) -> String {
    let mut words = String::new();
    for store in &report.stores {
        for (area, repair) in &store.repairs {
            let found = [(repair.lacking, "lacking"), (repair.damaged, "damaged")];
            let found = found.into_iter().filter(|(count, _)| *count > 0);
            let found: Vec<String> = found.map(|(count, what)| format!("{count} {what}")).collect();
            let line = format!(
                "{}: {} ago a reader put back what release {} of `{area}` is made of: {}, {}",
                store.store,
                text::age(Timestamp::now().since(repair.time)),
                repair.release,
                found.join(", "),
                text::bytes(repair.bytes),
            );
            words.push_str(&Line::new().and(Role::Warning, line).render(style));
            words.push('\n');
        }
    }
    words
}

fn known_areas(report: &StatusReport) -> impl Iterator<Item = (&StoreReport, &BTreeMap<String, AreaRecord>)> {
    report
        .stores
        .iter()
        .filter_map(|store| Some((store, store.areas.as_ref()?)))
}

fn outputs(report: &StatusReport, style: Style) -> String {
    if report.outputs.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["=OUTPUT", "=VALUE"]);
    for (key, value) in report.outputs.iter() {
        table.row([(Role::Strong, key.to_owned()), (Role::Plain, value.to_owned())]);
    }
    table.render(style)
}
