//! heapdiff tells which allocation sites of a program grow, and by how much per run.
//!
//! Design constraints:
//! - Data goes one way: bytes ([`input`]), records ([`mod@format`]), [`model`], analysis, report,
//!   rendering. A layer uses only the layers before it; a test holds that.
//! - All captures of a comparison share one table of names, so equal stacks are equal integers.
//! - Input is hostile: readers never panic, never trust a length, never recurse over data.
//! - The same input gives the same bytes of output: nothing is ordered by a hash.

pub mod cli;
pub mod diff;
pub mod error;
pub mod format;
pub mod input;
pub mod model;
pub mod normalize;
pub mod render;
pub mod report;
pub mod symbolize;
pub mod timeline;
pub mod trend;
pub mod units;
pub mod verdict;

pub use error::{Code, Error, Place, Result};
