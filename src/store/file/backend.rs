//! The folder as a store. Values appear whole (written beside, then renamed); a lock file keeps writers apart.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use rustix::fs::{FlockOperation, flock};

use super::names;
use super::walk::{Odd, value_of, walk};
use crate::store::{
    Done, Limit, Listed, Pages, Puts, Store, StoreError, StoreErrorKind, StoreKind, StoreResult, Swap, Version,
};

#[derive(Debug, Clone)]
pub struct FileStore {
    root: PathBuf,
    place: String,
}

/// The longest file name of the usual file systems, in bytes.
const LONGEST_NAME: usize = 255;

impl FileStore {
    /// The store in `root`, which is made with the first value.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let place = format!("folder `{}`", root.display());
        Self { root, place }
    }

    /// Runs file system calls where they block nobody.
    async fn run<T, F>(&self, key: &str, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Folder) -> io::Result<T> + Send + 'static,
    {
        let folder = Folder(self.root.clone());
        let result = tokio::task::spawn_blocking(move || work(&folder))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        result.map_err(|error| {
            let kind = match error.kind() {
                ErrorKind::PermissionDenied => StoreErrorKind::Denied,
                ErrorKind::ReadOnlyFilesystem => StoreErrorKind::ReadOnly,
                ErrorKind::InvalidFilename | ErrorKind::FileTooLarge | ErrorKind::StorageFull => {
                    StoreErrorKind::TooLarge
                }
                _ => StoreErrorKind::Other,
            };
            let hint = Odd::of(&error).map(|odd| odd.hint);
            let error = StoreError::new(StoreKind::File, kind, error.to_string()).at(key);
            match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        })
    }
}

#[async_trait]
impl Store for FileStore {
    fn kind(&self) -> StoreKind {
        StoreKind::File
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn limit(&self, key: &str, _size: u64) -> Option<Limit> {
        (names::longest_name(key) > LONGEST_NAME).then_some(Limit::Key(LONGEST_NAME as u64))
    }

    async fn ping(&self) -> StoreResult<()> {
        self.run("", |folder| match fs::metadata(&folder.0) {
            Ok(found) if !found.is_dir() => Err(ErrorKind::NotADirectory.into()),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    async fn get_many(&self, keys: &[String]) -> StoreResult<Vec<Option<Bytes>>> {
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            let owned = key.clone();
            values.push(
                self.run(key, move |folder| folder.locked(false, || folder.read(&owned)))
                    .await?,
            );
        }
        Ok(values)
    }

    async fn put_many(&self, puts: &mut Puts<'_>, done: &Done<'_>) -> StoreResult<()> {
        for put in puts {
            let value = put.body.read(StoreKind::File, &put.key).await?;
            let (key, size) = (put.key.clone(), value.len() as u64);
            self.run(&put.key, move |folder| {
                folder.locked(true, || folder.write(&key, &value))
            })
            .await?;
            done(&put.key, size);
        }
        Ok(())
    }

    async fn delete_many(&self, keys: &[String]) -> StoreResult<()> {
        for key in keys {
            let owned = key.clone();
            self.run(key, move |folder| folder.locked(true, || folder.remove(&owned)))
                .await?;
        }
        Ok(())
    }

    fn list(&self, prefix: &str) -> Pages<'_> {
        let prefix = prefix.to_owned();
        stream::once(async move {
            let owned = prefix.clone();
            self.run(&prefix, move |folder| folder.locked(false, || folder.list(&owned)))
                .await
        })
        .boxed()
    }

    async fn get_versioned(&self, key: &str) -> StoreResult<Option<(Bytes, Version)>> {
        let found = self.get_many(&[key.to_owned()]).await?.pop().flatten();
        Ok(found.map(|value| (value.clone(), Version::content(value))))
    }

    async fn compare_and_set(&self, key: &str, expected: Option<&Version>, new: Bytes) -> StoreResult<Swap> {
        let (owned, expected) = (key.to_owned(), expected.cloned());
        self.run(key, move |folder| {
            folder.locked(true, || {
                if folder.read(&owned)?.map(Version::content) != expected {
                    return Ok(Swap::Conflict);
                }
                folder.write(&owned, &new)?;
                Ok(Swap::Done(Version::content(new)))
            })
        })
        .await
    }
}

/// The blocking side.
struct Folder(PathBuf);

impl Folder {
    /// Runs `work` under the lock. Readers do without one where nobody ever wrote, or where they may not lock.
    fn locked<T>(&self, exclusive: bool, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let path = self.0.join(names::LOCK);
        let lock = if exclusive {
            fs::create_dir_all(&self.0)?;
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            flock(&file, FlockOperation::LockExclusive)?;
            Some(file)
        } else {
            let file = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
            let file = file.then(|| File::open(path).ok()).flatten();
            file.filter(|file| flock(file, FlockOperation::LockShared).is_ok())
        };
        let result = work();
        drop(lock);
        result
    }

    fn read(&self, key: &str) -> io::Result<Option<Bytes>> {
        match value_of(&names::existing_path_of(&self.0, key)) {
            Ok(value) => Ok(Some(value.into())),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, key: &str, value: &[u8]) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let path = names::path_of(&self.0, key);
        let parent = path.parent().unwrap_or(&self.0);
        self.make_folders(parent)?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let unfinished = self
            .0
            .join(format!("{}{}-{count}", names::UNFINISHED, std::process::id()));
        let written = File::create(&unfinished)
            .and_then(|mut file| file.write_all(value))
            .and_then(|()| {
                let target = if path.is_dir() { path.join(names::VALUE) } else { path };
                fs::rename(&unfinished, target)
            });
        if written.is_err() {
            // The first error is the one to tell; what is left has a name that no key maps to.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    /// Makes the folders down to `folder`; the value of a key that stands in the way moves inside.
    fn make_folders(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        if folder.is_file() {
            let aside = self
                .0
                .join(format!("{}aside-{}", names::UNFINISHED, std::process::id()));
            fs::rename(folder, &aside)?;
            fs::create_dir(folder)?;
            return fs::rename(aside, folder.join(names::VALUE));
        }
        if let Some(parent) = folder.parent() {
            self.make_folders(parent)?;
        }
        match fs::create_dir(folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        let path = names::path_of(&self.0, key);
        let target = if path.is_dir() { path.join(names::VALUE) } else { path };
        match fs::remove_file(&target) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
            Err(error) => return Err(error),
        }
        // Folders that are empty now go too; the first one that is not ends it.
        let mut folder = target.parent();
        while let Some(empty) = folder.filter(|folder| *folder != self.0 && fs::remove_dir(folder).is_ok()) {
            folder = empty.parent();
        }
        Ok(())
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<Listed>> {
        // Only what can begin with the prefix: what lies beside it may be anything.
        let (folder, inside) = match prefix.rsplit_once('/') {
            Some((folder, _)) => (names::existing_path_of(&self.0, folder), format!("{folder}/")),
            None => (self.0.clone(), String::new()),
        };
        let mut found = Vec::new();
        walk(&folder, &mut |names, size| {
            let key = names::key_of(names).map(|key| format!("{inside}{key}"));
            if let Some(key) = key.filter(|key| key.starts_with(prefix)) {
                found.push(Listed {
                    key,
                    size: Some(size),
                    md5: None,
                });
            }
        })?;
        found.sort_by(|a, b| a.key.cmp(&b.key));
        match found.windows(2).find(|pair| pair[0].key == pair[1].key) {
            Some(pair) => Err(Odd::twice(&pair[0].key)),
            None => Ok(found),
        }
    }
}
