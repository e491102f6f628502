//! Which reference to cut, and what that frees.
//!
//! Three answers, in this order. A *bridge*: one reference, without which nothing else holds the
//! object (the only one from an object that it does not itself dominate). A *minimum cut* of at
//! most four references, where there are several ways in. Or, where nothing holds a cycle and
//! references are counted, the reference that *breaks the cycle*. The bytes freed are never
//! estimated: the references are taken out and what is left is counted.

use super::components::components;
use super::dominators::Dominators;
use super::paths::{Paths, alive, source};
use super::rows::{Marks, OwnRows, Rows};
use super::words::{Nearness, Words};
use crate::model::{EdgeKind, HeapGraph, LabelId, Role, Symbols};
use petgraph::algo::dinics;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::{FxHashMap, FxHashSet};

/// How something is cut free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutKind {
    /// One reference holds all.
    Bridge,
    /// So many references together.
    MinCut,
    /// Nothing holds it but itself.
    BreakCycle,
    /// No few references hold it.
    None,
}

impl CutKind {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            CutKind::Bridge => "bridge",
            CutKind::MinCut => "min-cut",
            CutKind::BreakCycle => "break-cycle",
            CutKind::None => "none",
        }
    }
}

/// References of one shape: all from objects of one type to objects of one type by one label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    /// Type of the object that refers.
    pub from: u32,
    /// The label, or [`super::words::STAR`].
    pub label: u32,
    /// Type of the object that is referred to.
    pub to: u32,
}

/// What to cut.
#[derive(Debug, Clone)]
pub struct Cut {
    /// How.
    pub kind: CutKind,
    /// One reference of each shape: its place in the columns. One to four.
    pub references: Vec<u32>,
    /// Number of references of these shapes that are cut together.
    pub count: u32,
    /// Bytes that are freed when all of them are cut.
    pub frees: u64,
}

impl Cut {
    fn none() -> Cut {
        Cut {
            kind: CutKind::None,
            references: Vec::new(),
            count: 0,
            frees: 0,
        }
    }
}

/// A cut names at most so many references.
pub const MOST_REFERENCES: usize = 4;
/// A reference further up is named only while it frees at most this much more than the suspect
/// keeps: a fifth.
const SLACK: u64 = 5;

/// How ready a program is to give up a reference; 0 is not at all.
pub fn cuttability(graph: &HeapGraph, words: &Words, symbols: &Symbols, edge: u32) -> u8 {
    let info = symbols
        .graph
        .label_info(LabelId(graph.labels()[edge as usize]));
    let from = words.of_type(graph.type_of(source(graph, edge)));
    match info.kind {
        EdgeKind::Struct | EdgeKind::Weak | EdgeKind::Final => 0,
        EdgeKind::Soft | EdgeKind::Internal | EdgeKind::Other => 1,
        EdgeKind::Frame | EdgeKind::Closure => 2,
        EdgeKind::Attr if symbols.strings.get(info.name).ends_with("this$0") => 1,
        _ if from.role == Role::Native => 1,
        _ => 3,
    }
}

/// For each object, how many references come from objects that it does not dominate: up to 255.
/// Roots count. One pass over references, one byte an object.
pub fn entries(graph: &HeapGraph, tree: &Dominators) -> Vec<u8> {
    let mut count = vec![0u8; graph.len()];
    for v in 0..graph.len() as u32 {
        let i = tree.number[v as usize];
        for &w in Rows::of(graph).of_node(v) {
            let j = tree.number[w as usize];
            let same_side = (i < tree.garbage) == (j < tree.garbage);
            if w != v && same_side && !tree.dominates(j, i) {
                let c = &mut count[w as usize];
                *c = c.saturating_add(1);
            }
        }
    }
    for root in graph.roots.iter().filter(|r| !r.weak) {
        let c = &mut count[root.node as usize];
        *c = c.saturating_add(1);
    }
    count
}

/// All that the search for cuts works on.
pub struct Cutter<'a> {
    /// The graph.
    pub graph: &'a HeapGraph,
    /// Names.
    pub words: &'a Words,
    /// Names.
    pub symbols: &'a Symbols,
    /// Dominators.
    pub tree: &'a Dominators,
    /// From [`entries`].
    pub entries: &'a [u8],
    /// Bytes that roots reach.
    pub alive_bytes: u64,
    /// Shortest paths, which name the owners of containers.
    pub paths: &'a Paths,
    /// References backward, made when they are first asked for.
    pub backward: &'a std::cell::OnceCell<OwnRows>,
}

impl Cutter<'_> {
    fn shape(&self, edge: u32) -> Shape {
        let e = edge as usize;
        Shape {
            from: self.graph.type_of(source(self.graph, edge)).0,
            label: self.words.of_label(LabelId(self.graph.labels()[e])).plain,
            to: self.graph.type_of(self.graph.targets()[e]).0,
        }
    }

    /// The one reference that holds `v`, where there is one: no root, no second way in.
    pub fn bridge(&self, v: u32) -> Option<u32> {
        if self.entries[v as usize] != 1 {
            return None;
        }
        let holder = self.tree.holder(v)?;
        let mut row = self.graph.row(holder);
        row.find(|&e| self.graph.targets()[e] == v)
            .map(|e| e as u32)
    }

    /// Of the bridges on the way from `v` up to the root, the one most ready to be cut that frees
    /// most, as long as it frees little beyond what `v` keeps.
    pub fn best_bridge(&self, v: u32) -> Option<u32> {
        let keeps = self.tree.retained_by(v);
        let most = keeps.saturating_add(keeps / SLACK);
        let mut best: Option<((u8, u64), u32)> = None;
        let mut at = v;
        loop {
            if let Some(edge) = self.bridge(at) {
                let ready = cuttability(self.graph, self.words, self.symbols, edge);
                let rank = (ready, self.tree.retained_by(at));
                if ready > 0 && best.is_none_or(|(b, _)| rank > b) {
                    best = Some((rank, edge));
                }
            }
            match self.tree.holder(at) {
                Some(holder) if self.tree.retained_by(holder) <= most => at = holder,
                _ => return best.map(|(_, edge)| edge),
            }
        }
    }

    /// What cuts a set of reachable objects free. Linear in references, a few times.
    pub fn of_reachable(&self, tops: &[u32]) -> Cut {
        let mut shapes: FxHashMap<Shape, Vec<u32>> = FxHashMap::default();
        let mut bridged = 0usize;
        for &v in tops {
            if let Some(edge) = self.best_bridge(v) {
                bridged += 1;
                shapes.entry(self.shape(edge)).or_default().push(edge);
            }
        }
        if bridged * 10 >= tops.len() * 9 && bridged > 0 {
            return self.together(CutKind::Bridge, shapes, tops);
        }
        self.several(tops)
    }

    /// The most frequent shapes, and what cutting all their references frees.
    fn together(&self, kind: CutKind, shapes: FxHashMap<Shape, Vec<u32>>, tops: &[u32]) -> Cut {
        let mut shapes: Vec<(Shape, Vec<u32>)> = shapes.into_iter().collect();
        shapes.sort_by_key(|(shape, edges)| (std::cmp::Reverse(edges.len()), *shape));
        shapes.truncate(MOST_REFERENCES);
        let mut edges: Vec<u32> = shapes.iter().flat_map(|(_, e)| e.iter().copied()).collect();
        // What else of these shapes holds one of the set is cut with them.
        let wanted: FxHashSet<Shape> = shapes.iter().map(|(shape, _)| *shape).collect();
        let mut in_set = Marks::new(self.graph.len());
        for &v in tops {
            in_set.add(v);
        }
        for (e, &w) in self.graph.targets().iter().enumerate() {
            if in_set.has(w) && wanted.contains(&self.shape(e as u32)) {
                edges.push(e as u32);
            }
        }
        edges.sort_unstable();
        edges.dedup();
        let frees = self.frees(&edges);
        if frees == 0 {
            return Cut::none();
        }
        Cut {
            kind,
            references: shapes
                .iter()
                .filter_map(|(_, e)| e.iter().min().copied())
                .collect(),
            count: edges.len() as u32,
            frees,
        }
    }

    /// Bytes that no root reaches any more without these references, sorted. Linear.
    pub fn frees(&self, edges: &[u32]) -> u64 {
        let left = alive(self.graph, |_, e| edges.binary_search(&(e as u32)).is_ok());
        let bytes: u64 = (0..self.graph.len() as u32)
            .filter(|&v| left.has(v))
            .map(|v| self.graph.size(v))
            .sum();
        self.alive_bytes.saturating_sub(bytes)
    }

    /// A minimum cut around the object that keeps most, and the references of its shapes into all.
    fn several(&self, tops: &[u32]) -> Cut {
        let keeps = |v: u32| self.tree.retained_by(v);
        let sample = tops
            .iter()
            .copied()
            .max_by_key(|&v| (keeps(v), std::cmp::Reverse(v)));
        let Some(sample) = sample else {
            return Cut::none();
        };
        let backward = self
            .backward
            .get_or_init(|| Rows::of(self.graph).reversed());
        let Some(cut) = self.min_cut(sample, backward) else {
            return Cut::none();
        };
        let mut shapes: FxHashMap<Shape, Vec<u32>> = FxHashMap::default();
        for &edge in &cut {
            shapes.entry(self.shape(edge)).or_default().push(edge);
        }
        let kind = match cut.len() {
            1 => CutKind::Bridge,
            _ => CutKind::MinCut,
        };
        self.together(kind, shapes, tops)
    }

    /// At most four references without which no root reaches `v`, those nearest to it. Objects
    /// far up are one source: a cut of what is near is a cut.
    ///
    /// petgraph's Dinic over the ways into `v`, at most `NEAR` objects of them.
    pub fn min_cut(&self, v: u32, backward: &OwnRows) -> Option<Vec<u32>> {
        let inside = self.tree.number[v as usize];
        let within = |w: u32| self.tree.dominates(inside, self.tree.number[w as usize]);
        let mut network = DiGraph::<(), u32>::new();
        let source_node = network.add_node(());
        let sink = network.add_node(());
        let mut nodes: FxHashMap<u32, NodeIndex> = FxHashMap::default();
        let mut queue = vec![v];
        nodes.insert(v, sink);
        let mut places: Vec<u32> = Vec::new();
        let mut edge_of: Vec<Option<u32>> = Vec::new();
        let rooted: FxHashSet<u32> = self
            .graph
            .roots
            .iter()
            .filter(|r| !r.weak)
            .map(|r| r.node)
            .collect();
        if rooted.contains(&v) {
            return None;
        }
        let mut at = 0;
        while at < queue.len() {
            let w = queue[at];
            at += 1;
            let to = nodes[&w];
            let far = at > NEAR;
            if far || w != v && rooted.contains(&w) {
                network.add_edge(source_node, to, UNCUT);
                edge_of.push(None);
                continue;
            }
            let mut last = None;
            for &p in backward.rows().of_node(w) {
                if within(p) || !self.tree.is_reachable(p) || last == Some(p) {
                    continue;
                }
                last = Some(p);
                places.clear();
                places.extend(
                    self.graph
                        .row(p)
                        .filter(|&e| self.graph.targets()[e] == w)
                        .map(|e| e as u32),
                );
                let from = *nodes.entry(p).or_insert_with(|| {
                    queue.push(p);
                    network.add_node(())
                });
                for &e in &places {
                    let ready = cuttability(self.graph, self.words, self.symbols, e);
                    network.add_edge(from, to, if ready > 0 { 1 } else { UNCUT });
                    edge_of.push(Some(e));
                }
            }
        }
        let (flow, flows) = dinics(&network, source_node, sink);
        if flow == 0 || flow as usize > MOST_REFERENCES {
            return None;
        }
        // Nearest to the sink: what still reaches it in the residual network is its side.
        let mut side = vec![false; network.node_count()];
        let mut todo = vec![sink];
        side[sink.index()] = true;
        while let Some(x) = todo.pop() {
            for edge in network.edge_indices() {
                let Some((a, b)) = network.edge_endpoints(edge) else {
                    continue;
                };
                let (used, room) = (flows[edge.index()], network[edge]);
                let step = if b == x && used < room {
                    Some(a)
                } else if a == x && used > 0 {
                    Some(b)
                } else {
                    None
                };
                if let Some(y) = step
                    && !std::mem::replace(&mut side[y.index()], true)
                {
                    todo.push(y);
                }
            }
        }
        let cut = network.edge_indices().filter_map(|edge| {
            let (a, b) = network.edge_endpoints(edge)?;
            (!side[a.index()] && side[b.index()]).then(|| edge_of[edge.index()])?
        });
        let mut cut: Vec<u32> = cut.collect();
        cut.sort_unstable();
        (!cut.is_empty()).then_some(cut)
    }

    /// What breaks cycles that nothing holds, where references are counted: of the references on
    /// the cycle, the first in order of readiness that frees all, else the one that frees most.
    ///
    /// `example`: the places of one cycle's references. `inside`: the component of each object.
    /// Each candidate costs a pass over what no root reaches.
    pub fn of_unreachable(&self, example: &[u32], inside: &[u32], keeps: u64) -> Cut {
        let before = self.garbage_kept(&|_| false);
        let mut order: Vec<u32> = example.to_vec();
        order.sort_by_key(|&e| std::cmp::Reverse(self.breaks(e)));
        order.truncate(8);
        let mut best = Cut::none();
        let mut tried: FxHashSet<Shape> = FxHashSet::default();
        for edge in order {
            let shape = self.shape(edge);
            if !tried.insert(shape) || self.breaks(edge) == 0 {
                continue;
            }
            let mut count = 0;
            let cut: Vec<u32> = (0..self.graph.len() as u32)
                .filter(|&v| !self.tree.is_reachable(v) && self.graph.type_of(v).0 == shape.from)
                .flat_map(|v| self.graph.row(v))
                .map(|e| e as u32)
                .filter(|&e| {
                    let to = self.graph.targets()[e as usize];
                    let from = source(self.graph, e);
                    let hit =
                        inside[from as usize] == inside[to as usize] && self.shape(e) == shape;
                    count += u32::from(hit);
                    hit
                })
                .collect();
            let left = self.garbage_kept(&|e| cut.binary_search(&e).is_ok());
            let frees = before.saturating_sub(left);
            if frees > best.frees {
                best = Cut {
                    kind: CutKind::BreakCycle,
                    references: vec![edge],
                    count,
                    frees,
                };
            }
            if frees >= keeps {
                break;
            }
        }
        best
    }

    /// How ready a program is to break a cycle here: a stored traceback first, then what the
    /// program's own objects store, then all else.
    fn breaks(&self, edge: u32) -> u8 {
        let e = edge as usize;
        let info = self
            .symbols
            .graph
            .label_info(LabelId(self.graph.labels()[e]));
        if self.symbols.strings.get(info.name).trim_start_matches('.') == "__traceback__" {
            return 9;
        }
        let ready = cuttability(self.graph, self.words, self.symbols, edge);
        let near = self
            .words
            .of_type(self.graph.type_of(source(self.graph, edge)))
            .near;
        match near {
            Nearness::Application if ready > 0 => ready + 4,
            Nearness::Container if ready > 0 => ready + 2,
            _ => ready,
        }
    }

    /// Bytes that cycles keep alive and no root reaches, when references are counted and some are
    /// cut: what a cycle is or reaches. Linear in what is unreachable.
    pub fn garbage_kept(&self, cut: &dyn Fn(u32) -> bool) -> u64 {
        let rows = Rows::of(self.graph);
        let lost = |v: u32| !self.tree.is_reachable(v);
        let stays = |_: u32, e: usize| !cut(e as u32);
        let found = components(rows, lost, stays);
        let cyclic = found.cyclic(rows, stays);
        let mut seen = Marks::new(self.graph.len());
        let mut todo: Vec<u32> = cyclic.members;
        for &v in &todo {
            seen.add(v);
        }
        let mut bytes = 0u64;
        while let Some(v) = todo.pop() {
            bytes = bytes.saturating_add(self.graph.size(v));
            for e in self.graph.row(v) {
                let w = self.graph.targets()[e];
                if lost(w) && stays(v, e) && seen.add(w) {
                    todo.push(w);
                }
            }
        }
        bytes
    }
}

/// Capacity of a reference that is not to be cut.
const UNCUT: u32 = 1 << 20;
/// Objects that the search for a minimum cut looks at.
const NEAR: usize = 2_000;

/// A reference as a person reads it: the owner of the container that holds it, with the labels
/// from there, and the type that it holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Full name of the owner's type.
    pub from: String,
    /// Labels from the owner on: `.KEEP[*]`.
    pub edge: String,
    /// Full name of the type that is held.
    pub to: String,
}

impl Cutter<'_> {
    /// A reference in words. Containers on the way are named by their owner.
    pub fn in_words(&self, edge: u32) -> Reference {
        let name = |v: u32| {
            let info = self.symbols.graph.type_info(self.graph.type_of(v));
            self.symbols.strings.get(info.name).to_owned()
        };
        let label = |e: u32| {
            super::signature::one_label(
                LabelId(self.graph.labels()[e as usize]),
                self.words,
                self.symbols,
            )
        };
        let mut labels = vec![label(edge)];
        let mut v = source(self.graph, edge);
        // A container is told by what holds it; a few levels are enough to find an owner.
        for _ in 0..8 {
            let words = self.words.of_type(self.graph.type_of(v));
            let inner = words.near == Nearness::Container || words.role == Role::Namespace;
            let Some(e) = self.paths.held_by(v).filter(|_| inner) else {
                break;
            };
            if words.role != Role::Namespace {
                labels.push(label(e));
            }
            v = source(self.graph, e);
        }
        labels.reverse();
        Reference {
            from: name(v),
            edge: labels.concat(),
            to: name(self.graph.targets()[edge as usize]),
        }
    }
}
