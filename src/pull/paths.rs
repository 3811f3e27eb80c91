//! Whether paths can be files beside each other.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::publish::{PULL_RECORD, is_inside};
use crate::release::Entry;

/// # Errors
/// Names a path that would leave the directory, that no file system holds, or that another one makes a directory.
pub(super) fn check(files: &BTreeMap<String, Entry>) -> Result<()> {
    for path in files.keys() {
        if !is_inside(path) {
            return Err(Error::refused(format!("{path:?} would lead out of the directory"))
                .with_hint("the source is damaged, or somebody tampers with it; nothing was written"));
        }
        if path.contains('\0') {
            return Err(Error::refused(format!("{path:?} cannot be the name of a file")));
        }
        if path == PULL_RECORD {
            return Err(Error::refused(format!(
                "the source has a file `{path}`, which is where `pull` keeps its record"
            ))
            .with_hint("publish it without that file"));
        }
        for (at, _) in path.match_indices('/') {
            if files.contains_key(&path[..at]) {
                let folder = &path[..at];
                return Err(
                    Error::refused(format!("`{folder}` is a file, and `{path}` needs it to be a directory"))
                        .with_hint("no file system holds both; publish it without one of them"),
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::ContentHash;

    fn refusal(paths: &[&str]) -> Option<String> {
        let entry = Entry {
            sha256: ContentHash::of(b""),
            size: 0,
            member: 0,
        };
        let files = paths.iter().map(|path| ((*path).to_owned(), entry)).collect();
        check(&files).err().map(|error| error.to_string())
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        assert_eq!(refusal(&["a", "a.py", "b/c", "b/d", "ü/A", "ü/a"]), None);
        for (paths, named) in [
            (&["a", "a/b"][..], "`a/b`"),
            (&["a/b", "a/b/c/d"], "`a/b`"),
            (&["../a"], "../a"),
            (&["/etc/passwd"], "/etc/passwd"),
            (&["a\0"], "a\\0"),
            (&[".rstack-pull.json"], ".rstack-pull.json"),
        ] {
            let refusal = refusal(paths).expect("refused");
            assert!(refusal.contains(named), "{refusal}");
        }
    }
}
