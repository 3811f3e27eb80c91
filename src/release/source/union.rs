//! Several sources as one: the first that has a path, or hides it, counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};

use super::location::Location;
use super::open::Opening;
use super::plain::PlainFiles;
use super::url::{Part, SourceUrl};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::publish::{Tree, read_body};
use crate::release::manifest::covers;
use crate::release::{Changes, ContentHash, Place, Reader};

/// An opened source. Every member is pinned: what it says does not change, whatever is published meanwhile.
#[derive(Debug)]
pub struct Source {
    /// With what was opened of each; an optional part may have nothing.
    parts: Vec<(Part, Option<Arc<Member>>)>,
}

/// A source as it is later, and what has changed since.
#[derive(Debug)]
pub struct Advanced {
    pub source: Source,
    pub changes: Changes,
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
    /// Opens every member, all at once; one that is optional and cannot be opened is passed over with a warning.
    ///
    /// # Errors
    /// When a member cannot be opened: there is no such release, environment or folder, or its store cannot be read.
    pub async fn open(url: &SourceUrl, opening: &Opening<'_>) -> Result<Self> {
        let opened = url.parts.iter().map(|part| Box::pin(opening.member(part)));
        let source = Self::of(url.parts.iter(), join_all(opened).await)?;
        source.tell(opening);
        Ok(source)
    }

    /// The source as it is now: markers are read again, pinned members stay. This one stays as it was, so that whoever
    /// reads from it meanwhile sees no mix, and an error changes nothing.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub async fn advance(&self, opening: &Opening<'_>) -> Result<Advanced> {
        let parts = self.parts.iter();
        let advanced = parts.map(|(part, member)| Box::pin(opening.advance(part, member.as_ref())));
        let source = Self::of(self.parts.iter().map(|(part, _)| part), join_all(advanced).await)?;
        source.tell(opening);
        let changes = self.changes_to(&source);
        Ok(Advanced { source, changes })
    }

    fn of<'a>(parts: impl Iterator<Item = &'a Part>, opened: Vec<Result<Option<Arc<Member>>>>) -> Result<Self> {
        let parts = parts.zip(opened).map(|(part, member)| Ok((part.clone(), member?)));
        Ok(Self {
            parts: parts.collect::<Result<_>>()?,
        })
    }

    fn changes_to(&self, later: &Self) -> Changes {
        let same = |(before, after): (&Option<Arc<Member>>, &Option<Arc<Member>>)| match (before, after) {
            (Some(before), Some(after)) => Arc::ptr_eq(before, after),
            (before, after) => before.is_none() && after.is_none(),
        };
        let (before, after) = (self.parts.iter(), later.parts.iter());
        if before.zip(after).all(|((_, before), (_, after))| same((before, after))) {
            return Changes::default();
        }
        let contents = |source: &Self| -> BTreeMap<String, ContentHash> {
            source
                .list()
                .into_iter()
                .map(|(path, entry)| (path, entry.sha256))
                .collect()
        };
        let (before, after) = (contents(self), contents(later));
        let in_after = |path: &String| after.contains_key(path);
        Changes {
            added: after
                .keys()
                .filter(|path| !before.contains_key(*path))
                .cloned()
                .collect(),
            changed: after
                .iter()
                .filter(|(path, now)| before.get(*path).is_some_and(|then| then != *now))
                .map(|(path, _)| path.clone())
                .collect(),
            removed: before.keys().filter(|path| !in_after(path)).cloned().collect(),
        }
    }

    /// What came up since it was asked last and did not keep the source from being read, such as a Redis that does not
    /// answer.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<Event> {
        let readers = self.members().filter_map(|(_, member)| match member {
            Member::Area(reader) => Some(reader),
            Member::Folder(_) | Member::Plain(_) => None,
        });
        readers
            .flat_map(|reader| reader.place().findings.take_warnings())
            .collect()
    }

    fn tell(&self, opening: &Opening<'_>) {
        for warning in self.take_warnings() {
            opening.reporter.report(&warning);
        }
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
            return Err(Error::usage("`?at=` means one release, not their history")
                .with_hint("`rstack releases --at` shows the history up to it"));
        }
        opening.place(part).await
    }

    /// What was opened, with its place in the union, from 0.
    pub fn members(&self) -> impl Iterator<Item = (usize, &Member)> {
        let members = self.parts.iter().enumerate();
        members.filter_map(|(place, (_, member))| Some((place, &**member.as_ref()?)))
    }

    /// What was opened, and where it is.
    pub fn opened(&self) -> impl Iterator<Item = (&Location, &Member)> {
        let parts = self.parts.iter();
        parts.filter_map(|(part, member)| Some((&part.location, &**member.as_ref()?)))
    }

    /// The member with this place in the union, if it was opened.
    #[must_use]
    pub fn member(&self, place: usize) -> Option<&Member> {
        self.parts.get(place)?.1.as_deref()
    }

    /// Where a path comes from; told without asking a store.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Entry> {
        for (member, source) in self.members() {
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
        let mut listed: BTreeMap<String, Entry> = BTreeMap::new();
        let members: Vec<(usize, &Member)> = self.members().collect();
        // The last first: those before it count more.
        for (member, source) in members.into_iter().rev() {
            for path in source.hidden() {
                listed.remove(path);
                let directory = format!("{path}/");
                let inside = listed.range(directory.clone()..).map(|(path, _)| path);
                let inside: Vec<String> = inside
                    .take_while(|path| path.starts_with(&directory))
                    .cloned()
                    .collect();
                for path in inside {
                    listed.remove(&path);
                }
            }
            let entries = source.entries();
            let entries = entries.map(|(path, sha256, size)| (path.to_owned(), Entry { sha256, size, member }));
            if listed.is_empty() {
                listed = entries.collect();
            } else {
                listed.extend(entries);
            }
        }
        listed
    }

    /// Paths, and directories, that its releases hide in sources behind this one, in order.
    #[must_use]
    pub fn hidden(&self) -> BTreeSet<&str> {
        let hidden = self.members().flat_map(|(_, member)| member.hidden());
        hidden.filter(|path| self.find(path).is_none()).collect()
    }

    /// The content of a path that can be had without waiting for a store.
    #[must_use]
    pub fn at_hand(&self, path: &str) -> Option<Bytes> {
        match self.member(self.find(path)?.member)? {
            Member::Area(reader) => reader.at_hand(path),
            Member::Folder(tree) => tree
                .find(path)
                .and_then(|place| read_body(tree.body(&tree.files()[place])).ok()),
            Member::Plain(_) => None,
        }
    }

    /// The contents of these paths, in their order; `None` where there is none. What is missing is fetched in one batch
    /// from each member.
    ///
    /// # Errors
    /// When a member cannot be read, or what it holds is not what its hash says.
    pub async fn read_many(&self, paths: &[&str]) -> Result<Vec<Option<Bytes>>> {
        let mut contents = vec![None; paths.len()];
        let found: Vec<Option<Entry>> = paths.iter().map(|path| self.find(path)).collect();
        let reading = self.members().map(|(member, source)| {
            let wanted: Vec<usize> = (0..paths.len())
                .filter(|at| found[*at].is_some_and(|entry| entry.member == member))
                .collect();
            async move {
                let names: Vec<&str> = wanted.iter().map(|at| paths[*at]).collect();
                let read = source.read_many(&names).await?;
                Ok::<_, Error>(wanted.into_iter().zip(read))
            }
        });
        for read in try_join_all(reading).await? {
            for (at, content) in read {
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

    /// Whether its release says that the path is removed, or a directory that it is in.
    fn hides(&self, path: &str) -> bool {
        match self {
            Self::Area(reader) => covers(&reader.manifest().removed, path),
            Self::Folder(_) | Self::Plain(_) => false,
        }
    }

    /// What its release says is removed.
    fn hidden(&self) -> impl Iterator<Item = &str> {
        let removed = match self {
            Self::Area(reader) => Some(&reader.manifest().removed),
            Self::Folder(_) | Self::Plain(_) => None,
        };
        removed.into_iter().flatten().map(AsRef::as_ref)
    }

    /// Everything it has, with hash and size.
    fn entries(&self) -> Box<dyn Iterator<Item = (&str, ContentHash, u64)> + '_> {
        let known = |path| self.find(path).map(|(sha256, size)| (path, sha256, size));
        match self {
            Self::Area(reader) => {
                let files = reader.manifest().files.iter();
                Box::new(files.map(|(path, entry)| (path.as_ref(), entry.sha256, entry.size)))
            }
            Self::Folder(tree) => Box::new(tree.paths().filter_map(known)),
            Self::Plain(plain) => Box::new(plain.paths().filter_map(known)),
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
                        .map(|place| read_body(tree.body(&tree.files()[place])))
                        .transpose()
                })
                .collect(),
        }
    }
}
