//! Many files out of their packs at once.

use bytes::Bytes;
use futures_util::future::join_all;

use super::FileEntry;
use super::cache::Check;
use super::pack::Unpacker;
use crate::error::{Error, Result};

/// A thread unpacks this much, in bytes of content, before another one helps.
const A_THREAD: u64 = 512 << 10;
const THREADS: u64 = 4;

/// One file to unpack, and where its content belongs.
pub(super) struct Job {
    pub(super) at: usize,
    pub(super) entry: FileEntry,
    pub(super) pack: Bytes,
}

pub(super) type Unpacked = (usize, Result<Bytes, String>);

/// In threads, unless it is little. With [`Check::Whole`] files are not hashed: see [`Place::is_proven`].
///
/// [`Place::is_proven`]: super::place::Place::is_proven
pub(super) async fn unpack(jobs: Vec<Job>, check: Check) -> Result<Vec<Unpacked>> {
    let size: u64 = jobs.iter().map(|job| job.entry.size).sum();
    let threads = (size / A_THREAD).min(THREADS);
    if threads == 0 {
        return Ok(unpack_here(jobs, check));
    }
    let share = size.div_ceil(threads);
    let mut shares = vec![Vec::new()];
    let mut bytes = 0;
    for job in jobs {
        if bytes >= share {
            shares.push(Vec::new());
            bytes = 0;
        }
        bytes += job.entry.size;
        if let Some(last) = shares.last_mut() {
            last.push(job);
        }
    }
    let working = shares
        .into_iter()
        .map(|jobs| tokio::task::spawn_blocking(move || unpack_here(jobs, check)));
    let mut unpacked = Vec::new();
    for done in join_all(working).await {
        unpacked.extend(done.map_err(|error| Error::unexpected(format!("unpacking broke off: {error}")))?);
    }
    Ok(unpacked)
}

/// Contents share buffers of this size, in bytes, so that a large one is not made of many small pieces; one that is
/// larger has its own.
const BUFFER: usize = 256 << 10;

fn unpack_here(jobs: Vec<Job>, check: Check) -> Vec<Unpacked> {
    let mut unpacker = match Unpacker::new() {
        Ok(unpacker) => unpacker,
        Err(error) => return jobs.into_iter().map(|job| (job.at, Err(error.clone()))).collect(),
    };
    let mut done = Vec::with_capacity(jobs.len());
    let mut jobs = jobs.into_iter().peekable();
    while let Some(first) = jobs.next() {
        let mut size = first.size();
        if size > BUFFER {
            done.push((first.at, unpacker.unpack_checking(&first.pack, &first.entry, check)));
            continue;
        }
        let mut together = vec![first];
        while let Some(job) = jobs.next_if(|job| size.saturating_add(job.size()) <= BUFFER) {
            size += job.size();
            together.push(job);
        }
        let mut buffer = vec![0; size];
        let mut rest = &mut buffer[..];
        let mut results = Vec::with_capacity(together.len());
        for job in &together {
            let (here, behind) = rest.split_at_mut(job.size());
            results.push(unpacker.unpack_into(&job.pack, &job.entry, check, here));
            rest = behind;
        }
        let mut buffer = Bytes::from(buffer);
        for (job, result) in together.into_iter().zip(results) {
            let content = buffer.split_to(job.size());
            done.push((job.at, result.map(|()| content)));
        }
    }
    done
}

impl Job {
    fn size(&self) -> usize {
        usize::try_from(self.entry.size).unwrap_or(usize::MAX)
    }
}
