//! Moving a marker to a release that exists: rolling back and promoting. First what that would change, for whoever has
//! to agree; then the move, if the area is still where it was.

use std::time::Instant;

use super::commit::Commit;
use super::gather::gather;
use super::history::{self, Pin};
use super::marker::{Head, Held, Marker, MoveKind, Origin};
use super::mover::{After, AtHand, Leap, Mover, Work};
use super::publish::load_manifest;
use super::report::{Moved, Standing};
use super::{Changes, Manifest, claim};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::publish::Area;
use crate::trust::TrustedKeys;

/// A release that an area can be moved to, and what that would change.
#[derive(Debug)]
pub struct Proposal {
    kind: MoveKind,
    head: Head,
    previous: Option<Standing>,
    /// Where the release is.
    source: Area,
    target: Marker,
    manifest: Manifest,
    changes: Changes,
}

impl Proposal {
    /// Back to the release that was current before the current one became so, or to the one that `to` means.
    ///
    /// # Errors
    /// Refused when there is no release, none before the current one, or none that `to` means; when keys are trusted and
    /// none of them signed it; and what keeps the deciding store from being read.
    pub async fn rollback(mover: &Mover<'_>, to: Option<&Pin>, trusted: &TrustedKeys) -> Result<Self> {
        let (deciding, area) = (mover.stores.deciding, mover.area);
        let head = mover.head().await?;
        let current = head.current.as_ref().ok_or_else(|| no_release(area))?;
        let target = match to {
            Some(pin) => history::find_revivable(deciding, area, current, pin).await?,
            None => history::before(deciding, area, current).await?,
        };
        Self::new(mover, MoveKind::Rollback, head, area, target, trusted).await
    }

    /// To the release that another area is at, or was at.
    ///
    /// # Errors
    /// Usage when it is the same area; Refused when the other has no release, or none that `at` means, when this area
    /// would lie inside another, and when keys are trusted and none of them signed the release.
    pub async fn promotion(mover: &Mover<'_>, from: &Area, at: Option<&Pin>, trusted: &TrustedKeys) -> Result<Self> {
        let deciding = mover.stores.deciding;
        if from == mover.area {
            return Err(Error::usage(format!("area `{from}` cannot be promoted to itself"))
                .with_hint("`rstack rollback --to RELEASE` moves an area to another of its releases"));
        }
        claim::look(mover).await?;
        let source = Head::read(deciding, from, Some(mover.stack_id)).await?;
        let source = source.current.ok_or_else(|| no_release(from))?;
        let target = match at {
            Some(pin) => history::find(deciding, from, &source, pin).await?,
            None => source.marker,
        };
        let head = mover.head().await?;
        refuse_while_deleting(mover.area, &head)?;
        Self::new(mover, MoveKind::Promote, head, from, target, trusted).await
    }

    async fn new(
        mover: &Mover<'_>,
        kind: MoveKind,
        head: Head,
        source: &Area,
        target: Marker,
        trusted: &TrustedKeys,
    ) -> Result<Self> {
        // Signed anew it would be trusted: so it has to be trusted before.
        target.check(source, trusted)?;
        let deciding = mover.stores.deciding;
        let manifest = load_manifest(deciding, source, &target).await?;
        let current = match &head.current {
            // A current release that cannot be read any more is a reason to leave it, not to stay.
            Some(current) => load_manifest(deciding, mover.area, &current.marker).await.ok(),
            None => None,
        };
        let changes = Changes::between(current.as_ref(), &manifest);
        let previous = head
            .current
            .as_ref()
            .map(|held| Standing::of(&held.marker, current.as_ref()));
        let proposal = Self {
            kind,
            head,
            previous,
            source: source.clone(),
            target,
            manifest,
            changes,
        };
        if !proposal.is_nothing() {
            mover.check_signing(&proposal.head)?;
        }
        Ok(proposal)
    }

    #[must_use]
    pub fn kind(&self) -> MoveKind {
        self.kind
    }

    /// The area is at this release already.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.current()
            .is_some_and(|current| current.release == self.target.release)
    }

    /// The move that the area is at.
    #[must_use]
    pub fn current(&self) -> Option<&Marker> {
        self.head.current.as_ref().map(|held| &held.marker)
    }

    /// The move that led to the release before.
    #[must_use]
    pub fn target(&self) -> &Marker {
        &self.target
    }

    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it would change in the area.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// What would be done, with the paths.
    #[must_use]
    pub fn preview(&self, mover: &Mover<'_>) -> Moved {
        let mut report = self.report(mover, Instant::now());
        report.dry_run = true;
        report.changes = Some(self.changes.clone());
        report
    }

    /// Moves the marker. Where the area is at this release already, nothing changes, and copies are brought up to date.
    ///
    /// # Errors
    /// Refused when another moved the marker first: it then says who, and where the area is now. A durable store's own
    /// error; Interrupted before the marker moved.
    pub async fn carry_out(&self, mover: &Mover<'_>, work: &Work<'_>) -> Result<Moved> {
        let started = Instant::now();
        let mut report = self.report(mover, started);
        let (held, after, at_hand) = match &self.head.current {
            Some(held) if self.is_nothing() && !mover.lacks_signature(&held.marker) => {
                (held.clone(), After::Nothing, AtHand::default())
            }
            _ => {
                let at_hand = gather(mover, &self.source, &self.target, work).await?;
                let (held, after) = self.decide(mover, work).await?;
                (held, after, at_hand)
            }
        };
        if self.is_nothing() && after == After::Moving {
            report.kind = MoveKind::Sign;
        }
        report.moved &= after == After::Moving;
        report.sequence = held.marker.sequence;
        report.signed = held.marker.signature.is_some();
        report.stores = mover.follow(&held, self.manifest.extent(), &at_hand, after).await;
        report.seconds = started.elapsed().as_secs_f64();
        Ok(report)
    }

    async fn decide(&self, mover: &Mover<'_>, work: &Work<'_>) -> Result<(Held, After)> {
        let leap = Leap {
            kind: if self.is_nothing() { MoveKind::Sign } else { self.kind },
            manifest: self.target.manifest,
            packs: self.target.packs.clone(),
            origin: self.origin(),
        };
        match mover.decide(&self.head, leap, work.interrupt).await? {
            (Commit::Won, held) => {
                let Marker { release, area, .. } = &held.marker;
                let message =
                    format!("release {release} is current in area `{area}` from now on; the other stores follow");
                work.reporter.report(&Event::Note { message });
                Ok((held, After::Moving))
            }
            (Commit::Lost(other), _) => match mover.head().await?.current {
                // Two who want the same come together.
                Some(held) if held.marker.release == self.target.release => Ok((held, After::Nothing)),
                _ => Err(self.overtaken(&other)),
            },
        }
    }

    fn origin(&self) -> Option<Origin> {
        (self.kind == MoveKind::Promote).then(|| Origin {
            area: self.source.clone(),
            sequence: self.target.sequence,
        })
    }

    fn overtaken(&self, other: &Marker) -> Error {
        let at = self.current().map_or_else(
            || "had no release".to_owned(),
            |current| format!("was at release {}", current.release),
        );
        Error::refused(format!(
            "another came first: area `{}` {at} and is now at release {}, by {} at {} ({}); nothing was moved",
            other.area,
            other.release,
            other.author,
            other.time,
            other.kind.as_str(),
        ))
        .with_hint("look with `rstack releases`, and run the same command again if it is still what you want")
    }

    fn report(&self, mover: &Mover<'_>, started: Instant) -> Moved {
        Moved {
            kind: self.kind,
            area: mover.area.clone(),
            release: Standing::of(&self.target, Some(&self.manifest)),
            previous: self.previous.clone(),
            origin: self.origin(),
            moved: !self.is_nothing(),
            dry_run: false,
            sequence: self.head.sequence + u64::from(!self.is_nothing()),
            files: self.manifest.files.len() as u64,
            bytes: self.manifest.bytes(),
            added: self.changes.added.len() as u64,
            changed: self.changes.changed.len() as u64,
            removed: self.changes.removed.len() as u64,
            changes: None,
            signed: mover.signer.is_some(),
            stores: Vec::new(),
            seconds: started.elapsed().as_secs_f64(),
        }
    }
}

/// A promoted release keeps the names of its packs, also of some that may just be on their way out of this area.
fn refuse_while_deleting(area: &Area, head: &Head) -> Result<()> {
    let pruned = head.current.as_ref().and_then(|held| held.marker.pruned.as_ref());
    let Some(until) = pruned.and_then(|pruned| pruned.deleting_until) else {
        return Ok(());
    };
    Err(Error::refused(format!(
        "a prune is deleting from area `{area}`, or was killed while it did; nothing was moved"
    ))
    .with_hint(format!(
        "run it again once that has ended; after {until} `rstack prune {area}` ends it"
    )))
}

fn no_release(area: &Area) -> Error {
    Error::refused(format!("there is no release in area `{area}`"))
        .with_hint("`rstack seed DIR --area AREA` publishes one")
}
