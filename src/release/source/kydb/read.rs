//! All the files below a base path of a KYDB database, whose values have no index and no hashes to check.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use futures_util::TryStreamExt;

use super::pickle;
use crate::aws::{Aws, AwsError, Service};
use crate::error::{Error, Result};
use crate::publish::Tree;
use crate::store::{RedisAddress, RedisStore, S3Store, Store, StoreError, StoreKind};

/// How many values are asked for at once.
const BATCH: usize = 200;

/// Where a KYDB database is.
#[derive(Debug, Clone)]
pub enum KydbStore {
    Redis(RedisAddress),
    S3(String),
    DynamoDb(String),
}

impl fmt::Display for KydbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(address) => write!(f, "kydb+redis://{}", address.endpoint()),
            Self::S3(bucket) => write!(f, "kydb+s3://{bucket}"),
            Self::DynamoDb(table) => write!(f, "kydb+dynamodb://{table}"),
        }
    }
}

/// Reads every file below `base` (no slash at its ends, empty for all): paths without the base, source text as it was
/// before it was pickled.
///
/// # Errors
/// When the store cannot be read, has nothing there, or has a value that is not a pickled string, bytes or
/// `{'code': …}`.
pub(in crate::release::source) async fn read(store: &KydbStore, base: &str, aws: Option<&Aws>) -> Result<Tree> {
    let aws = || aws.ok_or_else(|| Error::unexpected("this source takes AWS, and there is no connection"));
    let slash = if base.is_empty() { "" } else { "/" };
    let (prefix, pickles) = match store {
        KydbStore::Redis(address) => {
            let prefix = format!("/{base}{slash}");
            let found = by_listing(&RedisStore::new(address.clone()), &prefix).await?;
            (prefix, found)
        }
        KydbStore::S3(bucket) => {
            let prefix = format!("{base}{slash}");
            let found = by_listing(&S3Store::new(aws()?.s3().clone(), bucket), &prefix).await?;
            (prefix, found)
        }
        KydbStore::DynamoDb(table) => {
            let prefix = format!("/{base}{slash}");
            let found = by_scan(aws()?, table, &prefix).await?;
            (prefix, found)
        }
    };
    let mut files = BTreeMap::new();
    for (key, pickled) in pickles {
        let path = key.strip_prefix(&prefix).unwrap_or(&key);
        let code = pickle::source(&pickled).map_err(|refused| {
            Error::refused(format!("`{path}` in {store}/{base} is not taken: {refused}"))
                .with_hint("KYDB's own classes and objects are not read: unpickling them could run anything")
        })?;
        files.insert(path.to_owned(), code);
    }
    if files.is_empty() {
        return Err(Error::refused(format!("there is nothing in {store}/{base}"))
            .with_hint("the base path is the folder that holds the modules"));
    }
    Tree::of(files)
}

/// KYDB marks folders by keys whose last name starts with a full stop, and refuses such names itself.
fn is_file(key: &str) -> bool {
    !key.ends_with('/') && !key.split('/').any(|name| name.starts_with('.'))
}

/// The folder that such a key marks: `/a/b` by `/a/.folder-b`.
fn folder(key: &str) -> Option<String> {
    let (parent, name) = key.rsplit_once('/')?;
    Some(format!("{parent}/{}", name.strip_prefix(".folder-")?))
}

async fn by_listing(store: &dyn Store, prefix: &str) -> Result<HashMap<String, Bytes>> {
    let (mut keys, mut folders) = (Vec::new(), HashSet::new());
    let mut pages = store.list(prefix);
    while let Some(page) = pages.try_next().await? {
        for found in page {
            folders.extend(folder(&found.key));
            keys.push(found.key);
        }
    }
    // Redis keeps a folder's names under the folder's own name, as a hash.
    keys.retain(|key| is_file(key) && !folders.contains(key));
    let mut values = HashMap::with_capacity(keys.len());
    for keys in keys.chunks(BATCH) {
        let found = keys.iter().cloned().zip(store.get_many(keys).await?);
        values.extend(found.filter_map(|(key, value)| Some((key, value?))));
    }
    Ok(values)
}

async fn by_scan(aws: &Aws, table: &str, prefix: &str) -> Result<HashMap<String, Bytes>> {
    let scan = aws
        .dynamodb()
        .scan()
        .table_name(table)
        .consistent_read(true)
        .filter_expression("begins_with(#path, :prefix)")
        .projection_expression("#path, contents")
        .expression_attribute_names("#path", "path")
        .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()));
    let mut items = scan.into_paginator().items().send();
    let mut values = HashMap::new();
    while let Some(item) = items.next().await {
        let mut item = item.map_err(|error| {
            let refused = AwsError::new(Service::DynamoDb, "Scan", &error);
            StoreError::aws(StoreKind::DynamoDb, &format!("table `{table}`"), &refused)
        })?;
        let (Some(AttributeValue::S(key)), Some(AttributeValue::B(contents))) =
            (item.remove("path"), item.remove("contents"))
        else {
            continue;
        };
        if is_file(&key) {
            values.insert(key, contents.into_inner().into());
        }
    }
    Ok(values)
}
