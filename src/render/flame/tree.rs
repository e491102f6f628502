//! The tree of before and after.

use crate::diff::Growth;
use std::borrow::Cow;

/// What a frame held before and after, in units of the chosen metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// Before.
    pub before: i128,
    /// After.
    pub after: i128,
    /// Sum of the increases.
    pub up: i128,
    /// Sum of the decreases; not negative.
    pub down: i128,
}

impl Flow {
    /// One frame's own change.
    pub fn of(before: i128, after: i128) -> Flow {
        Flow {
            before,
            after,
            up: (after - before).max(0),
            down: (before - after).max(0),
        }
    }

    /// After less before.
    pub fn delta(&self) -> i128 {
        self.after - self.before
    }

    /// Increases and decreases added up.
    pub fn churn(&self) -> i128 {
        self.up + self.down
    }

    /// Adds another.
    pub fn add(&mut self, other: Flow) {
        self.before += other.before;
        self.after += other.after;
        self.up += other.up;
        self.down += other.down;
    }
}

/// One function under one chain of callers.
#[derive(Debug, Clone, PartialEq)]
pub struct FlameNode {
    /// Position of the caller; the root of all is its own.
    pub parent: u32,
    /// Position in [`FlameTree::names`].
    pub name: u32,
    /// By itself.
    pub own: Flow,
    /// With everything that it calls.
    pub total: Flow,
    /// The class of the row that changed most in the subtree.
    pub growth: Growth,
    /// Whether any row in the subtree changed beyond the noise.
    pub loud: bool,
    /// Frames of the allocator below it that are not drawn, at most.
    pub allocator: u16,
    /// How often it follows itself directly, at most; 1 where it does not.
    pub recursion: u16,
    /// Number of frames that this one stands for because each is too small to draw; 0 for a frame.
    pub smaller: u32,
    /// The report's row that changed most of those that end here.
    pub row: Option<u32>,
}

/// A tree in order of depth first: a subtree is a range, and parents stand before children.
/// Children are in the order of their names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FlameTree {
    /// Distinct names of frames.
    pub names: Vec<String>,
    /// Where each named function is, as captured; empty where that is unknown.
    pub places: Vec<String>,
    /// The frames; the first is the root of all.
    pub nodes: Vec<FlameNode>,
    /// Number of captures.
    pub captures: usize,
    /// What each node holds by itself in each capture: `captures` numbers a node.
    pub series: Vec<i128>,
    /// The captures that stand for before and after.
    pub ends: (usize, usize),
    /// Of the nodes that stand for several: increases and decreases since `before` in each capture.
    pub moved: Vec<(u32, Vec<(i128, i128)>)>,
    /// Frames that were too small to draw.
    pub pruned: usize,
    /// The node at which each row of the report ends, or the one that it is summed up under.
    pub row_nodes: Vec<u32>,
}

impl FlameTree {
    /// What a node holds by itself in each capture.
    pub fn own_series(&self, node: usize) -> &[i128] {
        &self.series[node * self.captures..(node + 1) * self.captures]
    }

    /// The end of the subtree of each node, exclusive. Cost: one pass.
    pub fn ends_of_subtrees(&self) -> Vec<u32> {
        let mut ends: Vec<u32> = (1..=self.nodes.len() as u32).collect();
        for i in (1..self.nodes.len()).rev() {
            let parent = self.nodes[i].parent as usize;
            ends[parent] = ends[parent].max(ends[i]);
        }
        ends
    }

    /// The name of a node as it is shown; those that stand for several say how many.
    pub fn name(&self, node: usize) -> Cow<'_, str> {
        let node = &self.nodes[node];
        match node.smaller {
            0 => Cow::Borrowed(&self.names[node.name as usize]),
            n => Cow::Owned(format!("({n} smaller)")),
        }
    }
}
