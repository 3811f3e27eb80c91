//! What a value must look like. An error is a fragment that says what is expected.

use std::path::PathBuf;
use std::time::Duration;

use crate::publish::Area;
use crate::stack::{OnFailure, StackName};
use crate::trust::PublicKey;

mod aws;

pub use aws::*;

type Checked<T> = Result<T, String>;

fn ensure(valid: bool, expected: &str) -> Checked<()> {
    if valid { Ok(()) } else { Err(expected.to_owned()) }
}

fn kept(text: &str, valid: bool, expected: &str) -> Checked<String> {
    ensure(valid, expected).map(|()| text.to_owned())
}

pub(crate) fn stack_name(text: &str) -> Checked<StackName> {
    text.parse()
        .map_err(|_| "expected a letter, then letters, digits and hyphens, 128 at most".to_owned())
}

pub(crate) fn public_key(text: &str) -> Checked<PublicKey> {
    text.parse()
        .map_err(|_| "expected `ed25519:` and 44 characters, as `rstack key generate` prints it".to_owned())
}

pub(crate) fn public_keys(text: &str) -> Checked<Vec<PublicKey>> {
    let keys = text.split([',', ' ']).filter(|key| !key.is_empty());
    keys.map(public_key).collect()
}

pub(crate) fn filled(text: &str) -> Checked<String> {
    kept(text, !text.trim().is_empty(), "expected some text")
}

pub(super) fn path(text: &str) -> Checked<PathBuf> {
    filled(text).map(PathBuf::from)
}

/// Bytes, as `512MiB`, `2 GiB` or a plain number.
pub(crate) fn size(text: &str) -> Checked<u64> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unit = match text[digits..].trim() {
        "" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "TiB" => Some(1_u64 << 40),
        _ => None,
    };
    let number = text[..digits].parse::<u64>().ok();
    number
        .and_then(|number| number.checked_mul(unit?))
        .ok_or_else(|| "expected a number of bytes such as 512MiB or 2GiB".to_owned())
}

pub(crate) fn endpoint_url(text: &str) -> Checked<String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let valid = rest.is_some_and(|r| !r.is_empty() && !r.starts_with('/') && !r.contains(char::is_whitespace));
    kept(text, valid, "expected a URL such as http://127.0.0.1:4566")
}

/// A length of time: "90s", "30m", "8h", "2d", "1h 30m".
///
/// # Errors
/// A fragment that says what is expected. More than ten years is refused: it is a slip, and its end has no date.
pub fn duration(text: &str) -> Checked<Duration> {
    const TEN_YEARS: Duration = Duration::from_hours(10 * 366 * 24);
    let expected = || "expected a length of time such as 30m, 8h or 2d, at most ten years".to_owned();
    let duration = humantime::parse_duration(text.trim()).map_err(|_| expected())?;
    if duration < Duration::from_secs(1) || duration > TEN_YEARS {
        return Err(expected());
    }
    Ok(duration)
}

/// An area: one or more names with `/` between them, such as `main` or `home/tony.yum`.
///
/// # Errors
/// A fragment that says what is expected.
pub fn area(text: &str) -> Checked<String> {
    kept(
        text,
        text.parse::<Area>().is_ok(),
        "expected an area such as main or home/tony.yum: names with `/` between them, none of them empty, `.`, `..` or `.rstack`",
    )
}

pub(super) fn units(text: &str) -> Checked<u32> {
    let units = text.parse().ok().filter(|units| *units > 0);
    units.ok_or_else(|| "expected a whole number, 1 at least".to_owned())
}

/// 1 or 0, true or false, yes or no.
pub(crate) fn switch(text: &str) -> Checked<bool> {
    match text {
        "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" => Ok(false),
        _ => Err("expected 1 or 0".to_owned()),
    }
}

pub(crate) fn on_failure(text: &str) -> Checked<OnFailure> {
    match text {
        "rollback" => Ok(OnFailure::Rollback),
        "delete" => Ok(OnFailure::Delete),
        "keep" => Ok(OnFailure::Keep),
        _ => Err("expected rollback, delete or keep".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row a check: its name, values it takes, values it refuses.
    type Row<'a> = (&'a str, fn(&str) -> Checked<String>, &'a [&'a str], &'a [&'a str]);

    pub(super) fn taken_and_refused(rows: &[Row]) {
        for (name, check, good, bad) in rows {
            for text in *good {
                assert_eq!(check(text).as_deref(), Ok(*text), "{name} takes {text:?}");
            }
            for text in *bad {
                assert!(check(text).is_err(), "{name} refuses {text:?}");
            }
        }
    }

    #[test]
    fn endpoints_and_areas() {
        taken_and_refused(&[
            (
                "endpoint",
                endpoint_url,
                &["http://127.0.0.1:4566", "https://x.y/z"],
                &["", "127.0.0.1", "http://", "ftp://x", "http://a b"],
            ),
            (
                "area",
                area,
                &["main", "home/tony.yum", "ünï code"],
                &["", "/a", "a/", "a//b", "a/../b", ".rstack", "a/.rstack", "a\nb"],
            ),
        ]);
    }

    #[test]
    fn lengths_of_time() {
        assert_eq!(duration("8h"), Ok(Duration::from_hours(8)));
        assert_eq!(duration(" 1h 30m "), Ok(Duration::from_mins(90)));
        for bad in [
            "",
            "8",
            "-1h",
            "0s",
            "500ms",
            "eight hours",
            "11y",
            "99999999999999999999d",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
