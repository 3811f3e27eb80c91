//! The Redis as a store.

use std::collections::HashSet;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use redis::Pipeline;
use sha1::{Digest, Sha1};

use super::RedisAddress;
use super::connection::Connection;
use crate::store::hex::hex;
use crate::store::interface::{Mark, settle};
use crate::store::pool::{self, Batches, Bounds};
use crate::store::{
    Done, Limit, Listed, Pages, Put, Puts, Store, StoreError, StoreErrorKind, StoreKind, StoreResult, Stretch, Swap,
    Version,
};

const LARGEST_VALUE: u64 = 512 << 20;
/// Commands in one pipeline.
const COMMANDS: usize = 500;
/// The same of commands with short answers.
const QUESTIONS: usize = 10_000;
/// Values in one pipeline, in bytes.
const PIPELINE: u64 = 1 << 20;
/// One pipeline is read from disk while another is on its way.
const WRITES: Bounds = Bounds {
    jobs: 2,
    bytes: 4 << 20,
};

/// Writes ARGV[2] if the key holds a value whose SHA-1 is ARGV[1], or if ARGV[1] is empty and it holds nothing. The
/// value itself would be as good, but ledgers are large.
const COMPARE_AND_SET: &str = "
local held = redis.call('GET', KEYS[1])
if (held and redis.sha1hex(held) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1";

/// Writes the value of KEYS[1] to KEYS[2]. The command COPY would be as good, but came with Redis 6.2.
const COPY: &str = "
local held = redis.call('GET', KEYS[1])
if not held then return 0 end
redis.call('SET', KEYS[2], held)
return 1";

#[derive(Debug)]
pub struct RedisStore {
    connection: Connection,
    place: String,
}

impl RedisStore {
    /// Connects on first use.
    #[must_use]
    pub fn new(address: RedisAddress) -> Self {
        let place = format!("`{}`", address.endpoint());
        let connection = Connection::new(address);
        Self { connection, place }
    }

    /// Which of these keys it is that holds no value: the server does not say.
    async fn name_foreign(&self, error: StoreError, keys: &[String]) -> StoreError {
        let mut pipeline = Pipeline::with_capacity(keys.len());
        for key in keys {
            pipeline.cmd("TYPE").arg(key);
        }
        let types: Vec<String> = self.connection.repeatable(&pipeline).await.unwrap_or_default();
        let foreign = |(_, kind): &(&String, String)| !matches!(kind.as_str(), "string" | "none");
        match keys.iter().zip(types).find(foreign) {
            Some((key, _)) => error.at(key),
            None => error,
        }
    }

    async fn put_batch(&self, batch: Vec<Put>, done: &Done<'_>) -> StoreResult<()> {
        let mut pipeline = Pipeline::with_capacity(batch.len());
        let mut sizes = Vec::with_capacity(batch.len());
        for put in batch {
            let value = put.body.read(StoreKind::Redis, &put.key).await?;
            pipeline.set(&put.key, value.as_ref()).ignore();
            sizes.push((put.key, value.len() as u64));
        }
        self.connection.repeatable::<()>(&pipeline).await?;
        for (key, size) in sizes {
            done(&key, size);
        }
        Ok(())
    }
}

#[async_trait]
impl Store for RedisStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Redis
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn limit(&self, _key: &str, size: u64) -> Option<Limit> {
        (size > LARGEST_VALUE).then_some(Limit::Value(LARGEST_VALUE))
    }

    fn lists_sizes(&self) -> bool {
        false
    }

    async fn ping(&self) -> StoreResult<()> {
        let mut pipeline = Pipeline::new();
        pipeline.cmd("PING").ignore();
        self.connection.repeatable(&pipeline).await
    }

    /// Its `maxmemory`.
    async fn capacity(&self) -> StoreResult<Option<u64>> {
        let mut pipeline = Pipeline::new();
        pipeline.cmd("INFO").arg("memory");
        let (info,): (String,) = self.connection.repeatable(&pipeline).await?;
        let limit = info.lines().find_map(|line| line.strip_prefix("maxmemory:"));
        Ok(limit
            .and_then(|bytes| bytes.trim().parse().ok())
            .filter(|bytes| *bytes > 0))
    }

    /// By GET rather than MGET, which shows a key of another type as absent.
    async fn get_many(&self, keys: &[String]) -> StoreResult<Vec<Option<Bytes>>> {
        let mut values = Vec::with_capacity(keys.len());
        for batch in keys.chunks(COMMANDS) {
            let mut pipeline = Pipeline::with_capacity(batch.len());
            for key in batch {
                pipeline.get(key);
            }
            let found: Vec<Option<Vec<u8>>> = match self.connection.repeatable(&pipeline).await {
                Err(error) if error.kind == StoreErrorKind::Corrupt => {
                    return Err(self.name_foreign(error, batch).await);
                }
                found => found?,
            };
            values.extend(found.into_iter().map(|value| value.map(Bytes::from)));
        }
        Ok(values)
    }

    async fn are_there(&self, keys: &[String]) -> StoreResult<Vec<bool>> {
        let mut found = Vec::with_capacity(keys.len());
        for batch in keys.chunks(QUESTIONS) {
            let mut pipeline = Pipeline::with_capacity(batch.len());
            for key in batch {
                pipeline.exists(key);
            }
            found.extend(self.connection.repeatable::<Vec<bool>>(&pipeline).await?);
        }
        Ok(found)
    }

    async fn get_ranges(&self, wanted: &[Stretch]) -> StoreResult<Vec<Option<Bytes>>> {
        let mut values = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(COMMANDS) {
            let mut pipeline = Pipeline::with_capacity(batch.len());
            for stretch in batch {
                pipeline
                    .cmd("GETRANGE")
                    .arg(&stretch.key)
                    .arg(stretch.start)
                    .arg(stretch.end() - 1);
            }
            let found: Vec<Vec<u8>> = self.connection.repeatable(&pipeline).await?;
            // What is not there is as good as empty, and what is too short comes short.
            let whole =
                |(value, stretch): (Vec<u8>, &Stretch)| (value.len() as u64 == stretch.length).then(|| value.into());
            values.extend(found.into_iter().zip(batch).map(whole));
        }
        Ok(values)
    }

    async fn put_many(&self, puts: &mut Puts<'_>, done: &Done<'_>) -> StoreResult<()> {
        let mut batches = Batches::new(puts, COMMANDS, PIPELINE);
        pool::run(
            WRITES,
            &mut batches,
            |batch| pool::weight(batch),
            |batch| self.put_batch(batch, done),
        )
        .await
    }

    async fn copy_many(&self, copies: &[(String, String)]) -> StoreResult<Vec<bool>> {
        let mut found = Vec::with_capacity(copies.len());
        for batch in copies.chunks(COMMANDS) {
            let mut pipeline = Pipeline::with_capacity(batch.len());
            for (from, to) in batch {
                pipeline.cmd("EVAL").arg(COPY).arg(2).arg(from).arg(to);
            }
            let answers: Vec<u8> = self.connection.repeatable(&pipeline).await?;
            found.extend(answers.into_iter().map(|answer| answer == 1));
        }
        Ok(found)
    }

    async fn delete_many(&self, keys: &[String]) -> StoreResult<()> {
        for batch in keys.chunks(COMMANDS) {
            let mut pipeline = Pipeline::new();
            pipeline.cmd("UNLINK").arg(batch).ignore();
            self.connection.repeatable::<()>(&pipeline).await?;
        }
        Ok(())
    }

    fn list(&self, prefix: &str) -> Pages<'_> {
        let pattern = format!("{}*", escape_glob(prefix));
        let start = Some((0_u64, HashSet::new()));
        stream::try_unfold((start, pattern), move |(state, pattern)| async move {
            let Some((cursor, mut seen)) = state else {
                return Ok(None);
            };
            let mut pipeline = Pipeline::new();
            pipeline
                .cmd("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(&pattern)
                .arg("COUNT")
                .arg(1000);
            let ((next, keys),): ((u64, Vec<Vec<u8>>),) = self.connection.repeatable(&pipeline).await?;
            // A scan may show a key twice. Keys that are not UTF-8 are nobody's here.
            let page = keys
                .into_iter()
                .filter_map(|key| String::from_utf8(key).ok())
                .filter(|key| seen.insert(key.clone()))
                .map(|key| Listed {
                    key,
                    size: None,
                    md5: None,
                })
                .collect();
            Ok(Some((page, ((next != 0).then_some((next, seen)), pattern))))
        })
        .boxed()
    }

    async fn get_versioned(&self, key: &str) -> StoreResult<Option<(Bytes, Version)>> {
        let found = self.get_many(&[key.to_owned()]).await?.pop().flatten();
        Ok(found.map(|value| {
            let version = version(&value);
            (value, version)
        }))
    }

    async fn compare_and_set(&self, key: &str, expected: Option<&Version>, new: Bytes) -> StoreResult<Swap> {
        let held = match expected {
            None => "",
            Some(Version(Mark::Tag(sha1))) => sha1,
            // A version of another store never matches.
            Some(Version(Mark::Content(_))) => return Ok(Swap::Conflict),
        };
        let mut pipeline = Pipeline::new();
        pipeline
            .cmd("EVAL")
            .arg(COMPARE_AND_SET)
            .arg(1)
            .arg(key)
            .arg(held)
            .arg(new.as_ref());
        match self.connection.single::<(u8,)>(&pipeline).await {
            Ok((1,)) => Ok(Swap::Done(version(&new))),
            Ok(_) => Ok(Swap::Conflict),
            Err((error, answer_lost)) if answer_lost => match settle(self, key, &new).await {
                Ok(Swap::Done(version)) => Ok(Swap::Done(version)),
                _ => Err(error.at(key)),
            },
            Err((error, _)) => Err(error.at(key)),
        }
    }
}

fn version(value: &[u8]) -> Version {
    Version::tag(hex(&Sha1::digest(value)))
}

fn escape_glob(prefix: &str) -> String {
    let mut escaped = String::with_capacity(prefix.len());
    for c in prefix.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
