//! What every rendering receives: one value for each kind of analysis. Holds no text that a
//! rendering could make itself.

pub mod graph;
mod sites;
mod timeline;

pub use sites::*;
pub use timeline::*;
