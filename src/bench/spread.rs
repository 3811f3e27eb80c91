//! Many timings as a few figures.

use serde::Serialize;

/// How timings are spread, in seconds. Percentiles are timings that were measured: the first that so many do not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    pub minimum: f64,
    /// Of an even number the mean of the two in the middle.
    pub median: f64,
    pub p95: f64,
    pub p99: f64,
    pub maximum: f64,
}

impl Spread {
    /// `None` of nothing.
    #[must_use]
    pub fn of(seconds: &[f64]) -> Option<Self> {
        let mut sorted = seconds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let percentile = |percent: usize| {
            sorted
                .get((sorted.len() * percent).div_ceil(100).saturating_sub(1))
                .copied()
        };
        Some(Self {
            minimum: *sorted.first()?,
            median: if sorted.len().is_multiple_of(2) {
                f64::midpoint(sorted[middle - 1], sorted[middle])
            } else {
                sorted[middle]
            },
            p95: percentile(95)?,
            p99: percentile(99)?,
            maximum: *sorted.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "tenths of small numbers")]
    fn figures_of_few_and_of_many() {
        let figures = |seconds: &[f64]| {
            let s = Spread::of(seconds).expect("timings");
            [s.minimum, s.median, s.p95, s.p99, s.maximum].map(|s| (s * 10.0).round() as i32)
        };
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(figures(&[3.0, 1.0, 2.0]), [10, 20, 30, 30, 30]);
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(figures(&hundred), [10, 505, 950, 990, 1000]);
    }
}
