//! Packs: files compressed each on its own, back to back.

use std::cell::RefCell;
use std::io::Read;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::cache::Check;
use super::marker::Blob;
use super::{ContentHash, FileEntry};

/// In bytes. A single file that is larger has a pack to itself.
pub(super) const LARGEST: usize = 4 << 20;
const LEVEL: i32 = 3;
/// Files larger than this are checked piece by piece.
const WHOLE: u64 = 4 << 20;
const PIECE: usize = 64 << 10;

/// Where a content lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) pack: ContentHash,
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl From<&FileEntry> for Slot {
    fn from(entry: &FileEntry) -> Self {
        Self {
            pack: entry.pack,
            offset: entry.offset,
            length: entry.length,
        }
    }
}

/// A file's content, compressed.
#[derive(Debug)]
pub(super) struct Compressed {
    pub(super) sha256: ContentHash,
    pub(super) bytes: Vec<u8>,
}

/// Compresses one file after the other.
pub(super) struct Compressor(zstd::bulk::Compressor<'static>);

impl Compressor {
    pub(super) fn new() -> std::io::Result<Self> {
        zstd::bulk::Compressor::new(LEVEL).map(Self)
    }

    pub(super) fn compress(&mut self, sha256: ContentHash, content: &[u8]) -> std::io::Result<Compressed> {
        let bytes = self.0.compress(content)?;
        Ok(Compressed { sha256, bytes })
    }
}

/// A finished pack.
#[derive(Debug)]
pub(super) struct Pack {
    pub(super) blob: Blob,
    pub(super) bytes: Bytes,
    pub(super) contents: Vec<(ContentHash, Slot)>,
}

/// A pack in the making.
#[derive(Debug, Default)]
pub(super) struct Builder {
    bytes: Vec<u8>,
    /// Content, offset, length.
    contents: Vec<(ContentHash, u64, u64)>,
}

impl Builder {
    /// Whether `more` bytes still belong into this pack.
    pub(super) fn takes(&self, more: usize) -> bool {
        self.bytes.is_empty() || self.bytes.len() + more <= LARGEST
    }

    pub(super) fn add(&mut self, file: Compressed) {
        self.contents
            .push((file.sha256, self.bytes.len() as u64, file.bytes.len() as u64));
        if self.bytes.is_empty() {
            self.bytes = file.bytes;
        } else {
            self.bytes.extend_from_slice(&file.bytes);
        }
    }

    /// `None` when nothing was added. After a deletion, `epoch` says which, and is part of the pack: so no pack made
    /// since has the name of one that may just be on its way out.
    pub(super) fn finish(mut self, epoch: u64) -> Option<Pack> {
        if self.contents.is_empty() {
            return None;
        }
        if epoch > 0 {
            self.bytes.extend_from_slice(&epoch.to_le_bytes());
        }
        let bytes = Bytes::from(self.bytes);
        let blob = Blob::of(&bytes);
        let place = |(sha256, offset, length)| {
            let place = Slot {
                pack: blob.sha256,
                offset,
                length,
            };
            (sha256, place)
        };
        Some(Pack {
            blob,
            contents: self.contents.into_iter().map(place).collect(),
            bytes,
        })
    }
}

/// Takes files out of their packs, one after the other.
pub(super) struct Unpacker(zstd::bulk::Decompressor<'static>);

impl Unpacker {
    pub(super) fn new() -> Result<Self, String> {
        let decompressor = zstd::bulk::Decompressor::new().map_err(|error| error.to_string())?;
        Ok(Self(decompressor))
    }

    /// The content of a file, checked by its hash; an error says what is wrong with it.
    pub(super) fn unpack(&mut self, pack: &Bytes, entry: &FileEntry) -> Result<Bytes, String> {
        self.unpack_checking(pack, entry, Check::Files)
    }

    /// As [`Unpacker::unpack`]; with [`Check::Whole`] unhashed, for packs that were hashed and files that were before.
    pub(super) fn unpack_checking(&mut self, pack: &Bytes, entry: &FileEntry, check: Check) -> Result<Bytes, String> {
        let mut content = Vec::new();
        let size = usize::try_from(entry.size).ok();
        let size = size.filter(|size| content.try_reserve_exact(*size).is_ok());
        content.resize(size.ok_or("it is larger than memory")?, 0);
        self.unpack_into(pack, entry, check, &mut content)?;
        Ok(content.into())
    }

    /// As [`Unpacker::unpack_checking`], into a buffer of just its size.
    pub(super) fn unpack_into(
        &mut self,
        pack: &Bytes,
        entry: &FileEntry,
        check: Check,
        content: &mut [u8],
    ) -> Result<(), String> {
        let compressed = slice(pack, &Slot::from(entry))?;
        let length = self
            .0
            .decompress_to_buffer(&compressed[..], content)
            .map_err(|error| format!("it cannot be unpacked: {error}"))?;
        if length != content.len() {
            return Err("its size is not what the manifest says".to_owned());
        }
        if check != Check::Whole && ContentHash::of(content) != entry.sha256 {
            return Err("its hash is not what the manifest says".to_owned());
        }
        Ok(())
    }
}

thread_local! {
    /// Making one takes longer than unpacking a small file.
    static UNPACKER: RefCell<Option<Unpacker>> = const { RefCell::new(None) };
}

/// As [`Unpacker::unpack`], for one file.
pub(super) fn unpack(pack: &Bytes, entry: &FileEntry) -> Result<Bytes, String> {
    UNPACKER.with_borrow_mut(|unpacker| {
        let unpacker = match unpacker {
            Some(unpacker) => unpacker,
            None => unpacker.insert(Unpacker::new()?),
        };
        unpacker.unpack(pack, entry)
    })
}

/// Whether a pack holds a file as its manifest says; an error says what is wrong with it. Memory is that of a small file.
pub(super) fn check(pack: &Bytes, file: &FileEntry) -> Result<(), String> {
    if file.size <= WHOLE {
        return unpack(pack, file).map(drop);
    }
    let unpackable = |error: std::io::Error| format!("it cannot be unpacked: {error}");
    let compressed = slice(pack, &Slot::from(file))?;
    let mut reader = zstd::Decoder::new(&compressed[..]).map_err(unpackable)?;
    let (mut hasher, mut piece, mut size) = (Sha256::new(), vec![0; PIECE], 0);
    loop {
        let count = reader.read(&mut piece).map_err(unpackable)?;
        if count == 0 {
            break;
        }
        hasher.update(&piece[..count]);
        size += count as u64;
        if size > file.size {
            break;
        }
    }
    if size == file.size && ContentHash(hasher.finalize().into()) == file.sha256 {
        return Ok(());
    }
    Err("its hash is not what the manifest says".to_owned())
}

/// The compressed bytes of a file.
pub(super) fn slice(pack: &Bytes, place: &Slot) -> Result<Bytes, String> {
    let start = usize::try_from(place.offset).ok();
    let end = place
        .offset
        .checked_add(place.length)
        .and_then(|end| usize::try_from(end).ok());
    match (start, end) {
        (Some(start), Some(end)) if start <= end && end <= pack.len() => Ok(pack.slice(start..end)),
        _ => Err("it lies outside of its pack".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_come_back_and_flipped_bytes_do_not() {
        let zeros = vec![0; 100_000];
        let contents: [&[u8]; 4] = [b"", b"a = 1\n", &zeros, &[7; 3]];
        let (mut builder, mut compressor) = (Builder::default(), Compressor::new().expect("a compressor"));
        for content in contents {
            let compressed = compressor.compress(ContentHash::of(content), content);
            builder.add(compressed.expect("compressed"));
        }
        let pack = builder.finish(7).expect("a pack");
        let entry = |place: &Slot, content: &[u8]| FileEntry {
            length: place.length,
            offset: place.offset,
            pack: place.pack,
            sha256: ContentHash::of(content),
            size: content.len() as u64,
        };
        let mut unpacker = Unpacker::new().expect("an unpacker");
        for ((_, place), content) in pack.contents.iter().zip(contents) {
            let found = unpacker.unpack(&pack.bytes, &entry(place, content));
            assert_eq!(found.as_deref(), Ok(content));
        }
        let (_, place) = &pack.contents[2];
        let mut flipped = pack.bytes.to_vec();
        flipped[usize::try_from(place.offset + place.length / 2).expect("small")] ^= 1;
        let flipped = unpacker.unpack(&flipped.into(), &entry(place, contents[2]));
        flipped.expect_err("a flipped byte");
        let outside = Slot {
            offset: u64::MAX,
            ..*place
        };
        let outside = unpacker.unpack(&pack.bytes, &entry(&outside, contents[2]));
        outside.expect_err("an offset beyond the pack");
        let endless = FileEntry {
            size: u64::MAX,
            ..entry(place, contents[2])
        };
        unpacker
            .unpack(&pack.bytes, &endless)
            .expect_err("more than there is memory for");
    }

    #[test]
    fn a_pack_is_full_at_four_mebibytes_unless_one_file_is_larger() {
        let mut builder = Builder::default();
        assert!(builder.takes(3 * LARGEST));
        let bytes = vec![0; LARGEST - 1];
        builder.add(Compressed {
            sha256: ContentHash::of(b"x"),
            bytes,
        });
        assert!(builder.takes(1) && !builder.takes(2));
    }
}
