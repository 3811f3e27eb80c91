//! What a new release would be made of: which contents are there already, and which have to be packed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use super::pack::{LARGEST, Slot};
use super::{ContentHash, Manifest};
use crate::publish::Tree;

/// A release that would spread over more packs has its small ones merged.
const PACKS: usize = 8;

/// What to publish.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    pub tree: &'a Tree,
    /// Files of the current release that the tree does not have stay; otherwise they go.
    pub onto_current: bool,
    /// Paths that the release hides in a union.
    pub removed: &'a BTreeSet<Box<str>>,
}

/// One file that the new release has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) sha256: ContentHash,
    pub(super) size: u64,
    /// In the tree; `None` for a file of the current release that stays.
    pub(super) in_tree: Option<usize>,
}

/// Paths that differ between two releases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
}

impl Changes {
    /// From one release to the next; of `None`, everything is added.
    #[must_use]
    pub fn between(before: Option<&Manifest>, after: &Manifest) -> Self {
        let files = after.files.iter();
        Self::of(before, files.map(|(path, file)| (path.clone(), file.sha256)))
    }

    fn of(before: Option<&Manifest>, after: impl Iterator<Item = (Box<str>, ContentHash)>) -> Self {
        let mut changes = Self::default();
        let mut kept = HashSet::new();
        for (path, sha256) in after {
            match before.and_then(|before| before.files.get_key_value(&path)) {
                None => changes.added.push(path.into()),
                Some((known, file)) => {
                    kept.insert(known);
                    if file.sha256 != sha256 {
                        changes.changed.push(path.into());
                    }
                }
            }
        }
        let before = before.into_iter().flat_map(|before| before.files.keys());
        changes.removed = before
            .filter(|path| !kept.contains(path))
            .map(ToString::to_string)
            .collect();
        changes
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// A release before its packs are made.
pub(super) struct Draft {
    pub(super) wanted: BTreeMap<Box<str>, Wanted>,
    pub(super) removed: BTreeSet<Box<str>>,
    pub(super) changes: Changes,
    /// Contents that are in a pack already.
    pub(super) known: HashMap<ContentHash, Slot>,
    /// Places in the tree whose contents have to be packed.
    pub(super) fresh: Vec<usize>,
    /// Contents that move from a small pack to a new one without being in the tree.
    pub(super) moving: Vec<(ContentHash, Slot)>,
}

impl Draft {
    pub(super) fn new(content: &Content<'_>, current: Option<&Manifest>) -> Self {
        let staying = current
            .iter()
            .filter(|_| content.onto_current)
            .flat_map(|current| &current.files)
            .filter(|(path, _)| !content.removed.contains(*path))
            .map(|(path, file)| {
                let file = Wanted {
                    sha256: file.sha256,
                    size: file.size,
                    in_tree: None,
                };
                (path.clone(), file)
            });
        let in_tree = content.tree.files().iter().enumerate().map(|(place, file)| {
            let wanted = Wanted {
                sha256: ContentHash(file.digest.sha256),
                size: file.digest.size,
                in_tree: Some(place),
            };
            (file.path.clone(), wanted)
        });
        // Of entries with the same path the last counts.
        let wanted: BTreeMap<_, _> = staying.chain(in_tree).collect();
        let mut removed = content.removed.clone();
        if let Some(current) = current.filter(|_| content.onto_current) {
            removed.extend(current.removed.iter().cloned());
        }
        removed.retain(|path| !wanted.contains_key(path));
        let changes = Changes::of(current, wanted.iter().map(|(path, file)| (path.clone(), file.sha256)));
        let mut draft = Self {
            wanted,
            removed,
            changes,
            known: HashMap::new(),
            fresh: Vec::new(),
            moving: Vec::new(),
        };
        if let Some(current) = current {
            let places = current.files.values().map(|file| (file.sha256, Slot::from(file)));
            draft.known.extend(places);
        }
        draft.find_fresh();
        draft.merge_small_packs();
        draft
    }

    /// Nothing differs from the current release.
    pub(super) fn is_nothing(&self, current: &Manifest) -> bool {
        self.changes.is_empty() && self.removed == current.removed
    }

    fn find_fresh(&mut self) {
        let mut seen = HashSet::new();
        let in_tree = self
            .wanted
            .values()
            .filter_map(|file| Some((file.in_tree?, file.sha256)));
        self.fresh = in_tree
            .filter(|(_, sha256)| !self.known.contains_key(sha256) && seen.insert(*sha256))
            .map(|(place, _)| place)
            .collect();
    }

    /// Lets go of packs of which the release uses little, so that their contents go into new ones.
    fn merge_small_packs(&mut self) {
        let mut used: HashMap<ContentHash, u64> = HashMap::new();
        let mut seen = HashSet::new();
        for file in self.wanted.values().filter(|file| seen.insert(file.sha256)) {
            if let Some(place) = self.known.get(&file.sha256) {
                *used.entry(place.pack).or_default() += place.length;
            }
        }
        let small = |bytes: &u64| *bytes < LARGEST as u64 / 2;
        let count = used.values().filter(|bytes| small(bytes)).count();
        if self.fresh.is_empty() || used.len() < PACKS || count < 2 {
            return;
        }
        let goes = |place: &Slot| used.get(&place.pack).is_some_and(small);
        let gone: HashMap<ContentHash, Slot> = self.known.extract_if(|_, place| goes(place)).collect();
        self.find_fresh();
        let in_tree: HashSet<ContentHash> = self
            .wanted
            .values()
            .filter(|file| file.in_tree.is_some())
            .map(|file| file.sha256)
            .collect();
        let mut seen = HashSet::new();
        let staying = self.wanted.values().filter(|file| !in_tree.contains(&file.sha256));
        self.moving = staying
            .filter(|file| seen.insert(file.sha256))
            .filter_map(|file| Some((file.sha256, *gone.get(&file.sha256)?)))
            .collect();
    }
}
