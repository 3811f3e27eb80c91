//! What the stores hold.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::probe::{Condition, StoreReport};
use crate::aws::Aws;
use crate::publish::{self, Area, AreaRecord};
use crate::release::{Repair, last_repairs, positions};
use crate::stack::Outputs;
use crate::store::{DynamoDbStore, RedisAddress, RedisStore, S3Store, Store, StoreKind};

/// Adds to each store that answers the areas that the stack with this id has there, all stores at the same time. A
/// store that answers but cannot be read, such as a Redis that wants a password, is left without.
pub(super) async fn read(aws: &Aws, stack_id: &str, outputs: &Outputs, stores: &mut [StoreReport]) {
    let opened: Vec<Option<Box<dyn Store>>> = stores.iter().map(|report| open(aws, outputs, report)).collect();
    join_all(stores.iter_mut().zip(&opened).map(|(report, store)| async move {
        if let Some(store) = store {
            report.areas = areas(store.as_ref(), stack_id).await;
        }
    }))
    .await;
    // A Redis that was emptied knows none of the areas that readers brought back.
    let known = stores.iter().filter_map(|report| report.areas.as_ref()).flatten();
    let known: BTreeSet<Area> = known.filter_map(|(name, _)| name.parse().ok()).collect();
    let known: Vec<Area> = known.into_iter().collect();
    let known = known.as_slice();
    join_all(stores.iter_mut().zip(&opened).map(|(report, store)| async move {
        if let Some(store) = store {
            report.moves = moves(store.as_ref(), stack_id, known).await;
            if report.store == StoreKind::Redis {
                report.repairs = repairs(store.as_ref(), stack_id, known).await;
            }
        }
    }))
    .await;
    let unlike = unlike(stores);
    for report in stores {
        report.moves.retain(|name, _| unlike.contains(name));
    }
}

/// The areas that the stores say different things of. Their records alone do not tell who is behind: times may be equal, and
/// whoever brought a store along may have noted only the release, or only the plain files. The markers do, where they can be
/// read.
fn unlike(stores: &[StoreReport]) -> BTreeSet<String> {
    let (mut digests, mut moves) = (BTreeMap::new(), BTreeMap::new());
    for store in stores {
        for (name, record) in store.areas.iter().flatten() {
            digests.entry(name).or_insert_with(BTreeSet::new).insert(&record.digest);
        }
        let here = store.areas.iter().flatten().map(|(name, _)| name);
        for (name, at) in here.filter_map(|name| store.moves.get_key_value(name)) {
            moves.entry(name).or_insert_with(BTreeSet::new).insert(at);
        }
    }
    let digests = digests.into_iter().filter(|(_, said)| said.len() > 1);
    let moves = moves.into_iter().filter(|(_, said)| said.len() > 1);
    let unlike = digests.map(|(name, _)| name).chain(moves.map(|(name, _)| name));
    unlike.cloned().collect()
}

/// Where the marker of each of these areas is.
async fn moves(store: &dyn Store, stack_id: &str, areas: &[Area]) -> BTreeMap<String, Option<u64>> {
    match Box::pin(positions(store, areas, stack_id)).await {
        Ok(found) => areas.iter().map(ToString::to_string).zip(found).collect(),
        Err(error) => {
            tracing::debug!(store = %store.kind(), %error, "the markers cannot be read");
            BTreeMap::new()
        }
    }
}

fn open(aws: &Aws, outputs: &Outputs, report: &StoreReport) -> Option<Box<dyn Store>> {
    if !matches!(report.condition, Condition::Answers { .. }) {
        return None;
    }
    Some(match report.store {
        StoreKind::S3 => Box::new(S3Store::new(aws.s3().clone(), &report.place)),
        StoreKind::DynamoDb => Box::new(DynamoDbStore::new(aws.dynamodb().clone(), &report.place)),
        StoreKind::Redis => {
            let redis = outputs.endpoints().ok()?.redis;
            Box::new(RedisStore::new(RedisAddress {
                tls: redis.tls,
                ..RedisAddress::new(redis.address, redis.port)
            }))
        }
        StoreKind::File | StoreKind::Memory => return None,
    })
}

async fn areas(store: &dyn Store, stack_id: &str) -> Option<BTreeMap<String, AreaRecord>> {
    match Box::pin(publish::areas(store, stack_id)).await {
        Ok(areas) => Some(areas),
        Err(error) => {
            tracing::debug!(store = %store.kind(), %error, "the areas cannot be read");
            None
        }
    }
}

/// What readers of the environment put back into its cache.
async fn repairs(store: &dyn Store, stack_id: &str, areas: &[Area]) -> BTreeMap<String, Repair> {
    match Box::pin(last_repairs(store, areas)).await {
        Ok(repairs) => {
            let repairs = areas.iter().zip(repairs);
            let of_this_stack = repairs.filter_map(|(area, repair)| Some((area.to_string(), repair?)));
            of_this_stack.filter(|(_, repair)| repair.stack == stack_id).collect()
        }
        Err(error) => {
            tracing::debug!(%error, "the notes of repairs cannot be read");
            BTreeMap::new()
        }
    }
}
