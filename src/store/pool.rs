//! Work in parallel, bounded in number and in bytes.

use std::future::Future;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::{Put, Puts, StoreResult};

/// How much may be under way at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) jobs: usize,
    /// A job heavier than this runs alone.
    pub(super) bytes: u64,
}

/// Draws jobs while there is room and runs them. The first error stops the drawing; what is in flight still ends.
pub(super) async fn run<T, F>(
    bounds: Bounds,
    jobs: &mut (dyn Iterator<Item = T> + Send),
    weigh: impl Fn(&T) -> u64,
    work: impl Fn(T) -> F,
) -> StoreResult<()>
where
    F: Future<Output = StoreResult<()>>,
{
    let mut running = FuturesUnordered::new();
    let mut bytes = 0;
    let mut held = None;
    let mut result = Ok(());
    loop {
        while result.is_ok() && running.len() < bounds.jobs {
            let Some(job) = held.take().or_else(|| jobs.next()) else {
                break;
            };
            let weight = weigh(&job);
            if bytes + weight > bounds.bytes && !running.is_empty() {
                held = Some(job);
                break;
            }
            bytes += weight;
            let job = work(job);
            running.push(async move { (weight, job.await) });
        }
        let Some((weight, ended)) = running.next().await else {
            return result;
        };
        bytes -= weight;
        result = result.and(ended);
    }
}

/// Groups entries: at most `count` and, unless one alone is larger, `bytes` of values.
pub(super) struct Batches<'a, 'b> {
    puts: &'a mut Puts<'b>,
    held: Option<Put>,
    count: usize,
    bytes: u64,
}

impl<'a, 'b> Batches<'a, 'b> {
    pub(super) fn new(puts: &'a mut Puts<'b>, count: usize, bytes: u64) -> Self {
        Self {
            puts,
            held: None,
            count,
            bytes,
        }
    }
}

impl Iterator for Batches<'_, '_> {
    type Item = Vec<Put>;

    fn next(&mut self) -> Option<Vec<Put>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < self.count {
            let Some(put) = self.held.take().or_else(|| self.puts.next()) else {
                break;
            };
            bytes += put.body.size();
            if bytes > self.bytes && !batch.is_empty() {
                self.held = Some(put);
                break;
            }
            batch.push(put);
        }
        (!batch.is_empty()).then_some(batch)
    }
}

/// In bytes.
pub(super) fn weight(batch: &[Put]) -> u64 {
    batch.iter().map(|put| put.body.size()).sum()
}
