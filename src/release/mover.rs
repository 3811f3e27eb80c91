//! Moving a marker: the one write that decides, then every store that follows.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use futures_util::future::{join, join_all};

use super::commit::{Commit, commit, keep_step};
use super::copies::Copying;
use super::marker::{Blob, Head, Held, Marker, MoveKind, Step};
use super::report::{CopyReport, CopyState};
use super::{ContentHash, Manifest, Stores};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Reporter;
use crate::interrupt::Interrupt;
use crate::publish::{Area, record_area};
use crate::store::StoreResult;
use crate::trust::PrivateKey;

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
}

impl Mover<'_> {
    /// Where the area stands; a marker of another stack is as good as absent.
    pub(super) async fn head(&self) -> StoreResult<Head> {
        Head::read(self.stores.deciding, self.area, Some(self.stack_id)).await
    }

    /// Moves the deciding marker on from `head`, unless another came first.
    pub(super) async fn decide(
        &self,
        head: &Head,
        kind: MoveKind,
        (manifest, packs): (Blob, Vec<Blob>),
        interrupt: &Interrupt,
    ) -> Result<(Commit, Held)> {
        if interrupt.requested() {
            return Err(interrupted());
        }
        let step = Step {
            kind,
            area: self.area,
            stack: self.stack_id,
            author: self.author,
            reason: self.reason,
            signer: self.signer,
        };
        let marker = Marker::next(head, &step, manifest, packs);
        let bytes = marker.to_bytes();
        let commit = commit(self.stores.deciding, self.area, head, &marker, &bytes).await?;
        Ok((commit, Held { marker, bytes }))
    }

    /// The deciding store keeps the move and notes the area; the others are brought to it. With `check`, a store that
    /// says that it is there already is looked through.
    pub(super) async fn follow(
        &self,
        held: &Held,
        manifest: &Manifest,
        at_hand: &AtHand,
        check: bool,
    ) -> Vec<CopyReport> {
        let deciding = self.stores.deciding;
        let copying = Copying {
            area: self.area,
            deciding,
            held,
            files: manifest.files.len() as u64,
            bytes: manifest.bytes(),
            at_hand,
            check,
        };
        let own = async {
            let noted = async {
                keep_step(deciding, self.area, held.marker.sequence, &held.bytes).await?;
                if check {
                    return Ok(());
                }
                record_area(deciding, self.area, &copying.record(true)).await
            };
            match noted.await {
                Ok(()) => CopyReport::new(deciding.kind(), CopyState::Decides),
                Err(error) => CopyReport::lags(deciding.kind(), &error),
            }
        };
        let following = self.stores.following();
        let (own, others) = join(own, join_all(following.map(|(store, role)| copying.bring(store, role)))).await;
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
