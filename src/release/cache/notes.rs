//! What this machine remembers of areas and environments beside their contents: short notes, each kept with its hash.

use std::sync::PoisonError;

use bytes::Bytes;

use super::folder::NOTES;
use super::local::{HASH, LocalCache};
use crate::release::ContentHash;

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::release) enum NoteKind {
    /// A move that led to a release.
    Move,
    /// The move that an area was at when it was last looked at.
    Current,
    /// Where the stores of an environment are.
    Environment,
    /// A manifest of which every file was found to be what it says.
    Proven,
}

impl LocalCache {
    /// A note, as it was left.
    pub(in crate::release) fn note(&self, kind: NoteKind, about: &str) -> Option<Bytes> {
        let name = note_name(kind, about);
        {
            let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(note) = notes.get(&name) {
                return Some(note.clone());
            }
        }
        let folder = self.folder.as_ref()?;
        let mut kept = Bytes::from(folder.read(NOTES, &name).ok()??);
        if kept.len() >= HASH {
            let hash = kept.split_to(HASH);
            if ContentHash::of(&kept).0 == *hash {
                return Some(kept);
            }
        }
        let _ = std::fs::remove_file(folder.path(NOTES, &name));
        None
    }

    /// What this process itself has noted.
    pub(in crate::release) fn own_note(&self, kind: NoteKind, about: &str) -> Option<Bytes> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.get(&note_name(kind, about)).cloned()
    }

    pub(in crate::release) fn leave_note(&self, kind: NoteKind, about: &str, note: &Bytes) {
        let name = note_name(kind, about);
        let known = {
            let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            notes
                .insert(name.clone(), note.clone())
                .is_some_and(|before| before == *note)
        };
        if !known && self.note_on_disk(&name) != Some(ContentHash::of(note)) {
            self.write(NOTES, &name, &[&ContentHash::of(note).0, note]);
        }
    }

    fn note_on_disk(&self, name: &str) -> Option<ContentHash> {
        let kept = self.folder.as_ref()?.read(NOTES, name).ok()??;
        Some(ContentHash::of(kept.get(HASH..)?))
    }
}

fn note_name(kind: NoteKind, about: &str) -> String {
    let kind = match kind {
        NoteKind::Move => "move",
        NoteKind::Current => "current",
        NoteKind::Environment => "environment",
        NoteKind::Proven => "proven",
    };
    ContentHash::of(format!("{kind}\n{about}").as_bytes()).to_string()
}
