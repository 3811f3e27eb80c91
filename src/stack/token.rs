//! Names for single operations.

/// A `ClientRequestToken`, or the name of a change set: 128 random bits, so that no two runs ever share one.
#[must_use]
pub(super) fn token() -> String {
    format!("rstack-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}
