//! How often to ask: fast at first, slower as an operation ages, slower still when the service asks for patience.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
/// In the first minute: leaves room for the reads themselves, so that an end is noticed within a second.
const SLOWEST_AT_FIRST: Duration = Duration::from_millis(900);
const MINUTE: Duration = Duration::from_mins(1);
const SLOWEST: Duration = Duration::from_secs(5);
const SLOWEST_THROTTLED: Duration = Duration::from_secs(30);

/// The waits between the reads of one operation.
#[derive(Debug)]
pub(super) struct Pace {
    last: Duration,
    refusals: u32,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            last: Duration::ZERO,
            refusals: 0,
        }
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
    pub(super) fn next(&mut self, age: Duration) -> Duration {
        self.last = unhurried(age, self.last);
        if self.refusals == 0 {
            return self.last;
        }
        let wait = (self.last * 2_u32.pow(self.refusals)).min(SLOWEST_THROTTLED);
        wait.mul_f64(1.0 - 0.25 * fastrand::f64())
    }
}

/// Doubles from 50 ms to 0.9 s in the first moments; after a minute, grows from 2 s to 5 s as the operation gets old.
fn unhurried(age: Duration, last: Duration) -> Duration {
    if age <= MINUTE {
        (last * 2).clamp(FIRST, SLOWEST_AT_FIRST)
    } else {
        Duration::from_secs_f64(2.0 * age.as_secs_f64() / MINUTE.as_secs_f64()).min(SLOWEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ages at which an operation of this length is read.
    fn reads(length: Duration) -> Vec<Duration> {
        let mut pace = Pace::new();
        let mut age = Duration::ZERO;
        let mut reads = Vec::new();
        while age < length {
            reads.push(age);
            age += pace.next(age);
        }
        reads
    }

    #[test]
    fn the_end_is_noticed_within_a_second_in_the_first_minute_and_within_five_later() {
        for pair in reads(Duration::from_hours(1)).windows(2) {
            let limit = if pair[0] < MINUTE { 1.0 } else { 5.0 };
            assert!(pair[1].abs_diff(pair[0]).as_secs_f64() <= limit, "{pair:?}");
        }
    }

    /// Over an operation of some minutes, which is what AWS takes for a Redis.
    #[test]
    fn there_is_at_most_one_read_a_second_and_later_one_in_five() {
        let during = |from: u64, to: u64| {
            let span = Duration::from_secs(from)..Duration::from_secs(to);
            reads(span.end).into_iter().filter(|age| span.contains(age)).count()
        };
        assert_eq!(during(0, 2), 6);
        assert!(during(0, 60) <= 72, "{}", during(0, 60));
        assert!(during(0, 90) <= 90, "{}", during(0, 90));
        assert!(during(0, 300) <= 130, "{}", during(0, 300));
        assert!(during(600, 1200) <= 120, "{}", during(600, 1200));
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
        assert!(pace.next(MINUTE) <= SLOWEST_AT_FIRST);
        for _ in 0..20 {
            pace.refused();
        }
        assert!(pace.next(MINUTE * 10) <= SLOWEST_THROTTLED);
    }
}
