//! From files to packs, made as they are asked for, so that only a few are in memory.

use std::collections::VecDeque;
use std::ops::Range;

use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use super::ContentHash;
use super::pack::{Builder, Compressed, Compressor, Pack};
use crate::error::{Error, Result};
use crate::publish::{Tree, read_body};
use crate::store::Body;

/// Files that one thread reads and compresses at a time.
const CHUNK: usize = 64;
const CHUNK_BYTES: u64 = 1 << 20;
const THREADS: usize = 2;

/// Packs of `moving` contents and of those files of the tree that `fresh` names, in this order. The same contents
/// of the same epoch always make the same packs, so that what was sent before a crash is not sent under another name.
pub(super) fn packs(
    tree: &Tree,
    fresh: Vec<usize>,
    moving: Vec<Compressed>,
    epoch: u64,
) -> impl Stream<Item = Result<Pack>> {
    let work = chunks(tree, &fresh).into_iter().map(move |chunk| {
        let files = chunk.map(|at| &tree.files()[fresh[at]]);
        let bodies: Vec<_> = files
            .map(|file| (ContentHash(file.digest.sha256), tree.body(file)))
            .collect();
        async move {
            tokio::task::spawn_blocking(move || compress(bodies))
                .await
                .map_err(|error| Error::unexpected(format!("compressing files broke off: {error}")))?
        }
    });
    let state = State {
        compressed: stream::iter(work).buffered(THREADS).boxed(),
        waiting: moving.into(),
        pack: Builder::default(),
        epoch,
    };
    stream::try_unfold(Some(state), |state| async {
        match state {
            Some(state) => state.next().await,
            None => Ok(None),
        }
    })
}

struct State<'a> {
    compressed: BoxStream<'a, Result<Vec<Compressed>>>,
    waiting: VecDeque<Compressed>,
    pack: Builder,
    /// See [`Builder::finish`].
    epoch: u64,
}

impl State<'_> {
    async fn next(mut self) -> Result<Option<(Pack, Option<Self>)>> {
        loop {
            while let Some(file) = self.waiting.pop_front() {
                if self.pack.takes(file.bytes.len()) {
                    self.pack.add(file);
                    continue;
                }
                self.waiting.push_front(file);
                if let Some(full) = std::mem::take(&mut self.pack).finish(self.epoch) {
                    return Ok(Some((full, Some(self))));
                }
            }
            match self.compressed.try_next().await? {
                Some(files) => self.waiting.extend(files),
                None => return Ok(self.pack.finish(self.epoch).map(|last| (last, None))),
            }
        }
    }
}

fn chunks(tree: &Tree, fresh: &[usize]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, place) in fresh.iter().enumerate() {
        let size = tree.files()[*place].digest.size;
        if at - start == CHUNK || (bytes + size > CHUNK_BYTES && at > start) {
            chunks.push(start..at);
            (start, bytes) = (at, 0);
        }
        bytes += size;
    }
    chunks.push(start..fresh.len());
    chunks
}

fn compress(files: Vec<(ContentHash, Body)>) -> Result<Vec<Compressed>> {
    let unpackable = |error| Error::unexpected(format!("compressing a file failed: {error}"));
    let mut compressor = Compressor::new().map_err(unpackable)?;
    let compressed = files.into_iter().map(|(sha256, body)| {
        let content = read_body(body)?;
        compressor.compress(sha256, &content).map_err(unpackable)
    });
    compressed.collect()
}
