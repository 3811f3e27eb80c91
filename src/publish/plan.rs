//! What publishing a tree to one store takes.

use super::Publish;
use super::compare::{Difference, differences, since};
use super::index::{Index, refuse_overlap};
use super::ledger::Ledger;
use super::meter::Meter;
use super::report::{Changes, Skipped};
use crate::error::Result;
use crate::event::{Event, Task};
use crate::store::{Store, Version};

pub(super) struct Plan<'a> {
    pub(super) store: &'a dyn Store,
    /// Files that the store can hold, as places in the tree.
    pub(super) wanted: Vec<usize>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) send: Vec<(usize, Difference)>,
    /// Paths that the last publishing put there and this one does not have.
    pub(super) remove: Vec<String>,
    /// The area's ledger as it was found; what is not that any more when writing begins was changed by another.
    pub(super) ledger: Option<Version>,
    /// Names the set of wanted files with their contents.
    pub(super) digest: String,
    pub(super) index: Index,
    /// The index already says what it has to say.
    pub(super) recorded: bool,
}

/// Looks at the area, and refuses one that lies inside another. Writes nothing.
pub(super) async fn plan<'a>(job: &Publish<'a>, store: &'a dyn Store) -> Result<Plan<'a>> {
    let index = Index::load(store).await?;
    refuse_overlap(job.area, job.stack_id, index.areas())?;
    let (wanted, skipped) = fitting(job, store);
    let digest = job.tree.digest_of(&wanted);
    let recorded = index
        .areas()
        .get(job.area.as_str())
        .is_some_and(|record| record.complete && record.stack == job.stack_id && record.digest == digest);
    let mut plan = Plan {
        store,
        wanted,
        skipped,
        send: Vec::new(),
        remove: Vec::new(),
        ledger: None,
        digest,
        index,
        recorded,
    };
    plan.compare(job).await?;
    Ok(plan)
}

impl Plan<'_> {
    /// The area is already what it should be.
    pub(super) fn is_nothing(&self) -> bool {
        self.recorded && self.send.is_empty()
    }

    /// Whether the store is to have this file.
    pub(super) fn wants(&self, job: &Publish<'_>, path: &str) -> bool {
        let place = job.tree.find(path);
        place.is_some_and(|place| self.wanted.binary_search(&place).is_ok())
    }

    /// Finds what to send and what to remove. An area that is said to have all of it is looked through; otherwise the
    /// tree is compared with what the ledger names, and a store that drops values is asked whether they are there.
    async fn compare(&mut self, job: &Publish<'_>) -> Result<()> {
        let store = self.store;
        let by_ledger = !self.recorded;
        let mut ledger = if by_ledger {
            Ledger::load(store, job.area).await?
        } else {
            None
        };
        self.send = match &ledger {
            Some(ledger) if ledger.complete && ledger.stack == job.stack_id => {
                since(&ledger.files, store, job.area, job.tree, &self.wanted).await?
            }
            _ => {
                let task = Task::Compare { store: store.kind() };
                let meter = Meter::new(job.reporter, task, self.wanted.len(), None);
                differences(store, job.area, job.tree, &self.wanted, &meter).await?
            }
        };
        if self.is_nothing() {
            return Ok(());
        }
        if !by_ledger {
            ledger = Ledger::load(store, job.area).await?;
        }
        if let Some(ledger) = ledger {
            self.follow(job, ledger);
        }
        Ok(())
    }

    /// What the last publishing put there and this one does not have goes.
    fn follow(&mut self, job: &Publish<'_>, ledger: Ledger) {
        self.ledger = Some(ledger.version);
        if let Some(damage) = ledger.damage {
            job.reporter.report(&Event::Warning {
                message: format!("{damage}; what the last seed put there and this directory does not have stays"),
                hint: None,
            });
            return;
        }
        if ledger.stack != job.stack_id {
            job.reporter.report(&Event::Warning {
                message: format!(
                    "{}: area `{}` holds files of another environment, which this one replaces ({})",
                    self.store.kind(),
                    job.area,
                    ledger.stack
                ),
                hint: Some("give each environment that shares a store an area of its own with `--area`".to_owned()),
            });
        }
        let paths = ledger.files.into_iter().map(|file| file.path);
        self.remove = paths.filter(|path| !self.wants(job, path)).collect();
    }

    pub(super) fn send_bytes(&self, job: &Publish<'_>) -> u64 {
        self.send
            .iter()
            .map(|(place, _)| job.tree.files()[*place].digest.size)
            .sum()
    }

    pub(super) fn changes(&self, job: &Publish<'_>) -> Changes {
        let mut changes = Changes {
            removed: self.remove.clone(),
            ..Changes::default()
        };
        for (place, difference) in &self.send {
            let path = job.tree.files()[*place].path.to_string();
            match difference {
                Difference::Missing => changes.added.push(path),
                Difference::Changed => changes.changed.push(path),
            }
        }
        changes
    }
}

fn fitting(job: &Publish<'_>, store: &dyn Store) -> (Vec<usize>, Vec<Skipped>) {
    let (mut wanted, mut skipped) = (Vec::with_capacity(job.tree.len()), Vec::new());
    for (place, file) in job.tree.files().iter().enumerate() {
        match store.limit(&job.area.key(&file.path), file.digest.size) {
            None => wanted.push(place),
            Some(limit) => skipped.push(Skipped {
                path: file.path.to_string(),
                size: file.digest.size,
                reason: limit.to_string(),
            }),
        }
    }
    (wanted, skipped)
}
