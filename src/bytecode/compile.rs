//! Compiling the scripts of a tree.

use std::path::Path;

use futures_util::future::try_join_all;
use serde::Serialize;
use tempfile::TempDir;

use super::Interpreter;
use super::worker::{Answer, Worker};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Reporter, Task};
use crate::interrupt::Interrupt;
use crate::publish::{BYTECODE, Meter, Tree, read_body};
use crate::store::FileDigest;

/// Processes of one interpreter at once. What a process marshals may depend on what it compiled before, in one script of
/// thousands: so which process compiles what depends on the tree alone, and the same tree makes the same bytecode.
const WORKERS: usize = 4;

/// What one interpreter made.
#[derive(Debug, Clone, Serialize)]
pub struct Compiled {
    pub tag: String,
    pub version: String,
    pub files: u64,
    /// Of the bytecode files together.
    pub bytes: u64,
    /// Scripts that this Python cannot compile; they are published without bytecode.
    pub uncompilable: Vec<Uncompilable>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Uncompilable {
    pub path: String,
    pub reason: String,
}

/// The tree with the bytecode of its scripts, for each of these interpreters.
///
/// # Errors
/// When an interpreter breaks off, a script changes meanwhile or the folder for temporary files cannot be written;
/// Interrupted.
pub async fn compile(
    mut tree: Tree,
    interpreters: &[Interpreter],
    reporter: &dyn Reporter,
    interrupt: &Interrupt,
) -> Result<(Tree, Vec<Compiled>)> {
    let folder = tempfile::Builder::new().prefix("rstack-compile-").tempdir();
    let folder = folder.map_err(|error| Error::file("make a folder in", std::env::temp_dir(), error))?;
    let scripts: Vec<usize> = (0..tree.len())
        .filter(|at| is_script(&tree.files()[*at].path))
        .collect();
    let meter = Meter::new(reporter, Task::Compile, scripts.len() * interpreters.len(), None);
    let mut compiled = Vec::with_capacity(interpreters.len());
    let mut made = Vec::new();
    for interpreter in interpreters {
        let job = Job {
            tree: &tree,
            scripts: &scripts,
            interpreter,
            folder: &folder,
            meter: &meter,
            interrupt,
        };
        let (report, files) = job.run().await?;
        compiled.push(report);
        made.extend(files);
    }
    tree.add_made(made, folder);
    Ok((tree, compiled))
}

struct Job<'a> {
    tree: &'a Tree,
    scripts: &'a [usize],
    interpreter: &'a Interpreter,
    folder: &'a TempDir,
    meter: &'a Meter<'a>,
    interrupt: &'a Interrupt,
}

/// A bytecode file in the folder, by its path there.
type Made = (Box<str>, FileDigest);
type Portion = (Vec<Made>, Vec<Uncompilable>);

impl Job<'_> {
    async fn run(&self) -> Result<(Compiled, Vec<Made>)> {
        let workers = WORKERS.min(self.scripts.len());
        let portions: Vec<Portion> = try_join_all((0..workers).map(|worker| self.work(worker))).await?;
        let (mut made, mut uncompilable) = (Vec::new(), Vec::new());
        for (files, failed) in portions {
            made.extend(files);
            uncompilable.extend(failed);
        }
        uncompilable.sort_by(|a, b| a.path.cmp(&b.path));
        let report = Compiled {
            tag: self.interpreter.tag.clone(),
            version: self.interpreter.version.clone(),
            files: made.len() as u64,
            bytes: made.iter().map(|(_, digest)| digest.size).sum(),
            uncompilable,
        };
        Ok((report, made))
    }

    /// The share of one of the workers.
    async fn work(&self, which: usize) -> Result<Portion> {
        let mut worker = Worker::start(self.interpreter, self.folder.path())?;
        let (mut made, mut uncompilable) = (Vec::new(), Vec::new());
        for place in self.scripts.iter().skip(which).step_by(WORKERS) {
            if self.interrupt.requested() {
                return Err(ErrorKind::Interrupted("interrupted; nothing was sent".to_owned()).into());
            }
            let file = &self.tree.files()[*place];
            let source = read_body(self.tree.body(file))?;
            match worker.compile(&file.path, &source).await? {
                Answer::Bytecode(bytecode) => {
                    let path = bytecode_path(&file.path, &self.interpreter.tag);
                    write(&self.folder.path().join(&path), &bytecode).await?;
                    made.push((path.into(), FileDigest::of(&bytecode)));
                }
                Answer::Uncompilable(reason) => uncompilable.push(Uncompilable {
                    path: file.path.to_string(),
                    reason,
                }),
            }
            self.meter.add(1, file.digest.size);
        }
        Ok((made, uncompilable))
    }
}

async fn write(path: &Path, bytecode: &[u8]) -> Result<()> {
    let unwritable = |error| Error::file("write", path, error);
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await.map_err(unwritable)?;
    }
    tokio::fs::write(path, bytecode).await.map_err(unwritable)
}

fn is_script(path: &str) -> bool {
    // As Python itself: letters count.
    Path::new(path).extension().is_some_and(|extension| extension == "py")
}

/// Where Python looks for the bytecode of a script (PEP 3147).
fn bytecode_path(script: &str, tag: &str) -> String {
    let (folder, name) = script
        .rsplit_once('/')
        .map_or(("", script), |(folder, name)| (folder, name));
    let slash = if folder.is_empty() { "" } else { "/" };
    let stem = name.strip_suffix(".py").unwrap_or(name);
    format!("{folder}{slash}{BYTECODE}/{stem}.{tag}.pyc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytecode_lies_where_python_looks_for_it() {
        assert_eq!(bytecode_path("a.py", "cpython-311"), "__pycache__/a.cpython-311.pyc");
        assert_eq!(
            bytecode_path("foo/bar/__init__.py", "cpython-312"),
            "foo/bar/__pycache__/__init__.cpython-312.pyc"
        );
        assert!(is_script("a/b.py"));
        assert!(!is_script("a/b.pyi") && !is_script("a/b.PY") && !is_script("a/.py"));
    }
}
