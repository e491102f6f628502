//! References as rows: forward as they stand in a [`HeapGraph`], backward by a counting sort.
//!
//! [`Rows`] carries petgraph's visit traits, so that its algorithms run over our own columns: the
//! tests hold ours against them. petgraph's own matrix type is no alternative: it forbids parallel
//! references and has no view backward.

use crate::model::HeapGraph;
use petgraph::visit::{
    GraphBase, GraphRef, IntoNeighbors, IntoNodeIdentifiers, NodeCount, NodeIndexable, VisitMap,
    Visitable,
};

/// Borrowed rows: the targets of `v` are `targets[offsets[v]..offsets[v + 1]]`.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// One more than there are objects.
    pub offsets: &'a [u32],
    /// Ordinals.
    pub targets: &'a [u32],
}

/// Owned rows.
#[derive(Debug, Clone, Default)]
pub struct OwnRows {
    /// One more than there are objects.
    pub offsets: Vec<u32>,
    /// Ordinals.
    pub targets: Vec<u32>,
}

impl OwnRows {
    /// A view.
    pub fn rows(&self) -> Rows<'_> {
        Rows {
            offsets: &self.offsets,
            targets: &self.targets,
        }
    }
}

impl<'a> Rows<'a> {
    /// The references of a graph.
    pub fn of(graph: &'a HeapGraph) -> Rows<'a> {
        Rows {
            offsets: graph.offsets(),
            targets: graph.targets(),
        }
    }

    /// Number of objects.
    pub fn len(self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is no object.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The targets of an object.
    #[inline]
    pub fn of_node(self, v: u32) -> &'a [u32] {
        &self.targets[self.offsets[v as usize] as usize..self.offsets[v as usize + 1] as usize]
    }

    /// The same references backward: row `v` holds the sources that refer to it, in ascending
    /// order, one entry a reference. Two passes; 4 bytes an object and 4 a reference.
    pub fn reversed(self) -> OwnRows {
        let n = self.len();
        let mut offsets = vec![0u32; n + 2];
        for &t in self.targets {
            offsets[t as usize + 2] += 1;
        }
        for v in 2..n + 2 {
            offsets[v] += offsets[v - 1];
        }
        let mut targets = vec![0u32; self.targets.len()];
        for v in 0..n as u32 {
            for &t in self.of_node(v) {
                let place = &mut offsets[t as usize + 1];
                targets[*place as usize] = v;
                *place += 1;
            }
        }
        offsets.truncate(n + 1);
        OwnRows { offsets, targets }
    }

    /// The same references backward, told by their places: row `v` holds the places in `targets`
    /// of the references to it, ascending. Cost as that of [`Rows::reversed`].
    pub fn places_backward(self) -> OwnRows {
        let n = self.len();
        let mut offsets = vec![0u32; n + 2];
        for &t in self.targets {
            offsets[t as usize + 2] += 1;
        }
        for v in 2..n + 2 {
            offsets[v] += offsets[v - 1];
        }
        let mut targets = vec![0u32; self.targets.len()];
        for (e, &t) in self.targets.iter().enumerate() {
            let place = &mut offsets[t as usize + 1];
            targets[*place as usize] = e as u32;
            *place += 1;
        }
        offsets.truncate(n + 1);
        OwnRows { offsets, targets }
    }
}

impl GraphBase for Rows<'_> {
    type NodeId = u32;
    type EdgeId = u32;
}

impl GraphRef for Rows<'_> {}

impl<'a> IntoNeighbors for Rows<'a> {
    type Neighbors = std::iter::Copied<std::slice::Iter<'a, u32>>;

    fn neighbors(self, v: u32) -> Self::Neighbors {
        self.of_node(v).iter().copied()
    }
}

impl IntoNodeIdentifiers for Rows<'_> {
    type NodeIdentifiers = std::ops::Range<u32>;

    fn node_identifiers(self) -> Self::NodeIdentifiers {
        0..self.len() as u32
    }
}

impl NodeIndexable for Rows<'_> {
    fn node_bound(&self) -> usize {
        self.len()
    }

    fn to_index(&self, v: u32) -> usize {
        v as usize
    }

    fn from_index(&self, i: usize) -> u32 {
        i as u32
    }
}

impl NodeCount for Rows<'_> {
    fn node_count(&self) -> usize {
        self.len()
    }
}

/// A set of objects, one bit each.
#[derive(Debug, Clone, Default)]
pub struct Marks(Vec<u64>);

impl Marks {
    /// The empty set of objects below `n`.
    pub fn new(n: usize) -> Marks {
        Marks(vec![0; n.div_ceil(64)])
    }

    /// Whether `v` is in the set.
    #[inline]
    pub fn has(&self, v: u32) -> bool {
        self.0[v as usize / 64] >> (v % 64) & 1 == 1
    }

    /// The same of a set that may hold no object that large.
    pub fn contains(&self, v: u32) -> bool {
        self.0
            .get(v as usize / 64)
            .is_some_and(|word| word >> (v % 64) & 1 == 1)
    }

    /// Adds `v`; whether it is new.
    #[inline]
    pub fn add(&mut self, v: u32) -> bool {
        let word = &mut self.0[v as usize / 64];
        let new = *word >> (v % 64) & 1 == 0;
        *word |= 1 << (v % 64);
        new
    }

    /// Takes `v` out; whether it was in.
    pub fn remove(&mut self, v: u32) -> bool {
        let was = self.has(v);
        self.0[v as usize / 64] &= !(1 << (v % 64));
        was
    }

    /// Number of objects in the set.
    pub fn count(&self) -> usize {
        self.0.iter().map(|w| w.count_ones() as usize).sum()
    }
}

impl VisitMap<u32> for Marks {
    fn visit(&mut self, v: u32) -> bool {
        self.add(v)
    }

    fn is_visited(&self, v: &u32) -> bool {
        self.has(*v)
    }

    fn unvisit(&mut self, v: u32) -> bool {
        self.remove(v)
    }
}

impl Visitable for Rows<'_> {
    type Map = Marks;

    fn visit_map(&self) -> Marks {
        Marks::new(self.len())
    }

    fn reset_map(&self, map: &mut Marks) {
        map.0.fill(0);
    }
}
