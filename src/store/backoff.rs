//! Waiting before asking again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Before attempt `attempt` (from 1): 50 ms doubled each time up to 5 s, of which a random half is left out, so that
/// many clients do not come back together.
pub(super) fn delay(attempt: u32) -> Duration {
    let ceiling = Duration::from_millis(50)
        .saturating_mul(1 << attempt.saturating_sub(1).min(16))
        .min(Duration::from_secs(5));
    let jitter = RandomState::new().hash_one(attempt) % 1000;
    ceiling / 2 + ceiling.mul_f64(f64::from(u32::try_from(jitter).unwrap_or_default()) / 2000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_stay_bounded() {
        for attempt in 1..40 {
            let ceiling = (Duration::from_millis(50) * (1 << (attempt - 1).min(7))).min(Duration::from_secs(5));
            let delay = delay(attempt);
            assert!(
                delay >= Duration::from_millis(25) && delay <= Duration::from_secs(5),
                "{delay:?}"
            );
            assert!(delay <= ceiling, "{attempt}: {delay:?}");
        }
    }
}
