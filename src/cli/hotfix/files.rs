//! Which files, and which paths they have in the area.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rstack::publish::Tree;
use rstack::{Error, Result};

/// The files by their paths below `base`, or below the current directory.
pub(super) fn tree(files: &[PathBuf], base: Option<&Path>) -> Result<Tree> {
    let base = base.unwrap_or(Path::new("."));
    let real_base = base.canonicalize().map_err(|error| Error::file("find", base, error))?;
    let mut contents = BTreeMap::new();
    for file in files {
        let path = path_below(&real_base, base, file)?;
        let content = std::fs::read(file).map_err(|error| Error::file("read", file, error))?;
        if contents.insert(path.clone(), content.into()).is_some() {
            return Err(Error::usage(format!("`{path}` is named twice")).with_hint("name it once"));
        }
    }
    Tree::of(contents)
}

/// The paths to hide; one may begin with `./`, and that of a directory end in a slash.
pub(super) fn hidden(tree: &Tree, paths: &[String]) -> Result<BTreeSet<Box<str>>> {
    let paths: Vec<&str> = paths
        .iter()
        .map(|path| path.strip_prefix("./").unwrap_or(path))
        .map(|path| path.strip_suffix('/').unwrap_or(path))
        .collect();
    if let Some(path) = tree.paths().find(|path| paths.contains(path)) {
        return Err(
            Error::usage(format!("`{path}` is both to be published and to be removed"))
                .with_hint("leave one of them out"),
        );
    }
    Ok(paths.into_iter().map(Into::into).collect())
}

fn path_below(real_base: &Path, base: &Path, file: &Path) -> Result<String> {
    let outside = || {
        Error::refused(format!("`{}` lies outside of `{}`", file.display(), base.display()))
            .with_hint("`--base DIR` names the folder that paths in the area begin at")
    };
    let unreadable = |error| Error::file("find", file, error);
    let (Some(parent), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(outside());
    };
    let parent = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    // A link has the path that it has; what it leads to has to be inside all the same.
    let place = parent.canonicalize().map_err(unreadable)?.join(name);
    let target = place.canonicalize().map_err(unreadable)?;
    let relative = place.strip_prefix(real_base).map_err(|_| outside())?;
    if !target.starts_with(real_base) {
        return Err(outside());
    }
    if !target.is_file() {
        return Err(Error::refused(format!("`{}` is not a file", file.display())).with_hint("name the files in it"));
    }
    let path = relative.to_str().ok_or_else(|| {
        Error::refused(format!("the name of `{}` is not UTF-8", file.display())).with_hint("rename it")
    })?;
    Ok(path.to_owned())
}
