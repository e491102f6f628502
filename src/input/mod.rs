//! Bytes: what the user named, unpacked and in order.

mod digest;
mod expand;
mod memory;
mod program;
mod source;
mod spec;

/// How standard input is named in messages, and where `-` cannot stand.
pub const STDIN: &str = "<stdin>";

pub use digest::{FileFacts, digest};
pub use expand::{Group, expand, natural_order};
pub use memory::Memory;
pub use program::ProgramFile;
pub use source::{Bytes, Packing, Source};
pub use spec::{Driver, MOST_RUNS, Select, Spec};
