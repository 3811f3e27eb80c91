//! One store while it is read back: where its marker stands, what it should have, what was found.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::report::{Finding, Wrong};
use bytes::Bytes;

use crate::publish::Area;
use crate::release::keys;
use crate::release::marker::{Held, Marker};
use crate::store::{Body, FileDigest, Put, Store, StoreError, StoreErrorKind, StoreResult, Version};

/// What a store is to the area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Decides,
    Durable,
    Cache,
}

/// A store's own marker.
#[derive(Debug, Clone)]
pub(super) enum Copy {
    Absent,
    Damaged(StoreError),
    Good(Box<Held>),
}

#[derive(Debug)]
pub(super) struct Witness<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) standing: Standing,
    pub(super) copy: Copy,
    pub(super) version: Option<Version>,
    /// The release is too large for it, so that it need not have it.
    pub(super) exempt: bool,
    /// The keys of rstack's own records with their sizes, where these are told; `None` where listing is not allowed.
    pub(super) listed: Option<BTreeMap<String, Option<u64>>>,
    found: Mutex<Found>,
}

#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) checked: u64,
    pub(super) bytes: u64,
    pub(super) differences: Vec<Finding>,
    pub(super) problem: Option<StoreError>,
    /// Something that its marker will name could not be copied to it.
    pub(super) incomplete: bool,
    /// Its marker was brought to where it should be.
    pub(super) moved: bool,
}

impl<'a> Witness<'a> {
    /// Reads its marker; one that belongs to another stack is as good as absent.
    pub(super) async fn call(store: &'a dyn Store, standing: Standing, area: &Area, stack: &str) -> Self {
        let (copy, version, problem) = match marker_of(store, area, stack).await {
            Ok((copy, version)) => (copy, version, None),
            Err(error) => (Copy::Absent, None, Some(error)),
        };
        Self {
            store,
            standing,
            copy,
            version,
            exempt: false,
            listed: None,
            found: Mutex::new(Found {
                problem,
                ..Found::default()
            }),
        }
    }

    pub(super) fn held(&self) -> Option<&Held> {
        match &self.copy {
            Copy::Good(held) => Some(held),
            Copy::Absent | Copy::Damaged(_) => None,
        }
    }

    /// The last move that the store should have, when the area is at `head`.
    pub(super) fn expected_moves(&self, head: u64) -> u64 {
        match (&self.copy, self.standing) {
            _ if self.exempt => 0,
            (_, Standing::Decides) | (Copy::Damaged(_), _) => head,
            (Copy::Good(copy), _) => copy.marker.sequence.min(head),
            (Copy::Absent, _) => 0,
        }
    }

    /// Whether it can still be asked.
    pub(super) fn answers(&self) -> bool {
        self.found().problem.is_none()
    }

    pub(super) fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self, values: u64, bytes: u64) {
        let mut found = self.found();
        found.checked += values;
        found.bytes += bytes;
    }

    pub(super) fn differs(&self, key: &str, what: Wrong, repaired: bool, message: Option<String>) {
        self.found().differences.push(Finding {
            key: key.to_owned(),
            what,
            repaired,
            message,
        });
    }

    /// Writes a small value and reads it back.
    pub(super) async fn write(&self, key: &str, value: &Bytes) -> StoreResult<()> {
        let put = Put {
            key: key.to_owned(),
            body: Body::Bytes(value.clone()),
        };
        self.store.put_many(&mut std::iter::once(put), &|_, _| ()).await?;
        if self.store.holds(key, &FileDigest::of(value)).await? {
            return Ok(());
        }
        let message = "read back after writing, it is not what was written";
        Err(StoreError::new(self.store.kind(), StoreErrorKind::Corrupt, message).at(key))
    }

    /// It cannot be asked any further.
    pub(super) fn fails(&self, error: StoreError) {
        self.found().problem.get_or_insert(error);
    }
}

async fn marker_of(store: &dyn Store, area: &Area, stack: &str) -> StoreResult<(Copy, Option<Version>)> {
    let key = keys::marker(area);
    let (bytes, version) = match store.get_versioned(&key).await {
        Ok(Some(found)) => found,
        Ok(None) => return Ok((Copy::Absent, None)),
        Err(error) if error.kind == StoreErrorKind::Corrupt => return Ok((Copy::Damaged(error), None)),
        Err(error) => return Err(error),
    };
    let copy = match Marker::parse(store, &key, &bytes) {
        Err(error) => Copy::Damaged(error),
        Ok(marker) if marker.stack != stack => Copy::Absent,
        Ok(marker) if marker.area != area.as_str() => {
            let message = format!("this marker is of area `{}`", marker.area);
            Copy::Damaged(StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(key))
        }
        Ok(marker) => Copy::Good(Box::new(Held { marker, bytes })),
    };
    Ok((copy, Some(version)))
}
