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

    /// Reads RFC 3339 ("2026-11-01T12:00:00Z"), also without the seconds; `None` when it is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
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
