//! From files to packs, made as they are asked for, so that only a few are in memory.

use std::collections::VecDeque;

use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use super::ContentHash;
use super::pack::{Builder, Compressed, Pack};
use crate::error::{Error, Result};
use crate::publish::Tree;
use crate::store::{Body, FileBody};

/// Files that one thread reads and compresses at a time.
const CHUNK: usize = 64;
const CHUNK_BYTES: u64 = 4 << 20;
const THREADS: usize = 4;

/// Packs of `moving` contents and of those files of the tree that `fresh` names, in this order. The same contents
/// always make the same packs, so that what was sent before a crash is not sent under another name.
pub(super) fn packs<'a>(
    tree: &'a Tree,
    fresh: &[usize],
    moving: Vec<Compressed>,
) -> impl Stream<Item = Result<Pack>> + 'a {
    let work: Vec<_> = chunks(tree, fresh)
        .into_iter()
        .map(|files| async move {
            tokio::task::spawn_blocking(move || files.into_iter().map(compress).collect::<Result<Vec<_>>>())
                .await
                .map_err(|error| Error::unexpected(format!("compressing files broke off: {error}")))?
        })
        .collect();
    let state = State {
        compressed: stream::iter(work).buffered(THREADS).boxed(),
        waiting: moving.into(),
        pack: Builder::default(),
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
                if let Some(full) = std::mem::take(&mut self.pack).finish() {
                    return Ok(Some((full, Some(self))));
                }
            }
            match self.compressed.try_next().await? {
                Some(files) => self.waiting.extend(files),
                None => return Ok(self.pack.finish().map(|last| (last, None))),
            }
        }
    }
}

fn chunks(tree: &Tree, fresh: &[usize]) -> Vec<Vec<(ContentHash, Body)>> {
    let mut chunks = Vec::new();
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    for place in fresh {
        let file = &tree.files()[*place];
        if chunk.len() == CHUNK || (bytes + file.digest.size > CHUNK_BYTES && !chunk.is_empty()) {
            chunks.push(std::mem::take(&mut chunk));
            bytes = 0;
        }
        bytes += file.digest.size;
        chunk.push((ContentHash(file.digest.sha256), tree.body(file)));
    }
    chunks.push(chunk);
    chunks
}

fn compress((sha256, body): (ContentHash, Body)) -> Result<Compressed> {
    let unpackable = |error| Error::unexpected(format!("compressing a file failed: {error}"));
    match body {
        Body::Bytes(content) => Compressed::new(sha256, &content).map_err(unpackable),
        Body::File(FileBody { path, digest }) => {
            let content = std::fs::read(&path).map_err(|error| Error::file("read", &path, error))?;
            if !digest.matches(&content) {
                return Err(
                    Error::refused(format!("`{}` changed while it was being read", path.display()))
                        .with_hint("let it rest and run the same command again"),
                );
            }
            Compressed::new(sha256, &content).map_err(unpackable)
        }
    }
}
