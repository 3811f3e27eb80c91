//! Publishing a release: packs and manifest to the durable stores, then the one marker that decides, then the copies.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::blob::Keyed;
use super::commit::Commit;
use super::copies::fetch;
use super::draft::{Content, Counts, Draft};
use super::manifest::Extent;
use super::marker::{Head, Held, Marker, MoveKind};
use super::mover::{After, Leap, Mover, Work};
use super::prepare::Preparing;
use super::report::Published;
use super::{Changes, ContentHash, Manifest, ReleaseId, claim, keys, vouch};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::publish::{Area, is_inside};
use crate::store::Store;
use crate::trust::TrustedKeys;

/// How often a publisher that was overtaken builds on top of the winner.
const ATTEMPTS: u32 = 25;

/// What to publish, where, and in whose name.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    pub content: Content<'a>,
    /// A release that is there already and lacks its signature is signed anew.
    pub mover: Mover<'a>,
    /// Whose signature is believed, besides that of the mover's own key, when this one is to be signed.
    pub trusted: &'a TrustedKeys,
    /// Only find out what would be done.
    pub dry_run: bool,
}

/// Publishes a release. Until the deciding marker moves nothing changes for readers; a store that fails afterwards
/// lags, which the report says. Content that the area has already makes no new release and brings copies up to date.
///
/// # Errors
/// Refused when the area lies inside another, others publish all the time, or signing would vouch for files of a release
/// that nobody who is trusted has signed; a durable store's own error; Interrupted before the marker moved.
pub async fn publish(job: &Publication<'_>, work: &Work<'_>) -> Result<Published> {
    Publishing::new(job, work).run().await
}

struct Publishing<'a> {
    job: &'a Publication<'a>,
    work: &'a Work<'a>,
    preparing: Preparing<'a>,
    started: Instant,
    overtaken_by: Vec<ReleaseId>,
}

impl<'a> Publishing<'a> {
    fn new(job: &'a Publication<'a>, work: &'a Work<'a>) -> Self {
        Self {
            job,
            work,
            preparing: Preparing::new(&job.mover, job.content.tree, work),
            started: Instant::now(),
            overtaken_by: Vec::new(),
        }
    }

    async fn run(mut self) -> Result<Published> {
        let mover = &self.job.mover;
        let deciding = mover.stores.deciding;
        if let Some(path) = self.job.content.removed.iter().find(|path| !is_inside(path)) {
            return Err(Error::refused(format!("{path:?} cannot be removed"))
                .with_hint("a path is relative, has no `.` or `..` in it and does not begin with `.rstack`"));
        }
        self.preparing.at_hand.index = Some(claim::look(mover).await?);
        for attempt in 1..=ATTEMPTS {
            let (head, copies) = mover.look().await?;
            self.preparing.at_hand.copies = copies;
            let current = match &head.current {
                Some(current) => Some(load_manifest(deciding, mover.area, &current.marker).await?),
                None => None,
            };
            let misplaced = self.find_misplaced(&head, current.as_ref()).await?;
            let draft = Draft::new(&self.job.content, current.as_ref(), &misplaced);
            if current
                .as_ref()
                .is_some_and(|current| self.job.content.keeps_of(current))
            {
                draft.refuse_clash()?;
            }
            if let (Some(held), Some(current)) = (&head.current, &current)
                && draft.is_nothing(current)
                && misplaced.is_empty()
                && vouch::names_packs_of(&held.marker, current)
            {
                if self.job.dry_run || !mover.lacks_signature(&held.marker) {
                    return Ok(self.unchanged(held, current, false).await);
                }
                match self.sign(&head, held).await? {
                    (Commit::Won, signed) => return Ok(self.unchanged(&signed, current, true).await),
                    (Commit::Lost(other), _) => self.overtaken(&other, attempt).await,
                }
                continue;
            }
            mover.check_signing(&head)?;
            if self.job.dry_run {
                return Ok(self.planned(&head, &draft));
            }
            let (counts, extent) = (draft.counts, draft.extent());
            let ready = self.preparing.prepare(&head, draft).await?;
            let leap = Leap::new(MoveKind::Publish, ready.blob, ready.packs);
            match mover.decide(&head, leap, self.work.interrupt).await? {
                (Commit::Won, won) => {
                    let parent = head.current.map(|held| held.marker.release);
                    return Ok(self.committed(&won, parent, counts, extent).await);
                }
                (Commit::Lost(other), _) => self.overtaken(&other, attempt).await,
            }
        }
        Err(
            Error::refused(format!("others publish to area `{}` all the time", mover.area))
                .with_hint("run the same command again"),
        )
    }

    /// Contents that have to be packed although the current release has them: in a pack that its marker does not name, or
    /// elsewhere than it says, which is looked at where nobody who is trusted has signed it. Refused where anything else of
    /// such a release would be signed along.
    async fn find_misplaced(&self, head: &Head, current: Option<&Manifest>) -> Result<HashSet<ContentHash>> {
        let Publication { content, mover, .. } = self.job;
        let (Some(Held { marker, .. }), Some(current)) = (&head.current, current) else {
            return Ok(HashSet::new());
        };
        let Some(distrust) = vouch::distrust(marker, mover, self.job.trusted) else {
            return Ok(vouch::find_unnamed(content.tree, marker, current));
        };
        if content.keeps_of(current) {
            return Err(vouch::refuse_to_keep(mover, &distrust));
        }
        let misplaced = vouch::find_misplaced(content.tree, mover, marker, current, self.work).await?;
        if !misplaced.is_empty() {
            self.work.reporter.report(&vouch::warning(&distrust, misplaced.len()));
        }
        Ok(misplaced)
    }

    /// Moves the marker to where it is, with a signature.
    async fn sign(&self, head: &Head, found: &Held) -> Result<(Commit, Held)> {
        let Marker { manifest, packs, .. } = &found.marker;
        let leap = Leap::new(MoveKind::Sign, *manifest, packs.clone());
        self.job.mover.decide(head, leap, self.work.interrupt).await
    }

    async fn overtaken(&mut self, other: &Marker, attempt: u32) {
        self.overtaken_by.push(other.release.clone());
        self.work.reporter.report(&Event::Note {
            message: format!(
                "release {} by {} came first; this one goes on top of it",
                other.release, other.author
            ),
        });
        let pause = fastrand::u64(1..=20 * u64::from(attempt));
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    async fn unchanged(self, held: &Held, current: &Manifest, signed_anew: bool) -> Published {
        let mut report = self.report(current.extent());
        report.signed_anew = signed_anew;
        report.release = Some(held.marker.release.clone());
        report.sequence = held.marker.sequence;
        report.parent.clone_from(&current.parent);
        if self.job.dry_run {
            report.changes = Some(Changes::default());
        } else {
            let at_hand = &self.preparing.at_hand;
            let following = self.job.mover.follow(held, current.extent(), at_hand, After::Nothing);
            report.stores = following.await;
        }
        report.seconds = self.started.elapsed().as_secs_f64();
        report
    }

    async fn committed(self, held: &Held, parent: Option<ReleaseId>, counts: Counts, extent: Extent) -> Published {
        let mut report = self.report(extent);
        report.new = true;
        report.release = Some(held.marker.release.clone());
        report.sequence = held.marker.sequence;
        report.parent = parent;
        report.count(counts);
        let at_hand = &self.preparing.at_hand;
        report.stores = self.job.mover.follow(held, extent, at_hand, After::Publishing).await;
        report.seconds = self.started.elapsed().as_secs_f64();
        report
    }

    fn planned(self, head: &Head, draft: &Draft<'_>) -> Published {
        let mut report = self.report(draft.extent());
        report.new = true;
        report.sequence = head.sequence + 1;
        report.parent = head.current.as_ref().map(|held| held.marker.release.clone());
        report.count(draft.counts);
        report.changes = Some(draft.changes());
        report
    }

    /// What is known of it, whatever came of it.
    fn report(&self, extent: Extent) -> Published {
        Published {
            release: None,
            new: false,
            signed_anew: false,
            sequence: 0,
            parent: None,
            files: extent.files,
            bytes: extent.bytes,
            added: 0,
            changed: 0,
            removed: 0,
            changes: None,
            packs: self.preparing.packs,
            pack_bytes: self.preparing.pack_bytes,
            overtaken_by: self.overtaken_by.clone(),
            stores: Vec::new(),
            seconds: self.started.elapsed().as_secs_f64(),
        }
    }
}

/// The manifest of the release that a marker points at.
pub(super) async fn load_manifest(store: &dyn Store, area: &Area, marker: &Marker) -> Result<Manifest> {
    let keyed = Keyed {
        key: keys::release(area, &marker.release),
        blob: marker.manifest,
    };
    let bytes = fetch(store, &keyed).await?;
    Ok(Manifest::parse(store, &keyed.key, &bytes)?)
}
