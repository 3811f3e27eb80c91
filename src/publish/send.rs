//! Carrying out a plan at one store.

use super::compare::differences;
use super::index::{self, Index};
use super::ledger::{Entry, Files, Ledger};
use super::meter::Meter;
use super::plan::Plan;
use super::{AreaRecord, Publish};
use crate::event::Task;
use crate::store::{Put, StoreError, StoreErrorKind, StoreResult, Swap, Version};
use crate::time::Timestamp;

/// Keys removed at a time.
const BATCH: usize = 1000;
/// How often it is tried to note in the ledger that two came together.
const ADMISSIONS: u32 = 5;

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
        let (store, area) = (self.plan.store, self.job.area);
        // The index first: whoever looks for this stack's keys must find the area, however far we come.
        let mut index = self.plan.index.clone();
        index.record(store, area, &self.record(false)).await?;
        let Some(begun) = self.write_ledger(self.plan.ledger.as_ref(), false).await? else {
            return Ok(Ending::Raced);
        };
        let ending = self.work(sent, &begun).await.unwrap_or_else(Ending::Failed);
        if matches!(ending, Ending::Done) {
            index.record(store, area, &self.record(true)).await?;
            return Ok(ending);
        }
        let found = match Ledger::load(store, area).await {
            Ok(found) if found.as_ref().is_none_or(|ledger| ledger.version != begun) => found,
            // Still ours; or the store is lost, which is what to tell.
            _ => return Ok(ending),
        };
        self.admit(found).await?;
        Ok(match ending {
            Ending::Interrupted => Ending::Interrupted,
            _ => Ending::Raced,
        })
    }

    async fn work(&self, sent: &mut Sent, begun: &Version) -> StoreResult<Ending> {
        self.send(sent).await?;
        if self.job.interrupt.requested() {
            return Ok(Ending::Interrupted);
        }
        self.check().await?;
        self.remove(sent).await?;
        if sent.removed < self.plan.remove.len() as u64 {
            return Ok(Ending::Interrupted);
        }
        let ended = self.write_ledger(Some(begun), true).await?;
        Ok(if ended.is_some() { Ending::Done } else { Ending::Raced })
    }

    /// Another publishing wrote the ledger while this one was sending: the area is now a mixture. The ledger has to
    /// say so, and to name the files of both, or the next publishing would take it for complete.
    async fn admit(&self, mut found: Option<Ledger>) -> StoreResult<()> {
        let (store, job) = (self.plan.store, self.job);
        for _ in 0..ADMISSIONS {
            let version = found.as_ref().map(|ledger| ledger.version.clone());
            let named = found.into_iter().flat_map(|ledger| ledger.files);
            let mut others: Vec<String> = named.map(|file| file.path).collect();
            others.extend(self.plan.remove.iter().cloned());
            others.retain(|path| !self.plan.wants(job, path));
            others.sort_unstable();
            others.dedup();
            let files = Files::Sent {
                tree: job.tree,
                wanted: &self.plan.wanted,
                removing: &others,
            };
            if self.swap_ledger(version.as_ref(), false, files).await?.is_some() {
                let mut index = Index::load(store).await?;
                return index.record(store, job.area, &self.record(false)).await;
            }
            found = Ledger::load(store, job.area).await?;
        }
        // Others keep writing it: each of them will find that it was overtaken, and say so in its turn.
        Ok(())
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
        let files = Files::Sent {
            tree: self.job.tree,
            wanted: &self.plan.wanted,
            removing: if complete { &[] } else { &self.plan.remove },
        };
        self.swap_ledger(expected, complete, files).await
    }

    async fn swap_ledger(
        &self,
        expected: Option<&Version>,
        complete: bool,
        files: Files<'_>,
    ) -> StoreResult<Option<Version>> {
        let key = self.job.area.ledger_key();
        let entry = Entry::new(self.job.stack_id, self.run, complete, files);
        let ledger = entry
            .to_bytes()
            .map_err(|error| index::unwritable(self.plan.store, &key, &error))?;
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
            "read back after sending, {} of {} files are not what was sent",
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
