//! Named things in the order in which they were added.

use serde::ser::{Serialize, SerializeMap, Serializer};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entries<T>(Vec<(&'static str, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Entries<T> {
    /// Names are constants of the presets; one used twice is a slip that any test of the preset shows.
    pub(super) fn add(&mut self, name: &'static str, entry: T) {
        debug_assert!(self.iter().all(|(other, _)| other != name), "{name} is there twice");
        self.0.push((name, entry));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        self.0.iter().map(|(name, entry)| (*name, entry))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for Entries<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, entry) in self.iter() {
            map.serialize_entry(name, entry)?;
        }
        map.end()
    }
}
