//! The tour's tables.

use super::Report;
use super::importing::Imported;
use super::reading::Reading;
use crate::ui::{Role, Style, Table, text};

/// Times as figures and as bars, the slowest the longest.
pub(super) fn of_readings(readings: &[Reading], style: Style) -> String {
    let slowest = readings.iter().map(|reading| reading.seconds).fold(0.0, f64::max);
    let columns = style.width.saturating_sub(50).clamp(8, 40);
    let mut table = Table::new(&["STORE", ">FILES", ">SIZE", ">TIME", ""]);
    for reading in readings {
        let bar = text::bar(reading.seconds, slowest, columns);
        let bar = match bar.trim_end_matches('░') {
            "" => "▏",
            bar => bar,
        };
        table.row([
            (Role::Strong, reading.store.to_string()),
            (Role::Plain, reading.files.to_string()),
            (Role::Plain, text::bytes(reading.bytes as u64)),
            (Role::Plain, format!("{:.1} ms", reading.seconds * 1000.0)),
            (Role::Busy, bar.to_owned()),
        ]);
    }
    table.render(style)
}

pub(super) fn of_imports(imports: &[Imported], style: Style) -> String {
    let mut table = Table::new(&["STORE", ">MODULES", ">TOOK", "multiply(6, 7)", "COMES FROM"]);
    for imported in imports {
        let found = &imported.found;
        table.row([
            (Role::Strong, imported.store.to_string()),
            (Role::Plain, found.modules.to_string()),
            (Role::Plain, format!("{:.1} ms", found.seconds * 1000.0)),
            (Role::Good, found.product.to_string()),
            (Role::Plain, found.file.clone()),
        ]);
    }
    table.render(style)
}

pub(super) fn of_report(report: &Report, style: Style) -> String {
    let mut table = Table::new(&["STEP", ">TOOK"]);
    for step in &report.steps {
        table.row([
            (Role::Strong, step.step.to_owned()),
            (Role::Plain, text::seconds(step.seconds)),
        ]);
    }
    table.row([
        (Role::Strong, "all".to_owned()),
        (Role::Good, text::seconds(report.seconds)),
    ]);
    table.render(style)
}
