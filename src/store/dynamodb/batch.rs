//! Reading and writing many items: batches as large as the service takes, what it leaves over asked for again.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};

use super::item::{self, Item, PARTS, PATH, Part};
use crate::aws::{AwsError, AwsErrorKind, Service};
use crate::store::{StoreError, StoreErrorKind, StoreKind, StoreResult, backoff};

const KEYS: usize = 100;
const WRITES: usize = 25;
/// The service takes 16 MB; smaller requests keep memory and the loss of a failed one small.
const WRITE_BYTES: usize = 2 << 20;
/// As many as `WRITE_BYTES` has room for.
const PARTS_AT_ONCE: usize = 5;
/// Give up after this many answers in a row that brought nothing.
const FRUITLESS: u32 = 10;
/// The SDK has called this often before it says that it was throttled.
const CALLS: u32 = 5;

/// A table and its client.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) client: Client,
    pub(super) name: String,
}

/// What to read of each item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    Everything,
    /// Key and names of parts.
    PartNames,
}

impl Table {
    pub(super) fn refused(&self, error: &AwsError) -> StoreError {
        StoreError::aws(StoreKind::DynamoDb, &format!("table `{}`", self.name), error)
    }

    /// Items by key, strongly consistent. Keys may repeat.
    pub(super) async fn read(&self, keys: &[impl AsRef<str>], read: Read) -> StoreResult<HashMap<String, Item>> {
        let mut seen = HashSet::new();
        let unique: Vec<&str> = keys.iter().map(AsRef::as_ref).filter(|key| seen.insert(*key)).collect();
        let mut items = HashMap::with_capacity(unique.len());
        for chunk in unique.chunks(KEYS) {
            let mut request = KeysAndAttributes::builder().consistent_read(true);
            if read == Read::PartNames {
                request = request
                    .projection_expression("#path, #parts")
                    .expression_attribute_names("#path", PATH)
                    .expression_attribute_names("#parts", PARTS);
            }
            let keys = chunk.iter().map(|key| HashMap::from([item::path(key)])).collect();
            let request = request.set_keys(Some(keys)).build().map_err(|error| built(&error))?;
            self.read_chunk(request, &mut items).await?;
        }
        Ok(items)
    }

    async fn read_chunk(&self, request: KeysAndAttributes, items: &mut HashMap<String, Item>) -> StoreResult<()> {
        let mut request = Some(request);
        let mut fruitless = 0;
        while let Some(wanted) = request.take() {
            let sent = self
                .client
                .batch_get_item()
                .request_items(&self.name, wanted.clone())
                .send()
                .await;
            let (found, left) = match sent {
                Ok(mut output) => {
                    let found = output.responses.as_mut().and_then(|tables| tables.remove(&self.name));
                    let left = output.unprocessed_keys.and_then(|mut tables| tables.remove(&self.name));
                    (found.unwrap_or_default(), left.filter(|left| !left.keys().is_empty()))
                }
                Err(error) => {
                    let error = AwsError::new(Service::DynamoDb, "BatchGetItem", &error);
                    if error.kind != AwsErrorKind::Throttled {
                        return Err(self.refused(&error));
                    }
                    // Who waits for reads is somebody who wants to start: half a minute, not two.
                    fruitless += CALLS - 1;
                    (Vec::new(), Some(wanted))
                }
            };
            fruitless = if found.is_empty() { fruitless + 1 } else { 0 };
            items.extend(
                found
                    .into_iter()
                    .filter_map(|item| Some((item::key_of(&item)?.to_owned(), item))),
            );
            request = left;
            if request.is_some() {
                pause(fruitless, "reads").await?;
            }
        }
        Ok(())
    }

    pub(super) async fn put(&self, items: Vec<Item>) -> StoreResult<()> {
        let mut requests = Vec::with_capacity(items.len());
        for item in items {
            let bytes = size(&item);
            let put = PutRequest::builder()
                .set_item(Some(item))
                .build()
                .map_err(|error| built(&error))?;
            requests.push((bytes, WriteRequest::builder().put_request(put).build()));
        }
        self.write(requests).await
    }

    /// A few at a time: an item is a copy of its part, and a value may have many.
    pub(super) async fn put_parts(&self, parts: &[Part]) -> StoreResult<()> {
        for few in parts.chunks(PARTS_AT_ONCE) {
            self.put(few.iter().map(Part::to_item).collect()).await?;
        }
        Ok(())
    }

    pub(super) async fn delete(&self, keys: &[impl AsRef<str>]) -> StoreResult<()> {
        let mut seen = HashSet::new();
        let mut requests = Vec::with_capacity(keys.len());
        for key in keys.iter().map(AsRef::as_ref).filter(|key| seen.insert(*key)) {
            let key = HashMap::from([item::path(key)]);
            let delete = DeleteRequest::builder()
                .set_key(Some(key))
                .build()
                .map_err(|error| built(&error))?;
            requests.push((0, WriteRequest::builder().delete_request(delete).build()));
        }
        self.write(requests).await
    }

    /// Writes requests, given with their sizes in bytes; no key may be named twice.
    async fn write(&self, requests: Vec<(usize, WriteRequest)>) -> StoreResult<()> {
        let mut requests = requests.into_iter().peekable();
        while requests.peek().is_some() {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while let Some((size, request)) =
                requests.next_if(|(size, _)| batch.is_empty() || (batch.len() < WRITES && bytes + size <= WRITE_BYTES))
            {
                bytes += size;
                batch.push(request);
            }
            self.write_batch(batch).await?;
        }
        Ok(())
    }

    async fn write_batch(&self, batch: Vec<WriteRequest>) -> StoreResult<()> {
        let mut batch = Some(batch);
        let mut fruitless = 0;
        while let Some(wanted) = batch.take() {
            let count = wanted.len();
            let sent = self
                .client
                .batch_write_item()
                .request_items(&self.name, wanted.clone())
                .send()
                .await;
            let left = match sent {
                Ok(output) => output
                    .unprocessed_items
                    .and_then(|mut tables| tables.remove(&self.name))
                    .filter(|left| !left.is_empty()),
                Err(error) => {
                    let error = AwsError::new(Service::DynamoDb, "BatchWriteItem", &error);
                    if error.kind != AwsErrorKind::Throttled {
                        return Err(self.refused(&error));
                    }
                    Some(wanted)
                }
            };
            let Some(left) = left else { return Ok(()) };
            fruitless = if left.len() == count { fruitless + 1 } else { 0 };
            batch = Some(left);
            pause(fruitless, "writes").await?;
        }
        Ok(())
    }
}

async fn pause(fruitless: u32, what: &str) -> StoreResult<()> {
    if fruitless > FRUITLESS {
        let message = format!("the table takes no more {what}: it answered {fruitless} times without doing any");
        return Err(StoreError::new(StoreKind::DynamoDb, StoreErrorKind::Throttled, message));
    }
    tokio::time::sleep(backoff::delay(fruitless + 1)).await;
    Ok(())
}

fn size(item: &Item) -> usize {
    item.values()
        .map(|value| match value {
            aws_sdk_dynamodb::types::AttributeValue::S(text) => text.len(),
            aws_sdk_dynamodb::types::AttributeValue::B(blob) => blob.as_ref().len(),
            _ => 0,
        })
        .sum()
}

fn built(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::new(StoreKind::DynamoDb, StoreErrorKind::Other, error.to_string())
}
