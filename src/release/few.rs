//! Few files out of large packs: only their own bytes are fetched.

use std::collections::HashMap;
use std::sync::PoisonError;

use bytes::Bytes;

use super::blob::Piece;
use super::cache::Check;
use super::marker::Blob;
use super::pack::Unpacker;
use super::{ContentHash, FileEntry, Reader};

/// Smaller packs are fetched whole, in bytes.
const LARGE: u64 = 1 << 20;
/// Of a large one at most this share is fetched by itself.
const SHARE: u64 = 8;
/// Files of one pack that are fetched by themselves at once: each is a request in S3.
const AT_ONCE: usize = 16;
/// After so many times all of the pack is fetched: whoever comes again and again will want the rest too.
const TIMES: u32 = 4;

impl Reader {
    /// The contents of those of these files that are better fetched, or are kept on this machine, by themselves. What
    /// goes wrong is left out: reading the whole pack tells what it is.
    pub(super) async fn few(&self, entries: &[Option<FileEntry>]) -> Vec<Option<Bytes>> {
        let mut contents = vec![None; entries.len()];
        let mut of_packs: HashMap<ContentHash, Vec<usize>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            if let Some(entry) = entry {
                of_packs.entry(entry.pack).or_default().push(at);
            }
        }
        let large = self.marker().packs.iter().filter(|pack| pack.size >= LARGE);
        let mut wanted: Vec<(usize, FileEntry, Blob)> = Vec::new();
        for pack in large {
            let files = of_packs.remove(&pack.sha256).unwrap_or_default();
            let files: Vec<_> = files
                .into_iter()
                .filter_map(|at| Some((at, entries[at]?, *pack)))
                .collect();
            if !files.is_empty() && !self.place().local.has(pack) {
                wanted.extend(self.kept(files, &mut contents).await);
            }
        }
        if wanted.is_empty() {
            return contents;
        }
        let piece = |(_, entry, pack): &(usize, FileEntry, Blob)| Piece {
            keyed: self.place().pack(pack),
            start: entry.offset,
            length: entry.length,
        };
        let pieces: Vec<Piece> = wanted.iter().map(piece).collect();
        let (Some(fetched), Ok(mut unpacker)) = (self.place().fetch_pieces(&pieces).await, Unpacker::new()) else {
            return contents;
        };
        let mut fresh = Vec::new();
        for ((at, entry, _), piece) in wanted.into_iter().zip(fetched) {
            let entry = FileEntry { offset: 0, ..entry };
            if let Ok(content) = unpacker.unpack(&piece, &entry) {
                fresh.push((entry.sha256, content.clone(), Check::Whole));
                contents[at] = Some(content);
            }
        }
        self.place().local.keep(fresh).done().await;
        contents
    }

    /// Takes what this machine has of these files of one pack; the rest is returned, if it is to be fetched by itself.
    async fn kept(
        &self,
        files: Vec<(usize, FileEntry, Blob)>,
        contents: &mut [Option<Bytes>],
    ) -> Vec<(usize, FileEntry, Blob)> {
        let blob = |(_, entry, _): &(usize, FileEntry, Blob)| {
            let blob = Blob {
                sha256: entry.sha256,
                size: entry.size,
                parts: 1,
                code: true,
            };
            (blob, Check::Whole)
        };
        let blobs: Vec<(Blob, Check)> = files.iter().map(blob).collect();
        let found = self.place().local.load(&blobs).await;
        let mut rest = Vec::new();
        for (file, found) in files.into_iter().zip(found) {
            match found {
                Some(content) => contents[file.0] = Some(content),
                None => rest.push(file),
            }
        }
        if self.is_little(&rest) { rest } else { Vec::new() }
    }

    fn is_little(&self, files: &[(usize, FileEntry, Blob)]) -> bool {
        let Some((_, _, pack)) = files.first() else {
            return false;
        };
        let bytes: u64 = files.iter().map(|(_, entry, _)| entry.length).sum();
        let pieces = files.iter().all(|(_, entry, _)| entry.length > 0);
        if !pieces || files.len() > AT_ONCE || bytes.saturating_mul(SHARE) > pack.size {
            return false;
        }
        let mut nibbled = self.nibbled.lock().unwrap_or_else(PoisonError::into_inner);
        let times = nibbled.entry(pack.sha256).or_default();
        *times += 1;
        *times <= TIMES
    }
}
