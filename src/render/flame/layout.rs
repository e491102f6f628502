//! Where each frame stands: shares of the picture's width, and depths.

use super::tree::{FlameTree, Flow};
use std::cmp::Reverse;

/// What makes a frame wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Increases and decreases added up: what changed.
    Churn,
    /// What is held after.
    After,
    /// What was held before.
    Before,
    /// Increases alone: the hot paths of growth.
    Growth,
}

impl Width {
    /// All of them, in the order of the switch.
    pub const ALL: [Width; 4] = [Width::Churn, Width::After, Width::Before, Width::Growth];

    /// The word on the switch.
    pub fn as_str(self) -> &'static str {
        match self {
            Width::Churn => "churn",
            Width::After => "after",
            Width::Before => "before",
            Width::Growth => "growth",
        }
    }

    /// The width of a frame, in units of the metric; never negative.
    pub fn of(self, flow: &Flow) -> i128 {
        match self {
            Width::Churn => flow.churn(),
            Width::After => flow.after.max(0),
            Width::Before => flow.before.max(0),
            Width::Growth => flow.up,
        }
    }
}

/// In which order children stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By name: a frame stays where it is between two pictures.
    Name,
    /// By growth, largest first.
    Growth,
}

/// A frame that is wider than nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Box {
    /// Position in the tree.
    pub node: u32,
    /// 0 for the root of all.
    pub depth: u32,
    /// Left edge, in units of the metric.
    pub left: i128,
    /// Width, in the same units.
    pub width: i128,
}

/// Lays the tree out, a parent before its children. Every child stands inside its parent, children
/// do not overlap, and what they leave free is the parent's own.
///
/// Cost: one pass, and the sorting of children by growth where that is asked for.
pub fn layout(tree: &FlameTree, width: Width, order: Order) -> Vec<Box> {
    let count = tree.nodes.len();
    // Widths are sums of the frames' own, so that a subtree in which some values are negative is
    // still as wide as what is drawn inside it.
    let mut widths: Vec<i128> = tree.nodes.iter().map(|n| width.of(&n.own)).collect();
    for i in (1..count).rev() {
        let parent = tree.nodes[i].parent as usize;
        widths[parent] += widths[i];
    }
    let mut children: Vec<Vec<u32>> = vec![Vec::new(); count];
    for (i, node) in tree.nodes.iter().enumerate().skip(1) {
        children[node.parent as usize].push(i as u32);
    }
    if order == Order::Growth {
        for list in &mut children {
            list.sort_by_key(|&i| Reverse(tree.nodes[i as usize].total.delta()));
        }
    }
    let mut boxes = Vec::new();
    let mut stack = Vec::new();
    if count > 0 {
        stack.push(Box {
            node: 0,
            depth: 0,
            left: 0,
            width: widths[0],
        });
    }
    while let Some(place) = stack.pop() {
        if place.width == 0 {
            continue;
        }
        boxes.push(place);
        let mut left = place.left;
        let list = &children[place.node as usize];
        let from = stack.len();
        for &child in list {
            let width = widths[child as usize];
            stack.push(Box {
                node: child,
                depth: place.depth + 1,
                left,
                width,
            });
            left += width;
        }
        stack[from..].reverse();
    }
    boxes
}
