//! Code addresses of heaptrack recordings to frames: symbolised ones as the file names them,
//! raw ones as module and offset.

use super::super::native::{at_address, at_offset};
use crate::model::{CodePlace, Counted, FrameId, StrId, Symbols};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The frames of every instruction pointer, innermost first. Index 0 stands for none.
#[derive(Debug)]
pub(super) struct Pointers {
    frames: Vec<FrameId>,
    ends: Vec<u32>,
}

impl Pointers {
    pub fn new() -> Self {
        Pointers {
            frames: Vec::new(),
            ends: vec![0],
        }
    }

    /// Number of pointers, none included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds a frame to the pointer that is being read.
    pub fn push(&mut self, frame: FrameId) {
        self.frames.push(frame);
    }

    /// Ends the pointer that is being read.
    pub fn end(&mut self) {
        self.ends.push(self.frames.len() as u32);
    }

    /// The frames of pointer `i`, innermost first; none for an index of no pointer.
    pub fn get(&self, i: u32) -> &[FrameId] {
        let i = i as usize;
        match (i.checked_sub(1), self.ends.get(i)) {
            (Some(before), Some(&end)) => &self.frames[self.ends[before] as usize..end as usize],
            _ => &[],
        }
    }
}

/// The modules loaded at one time of a raw recording.
#[derive(Debug)]
pub(super) struct Modules {
    /// What the module called `x` stands for.
    pub executable: StrId,
    /// By start: end, start of the module, its path.
    fragments: BTreeMap<u64, (u64, u64, StrId)>,
    resolved: FxHashMap<u64, u32>,
    /// 1 where the recording holds return addresses, 0 where it subtracted 1 itself.
    pub behind_call: u64,
}

impl Modules {
    pub fn new() -> Self {
        Modules {
            executable: StrId::EMPTY,
            fragments: BTreeMap::new(),
            resolved: FxHashMap::default(),
            behind_call: 0,
        }
    }

    /// Everything was unloaded; a full list follows.
    pub fn clear(&mut self) {
        self.fragments.clear();
        self.resolved.clear();
    }

    /// Adds a loaded part of a module.
    pub fn add(&mut self, start: u64, size: u64, base: u64, path: StrId) {
        let end = start.saturating_add(size);
        self.fragments.insert(start, (end, base, path));
    }

    /// The pointer of a code address: an address has one meaning until modules change.
    pub fn resolve(&mut self, address: u64, symbols: &mut Symbols, pointers: &mut Pointers) -> u32 {
        if let Some(&known) = self.resolved.get(&address) {
            return known;
        }
        let below = self.fragments.range(..=address).next_back();
        let frame = match below.filter(|(_, part)| address < part.0) {
            Some((_, &(_, base, module))) if !module.is_empty() => {
                let place = CodePlace {
                    module,
                    build: StrId::EMPTY,
                    counted: Counted::Image,
                    offset: address.saturating_sub(base.saturating_add(self.behind_call)),
                };
                at_offset(symbols, place)
            }
            _ => at_address(symbols, address),
        };
        let pointer = pointers.len() as u32;
        pointers.push(symbols.frames.intern(frame));
        pointers.end();
        self.resolved.insert(address, pointer);
        pointer
    }
}
