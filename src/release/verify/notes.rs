//! The notes beside a marker: when a copy was confirmed, and what a reader put back.

use bytes::Bytes;

use super::report::Wrong;
use super::run::Look;
use super::witness::Witness;
use crate::release::confirm::Confirmed;
use crate::release::keys;
use crate::release::marker::Held;
use crate::release::repair::Repair;
use crate::store::{StoreErrorKind, StoreResult};

const UNCONFIRMED: &str = "when this copy was confirmed cannot be read";
const UNKNOWN_REPAIR: &str = "what a reader put back cannot be read";

impl Look<'_> {
    /// Looks whether what is noted can be read. Nothing depends on a note: a damaged one is written anew where what it says
    /// is known, and otherwise removed.
    pub(super) async fn notes(&self, head: &Held) {
        for witness in self.witnesses.iter().filter(|witness| witness.answers()) {
            let readable = |value: &Bytes| Confirmed::parse(value).is_ok();
            if is_damaged(witness, &keys::confirmed(self.area), readable).await {
                let current = witness.held().is_some_and(|copy| copy.bytes == head.bytes);
                let mending = async {
                    if current {
                        return Confirmed::write(witness.store, self.area, &head.marker).await;
                    }
                    remove(witness, keys::confirmed(self.area)).await
                };
                self.put_right(witness, keys::confirmed(self.area), UNCONFIRMED, mending)
                    .await;
            }
            let readable = |value: &Bytes| Repair::parse(value).is_ok();
            if is_damaged(witness, &keys::repair(self.area), readable).await {
                let mending = remove(witness, keys::repair(self.area));
                self.put_right(witness, keys::repair(self.area), UNKNOWN_REPAIR, mending)
                    .await;
            }
        }
    }

    /// Notes that a value is damaged, and mends it where that is wanted.
    pub(super) async fn put_right(
        &self,
        witness: &Witness<'_>,
        key: String,
        message: &str,
        mending: impl Future<Output = StoreResult<()>>,
    ) {
        let mended = if self.repair { Some(mending.await) } else { None };
        let repaired = matches!(mended, Some(Ok(())));
        let failed = mended.and_then(Result::err).map(|error| error.to_string());
        let message = failed.unwrap_or_else(|| message.to_owned());
        witness.differs(&key, Wrong::Damaged, repaired, Some(message));
    }
}

pub(super) async fn remove(witness: &Witness<'_>, key: String) -> StoreResult<()> {
    witness.store.delete_many(&[key]).await
}

async fn is_damaged(witness: &Witness<'_>, key: &String, readable: impl Fn(&Bytes) -> bool) -> bool {
    match witness.store.get_many(std::slice::from_ref(key)).await {
        Ok(values) => values.iter().flatten().any(|value| !readable(value)),
        Err(error) if error.kind == StoreErrorKind::Corrupt => true,
        Err(error) => {
            witness.fails(error);
            false
        }
    }
}
