//! Several sources as one: the first that has a path, or hides it, counts.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::open::Opening;
use super::plain::PlainFiles;
use super::url::SourceUrl;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::publish::Tree;
use crate::release::{ContentHash, Place, Reader};
use crate::store::{Body, FileBody};

/// An opened source. Every member is pinned: what it says does not change, whatever is published meanwhile.
#[derive(Debug)]
pub struct Source {
    members: Vec<Member>,
}

#[derive(Debug)]
pub enum Member {
    Area(Box<Reader>),
    Folder(Tree),
    Plain(PlainFiles),
}

/// A path that a source has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub sha256: ContentHash,
    /// In bytes.
    pub size: u64,
    /// Which of the source's members has it.
    pub member: usize,
}

impl Source {
    /// Opens every member; one that is optional and cannot be opened is passed over with a warning.
    ///
    /// # Errors
    /// When a member cannot be opened: there is no such release, environment or folder, or its store cannot be read.
    pub async fn open(url: &SourceUrl, opening: &Opening<'_>) -> Result<Self> {
        let mut members = Vec::with_capacity(url.parts.len());
        for part in &url.parts {
            match Box::pin(opening.open(part)).await {
                Ok(member) => members.push(member),
                // A release that cannot be trusted is not a missing one.
                Err(error) if part.optional && !matches!(*error.kind, ErrorKind::Untrusted(_)) => {
                    opening.reporter.report(&Event::Warning {
                        message: format!("{} is passed over: {error}", part.location),
                        hint: error.hint,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Self { members })
    }

    /// Where the releases of a source are that is one area.
    ///
    /// # Errors
    /// Usage when it is several, pinned, or a folder; and what keeps its environment from being found.
    pub async fn place(url: &SourceUrl, opening: &Opening<'_>) -> Result<Place> {
        let [part] = url.parts.as_slice() else {
            return Err(Error::usage("several sources have no history in common").with_hint("name one of them"));
        };
        if part.at.is_some() {
            return Err(Error::usage("`?at=` means one release, not their history").with_hint("leave it out"));
        }
        opening.place(&part.location).await
    }

    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Where a path comes from; told without asking a store.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Entry> {
        for (member, source) in self.members.iter().enumerate() {
            if let Some((sha256, size)) = source.find(path) {
                return Some(Entry { sha256, size, member });
            }
            if source.hides(path) {
                return None;
            }
        }
        None
    }

    /// Every path there is, in order; told without asking a store.
    #[must_use]
    pub fn list(&self) -> BTreeMap<String, Entry> {
        let paths: BTreeSet<&str> = self.members.iter().flat_map(Member::paths).collect();
        let entries = paths
            .into_iter()
            .filter_map(|path| Some((path.to_owned(), self.find(path)?)));
        entries.collect()
    }

    /// The contents of these paths, in their order; `None` where there is none. What is missing is fetched in one batch
    /// from each member.
    ///
    /// # Errors
    /// When a member cannot be read, or what it holds is not what its hash says.
    pub async fn read_many(&self, paths: &[&str]) -> Result<Vec<Option<Bytes>>> {
        let mut contents = vec![None; paths.len()];
        let found: Vec<Option<Entry>> = paths.iter().map(|path| self.find(path)).collect();
        for (member, source) in self.members.iter().enumerate() {
            let wanted: Vec<usize> = (0..paths.len())
                .filter(|at| found[*at].is_some_and(|entry| entry.member == member))
                .collect();
            let names: Vec<&str> = wanted.iter().map(|at| paths[*at]).collect();
            for (at, content) in wanted.into_iter().zip(source.read_many(&names).await?) {
                contents[at] = content;
            }
        }
        Ok(contents)
    }
}

impl Member {
    fn find(&self, path: &str) -> Option<(ContentHash, u64)> {
        match self {
            Self::Area(reader) => {
                let entry = reader.manifest().files.get(path)?;
                Some((entry.sha256, entry.size))
            }
            Self::Folder(tree) => {
                let file = &tree.files()[tree.find(path)?];
                Some((ContentHash(file.digest.sha256), file.digest.size))
            }
            Self::Plain(plain) => plain.find(path),
        }
    }

    /// Whether its release says that the path is removed.
    fn hides(&self, path: &str) -> bool {
        match self {
            Self::Area(reader) => reader.manifest().removed.contains(path),
            Self::Folder(_) | Self::Plain(_) => false,
        }
    }

    fn paths(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Area(reader) => Box::new(reader.manifest().files.keys().map(AsRef::as_ref)),
            Self::Folder(tree) => Box::new(tree.paths()),
            Self::Plain(plain) => Box::new(plain.paths()),
        }
    }

    async fn read_many(&self, paths: &[&str]) -> Result<Vec<Option<Bytes>>> {
        match self {
            Self::Area(reader) => reader.read_many(paths).await,
            Self::Plain(plain) => plain.read_many(paths).await,
            Self::Folder(tree) => paths
                .iter()
                .map(|path| {
                    tree.find(path)
                        .map(|place| read(tree.body(&tree.files()[place])))
                        .transpose()
                })
                .collect(),
        }
    }
}

fn read(body: Body) -> Result<Bytes> {
    match body {
        Body::Bytes(content) => Ok(content),
        Body::File(FileBody { path, digest }) => {
            let content = std::fs::read(&path).map_err(|error| Error::file("read", &path, error))?;
            if digest.matches(&content) {
                return Ok(content.into());
            }
            Err(
                Error::refused(format!("`{}` changed while it was being read", path.display()))
                    .with_hint("run the same command again"),
            )
        }
    }
}
