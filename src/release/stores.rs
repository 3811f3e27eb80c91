//! The stores of an area, by what they are for.

use super::copies::Role;
use crate::store::Store;

/// The stores of an area by what they are for.
#[derive(Debug, Clone)]
pub struct Stores<'a> {
    /// Its marker decides.
    pub deciding: &'a dyn Store,
    /// Have packs and manifest before the marker moves, as the deciding one has.
    pub durable: Vec<&'a dyn Store>,
    /// Follow afterwards.
    pub caches: Vec<&'a dyn Store>,
}

impl<'a> Stores<'a> {
    /// Those that have to have a release before the marker moves to it.
    pub(super) fn confirming(&self) -> impl Iterator<Item = &'a dyn Store> {
        std::iter::once(self.deciding).chain(self.durable.iter().copied())
    }

    pub(super) fn following(&self) -> impl Iterator<Item = (&'a dyn Store, Role)> {
        let durable = self.durable.iter().map(|store| (*store, Role::Durable));
        durable.chain(self.caches.iter().map(|store| (*store, Role::Cache)))
    }
}
