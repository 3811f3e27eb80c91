//! The moves that every store keeps.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::join_all;

use super::elect::{Verdict, Vote, elect, plausible};
use super::report::Wrong;
use super::run::Look;
use super::witness::{Standing, Witness};
use crate::error::Result;
use crate::publish::Meter;
use crate::release::keys;
use crate::release::marker::{Held, Marker};
use crate::store::StoreErrorKind;

/// Moves that are compared together.
const BATCH: u64 = 100;
const TIED: &str = "the stores contradict each other, and nothing shows which of them is right";
const NOWHERE: &str = "no durable store has it as it was";

/// What a store says to a key.
#[derive(Debug, Clone)]
enum Kept {
    Value(Bytes),
    Missing,
    Damaged,
    /// It cannot be asked.
    Unknown,
}

impl Look<'_> {
    /// Compares the moves up to `head` in all stores, and gives those of which it is known what they were.
    pub(super) async fn moves(&self, head: &Held, meter: &Meter<'_>) -> Result<BTreeMap<u64, Marker>> {
        let newest = head.marker.sequence;
        let mut moves = BTreeMap::new();
        let mut first = 1;
        while first <= newest {
            self.go_on()?;
            let last = newest.min(first + BATCH - 1);
            let wanted: Vec<String> = (first..=last).map(|sequence| keys::step(self.area, sequence)).collect();
            let columns = join_all(self.witnesses.iter().map(|witness| kept(witness, &wanted))).await;
            for (at, (key, sequence)) in wanted.iter().zip(first..=last).enumerate() {
                let row: Vec<&Kept> = columns.iter().map(|column| &column[at]).collect();
                moves.extend(self.step(key, sequence, head, &row).await.map(|step| (sequence, step)));
            }
            meter.add(wanted.len() * self.witnesses.len(), 0);
            first = last + 1;
        }
        Ok(moves)
    }

    async fn step(&self, key: &str, sequence: u64, head: &Held, row: &[&Kept]) -> Option<Marker> {
        let marker = |witness: &Witness<'_>, value: &Bytes| {
            plausible(witness.store, key, value, self.area, self.stack).filter(|marker| marker.sequence == sequence)
        };
        let votes = self.witnesses.iter().zip(row).filter_map(|(witness, kept)| match kept {
            Kept::Value(value) if marker(witness, value).is_some() => Some(Vote {
                standing: witness.standing,
                value: value.clone(),
            }),
            _ => None,
        });
        let verdict = if sequence == head.marker.sequence {
            Verdict::Right(head.bytes.clone())
        } else {
            let mut votes: Vec<Vote> = votes.collect();
            match elect(&votes) {
                // A store that has lost its newest moves has no say against one that has not.
                Verdict::Tied if self.lost_moves(head) => {
                    votes.retain(|vote| vote.standing != Standing::Decides);
                    elect(&votes)
                }
                verdict => verdict,
            }
        };
        for (witness, kept) in self.witnesses.iter().zip(row) {
            if sequence <= witness.expected_moves(head.marker.sequence) {
                self.judge(witness, key, kept, &verdict).await;
            }
        }
        match &verdict {
            Verdict::Right(value) => marker(&self.witnesses[0], value),
            Verdict::Tied | Verdict::Nobody => None,
        }
    }

    /// Whether the deciding store's own marker is behind the one that counts, or gone.
    fn lost_moves(&self, head: &Held) -> bool {
        let own = self.witnesses[0].held();
        own.is_none_or(|own| own.marker.sequence < head.marker.sequence)
    }

    async fn judge(&self, witness: &Witness<'_>, key: &str, kept: &Kept, verdict: &Verdict) {
        let what = match (kept, verdict) {
            (Kept::Value(value), Verdict::Right(right)) if value == right => return,
            (Kept::Unknown, _) => return,
            (Kept::Missing, _) => Wrong::Missing,
            (Kept::Value(_) | Kept::Damaged, _) => Wrong::Damaged,
        };
        match verdict {
            Verdict::Right(right) => self.mend(witness, key, what, right).await,
            Verdict::Tied => witness.differs(key, what, false, Some(TIED.to_owned())),
            Verdict::Nobody => witness.differs(key, what, false, Some(NOWHERE.to_owned())),
        }
    }

    /// Notes what is wrong with a small value, and writes the right one where that is wanted.
    pub(super) async fn mend(&self, witness: &Witness<'_>, key: &str, what: Wrong, right: &Bytes) {
        if !self.repair {
            return witness.differs(key, what, false, None);
        }
        match witness.write(key, right).await {
            Ok(()) => witness.differs(key, what, true, None),
            Err(error) => witness.differs(key, what, false, Some(error.to_string())),
        }
    }
}

async fn kept(witness: &Witness<'_>, keys: &[String]) -> Vec<Kept> {
    if !witness.answers() {
        return vec![Kept::Unknown; keys.len()];
    }
    let values = match witness.store.get_many(keys).await {
        Ok(values) => values.into_iter().map(seen).collect(),
        Err(error) if error.kind == StoreErrorKind::Corrupt => one_by_one(witness, keys).await,
        Err(error) => {
            witness.fails(error);
            return vec![Kept::Unknown; keys.len()];
        }
    };
    let size = |kept: &Kept| match kept {
        Kept::Value(value) => value.len() as u64,
        Kept::Missing | Kept::Damaged | Kept::Unknown => 0,
    };
    witness.read(keys.len() as u64, values.iter().map(size).sum());
    values
}

fn seen(value: Option<Bytes>) -> Kept {
    value.map_or(Kept::Missing, Kept::Value)
}

/// One damaged value spoils a batch.
async fn one_by_one(witness: &Witness<'_>, keys: &[String]) -> Vec<Kept> {
    let mut values = Vec::with_capacity(keys.len());
    for key in keys {
        values.push(match witness.store.get_many(std::slice::from_ref(key)).await {
            Ok(mut value) => seen(value.pop().flatten()),
            Err(error) if error.kind == StoreErrorKind::Corrupt => Kept::Damaged,
            Err(error) => {
                witness.fails(error);
                Kept::Unknown
            }
        });
    }
    values
}
