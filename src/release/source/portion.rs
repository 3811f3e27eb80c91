//! Reading much without holding much: which paths are read together.

use std::collections::HashSet;

use super::union::{Member, Source};
use crate::release::ContentHash;

/// What reading one portion brings into memory, in bytes, unless a single file is larger.
const LIMIT: u64 = 32 << 20;

/// A source, and the path that an item is read from there, if it is.
pub(super) type Side<'s, T> = (&'s Source, fn(&T) -> Option<&str>);

/// Packs that a portion reads already, by member.
type Packs = HashSet<(usize, ContentHash)>;

impl Source {
    /// What reading a path brings into memory: its content, and the pack that it is in, which counts once.
    fn cost(&self, path: &str, packs: &mut Packs) -> u64 {
        let Some(entry) = self.find(path) else { return 0 };
        let mut cost = entry.size;
        if let Some(Member::Area(reader)) = self.member(entry.member)
            && let Some(file) = reader.manifest().files.get(path)
            && packs.insert((entry.member, file.pack))
        {
            let pack = reader.marker().packs.iter().find(|blob| blob.sha256 == file.pack);
            cost += pack.map_or(0, |blob| blob.size);
        }
        cost
    }

    /// Paths in the order in which reading them fetches every pack once, cut into portions that are read together.
    pub(crate) fn portions<'p>(&self, paths: &[&'p str]) -> Vec<Vec<&'p str>> {
        let mut paths = paths.to_vec();
        paths.sort_by_cached_key(|path| {
            let entry = self.find(path)?;
            let pack = match self.member(entry.member)? {
                Member::Area(reader) => reader.manifest().files.get(*path).map(|file| (file.pack, file.offset)),
                Member::Folder(_) | Member::Plain(_) => None,
            };
            Some((entry.member, pack))
        });
        let sides: [Side<'_, &str>; 1] = [(self, |path| Some(path))];
        portions(&paths, &sides).into_iter().map(<[&str]>::to_vec).collect()
    }
}

/// Cuts a list into stretches that are read together.
pub(super) fn portions<'i, T>(items: &'i [T], sides: &[Side<'_, T>]) -> Vec<&'i [T]> {
    let mut portions = Vec::new();
    let (mut start, mut held) = (0, 0);
    let mut packs = vec![Packs::new(); sides.len()];
    for (at, item) in items.iter().enumerate() {
        let cost = |packs: &mut [Packs]| -> u64 {
            let sides = sides.iter().zip(packs);
            sides
                .filter_map(|((source, path), packs)| Some(source.cost(path(item)?, packs)))
                .sum()
        };
        let more = cost(&mut packs);
        if held + more > LIMIT && at > start {
            portions.push(&items[start..at]);
            start = at;
            packs.iter_mut().for_each(Packs::clear);
            held = cost(&mut packs);
        } else {
            held += more;
        }
    }
    portions.extend((start < items.len()).then(|| &items[start..]));
    portions
}
