//! Shortest paths from roots, the ones that tell most first.
//!
//! A breadth-first search in stages: modules and static fields first; then running frames and
//! threads; then references of the runtime's own bookkeeping (types, code, caller chains), which
//! reach everything and explain little; handles and native code last. A later stage sees only what
//! the earlier ones left. Roots are walked by kind and name, rows in the order of the file, so
//! that paths are the same in every capture.

use super::rows::Marks;
use super::words::Words;
use crate::model::{HeapGraph, LabelId, Root, RootKind, Symbols, push};

/// The stage in which a root is walked.
pub fn stage(root: &Root) -> Option<u8> {
    if root.weak {
        return None;
    }
    Some(match root.kind {
        RootKind::Module | RootKind::Class | RootKind::Other | RootKind::Garbage => 0,
        RootKind::Frame | RootKind::Thread => 1,
        _ => 2,
    })
}

/// The roots that hold something, in the order of walking: by stage, kind and name.
pub fn ordered_roots(graph: &HeapGraph, symbols: &Symbols) -> Vec<u32> {
    let name = |i: u32| symbols.strings.get(graph.roots[i as usize].name);
    let mut order: Vec<u32> = (0..graph.roots.len() as u32)
        .filter(|&i| stage(&graph.roots[i as usize]).is_some())
        .collect();
    order.sort_by(|&a, &b| {
        let (x, y) = (&graph.roots[a as usize], &graph.roots[b as usize]);
        let key = |r: &Root| (stage(r), r.kind as u8);
        key(x)
            .cmp(&key(y))
            .then_with(|| name(a).cmp(name(b)))
            .then(x.node.cmp(&y.node))
    });
    order
}

/// How each object was reached: the place of a reference in the columns, or a root.
#[derive(Debug)]
pub struct Paths {
    by: Vec<u32>,
    roots: u32,
    edges: u32,
}

const NONE: u32 = u32::MAX;
/// Not reached yet, and not to be before its turn.
const LATER: u32 = u32::MAX - 1;

/// Running threads: each is its own beginning, and no matter of the group that lists it.
pub(super) fn threads(graph: &HeapGraph) -> impl Iterator<Item = u32> + '_ {
    let own = |r: &&Root| r.kind == RootKind::Thread && !r.weak;
    graph.roots.iter().filter(own).map(|r| r.node)
}

/// One step of a path: an object, and the label by which it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The object.
    pub node: u32,
    /// The label that leads to it; none for the first, which a root holds.
    pub label: Option<LabelId>,
}

/// Finds the shortest path to every object. `leaf`: objects that are reached and not left.
///
/// Linear; 4 bytes an object and 4 for each in the queue.
pub fn shortest(
    graph: &HeapGraph,
    words: &Words,
    order: &[u32],
    leaf: impl Fn(u32) -> bool,
) -> Paths {
    let mut search = Search {
        graph,
        words,
        by: vec![NONE; graph.len()],
        queue: Vec::new(),
        low: Vec::new(),
    };
    let edges = graph.edge_count() as u32;
    let mut at = 0;
    for level in 0..=2u8 {
        if level == 0 {
            for v in threads(graph) {
                search.by[v as usize] = LATER;
            }
        }
        while let Some(&i) = order.get(at)
            && stage(&graph.roots[i as usize]) == Some(level)
        {
            let root = graph.roots[i as usize];
            let v = root.node as usize;
            if search.by[v] == NONE || root.kind == RootKind::Thread && search.by[v] == LATER {
                search.by[v] = edges.saturating_add(i).min(LATER - 1);
                search.queue.push(v as u32);
            }
            at += 1;
        }
        search.drain(&leaf);
        if level > 0 {
            search.drain_low(&leaf);
        }
    }
    Paths {
        by: search.by,
        roots: graph.roots.len() as u32,
        edges,
    }
}

struct Search<'a> {
    graph: &'a HeapGraph,
    words: &'a Words,
    by: Vec<u32>,
    queue: Vec<u32>,
    low: Vec<u32>,
}

impl Search<'_> {
    fn drain(&mut self, leaf: &impl Fn(u32) -> bool) {
        let mut at = 0;
        while at < self.queue.len() {
            let v = self.queue[at];
            at += 1;
            if leaf(v) {
                continue;
            }
            for e in self.graph.row(v) {
                let w = self.graph.targets()[e] as usize;
                if self.by[w] != NONE {
                    continue;
                }
                if self.words.is_low(self.graph.labels()[e]) {
                    push(&mut self.low, e as u32);
                } else {
                    self.by[w] = e as u32;
                    push(&mut self.queue, w as u32);
                }
            }
        }
        self.queue.clear();
    }

    /// One low reference at a time would make deep paths; a round of them keeps paths short.
    fn drain_low(&mut self, leaf: &impl Fn(u32) -> bool) {
        while !self.low.is_empty() {
            for e in std::mem::take(&mut self.low) {
                let w = self.graph.targets()[e as usize];
                if self.by[w as usize] == NONE {
                    self.by[w as usize] = e;
                    push(&mut self.queue, w);
                }
            }
            self.drain(leaf);
        }
    }
}

impl Paths {
    /// Whether a root reaches the object.
    pub fn reaches(&self, v: u32) -> bool {
        self.by[v as usize] != NONE
    }

    /// The place of the reference by which an object is held on its shortest path.
    pub fn held_by(&self, v: u32) -> Option<u32> {
        Some(self.by[v as usize]).filter(|&by| by < self.edges)
    }

    /// The path to an object, root first, and the root; none where no root reaches it.
    pub fn to(&self, graph: &HeapGraph, v: u32) -> Option<(Root, Vec<Step>)> {
        let mut steps = Vec::new();
        let mut v = v;
        // No path is longer than there are objects.
        for _ in 0..=graph.len() {
            let by = self.by[v as usize];
            if by == NONE {
                return None;
            }
            if by >= self.edges {
                let root = (by - self.edges).min(self.roots.saturating_sub(1));
                steps.push(Step {
                    node: v,
                    label: None,
                });
                steps.reverse();
                return Some((*graph.roots.get(root as usize)?, steps));
            }
            steps.push(Step {
                node: v,
                label: Some(LabelId(graph.labels()[by as usize])),
            });
            v = source(graph, by);
        }
        None
    }
}

/// The object whose row holds the reference at a place. Logarithmic.
pub fn source(graph: &HeapGraph, edge: u32) -> u32 {
    graph.offsets().partition_point(|&o| o <= edge) as u32 - 1
}

/// [`source`] for places that are asked for in ascending order: each step is as short as the
/// distance from the last, so that all of them together are no more than a pass.
#[derive(Debug, Default)]
pub struct Sources(u32);

impl Sources {
    /// The object whose row holds the reference at a place, no smaller than the place before.
    #[inline]
    pub fn of(&mut self, graph: &HeapGraph, edge: u32) -> u32 {
        let ends = &graph.offsets()[self.0 as usize + 1..];
        let mut step = 1;
        while step < ends.len() && ends[step - 1] <= edge {
            step *= 2;
        }
        let from = step / 2;
        let within = &ends[from..step.min(ends.len())];
        self.0 += (from + within.partition_point(|&o| o <= edge)) as u32;
        self.0
    }
}

/// The set of objects that roots reach without the references that `cut` names. `without`: objects
/// whose roots do not count.
///
/// Linear; a bit an object and 4 bytes for each that waits.
pub fn alive(graph: &HeapGraph, without: &Marks, cut: impl Fn(u32, usize) -> bool) -> Marks {
    let mut seen = Marks::new(graph.len());
    let mut todo = Vec::new();
    for root in graph.roots.iter().filter(|r| !r.weak) {
        if !without.has(root.node) && seen.add(root.node) {
            todo.push(root.node);
        }
    }
    while let Some(v) = todo.pop() {
        for e in graph.row(v) {
            let w = graph.targets()[e];
            if !seen.has(w) && !cut(v, e) {
                seen.add(w);
                push(&mut todo, w);
            }
        }
    }
    seen
}
