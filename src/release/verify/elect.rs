//! Which of several values is right, where no hash says so.
//!
//! Moves are kept under their number, so only the stores can tell what they were. A cache may confirm what a durable
//! store has, and decides nothing: nobody guards what is written there.

use bytes::Bytes;

use super::witness::Standing;
use crate::publish::Area;
use crate::release::marker::Marker;
use crate::store::Store;
use crate::trust::TrustedKeys;

/// What one store says.
pub(super) struct Vote {
    pub(super) standing: Standing,
    pub(super) value: Bytes,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right(Bytes),
    /// Durable stores contradict each other, and nothing shows which of them is right.
    Tied,
    /// No durable store has it.
    Nobody,
}

/// The value that most stores have, among those that a durable one has.
pub(super) fn elect(votes: &[Vote]) -> Verdict {
    let mut counted: Vec<(&Bytes, usize)> = Vec::new();
    for vote in votes.iter().filter(|vote| vote.standing != Standing::Cache) {
        if counted.iter().all(|(value, _)| **value != vote.value) {
            let count = votes.iter().filter(|other| other.value == vote.value).count();
            counted.push((&vote.value, count));
        }
    }
    let Some((best, most)) = counted.iter().max_by_key(|(_, count)| *count) else {
        return Verdict::Nobody;
    };
    if counted.iter().filter(|(_, count)| count == most).count() > 1 {
        return Verdict::Tied;
    }
    Verdict::Right((*best).clone())
}

/// A kept move that may stand: this one of this area of this stack, and, if it is signed, as it was signed.
pub(super) fn plausible(store: &dyn Store, key: &str, value: &[u8], area: &Area, stack: &str) -> Option<Marker> {
    let marker = Marker::parse(store, key, value).ok()?;
    let signers: Vec<_> = marker.signature.iter().map(|signature| signature.key).collect();
    let signed = marker.check(area, &TrustedKeys::from(signers)).is_ok();
    (signed && marker.stack == stack && marker.area == area.as_str()).then_some(marker)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(standing: Standing, value: &'static str) -> Vote {
        Vote {
            standing,
            value: Bytes::from_static(value.as_bytes()),
        }
    }

    #[test]
    fn the_most_win_and_a_cache_only_confirms() {
        use Standing::{Cache, Decides, Durable};
        let right = |value: &'static str| Verdict::Right(Bytes::from_static(value.as_bytes()));
        assert_eq!(
            elect(&[vote(Decides, "a"), vote(Durable, "b"), vote(Cache, "b")]),
            right("b")
        );
        assert_eq!(
            elect(&[vote(Decides, "a"), vote(Durable, "b"), vote(Cache, "c")]),
            Verdict::Tied
        );
        assert_eq!(elect(&[vote(Decides, "a"), vote(Cache, "b")]), right("a"));
        assert_eq!(elect(&[vote(Cache, "b")]), Verdict::Nobody);
    }
}
