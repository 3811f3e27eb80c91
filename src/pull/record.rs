//! What a pull notes in the directory that it makes.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::publish::PULL_RECORD;
use crate::release::{ContentHash, Member, ReleaseId, Source};
use crate::time::Timestamp;

const FORMAT: u32 = 1;

/// Where the files of one member of a source come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// In words: "area `prod` of table `t`", a folder.
    pub place: String,
    /// What was pinned; `None` for plain files.
    pub release: Option<ReleaseId>,
    /// Which move of the marker that was.
    pub sequence: Option<u64>,
    /// Of that move.
    pub time: Option<Timestamp>,
}

impl Origin {
    fn of(member: &Member) -> Self {
        let plain = |place| Self {
            place,
            release: None,
            sequence: None,
            time: None,
        };
        match member {
            Member::Area(reader) => {
                let (place, marker) = (reader.place(), reader.marker());
                Self {
                    place: format!("area `{}` of {}", place.area, place.marker.place()),
                    release: Some(marker.release.clone()),
                    sequence: Some(marker.sequence),
                    time: Some(marker.time),
                }
            }
            Member::Folder(tree) => plain(match tree.root() {
                Some(root) => format!("folder `{}`", root.display()),
                None => "a KYDB database".to_owned(),
            }),
            Member::Plain(files) => plain(files.place()),
        }
    }
}

/// The record as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    v: u32,
    pub(super) from: Vec<Origin>,
    pub(super) time: Timestamp,
    pub(super) files: BTreeMap<String, ContentHash>,
}

impl Record {
    pub(super) fn of(source: &Source) -> Self {
        let files = source.list().into_iter().map(|(path, entry)| (path, entry.sha256));
        Self {
            v: FORMAT,
            from: source.members().map(|(_, member)| Origin::of(member)).collect(),
            time: Timestamp::now(),
            files: files.collect(),
        }
    }

    /// The record of a directory; `None` when it has none.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>> {
        let path = directory.join(PULL_RECORD);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file("read", path, error)),
        };
        let unreadable = |why: String| {
            Error::refused(format!("the record `{}` cannot be read: {why}", path.display()))
                .with_hint("`--force` replaces the directory and everything in it")
        };
        let record: Self = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
        if record.v != FORMAT {
            return Err(unreadable(format!(
                "it has format {}, which only a newer rstack knows",
                record.v
            )));
        }
        Ok(Some(record))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Text, numbers and text keys: nothing that JSON cannot hold.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
