//! Carrying out a plan at one store.

use super::compare::differences;
use super::index;
use super::ledger::{Entry, Files};
use super::meter::Meter;
use super::plan::Plan;
use super::{AreaRecord, Publish};
use crate::event::Task;
use crate::store::{Put, StoreError, StoreErrorKind, StoreResult, Swap, Version};
use crate::time::Timestamp;

/// Keys removed at a time.
const BATCH: usize = 1000;

/// How carrying out a plan ended.
#[derive(Debug)]
pub(super) enum Ending {
    Done,
    Raced,
    Interrupted,
    Failed(StoreError),
}

/// What was done, whatever the ending.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sent {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) removed: u64,
}

pub(super) struct Sending<'a> {
    pub(super) job: &'a Publish<'a>,
    pub(super) plan: &'a Plan<'a>,
    /// Names this run, so that its ledger is unlike any other.
    pub(super) run: &'a str,
}

impl Sending<'_> {
    pub(super) async fn carry_out(&self) -> (Sent, Ending) {
        let mut sent = Sent::default();
        if self.plan.is_nothing() {
            return (sent, Ending::Done);
        }
        let ending = self.steps(&mut sent).await.unwrap_or_else(Ending::Failed);
        (sent, ending)
    }

    async fn steps(&self, sent: &mut Sent) -> StoreResult<Ending> {
        let (store, job) = (self.plan.store, self.job);
        // The index first: whoever looks for this stack's keys must find the area, however far we come.
        index::record(store, job.area, &self.record(false)).await?;
        let Some(begun) = self.write_ledger(self.plan.ledger.as_ref(), false).await? else {
            return Ok(Ending::Raced);
        };
        self.send(sent).await?;
        if job.interrupt.requested() {
            return Ok(Ending::Interrupted);
        }
        self.check().await?;
        self.remove(sent).await?;
        if job.interrupt.requested() && sent.removed < self.plan.remove.len() as u64 {
            return Ok(Ending::Interrupted);
        }
        if self.write_ledger(Some(&begun), true).await?.is_none() {
            return Ok(Ending::Raced);
        }
        index::record(store, job.area, &self.record(true)).await?;
        Ok(Ending::Done)
    }

    fn record(&self, complete: bool) -> AreaRecord {
        let files = self.job.tree.files();
        AreaRecord {
            stack: self.job.stack_id.to_owned(),
            time: Timestamp::now(),
            files: self.plan.wanted.len() as u64,
            bytes: self.plan.wanted.iter().map(|place| files[*place].digest.size).sum(),
            digest: self.plan.digest.clone(),
            complete,
        }
    }

    /// `None` when another publishing wrote it in between.
    async fn write_ledger(&self, expected: Option<&Version>, complete: bool) -> StoreResult<Option<Version>> {
        let files = Files {
            tree: self.job.tree,
            wanted: &self.plan.wanted,
            removing: if complete { &[] } else { &self.plan.remove },
        };
        let ledger = Entry::new(self.job.stack_id, self.run, complete, files).to_bytes();
        let key = self.job.area.ledger_key();
        match self.plan.store.compare_and_set(&key, expected, ledger).await? {
            Swap::Done(version) => Ok(Some(version)),
            Swap::Conflict => Ok(None),
        }
    }

    async fn send(&self, sent: &mut Sent) -> StoreResult<()> {
        let (store, job) = (self.plan.store, self.job);
        let task = Task::Send { store: store.kind() };
        let meter = Meter::new(
            job.reporter,
            task,
            self.plan.send.len(),
            Some(self.plan.send_bytes(job)),
        );
        // Ends early when a stop is asked for; what is in flight then still arrives.
        let mut puts = self
            .plan
            .send
            .iter()
            .take_while(|_| !job.interrupt.requested())
            .map(|(place, _)| {
                let file = &job.tree.files()[*place];
                Put {
                    key: job.area.key(&file.path),
                    body: job.tree.body(file),
                }
            });
        let result = store.put_many(&mut puts, &|_, size| meter.add(1, size)).await;
        (sent.files, sent.bytes) = meter.so_far();
        result
    }

    /// Reads back what was sent.
    async fn check(&self) -> StoreResult<()> {
        let (store, job) = (self.plan.store, self.job);
        let which: Vec<usize> = self.plan.send.iter().map(|(place, _)| *place).collect();
        let meter = Meter::new(job.reporter, Task::Check { store: store.kind() }, which.len(), None);
        let different = differences(store, job.area, job.tree, &which, &meter).await?;
        let Some((first, _)) = different.first() else {
            return Ok(());
        };
        let message = format!(
            "read back after sending, {} of {} files are not what was sent; another publishing may be going on",
            different.len(),
            which.len()
        );
        let key = job.area.key(&job.tree.files()[*first].path);
        Err(StoreError::new(store.kind(), StoreErrorKind::Corrupt, message).at(key))
    }

    async fn remove(&self, sent: &mut Sent) -> StoreResult<()> {
        let (store, job) = (self.plan.store, self.job);
        let meter = Meter::new(
            job.reporter,
            Task::Remove { store: store.kind() },
            self.plan.remove.len(),
            None,
        );
        for paths in self.plan.remove.chunks(BATCH) {
            if job.interrupt.requested() {
                break;
            }
            let keys: Vec<String> = paths.iter().map(|path| job.area.key(path)).collect();
            store.delete_many(&keys).await?;
            sent.removed += keys.len() as u64;
            meter.add(keys.len(), 0);
        }
        Ok(())
    }
}
