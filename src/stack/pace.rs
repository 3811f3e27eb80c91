//! How often to ask: so that an end is noticed within a second in the first minute and within five later, slower when the
//! service asks for patience.
//!
//! An operation that ends just after a look began is seen by the next one, when that is answered. So from the start of a
//! look to the start of the next it may take the second less the time of an answer, whatever that does to the number of
//! reads.

use std::collections::VecDeque;
use std::time::Duration;

/// When to look first. A local AWS has made a small stack by then.
const FIRST: Duration = Duration::from_millis(20);
/// Taken off between two looks, for an answer that is a little slower than those before it, and for what is asked once
/// more when the end has been seen.
const SPARE: Duration = Duration::from_millis(30);
/// Between the starts of two looks, however slow the answers are.
const FLOOR: Duration = Duration::from_millis(500);
/// The answers by which the next one is judged.
const REMEMBERED: usize = 4;
const SLOWEST_THROTTLED: Duration = Duration::from_secs(30);

/// The waits between the looks at one operation. A look is one read, or the two that agree on an end.
#[derive(Debug)]
pub(super) struct Pace {
    refusals: u32,
    /// How old the operation was when the last look that was answered began.
    looked: Option<Duration>,
    /// How long the last answers took, the newest last.
    took: VecDeque<Duration>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            refusals: 0,
            looked: None,
            took: VecDeque::with_capacity(REMEMBERED),
        }
    }

    /// A look was throttled or lost.
    pub(super) fn refused(&mut self) {
        self.refusals = (self.refusals + 1).min(10);
    }

    /// A look that began when the operation was `began` old was answered when it was `ended` old.
    pub(super) fn answered(&mut self, began: Duration, ended: Duration) {
        self.refusals = self.refusals.saturating_sub(1);
        self.looked = Some(began);
        if self.took.len() == REMEMBERED {
            self.took.pop_front();
        }
        self.took.push_back(ended.saturating_sub(began));
    }

    /// How long to wait now, when the operation is `age` old. When throttled, some of it is taken off at random, so that
    /// many runs that were refused together do not come back together.
    pub(super) fn next(&self, age: Duration) -> Duration {
        if self.refusals == 0 {
            let due = self.looked.map_or(FIRST, |began| began + self.step(began));
            return due.saturating_sub(age);
        }
        let wait = (within(age) * 2_u32.pow(self.refusals)).min(SLOWEST_THROTTLED);
        wait.mul_f64(1.0 - 0.25 * fastrand::f64())
    }

    /// From the start of a look at this age to the start of the next.
    fn step(&self, age: Duration) -> Duration {
        let slowest = self.took.iter().max().copied().unwrap_or_default();
        within(age).saturating_sub(slowest + SPARE).max(FLOOR)
    }
}

/// How soon an end at this age is noticed. It takes a few seconds to fall from the one bound to the other.
fn within(age: Duration) -> Duration {
    Duration::from_secs(match age.as_secs() {
        0..60 => 1,
        60..70 => 2,
        _ => 5,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const ANSWERS: [Duration; 4] = [
        Duration::ZERO,
        Duration::from_millis(3),
        Duration::from_millis(150),
        Duration::from_millis(400),
    ];

    /// The ages at which the looks at an operation of this length begin, when each is answered after so long.
    fn looks(length: Duration, each: Duration) -> Vec<Duration> {
        let mut pace = Pace::new();
        let mut looks = Vec::new();
        let mut age = pace.next(Duration::ZERO);
        while age < length {
            looks.push(age);
            pace.answered(age, age + each);
            age += each;
            age += pace.next(age);
        }
        looks
    }

    fn reads(length: Duration, each: Duration) -> u32 {
        u32::try_from(looks(length, each).len()).expect("a few")
    }

    #[test]
    fn the_end_is_noticed_within_a_second_in_the_first_minute_and_within_five_later() {
        for each in ANSWERS {
            let mut before = Duration::ZERO;
            for look in looks(Duration::from_hours(1), each) {
                // The worst end is the one just after a look began.
                let delay = (look + each).saturating_sub(before);
                let limit = Duration::from_secs(if before < MINUTE { 1 } else { 5 });
                assert!(
                    delay <= limit,
                    "an end at {before:?} is noticed after {delay:?} of {each:?}"
                );
                before = look;
            }
        }
    }

    #[test]
    fn a_slower_answer_than_those_before_it_is_made_up_for_by_the_next_looks() {
        let mut pace = Pace::new();
        let ms = Duration::from_millis;
        pace.answered(ms(20), ms(30));
        assert_eq!(pace.next(ms(30)), ms(1_000 - 10 - 30 - 10));
        pace.answered(ms(980), ms(1_280));
        assert_eq!(pace.next(ms(1_280)), ms(1_000 - 300 - 30 - 300));
        // Answers that take longer than a second could not be noticed within one: they are not waited for at least.
        pace.answered(ms(1_650), ms(3_650));
        assert_eq!(pace.next(ms(3_650)), Duration::ZERO);
        for _ in 0..REMEMBERED {
            pace.answered(ms(4_000), ms(4_010));
        }
        assert_eq!(pace.next(ms(4_010)), ms(950));
    }

    #[test]
    fn no_more_is_read_than_that_takes() {
        for each in ANSWERS {
            for seconds in 1..=60 {
                let length = Duration::from_secs(seconds);
                let steps = length.as_secs_f64() / (1.0 - (each + SPARE).as_secs_f64());
                let reads = reads(length, each);
                // The early look, and the one with which the first step begins.
                assert!(
                    f64::from(reads) <= steps + 1.0,
                    "{reads} reads in {length:?}, each of {each:?}"
                );
            }
        }
    }

    #[test]
    fn a_longer_operation_is_read_less_than_once_a_second() {
        for (each, from) in ANSWERS.into_iter().zip([75, 75, 86, 135]) {
            for seconds in from..1_000_u32 {
                let reads = reads(Duration::from_secs(seconds.into()), each);
                assert!(reads < seconds, "{reads} reads in {seconds} s, each of {each:?}");
            }
        }
    }

    #[test]
    fn there_is_one_read_in_five_seconds_in_the_end() {
        let during = |from: u64, to: u64| {
            let span = Duration::from_secs(from)..Duration::from_secs(to);
            let looks = looks(span.end, Duration::from_millis(3));
            looks.into_iter().filter(|age| span.contains(age)).count()
        };
        assert_eq!(during(0, 60), 63);
        assert_eq!(during(60, 70), 5);
        assert_eq!(during(70, 90), 4);
        assert_eq!(
            during(70, 570),
            101,
            "each answer and the spare are taken off five seconds"
        );
    }

    #[test]
    fn throttling_slows_down_and_answers_speed_up_again() {
        let mut pace = Pace::new();
        let at = |seconds| Duration::from_secs(seconds);
        pace.answered(at(60), at(60));
        let calm = pace.next(at(60));
        for _ in 0..3 {
            pace.refused();
        }
        let throttled = pace.next(at(60));
        assert!(throttled > calm * 4, "{calm:?} {throttled:?}");
        for _ in 0..3 {
            pace.answered(at(60), at(60));
        }
        assert_eq!(pace.next(at(60)), calm);
        for _ in 0..20 {
            pace.refused();
        }
        assert!(pace.next(at(600)) <= SLOWEST_THROTTLED);
    }
}
