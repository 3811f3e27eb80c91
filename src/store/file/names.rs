//! Keys to paths and back. A key made of ordinary names is its own path; what a file system could misread is
//! percent-encoded. A literal `%` always is, so that a name such as `%value` can never come from a key.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

/// Where the value of a key lives when other keys lie under it as in a folder.
pub(super) const VALUE: &str = "%value";
/// What writers and readers lock.
pub(super) const LOCK: &str = "%lock";
/// How names of files begin that are still being written.
pub(super) const UNFINISHED: &str = "%new-";
const EMPTY: &str = "%empty";

/// The path of `key` below `root`.
pub(super) fn path_of(root: &Path, key: &str) -> PathBuf {
    key.split('/')
        .fold(root.to_owned(), |path, segment| path.join(encode(segment)))
}

/// Where the value of `key` is: at its path, or, put there by another tool, under names as they are.
pub(super) fn existing_path_of(root: &Path, key: &str) -> PathBuf {
    key.split('/').fold(root.to_owned(), |folder, segment| {
        let path = folder.join(encode(segment));
        let plain = folder.join(segment);
        // What `encode` leaves as it is, most names, costs nothing here.
        let foreign = path != plain && is_foreign(segment) && path.symlink_metadata().is_err();
        if foreign && plain.symlink_metadata().is_ok() {
            plain
        } else {
            path
        }
    })
}

/// Whether a name can be a key's own part although rstack would have written it otherwise.
fn is_foreign(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains('\0') && !is_own(name)
}

/// Names of files that belong to no key.
fn is_own(name: &str) -> bool {
    name == LOCK || name == VALUE || name.starts_with(UNFINISHED)
}

/// The key of a path relative to the root, given as its names; `None` for a file that belongs to no key.
pub(super) fn key_of(names: &[String]) -> Option<String> {
    let names = match names {
        [folder @ .., last] if last == VALUE && !folder.is_empty() => folder,
        all => all,
    };
    let segments: Option<Vec<String>> = names.iter().map(|name| decode(name)).collect();
    Some(segments?.join("/"))
}

/// The longest name that `key` would need, in bytes.
pub(super) fn longest_name(key: &str) -> usize {
    key.split('/')
        .map(|segment| encode(segment).len())
        .max()
        .unwrap_or_default()
}

fn encode(segment: &str) -> String {
    if segment.is_empty() {
        return EMPTY.to_owned();
    }
    let only_dots = segment.bytes().all(|byte| byte == b'.');
    let mut name = String::with_capacity(segment.len());
    let mut chars = segment.chars().peekable();
    while let Some(c) = chars.next() {
        let last = chars.peek().is_none();
        let unsafe_here =
            c.is_control() || matches!(c, '%' | '\\') || (c == '.' && only_dots) || (last && matches!(c, '.' | ' '));
        if unsafe_here {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(name, "%{byte:02X}");
            }
        } else {
            name.push(c);
        }
    }
    name
}

/// A name that rstack did not write stands for itself.
fn decode(name: &str) -> Option<String> {
    if name == EMPTY {
        return Some(String::new());
    }
    if is_own(name) {
        return None;
    }
    let decoded = percent_decode_str(name).decode_utf8().ok();
    let decoded = decoded.filter(|decoded| encode(decoded) == name);
    Some(decoded.map_or_else(|| name.to_owned(), Into::into))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(path: &Path) -> Vec<String> {
        path.iter().map(|name| name.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn ordinary_keys_are_their_own_paths() {
        assert_eq!(
            path_of(Path::new("r"), "main/foo/bar baz/é.py"),
            Path::new("r/main/foo/bar baz/é.py")
        );
    }

    #[test]
    fn nothing_leads_out_of_the_root() {
        assert_eq!(path_of(Path::new("r"), "../../etc"), Path::new("r/%2E%2E/%2E%2E/etc"));
        assert_eq!(path_of(Path::new("r"), "/etc"), Path::new("r/%empty/etc"));
    }

    #[test]
    fn names_of_other_tools_are_found_as_they_are() {
        let dir = tempfile::tempdir().expect("a folder");
        for name in ["a\\b.py", "line\nfeed.py", "sp ace#?%;.py", "a%41.py", "end.", "100%"] {
            std::fs::write(dir.path().join(name), name).expect("written");
            let key = key_of(&[name.to_owned()]).expect("a key");
            assert_eq!(key, name);
            assert_eq!(existing_path_of(dir.path(), &key), dir.path().join(name));
        }
        assert_eq!(existing_path_of(dir.path(), ".."), dir.path().join("%2E%2E"));
    }

    proptest! {
        #[test]
        fn every_key_comes_back(key in "[a-c./% \\\\\n\u{e9}]{1,12}") {
            let path = path_of(Path::new(""), &key);
            prop_assert_eq!(key_of(&names(&path)), Some(key));
        }
    }
}
