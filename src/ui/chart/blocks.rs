//! Bars made of characters. They can be told apart without colour.

use crate::ui::text;

/// From nothing to a whole column, in eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A bar up to one share of the columns, and the line on to another share that shows its spread. A bar is never
/// nothing at all.
pub(super) fn bar(share: f64, high: f64, columns: usize) -> (String, String) {
    let eighths = whole(share * 8.0 * float(columns)).max(1);
    let mut bar = "█".repeat(eighths / 8);
    bar.push_str(EIGHTHS[eighths % 8]);
    let used = eighths.div_ceil(8);
    let end = whole(high * float(columns)).min(columns);
    let spread = match end.saturating_sub(used) {
        0 => String::new(),
        length => format!("{}┤", "─".repeat(length - 1)),
    };
    (bar, spread)
}

/// The columns from one share to another, at least one.
pub(super) fn stretch(from: f64, to: f64, columns: usize) -> std::ops::Range<usize> {
    let last = columns.saturating_sub(1);
    let start = whole((from * float(columns)).floor()).min(last);
    let end = whole(to * float(columns)).clamp(start + 1, columns.max(start + 1));
    start..end
}

/// Labels at their shares: all of them, or else every second, third and so on, as many as there is room for.
pub(super) fn axis(ticks: &[(f64, String)], columns: usize) -> String {
    let every = (1..=ticks.len()).find_map(|step| {
        let some: Vec<_> = ticks.iter().step_by(step).collect();
        labels(&some, columns)
    });
    every.unwrap_or_default()
}

/// The line with these labels, if none touches another. One that has no room behind its mark stands before it.
fn labels(ticks: &[&(f64, String)], columns: usize) -> Option<String> {
    let mut line = String::new();
    let mut used = 0;
    for (number, (share, label)) in ticks.iter().enumerate() {
        let at = whole(share * float(columns)).min(columns.saturating_sub(1));
        let length = text::width(label) + 1;
        let (start, shown) = if at + length <= columns || number == 0 {
            (at, format!("╵{label}"))
        } else {
            ((at + 1).checked_sub(length)?, format!("{label}╵"))
        };
        if number > 0 && start <= used {
            return None;
        }
        line.push_str(&" ".repeat(start - used));
        line.push_str(&shown);
        used = start + length;
    }
    Some(line)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "columns of a terminal"
)]
fn whole(columns: f64) -> usize {
    columns.max(0.0).round() as usize
}

#[expect(clippy::cast_precision_loss, reason = "columns of a terminal")]
fn float(columns: usize) -> f64 {
    columns as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_ends_in_eighths_of_a_column() {
        let shown = |share, high| bar(share, high, 8);
        assert_eq!(shown(1.0, 1.0), ("████████".to_owned(), String::new()));
        assert_eq!(shown(0.5, 0.5), ("████".to_owned(), String::new()));
        assert_eq!(shown(0.45, 0.8), ("███▋".to_owned(), "─┤".to_owned()));
        assert_eq!(shown(0.0, 0.0), ("▏".to_owned(), String::new()), "never nothing");
    }

    #[test]
    fn a_stretch_has_a_column_at_least_and_stays_inside() {
        assert_eq!(stretch(0.0, 1.0, 10), 0..10);
        assert_eq!(stretch(0.5, 0.5, 10), 5..6);
        assert_eq!(stretch(1.0, 1.0, 10), 9..10);
    }

    #[test]
    fn labels_of_an_axis_do_not_touch() {
        let ticks = [
            (0.0, "0 ms".to_owned()),
            (0.2, "1 ms".to_owned()),
            (0.5, "2 ms".to_owned()),
        ];
        assert_eq!(axis(&ticks, 40), "╵0 ms   ╵1 ms       ╵2 ms");
        assert_eq!(
            axis(&ticks, 16),
            "╵0 ms   ╵2 ms",
            "every second where there is no room for all"
        );
        assert_eq!(axis(&ticks, 4), "╵0 ms");
        let to_the_end = [(0.0, "0 s".to_owned()), (1.0, "10 s".to_owned())];
        assert_eq!(axis(&to_the_end, 16), "╵0 s       10 s╵");
    }
}
