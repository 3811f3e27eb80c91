//! The files to publish, hashed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::area::RECORDS;
use super::{demo, walk};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Progress, Reporter, Task};
use crate::interrupt::Interrupt;
use crate::store::{Body, Digester, FileBody, FileDigest, hex};

/// Files that one thread hashes before it tells how far it is.
const CHUNK: usize = 64;
const THREADS: usize = 4;
const BUFFER: usize = 128 * 1024;

/// A set of files with their digests, in the order of their paths.
#[derive(Debug)]
pub struct Tree {
    /// Where they are; `None` when their contents are in memory.
    root: Option<PathBuf>,
    /// Where the files are that were made for it.
    made: Option<TempDir>,
    files: Vec<TreeFile>,
}

#[derive(Debug)]
pub(crate) struct TreeFile {
    /// Relative, with slashes.
    pub(crate) path: Box<str>,
    pub(crate) digest: FileDigest,
    content: Content,
}

/// Where the content of a file is.
#[derive(Debug)]
enum Content {
    /// In the directory.
    Root,
    /// In the folder of files that were made.
    Made,
    Memory(Bytes),
}

impl Tree {
    /// The demo scripts that are part of rstack.
    #[must_use]
    pub fn demo() -> Self {
        let file = |(path, content): &(&str, &'static [u8])| TreeFile::new(*path, Bytes::from_static(content));
        Self {
            root: None,
            made: None,
            files: demo::SCRIPTS.iter().map(file).collect(),
        }
    }

    /// The demo scripts so many times over, each time in a folder of its own, and no two files alike. Once: as they are.
    #[must_use]
    pub fn demo_scaled(times: u32) -> Self {
        if times == 1 {
            return Self::demo();
        }
        let copy = |number: u32| {
            demo::SCRIPTS.iter().map(move |(path, content)| {
                let content = [*content, format!("# copy {number}\n").as_bytes()].concat();
                TreeFile::new(format!("copy{number:05}/{path}"), content.into())
            })
        };
        Self {
            root: None,
            made: None,
            files: (1..=times).flat_map(copy).collect(),
        }
    }

    /// Files that are in memory, by path.
    ///
    /// # Errors
    /// Refuses a path that is absolute, leads out of an area, or is one of rstack's own records.
    pub fn of(contents: BTreeMap<String, Bytes>) -> Result<Self> {
        if let Some(path) = contents.keys().find(|path| !is_publishable(path)) {
            return Err(Error::refused(format!("{path:?} cannot be published"))
                .with_hint("a path is relative and has no `.`, `..` or `.rstack` in it"));
        }
        let files = contents.into_iter().map(|(path, content)| TreeFile::new(path, content));
        Ok(Self {
            root: None,
            made: None,
            files: files.collect(),
        })
    }

    /// Every file of a directory that no ignore file leaves out, hashed.
    ///
    /// # Errors
    /// Names a directory that is missing or has nothing to publish, a link that leads out of it, a name that is not
    /// UTF-8, a file that cannot be read.
    pub async fn read(dir: &Path, reporter: &dyn Reporter, interrupt: &Interrupt) -> Result<Self> {
        let root = dir.to_owned();
        let paths = blocking(move || walk::files(&root)).await?;
        let total = paths.len() as u64;
        let mut progress = Progress {
            task: Task::Scan,
            done: 0,
            total: Some(total),
            bytes: 0,
            total_bytes: None,
        };
        reporter.report(&Event::Progress(progress.clone()));
        let mut files = Vec::with_capacity(paths.len());
        let chunks: Vec<Vec<Box<str>>> = paths.chunks(CHUNK).map(<[_]>::to_vec).collect();
        drop(paths);
        let mut hashed = stream::iter(chunks)
            .map(|chunk| {
                let root = dir.to_owned();
                blocking(move || hash_all(&root, chunk))
            })
            .buffered(THREADS);
        while let Some(chunk) = hashed.try_next().await? {
            if interrupt.requested() {
                return Err(ErrorKind::Interrupted("interrupted; nothing was sent".to_owned()).into());
            }
            progress.done += chunk.len() as u64;
            progress.bytes += chunk.iter().map(|file| file.digest.size).sum::<u64>();
            files.extend(chunk);
            reporter.report(&Event::Progress(progress.clone()));
        }
        Ok(Self {
            root: Some(dir.to_owned()),
            made: None,
            files,
        })
    }

    /// Adds files that were made from these, and lie in a folder of their own. They have paths that no file has.
    pub(crate) fn add_made(&mut self, files: Vec<(Box<str>, FileDigest)>, folder: TempDir) {
        self.files.extend(files.into_iter().map(|(path, digest)| TreeFile {
            path,
            digest,
            content: Content::Made,
        }));
        self.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        self.made = Some(folder);
    }

    /// The directory; `None` when the files are in memory.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Of every file, in order, with `/` between folders.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| &*file.path)
    }

    /// Of all files together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.digest.size).sum()
    }

    pub(crate) fn files(&self) -> &[TreeFile] {
        &self.files
    }

    /// The place of a file in [`Tree::files`].
    pub(crate) fn find(&self, path: &str) -> Option<usize> {
        self.files.binary_search_by(|file| (*file.path).cmp(path)).ok()
    }

    /// Names a set of files with their contents.
    pub(super) fn digest_of(&self, which: &[usize]) -> String {
        let mut hasher = Sha256::new();
        for place in which {
            let file = &self.files[*place];
            hasher.update(file.path.as_bytes());
            hasher.update([0]);
            hasher.update(file.digest.sha256);
        }
        hex(&hasher.finalize())
    }

    pub(crate) fn body(&self, file: &TreeFile) -> Body {
        let folder = match &file.content {
            Content::Memory(content) => return Body::Bytes(content.clone()),
            Content::Root => self.root.as_deref(),
            Content::Made => self.made.as_ref().map(TempDir::path),
        };
        Body::File(FileBody {
            path: folder.unwrap_or(Path::new("")).join(&*file.path),
            digest: file.digest,
        })
    }
}

impl TreeFile {
    fn new(path: impl Into<Box<str>>, content: Bytes) -> Self {
        Self {
            path: path.into(),
            digest: FileDigest::of(&content),
            content: Content::Memory(content),
        }
    }
}

/// Whether a path is relative, stays below where it starts and is not one of rstack's own records.
pub(crate) fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
        && path.split('/').next() != Some(RECORDS)
}

/// The same, and nothing in it could be taken for the records of an area further down.
fn is_publishable(path: &str) -> bool {
    is_inside(path) && path.split('/').all(|name| name != RECORDS)
}

fn hash_all(root: &Path, paths: Vec<Box<str>>) -> Result<Vec<TreeFile>> {
    let mut buffer = vec![0; BUFFER];
    paths.into_iter().map(|path| hash(root, path, &mut buffer)).collect()
}

fn hash(root: &Path, path: Box<str>, buffer: &mut [u8]) -> Result<TreeFile> {
    let place = root.join(&*path);
    let unreadable = |error| Error::file("read", &place, error);
    let mut file = File::open(&place).map_err(unreadable)?;
    let mut digester = Digester::default();
    loop {
        match file.read(buffer).map_err(unreadable)? {
            0 => break,
            length => digester.update(&buffer[..length]),
        }
    }
    Ok(TreeFile {
        path,
        digest: digester.finish(),
        content: Content::Root,
    })
}

/// The content of a file, which has to be what was hashed.
pub(crate) fn read_body(body: Body) -> Result<Bytes> {
    let FileBody { path, digest } = match body {
        Body::Bytes(content) => return Ok(content),
        Body::File(file) => file,
    };
    let content = std::fs::read(&path).map_err(|error| Error::file("read", &path, error))?;
    if digest.matches(&content) {
        return Ok(content.into());
    }
    Err(
        Error::refused(format!("`{}` changed while it was being read", path.display()))
            .with_hint("let it rest and run the same command again"),
    )
}

/// Runs file system work where it blocks nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::unexpected(format!("reading files broke off: {error}")))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_elsewhere() {
        for good in ["a.py", "a/b", ".hidden", "a/.rstack/b", "..."] {
            assert!(is_inside(good), "{good}");
        }
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            "../a",
            "a/../b",
            "./a",
            ".rstack/marker",
            ".rstack",
        ] {
            assert!(!is_inside(bad), "{bad}");
            let contents = BTreeMap::from([(bad.to_owned(), Bytes::new())]);
            assert!(Tree::of(contents).is_err(), "{bad}");
        }
        let nested = BTreeMap::from([("a/.rstack/b".to_owned(), Bytes::new())]);
        assert!(
            Tree::of(nested).is_err(),
            "it could be taken for the records of an area `a`"
        );
    }
}
