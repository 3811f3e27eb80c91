//! Which files of a directory are published.

use std::path::{Path, PathBuf};

use ignore::gitignore::Gitignore;
use ignore::{DirEntry, WalkBuilder};

use super::area::RECORDS;
use crate::error::{Error, Result};

const IGNORE_FILE: &str = ".rstackignore";
/// What `pull` notes in the directory that it makes.
pub(crate) const PULL_RECORD: &str = ".rstack-pull.json";
/// The folder that Python keeps bytecode in. What is published of it is made for the release.
pub(crate) const BYTECODE: &str = "__pycache__";
/// Never published.
const SKIPPED: [&str; 3] = [".git", BYTECODE, PULL_RECORD];

/// Relative paths with slashes, sorted.
pub(super) fn files(root: &Path) -> Result<Vec<Box<str>>> {
    let wrong = |what: &str| Error::usage(format!("`{}` {what}", root.display()));
    let metadata = match std::fs::metadata(root) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(wrong("does not exist").with_hint("name a directory that is there"));
        }
        Err(error) => return Err(Error::file("read", root, error)),
    };
    if !metadata.is_dir() {
        return Err(wrong("is not a directory").with_hint("name the directory that the file is in"));
    }
    let real_root = root.canonicalize().map_err(|error| Error::file("read", root, error))?;
    let mut walker = WalkBuilder::new(root);
    walker
        .hidden(false)
        .require_git(false)
        .git_global(false)
        .parents(!ignored_by_parents(&real_root))
        .add_custom_ignore_filename(IGNORE_FILE)
        .follow_links(true)
        .filter_entry(|entry| entry.depth() == 0 || !SKIPPED.iter().any(|name| entry.file_name() == *name));
    let mut found = Vec::new();
    for entry in walker.build() {
        let entry = entry.map_err(|error| unwalkable(root, &error))?;
        found.extend(published(root, &real_root, &entry)?);
    }
    if found.is_empty() {
        return Err(wrong("has no file to publish").with_hint(format!(
            "it is empty, or `.gitignore` and `{IGNORE_FILE}` leave everything out"
        )));
    }
    found.sort_unstable();
    Ok(found)
}

/// The path of an entry that is a file to publish; `None` for a directory.
fn published(root: &Path, real_root: &Path, entry: &DirEntry) -> Result<Option<Box<str>>> {
    let path = entry.path();
    if entry.depth() > 0 && entry.path_is_symlink() {
        stays_inside(real_root, path)?;
    }
    let Some(kind) = entry.file_type().filter(|kind| !kind.is_dir()) else {
        return Ok(None);
    };
    if !kind.is_file() {
        return Err(
            Error::refused(format!("`{}` is neither a file nor a directory", path.display()))
                .with_hint(format!("remove it, or name it in `{IGNORE_FILE}`")),
        );
    }
    let relative = path.strip_prefix(root).unwrap_or(path);
    let name = relative.to_str().ok_or_else(|| {
        Error::refused(format!("the name of `{}` is not UTF-8", path.display()))
            .with_hint(format!("rename it, or leave it out with `{IGNORE_FILE}`"))
    })?;
    if relative.iter().any(|name| name == RECORDS) {
        return Err(Error::refused(format!(
            "`{}` cannot be published: `{RECORDS}` is where rstack keeps its own records",
            path.display()
        ))
        .with_hint(format!("rename it, or name it in `{IGNORE_FILE}`")));
    }
    Ok(Some(name.into()))
}

fn stays_inside(real_root: &Path, link: &Path) -> Result<()> {
    let target = link
        .canonicalize()
        .map_err(|error| Error::file("follow", link, error))?;
    if target.starts_with(real_root) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "the link `{}` leads out of the directory, to `{}`",
        link.display(),
        target.display()
    ))
    .with_hint(format!(
        "put the file itself there, or name the link in `{IGNORE_FILE}`"
    )))
}

/// Whether an ignore file above the directory leaves the directory itself out, as in `.venv/lib`. Whoever names it all
/// the same wants what is in it, so then those files do not count; otherwise they do.
fn ignored_by_parents(real_root: &Path) -> bool {
    for parent in real_root.ancestors().skip(1) {
        for name in [".gitignore", IGNORE_FILE] {
            let file = parent.join(name);
            if file.is_file() {
                let (rules, _) = Gitignore::new(&file);
                if rules.matched_path_or_any_parents(real_root, true).is_ignore() {
                    return true;
                }
            }
        }
        if parent.join(".git").exists() {
            return false;
        }
    }
    false
}

fn unwalkable(root: &Path, error: &ignore::Error) -> Error {
    let path = path_of(error).unwrap_or_else(|| root.to_owned());
    match cause(error) {
        ignore::Error::Loop { ancestor, child } => Error::refused(format!(
            "the link `{}` leads back to `{}`",
            child.display(),
            ancestor.display()
        ))
        .with_hint(format!("name the link in `{IGNORE_FILE}`")),
        ignore::Error::Io(_) if path.is_symlink() => {
            Error::refused(format!("the link `{}` leads nowhere", path.display()))
                .with_hint(format!("remove it, or name it in `{IGNORE_FILE}`"))
        }
        ignore::Error::Io(io) => Error::file("read", path, io.kind().into()),
        other => Error::refused(format!("`{}` cannot be read: {other}", path.display())),
    }
}

fn path_of(error: &ignore::Error) -> Option<PathBuf> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path.clone()),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

fn cause(error: &ignore::Error) -> &ignore::Error {
    match error {
        ignore::Error::WithPath { err, .. }
        | ignore::Error::WithDepth { err, .. }
        | ignore::Error::WithLineNumber { err, .. } => cause(err),
        other => other,
    }
}
