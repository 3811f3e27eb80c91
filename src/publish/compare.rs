//! What differs between a tree and an area: asked before sending, and again afterwards.

use futures_util::stream::FuturesOrdered;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::ledger::Named;
use super::meter::Meter;
use super::{Area, Tree};
use crate::store::{Listed, Store, StoreResult};

/// Values of a chunk that are in memory together.
const CHUNK: usize = 100;
const CHUNK_BYTES: u64 = 1 << 20;
const CHUNKS_AT_ONCE: usize = 4;
const QUESTIONS_AT_ONCE: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    /// The store has no such file.
    Missing,
    /// It has another content.
    Changed,
}

/// Of the files `which` (places in the tree, ascending), those that the area does not hold as they are. A store whose
/// listing tells sizes is listed, any other is read.
pub(super) async fn differences(
    store: &dyn Store,
    area: &Area,
    tree: &Tree,
    which: &[usize],
    meter: &Meter<'_>,
) -> StoreResult<Vec<(usize, Difference)>> {
    if which.is_empty() {
        Ok(Vec::new())
    } else if store.lists_sizes() {
        by_listing(store, area, tree, which, meter).await
    } else {
        by_reading(store, area, tree, which, meter).await
    }
}

/// The same by what a ledger names. A store that may have dropped some of it is asked only for that.
pub(super) async fn since(
    named: &[Named],
    store: &dyn Store,
    area: &Area,
    tree: &Tree,
    which: &[usize],
) -> StoreResult<Vec<(usize, Difference)>> {
    let mut verdicts = vec![Verdict::Missing; which.len()];
    for file in named {
        let at = tree.find(&file.path).and_then(|place| which.binary_search(&place).ok());
        if let Some(at) = at {
            let digest = &tree.files()[which[at]].digest;
            let same = file.held == Some((digest.sha256, digest.size));
            verdicts[at] = if same { Verdict::Same } else { Verdict::Changed };
        }
    }
    if !store.kind().durable() {
        let same: Vec<usize> = (0..which.len()).filter(|at| verdicts[*at] == Verdict::Same).collect();
        let key = |at: &usize| area.key(&tree.files()[which[*at]].path);
        let keys: Vec<String> = same.iter().map(key).collect();
        for (at, there) in same.into_iter().zip(store.are_there(&keys).await?) {
            if !there {
                verdicts[at] = Verdict::Missing;
            }
        }
    }
    Ok(different(which, verdicts))
}

fn different(which: &[usize], verdicts: Vec<Verdict>) -> Vec<(usize, Difference)> {
    let different = which.iter().zip(verdicts).filter_map(|(place, verdict)| match verdict {
        Verdict::Missing => Some((*place, Difference::Missing)),
        Verdict::Changed => Some((*place, Difference::Changed)),
        Verdict::Same | Verdict::Unproven => None,
    });
    different.collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Missing,
    Changed,
    Same,
    /// Same size; the listing cannot tell more.
    Unproven,
}

async fn by_listing(
    store: &dyn Store,
    area: &Area,
    tree: &Tree,
    which: &[usize],
    meter: &Meter<'_>,
) -> StoreResult<Vec<(usize, Difference)>> {
    let mut verdicts = vec![Verdict::Missing; which.len()];
    let mut pages = store.list(&area.key(common_prefix(tree, which)));
    while let Some(page) = pages.try_next().await? {
        let mut matched = 0;
        for found in &page {
            let place = area.path(&found.key).and_then(|path| tree.find(path));
            let Some(at) = place.and_then(|place| which.binary_search(&place).ok()) else {
                continue;
            };
            verdicts[at] = judge(tree, which[at], found);
            matched += 1;
        }
        meter.add(matched, 0);
    }
    let questions: Vec<_> = (0..which.len())
        .filter(|at| verdicts[*at] == Verdict::Unproven)
        .map(|at| {
            let file = &tree.files()[which[at]];
            async move { Ok((at, store.holds(&area.key(&file.path), &file.digest).await?)) }
        })
        .collect();
    let answers: Vec<(usize, bool)> = stream::iter(questions)
        .buffer_unordered(QUESTIONS_AT_ONCE)
        .try_collect()
        .await?;
    for (at, same) in answers {
        verdicts[at] = if same { Verdict::Same } else { Verdict::Changed };
    }
    meter.add(
        verdicts.iter().filter(|verdict| **verdict == Verdict::Missing).count(),
        0,
    );
    Ok(different(which, verdicts))
}

fn judge(tree: &Tree, place: usize, found: &Listed) -> Verdict {
    let digest = &tree.files()[place].digest;
    if found.size.is_some_and(|size| size != digest.size) {
        Verdict::Changed
    } else if found.md5.is_some() && found.md5 == digest.md5 {
        Verdict::Same
    } else {
        Verdict::Unproven
    }
}

/// What the paths begin with, all of them; the first and the last of a sorted list tell.
fn common_prefix<'t>(tree: &'t Tree, which: &[usize]) -> &'t str {
    let path = |place: Option<&usize>| place.map_or("", |place| &*tree.files()[*place].path);
    let (first, last) = (path(which.first()), path(which.last()));
    let same = first.char_indices().zip(last.chars()).take_while(|((_, a), b)| a == b);
    let end = same.last().map_or(0, |((at, c), _)| at + c.len_utf8());
    &first[..end]
}

async fn by_reading(
    store: &dyn Store,
    area: &Area,
    tree: &Tree,
    which: &[usize],
    meter: &Meter<'_>,
) -> StoreResult<Vec<(usize, Difference)>> {
    let mut chunks = chunks(tree, which).into_iter();
    let mut reading = FuturesOrdered::new();
    let mut different = Vec::new();
    loop {
        while reading.len() < CHUNKS_AT_ONCE
            && let Some(chunk) = chunks.next()
        {
            reading.push_back(read_chunk(store, area, tree, chunk, meter));
        }
        match reading.next().await {
            Some(found) => different.extend(found?),
            None => return Ok(different),
        }
    }
}

async fn read_chunk(
    store: &dyn Store,
    area: &Area,
    tree: &Tree,
    chunk: &[usize],
    meter: &Meter<'_>,
) -> StoreResult<Vec<(usize, Difference)>> {
    let keys: Vec<String> = chunk.iter().map(|place| area.key(&tree.files()[*place].path)).collect();
    let values = store.get_many(&keys).await?;
    let mut different = Vec::new();
    for (place, value) in chunk.iter().zip(values) {
        match value {
            None => different.push((*place, Difference::Missing)),
            Some(value) if !tree.files()[*place].digest.matches(&value) => {
                different.push((*place, Difference::Changed));
            }
            Some(_) => {}
        }
    }
    meter.add(chunk.len(), 0);
    Ok(different)
}

fn chunks<'w>(tree: &Tree, which: &'w [usize]) -> Vec<&'w [usize]> {
    let mut chunks = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, place) in which.iter().enumerate() {
        let size = tree.files()[*place].digest.size;
        if at > start && (at - start == CHUNK || bytes + size > CHUNK_BYTES) {
            chunks.push(&which[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += size;
    }
    chunks.push(&which[start..]);
    chunks
}
