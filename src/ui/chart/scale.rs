//! From seconds to a place on an axis.

use crate::ui::text;

/// The axis is logarithmic from this ratio of the largest value to the smallest on: otherwise the small ones could not
/// be told apart.
const FAR_APART: f64 = 30.0;

/// A logarithmic axis begins at least this factor below the smallest value, which has a bar, too.
const ROOM: f64 = 1.2;

/// An axis from its lower end to its upper one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// From zero to this.
    Linear(f64),
    /// From one power of ten to a value.
    Log { least: f64, most: f64 },
}

impl Scale {
    /// The one that fits these values; those that are not above zero do not count.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| value.is_finite() && *value > 0.0) {
            least = least.min(value);
            most = most.max(value);
        }
        if most <= 0.0 {
            Self::Linear(1.0)
        } else if most / least >= FAR_APART {
            Self::Log {
                least: 10_f64.powf((least / ROOM).log10().floor()),
                most,
            }
        } else {
            Self::Linear(most)
        }
    }

    pub(super) fn is_log(self) -> bool {
        matches!(self, Self::Log { .. })
    }

    /// Where a value is: 0 at the lower end, 1 at the upper one.
    pub(super) fn share(self, value: f64) -> f64 {
        let share = match self {
            Self::Linear(most) => value / most,
            Self::Log { least, .. } if value <= least => 0.0,
            Self::Log { least, most } => (value / least).log10() / (most / least).log10(),
        };
        share.clamp(0.0, 1.0)
    }

    /// Values to mark, with their shares of the axis and their labels. Those of an even axis have one unit.
    pub(super) fn marks(self) -> Vec<(f64, String)> {
        let label = |tick| match self {
            Self::Linear(most) => text::round_as(tick, most),
            Self::Log { .. } => text::round(tick),
        };
        self.ticks()
            .into_iter()
            .map(|tick| (self.share(tick), label(tick)))
            .collect()
    }

    /// Values to mark: powers of ten, or about five round ones.
    fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear(most) => {
                let step = round_step(most / 5.0);
                let steps = std::iter::successors(Some(0_u32), |step| Some(step + 1)).map(|n| f64::from(n) * step);
                steps.take_while(|tick| *tick <= most * 1.000_001).collect()
            }
            Self::Log { least, most } => {
                let ticks = std::iter::successors(Some(least), |tick| Some(tick * 10.0));
                ticks.take_while(|tick| *tick <= most * 1.000_001).collect()
            }
        }
    }
}

/// The next of 1, 2 or 5 times a power of ten.
fn round_step(about: f64) -> f64 {
    let power = 10_f64.powf(about.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|times| times * power >= about * 0.999_999);
    times.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_far_apart_get_a_logarithmic_axis() {
        let near = Scale::of([0.001, 0.02].into_iter());
        assert_eq!(near, Scale::Linear(0.02));
        let far = Scale::of([0.0021, 0.0, 0.65].into_iter());
        assert!(far.is_log(), "{far:?}");
        assert!(
            far.share(0.0021) > 0.05 && far.share(0.0021) < 0.2,
            "{}",
            far.share(0.0021)
        );
        assert!((far.share(0.65) - 1.0).abs() < 1e-9);
        let round = Scale::of([0.0001, 0.01].into_iter());
        assert!(round.share(0.0001) > 0.2, "also the smallest has a bar: {round:?}");
        assert_eq!(far.ticks().len(), 3, "1, 10 and 100 ms: {:?}", far.ticks());
    }

    #[test]
    fn the_marks_of_an_even_axis_have_one_unit() {
        let labels = |most| {
            let marks = Scale::Linear(most).marks();
            marks.into_iter().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(labels(1.1), ["0 s", "0.5 s", "1 s"]);
        assert_eq!(labels(0.0237), ["0 ms", "5 ms", "10 ms", "15 ms", "20 ms"]);
        assert_eq!(labels(0.000_05), ["0 µs", "10 µs", "20 µs", "30 µs", "40 µs", "50 µs"]);
        assert_eq!(labels(250.0), ["0 s", "50 s", "1m 40s", "2m 30s", "3m 20s", "4m 10s"]);
    }

    #[test]
    fn ticks_are_round() {
        let ticks = |most| {
            let ticks = Scale::Linear(most).ticks();
            ticks.iter().map(|tick| (tick * 1000.0).round()).collect::<Vec<_>>()
        };
        assert_eq!(ticks(0.0237), [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert_eq!(ticks(1.0), [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]);
        assert_eq!(
            Scale::of(std::iter::empty()).ticks().len(),
            6,
            "nothing to show is no reason to fail"
        );
    }
}
