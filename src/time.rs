//! Times as AWS and people write them.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time. Shown, and serialised, as RFC 3339 in UTC with whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(SystemTime);

impl Timestamp {
    #[must_use]
    pub fn now() -> Self {
        Self(SystemTime::now())
    }

    /// Reads RFC 3339 ("2026-11-01T12:00:00Z", "2026-11-01T13:00:00+01:00"), also without the seconds; without either end
    /// it is UTC. `None` when it is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((local, ahead)) = with_offset(text) {
            return Self::parse_utc(local).map(|time| time.shifted(-ahead));
        }
        Self::parse_utc(text)
    }

    fn parse_utc(text: &str) -> Option<Self> {
        let time = text.strip_suffix('Z').unwrap_or(text);
        let to_the_minute = (time.len() == "2026-11-01T12:00".len()).then(|| format!("{time}:00Z"));
        humantime::parse_rfc3339_weak(to_the_minute.as_deref().unwrap_or(text))
            .ok()
            .map(Self)
    }

    /// "12:03:44", in UTC.
    #[must_use]
    pub fn time_of_day(self) -> String {
        let rfc3339 = self.to_string();
        rfc3339.get(11..19).unwrap_or(&rfc3339).to_owned()
    }

    /// Whole seconds from `other` to this; negative when this is the earlier one.
    #[must_use]
    pub fn seconds_after(self, other: Self) -> i64 {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        match self.0.duration_since(other.0) {
            Ok(after) => seconds(after),
            Err(before) => -seconds(before.duration()),
        }
    }

    /// This many seconds later, or earlier when negative.
    #[must_use]
    pub fn shifted(self, seconds: i64) -> Self {
        let by = Duration::from_secs(seconds.unsigned_abs());
        let shifted = if seconds < 0 {
            self.0.checked_sub(by)
        } else {
            self.0.checked_add(by)
        };
        Self(shifted.unwrap_or(self.0))
    }

    /// Time from `earlier` to this; zero when it lies the other way round.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.duration_since(earlier.0).unwrap_or_default()
    }
}

/// A time that ends in an offset from UTC, and so many seconds it is ahead: "+01:00", "-05:30".
fn with_offset(text: &str) -> Option<(&str, i64)> {
    let (local, offset) = text.split_at_checked(text.len().checked_sub("+00:00".len())?)?;
    let (sign, offset) = match offset.split_at_checked(1)? {
        ("+", offset) => (1, offset),
        ("-", offset) => (-1, offset),
        _ => return None,
    };
    let (hours, minutes) = offset.split_once(':')?;
    let number = |text: &str, below: i64| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| digits && *number < below)
    };
    let seconds = (number(hours, 24)? * 60 + number(minutes, 60)?) * 60;
    // Of a time that says that it is UTC, that would be the second end.
    (!local.ends_with('Z')).then_some((local, sign * seconds))
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, rhs: Duration) -> Self {
        Self(self.0 + rhs)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(time)
    }
}

impl From<&DateTime> for Timestamp {
    /// Times before 1970 become 1970: AWS has none.
    fn from(time: &DateTime) -> Self {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or_default();
        Self(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_seconds(self.0).fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom(format!("{text:?} is not a time")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_say_how_far_it_is_from_utc() {
        let parsed = |text: &str| Timestamp::parse(text).map(|time| time.to_string());
        for text in [
            "2026-11-27T14:46:42Z",
            "2026-11-27T14:46:42",
            "2026-11-27T15:46:42+01:00",
            "2026-11-27T09:16:42-05:30",
            "2026-11-28T00:46:42+10:00",
        ] {
            assert_eq!(parsed(text).as_deref(), Some("2026-11-27T14:46:42Z"), "{text}");
        }
        assert_eq!(parsed("2026-11-27T15:46+01:00"), parsed("2026-11-27T14:46:00Z"));
        for text in [
            "2026-11-27",
            "2026-11-27T15:46:42+1:00",
            "2026-11-27T15:46:42+24:00",
            "2026-11-27T15:46:42Z+01:00",
            "+01:00",
            "",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
