//! Frames: one place in the program, interned without its address.

use super::strings::StrId;
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// The function of a leaf frame that stands for an arena: memory that an allocator took from the
/// system while this stack asked for a small block, and that serves any other stack as well.
pub const ARENA: &str = "arena of small objects";

/// Handle of a frame in [`Frames`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameId(pub(crate) u32);

impl FrameId {
    /// Position in the table, from 0, in order of first appearance.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One frame as the capture names it. Unknown text is empty, an unknown line or column is 0.
///
/// Two frames are the same when function, file, line and column are equal, and, where the file
/// is unknown, the module as well. The address takes no part: it changes with every start of a
/// program. Neither does `inlined`, which a compiler decides anew in each build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Name of the function as captured.
    pub function: StrId,
    /// Source file as captured.
    pub file: StrId,
    /// Object file, script or library that holds the code.
    pub module: StrId,
    /// Line, from 1; 0 is unknown.
    pub line: u32,
    /// Column, from 1; 0 is unknown.
    pub column: u32,
    /// Expanded by the compiler into the frame before it (towards the root).
    pub inlined: bool,
}

impl Frame {
    /// A frame of which only the name is known.
    pub fn named(function: StrId) -> Self {
        Frame {
            function,
            file: StrId::EMPTY,
            module: StrId::EMPTY,
            line: 0,
            column: 0,
            inlined: false,
        }
    }

    fn key(&self) -> (StrId, StrId, StrId, u32, u32) {
        let module = if self.file.is_empty() {
            self.module
        } else {
            StrId::EMPTY
        };
        (self.function, self.file, module, self.line, self.column)
    }

    fn hash(&self) -> u64 {
        let (function, file, module, line, column) = self.key();
        let mut h = FxHasher::default();
        h.write_u64((function.index() as u64) << 32 | file.index() as u64);
        h.write_u64((line as u64) << 32 | column as u64);
        h.write_u64(module.index() as u64);
        h.finish()
    }
}

/// A table of distinct frames.
#[derive(Debug, Default)]
pub struct Frames {
    rows: Vec<Frame>,
    table: HashTable<u32>,
}

impl Frames {
    /// The handle of `frame`, added if it is new.
    pub fn intern(&mut self, frame: Frame) -> FrameId {
        let Frames { rows, table } = self;
        let h = frame.hash();
        if let Some(&found) = table.find(h, |&i| rows[i as usize].key() == frame.key()) {
            return FrameId(found);
        }
        let id = rows.len() as u32;
        table.insert_unique(h, id, |&i| rows[i as usize].hash());
        rows.push(frame);
        FrameId(id)
    }

    /// The frame behind a handle of this table.
    pub fn get(&self, id: FrameId) -> Frame {
        self.rows[id.index()]
    }

    /// All frames in order of first appearance; the index is [`FrameId::index`].
    pub fn rows(&self) -> &[Frame] {
        &self.rows
    }

    /// Every handle of the table, in order.
    pub fn ids(&self) -> impl Iterator<Item = FrameId> + use<> {
        (0..self.rows.len() as u32).map(FrameId)
    }

    /// Number of distinct frames.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
