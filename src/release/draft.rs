//! What a new release would be made of: which contents are there already, and which have to be packed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use serde::Serialize;

use super::manifest::{Extent, covers};
use super::pack::{LARGEST, Slot};
use super::{ContentHash, FileEntry, Manifest};
use crate::error::{Error, Result};
use crate::publish::Tree;

/// A release that would spread over more packs has its small ones merged.
const PACKS: usize = 8;
/// What Python does not import gets packs of its own when it is at least so much, in bytes.
const APART: u64 = 1 << 20;

/// What to publish.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    pub tree: &'a Tree,
    /// Files of the current release that the tree does not have stay; otherwise they go.
    pub onto_current: bool,
    /// Paths, and directories, that the release hides in a union.
    pub removed: &'a BTreeSet<Box<str>>,
}

impl Content<'_> {
    /// Whether something of this release stays: files, or paths that it hides.
    pub(super) fn keeps_of(&self, current: &Manifest) -> bool {
        let stays = |path: &str| !covers(self.removed, path) && self.tree.find(path).is_none();
        self.onto_current && (!current.removed.is_empty() || current.files.keys().any(|path| stays(path)))
    }
}

/// One file that the new release has.
#[derive(Debug, Clone, Copy)]
enum Wanted<'a> {
    /// At this place in the tree.
    InTree(usize),
    /// Of the current release.
    Stays(&'a str, &'a FileEntry),
}

/// How many paths differ between two releases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) added: u64,
    pub(super) changed: u64,
    pub(super) removed: u64,
}

/// Paths that differ between two releases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
}

enum Difference {
    Added,
    Changed,
    Removed,
}

/// Tells how files, in the order of their paths, differ from those of a release; of `None`, everything is added.
fn compare<'a>(
    before: Option<&'a Manifest>,
    after: impl Iterator<Item = (&'a str, ContentHash)>,
    mut tell: impl FnMut(Difference, &'a str),
) {
    let before = before.into_iter().flat_map(|before| &before.files);
    let mut before = before.map(|(path, file)| (&**path, file.sha256)).peekable();
    for (path, sha256) in after {
        while let Some((gone, _)) = before.next_if(|(known, _)| *known < path) {
            tell(Difference::Removed, gone);
        }
        match before.next_if(|(known, _)| *known == path) {
            None => tell(Difference::Added, path),
            Some((_, known)) if known != sha256 => tell(Difference::Changed, path),
            Some(_) => {}
        }
    }
    before.for_each(|(gone, _)| tell(Difference::Removed, gone));
}

impl Changes {
    /// From one release to the next; of `None`, everything is added.
    #[must_use]
    pub fn between(before: Option<&Manifest>, after: &Manifest) -> Self {
        let files = after.files.iter();
        Self::of(before, files.map(|(path, file)| (&**path, file.sha256)))
    }

    fn of<'a>(before: Option<&'a Manifest>, after: impl Iterator<Item = (&'a str, ContentHash)>) -> Self {
        let mut changes = Self::default();
        compare(before, after, |difference, path| {
            let paths = match difference {
                Difference::Added => &mut changes.added,
                Difference::Changed => &mut changes.changed,
                Difference::Removed => &mut changes.removed,
            };
            paths.push(path.to_owned());
        });
        changes
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// A release before its packs are made. Of a large one there is little to hold beside the tree: paths and hashes stay
/// where they are.
pub(super) struct Draft<'a> {
    tree: &'a Tree,
    current: Option<&'a Manifest>,
    /// In the order of their paths.
    wanted: Vec<Wanted<'a>>,
    pub(super) removed: BTreeSet<Box<str>>,
    /// Against the current release.
    pub(super) counts: Counts,
    /// Contents that are in a pack already.
    pub(super) known: HashMap<ContentHash, Slot>,
    /// What has to be packed: what Python imports, and the rest.
    pub(super) lots: [Lot; 2],
}

/// Contents that share packs.
#[derive(Debug, Default)]
pub(super) struct Lot {
    /// Places in the tree.
    pub(super) fresh: Vec<usize>,
    /// Contents that move from a small pack to a new one without being in the tree.
    pub(super) moving: Vec<(ContentHash, Slot)>,
}

/// Whether Python imports from a file of this name.
pub(super) fn is_code(path: &str) -> bool {
    // As for Python itself, letters count.
    let ending = Path::new(path).extension();
    ending.is_some_and(|ending| ending == "py" || ending == "pyc")
}

impl<'a> Draft<'a> {
    /// `misplaced` are contents that are not where the current release says.
    pub(super) fn new(content: &Content<'a>, current: Option<&'a Manifest>, misplaced: &HashSet<ContentHash>) -> Self {
        let tree = content.tree;
        let mut draft = Self {
            tree,
            current,
            wanted: (0..tree.len()).map(Wanted::InTree).collect(),
            removed: content.removed.clone(),
            counts: Counts::default(),
            known: HashMap::new(),
            lots: Default::default(),
        };
        if let Some(current) = current.filter(|_| content.onto_current) {
            draft.keep(current, content.removed);
        }
        let mut removed = std::mem::take(&mut draft.removed);
        removed.retain(|path| draft.find(path).is_none());
        draft.removed = removed;
        draft.counts = draft.count();
        if let Some(current) = current {
            let files = current.files.values().filter(|file| !misplaced.contains(&file.sha256));
            let places = files.map(|file| (file.sha256, Slot::from(file)));
            draft.known.extend(places);
        }
        draft.find_fresh();
        draft.merge_small_packs();
        draft.join_lots();
        draft
    }

    /// Files of the current release stay, unless they are removed or in the tree.
    fn keep(&mut self, current: &'a Manifest, removed: &BTreeSet<Box<str>>) {
        let files = current.files.iter().filter(|(path, _)| !covers(removed, path));
        let staying = files.filter(|(path, _)| self.tree.find(path).is_none());
        self.wanted
            .extend(staying.map(|(path, file)| Wanted::Stays(path, file)));
        let tree = self.tree;
        self.wanted.sort_unstable_by_key(|file| file.path(tree));
        self.removed.extend(current.removed.iter().cloned());
    }

    fn find(&self, path: &str) -> Option<usize> {
        self.wanted.binary_search_by(|file| file.path(self.tree).cmp(path)).ok()
    }

    fn count(&self) -> Counts {
        let mut counts = Counts::default();
        compare(self.current, self.contents(), |difference, _| match difference {
            Difference::Added => counts.added += 1,
            Difference::Changed => counts.changed += 1,
            Difference::Removed => counts.removed += 1,
        });
        counts
    }

    /// What differs from the current release.
    pub(super) fn changes(&self) -> Changes {
        Changes::of(self.current, self.contents())
    }

    /// Nothing differs from the current release.
    pub(super) fn is_nothing(&self, current: &Manifest) -> bool {
        self.counts == Counts::default() && self.removed == current.removed
    }

    /// Of the new release, in order.
    fn contents(&self) -> impl Iterator<Item = (&'a str, ContentHash)> {
        self.files().map(|(path, sha256, _)| (path, sha256))
    }

    /// The files of the new release: path, hash and size, in the order of their paths.
    pub(super) fn files(&self) -> impl ExactSizeIterator<Item = (&'a str, ContentHash, u64)> {
        let tree = self.tree;
        self.wanted.iter().map(move |file| {
            let (sha256, size) = file.content(tree);
            (file.path(tree), sha256, size)
        })
    }

    /// Refuses a path that is a file and a directory: a tree on a disk cannot be so, what a hot fix adds to can.
    pub(super) fn refuse_clash(&self) -> Result<()> {
        let paths: HashSet<&str> = self.files().map(|(path, _, _)| path).collect();
        let folders = |path: &'a str| path.match_indices('/').map(move |(at, _)| &path[..at]);
        let clash = self.files().find_map(|(path, _, _)| {
            let file = folders(path).find(|folder| paths.contains(folder))?;
            Some((file, path))
        });
        match clash {
            None => Ok(()),
            Some((file, inside)) => Err(Error::refused(format!(
                "`{file}` would be a file and, for `{inside}`, a directory"
            ))
            .with_hint("remove one of them in the same release: `--remove` hides a path")),
        }
    }

    pub(super) fn extent(&self) -> Extent {
        Extent {
            files: self.wanted.len() as u64,
            bytes: self.files().map(|(_, _, size)| size).sum(),
        }
    }

    /// A content that has several names goes with the code if one of them is.
    fn find_fresh(&mut self) {
        let mut seen = HashSet::new();
        let files = self.tree.files();
        for (lot, of_code) in self.lots.iter_mut().zip([true, false]) {
            let places = (0..files.len()).filter(|place| is_code(&files[*place].path) == of_code);
            let hash = |place: &usize| files[*place].digest.sha256;
            let places = places.filter(|place| !self.known.contains_key(&ContentHash(hash(place))));
            lot.fresh = places.filter(|place| seen.insert(hash(place))).collect();
        }
    }

    /// Packs of their own are only worth it for much.
    fn join_lots(&mut self) {
        let [code, rest] = &mut self.lots;
        let fresh = rest.fresh.iter().map(|place| self.tree.files()[*place].digest.size);
        let moving = rest.moving.iter().map(|(_, place)| place.length);
        if fresh.chain(moving).sum::<u64>() < APART {
            code.fresh.append(&mut rest.fresh);
            code.moving.append(&mut rest.moving);
        }
    }

    /// Lets go of packs of which the release uses little, so that their contents go into new ones.
    fn merge_small_packs(&mut self) {
        let mut used: HashMap<ContentHash, u64> = HashMap::new();
        let mut seen = HashSet::new();
        if self.lots.iter().all(|lot| lot.fresh.is_empty()) || self.known.is_empty() {
            return;
        }
        for (_, sha256) in self.contents().filter(|(_, sha256)| seen.insert(*sha256)) {
            if let Some(place) = self.known.get(&sha256) {
                *used.entry(place.pack).or_default() += place.length;
            }
        }
        let small = |bytes: &u64| *bytes < LARGEST as u64 / 2;
        let count = used.values().filter(|bytes| small(bytes)).count();
        if used.len() < PACKS || count < 2 {
            return;
        }
        let goes = |place: &Slot| used.get(&place.pack).is_some_and(small);
        let gone: HashMap<ContentHash, Slot> = self.known.extract_if(|_, place| goes(place)).collect();
        self.find_fresh();
        let files = self.tree.files().iter();
        let in_tree: HashSet<&[u8; 32]> = files.map(|file| &file.digest.sha256).collect();
        let mut seen = HashSet::new();
        let moving = [true, false].map(|of_code| {
            self.contents()
                .filter(|(path, sha256)| is_code(path) == of_code && !in_tree.contains(&sha256.0))
                .filter(|(_, sha256)| seen.insert(*sha256))
                .filter_map(|(_, sha256)| Some((sha256, *gone.get(&sha256)?)))
                .collect()
        });
        for (lot, moving) in self.lots.iter_mut().zip(moving) {
            lot.moving = moving;
        }
    }
}

impl<'a> Wanted<'a> {
    fn path(self, tree: &'a Tree) -> &'a str {
        match self {
            Self::InTree(place) => &tree.files()[place].path,
            Self::Stays(path, _) => path,
        }
    }

    /// Hash and size.
    fn content(self, tree: &Tree) -> (ContentHash, u64) {
        match self {
            Self::InTree(place) => {
                let digest = &tree.files()[place].digest;
                (ContentHash(digest.sha256), digest.size)
            }
            Self::Stays(_, file) => (file.sha256, file.size),
        }
    }
}
