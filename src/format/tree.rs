//! Call stacks as a tree that grows towards the leaves, and their way into the shared tables.

use crate::error::{Code, Error, Result};
use crate::model::{FrameId, StackId, Symbols};
use rustc_hash::FxHashMap;

/// Deeper stacks are cut to their innermost frames.
const DEEPEST: usize = 1024;
/// Frames that all stacks may have together, and how many more for each byte read.
const FRAMES_FREE: u64 = 1 << 24;
const FRAMES_A_BYTE: u64 = 8;
const NONE: u32 = u32::MAX;

/// The node without a frame.
pub const ROOT: u32 = 0;

/// A tree of stacks; a node is a stack, its parent the stack of the caller.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<(u32, FrameId)>,
    children: FxHashMap<(u32, FrameId), u32>,
    stacks: Vec<u32>,
    frames_made: u64,
    /// Stacks that were cut.
    pub cut: u64,
}

impl Tree {
    /// A tree of the root alone.
    pub fn new() -> Tree {
        Tree {
            nodes: vec![(ROOT, FrameId(NONE))],
            children: FxHashMap::default(),
            stacks: Vec::new(),
            frames_made: 0,
            cut: 0,
        }
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node of `frame` called from `parent`, added if it is new.
    pub fn child(&mut self, parent: u32, frame: FrameId) -> u32 {
        let next = self.nodes.len() as u32;
        let id = *self.children.entry((parent, frame)).or_insert(next);
        if id == next {
            self.nodes.push((parent, frame));
        }
        id
    }

    /// The node of `frames`, outermost first, called from `parent`.
    pub fn below(&mut self, parent: u32, frames: &[FrameId]) -> u32 {
        frames.iter().fold(parent, |node, &f| self.child(node, f))
    }

    /// The stack of a node in the shared tables. Cost: its depth, once for each node.
    ///
    /// Errors: stacks that add up to far more frames than `bytes_read` can hold.
    pub fn stack(
        &mut self,
        node: u32,
        bytes_read: u64,
        symbols: &mut Symbols,
        scratch: &mut Vec<FrameId>,
    ) -> Result<StackId> {
        self.stacks.resize(self.nodes.len(), NONE);
        let known = self.stacks[node as usize];
        if known != NONE {
            return Ok(StackId(known));
        }
        scratch.clear();
        let mut at = node;
        while at != ROOT {
            if scratch.len() == DEEPEST {
                self.cut += 1;
                break;
            }
            let (parent, frame) = self.nodes[at as usize];
            scratch.push(frame);
            at = parent;
        }
        self.frames_made += scratch.len() as u64;
        if self.frames_made > FRAMES_FREE + FRAMES_A_BYTE.saturating_mul(bytes_read) {
            return Err(Error::new(
                Code::LimitExceeded,
                format!("the stacks hold more than {} frames", self.frames_made),
            )
            .help("the file is damaged: capture it again"));
        }
        let stack = symbols.stacks.intern_leaf_first(scratch);
        self.stacks[node as usize] = stack.0;
        Ok(stack)
    }
}
