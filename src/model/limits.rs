//! How much a reader may take: memory, inflation, nesting.

/// Bounds that hold for every reader, whatever a file claims about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that one compressed file may inflate to.
    pub inflated_bytes: u64,
    /// Below this many inflated bytes the ratio is not looked at.
    pub ratio_free_bytes: u64,
    /// Inflated bytes for each compressed byte. Profiles compress 5 to 60 times.
    pub inflation_ratio: u64,
    /// The same for what is read as a stream and never held whole: recordings of busy programs
    /// say the same thing again and again, and pack 200 times and more.
    pub streamed_ratio: u64,
    /// Bytes that a stream may inflate to.
    pub streamed_bytes: u64,
    /// Depth of nested values in JSON and the like.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            inflated_bytes: 8 << 30,
            ratio_free_bytes: 64 << 20,
            inflation_ratio: 200,
            streamed_ratio: 4000,
            streamed_bytes: 1 << 40,
            nesting: 512,
        }
    }
}
