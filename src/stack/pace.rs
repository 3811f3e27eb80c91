//! How often to ask: fast at first, slower as an operation ages, slower still when the service asks for patience.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
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

    /// How long to wait now, when the operation is `age` old. A little is taken off at random, so that many runs that
    /// started together do not ask together.
    pub(super) fn next(&mut self, age: Duration) -> Duration {
        self.last = unhurried(age, self.last);
        let wait =
            (self.last * 2_u32.pow(self.refusals)).min(if self.refusals == 0 { SLOWEST } else { SLOWEST_THROTTLED });
        wait.mul_f64(1.0 - 0.15 * fastrand::f64())
    }
}

/// Grows by half from 50 ms to 1 s within the first minute; after it, from 1 s to 5 s as the operation gets old.
fn unhurried(age: Duration, last: Duration) -> Duration {
    if age <= MINUTE {
        (last.mul_f64(1.5)).clamp(FIRST, Duration::from_secs(1))
    } else {
        Duration::from_secs_f64(age.as_secs_f64() / MINUTE.as_secs_f64()).min(SLOWEST)
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

    #[test]
    fn the_rate_falls_to_one_read_in_about_five_seconds() {
        let of_ten_minutes = reads(Duration::from_mins(10)).len();
        let of_twenty_minutes = reads(Duration::from_mins(20)).len();
        assert!(of_ten_minutes < 360, "{of_ten_minutes}");
        assert!(of_twenty_minutes - of_ten_minutes < 600 / 4, "{of_twenty_minutes}");
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
        assert!(pace.next(MINUTE) <= Duration::from_secs(1));
        for _ in 0..20 {
            pace.refused();
        }
        assert!(pace.next(MINUTE * 10) <= SLOWEST_THROTTLED);
    }
}
