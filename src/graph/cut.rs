//! Which reference to cut, and what that frees.
//!
//! Three answers, in this order. A *bridge*: one reference, without which nothing else holds the
//! object (the only one from an object that it does not itself dominate). A *minimum cut* of at
//! most four references, where there are several ways in. Or, where nothing holds a cycle and
//! references are counted, the reference that *breaks the cycle*. The bytes freed are never
//! estimated: the references are taken out and what is left is counted.

use super::components::components;
use super::dominators::Dominators;
use super::freed::{self, Removed};
use super::paths::{Paths, source};
use super::rows::{Marks, OwnRows, Rows};
use super::words::{Nearness, Words};
use crate::model::{EdgeKind, HeapGraph, LabelId, Role, Symbols};
use petgraph::Direction;
use petgraph::algo::dinics;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
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
    /// One reference of each shape, or from each of the few objects that refer: places in the
    /// columns.
    pub references: Vec<u32>,
    /// Number of references of these shapes that are cut together.
    pub count: u32,
    /// Whether labels stand for any: entries have names of their own.
    pub any: bool,
    /// Bytes that are freed when all of them are cut.
    pub frees: u64,
}

impl Cut {
    /// Nothing.
    pub fn none() -> Cut {
        Cut {
            kind: CutKind::None,
            references: Vec::new(),
            count: 0,
            any: false,
            frees: 0,
        }
    }
}

/// How a set of objects is to be cut free.
#[derive(Debug, Clone)]
pub struct Plan<'s> {
    kind: CutKind,
    tops: &'s [u32],
    /// The shapes to cut, most frequent first.
    shapes: Vec<(Shape, Alike)>,
    /// Whether their labels stand for any.
    any: bool,
}

/// References of one shape.
#[derive(Debug, Clone)]
pub(super) struct Alike {
    count: u32,
    first: u32,
    /// Objects that refer, each with its first reference; some more than may be named are enough.
    from: Vec<(u32, u32)>,
    /// Those that do not refer to an object of the set: the others are found by their shape.
    others: Vec<u32>,
}

impl Default for Alike {
    fn default() -> Alike {
        Alike {
            count: 0,
            first: u32::MAX,
            from: Vec::new(),
            others: Vec::new(),
        }
    }
}

impl Alike {
    pub(super) fn add(&mut self, from: u32, edge: u32, into_set: bool) {
        self.count += 1;
        self.first = self.first.min(edge);
        self.comes_from(from, edge);
        if !into_set {
            self.others.push(edge);
        }
    }
}

impl Alike {
    fn comes_from(&mut self, from: u32, edge: u32) {
        if let Some(known) = self.from.iter_mut().find(|known| known.0 == from) {
            known.1 = known.1.min(edge);
        } else if self.from.len() <= MOST_REFERENCES {
            self.from.push((from, edge));
        }
    }

    /// References that stand for all: one from each object that refers, where these are few.
    fn examples(&self) -> Vec<u32> {
        if self.from.len() > MOST_REFERENCES {
            return vec![self.first];
        }
        let mut all: Vec<u32> = self.from.iter().map(|&(_, edge)| edge).collect();
        all.sort_unstable();
        all
    }
}

/// Shapes that differ by their label alone, as one: entries that have names of their own.
fn by_types(shapes: Vec<(Shape, Alike)>) -> Vec<(Shape, Alike)> {
    let mut merged: FxHashMap<Shape, Alike> = FxHashMap::default();
    for (shape, alike) in shapes {
        let shape = Shape {
            label: super::words::STAR,
            ..shape
        };
        let into = merged.entry(shape).or_default();
        into.count += alike.count;
        into.first = into.first.min(alike.first);
        for (from, edge) in alike.from {
            into.comes_from(from, edge);
        }
        into.others.extend(alike.others);
    }
    merged.into_iter().collect()
}

impl<'s> Plan<'s> {
    /// A plan of the most frequent shapes.
    pub(super) fn new(kind: CutKind, shapes: FxHashMap<Shape, Alike>, tops: &'s [u32]) -> Plan<'s> {
        let mut shapes: Vec<(Shape, Alike)> = shapes.into_iter().collect();
        let any = shapes.len() > MOST_REFERENCES;
        if any {
            shapes = by_types(shapes);
        }
        shapes.sort_by_key(|(shape, alike)| (std::cmp::Reverse(alike.count), *shape));
        shapes.truncate(MOST_REFERENCES);
        Plan {
            kind,
            tops,
            shapes,
            any,
        }
    }
}

impl Plan<'_> {
    /// Whether its shapes, at most so many, are all of `references`.
    pub(super) fn is_whole(&self, references: usize, most: usize) -> bool {
        let all: u32 = self.shapes.iter().map(|(_, alike)| alike.count).sum();
        self.shapes.len() <= most && all as usize == references
    }
}

/// A cut names at most so many references.
pub const MOST_REFERENCES: usize = 4;
/// A reference further up is named only while it frees at most this much more than the suspect
/// keeps: a fifth.
const SLACK: u64 = 5;

/// How ready a program is to give up a reference; 0 is not at all.
pub fn cuttability(graph: &HeapGraph, words: &Words, symbols: &Symbols, edge: u32) -> u8 {
    readiness(graph, words, symbols, source(graph, edge), edge)
}

/// The same where the object that refers is known.
///
/// A class, a module and a dictionary of names are there for the whole program: nobody lets go of
/// them to be rid of what they hold.
pub(super) fn readiness(
    graph: &HeapGraph,
    words: &Words,
    symbols: &Symbols,
    from: u32,
    edge: u32,
) -> u8 {
    let info = symbols
        .graph
        .label_info(LabelId(graph.labels()[edge as usize]));
    let from = words.of_type(graph.type_of(from));
    let to = words.of_type(graph.type_of(graph.targets()[edge as usize]));
    match info.kind {
        EdgeKind::Struct | EdgeKind::Weak | EdgeKind::Final => 0,
        // The table of a JavaScript map holds its entries.
        EdgeKind::Internal if from.role.is_container() && !to.engine => 3,
        EdgeKind::Soft | EdgeKind::Internal | EdgeKind::Other => 1,
        EdgeKind::Frame | EdgeKind::Closure => 2,
        EdgeKind::Attr if symbols.strings.get(info.name).ends_with("this$0") => 1,
        _ if from.role == Role::Native => 1,
        _ if matches!(to.role, Role::Type | Role::Module | Role::Namespace) => 1,
        _ => 3,
    }
}

/// For each object the place of the reference that holds it, where there is one alone: one from
/// an object that it does not dominate, and no root. [`MANY`] or [`NONE`] for the others. One pass
/// over references, 4 bytes an object.
pub fn entries(graph: &HeapGraph, tree: &Dominators) -> Vec<u32> {
    let mut only = vec![NONE; graph.len()];
    for v in 0..graph.len() as u32 {
        let i = tree.number[v as usize];
        for e in graph.row(v) {
            let w = graph.targets()[e];
            let entry = &mut only[w as usize];
            if *entry == MANY || w == v {
                continue;
            }
            let j = tree.number[w as usize];
            let same_side = (i < tree.garbage) == (j < tree.garbage);
            if same_side && !tree.dominates(j, i) {
                *entry = if *entry == NONE { e as u32 } else { MANY };
            }
        }
    }
    for root in graph.roots.iter().filter(|r| !r.weak) {
        only[root.node as usize] = MANY;
    }
    only
}

/// In [`entries`]: nothing holds the object but itself.
pub const NONE: u32 = u32::MAX;
/// In [`entries`]: several references hold the object, or a root.
pub const MANY: u32 = u32::MAX - 1;

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
    pub entries: &'a [u32],
    /// Shortest paths, which name the owners of containers.
    pub paths: &'a Paths,
    /// Places of references backward ([`Rows::places_backward`]), made when first asked for.
    pub backward: &'a std::cell::OnceCell<OwnRows>,
}

impl Cutter<'_> {
    fn shape(&self, edge: u32) -> Shape {
        self.shape_from(source(self.graph, edge), edge)
    }

    pub(super) fn shape_from(&self, from: u32, edge: u32) -> Shape {
        let e = edge as usize;
        Shape {
            from: self.graph.type_of(from).0,
            label: self.words.of_label(LabelId(self.graph.labels()[e])).plain,
            to: self.graph.type_of(self.graph.targets()[e]).0,
        }
    }

    /// The one reference that holds `v`, where there is one: no root, no second way in.
    pub fn bridge(&self, v: u32) -> Option<u32> {
        let entry = self.entries[v as usize];
        (entry < MANY).then_some(entry)
    }

    /// Of the bridges on the way from `v` up to the root, the one most ready to be cut, and of
    /// those the nearest, as long as it frees little beyond what `v` keeps.
    pub fn best_bridge(&self, v: u32) -> Option<u32> {
        self.best_bridge_from(v).map(|(_, edge)| edge)
    }

    /// The same, with the object that refers. Suspects that do not hold each other do not share
    /// the steps of their ways up, since what holds two keeps more than a fifth beyond either:
    /// all of them together cost no more than the tree is large.
    fn best_bridge_from(&self, v: u32) -> Option<(u32, u32)> {
        let keeps = self.tree.retained_by(v);
        let most = keeps.saturating_add(keeps / SLACK);
        let mut best: Option<(u8, (u32, u32))> = None;
        let mut at = v;
        loop {
            let holder = self.tree.holder(at);
            if let (Some(edge), Some(from)) = (self.bridge(at), holder) {
                let ready = readiness(self.graph, self.words, self.symbols, from, edge);
                if ready > 0 && best.is_none_or(|(b, _)| ready > b) {
                    best = Some((ready, (from, edge)));
                }
            }
            match holder {
                Some(holder) if keeps > 0 && self.tree.retained_by(holder) <= most => at = holder,
                _ => return best.map(|(_, found)| found),
            }
        }
    }

    /// How a set of reachable objects is cut free by references near to it: one for each of its
    /// objects, or all around. Linear in the set and in the ways into it.
    pub fn near<'s>(&self, tops: &'s [u32]) -> Option<Plan<'s>> {
        let mut shapes: FxHashMap<Shape, Alike> = FxHashMap::default();
        let mut bridged = 0usize;
        for &v in tops {
            if let Some((from, edge)) = self.best_bridge_from(v) {
                bridged += 1;
                let alike = shapes.entry(self.shape_from(from, edge)).or_default();
                alike.add(from, edge, self.graph.targets()[edge as usize] == v);
            }
        }
        if bridged * 10 >= tops.len() * 9 && bridged > 0 {
            return Some(Plan::new(CutKind::Bridge, shapes, tops));
        }
        self.around(tops)
    }

    /// Ways to cut sets free, in the order in which they are to be tried: what is near to any of
    /// the sets before what is far from the first. What they free is counted by [`Cutter::count`],
    /// and one is chosen by [`chosen`].
    pub fn plans<'s>(&self, sets: &[&'s [u32]]) -> Vec<Plan<'s>> {
        let mut plans: Vec<Plan<'s>> = Vec::new();
        for &tops in sets {
            plans.extend(self.near(tops));
        }
        if plans.first().is_none_or(|p| p.kind != CutKind::Bridge) {
            plans.extend(sets.first().map(|tops| self.several(tops)));
        }
        plans
    }

    /// A minimum cut around the object that keeps most, and the references of its shapes into all.
    fn several<'s>(&self, tops: &'s [u32]) -> Plan<'s> {
        let keeps = |v: u32| self.tree.retained_by(v);
        let sample = tops
            .iter()
            .copied()
            .max_by_key(|&v| (keeps(v), std::cmp::Reverse(v)));
        let cut = sample.and_then(|v| self.min_cut(v, self.backward()));
        let cut = cut.unwrap_or_default();
        let mut shapes: FxHashMap<Shape, Alike> = FxHashMap::default();
        for &edge in &cut {
            let from = source(self.graph, edge);
            let alike = shapes.entry(self.shape_from(from, edge)).or_default();
            alike.add(from, edge, false);
        }
        let kind = match cut.len() {
            1 => CutKind::Bridge,
            _ => CutKind::MinCut,
        };
        Plan::new(kind, shapes, tops)
    }

    /// Places of references backward.
    pub(super) fn backward(&self) -> &OwnRows {
        let make = || Rows::of(self.graph).places_backward();
        self.backward.get_or_init(make)
    }

    /// Objects that roots hold.
    pub(super) fn rooted(&self) -> FxHashSet<u32> {
        let roots = self.graph.roots.iter().filter(|r| !r.weak);
        roots.map(|r| r.node).collect()
    }

    /// What cutting all references of each plan's shapes into its set frees: they are taken out
    /// and what roots do not reach any more is counted. Two passes for all plans together.
    pub fn count(&self, plans: &[Plan<'_>]) -> Vec<Cut> {
        let mut cuts = Vec::new();
        for some in plans.chunks(freed::TOGETHER) {
            let removed = self.removed(some);
            let all = freed::all(some.len());
            let roots = self.graph.roots.iter().filter(|r| !r.weak);
            let starts = roots.map(|r| (r.node, all));
            let bits = freed::survivors(self.graph, starts, &removed, some.len());
            let held = |v| self.tree.is_reachable(v);
            let frees = freed::lacking(self.graph, &bits, some.len(), held);
            for (k, (plan, frees)) in some.iter().zip(frees).enumerate() {
                cuts.push(match frees {
                    0 => Cut::none(),
                    frees => Cut {
                        kind: plan.kind,
                        references: plan.shapes.iter().flat_map(|s| s.1.examples()).collect(),
                        count: removed.count(k),
                        any: plan.any,
                        frees,
                    },
                });
            }
        }
        cuts
    }

    /// The references of each plan: those that it names, and what else of their shapes holds one
    /// of its set. One pass over the references of objects whose type some plan names.
    fn removed(&self, plans: &[Plan<'_>]) -> Removed {
        let mut removed = Removed::default();
        let mut in_set = vec![0u64; self.graph.len()];
        let mut wanted = vec![0u64; self.symbols.graph.types().len()];
        for (k, plan) in plans.iter().enumerate() {
            for &v in plan.tops {
                in_set[v as usize] |= 1 << k;
            }
            for (shape, alike) in &plan.shapes {
                wanted[shape.from as usize] |= 1 << k;
                for &edge in &alike.others {
                    removed.add(edge, k);
                }
            }
        }
        for v in 0..self.graph.len() as u32 {
            let wants = wanted[self.graph.type_of(v).0 as usize];
            if wants == 0 {
                continue;
            }
            for e in self.graph.row(v) {
                let mut hits = wants & in_set[self.graph.targets()[e] as usize];
                while hits != 0 {
                    let k = hits.trailing_zeros() as usize;
                    hits &= hits - 1;
                    let mut shape = self.shape_from(v, e as u32);
                    if plans[k].any {
                        shape.label = super::words::STAR;
                    }
                    if plans[k].shapes.iter().any(|s| s.0 == shape) {
                        removed.add(e as u32, k);
                    }
                }
            }
        }
        removed.settle();
        removed
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
        let mut edge_of: Vec<Option<u32>> = Vec::new();
        let rooted = self.rooted();
        if rooted.contains(&v) {
            return None;
        }
        let mut at = 0;
        while at < queue.len() {
            let w = queue[at];
            at += 1;
            let to = nodes[&w];
            let ways = backward.rows().of_node(w);
            // An object with so many ways in is far: no four references cut them.
            let far = at > NEAR || ways.len() > NEAR || edge_of.len() > MOST_WAYS;
            if far || w != v && rooted.contains(&w) {
                network.add_edge(source_node, to, UNCUT);
                edge_of.push(None);
                continue;
            }
            for &e in ways {
                let p = source(self.graph, e);
                if within(p) || !self.tree.is_reachable(p) {
                    continue;
                }
                let from = *nodes.entry(p).or_insert_with(|| {
                    queue.push(p);
                    network.add_node(())
                });
                let ready = readiness(self.graph, self.words, self.symbols, p, e);
                network.add_edge(from, to, if ready > 0 { 1 } else { UNCUT });
                edge_of.push(Some(e));
            }
        }
        // One more than may be named goes through: then the flow ends, however much could.
        let end = network.add_node(());
        network.add_edge(sink, end, MOST_REFERENCES as u32 + 1);
        edge_of.push(None);
        let (flow, flows) = dinics(&network, source_node, end);
        if flow == 0 || flow as usize > MOST_REFERENCES {
            return None;
        }
        // Nearest to the sink: what still reaches it in the residual network is its side.
        let mut side = vec![false; network.node_count()];
        let mut todo = vec![sink];
        side[sink.index()] = true;
        side[end.index()] = true;
        while let Some(x) = todo.pop() {
            let into = network.edges_directed(x, Direction::Incoming);
            let room = into.filter(|e| flows[e.id().index()] < *e.weight());
            let out = network.edges_directed(x, Direction::Outgoing);
            let used = out.filter(|e| flows[e.id().index()] > 0);
            for y in room.map(|e| e.source()).chain(used.map(|e| e.target())) {
                if !std::mem::replace(&mut side[y.index()], true) {
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
                    any: false,
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

/// Of the counted cuts in the order of [`Cutter::plans`], the first that frees nine tenths of what
/// the sets keep, else the one that frees most.
pub fn chosen(cuts: impl IntoIterator<Item = Cut>, keeps: u64) -> Cut {
    let mut best = Cut::none();
    for cut in cuts {
        let enough = cut.frees > 0 && cut.frees >= keeps / 10 * 9;
        if enough || cut.frees > best.frees {
            best = cut;
        }
        if enough {
            break;
        }
    }
    best
}

/// Capacity of a reference that is not to be cut.
const UNCUT: u32 = 1 << 20;
/// Objects that the search for a minimum cut looks at.
const NEAR: usize = 2_000;
/// References that it looks at.
const MOST_WAYS: usize = 64 * NEAR;

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
    /// A reference in words. Containers on the way are named by their owner, variables by the
    /// function that they belong to.
    pub fn in_words(&self, edge: u32, any: bool) -> Reference {
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
        let mut labels = vec![if any { "[*]".to_owned() } else { label(edge) }];
        let mut v = source(self.graph, edge);
        // A few levels are enough to find an owner.
        for _ in 0..8 {
            let words = self.words.of_type(self.graph.type_of(v));
            let unnamed = words.role == Role::Namespace || words.context;
            let inner = words.near == Nearness::Container || words.plain || unnamed;
            let Some(e) = self.paths.held_by(v).filter(|_| inner) else {
                break;
            };
            if !unnamed {
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
