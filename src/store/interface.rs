//! What every backend can do.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::{Body, FileDigest, StoreKind, StoreResult};

/// Bytes by key. A key is any non-empty text; a value may be empty. Only an absent key is a miss: everything else
/// that keeps a value from being read or written is an error.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    fn kind(&self) -> StoreKind;

    /// Where it is, for people: "bucket `b`", "table `t`", "`host:6379`". Never with a secret.
    fn place(&self) -> &str;

    /// Why this store cannot hold a value of `size` bytes under `key` as one plain entry, which other tools read.
    fn limit(&self, _key: &str, _size: u64) -> Option<Limit> {
        None
    }

    /// Asks whether the store answers and may be used, as cheaply as it can be asked.
    async fn ping(&self) -> StoreResult<()>;

    /// The values of `keys`, in their order; `None` where there is none. Reads are strongly consistent. All values
    /// are in memory at once: the caller bounds how much it asks for.
    async fn get_many(&self, keys: &[String]) -> StoreResult<Vec<Option<Bytes>>>;

    /// Whether each of `keys` holds a value, whatever it is.
    async fn are_there(&self, keys: &[String]) -> StoreResult<Vec<bool>> {
        let values = self.get_many(keys).await?;
        Ok(values.iter().map(Option::is_some).collect())
    }

    /// Stretches of values, in their order; `None` where there is no value, or it ends before the stretch does. A store
    /// that cannot read less than a value reads it whole.
    async fn get_ranges(&self, wanted: &[Stretch]) -> StoreResult<Vec<Option<Bytes>>> {
        let keys: BTreeSet<&String> = wanted.iter().map(|stretch| &stretch.key).collect();
        let keys: Vec<String> = keys.into_iter().cloned().collect();
        let values = self.get_many(&keys).await?;
        let values: HashMap<String, Option<Bytes>> = keys.into_iter().zip(values).collect();
        let cut = |stretch: &Stretch| stretch.of(values.get(&stretch.key)?.as_ref()?);
        Ok(wanted.iter().map(cut).collect())
    }

    /// Writes every entry that `puts` yields, overwriting. Entries are drawn as there is room for them, so an iterator
    /// that ends early (an interrupt) lets what is in flight finish. `done` is told of each entry once the store has
    /// confirmed it. After the first error nothing more is drawn.
    async fn put_many(&self, puts: &mut Puts<'_>, done: &Done<'_>) -> StoreResult<()>;

    /// Copies values to other keys, overwriting: pairs of from and to. Tells for each whether there was something to
    /// copy. A store that can does it without sending the values here; otherwise all of them are in memory at once.
    async fn copy_many(&self, copies: &[(String, String)]) -> StoreResult<Vec<bool>> {
        let from: Vec<String> = copies.iter().map(|(from, _)| from.clone()).collect();
        let values = self.get_many(&from).await?;
        let found = values.iter().map(Option::is_some).collect();
        let mut puts = copies.iter().zip(values).filter_map(|((_, to), value)| {
            Some(Put {
                key: to.clone(),
                body: Body::Bytes(value?),
            })
        });
        self.put_many(&mut puts, &|_, _| ()).await?;
        Ok(found)
    }

    /// Removes `keys`; one that is not there counts as removed.
    async fn delete_many(&self, keys: &[String]) -> StoreResult<()>;

    /// Every key that starts with `prefix`, in pages, in no particular order. DynamoDB scans the table for it.
    fn list(&self, prefix: &str) -> Pages<'_>;

    /// How many bytes the store holds before it drops values; `None` where it never does.
    async fn capacity(&self) -> StoreResult<Option<u64>> {
        Ok(None)
    }

    /// Whether a listing tells sizes, so that comparing by it is cheaper than reading values.
    fn lists_sizes(&self) -> bool {
        true
    }

    /// Whether the key holds exactly the value with this digest.
    async fn holds(&self, key: &str, digest: &FileDigest) -> StoreResult<bool> {
        let value = self.get_many(&[key.to_owned()]).await?.pop().flatten();
        Ok(value.is_some_and(|value| digest.matches(&value)))
    }

    /// A value together with what [`Store::compare_and_set`] needs to replace exactly this one.
    async fn get_versioned(&self, key: &str) -> StoreResult<Option<(Bytes, Version)>>;

    /// Writes `new` only if the key still holds `expected` (`None`: nothing). A write whose answer was lost is read
    /// again: finding `new` there counts as done, so `new` should be unlike anything that another writer writes.
    async fn compare_and_set(&self, key: &str, expected: Option<&Version>, new: Bytes) -> StoreResult<Swap>;
}

/// Neighbouring bytes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    pub key: String,
    /// From the start of the value, in bytes.
    pub start: u64,
    /// In bytes, at least 1.
    pub length: u64,
}

impl Stretch {
    /// Where it ends: the first byte after it.
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }

    fn of(&self, value: &Bytes) -> Option<Bytes> {
        let (start, end) = (usize::try_from(self.start).ok()?, usize::try_from(self.end()).ok()?);
        (end <= value.len()).then(|| value.slice(start..end))
    }
}

/// Entries on their way into a store.
pub type Puts<'a> = dyn Iterator<Item = Put> + Send + 'a;

/// Told of the key and size in bytes of each entry that a store has confirmed.
pub type Done<'a> = dyn Fn(&str, u64) + Send + Sync + 'a;

/// Pages of a listing.
pub type Pages<'a> = BoxStream<'a, StoreResult<Vec<Listed>>>;

/// One entry to write.
#[derive(Debug, Clone)]
pub struct Put {
    pub key: String,
    pub body: Body,
}

/// One entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub key: String,
    /// In bytes, where listing tells it.
    pub size: Option<u64>,
    /// MD5 of the value, where listing tells it.
    pub md5: Option<[u8; 16]>,
}

/// Why a store cannot hold an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Values may have this many bytes under that key.
    Value(u64),
    /// Keys may have this many bytes.
    Key(u64),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(bytes) => write!(f, "it may have {bytes} bytes there"),
            Self::Key(bytes) => write!(f, "its key may have {bytes} bytes there"),
        }
    }
}

/// Which value a key holds, as its store tells values apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub(super) Mark);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// The tag that the service gives a value.
    Tag(String),
    /// The value itself.
    Content(Bytes),
}

impl Version {
    pub(super) fn tag(tag: impl Into<String>) -> Self {
        Self(Mark::Tag(tag.into()))
    }

    pub(super) fn content(value: Bytes) -> Self {
        Self(Mark::Content(value))
    }
}

/// How [`Store::compare_and_set`] ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    Done(Version),
    /// The key holds something else; nothing was written.
    Conflict,
}

/// After a conditional write that was refused or whose answer was lost: it counts as done if `new` is there.
pub(super) async fn settle(store: &dyn Store, key: &str, new: &Bytes) -> StoreResult<Swap> {
    Ok(match store.get_versioned(key).await? {
        Some((found, version)) if found == *new => Swap::Done(version),
        _ => Swap::Conflict,
    })
}
