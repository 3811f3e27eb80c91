//! Pure words: durations, sizes, counts, and text that fits into columns.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// "0.42 s" below ten seconds, then "42 s", "4m 12s", "3h 05m", "2d 04h".
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..1 => format!("{:.2} s", duration.as_secs_f64()),
        1..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// The same for a number of seconds that came from outside; what is no duration counts as zero.
pub(crate) fn seconds(seconds: f64) -> String {
    duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// A measured time with about three digits: "20.6 µs", "0.42 ms", "15.2 ms", "645 ms", "1.23 s", "12.3 s", then as a duration.
pub(crate) fn precise(seconds: f64) -> String {
    let milliseconds = seconds * 1000.0;
    match seconds {
        0.0 => "0 s".to_owned(),
        s if s < 0.000_099_95 => format!("{:.1} µs", milliseconds * 1000.0),
        s if s < 0.000_995 => format!("{milliseconds:.2} ms"),
        s if s < 0.099_95 => format!("{milliseconds:.1} ms"),
        s if s < 0.999_5 => format!("{milliseconds:.0} ms"),
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 99.95 => format!("{s:.1} s"),
        s => self::seconds(s),
    }
}

/// The same of a round value: "5 ms", "20 s".
pub(crate) fn round(seconds: f64) -> String {
    let shown = precise(seconds);
    let Some((number, unit)) = shown.split_once(' ').filter(|(number, _)| number.contains('.')) else {
        return shown;
    };
    format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
}

/// The same in the unit that `most` has, so that the labels of an axis have one; from two minutes on as durations.
pub(crate) fn round_as(seconds: f64, most: f64) -> String {
    let (unit, length) = match most {
        most if most >= 120.0 => return round(seconds),
        most if most >= 0.9995 => ("s", 1.0),
        most if most >= 0.000_099_95 => ("ms", 0.001),
        _ => ("µs", 0.000_001),
    };
    let shown = format!("{:.3}", seconds / length);
    format!("{} {unit}", shown.trim_end_matches('0').trim_end_matches('.'))
}

/// A rate with two digits at least: "0.4", "75", "4,441".
pub(crate) fn rate(a_second: f64) -> String {
    if a_second < 9.95 {
        return format!("{a_second:.1}");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate above nine"
    )]
    let whole = a_second.round() as u64;
    grouped(whole)
}

/// How long something has existed, in whole units: "12 s", "4m 12s", "3h 05m".
pub(crate) fn age(age: Duration) -> String {
    if age.as_secs() < 10 {
        format!("{} s", age.as_secs())
    } else {
        duration(age)
    }
}

/// "512 B", "1.5 KiB", "16.0 MiB".
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal place")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// "1 file", "2 files", "1,234 files". `noun` takes a plain s.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(number))
}

/// Digits in groups of three: "1,234,567".
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text from outside made safe to show on one line: control characters, line breaks and characters that reorder or
/// hide text are written as escapes.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(unsafe_to_show) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if unsafe_to_show(c) && u32::from(c) < 0x100 => {
                let _ = write!(safe, "\\x{:02x}", u32::from(c));
            }
            c if unsafe_to_show(c) => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

fn unsafe_to_show(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Columns that `text` takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Phrases that end with a semicolon, as many on a line as fit into `columns`.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for phrase in text.split_inclusive("; ") {
        match lines.last_mut() {
            Some(line) if width(line) + width(phrase.trim_end()) <= columns => line.push_str(phrase),
            _ => lines.push(phrase.to_owned()),
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// At most `columns` columns of `text`, which loses its middle: names that begin alike can still be told apart.
pub(crate) fn cut_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns || columns < 3 {
        return cut(text, columns);
    }
    let behind = (columns - 1) / 2;
    let mut start = text.len();
    let mut used = 0;
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > behind {
            break;
        }
        start = at;
    }
    Cow::Owned(format!("{}{}", cut(text, columns - behind), &text[start..]))
}

/// At most `columns` columns of `text`; what is cut is marked with an ellipsis.
pub(crate) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns - 1 {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    Cow::Owned(kept)
}

/// `part` of `whole` as a bar of exactly `columns` columns; a whole of nothing is done.
pub(crate) fn bar(part: f64, whole: f64, columns: usize) -> String {
    let share = if whole > 0.0 {
        (part / whole).clamp(0.0, 1.0)
    } else {
        1.0
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a few columns"
    )]
    let filled = (share * columns as f64).floor() as usize;
    format!("{}{}", "█".repeat(filled), "░".repeat(columns - filled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn measured_times_keep_about_three_digits() {
        let shown = [0.0, 0.000_020_6, 0.000_42, 0.0052, 0.0146, 0.645, 1.234, 12.34, 252.0].map(precise);
        assert_eq!(
            shown,
            [
                "0 s", "20.6 µs", "0.42 ms", "5.2 ms", "14.6 ms", "645 ms", "1.23 s", "12.3 s", "4m 12s"
            ]
        );
    }

    #[test]
    fn rates_are_never_nothing_and_have_separators() {
        assert_eq!([0.41, 9.7, 75.3, 4441.2].map(rate), ["0.4", "9.7", "75", "4,441"]);
    }

    #[test]
    fn phrases_are_wrapped_and_never_lost() {
        assert_eq!(wrapped("a b; c d; e", 40), ["a b; c d; e"]);
        assert_eq!(wrapped("a b; c d; e", 9), ["a b; c d;", "e"]);
        assert_eq!(wrapped("a b; c d; e", 0), ["a b;", "c d;", "e"]);
    }

    #[test]
    fn durations_keep_two_units_at_most() {
        let shown = |s: f64| duration(Duration::from_secs_f64(s));
        assert_eq!(
            [0.0, 0.042, 1.25, 9.96, 42.9, 60.0, 252.0, 3599.0, 11_100.0, 187_200.0].map(shown),
            [
                "0.00 s", "0.04 s", "1.2 s", "10.0 s", "42 s", "1m 00s", "4m 12s", "59m 59s", "3h 05m", "2d 04h"
            ]
        );
        assert_eq!(seconds(f64::NAN), "0.00 s");
        assert_eq!(age(Duration::from_millis(2900)), "2 s");
    }

    #[test]
    fn sizes_and_counts() {
        assert_eq!(
            [0, 1023, 1024, 1_048_575, 16 << 20, u64::MAX].map(bytes),
            ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "16.0 MiB", "16384.0 PiB"]
        );
        assert_eq!(
            [count(0, "file"), count(1, "file"), count(1_234_567, "object")],
            ["0 files", "1 file", "1,234,567 objects"]
        );
    }

    #[test]
    fn cutting_counts_columns_not_characters() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut_middle("abcdefghij", 7), "abc…hij");
        assert_eq!(cut_middle("abcdefghij", 6), "abc…ij");
        assert_eq!(cut_middle("日本語日本語", 7), "日…語");
        assert_eq!(cut_middle("abc", 2), "a…");
    }

    #[test]
    fn bars() {
        assert_eq!(
            [bar(0.0, 4.0, 4), bar(2.0, 4.0, 4), bar(9.0, 4.0, 4), bar(0.0, 0.0, 2)],
            ["░░░░", "██░░", "████", "██"]
        );
    }

    proptest! {
        #[test]
        fn nothing_dangerous_survives_cleaning(text in any::<String>()) {
            prop_assert!(!clean(&text).chars().any(unsafe_to_show));
        }

        #[test]
        fn what_is_cut_fits(text in any::<String>(), columns in 0usize..50) {
            let text = clean(&text);
            prop_assert!(width(&cut(&text, columns)) <= columns);
            prop_assert!(width(&cut_middle(&text, columns)) <= columns);
        }
    }
}
