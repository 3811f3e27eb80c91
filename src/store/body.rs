//! Values on their way into a store.

use std::path::PathBuf;

use bytes::Bytes;
use md5::Md5;
use sha2::{Digest, Sha256};

use super::{StoreError, StoreErrorKind, StoreKind, StoreResult};

/// A value: in memory, or a file that is read when its turn comes.
#[derive(Debug, Clone)]
pub enum Body {
    Bytes(Bytes),
    File(FileBody),
}

/// A file as it was when it was hashed; one that has changed since is not stored.
#[derive(Debug, Clone)]
pub struct FileBody {
    pub path: PathBuf,
    pub digest: FileDigest,
}

/// What identifies a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileDigest {
    /// In bytes.
    pub size: u64,
    pub sha256: [u8; 32],
    /// For services that tell values apart by it; `None` where it was never computed.
    pub md5: Option<[u8; 16]>,
}

impl FileDigest {
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        let mut digester = Digester::default();
        digester.update(value);
        digester.finish()
    }

    /// Whether `value` is what was hashed.
    #[must_use]
    pub fn matches(&self, value: &[u8]) -> bool {
        value.len() as u64 == self.size && Sha256::digest(value)[..] == self.sha256
    }
}

/// Hashes a value piece by piece.
#[derive(Default)]
pub(crate) struct Digester {
    size: u64,
    sha256: Sha256,
    md5: Md5,
}

impl Digester {
    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.size += piece.len() as u64;
        self.sha256.update(piece);
        self.md5.update(piece);
    }

    pub(crate) fn finish(self) -> FileDigest {
        FileDigest {
            size: self.size,
            sha256: self.sha256.finalize().into(),
            md5: Some(self.md5.finalize().into()),
        }
    }
}

impl Body {
    /// In bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.digest.size,
        }
    }

    /// The whole value; an error if the file is no longer what was hashed.
    pub(super) async fn read(self, store: StoreKind, key: &str) -> StoreResult<Bytes> {
        let file = match self {
            Self::Bytes(bytes) => return Ok(bytes),
            Self::File(file) => file,
        };
        let value = tokio::fs::read(&file.path).await.map_err(|error| {
            let message = format!("`{}` cannot be read any more: {error}", file.path.display());
            StoreError::new(store, StoreErrorKind::Changed, message).at(key)
        })?;
        if !file.digest.matches(&value) {
            return Err(changed(store, &file).at(key));
        }
        Ok(value.into())
    }
}

pub(super) fn changed(store: StoreKind, file: &FileBody) -> StoreError {
    let message = format!("`{}` changed while it was being read", file.path.display());
    StoreError::new(store, StoreErrorKind::Changed, message)
}
