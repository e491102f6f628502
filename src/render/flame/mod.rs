//! The differential flamegraph: one tree of before and after, laid out by what each frame
//! changed. The tree and its layout are numbers; [`svg`] draws them, and the page draws the same
//! tree itself.
//!
//! Usual differential flamegraphs take their widths from one side, so that ancestors carry no
//! difference, what vanished is not drawn, and unchanged code is the widest thing on the screen.
//! Here every frame carries before, after and the difference of its subtree and its own, and the
//! width is churn (increases and decreases added up) unless another is asked for.

mod build;
mod layout;
pub mod palette;
mod prune;
pub mod svg;
mod tree;

pub use build::tree_of;
pub use layout::{Box, Order, Width, layout};
pub use tree::{FlameNode, FlameTree, Flow};
