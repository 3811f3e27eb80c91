//! Blobs in this process's memory: for what is read again soon, and for machines without a usable folder.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use crate::release::ContentHash;

/// In bytes.
const LIMIT: usize = 64 << 20;

/// A blob, and whether its hash was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) value: Bytes,
    pub(super) checked: bool,
}

#[derive(Debug, Default)]
pub(super) struct Memory {
    blobs: HashMap<ContentHash, Held>,
    /// Those that came first go first.
    order: VecDeque<ContentHash>,
    bytes: usize,
}

impl Memory {
    pub(super) fn get(&self, hash: ContentHash) -> Option<Held> {
        self.blobs.get(&hash).cloned()
    }

    /// What was checked replaces what was not.
    pub(super) fn put(&mut self, hash: ContentHash, held: Held) {
        let known = self.blobs.get(&hash);
        if held.value.len() > LIMIT || known.is_some_and(|known| known.checked || !held.checked) {
            return;
        }
        self.remove(hash);
        self.bytes += held.value.len();
        self.blobs.insert(hash, held);
        self.order.push_back(hash);
        while self.bytes > LIMIT {
            let Some(oldest) = self.order.pop_front() else { return };
            if let Some(gone) = self.blobs.remove(&oldest) {
                self.bytes -= gone.value.len();
            }
        }
    }

    pub(super) fn remove(&mut self, hash: ContentHash) {
        if let Some(gone) = self.blobs.remove(&hash) {
            self.bytes -= gone.value.len();
            self.order.retain(|other| *other != hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_the_first_go_first() {
        let mut memory = Memory::default();
        let hash = |number: u8| ContentHash([number; 32]);
        let held = |value: Vec<u8>, checked| Held {
            value: value.into(),
            checked,
        };
        for number in 0..10 {
            memory.put(hash(number), held(vec![number; LIMIT / 4], true));
        }
        memory.put(hash(100), held(vec![0; LIMIT + 1], true));
        assert_eq!(memory.get(hash(5)), None);
        assert_eq!(memory.get(hash(100)), None);
        for number in 6..10 {
            assert_eq!(memory.get(hash(number)).map(|held| held.value[0]), Some(number));
        }
        assert_eq!((memory.bytes, memory.blobs.len(), memory.order.len()), (LIMIT, 4, 4));
    }

    #[test]
    fn what_was_checked_replaces_what_was_not() {
        let (mut memory, hash) = (Memory::default(), ContentHash([7; 32]));
        let held = |text: &'static str, checked| Held {
            value: text.into(),
            checked,
        };
        for (put, found) in [
            (held("one", false), "one"),
            (held("two", false), "one"),
            (held("three", true), "three"),
            (held("four", true), "three"),
        ] {
            memory.put(hash, put);
            assert_eq!(memory.get(hash).map(|held| held.value), Some(found.into()));
        }
        memory.remove(hash);
        assert_eq!((memory.get(hash), memory.bytes, memory.order.len()), (None, 0, 0));
    }
}
