//! Which cycles a graph holds, how often, and how much each keeps.
//!
//! A cycle belongs to an object that dominates it: its *anchor*, of the type that is nearest to
//! the program. So a hundred brokers that each hold themselves are a hundred cycles, even when a
//! registry, to which each refers back, makes one component of them all. A component none of whose
//! objects dominates a cycle, since it is entered from several places, counts as one.

use super::components::{Components, Cyclic, components};
use super::dominators::Dominators;
use super::rows::{Marks, Rows};
use super::signature::{Arc, Signatures};
use super::words::{Nearness, Words};
use crate::model::{HeapGraph, LabelId, Symbols};
use rustc_hash::FxHashMap;

/// The cycles of one signature in one capture.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Number of cycles.
    pub occurrences: u32,
    /// Those that no root reaches.
    pub unreachable: u32,
    /// Objects in one of them: the component of the first, as far as its anchor dominates it.
    pub objects: u32,
    /// Own bytes of the objects on the cycles. An object on several is counted with the first.
    pub shallow: u64,
    /// Bytes that the cycles keep alive.
    pub retained: u64,
    /// The outermost objects that keep them: anchors, or where a component is entered.
    pub tops: Vec<u32>,
    /// One cycle: its references in order.
    pub example: Vec<Arc>,
}

/// All cycles of a capture, by signature number.
#[derive(Debug)]
pub struct Cycles {
    /// By signature number.
    pub found: FxHashMap<u32, Found>,
    /// The component of each object, over references that tie.
    pub components: Components,
    /// Components that were too entangled to count every cycle.
    pub entangled: u32,
}

const NONE: u32 = u32::MAX;

/// Finds all cycles. Linear: a component's search is bounded by its size.
///
/// 8 bytes an object besides the graph and the tree, and 4 for each object in a component.
pub fn find(
    graph: &HeapGraph,
    words: &Words,
    symbols: &Symbols,
    tree: &Dominators,
    signatures: &mut Signatures,
) -> Cycles {
    let rows = Rows::of(graph);
    let ties = |_: u32, e: usize| words.ties(graph.labels()[e]);
    let components = components(rows, |v| words.may_cycle(graph.type_of(v)), ties);
    let Cyclic { starts, members } = components.cyclic(rows, ties);
    let mut finder = Finder {
        graph,
        words,
        symbols,
        tree,
        components: &components.of,
        by: vec![NONE; if members.is_empty() { 0 } else { graph.len() }],
        queue: Vec::new(),
        covered: Marks::new(graph.len()),
        counted: Marks::new(graph.len()),
        found: FxHashMap::default(),
        entangled: 0,
    };
    let mut members = members;
    for list in starts.windows(2) {
        let list = &mut members[list[0] as usize..list[1] as usize];
        finder.component(list, signatures);
    }
    let (mut found, entangled) = (finder.found, finder.entangled);
    for f in found.values_mut() {
        f.retained = set_retained(tree, &mut f.tops);
    }
    Cycles {
        found,
        components,
        entangled,
    }
}

/// Bytes that a set of objects keeps alive: the sum over those that no other of them dominates,
/// which stay in the list, ascending.
pub fn set_retained(tree: &Dominators, set: &mut Vec<u32>) -> u64 {
    let place = |v: u32| tree.interval(tree.number[v as usize]);
    set.sort_unstable_by_key(|&v| place(v));
    let mut end = 0;
    let mut sum = 0u64;
    set.retain(|&v| {
        let (at, stop) = place(v);
        let outermost = at >= end;
        if outermost {
            end = stop;
            sum = sum.saturating_add(tree.retained_by(v));
        }
        outermost
    });
    set.sort_unstable();
    sum
}

/// Components up to this size are searched more thoroughly.
const LARGE: usize = 1 << 16;

struct Finder<'a> {
    graph: &'a HeapGraph,
    words: &'a Words,
    symbols: &'a Symbols,
    tree: &'a Dominators,
    components: &'a [u32],
    /// How the present search reached each object: the place of a reference.
    by: Vec<u32>,
    queue: Vec<u32>,
    covered: Marks,
    counted: Marks,
    found: FxHashMap<u32, Found>,
    entangled: u32,
}

impl Finder<'_> {
    fn near(&self, v: u32) -> Nearness {
        self.words.of_type(self.graph.type_of(v)).near
    }

    fn component(&mut self, members: &mut [u32], signatures: &mut Signatures) {
        let Some(nearest) = members.iter().map(|&v| self.near(v)).min() else {
            return;
        };
        // Deepest in the tree of dominators first: inner cycles before those around them.
        self.deepest_first(members);
        let mut places = Vec::new();
        let mut budget = 4096 + 32 * members.len().min(LARGE) + 8 * members.len();
        let mut any = false;
        for i in 0..members.len() {
            let anchor = members[i];
            if self.near(anchor) != nearest || self.covered.has(anchor) {
                continue;
            }
            if budget == 0 {
                self.entangled += 1;
                break;
            }
            if let Some(cycle) = self.search(anchor, true, &mut budget) {
                any = true;
                for &(v, _) in &cycle {
                    self.covered.add(v);
                }
                self.record(&cycle, &[anchor], members, &mut places, signatures);
            }
        }
        for &v in &*members {
            self.covered.remove(v);
        }
        if any {
            return;
        }
        // Entered from several places: one cycle, through the object of the nearest type that
        // keeps most.
        let retained = |v: u32| self.tree.retained_by(v);
        let anchor = members
            .iter()
            .copied()
            .filter(|&v| self.near(v) == nearest)
            .min_by_key(|&v| (std::cmp::Reverse(retained(v)), v));
        let Some(anchor) = anchor else { return };
        let mut unbounded = usize::MAX;
        if let Some(cycle) = self.search(anchor, false, &mut unbounded) {
            let component = self.components[anchor as usize];
            let inside = |v: u32| {
                let holder = self.tree.holder(v);
                holder.is_some_and(|h| self.components[h as usize] == component)
            };
            let tops: Vec<u32> = members.iter().copied().filter(|&v| !inside(v)).collect();
            self.record(&cycle, &tops, members, &mut places, signatures);
        }
    }

    /// Sorts the objects of a component by falling number. Linear where there are many.
    fn deepest_first(&self, members: &mut [u32]) {
        let (number, vertex) = (&self.tree.number, &self.tree.vertex);
        if members.len() < number.len() / 16 {
            members.sort_unstable_by_key(|&v| std::cmp::Reverse(number[v as usize]));
            return;
        }
        let Some(&component) = members.first().map(|&v| &self.components[v as usize]) else {
            return;
        };
        let own = |v: &u32| self.components.get(*v as usize) == Some(&component);
        let deepest = vertex.iter().rev().copied().filter(own);
        for (place, v) in members.iter_mut().zip(deepest) {
            *place = v;
        }
    }

    /// Number of objects of a component that `top` dominates. `places`: where they stand in the
    /// tree, ascending; filled when first needed.
    fn dominated(&self, top: u32, members: &[u32], places: &mut Vec<u32>) -> u32 {
        let interval = |v: u32| self.tree.interval(self.tree.number[v as usize]);
        if places.is_empty() {
            places.extend(members.iter().map(|&v| interval(v).0));
            places.sort_unstable();
        }
        let (from, to) = interval(top);
        let below = |end: u32| places.partition_point(|&p| p < end);
        (below(to) - below(from)) as u32
    }

    /// The shortest cycle through `anchor` inside its component; `own`: through objects that it
    /// dominates.
    fn search(&mut self, anchor: u32, own: bool, budget: &mut usize) -> Option<Vec<Arc>> {
        let component = self.components[anchor as usize];
        let top = self.tree.number[anchor as usize];
        let mut last = None;
        self.queue.clear();
        self.queue.push(anchor);
        let mut at = 0;
        'search: while at < self.queue.len() {
            let v = self.queue[at];
            at += 1;
            for e in self.graph.row(v) {
                *budget = budget.saturating_sub(1);
                if *budget == 0 {
                    break 'search;
                }
                let w = self.graph.targets()[e];
                // What tells most apart is asked first: each question is a look into cold memory.
                if own && !self.tree.dominates(top, self.tree.number[w as usize])
                    || self.components[w as usize] != component
                    || !self.words.ties(self.graph.labels()[e])
                {
                    continue;
                }
                if w == anchor {
                    last = Some((v, e as u32));
                    break 'search;
                }
                if self.by[w as usize] != NONE {
                    continue;
                }
                self.by[w as usize] = e as u32;
                self.queue.push(w);
            }
        }
        let cycle = last.map(|(v, e)| self.back(anchor, v, e));
        for &v in &self.queue {
            self.by[v as usize] = NONE;
        }
        cycle
    }

    /// The references from the anchor to `v` and the one at `last` that closes the cycle.
    fn back(&self, anchor: u32, v: u32, last: u32) -> Vec<Arc> {
        let label = |e: u32| LabelId(self.graph.labels()[e as usize]);
        let mut cycle = vec![(v, label(last))];
        let mut v = v;
        while v != anchor {
            let e = self.by[v as usize];
            v = super::paths::source(self.graph, e);
            cycle.push((v, label(e)));
        }
        cycle.reverse();
        cycle
    }

    fn record(
        &mut self,
        cycle: &[Arc],
        tops: &[u32],
        members: &[u32],
        places: &mut Vec<u32>,
        signatures: &mut Signatures,
    ) {
        let number = signatures.of(self.graph, self.words, self.symbols, cycle);
        let objects = match tops {
            _ if self.found.contains_key(&number) => 0,
            [top] => self.dominated(*top, members, places),
            _ => members.len() as u32,
        };
        let found = self.found.entry(number).or_default();
        if found.occurrences == 0 {
            found.objects = objects;
            found.example = cycle.to_vec();
            found.example.truncate(super::signature::MOST_HOPS * 2);
        }
        found.occurrences += 1;
        found.unreachable += u32::from(!self.tree.is_reachable(cycle[0].0));
        for &(v, _) in cycle {
            if self.counted.add(v) {
                found.shallow = found.shallow.saturating_add(self.graph.size(v));
            }
        }
        found.tops.extend_from_slice(tops);
    }
}
