//! Pulling, from the first look to the last.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;

use super::paths;
use super::record::Record;
use super::report::{Report, Since};
use super::staging::{Staging, Target};
use super::standing::{Pulled, Standing};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Reporter, Task};
use crate::interrupt::Interrupt;
use crate::publish::{Meter, PULL_RECORD};
use crate::release::{Entry, Source};

/// How many of a list an error names.
const NAMED: usize = 3;

/// What to pull, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Pull<'a> {
    pub source: &'a Source,
    /// It need not be there.
    pub directory: &'a Path,
    /// Replace a directory that no pull made, or that was changed since.
    pub force: bool,
}

/// Makes the directory hold exactly what the source does, every file checked against its hash, in one step.
///
/// # Errors
/// When a path cannot be a file there, the directory holds what would be lost, the source cannot be read or the
/// directory not be written: it is then as it was.
pub async fn pull(job: &Pull<'_>, reporter: &dyn Reporter, interrupt: &Interrupt) -> Result<Report> {
    let start = Instant::now();
    let files = job.source.list();
    paths::check(&files)?;
    let directory = job.directory.to_owned();
    let target = blocking(move || {
        let target = Target::find(&directory)?;
        target.sweep();
        Ok(target)
    })
    .await?;
    let pulled = look(&target, job).await?;
    let record = Record::of(job.source);
    let bytes = files.values().map(|file| file.size).sum();
    let meter = Meter::new(reporter, Task::Pull, files.len(), Some(bytes));
    let work = Work {
        job,
        files: &files,
        meter: &meter,
        interrupt,
    };
    let since = pulled
        .as_ref()
        .map(|pulled| Since::between(pulled.record.clone(), &record));
    let (fetched, left) = if pulled.as_ref().is_some_and(|pulled| is_the_same(pulled, &record)) {
        (0, None)
    } else {
        work.replace(target.clone(), pulled, record.to_bytes()).await?
    };
    Ok(Report {
        directory: job.directory.to_owned(),
        from: record.from,
        files: files.len() as u64,
        bytes,
        fetched,
        since,
        left,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// What a pull before this one left, unless something would be lost.
async fn look(target: &Target, job: &Pull<'_>) -> Result<Option<Pulled>> {
    let path = target.path.clone();
    let standing = match blocking(move || Standing::of(&path)).await {
        Err(error) if job.force && matches!(*error.kind, ErrorKind::Refused(_)) => Standing::Foreign,
        standing => standing?,
    };
    let shown = job.directory.display();
    match standing {
        Standing::Vacant => Ok(None),
        Standing::Foreign if job.force => Ok(None),
        Standing::Foreign => Err(Error::refused(format!(
            "`{shown}` has something in it that `rstack pull` did not put there"
        ))
        .with_hint("name another directory, or `--force` to replace this one and everything in it")),
        Standing::Pulled(pulled) if pulled.touched.is_empty() || job.force => Ok(Some(pulled)),
        Standing::Pulled(pulled) => {
            let named = pulled.touched.iter().take(NAMED).map(|path| format!("`{path}`"));
            let named = named.collect::<Vec<_>>().join(", ");
            let more = match pulled.touched.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            Err(
                Error::refused(format!("`{shown}` was changed since it was pulled: {named}{more}"))
                    .with_hint("save what you want to keep, for example with `rstack seed`, or `--force` to lose it"),
            )
        }
    }
}

fn is_the_same(pulled: &Pulled, record: &Record) -> bool {
    pulled.touched.is_empty() && pulled.record.from == record.from && pulled.intact == record.files
}

struct Work<'a> {
    job: &'a Pull<'a>,
    files: &'a BTreeMap<String, Entry>,
    meter: &'a Meter<'a>,
    interrupt: &'a Interrupt,
}

impl Work<'_> {
    /// Builds the new directory and puts it in place; how many files were fetched, and what could not be removed.
    async fn replace(&self, target: Target, pulled: Option<Pulled>, record: Vec<u8>) -> Result<(u64, Option<PathBuf>)> {
        let beside = target.clone();
        let staging = blocking(move || Staging::new(&beside)).await?;
        let (mut staging, missing) = self.link(staging, &target, pulled).await?;
        for portion in self.job.source.portions(&missing) {
            self.stop()?;
            let reading = self.job.source.read_many(&portion);
            let contents = tokio::select! {
                contents = reading => contents?,
                () = self.interrupt.wait() => return Err(interrupted()),
            };
            let mut batch: Vec<(String, Bytes)> = Vec::with_capacity(portion.len());
            for (path, content) in portion.iter().zip(contents) {
                let gone = || Error::unexpected(format!("`{path}` is listed, and cannot be read"));
                batch.push(((*path).to_owned(), content.ok_or_else(gone)?));
            }
            let bytes = batch.iter().map(|(_, content)| content.len() as u64).sum();
            staging = blocking(move || {
                for (path, content) in &batch {
                    staging.write(path, content)?;
                }
                Ok(staging)
            })
            .await?;
            self.meter.add(portion.len(), bytes);
        }
        self.stop()?;
        let left = blocking(move || {
            staging.write(PULL_RECORD, &record)?;
            staging.take_place(&target)?;
            Ok(staging.remove())
        });
        Ok((missing.len() as u64, left.await?))
    }

    /// Takes over what the old directory has already; the paths that are to be fetched.
    async fn link(
        &self,
        mut staging: Staging,
        target: &Target,
        pulled: Option<Pulled>,
    ) -> Result<(Staging, Vec<&str>)> {
        let intact = pulled.map(|pulled| pulled.intact).unwrap_or_default();
        let (there, mut missing): (Vec<_>, Vec<_>) = self
            .files
            .iter()
            .partition(|(path, entry)| intact.get(*path) == Some(&entry.sha256));
        let (old, paths) = (
            target.path.clone(),
            there.iter().map(|(path, _)| (*path).clone()).collect::<Vec<_>>(),
        );
        let (staging, linked) = blocking(move || {
            let mut linked = Vec::with_capacity(paths.len());
            for path in &paths {
                linked.push(staging.link(path, &old)?);
            }
            Ok((staging, linked))
        })
        .await?;
        for (file, linked) in there.into_iter().zip(linked) {
            if linked {
                self.meter.add(1, file.1.size);
            } else {
                missing.push(file);
            }
        }
        Ok((staging, missing.into_iter().map(|(path, _)| path.as_str()).collect()))
    }

    fn stop(&self) -> Result<()> {
        if self.interrupt.requested() {
            Err(interrupted())
        } else {
            Ok(())
        }
    }
}

fn interrupted() -> Error {
    ErrorKind::Interrupted("interrupted; the directory is as it was".to_owned()).into()
}

/// Runs file system work where it blocks nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::unexpected(format!("writing files broke off: {error}")))?
}
