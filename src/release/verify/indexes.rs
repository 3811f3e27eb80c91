//! Each store's list of areas, which every publishing looks at first.

use futures_util::future::join_all;

use super::run::Look;
use crate::publish::{AREAS_KEY, AreaRecord, Areas, Index};
use crate::release::Manifest;
use crate::release::marker::Held;
use crate::store::StoreErrorKind;

const UNREADABLE: &str = "the list of areas cannot be read";

impl Look<'_> {
    /// Looks whether the lists can be read. One that cannot gets what those of other stores say of this stack, and this area:
    /// any other area comes back into it when it is published or verified.
    pub(super) async fn indexes(&self, head: &Held, manifest: &Manifest) {
        let asked: Vec<_> = self.witnesses.iter().filter(|witness| witness.answers()).collect();
        let loaded = join_all(asked.iter().map(|witness| Index::load(witness.store))).await;
        let readable = loaded.iter().flatten().flat_map(Index::areas);
        let own = readable.filter(|(_, record)| record.stack == self.stack);
        let known: Areas = own.map(|(name, record)| (name.clone(), record.clone())).collect();
        for (witness, index) in asked.into_iter().zip(loaded) {
            match index {
                Ok(_) => {}
                Err(error) if error.kind == StoreErrorKind::Corrupt => {
                    let mut areas = known.clone();
                    let complete = witness.held().is_some_and(|copy| copy.bytes == head.bytes);
                    areas.entry(self.area.to_string()).or_insert(AreaRecord {
                        complete,
                        ..Self::record(&head.marker, manifest)
                    });
                    let mending = Index::mend(witness.store, areas);
                    self.put_right(witness, AREAS_KEY.to_owned(), UNREADABLE, mending).await;
                }
                Err(error) => witness.fails(error),
            }
        }
    }
}
