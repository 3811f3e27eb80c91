//! How often to ask: once when an operation may just have ended at once, every second in its first minute, slower as it
//! ages, slower still when the service asks for patience.

use std::time::Duration;

/// When to look first. A local AWS has made a small stack by then.
const FIRST: Duration = Duration::from_millis(20);
const MINUTE: Duration = Duration::from_mins(1);
/// Between two looks in the first minute, in milliseconds: a little less than a second, so that the answer comes within
/// one.
const STEP: u32 = 990;
/// When to look again: the first look came before it was due, and those after this one come a little early; this one
/// makes up for both. So up to no age, from the first second on, were there more looks than seconds.
const SECOND: Duration = Duration::from_millis(60_000 - 58 * STEP as u64);
const SLOWEST_THROTTLED: Duration = Duration::from_secs(30);

/// The waits between the reads of one operation.
#[derive(Debug)]
pub(super) struct Pace {
    refusals: u32,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { refusals: 0 }
    }

    /// A read was throttled or lost.
    pub(super) fn refused(&mut self) {
        self.refusals = (self.refusals + 1).min(10);
    }

    /// A read was answered.
    pub(super) fn answered(&mut self) {
        self.refusals = self.refusals.saturating_sub(1);
    }

    /// How long to wait now, when the operation is `age` old. When throttled, some of it is taken off at random, so that
    /// many runs that were refused together do not come back together.
    pub(super) fn next(&self, age: Duration) -> Duration {
        if self.refusals == 0 {
            return due(age).saturating_sub(age);
        }
        let wait = (step(age) * 2_u32.pow(self.refusals)).min(SLOWEST_THROTTLED);
        wait.mul_f64(1.0 - 0.25 * fastrand::f64())
    }
}

/// The age at which an operation of this age is looked at next. Ages are fixed, and not counted from the last look, so
/// that the time that a look takes is no delay.
fn due(age: Duration) -> Duration {
    if age < FIRST {
        return FIRST;
    }
    if let Some(left) = MINUTE.checked_sub(age).filter(|left| !left.is_zero()) {
        // The sixtieth look comes when the minute is over.
        let steps = left.as_millis().div_ceil(u128::from(STEP)).max(1) - 1;
        let before = step(age) * u32::try_from(steps).unwrap_or(u32::MAX);
        return MINUTE.saturating_sub(before).max(SECOND);
    }
    let step = step(age).as_secs();
    Duration::from_secs((age.as_secs() / step + 1) * step)
}

/// The time between two looks at an operation of this age.
fn step(age: Duration) -> Duration {
    match age.as_secs() {
        0..60 => Duration::from_millis(STEP.into()),
        60..120 => Duration::from_secs(2),
        _ => Duration::from_secs(5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ages at which an operation of this length is read, when each read takes so long.
    fn reads(length: Duration, each: Duration) -> Vec<Duration> {
        let pace = Pace::new();
        let mut reads = Vec::new();
        let mut age = pace.next(Duration::ZERO);
        while age < length {
            reads.push(age);
            age += each;
            age += pace.next(age);
        }
        reads
    }

    #[test]
    fn the_end_is_noticed_within_a_second_in_the_first_minute_and_within_five_later() {
        for each in [0, 3, 150, 980].map(Duration::from_millis) {
            let reads = reads(Duration::from_hours(1), each);
            assert_eq!(reads[..2], [FIRST, Duration::from_millis(2_580)]);
            for pair in reads[1..].windows(2) {
                let limit = if pair[0] < MINUTE { 990 } else { 5_000 };
                assert!(
                    pair[1].saturating_sub(pair[0]) <= Duration::from_millis(limit),
                    "{pair:?}"
                );
            }
        }
    }

    #[test]
    fn an_operation_of_any_length_from_one_second_on_is_read_at_most_once_a_second() {
        for each in [0, 3, 150, 1_700].map(Duration::from_millis) {
            for tenths in 10..6_000 {
                let length = Duration::from_millis(tenths * 100);
                let reads = u32::try_from(reads(length, each).len()).expect("a few");
                assert!(Duration::from_secs(1) * reads <= length, "{reads} reads in {length:?}");
            }
        }
    }

    #[test]
    fn there_is_one_read_in_five_seconds_in_the_end() {
        let during = |from: u64, to: u64| {
            let span = Duration::from_secs(from)..Duration::from_secs(to);
            let reads = reads(span.end, Duration::from_millis(100));
            reads.into_iter().filter(|age| span.contains(age)).count()
        };
        assert_eq!(during(0, 60), 59);
        assert_eq!(during(60, 120), 30);
        assert_eq!(during(120, 600), 96);
    }

    #[test]
    fn throttling_slows_down_and_answers_speed_up_again() {
        let mut pace = Pace::new();
        let calm = pace.next(MINUTE);
        pace.refused();
        pace.refused();
        pace.refused();
        let throttled = pace.next(MINUTE);
        assert!(throttled > calm * 4, "{calm:?} {throttled:?}");
        for _ in 0..3 {
            pace.answered();
        }
        assert_eq!(pace.next(MINUTE), calm);
        for _ in 0..20 {
            pace.refused();
        }
        assert!(pace.next(MINUTE * 10) <= SLOWEST_THROTTLED);
    }
}
