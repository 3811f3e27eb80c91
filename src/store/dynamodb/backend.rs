//! The table as a store.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValue;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};

use super::batch::{Read, Table};
use super::item::{self, Item, LONGEST_KEY, PARTS_PREFIX, PATH, PROBE_KEY, Written};
use crate::aws::{AwsError, Service};
use crate::store::pool::{self, Batches, Bounds};
use crate::store::{Done, Limit, Listed, Pages, Put, Puts, Store, StoreKind, StoreResult, Swap, Version, backoff};

const WRITES: Bounds = Bounds {
    jobs: 8,
    bytes: 2 << 20,
};
/// Entries, and bytes of them, that are looked up and written together.
const BATCH: usize = 100;
const BATCH_BYTES: u64 = 1 << 20;
/// A value that is overwritten while its parts are read is read again this often.
const TORN_READS: u32 = 5;

#[derive(Debug, Clone)]
pub struct DynamoDbStore {
    pub(super) table: Table,
    place: String,
}

impl DynamoDbStore {
    /// The table's partition key must be the text `path`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        let name = table.into();
        let place = format!("table `{name}`");
        Self {
            table: Table { client, name },
            place,
        }
    }

    async fn put_batch(&self, batch: Vec<Put>, done: &Done<'_>) -> StoreResult<()> {
        // Of entries with the same key the last counts, and a request may name a key only once.
        let mut values = HashMap::with_capacity(batch.len());
        for put in batch {
            let value = put.body.read(StoreKind::DynamoDb, &put.key).await?;
            values.insert(put.key, value);
        }
        if let (1, Some((key, value))) = (values.len(), values.iter().next()) {
            self.put_one(key, value).await?;
            done(key, value.len() as u64);
            return Ok(());
        }
        let keys: Vec<&String> = values.keys().collect();
        let before = self.table.read(&keys, Read::PartNames).await?;
        let (mut heads, mut parts) = (Vec::with_capacity(values.len()), Vec::new());
        for (key, value) in &values {
            match item::write(key, value) {
                Written::Whole(item) => heads.push(item),
                Written::Split { head, parts: of_this } => {
                    parts.extend(of_this);
                    heads.push(head);
                }
            }
        }
        self.table.put_parts(&parts).await?;
        self.table.put(heads).await?;
        self.drop_parts(before.values()).await?;
        for (key, value) in &values {
            done(key, value.len() as u64);
        }
        Ok(())
    }

    /// One entry takes one request: the answer to it tells what was there before.
    async fn put_one(&self, key: &str, value: &Bytes) -> StoreResult<()> {
        let head = match item::write(key, value) {
            Written::Whole(item) => item,
            Written::Split { head, parts } => {
                self.table.put_parts(&parts).await?;
                head
            }
        };
        let put = self.table.client.put_item().table_name(&self.table.name);
        let sent = put.set_item(Some(head)).return_values(ReturnValue::AllOld).send().await;
        let before = sent.map_err(|error| {
            self.table
                .refused(&AwsError::new(Service::DynamoDb, "PutItem", &error))
                .at(key)
        })?;
        self.drop_parts(before.attributes.iter()).await
    }

    /// Removes the parts of items that are no longer there.
    pub(super) async fn drop_parts(&self, items: impl Iterator<Item = &Item> + Send) -> StoreResult<()> {
        let parts: Vec<String> = items.flat_map(item::parts_of).collect();
        self.table.delete(&parts).await
    }

    /// The value of an item, with its parts; `None` when a part is gone, which means that it was overwritten.
    pub(super) async fn assemble(&self, key: &str, mut head: Item) -> StoreResult<Option<Bytes>> {
        if let Some(value) = item::whole(&mut head) {
            return Ok(Some(value));
        }
        let size = item::size_of(key, &head)?;
        let names = item::parts_of(&head);
        let mut found = self.table.read(&names, Read::Everything).await?;
        let mut value = BytesMut::with_capacity(size);
        for name in &names {
            let Some(part) = found.get_mut(name).and_then(item::whole) else {
                return Ok(None);
            };
            if !item::is_intact(name, &part) {
                return Err(item::corrupt(key, "a part is not what its name says"));
            }
            value.extend_from_slice(&part);
        }
        Ok(Some(value.freeze()))
    }

    /// One value and the item it came from, read again while it is being overwritten.
    pub(super) async fn read_settled(&self, key: &str) -> StoreResult<Option<(Bytes, Item)>> {
        for attempt in 1..=TORN_READS {
            let Some(head) = self.table.read(&[key], Read::Everything).await?.remove(key) else {
                return Ok(None);
            };
            if let Some(value) = self.assemble(key, head.clone()).await? {
                return Ok(Some((value, head)));
            }
            tokio::time::sleep(backoff::delay(attempt)).await;
        }
        Err(item::corrupt(key, "a part of the value is missing"))
    }
}

#[async_trait]
impl Store for DynamoDbStore {
    fn kind(&self) -> StoreKind {
        StoreKind::DynamoDb
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn limit(&self, key: &str, size: u64) -> Option<Limit> {
        if key.len() > LONGEST_KEY {
            return Some(Limit::Key(LONGEST_KEY as u64));
        }
        let largest = item::largest_value(key) as u64;
        (size > largest).then_some(Limit::Value(largest))
    }

    fn lists_sizes(&self) -> bool {
        false
    }

    async fn ping(&self) -> StoreResult<()> {
        self.table.read(&[PROBE_KEY], Read::PartNames).await.map(|_| ())
    }

    async fn get_many(&self, keys: &[String]) -> StoreResult<Vec<Option<Bytes>>> {
        let mut items = self.table.read(keys, Read::Everything).await?;
        let mut values: HashMap<&String, Bytes> = HashMap::with_capacity(items.len());
        for key in keys {
            let Some(head) = items.remove(key) else { continue };
            let value = match self.assemble(key, head).await? {
                Some(value) => Some(value),
                None => self.read_settled(key).await?.map(|(value, _)| value),
            };
            values.extend(value.map(|value| (key, value)));
        }
        Ok(keys.iter().map(|key| values.get(key).cloned()).collect())
    }

    async fn put_many(&self, puts: &mut Puts<'_>, done: &Done<'_>) -> StoreResult<()> {
        let mut batches = Batches::new(puts, BATCH, BATCH_BYTES);
        pool::run(
            WRITES,
            &mut batches,
            |batch| pool::weight(batch),
            |batch| self.put_batch(batch, done),
        )
        .await
    }

    async fn delete_many(&self, keys: &[String]) -> StoreResult<()> {
        for batch in keys.chunks(BATCH) {
            let before = self.table.read(batch, Read::PartNames).await?;
            let there: Vec<&String> = before.keys().collect();
            self.table.delete(&there).await?;
            self.drop_parts(before.values()).await?;
        }
        Ok(())
    }

    fn list(&self, prefix: &str) -> Pages<'_> {
        let mut scan = self
            .table
            .client
            .scan()
            .table_name(&self.table.name)
            .consistent_read(true)
            .projection_expression("#path")
            .expression_attribute_names("#path", PATH);
        if !prefix.is_empty() {
            scan = scan
                .filter_expression("begins_with(#path, :prefix)")
                .expression_attribute_values(":prefix", item::code(&Bytes::copy_from_slice(prefix.as_bytes())));
        }
        stream::unfold(scan.into_paginator().send(), move |mut pages| async move {
            let page = pages.next().await?;
            let page = page
                .map(|page| page.items().iter().filter_map(listed).collect())
                .map_err(|error| self.table.refused(&AwsError::new(Service::DynamoDb, "Scan", &error)));
            Some((page, pages))
        })
        .boxed()
    }

    async fn get_versioned(&self, key: &str) -> StoreResult<Option<(Bytes, Version)>> {
        self.versioned(key).await
    }

    async fn compare_and_set(&self, key: &str, expected: Option<&Version>, new: Bytes) -> StoreResult<Swap> {
        self.swap(key, expected, new).await
    }
}

fn listed(item: &Item) -> Option<Listed> {
    let key = item::key_of(item).filter(|key| !key.starts_with(PARTS_PREFIX))?;
    Some(Listed {
        key: key.to_owned(),
        size: None,
        md5: None,
    })
}
