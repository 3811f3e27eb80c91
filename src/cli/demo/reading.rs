//! Reading the scripts back, store by store.

use std::time::Instant;

use bytes::Bytes;
use rstack::store::{Store, StoreKind};
use rstack::{Error, Result};
use serde::Serialize;

/// How long a store took to give all scripts, one after the other.
#[derive(Debug, Serialize)]
pub(super) struct Reading {
    pub(super) store: StoreKind,
    pub(super) files: usize,
    pub(super) bytes: usize,
    pub(super) seconds: f64,
}

/// Reads every key from every store, and sees to it that all of them hold the same bytes. Connecting is not timed.
pub(super) async fn read(stores: &[Box<dyn Store>], keys: &[String]) -> Result<Vec<Reading>> {
    let mut readings = Vec::new();
    let mut first: Option<Vec<Bytes>> = None;
    for store in stores {
        store.ping().await?;
        let started = Instant::now();
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            let value = store.get_many(std::slice::from_ref(key)).await?.pop().flatten();
            values.push(value.ok_or_else(|| Error::unexpected(format!("{} has lost `{key}`", store.place())))?);
        }
        readings.push(Reading {
            store: store.kind(),
            files: values.len(),
            bytes: values.iter().map(Bytes::len).sum(),
            seconds: started.elapsed().as_secs_f64(),
        });
        match &first {
            Some(first) if *first != values => {
                return Err(Error::unexpected(format!(
                    "{} holds other bytes than the first store",
                    store.place()
                )));
            }
            Some(_) => {}
            None => first = Some(values),
        }
    }
    Ok(readings)
}
