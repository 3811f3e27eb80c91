//! The code of modules: bytecode that was published or that this machine kept, or source. What is in memory is unpacked
//! ahead of Python, the rest is fetched in batches.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pyo3::exceptions::PyFileNotFoundError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sha2::{Digest, Sha256};

use super::process::PerProcess;
use super::runtime::{in_background, wait};
use super::source::{Snapshot, Source};
use rstack::error::Result;
use rstack::release::{ContentHash, Entry, LocalCache};

/// Where contents were not fetched with the index, modules below one top-level name are fetched together, up to so many
/// bytes; of more, those of one folder.
const TOGETHER: u64 = 32 << 20;
const SOURCE: &str = ".py";

/// Finds the code of a source's modules for one interpreter.
#[derive(Debug)]
#[pyclass(frozen, module = "rstack._native")]
pub(super) struct Code(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    snapshot: Arc<Snapshot>,
    interpreter: Interpreter,
    fetched: PerProcess<Fetched>,
}

#[derive(Debug)]
struct Interpreter {
    /// What its bytecode begins with.
    magic: Vec<u8>,
    /// Such as "cpython-311".
    tag: String,
    /// Of optimisation: "", "1" or "2".
    level: String,
}

/// What is in memory until it is asked for.
#[derive(Debug, Default)]
struct Fetched {
    groups: tokio::sync::Mutex<HashSet<String>>,
    ahead: Mutex<Ahead>,
}

#[derive(Debug, Default)]
struct Ahead {
    contents: HashMap<String, Bytes>,
    /// Folders whose modules are unpacked ahead, or were.
    folders: HashSet<String>,
    /// Modules of these that somebody had before it was their turn.
    taken: HashSet<String>,
}

impl Fetched {
    /// Held for moments only, and never in a fork: that has its own.
    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Code {
    #[new]
    fn new(source: &Source, magic: Vec<u8>, tag: String, level: String) -> Self {
        Self(Arc::new(Shared {
            snapshot: Arc::clone(&source.0),
            interpreter: Interpreter { magic, tag, level },
            fetched: PerProcess::new(Fetched::default()),
        }))
    }

    /// The code of a module: what it is, its content, and its source where that is something else.
    ///
    /// | what | content |
    /// |---|---|
    /// | "kept" | a `.pyc` that this machine kept |
    /// | "published" | a `.pyc` of the same release; whether it was made of the source is for the caller to see |
    /// | "source" | the source |
    fn load<'py>(&self, py: Python<'py>, path: String) -> PyResult<Told<'py>> {
        let this = Arc::clone(&self.0);
        let mut found = py.detach(|| this.here(&path));
        if found.is_none() {
            let (timeout, path) = (this.snapshot.timeout, path.clone());
            let what = format!("reading `{path}`");
            found = wait(py, timeout, || what, move || this.fetch(path))?;
        }
        let bytes = |content: &Bytes| PyBytes::new(py, content);
        match found {
            Some(Found::Kept(bytecode)) => Ok(("kept", bytes(&bytecode), None)),
            Some(Found::Published(bytecode, source)) => Ok(("published", bytes(&bytecode), Some(bytes(&source)))),
            Some(Found::Source(source)) => Ok(("source", bytes(&source), None)),
            None => Err(PyFileNotFoundError::new_err(path)),
        }
    }

    /// Keeps the bytecode that was made of a module, a `.pyc`, for the next process.
    fn keep(&self, py: Python<'_>, path: &str, bytecode: &[u8]) {
        py.detach(|| {
            if let (Some(cache), Some(entry)) = (self.0.cache(), self.0.snapshot.index.get(path)) {
                cache.keep_bytecode(self.0.key(path, entry), bytecode);
            }
        });
    }

    /// Where the bytecode of a module is kept on this machine, or would be.
    fn kept(&self, path: &str) -> Option<String> {
        let entry = self.0.snapshot.index.get(path)?;
        let kept = self.0.cache()?.bytecode_path(self.0.key(path, entry))?;
        kept.into_os_string().into_string().ok()
    }
}

type Told<'py> = (&'static str, Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>);

#[derive(Debug)]
enum Found {
    Kept(Bytes),
    /// With the source that it says it was made of.
    Published(Bytes, Bytes),
    Source(Bytes),
}

impl Shared {
    /// For bytecode, which lies in its folder.
    fn cache(&self) -> Option<Arc<LocalCache>> {
        self.snapshot.cache()
    }

    /// Of everything that bytecode depends on.
    fn key(&self, path: &str, entry: &Entry) -> ContentHash {
        let Interpreter { magic, tag, level } = &self.interpreter;
        let mut hasher = Sha256::new();
        hasher.update(entry.sha256.0);
        for part in [magic.as_slice(), tag.as_bytes(), level.as_bytes(), path.as_bytes()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        ContentHash(hasher.finalize().into())
    }

    /// What can be had without asking a store.
    fn here(self: &Arc<Self>, path: &str) -> Option<Found> {
        let fetched = self.fetched()?;
        let published = self.published(path);
        {
            // Code is taken once; whoever wants it again reads it again.
            let mut ahead = fetched.ahead();
            if let Some(source) = ahead.contents.remove(path) {
                let bytecode = published.and_then(|published| ahead.contents.remove(published));
                return Some(self.best(source, bytecode));
            }
            ahead.taken.insert(path.to_owned());
        }
        if published.is_none()
            && let Some(kept) = self.kept(path)
        {
            return Some(Found::Kept(kept));
        }
        let source = self.snapshot.at_hand(path)?;
        self.unpack_ahead(fetched, folder(path));
        let bytecode = published.and_then(|published| self.snapshot.at_hand(published));
        Some(self.best(source, bytecode))
    }

    /// While Python runs one module, those beside it are unpacked, which it most likely imports next.
    fn unpack_ahead(self: &Arc<Self>, fetched: &Fetched, folder: &str) {
        if !fetched.ahead().folders.insert(folder.to_owned()) {
            return;
        }
        let (this, folder) = (Arc::clone(self), folder.to_owned());
        let unpack = move || {
            let Some(fetched) = this.fetched() else { return };
            for (path, _) in this.modules(&inside(&folder), |rest| !rest.contains('/')) {
                if fetched.ahead().taken.contains(path) {
                    continue;
                }
                let published = this.published(path);
                let both = [Some(path), published].into_iter().flatten();
                let read = both.filter_map(|path| Some((path.to_owned(), this.snapshot.at_hand(path)?)));
                let read: Vec<_> = read.collect();
                let mut ahead = fetched.ahead();
                if !ahead.taken.contains(path) {
                    ahead.contents.extend(read);
                }
            }
        };
        in_background(unpack);
    }

    fn best(&self, source: Bytes, bytecode: Option<Bytes>) -> Found {
        match bytecode.filter(|bytecode| bytecode.starts_with(&self.interpreter.magic)) {
            Some(bytecode) => Found::Published(bytecode, source),
            None => Found::Source(source),
        }
    }

    fn kept(&self, path: &str) -> Option<Bytes> {
        let entry = self.snapshot.index.get(path)?;
        let content = self.cache()?.bytecode(self.key(path, entry))?;
        content.starts_with(&self.interpreter.magic).then_some(content)
    }

    /// The bytecode that was published with a module, in the same member of the union: who could give the one could give
    /// the other.
    fn published(&self, path: &str) -> Option<&str> {
        let Interpreter { tag, level, .. } = &self.interpreter;
        let (folder, name) = path
            .rsplit_once('/')
            .map_or(("", path), |(folder, name)| (folder, name));
        let stem = name.strip_suffix(SOURCE)?;
        let join = if folder.is_empty() { "" } else { "/" };
        let level = if level.is_empty() {
            String::new()
        } else {
            format!(".opt-{level}")
        };
        let bytecode = format!("{folder}{join}__pycache__/{stem}.{tag}{level}.pyc");
        let (bytecode, entry) = self.snapshot.index.get_key_value(&bytecode)?;
        (self.snapshot.index.get(path)?.member == entry.member).then_some(bytecode)
    }

    /// That of this process. A fork takes over what its parent has fetched, unless it was just being changed.
    fn fetched(&self) -> Option<&Fetched> {
        if let Some(own) = self.fetched.get() {
            return Some(own);
        }
        let inherited = self.fetched.inherited()?.ahead.try_lock();
        let contents = inherited.map(|ahead| ahead.contents.clone()).unwrap_or_default();
        self.fetched.set(Fetched {
            ahead: Mutex::new(Ahead {
                contents,
                ..Ahead::default()
            }),
            ..Fetched::default()
        })
    }

    async fn fetch(self: Arc<Self>, path: String) -> Result<Option<Found>> {
        if self.snapshot.index.get(&path).is_none() {
            return Ok(None);
        }
        // A fork opens it only now.
        self.snapshot.connection().await?;
        if let Some(found) = self.here(&path) {
            return Ok(Some(found));
        }
        self.fetch_group(&path).await?;
        match self.here(&path) {
            Some(found) => Ok(Some(found)),
            None => self.read(&path).await,
        }
    }

    /// Reads one module by itself.
    async fn read(&self, path: &str) -> Result<Option<Found>> {
        let published = self.published(path);
        let wanted: Vec<&str> = [Some(path), published].into_iter().flatten().collect();
        let mut read = self.snapshot.read_many(&wanted).await?.into_iter();
        let (source, bytecode) = (read.next().flatten(), read.next().flatten());
        Ok(source.map(|source| self.best(source, bytecode)))
    }

    /// Reads all that is going to be wanted with a module, once, in one batch.
    async fn fetch_group(&self, path: &str) -> Result<()> {
        let Some(fetched) = self.fetched() else { return Ok(()) };
        let mut groups = fetched.groups.lock().await;
        let (group, wanted) = self.group(path);
        if !groups.insert(group.clone()) {
            return Ok(());
        }
        let read = self.snapshot.read_many(&wanted).await;
        if read.is_err() {
            groups.remove(&group);
        }
        let read = wanted.iter().zip(read?);
        let read = read.filter_map(|(path, content)| Some(((*path).to_owned(), content?)));
        fetched.ahead().contents.extend(read);
        Ok(())
    }

    /// What is fetched together with a module, and its name.
    fn group(&self, path: &str) -> (String, Vec<&str>) {
        let top = path.split_once('/').map_or("", |(top, _)| top);
        let below = inside(top);
        let wanted = self.wanted(&below, |rest| !top.is_empty() || !rest.contains('/'));
        if wanted.iter().map(|(_, entry)| entry.size).sum::<u64>() <= TOGETHER {
            return (below, paths(&wanted));
        }
        let folder = folder(path);
        let wanted = paths(&self.wanted(&inside(folder), |rest| !rest.contains('/')));
        (folder.to_owned(), wanted)
    }

    /// Modules whose path begins so, and goes on in a way that is wanted.
    fn modules(&self, begin: &str, is_wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = (&str, &Entry)> {
        let below = self.snapshot.index.below(begin);
        below.filter(move |(path, _)| path.ends_with(SOURCE) && is_wanted(&path[begin.len()..]))
    }

    /// Modules whose path begins so, and goes on in a way that is wanted, of which no bytecode is kept here; and their
    /// bytecode where it is published.
    fn wanted(&self, begin: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<(&str, &Entry)> {
        let (cache, index) = (self.cache(), &self.snapshot.index);
        let kept = |path: &str, entry: &Entry| {
            cache
                .as_ref()
                .is_some_and(|cache| cache.has_bytecode(self.key(path, entry)))
        };
        let modules = self
            .modules(begin, is_wanted)
            .filter(|(path, entry)| !kept(path, entry));
        let with_bytecode = modules.flat_map(|(path, entry)| {
            let published = self
                .published(path)
                .and_then(|published| index.get_key_value(published));
            [Some((path, entry)), published].into_iter().flatten()
        });
        with_bytecode.collect()
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// How paths inside a folder begin.
fn inside(folder: &str) -> String {
    if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    }
}

fn paths<'i>(wanted: &[(&'i str, &Entry)]) -> Vec<&'i str> {
    wanted.iter().map(|(path, _)| *path).collect()
}
