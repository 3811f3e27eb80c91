//! Every move of an area's marker, and finding the one that a pin means.

use std::fmt;
use std::str::FromStr;

use super::marker::{Held, Marker, MoveKind};
use super::prune::PRUNED_AFTER;
use super::{Keeping, keys};
use crate::error::{Error, Result};
use crate::publish::Area;
use crate::shell::quote;
use crate::store::{Store, StoreError, StoreErrorKind, StoreResult};
use crate::time::Timestamp;

const BATCH: u64 = 200;
/// There are none, unless something is wrong.
const AHEAD: u64 = 4;

/// Which release is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// By its id, or by how its id begins: four digits at least.
    Release(String),
    /// The one that the area pointed at then.
    Time(Timestamp),
}

impl FromStr for Pin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if (4..=16).contains(&text.len()) && text.bytes().all(digit) {
            return Ok(Self::Release(text.to_owned()));
        }
        Timestamp::parse(text).map(Self::Time).ok_or_else(|| {
            Error::usage(format!("{text:?} is neither a release nor a time")).with_hint(
                "a release is its id or the first digits of it, as `rstack releases` shows it; a time is written as \
                 2026-11-01T12:00:00Z or 2026-11-01T13:00:00+01:00",
            )
        })
    }
}

impl Pin {
    /// The newest move that is meant, as its place in `moves`, which has the newest first.
    ///
    /// # Errors
    /// When none is, or the first digits of an id may mean several.
    pub fn among(&self, moves: &[Marker], area: &Area) -> Result<usize> {
        let found = match self {
            Self::Time(time) => moves.iter().position(|marker| marker.time <= *time),
            Self::Release(id) => {
                let meant = |marker: &Marker| marker.release.as_str().starts_with(id);
                let first = moves.iter().position(meant);
                if let Some(first) = first.map(|at| &moves[at])
                    && let Some(other) = moves
                        .iter()
                        .find(|other| meant(other) && other.release != first.release)
                {
                    let message = format!(
                        "`{id}` may mean {} or {} in area `{area}`",
                        first.release, other.release
                    );
                    return Err(Error::usage(message).with_hint("give more digits"));
                }
                first
            }
        };
        found.ok_or_else(|| {
            let missing = match self {
                Self::Release(id) => format!("area `{area}` has no release `{id}`"),
                Self::Time(time) => format!("area `{area}` had no release at {time}"),
            };
            Error::refused(missing).with_hint("`rstack releases` lists those there are")
        })
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release(id) => f.write_str(id),
            Self::Time(time) => time.fmt(f),
        }
    }
}

/// A move that is kept and cannot be read.
#[derive(Debug)]
pub struct DamagedMove {
    pub sequence: u64,
    pub error: StoreError,
}

/// As [`moves`], but a damaged move is told beside the others instead of hiding them.
pub(super) async fn readable_moves(
    store: &dyn Store,
    area: &Area,
    head: &Held,
) -> StoreResult<(Vec<Marker>, Vec<DamagedMove>)> {
    let (mut found, mut damaged) = (vec![head.marker.clone()], Vec::new());
    let mut end = head.marker.sequence;
    while end > 1 {
        let start = end.saturating_sub(BATCH).max(1);
        match between(store, area, start, end).await {
            Ok(moves) => found.extend(moves.into_iter().rev()),
            Err(error) if error.kind == StoreErrorKind::Corrupt => {
                for sequence in (start..end).rev() {
                    match between(store, area, sequence, sequence + 1).await {
                        Ok(step) => found.extend(step),
                        Err(error) if error.kind == StoreErrorKind::Corrupt => {
                            damaged.push(DamagedMove { sequence, error });
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(error) => return Err(error),
        }
        end = start;
    }
    Ok((found, damaged))
}

/// The moves up to the one that the marker is at, the newest first; one that is not kept any more is left out.
pub(super) async fn moves(store: &dyn Store, area: &Area, head: &Held) -> StoreResult<Vec<Marker>> {
    let mut found = vec![head.marker.clone()];
    let mut end = head.marker.sequence;
    while end > 1 {
        let start = end.saturating_sub(BATCH).max(1);
        found.extend(between(store, area, start, end).await?.into_iter().rev());
        end = start;
    }
    Ok(found)
}

/// The newest move that a pin means, of a release that is kept.
pub(super) async fn find(store: &dyn Store, area: &Area, head: &Held, pin: &Pin) -> Result<Marker> {
    let (found, loss) = find_any(store, area, head, pin).await?;
    match loss {
        None => Ok(found),
        Some(loss) => Err(loss.refusal(&found)),
    }
}

/// The same, of a release that is kept or that a move to it would bring back.
pub(super) async fn find_revivable(store: &dyn Store, area: &Area, head: &Held, pin: &Pin) -> Result<Marker> {
    let (found, loss) = find_any(store, area, head, pin).await?;
    match loss {
        Some(loss) if loss.keeping == Keeping::Deleted => Err(loss.refusal(&found)),
        _ => Ok(found),
    }
}

/// When a release was pruned, and by whom.
#[derive(Debug, Clone)]
pub(super) struct Loss {
    keeping: Keeping,
    time: Timestamp,
    author: String,
}

impl Loss {
    /// What became of the release that a move led to; `moves` has the newest first.
    fn of(moves: &[Marker], found: &Marker) -> Option<Self> {
        let last = moves.iter().find(|step| step.release == found.release);
        let last = last.unwrap_or(found).sequence;
        let keeping = moves.first()?.keeping(last);
        let pruning = moves.iter().rev().find(|step| step.keeping(last) != Keeping::Kept)?;
        let retired = pruning.pruned.iter().flat_map(|pruned| &pruned.retired);
        let retired = retired.map(|retired| retired.time).max();
        (keeping != Keeping::Kept).then(|| Self {
            keeping,
            time: retired.unwrap_or(pruning.time),
            author: pruning.author.clone(),
        })
    }

    fn refusal(&self, marker: &Marker) -> Error {
        let Marker { release, area, .. } = marker;
        let Self { keeping, time, author } = self;
        if *keeping == Keeping::Retired {
            let due = time.shifted(PRUNED_AFTER);
            return Error::refused(format!(
                "release {release} of area `{area}` was pruned at {time} by {author}; what only it needs is deleted from \
                 {due} on"
            ))
            .with_hint(format!(
                "until then `rstack rollback {} --to {release}` brings it back",
                quote(area.as_str())
            ));
        }
        Error::refused(format!(
            "release {release} of area `{area}` was pruned at {time} by {author}, and its files are deleted"
        ))
        .with_hint("`rstack releases` lists those there are")
    }
}

async fn find_any(store: &dyn Store, area: &Area, head: &Held, pin: &Pin) -> Result<(Marker, Option<Loss>)> {
    let moves = moves(store, area, head).await?;
    let found = moves[pin.among(&moves, area)?].clone();
    let loss = Loss::of(&moves, &found);
    Ok((found, loss))
}

/// The newest move to the release that was current before the current one became so. Going back counts as if what was
/// gone back from had never been: so going back twice goes back two releases.
pub(super) async fn before(store: &dyn Store, area: &Area, head: &Held) -> Result<Marker> {
    let moves = moves(store, area, head).await?;
    let found = line(&moves).into_iter().rev().nth(1).cloned().ok_or_else(|| {
        Error::refused(format!(
            "area `{area}` has no release before {}, which is its first",
            head.marker.release
        ))
        .with_hint("`rstack releases` lists those there are; `--to` names one")
    })?;
    match Loss::of(&moves, &found) {
        Some(loss) if loss.keeping == Keeping::Deleted => Err(loss.refusal(&found)),
        _ => Ok(found),
    }
}

/// The moves that led to where the last one led, oldest first, each to another release: without the detours that were
/// gone back from. `moves` has the newest first.
fn line(moves: &[Marker]) -> Vec<&Marker> {
    let mut line: Vec<&Marker> = Vec::new();
    for step in moves.iter().rev() {
        let known = line.iter().rposition(|known| known.release == step.release);
        match known {
            Some(at) if step.kind == MoveKind::Rollback => line.truncate(at),
            // The same release again, signed anew.
            Some(at) if at + 1 == line.len() => line.truncate(at),
            _ => {}
        }
        line.push(step);
    }
    line
}

/// Whether the move that a marker is at is kept, and the last one that is kept in a row after it: itself, unless the marker
/// was put back.
pub(super) async fn kept_from(store: &dyn Store, area: &Area, held: &Held) -> StoreResult<(bool, u64)> {
    let mut last = held.marker.sequence;
    let read = async |from: u64| {
        let wanted: Vec<String> = (from..from + AHEAD).map(|step| keys::step(area, step)).collect();
        store.get_many(&wanted).await
    };
    let mut steps = read(last).await?;
    let kept = steps.remove(0).is_some_and(|step| step == held.bytes);
    while !steps.is_empty() {
        let row = steps.iter().take_while(|step| step.is_some()).count();
        last += row as u64;
        if row < steps.len() {
            break;
        }
        steps = read(last + 1).await?;
    }
    Ok((kept, last))
}

/// Moves `start..end`, in order.
async fn between(store: &dyn Store, area: &Area, start: u64, end: u64) -> StoreResult<Vec<Marker>> {
    let wanted: Vec<String> = (start..end).map(|sequence| keys::step(area, sequence)).collect();
    let steps = store.get_many(&wanted).await?;
    let steps = wanted.iter().zip(steps).filter_map(|(key, step)| Some((key, step?)));
    steps.map(|(key, step)| Marker::parse(store, key, &step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::ContentHash;
    use crate::release::marker::{Blob, Head, Step};

    /// What a row of moves leaves, oldest first, each told by a letter: small for going back.
    fn left(moves: &str) -> String {
        let area = Area::default();
        let mut head = Head::default();
        let mut made = Vec::new();
        for letter in moves.chars() {
            let kind = match letter {
                '+' => MoveKind::Sign,
                'a'..='z' => MoveKind::Rollback,
                _ => MoveKind::Publish,
            };
            let step = Step {
                kind,
                area: &area,
                stack: "stack",
                author: "me",
                reason: None,
                origin: None,
                signer: None,
            };
            let blob = match (kind, &head.current) {
                (MoveKind::Sign, Some(now)) => now.marker.manifest,
                _ => Blob::of(letter.to_ascii_uppercase().to_string().as_bytes()),
            };
            let marker = Marker::next(&head, &step, blob, Vec::new());
            made.insert(0, marker.clone());
            head.sequence += 1;
            let bytes = marker.to_bytes();
            head.current = Some(Held { marker, bytes });
        }
        let letter = |step: &Marker| {
            let of = |letter: &char| ContentHash::of(letter.to_string().as_bytes()) == step.manifest.sha256;
            ('A'..='Z').find(of).expect("a letter")
        };
        line(&made).into_iter().map(letter).collect()
    }

    #[test]
    fn what_was_gone_back_from_is_no_release_before() {
        for (moves, expected) in [
            ("A", "A"),
            ("ABC", "ABC"),
            ("ABCb", "AB"),
            ("ABCba", "A"),
            // Published after going back, and gone back from again.
            ("ABCbDEd", "ABD"),
            ("ABCbDEdb", "AB"),
            // Forward again, to a release that was gone back from: from there it is back to where it came from.
            ("ABCbac", "AC"),
            // Over several at once.
            ("ABCDa", "A"),
            // Signed anew, it is the same release.
            ("AB+", "AB"),
            ("AB+C+b+", "AB"),
            // Promoted again after another.
            ("ABA", "ABA"),
            ("ABAb", "AB"),
            // The beginning is not kept any more.
            ("cD", "CD"),
        ] {
            assert_eq!(left(moves), expected, "{moves}");
        }
    }
}
