//! Analyses of object graphs: components, dominators, retained sizes, paths, cycles, growth.
//!
//! All without recursion, all linear or nearly so on every shape.

mod around;
mod beside;
mod close;
pub mod components;
pub mod cut;
pub mod cycles;
pub mod dominators;
mod freed;
pub mod growing;
pub mod growth;
pub mod heaviest;
pub mod holders;
mod identity;
#[cfg(test)]
mod oracle;
pub mod paths;
pub mod rows;
pub mod series;
pub mod signature;
pub mod tree;
pub mod types;
pub mod ways;
pub mod words;
