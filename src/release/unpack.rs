//! Many files out of their packs at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::vec;

use bytes::Bytes;
use futures_util::future::join_all;

use super::FileEntry;
use super::cache::Check;
use super::pack::Unpacker;
use crate::error::{Error, Result};

/// A thread unpacks this much, in bytes of content, before another one helps.
const A_THREAD: u64 = 512 << 10;
const THREADS: u64 = 4;

/// Contents share buffers of this size, in bytes, so that a large one is not made of many small pieces; one that is
/// larger has its own. Threads take one such lot after the other, so that none has nothing to do while another has much.
const BUFFER: usize = 256 << 10;

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
    let lots = Mutex::new(lots(jobs).into_iter());
    if threads == 0 {
        return Ok(unpack_lots(&lots, check));
    }
    let lots = Arc::new(lots);
    let working = (0..threads).map(|_| {
        let lots = Arc::clone(&lots);
        tokio::task::spawn_blocking(move || unpack_lots(&lots, check))
    });
    let mut unpacked = Vec::new();
    for done in join_all(working).await {
        unpacked.extend(done.map_err(|error| Error::unexpected(format!("unpacking broke off: {error}")))?);
    }
    Ok(unpacked)
}

/// Jobs that share a buffer, or one that has its own.
fn lots(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut lots: Vec<Vec<Job>> = Vec::new();
    let mut room = 0;
    for job in jobs {
        let size = job.size();
        if let Some(lot) = lots.last_mut().filter(|_| 0 < room && size <= room) {
            lot.push(job);
        } else {
            room = BUFFER.max(size);
            lots.push(vec![job]);
        }
        room -= size;
    }
    lots
}

fn unpack_lots(lots: &Mutex<vec::IntoIter<Vec<Job>>>, check: Check) -> Vec<Unpacked> {
    let next = || lots.lock().unwrap_or_else(PoisonError::into_inner).next();
    let mut unpacker = Unpacker::new();
    let mut done = Vec::new();
    while let Some(lot) = next() {
        match &mut unpacker {
            Ok(unpacker) => unpack_lot(unpacker, lot, check, &mut done),
            Err(error) => done.extend(lot.into_iter().map(|job| (job.at, Err(error.clone())))),
        }
    }
    done
}

fn unpack_lot(unpacker: &mut Unpacker, lot: Vec<Job>, check: Check, done: &mut Vec<Unpacked>) {
    if let [job] = lot.as_slice() {
        done.push((job.at, unpacker.unpack_checking(&job.pack, &job.entry, check)));
        return;
    }
    let mut buffer = vec![0; lot.iter().map(Job::size).sum()];
    let mut rest = &mut buffer[..];
    let mut results = Vec::with_capacity(lot.len());
    for job in &lot {
        let (here, behind) = rest.split_at_mut(job.size());
        results.push(unpacker.unpack_into(&job.pack, &job.entry, check, here));
        rest = behind;
    }
    let mut buffer = Bytes::from(buffer);
    for (job, result) in lot.into_iter().zip(results) {
        let content = buffer.split_to(job.size());
        done.push((job.at, result.map(|()| content)));
    }
}

impl Job {
    fn size(&self) -> usize {
        usize::try_from(self.entry.size).unwrap_or(usize::MAX)
    }
}
