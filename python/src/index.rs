//! What a source has, by path: every question that an import asks before it reads anything.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::told::Change;
use rstack::release::{ContentHash, Entry};

/// Of a digest, as many as a release's id has.
const DIGITS: usize = 16;

/// What a name of a module stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<'i> {
    /// `__init__.py`.
    Package(&'i str),
    Module(&'i str),
    /// Compiled for one platform, and nothing else there.
    Extension(&'i str),
    /// A folder without `__init__.py`.
    Folder,
}

impl Found<'_> {
    /// As Python sees it.
    pub(super) fn told(self) -> (&'static str, Option<String>) {
        match self {
            Self::Package(path) => ("package", Some(path.to_owned())),
            Self::Module(path) => ("module", Some(path.to_owned())),
            Self::Extension(path) => ("extension", Some(path.to_owned())),
            Self::Folder => ("folder", None),
        }
    }
}

#[derive(Debug)]
pub(super) struct Index(BTreeMap<String, Entry>);

impl Index {
    pub(super) fn new(paths: BTreeMap<String, Entry>) -> Self {
        Self(paths)
    }

    pub(super) fn get(&self, path: &str) -> Option<&Entry> {
        self.0.get(path)
    }

    pub(super) fn get_key_value(&self, path: &str) -> Option<(&str, &Entry)> {
        self.0.get_key_value(path).map(|(path, entry)| (path.as_str(), entry))
    }

    /// Everything whose path begins so.
    pub(super) fn below<'i, 'p>(&'i self, prefix: &'p str) -> impl Iterator<Item = (&'i str, &'i Entry)> + use<'i, 'p> {
        let from = self.0.range(prefix.to_owned()..);
        from.map(|(path, entry)| (path.as_str(), entry))
            .take_while(move |(path, _)| path.starts_with(prefix))
    }

    /// Tells indexes with different files apart.
    pub(super) fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for (path, entry) in &self.0 {
            hasher.update((path.len() as u64).to_le_bytes());
            hasher.update(path);
            hasher.update(entry.sha256.0);
        }
        let mut digest = ContentHash(hasher.finalize().into()).to_string();
        digest.truncate(DIGITS);
        digest
    }

    pub(super) fn changes_to(&self, later: &Self) -> Change {
        let of = |path: &String, index: &Self| index.get(path).map(|entry| entry.sha256);
        let select = |from: &Self, other: &Self, is_wanted: fn(ContentHash, Option<ContentHash>) -> bool| {
            let paths = from
                .0
                .iter()
                .filter(|(path, entry)| is_wanted(entry.sha256, of(path, other)));
            paths.map(|(path, _)| path.clone()).collect()
        };
        Change {
            added: select(later, self, |_, before| before.is_none()),
            changed: select(later, self, |now, before| before.is_some_and(|before| before != now)),
            removed: select(self, later, |_, now| now.is_none()),
        }
    }

    fn key(&self, path: &str) -> Option<&str> {
        self.0.get_key_value(path).map(|(path, _)| path.as_str())
    }

    /// What a module's name, with slashes for dots, stands for, in Python's order.
    pub(super) fn locate(&self, name: &str) -> Option<Found<'_>> {
        if let Some(path) = self.key(&format!("{name}/__init__.py")) {
            return Some(Found::Package(path));
        }
        if let Some(path) = self.key(&format!("{name}.py")) {
            return Some(Found::Module(path));
        }
        let extension = |stem: &str| {
            let begin = format!("{stem}.");
            let mut files = self.0.range(begin.clone()..);
            let files = files.by_ref().take_while(|(path, _)| path.starts_with(&begin));
            let mut files = files.map(|(path, _)| path.as_str());
            files.find(|path| is_extension(&path[begin.len()..]))
        };
        if let Some(path) = extension(&format!("{name}/__init__")).or_else(|| extension(name)) {
            return Some(Found::Extension(path));
        }
        self.is_folder(name).then_some(Found::Folder)
    }

    pub(super) fn is_folder(&self, path: &str) -> bool {
        let inside = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        self.below(&inside).next().is_some()
    }

    /// The names in a folder, and whether each is a folder itself; "" is the top.
    pub(super) fn children(&self, folder: &str) -> Vec<(String, bool)> {
        let inside = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let names = self.below(&inside).map(|(path, _)| {
            let rest = &path[inside.len()..];
            rest.split_once('/').map_or((rest, false), |(name, _)| (name, true))
        });
        let names: BTreeSet<(&str, bool)> = names.collect();
        names
            .into_iter()
            .map(|(name, is_folder)| (name.to_owned(), is_folder))
            .collect()
    }
}

/// Whether a file's name without its module's is that of a compiled module: `so`, `abi3.so`, `cpython-311-….so`, `pyd`.
fn is_extension(ending: &str) -> bool {
    let tag = ending.strip_suffix("so").or_else(|| ending.strip_suffix("pyd"));
    tag.is_some_and(|tag| tag.is_empty() || (tag.ends_with('.') && !tag[..tag.len() - 1].contains('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(paths: &[&str]) -> Index {
        let entry = Entry {
            sha256: ContentHash::of(b""),
            size: 0,
            member: 0,
        };
        Index::new(paths.iter().map(|path| ((*path).to_owned(), entry)).collect())
    }

    #[test]
    fn a_package_comes_before_a_module_and_a_module_before_a_folder() {
        let index = index(&[
            "a.py",
            "a/__init__.py",
            "b.py",
            "b/x.txt",
            "c/d/e.py",
            "fast.cpython-311-x86_64-linux-gnu.so",
            "fast.notes.txt",
            "pkg/__init__.abi3.so",
            "pure.py",
            "pure.so",
            "x.py.so.txt",
        ]);
        for (name, found) in [
            ("a", Some(Found::Package("a/__init__.py"))),
            ("b", Some(Found::Module("b.py"))),
            ("c", Some(Found::Folder)),
            ("c/d", Some(Found::Folder)),
            ("c/d/e", Some(Found::Module("c/d/e.py"))),
            ("fast", Some(Found::Extension("fast.cpython-311-x86_64-linux-gnu.so"))),
            ("pkg", Some(Found::Extension("pkg/__init__.abi3.so"))),
            ("pure", Some(Found::Module("pure.py"))),
            ("x", None),
            ("c/d/f", None),
        ] {
            assert_eq!(index.locate(name), found, "{name}");
        }
    }

    #[test]
    fn what_is_in_a_folder() {
        let index = index(&["a.py", "a/__init__.py", "a/b/c.py", "ab/x"]);
        let names = |folder| {
            index
                .children(folder)
                .iter()
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(""), ["a", "a.py", "ab"]);
        assert_eq!(
            index.children("a"),
            [("__init__.py".to_owned(), false), ("b".to_owned(), true)]
        );
        assert!(names("nope").is_empty());
    }
}
