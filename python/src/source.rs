//! `rstack.Source`: a source, opened for a process and its forks.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pyo3::exceptions::{PyFileNotFoundError, PyIsADirectoryError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::index::Index;
use super::process::PerProcess;
use super::runtime::wait;
use super::told::{Change, Member, Move};
use super::world::{self, World};
use rstack::error::{Error, Result};
use rstack::release::{ContentHash, Entry, LocalCache, Member as OpenMember, Source as Opened, SourceUrl};
use rstack::settings::Settings;

/// What a process has opened.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) world: World,
    pub(super) source: Opened,
    /// By its pins, so that it knows nothing newer.
    is_pinned: bool,
}

impl Connection {
    async fn open(url: &SourceUrl, settings: &Settings) -> Result<Self> {
        let world = World::of(url, settings).await?;
        let source = world.open(url).await?;
        Ok(Self {
            world,
            source,
            is_pinned: false,
        })
    }

    async fn reopen(pinned: &str) -> Result<Self> {
        let (url, settings) = world::parse(Some(pinned), None)?;
        let connection = Self::open(&url, &settings).await?;
        Ok(Self {
            is_pinned: true,
            ..connection
        })
    }

    /// To what is the newest now.
    async fn advance(&self, typed: &SourceUrl, settings: &Settings) -> Result<Self> {
        if self.is_pinned {
            return Self::open(typed, settings).await;
        }
        Ok(Self {
            source: self.world.advance(&self.source).await?,
            world: World::of(typed, settings).await?,
            is_pinned: false,
        })
    }
}

/// A source as it was when it was opened. All but `connections` is plain memory, which forks may use as well.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// As it was typed.
    typed: SourceUrl,
    pinned: String,
    pub(super) members: Vec<Member>,
    pub(super) index: Index,
    pub(super) timeout: Duration,
    connections: PerProcess<Arc<Connection>>,
}

impl Snapshot {
    fn new(typed: SourceUrl, connection: Connection, timeout: Duration) -> Self {
        let source = &connection.source;
        let index = Index::new(source.list());
        Self {
            typed,
            pinned: source.pinned(),
            members: source
                .opened()
                .map(|(location, member)| Member::of(location, member))
                .collect(),
            index,
            timeout,
            connections: PerProcess::new(Arc::new(connection)),
        }
    }

    /// The connection of this process; a fork makes one of its own, to the same releases.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>> {
        if let Some(connection) = self.connections.get() {
            return Ok(Arc::clone(connection));
        }
        let connection = Arc::new(Connection::reopen(&self.pinned).await?);
        Ok(self
            .connections
            .set(Arc::clone(&connection))
            .map_or(connection, Arc::clone))
    }

    /// That of this process, else that of the nearest ancestor, for what takes neither its threads nor its sockets.
    fn nearest(&self) -> Option<&Arc<Connection>> {
        self.connections.get().or_else(|| self.connections.inherited())
    }

    /// What this machine keeps. In a fork it is its parent's, of which only the folder may be used.
    pub(super) fn cache(&self) -> Option<Arc<LocalCache>> {
        self.nearest().map(|connection| Arc::clone(connection.world.cache()))
    }

    /// The content of a path that this process has in memory, a fork from its parent, or in a folder.
    pub(super) fn at_hand(&self, path: &str) -> Option<Bytes> {
        let content = self.nearest()?.source.at_hand(path)?;
        self.check(path, Some(&content)).ok()?;
        Some(content)
    }

    /// The contents of these paths, in their order, as the index knows them.
    pub(super) async fn read_many(&self, paths: &[&str]) -> Result<Vec<Option<Bytes>>> {
        let connection = self.connection().await?;
        let contents = connection.source.read_many(paths).await?;
        for (path, content) in paths.iter().zip(&contents) {
            self.check(path, content.as_ref())?;
        }
        Ok(contents)
    }

    /// What has no releases may have changed before a fork opened it again.
    fn check(&self, path: &str, content: Option<&Bytes>) -> Result<()> {
        let Some(entry) = self.index.get(path) else {
            return Ok(());
        };
        let is_pinned = || {
            self.members
                .get(entry.member)
                .is_some_and(|member| member.release.is_some())
        };
        match content {
            Some(content) if is_pinned() || ContentHash::of(content) == entry.sha256 => Ok(()),
            _ => Err(
                Error::refused(format!("`{path}` of {} changed since it was opened", self.typed))
                    .with_hint("publish releases, which do not change under their readers"),
            ),
        }
    }

    /// Which release a path comes from, in words.
    fn named(&self, path: &str) -> String {
        let entry = self.index.get(path);
        let member = entry.and_then(|entry| self.members.get(entry.member));
        member.map_or_else(|| self.typed.to_string(), Member::named)
    }
}

/// A source, as it was when it was opened: whatever is published meanwhile, it stays the same.
#[derive(Debug)]
#[pyclass(frozen, module = "rstack")]
pub(super) struct Source(pub(super) Arc<Snapshot>);

/// Opens a source: an area of an environment, a URL, a folder, or several of them joined by `;`. What is `pinned` is
/// opened in its place until it advances.
#[pyfunction]
#[pyo3(signature = (source=None, *, at=None, timeout=30.0, pinned=None))]
pub(super) fn open(
    py: Python<'_>,
    source: Option<String>,
    at: Option<String>,
    timeout: f64,
    pinned: Option<String>,
) -> PyResult<Source> {
    let timeout = Duration::try_from_secs_f64(timeout)
        .map_err(|_| PyValueError::new_err(format!("the timeout is {timeout}: expected seconds")))?;
    let asked = (source.clone(), at.clone());
    let what = move || {
        // Parsed again, since what was typed may have a password in it.
        let parsed = world::parse(asked.0.as_deref(), asked.1.as_deref());
        parsed.map_or_else(|_| "opening the source".to_owned(), |(url, _)| format!("opening {url}"))
    };
    let work = move || async move {
        let (url, settings) = world::parse(source.as_deref(), at.as_deref())?;
        let connection = match pinned {
            Some(pinned) => Connection::reopen(&pinned).await?,
            None => Connection::open(&url, &settings).await?,
        };
        Ok(Snapshot::new(url, connection, timeout))
    };
    wait(py, timeout, what, work).map(|snapshot| Source(Arc::new(snapshot)))
}

#[pymethods]
impl Source {
    /// Without passwords.
    #[getter]
    fn url(&self) -> String {
        self.0.typed.to_string()
    }

    /// Opens the same releases in another process. May hold passwords.
    #[getter]
    fn pinned(&self) -> &str {
        &self.0.pinned
    }

    /// What was opened, in the order of the union.
    #[getter]
    fn members(&self) -> Vec<Member> {
        self.0.members.clone()
    }

    /// Tells sources with different files apart: hexadecimal digits.
    #[getter]
    fn digest(&self) -> String {
        self.0.index.digest()
    }

    /// Puts every file into a folder on this machine that is named after them all, and tells where it is.
    fn materialise(&self, py: Python<'_>) -> PyResult<String> {
        let this = Arc::clone(&self.0);
        let work = move || async move {
            let connection = this.connection().await?;
            let folder = connection.world.cache().tree(&this.index.digest()).ok_or_else(|| {
                Error::refused("there is no folder to put files into")
                    .with_hint("name one with RSTACK_CACHE that only you may write to")
            })?;
            connection.world.pull(&connection.source, &folder).await?;
            let shown = folder.display().to_string();
            folder.into_os_string().into_string().map_err(|_| {
                Error::refused(format!("`{shown}` is not UTF-8")).with_hint("name another folder with RSTACK_CACHE")
            })
        };
        let what = || format!("putting the files of {} into a folder", self.0.typed);
        wait(py, self.0.timeout, what, work)
    }

    /// The content of a path.
    fn read<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyBytes>> {
        let content = self.contents(py, vec![path.to_owned()])?.pop().flatten();
        match content {
            Some(content) => Ok(PyBytes::new(py, &content)),
            None if self.0.index.is_folder(path) => Err(PyIsADirectoryError::new_err(format!(
                "`{path}` is a folder in {}",
                self.0.typed
            ))),
            None => Err(PyFileNotFoundError::new_err(format!(
                "there is no `{path}` in {}",
                self.0.typed
            ))),
        }
    }

    /// The contents of these paths, in their order, read in one batch; None where there is none.
    fn read_many<'py>(&self, py: Python<'py>, paths: Vec<String>) -> PyResult<Vec<Option<Bound<'py, PyBytes>>>> {
        let contents = self.contents(py, paths)?;
        Ok(contents
            .into_iter()
            .map(|content| Some(PyBytes::new(py, &content?)))
            .collect())
    }

    /// Every path that begins so, in order.
    #[pyo3(signature = (prefix=""))]
    fn list(&self, prefix: &str) -> Vec<&str> {
        self.0.index.below(prefix).map(|(path, _)| path).collect()
    }

    fn exists(&self, path: &str) -> bool {
        self.0.index.get(path).is_some()
    }

    /// The SHA-256 of a path's content in hexadecimal digits, its size in bytes, and which member it comes from.
    fn find(&self, path: &str) -> Option<(String, u64, usize)> {
        let Entry { sha256, size, member } = self.0.index.get(path)?;
        Some((sha256.to_string(), *size, *member))
    }

    /// The same source at another release or time.
    fn at(&self, py: Python<'_>, pin: String) -> PyResult<Self> {
        let this = Arc::clone(&self.0);
        let timeout = this.timeout;
        let work = move || async move {
            let (_, settings) = world::parse(Some(&this.pinned), None)?;
            let url = this.typed.clone().at(&pin.parse()?)?;
            let connection = Connection::open(&url, &settings).await?;
            Ok(Snapshot::new(url, connection, timeout))
        };
        let what = || format!("opening {} at another release", self.0.typed);
        wait(py, timeout, what, work).map(|snapshot| Self(Arc::new(snapshot)))
    }

    /// Every move of its area's marker, the newest first.
    fn history(&self, py: Python<'_>) -> PyResult<Vec<Move>> {
        let this = Arc::clone(&self.0);
        let work = move || async move {
            let connection = this.connection().await?;
            let mut opened = connection.source.opened();
            let (Some((_, member)), None) = (opened.next(), opened.next()) else {
                return Err(Error::usage("several sources have no history in common").with_hint("open one of them"));
            };
            let OpenMember::Area(reader) = member else {
                return Err(Error::usage(format!("{} has no releases", this.typed)));
            };
            Ok(reader.place().moves().await?.iter().map(Move::of).collect())
        };
        let what = || format!("reading the history of {}", self.0.typed);
        wait(py, self.0.timeout, what, work)
    }

    /// The source as it is now, and what is different there; this one stays as it was.
    fn advance(&self, py: Python<'_>) -> PyResult<(Self, Change)> {
        let this = Arc::clone(&self.0);
        let timeout = this.timeout;
        let work = move || async move {
            let (_, settings) = world::parse(Some(&this.pinned), None)?;
            let connection = this.connection().await?;
            let connection = connection.advance(&this.typed, &settings).await?;
            let later = Snapshot::new(this.typed.clone(), connection, timeout);
            let change = this.index.changes_to(&later.index);
            Ok((later, change))
        };
        let what = || format!("looking for a newer release of {}", self.0.typed);
        wait(py, timeout, what, work).map(|(snapshot, change)| (Self(Arc::new(snapshot)), change))
    }

    /// What came up while it was read and did not keep it from being read: a message and a hint each, each told once.
    fn take_warnings(&self, py: Python<'_>) -> Vec<(String, Option<String>)> {
        py.detach(|| match self.0.connections.get() {
            Some(connection) => connection.world.take_warnings(&connection.source),
            None => Vec::new(),
        })
    }

    /// Which release a path comes from, in words.
    fn named(&self, path: &str) -> String {
        self.0.named(path)
    }

    /// What a module's name, with slashes for dots, stands for: "package", "module", "extension" or "folder", and the
    /// path of its file.
    fn locate(&self, name: &str) -> Option<(&'static str, Option<String>)> {
        self.0.index.locate(name).map(super::index::Found::told)
    }

    /// The names in a folder, and whether each is a folder itself; "" is the top.
    fn children(&self, folder: &str) -> Vec<(String, bool)> {
        self.0.index.children(folder)
    }

    fn is_folder(&self, path: &str) -> bool {
        self.0.index.is_folder(path)
    }

    fn __repr__(&self) -> String {
        let members = self.0.members.iter().map(Member::named).collect::<Vec<_>>();
        format!("<rstack.Source {}>", members.join("; "))
    }
}

impl Source {
    fn contents(&self, py: Python<'_>, paths: Vec<String>) -> PyResult<Vec<Option<Bytes>>> {
        if paths.iter().all(|path| self.0.index.get(path).is_none()) {
            return Ok(vec![None; paths.len()]);
        }
        let this = Arc::clone(&self.0);
        let first = paths.first().cloned().unwrap_or_default();
        let what = || format!("reading `{first}` of {}", self.0.typed);
        let work = move || async move {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            this.read_many(&paths).await
        };
        wait(py, self.0.timeout, what, work)
    }
}
