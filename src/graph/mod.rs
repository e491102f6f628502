//! Analyses of object graphs: components, dominators, retained sizes, paths, cycles, growth.
//!
//! All without recursion, all linear or nearly so on every shape.

pub mod components;
pub mod dominators;
#[cfg(test)]
mod oracle;
pub mod rows;
