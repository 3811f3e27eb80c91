//! The marker that counts, and those of the stores that follow it.

use super::elect::plausible;
use super::report::Wrong;
use super::run::Look;
use super::witness::{Copy, Standing, Witness};
use crate::error::{Error, Result};
use crate::publish::{AreaRecord, Index, RECORDS};
use crate::release::confirm::Confirmed;
use crate::release::marker::{Head, Held, Marker};
use crate::release::{Manifest, keys};
use crate::store::{Store, StoreError, StoreErrorKind, StoreResult, Swap};

impl Look<'_> {
    /// The marker that counts: the deciding store's; where that is gone, damaged or behind a copy that its own store's
    /// history confirms, the newest that a durable one has.
    pub(super) async fn head(&self) -> Result<Held> {
        let deciding = &self.witnesses[0];
        let mut newest = deciding.held().cloned();
        if let Some(held) = &newest
            && let Some(ahead) = self.ahead(held).await
        {
            return Ok(ahead);
        }
        if let Some(held) = &newest
            && let Some(right) = self.overruled(held).await
        {
            newest = Some(right);
        }
        if newest.is_none() {
            for witness in self
                .witnesses
                .iter()
                .filter(|witness| witness.standing != Standing::Cache)
            {
                let own = witness.held().cloned();
                for held in own.into_iter().chain(self.last_step(witness).await) {
                    let newer = newest
                        .as_ref()
                        .is_none_or(|newest| newest.marker.sequence < held.marker.sequence);
                    newest = if newer { Some(held) } else { newest };
                }
            }
        }
        newest.ok_or_else(|| {
            Error::refused(format!(
                "there is no release in area `{}` of {}",
                self.area,
                deciding.store.place()
            ))
            .with_hint("`rstack seed DIR --area AREA` publishes one")
        })
    }

    /// A durable copy that is ahead of the deciding marker. Copies follow it, so its store has lost something. A copy that
    /// its own store's history does not have, or that is not signed where the other is, shows nothing.
    async fn ahead(&self, deciding: &Held) -> Option<Held> {
        let mut newest: Option<Held> = None;
        for witness in self
            .witnesses
            .iter()
            .filter(|witness| witness.standing == Standing::Durable)
        {
            let Some(copy) = witness.held() else { continue };
            let beaten = newest.as_ref().unwrap_or(deciding).marker.sequence;
            let as_signed = copy.marker.signature.is_some() || deciding.marker.signature.is_none();
            if copy.marker.sequence > beaten
                && as_signed
                && let Some(kept) = self.kept(witness, copy.marker.sequence).await
                && kept.bytes == copy.bytes
            {
                newest = Some(kept);
            }
        }
        newest
    }

    /// What the deciding marker was, when its own store's history and another durable store agree that it was changed.
    async fn overruled(&self, held: &Held) -> Option<Held> {
        let own = self.kept(&self.witnesses[0], held.marker.sequence).await?;
        if own.bytes == held.bytes {
            return None;
        }
        for witness in self
            .witnesses
            .iter()
            .filter(|witness| witness.standing == Standing::Durable)
        {
            let kept = self.kept(witness, held.marker.sequence).await;
            let said = witness.held().into_iter().chain(&kept);
            if said.into_iter().any(|said| said.bytes == own.bytes) {
                return Some(own);
            }
        }
        None
    }

    /// The newest move that a store lists.
    async fn last_step(&self, witness: &Witness<'_>) -> Option<Held> {
        let prefix = self.area.key(&format!("{RECORDS}/move/"));
        let keys = witness.listed.as_ref()?.keys();
        let newest = keys.filter_map(|key| key.strip_prefix(&prefix)?.parse().ok()).max()?;
        self.kept(witness, newest).await
    }

    async fn kept(&self, witness: &Witness<'_>, sequence: u64) -> Option<Held> {
        let key = keys::step(self.area, sequence);
        let value = witness.store.get_many(std::slice::from_ref(&key)).await.ok()?;
        let bytes = value.into_iter().next().flatten()?;
        let marker = plausible(witness.store, &key, &bytes, self.area, self.stack)?;
        (marker.sequence == sequence).then_some(Held { marker, bytes })
    }

    /// Judges every store's own marker, and brings it to where it should be.
    pub(super) async fn markers(&self, head: &Held, current: Option<&Manifest>) {
        for witness in self.witnesses.iter().filter(|witness| witness.answers()) {
            let wrong = match &witness.copy {
                Copy::Good(copy) if copy.bytes == head.bytes => continue,
                Copy::Damaged(error) => Some((Wrong::Damaged, Some(error.message.clone()))),
                Copy::Good(copy) if copy.marker.sequence >= head.marker.sequence => {
                    let message = if copy.marker.sequence == head.marker.sequence {
                        "it is not the move that was decided"
                    } else {
                        "it is ahead of the marker that decides"
                    };
                    Some((Wrong::Damaged, Some(message.to_owned())))
                }
                Copy::Absent if witness.standing == Standing::Decides => Some((Wrong::Missing, None)),
                Copy::Good(_) | Copy::Absent => None,
            };
            let moving = self.repair && !witness.exempt && !witness.found().incomplete;
            let moved = match current {
                Some(manifest) if moving => Some(self.bring(witness, head, manifest).await),
                _ => None,
            };
            witness.found().moved = matches!(moved, Some(Ok(())));
            let failed = moved.and_then(Result::err);
            if let Some((what, message)) = wrong {
                let repaired = witness.found().moved;
                let failed = failed.map(|error| error.to_string());
                witness.differs(&keys::marker(self.area), what, repaired, failed.or(message));
            } else if let Some(error) = failed {
                witness.fails(error);
            }
        }
    }

    /// Moves a store's marker; it has everything that the marker names.
    async fn bring(&self, witness: &Witness<'_>, head: &Held, manifest: &Manifest) -> StoreResult<()> {
        let store = witness.store;
        let (mut index, mut record) = self.enlist(store, &head.marker, manifest).await?;
        self.bring_moves(witness, head).await?;
        let key = keys::marker(self.area);
        if matches!(witness.copy, Copy::Damaged(_)) && witness.version.is_none() {
            // No value at all, such as a list in Redis, which nothing can be compared with. Others may have mended it since.
            let now = Head::read(store, self.area, None).await;
            if now.is_err_and(|error| error.kind == StoreErrorKind::Corrupt) {
                store.delete_many(std::slice::from_ref(&key)).await?;
            }
        }
        let swap = store
            .compare_and_set(&key, witness.version.as_ref(), head.bytes.clone())
            .await?;
        if swap == Swap::Conflict {
            let message = "it moved while it was looked at; run the same command again";
            return Err(StoreError::new(store.kind(), StoreErrorKind::Other, message).at(key));
        }
        record.complete = true;
        index.record(store, self.area, &record).await?;
        Confirmed::write(store, self.area, &head.marker).await
    }

    /// Notes in a store's index that the area is there, as yet incomplete, before anything of it is written: whoever looks for
    /// this stack's keys must find the area, however far we come.
    pub(super) async fn enlist(
        &self,
        store: &dyn Store,
        marker: &Marker,
        manifest: &Manifest,
    ) -> StoreResult<(Index, AreaRecord)> {
        let record = Self::record(marker, manifest);
        let mut index = Index::load(store).await?;
        if !index.areas().contains_key(self.area.as_str()) {
            index.record(store, self.area, &record).await?;
        }
        Ok((index, record))
    }

    /// What an index says of the area while not all of it is there.
    pub(super) fn record(marker: &Marker, manifest: &Manifest) -> AreaRecord {
        AreaRecord {
            stack: marker.stack.clone(),
            time: marker.time,
            files: manifest.files.len() as u64,
            bytes: manifest.bytes(),
            digest: marker.release.to_string(),
            complete: false,
        }
    }

    /// The moves that a store need not have had before.
    async fn bring_moves(&self, witness: &Witness<'_>, head: &Held) -> StoreResult<()> {
        let known = witness.expected_moves(head.marker.sequence);
        for sequence in known + 1..head.marker.sequence {
            for other in &self.witnesses {
                if other.standing != Standing::Cache
                    && let Some(kept) = self.kept(other, sequence).await
                {
                    witness.write(&keys::step(self.area, sequence), &kept.bytes).await?;
                    break;
                }
            }
        }
        witness
            .write(&keys::step(self.area, head.marker.sequence), &head.bytes)
            .await
    }
}
