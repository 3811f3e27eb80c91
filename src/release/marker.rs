//! The marker: which release an area points at now. Every move of it is kept.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{ContentHash, Pruned, ReleaseId, keys};
use crate::publish::Area;
use crate::store::{Store, StoreError, StoreErrorKind, StoreResult, Version};
use crate::time::Timestamp;
use crate::trust::{Distrust, PrivateKey, Signature, SignatureState, TrustedKeys, Vow};

pub(super) const FORMAT: u32 = 1;
/// A store that cannot hold a value in one piece holds it in parts of this many bytes, the last one shorter.
pub(super) const PART: u64 = 390 * 1024;
/// More moves, and more bytes in a release, than any area has.
const MOVES: u64 = 1 << 24;
const BYTES: u64 = 1 << 40;

/// Around the checksum at the end of a marker.
const SUM: &str = ",\"sum\":\"";
const END: &str = "\"}";

/// One move of a marker, and with it the whole marker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    v: u32,
    /// Which move this is, from 1.
    pub sequence: u64,
    /// Unlike that of any other move.
    #[serde(rename = "move")]
    pub move_id: String,
    pub kind: MoveKind,
    pub area: String,
    pub release: ReleaseId,
    pub manifest: Blob,
    /// Where the release's files are.
    pub packs: Vec<Blob>,
    pub time: Timestamp,
    pub author: String,
    pub reason: Option<String>,
    /// The stack that the area belongs to.
    pub stack: String,
    /// Where a promoted release came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What was pruned; absent when nothing ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruned: Option<Pruned>,
    /// Of area, sequence and manifest; absent when nobody signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// Why a marker moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    Publish,
    Rollback,
    Promote,
    /// The same release as before, signed anew.
    Sign,
    /// The same release as before; older ones are retired, or deleted.
    Prune,
}

impl MoveKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Rollback => "rollback",
            Self::Promote => "promote",
            Self::Sign => "sign",
            Self::Prune => "prune",
        }
    }
}

/// The move of another area that a promoted release was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub area: Area,
    pub sequence: u64,
}

/// A manifest or a pack, known by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    pub sha256: ContentHash,
    /// In bytes.
    pub size: u64,
    /// How many parts it has in a store that cannot hold it in one piece.
    pub parts: u64,
    /// `false` of a pack that holds nothing that Python imports: who imports leaves it where it is.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub code: bool,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_yes(flag: &bool) -> bool {
    *flag
}

impl Blob {
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        let size = value.len() as u64;
        Self {
            sha256: ContentHash::of(value),
            size,
            parts: parts(size),
            code: true,
        }
    }
}

/// Of a blob of so many bytes.
fn parts(size: u64) -> u64 {
    size.div_ceil(PART).max(1)
}

/// What a move is about; the rest of a marker follows from where it stands.
#[derive(Debug, Clone)]
pub(super) struct Step<'a> {
    pub(super) kind: MoveKind,
    pub(super) area: &'a Area,
    pub(super) stack: &'a str,
    pub(super) author: &'a str,
    pub(super) reason: Option<&'a str>,
    pub(super) origin: Option<Origin>,
    pub(super) signer: Option<&'a PrivateKey>,
}

impl Marker {
    /// The move after `head`.
    pub(super) fn next(head: &Head, step: &Step<'_>, manifest: Blob, packs: Vec<Blob>) -> Self {
        let now = Timestamp::now();
        let before = head.current.as_ref().map(|current| current.marker.time);
        let mut marker = Self {
            v: FORMAT,
            sequence: head.sequence + 1,
            move_id: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)),
            kind: step.kind,
            area: step.area.to_string(),
            release: ReleaseId::of(manifest.sha256),
            manifest,
            packs,
            // Clocks of publishers differ; the order of moves does not.
            time: before.map_or(now, |before| before.max(now)),
            author: step.author.to_owned(),
            reason: step.reason.map(str::to_owned),
            stack: step.stack.to_owned(),
            origin: step.origin.clone(),
            pruned: head.current.as_ref().and_then(|current| current.marker.pruned.clone()),
            signature: None,
        };
        marker.signature = step.signer.map(|key| marker.with_vow(step.area, |vow| vow.sign(key)));
        marker
    }

    /// Whether the marker may be believed that was found in `area`.
    pub(super) fn check(&self, area: &Area, trusted: &TrustedKeys) -> Result<(), Distrust> {
        self.with_vow(area, |vow| trusted.check(&vow, self.signature.as_ref()))
    }

    /// What these keys make of the signature of a move that was found in `area`.
    pub(super) fn signature_state(&self, area: &Area, trusted: &TrustedKeys) -> SignatureState {
        self.with_vow(area, |vow| trusted.state(&vow, self.signature.as_ref()))
    }

    fn with_vow<T>(&self, area: &Area, then: impl FnOnce(Vow<'_>) -> T) -> T {
        then(Vow {
            area: area.as_str(),
            sequence: self.sequence,
            manifest: &self.manifest.sha256.to_string(),
        })
    }

    pub(super) fn parse(store: &dyn Store, key: &str, value: &[u8]) -> StoreResult<Self> {
        let corrupt = |message: String| StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(key);
        let text = without_sum(value)
            .ok_or_else(|| corrupt("this marker is damaged: it is not what its checksum says".to_owned()))?;
        let marker: Self =
            serde_json::from_slice(&text).map_err(|error| corrupt(format!("this marker cannot be read: {error}")))?;
        if marker.v != FORMAT {
            let message = format!("this marker has format {}, which only a newer rstack knows", marker.v);
            return Err(corrupt(message));
        }
        if marker.release != ReleaseId::of(marker.manifest.sha256) {
            return Err(corrupt(
                "this marker names a release and another one's manifest".to_owned(),
            ));
        }
        match marker.implausible() {
            Some(what) => Err(corrupt(format!("this marker cannot be: {what}"))),
            None => Ok(marker),
        }
    }

    /// What no publisher writes and would overflow sums, or memory, of those who take it at its word.
    pub(super) fn implausible(&self) -> Option<&'static str> {
        let blobs = self.packs.iter().chain([&self.manifest]);
        let bytes = blobs.clone().try_fold(0_u64, |sum, blob| sum.checked_add(blob.size));
        let moves = self.pruned.iter().flat_map(|pruned| {
            let retired = pruned.retired.iter().map(|retired| retired.before);
            retired.chain([pruned.deleted_before, pruned.epoch])
        });
        if self.sequence == 0 || self.sequence > MOVES {
            Some("its number is out of bounds")
        } else if bytes.is_none_or(|bytes| bytes > BYTES) {
            Some("its packs are too large")
        } else if blobs.clone().any(|blob| blob.parts != parts(blob.size)) {
            Some("the parts of its packs are not as large as parts are")
        } else if moves.into_iter().any(|number| number > self.sequence) {
            Some("it was pruned by a move to come")
        } else {
            None
        }
    }

    /// As JSON, whose last field, `sum`, is the SHA-256 of the same JSON without it.
    pub(super) fn to_bytes(&self) -> Bytes {
        // Text, numbers and text keys: nothing that JSON cannot hold.
        let mut text = serde_json::to_vec(self).unwrap_or_default();
        let sum = ContentHash::of(&text);
        text.pop();
        text.extend_from_slice(format!("{SUM}{sum}{END}").as_bytes());
        text.into()
    }
}

/// The JSON without its `sum`, if it is what that says. Hashes cover everything else; this covers the marker itself.
fn without_sum(value: &[u8]) -> Option<Vec<u8>> {
    let rest = value.strip_suffix(END.as_bytes())?;
    let (rest, sum) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
    let text = [rest.strip_suffix(SUM.as_bytes())?, b"}"].concat();
    let sum: ContentHash = std::str::from_utf8(sum).ok()?.parse().ok()?;
    (ContentHash::of(&text) == sum).then_some(text)
}

/// A marker as a store holds it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) marker: Marker,
    pub(super) bytes: Bytes,
}

/// Where an area stands in one store; by default, before its first move.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    /// What the key holds, whoever wrote it.
    pub(super) version: Option<Version>,
    /// Of the last move that is known, also of one that belongs to another stack; 0 before the first.
    pub(super) sequence: u64,
    /// The marker, if it is this stack's.
    pub(super) current: Option<Held>,
    /// The move that it is at was found to be kept.
    pub(super) kept: bool,
}

impl Head {
    /// Of the last move, if it is this stack's.
    pub(super) fn sequence_of_current(&self) -> Option<u64> {
        self.current.as_ref().map(|held| held.marker.sequence)
    }

    /// Reads a marker strongly. One that names another stack is as good as absent.
    pub(super) async fn read(store: &dyn Store, area: &Area, stack: Option<&str>) -> StoreResult<Self> {
        let key = keys::marker(area);
        let Some((bytes, version)) = store.get_versioned(&key).await? else {
            return Ok(Self::default());
        };
        let marker = Marker::parse(store, &key, &bytes)?;
        Ok(Self {
            version: Some(version),
            sequence: marker.sequence,
            current: stack
                .is_none_or(|stack| marker.stack == stack)
                .then_some(Held { marker, bytes }),
            kept: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn a_flipped_bit_anywhere_in_a_marker_is_noticed() {
        let head = Head::default();
        let step = Step {
            kind: MoveKind::Publish,
            area: &Area::default(),
            stack: "stack",
            author: "me",
            reason: Some("why \u{fc}"),
            origin: None,
            signer: None,
        };
        let marker = Marker::next(&head, &step, Blob::of(b"manifest"), vec![Blob::of(b"pack")]);
        let (store, bytes) = (MemoryStore::new(), marker.to_bytes());
        let mut read = Marker::parse(&store, "k", &bytes).expect("a marker");
        // Written with whole seconds.
        read.time = marker.time;
        assert_eq!(read, marker);
        for at in 0..bytes.len() {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 1;
            Marker::parse(&store, "k", &flipped).expect_err("a flipped bit");
        }
        for end in 0..bytes.len() {
            Marker::parse(&store, "k", &bytes[..end]).expect_err("cut short");
        }
    }
}
