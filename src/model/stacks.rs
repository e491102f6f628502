//! Stacks: interned lists of frames, root first, shared by every capture of a comparison.
//!
//! A stack is kept as the variable-length bytes of its frame handles. Handles are given in order
//! of first appearance, so common frames take one or two bytes; a million stacks of 35 frames
//! each take some 100 MB even when they share no prefix, where a prefix tree takes three times
//! that. Equal stacks of all captures have one handle: exact matching is an integer comparison.

use super::frames::FrameId;
use hashbrown::HashTable;

/// Handle of a stack in [`Stacks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StackId(pub(crate) u32);

impl StackId {
    /// The stack without a frame: what a capture could not attribute.
    pub const EMPTY: StackId = StackId(0);

    /// Position in the table, from 0, in order of first appearance.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A table of distinct stacks. Memory: 16 bytes and one to three bytes a frame for each stack.
#[derive(Debug)]
pub struct Stacks {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    hashes: Vec<u32>,
    table: HashTable<u32>,
    scratch: Vec<u8>,
}

impl Default for Stacks {
    fn default() -> Self {
        let mut stacks = Stacks {
            bytes: Vec::new(),
            ends: Vec::new(),
            hashes: Vec::new(),
            table: HashTable::new(),
            scratch: Vec::new(),
        };
        stacks.intern_root_first(&[]);
        stacks
    }
}

const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// The table buckets by the top bits and the low bits, so both halves of the product are used.
fn spread(hash: u32) -> u64 {
    let wide = (hash as u64).wrapping_mul(MIX);
    wide ^ (wide >> 32)
}

impl Stacks {
    /// The handle of a stack given root first, added if it is new. Cost: linear in its depth.
    pub fn intern_root_first(&mut self, frames: &[FrameId]) -> StackId {
        self.intern(frames.iter().copied())
    }

    /// The handle of a stack given leaf first, as most formats write it.
    pub fn intern_leaf_first(&mut self, frames: &[FrameId]) -> StackId {
        self.intern(frames.iter().rev().copied())
    }

    /// The handle of the stack with these frames, root first.
    pub fn intern(&mut self, frames: impl Iterator<Item = FrameId>) -> StackId {
        let Stacks {
            bytes,
            ends,
            hashes,
            table,
            scratch,
        } = self;
        scratch.clear();
        let mut wide: u64 = 0;
        for FrameId(frame) in frames {
            wide = (wide ^ frame as u64).wrapping_mul(MIX);
            wide ^= wide >> 29;
            let mut rest = frame;
            while rest >= 0x80 {
                scratch.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            scratch.push(rest as u8);
        }
        let hash = (wide >> 32) as u32 ^ wide as u32;
        let at = |i: usize| &bytes[if i == 0 { 0 } else { ends[i - 1] }..ends[i]];
        let same = |&i: &u32| hashes[i as usize] == hash && at(i as usize) == &scratch[..];
        if let Some(&found) = table.find(spread(hash), same) {
            return StackId(found);
        }
        let id = ends.len() as u32;
        table.insert_unique(spread(hash), id, |&i| spread(hashes[i as usize]));
        bytes.extend_from_slice(scratch);
        ends.push(bytes.len());
        hashes.push(hash);
        StackId(id)
    }

    /// The frames of a stack, root first.
    pub fn frames(&self, id: StackId) -> StackFrames<'_> {
        let i = id.index();
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        StackFrames {
            bytes: &self.bytes[start..self.ends[i]],
        }
    }

    /// Every handle of the table, in order.
    pub fn ids(&self) -> impl Iterator<Item = StackId> + use<> {
        (0..self.ends.len() as u32).map(StackId)
    }

    /// Number of distinct stacks, the empty one included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Never true: the empty stack is always there.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Iterator over the frames of one stack, root first; see [`Stacks::frames`].
#[derive(Debug, Clone)]
pub struct StackFrames<'a> {
    bytes: &'a [u8],
}

impl Iterator for StackFrames<'_> {
    type Item = FrameId;

    fn next(&mut self) -> Option<FrameId> {
        let mut value = 0u32;
        let mut shift = 0;
        loop {
            let (&byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            value |= ((byte & 0x7f) as u32) << shift;
            if byte < 0x80 {
                return Some(FrameId(value));
            }
            shift += 7;
        }
    }
}

impl DoubleEndedIterator for StackFrames<'_> {
    fn next_back(&mut self) -> Option<FrameId> {
        let (&last, mut rest) = self.bytes.split_last()?;
        let mut value = last as u32;
        while let Some((&byte, before)) = rest.split_last() {
            if byte < 0x80 {
                break;
            }
            value = value << 7 | (byte & 0x7f) as u32;
            rest = before;
        }
        self.bytes = rest;
        Some(FrameId(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_come_back_in_both_directions(lists in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..20), 0..40)) {
            let mut stacks = Stacks::default();
            let ids: Vec<_> = lists.iter().map(|l| stacks.intern(l.iter().map(|&f| FrameId(f)))).collect();
            for (list, &id) in lists.iter().zip(&ids) {
                let forward: Vec<u32> = stacks.frames(id).map(|f| f.0).collect();
                prop_assert_eq!(list, &forward);
                let mut backward: Vec<u32> = stacks.frames(id).rev().map(|f| f.0).collect();
                backward.reverse();
                prop_assert_eq!(list, &backward);
                prop_assert_eq!(stacks.intern(list.iter().map(|&f| FrameId(f))), id);
            }
        }
    }
}
