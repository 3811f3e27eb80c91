//! Every move of an area's marker, and finding the one that a pin means.

use std::fmt;
use std::str::FromStr;

use super::keys;
use super::marker::{Held, Marker};
use crate::error::{Error, Result};
use crate::publish::Area;
use crate::store::{Store, StoreResult};
use crate::time::Timestamp;

const BATCH: u64 = 200;

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
                 2026-11-01T12:00:00Z",
            )
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

/// The newest move that a pin means.
pub(super) async fn find(store: &dyn Store, area: &Area, head: &Held, pin: &Pin) -> Result<Marker> {
    let moves = moves(store, area, head).await?;
    let found = match pin {
        Pin::Time(time) => moves.into_iter().find(|marker| marker.time <= *time),
        Pin::Release(id) => {
            let mut meant = moves
                .into_iter()
                .filter(|marker| marker.release.as_str().starts_with(id));
            let first = meant.next();
            if let Some(first) = &first
                && let Some(other) = meant.find(|other| other.release != first.release)
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
        let missing = match pin {
            Pin::Release(id) => format!("area `{area}` has no release `{id}`"),
            Pin::Time(time) => format!("area `{area}` had no release at {time}"),
        };
        Error::refused(missing).with_hint("`rstack releases` lists those there are")
    })
}

/// Moves `start..end`, in order.
async fn between(store: &dyn Store, area: &Area, start: u64, end: u64) -> StoreResult<Vec<Marker>> {
    let wanted: Vec<String> = (start..end).map(|sequence| keys::step(area, sequence)).collect();
    let steps = store.get_many(&wanted).await?;
    let steps = wanted.iter().zip(steps).filter_map(|(key, step)| Some((key, step?)));
    steps.map(|(key, step)| Marker::parse(store, key, &step)).collect()
}
