//! Where the code of nameless frames lies, so that it can be looked up in program files.

use super::frames::FrameId;
use super::strings::StrId;
use rustc_hash::FxHashMap;

/// What the offset of a [`CodePlace`] counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counted {
    /// The start of the file, as in a list of mappings.
    File,
    /// The address 0 that the file was linked for: what it says of its own functions.
    Image,
}

/// A place in the code of a program file that a capture gives no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodePlace {
    /// The program or library as the capture names it.
    pub module: StrId,
    /// The build id in hexadecimal; empty where the capture has none.
    pub build: StrId,
    /// What the offset counts from.
    pub counted: Counted,
    /// Offset of a byte of the calling instruction: its last one, if a return address is known.
    pub offset: u64,
}

/// The nameless frames of the capture that is being read.
#[derive(Debug, Default)]
pub struct Nameless {
    places: FxHashMap<FrameId, CodePlace>,
}

impl Nameless {
    /// Notes where the code of a frame lies. Cost: constant.
    pub fn note(&mut self, frame: FrameId, place: CodePlace) {
        self.places.insert(frame, place);
    }

    /// Where the code of a frame lies, if it has no name and its place is known.
    pub fn place(&self, frame: FrameId) -> Option<CodePlace> {
        self.places.get(&frame).copied()
    }

    /// Whether every frame has a name, or none of the others has a place.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Forgets all: another capture begins.
    pub fn clear(&mut self) {
        self.places.clear();
    }
}
