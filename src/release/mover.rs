//! Moving a marker: the one write that decides, then every store that follows.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use futures_util::future::{join, join_all};

use super::commit::{Commit, commit, keep_step};
use super::copies::{Copying, read_copy};
use super::manifest::Extent;
use super::marker::{Blob, Head, Held, Marker, MoveKind, Step};
use super::report::{CopyReport, CopyState};
use super::{ContentHash, Origin, Pruned, Stores, claim, history};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Reporter;
use crate::interrupt::Interrupt;
use crate::publish::{Area, Index};
use crate::shell::quote;
use crate::store::{Store, StoreResult};
use crate::trust::{PrivateKey, TrustedKeys};

/// Whose marker moves, where it is kept, and in whose name.
#[derive(Debug, Clone, Copy)]
pub struct Mover<'a> {
    pub area: &'a Area,
    /// The stack that the stores belong to.
    pub stack_id: &'a str,
    pub stores: &'a Stores<'a>,
    pub author: &'a str,
    pub reason: Option<&'a str>,
    /// Signs the move.
    pub signer: Option<&'a PrivateKey>,
    /// Goes on without a signature where the last move has one.
    pub unsigned: bool,
}

/// Where a marker moves to, and why.
#[derive(Debug)]
pub(super) struct Leap {
    pub(super) kind: MoveKind,
    pub(super) manifest: Blob,
    pub(super) packs: Vec<Blob>,
    pub(super) origin: Option<Origin>,
}

impl Leap {
    pub(super) fn new(kind: MoveKind, manifest: Blob, packs: Vec<Blob>) -> Self {
        Self {
            kind,
            manifest,
            packs,
            origin: None,
        }
    }
}

/// What the stores follow, and so how closely they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// A new release: a copy that was at the one before has what that one has.
    Publishing,
    /// A move to a release that exists: every store is looked through.
    Moving,
    /// Nothing moved: every store is looked through, also one that says that it is there already.
    Nothing,
}

/// How work tells of itself and is told to stop.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
}

/// What is known of blobs from this run, so that nothing is sent or asked for twice.
#[derive(Debug, Default)]
pub(super) struct AtHand {
    /// The durable stores have confirmed them just now.
    pub(super) sent: HashSet<ContentHash>,
    /// They are still in memory.
    pub(super) kept: HashMap<ContentHash, Bytes>,
    /// A store may have them under the keys of this area.
    pub(super) source: Option<Area>,
    /// The deciding store's.
    pub(super) index: Option<Index>,
    /// What the durable stores' copies of the marker were a moment ago, in the order of the stores.
    pub(super) copies: Vec<Option<Head>>,
}

impl Mover<'_> {
    /// Where the area stands; a marker of another stack is as good as absent.
    ///
    /// # Errors
    /// As [`Mover::look`].
    pub(super) async fn head(&self) -> Result<Head> {
        Ok(self.look().await?.0)
    }

    /// The same, with what the durable copies of the marker are, in the order of the stores; `None` where one cannot be read.
    ///
    /// # Errors
    /// Refused when a durable store's copy of the marker is ahead: then the deciding one was lost, and moving on from what
    /// is left would put a second history beside the first.
    pub(super) async fn look(&self) -> Result<(Head, Vec<Option<Head>>)> {
        let durable = &self.stores.durable;
        let copies = durable.iter().map(|store| read_copy(*store, self.area, self.stack_id));
        let (mut head, copies) = join(self.own_head(), join_all(copies)).await;
        let newest = copies.iter().flatten().filter_map(Head::sequence_of_current).max();
        if newest > head.as_ref().ok().and_then(Head::sequence_of_current) {
            // Others may have moved both since the deciding one was read.
            head = self.own_head().await;
        }
        let head = head?;
        let own = head.sequence_of_current();
        let mut looked = Vec::with_capacity(copies.len());
        for (store, copy) in durable.iter().zip(copies) {
            looked.push(match copy {
                Ok(copy) if copy.sequence_of_current() > own => return Err(self.lost(*store, &copy, own)),
                Ok(copy) => Some(copy),
                // Whether there is a history that this one would begin beside cannot be seen.
                Err(error) if own.is_none() => return Err(error.into()),
                Err(_) => None,
            });
        }
        Ok((head, looked))
    }

    /// Where an older marker was put back, what is kept of later moves counts: they are never written over, and readers that
    /// have seen them take what comes after.
    async fn own_head(&self) -> StoreResult<Head> {
        let deciding = self.stores.deciding;
        let read = || Head::read(deciding, self.area, Some(self.stack_id));
        let mut head = read().await?;
        while let Some(held) = &head.current {
            let (kept, last) = history::kept_from(deciding, self.area, held).await?;
            if last == held.marker.sequence {
                head.kept = kept;
                break;
            }
            // A move is kept after the marker has moved: so others may just have moved it.
            let now = read().await?;
            if now.version == head.version {
                (head.kept, head.sequence) = (kept, last);
                break;
            }
            head = now;
        }
        Ok(head)
    }

    fn lost(&self, store: &dyn Store, copy: &Head, own: Option<u64>) -> Error {
        let (area, deciding) = (self.area, self.stores.deciding.place());
        let at = own.map_or_else(|| "is gone".to_owned(), |own| format!("is at move {own}"));
        Error::refused(format!(
            "the marker of area `{area}` in {deciding} {at}, and its copy in {} is at move {}: {deciding} has lost something",
            store.place(),
            copy.sequence
        ))
        .with_hint(format!(
            "`rstack verify {} --repair` brings it back; nothing was moved",
            quote(area.as_str())
        ))
    }

    /// Refuses to put a release that nobody signed where readers may insist on a signature.
    pub(super) fn check_signing(&self, head: &Head) -> Result<()> {
        let signed = |held: &Held| held.marker.signature.is_some();
        if self.signer.is_some() || self.unsigned || !head.current.as_ref().is_some_and(signed) {
            return Ok(());
        }
        Err(Error::refused(format!(
            "area `{}` is signed, and this move would not be: readers that trust keys would refuse the area",
            self.area
        ))
        .with_hint("sign with `--sign KEY`, or say `--unsigned` if no reader trusts keys"))
    }

    /// Whether moves are signed, and this one is not, or not rightly, with the same key.
    pub(super) fn lacks_signature(&self, marker: &Marker) -> bool {
        let own = |key: &PrivateKey| TrustedKeys::from(vec![key.public()]);
        self.signer
            .is_some_and(|key| marker.check(self.area, &own(key)).is_err())
    }

    /// Moves the deciding marker on from `head`, unless another came first.
    pub(super) async fn decide(&self, head: &Head, leap: Leap, interrupt: &Interrupt) -> Result<(Commit, Held)> {
        self.commit(head, self.next(head, leap), interrupt).await
    }

    /// Moves the deciding marker on to the same release, with what was pruned said anew.
    pub(super) async fn prune(
        &self,
        head: &Head,
        current: &Marker,
        pruned: Pruned,
        interrupt: &Interrupt,
    ) -> Result<(Commit, Held)> {
        let leap = Leap::new(MoveKind::Prune, current.manifest, current.packs.clone());
        let mut marker = self.next(head, leap);
        marker.pruned = Some(pruned);
        self.commit(head, marker, interrupt).await
    }

    fn next(&self, head: &Head, leap: Leap) -> Marker {
        let step = Step {
            kind: leap.kind,
            area: self.area,
            stack: self.stack_id,
            author: self.author,
            reason: self.reason,
            origin: leap.origin,
            signer: self.signer,
        };
        Marker::next(head, &step, leap.manifest, leap.packs)
    }

    async fn commit(&self, head: &Head, marker: Marker, interrupt: &Interrupt) -> Result<(Commit, Held)> {
        self.check_signing(head)?;
        if interrupt.requested() {
            return Err(interrupted());
        }
        if let Some(what) = marker.implausible() {
            let area = self.area;
            return Err(Error::refused(format!(
                "area `{area}` cannot move on, as nobody could read its marker: {what}"
            ))
            .with_hint("somebody has written a marker that no publisher writes; publish to another area"));
        }
        if head.current.is_none() {
            claim::claim(self, &marker).await?;
        }
        let bytes = marker.to_bytes();
        let commit = commit(self.stores.deciding, self.area, head, &marker, &bytes).await?;
        Ok((commit, Held { marker, bytes }))
    }

    /// The deciding store keeps the move and notes the area; the others are brought to it.
    pub(super) async fn follow(&self, held: &Held, extent: Extent, at_hand: &AtHand, after: After) -> Vec<CopyReport> {
        let deciding = self.stores.deciding;
        let copying = Copying {
            area: self.area,
            deciding,
            held,
            extent,
            at_hand,
            check: after != After::Publishing,
        };
        let own = async {
            let noted = async {
                keep_step(deciding, self.area, held.marker.sequence, &held.bytes).await?;
                if after == After::Nothing {
                    return Ok(());
                }
                let mut index = match &at_hand.index {
                    Some(index) => index.clone(),
                    None => Index::load(deciding).await?,
                };
                index.record(deciding, self.area, &copying.record(true)).await
            };
            match noted.await {
                Ok(()) => CopyReport::new(deciding.kind(), CopyState::Decides),
                Err(error) => CopyReport::lags(deciding.kind(), &error),
            }
        };
        let known = at_hand.copies.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        let following = self.stores.following().zip(known);
        let following = following.map(|((store, role), known)| copying.bring(store, role, known));
        let (own, others) = join(own, join_all(following)).await;
        let mut reports = vec![own];
        reports.extend(others);
        reports.sort_by_key(|report| report.store);
        reports
    }
}

/// Stopped on request before the marker moved.
pub(super) fn interrupted() -> Error {
    Error::from(ErrorKind::Interrupted(
        "interrupted before the release was made; readers see what they saw before".to_owned(),
    ))
    .with_hint("run the same command again")
}
