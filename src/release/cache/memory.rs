//! Blobs in this process's memory: for what is read again soon, and for machines without a usable folder.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use crate::release::ContentHash;

/// In bytes.
const LIMIT: usize = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Memory {
    blobs: HashMap<ContentHash, Bytes>,
    /// Those that came first go first.
    order: VecDeque<ContentHash>,
    bytes: usize,
}

impl Memory {
    pub(super) fn get(&self, hash: ContentHash) -> Option<Bytes> {
        self.blobs.get(&hash).cloned()
    }

    pub(super) fn put(&mut self, hash: ContentHash, value: &Bytes) {
        if value.len() > LIMIT || self.blobs.contains_key(&hash) {
            return;
        }
        self.bytes += value.len();
        self.blobs.insert(hash, value.clone());
        self.order.push_back(hash);
        while self.bytes > LIMIT {
            let Some(oldest) = self.order.pop_front() else { return };
            if let Some(gone) = self.blobs.remove(&oldest) {
                self.bytes -= gone.len();
            }
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
        for number in 0..10 {
            memory.put(hash(number), &Bytes::from(vec![number; LIMIT / 4]));
        }
        memory.put(hash(100), &Bytes::from(vec![0; LIMIT + 1]));
        assert_eq!(memory.get(hash(5)), None);
        assert_eq!(memory.get(hash(100)), None);
        for number in 6..10 {
            assert_eq!(memory.get(hash(number)).map(|value| value[0]), Some(number));
        }
        assert_eq!((memory.bytes, memory.blobs.len(), memory.order.len()), (LIMIT, 4, 4));
    }
}
