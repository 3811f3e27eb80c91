//! What the stores hold.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::probe::{Condition, StoreReport};
use crate::aws::Aws;
use crate::publish::{self, Area, AreaRecord};
use crate::release::{Repair, last_repairs};
use crate::stack::Outputs;
use crate::store::{DynamoDbStore, RedisAddress, RedisStore, S3Store, Store, StoreKind};

/// Adds to each store that answers the areas that the stack with this id has there, all stores at the same time. A
/// store that answers but cannot be read, such as a Redis that wants a password, is left without.
pub(super) async fn read(aws: &Aws, stack_id: &str, outputs: &Outputs, stores: &mut [StoreReport]) {
    let answering = stores.iter_mut();
    join_all(answering.map(|report| async move {
        if matches!(report.condition, Condition::Answers { .. })
            && let Some(store) = open(aws, outputs, report)
        {
            report.areas = areas(store.as_ref(), stack_id).await;
            if let (StoreKind::Redis, Some(areas)) = (report.store, &report.areas) {
                report.repairs = repairs(store.as_ref(), stack_id, areas).await;
            }
        }
    }))
    .await;
}

fn open(aws: &Aws, outputs: &Outputs, report: &StoreReport) -> Option<Box<dyn Store>> {
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
async fn repairs(store: &dyn Store, stack_id: &str, areas: &BTreeMap<String, AreaRecord>) -> BTreeMap<String, Repair> {
    let areas: Vec<Area> = areas.keys().filter_map(|area| area.parse().ok()).collect();
    match Box::pin(last_repairs(store, &areas)).await {
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
