//! The dominator tree as a person can look at it: what keeps most, and what that consists of.
//!
//! Objects of one type under the same holder are one entry, so that a thousand sessions are one
//! box and not a thousand; objects of one type that hold each other (a list) are one entry too,
//! whatever its length. What is small is left out and its bytes are kept as the rest of its
//! holder, so that every entry adds up.

use super::dominators::{Dominators, ROOT};
use super::paths::Paths;
use super::signature::one_label;
use super::words::Words;
use crate::model::{HeapGraph, LabelId, Symbols, TypeId};
use std::collections::BinaryHeap;

/// An entry: objects of one type that one entry above dominates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heavy {
    /// Index of the entry above; none for the two tops.
    pub parent: Option<u32>,
    /// The type; `roots` and `unreachable` for the tops.
    pub type_name: String,
    /// The label that leads to them, where it is one for all.
    pub edge: String,
    /// Objects.
    pub objects: u64,
    /// Their own bytes.
    pub shallow: u64,
    /// Bytes that they keep: own, those of the entries below, and the rest.
    pub retained: u64,
    /// Bytes below them that no entry shows.
    pub rest: u64,
}

/// Entries of less than this part of all bytes are left out.
pub const LEAST: u64 = 1000;

/// Entries at most, the heaviest first.
const MOST: usize = 1000;

/// The heaviest part of the tree, parents before children, the heavier first.
///
/// One walk of the tree; 12 bytes an object at worst while it lasts.
pub fn heaviest(
    graph: &HeapGraph,
    symbols: &Symbols,
    words: &Words,
    dom: &Dominators,
    paths: &Paths,
) -> Vec<Heavy> {
    let order = dom.in_order();
    let all = dom.retained[ROOT as usize].saturating_add(dom.unreachable().0);
    let tree = Tree {
        graph,
        symbols,
        words,
        dom,
        paths,
        order: &order,
        least: (all / LEAST).max(1),
    };
    let mut out: Vec<Heavy> = Vec::new();
    let mut waiting: BinaryHeap<(u64, std::cmp::Reverse<u32>)> = BinaryHeap::new();
    let mut members: Vec<Vec<u32>> = Vec::new();
    for (number, name) in [(ROOT, "roots"), (dom.garbage, "unreachable")] {
        let retained = dom.retained[number as usize];
        if number != ROOT && dom.unreachable().1 == 0 {
            continue;
        }
        waiting.push((retained, std::cmp::Reverse(out.len() as u32)));
        out.push(Heavy {
            type_name: name.to_owned(),
            retained,
            ..Heavy::default()
        });
        members.push(vec![number]);
    }
    while let Some((_, std::cmp::Reverse(at))) = waiting.pop() {
        let own = std::mem::take(&mut members[at as usize]);
        let groups = tree.below(own, &mut out[at as usize]);
        let mut rest = out[at as usize].retained - out[at as usize].shallow;
        for (retained, set) in groups {
            if out.len() >= MOST {
                break;
            }
            rest = rest.saturating_sub(retained);
            waiting.push((retained, std::cmp::Reverse(out.len() as u32)));
            out.push(tree.entry(at, retained, &set));
            members.push(set);
        }
        out[at as usize].rest = rest;
    }
    out
}

struct Tree<'a> {
    graph: &'a HeapGraph,
    symbols: &'a Symbols,
    words: &'a Words,
    dom: &'a Dominators,
    paths: &'a Paths,
    order: &'a [u32],
    least: u64,
}

impl Tree<'_> {
    fn is_top(&self, number: u32) -> bool {
        number == ROOT || number == self.dom.garbage
    }

    fn type_of(&self, number: u32) -> TypeId {
        self.graph.type_of(self.dom.vertex[number as usize])
    }

    /// What a set of one type dominates, by type, the heaviest first; objects of its own type join
    /// the set, whose entry gets its objects and their bytes.
    fn below(&self, set: Vec<u32>, entry: &mut Heavy) -> Vec<(u64, Vec<u32>)> {
        let mut todo = set;
        let mut found: Vec<(u32, u32)> = Vec::new();
        while let Some(number) = todo.pop() {
            let own = (!self.is_top(number)).then(|| self.type_of(number));
            if own.is_some() {
                let v = self.dom.vertex[number as usize];
                entry.objects += 1;
                entry.shallow = entry.shallow.saturating_add(self.graph.size(v));
            }
            let (at, end) = self.dom.interval(number);
            let mut i = at + 1;
            while i < end {
                let child = self.order[i as usize];
                i = self.dom.interval(child).1;
                if child == self.dom.garbage {
                    continue;
                }
                let t = self.type_of(child);
                if own == Some(t) {
                    todo.push(child);
                } else {
                    found.push((t.0, child));
                }
            }
        }
        found.sort_unstable();
        let mut groups: Vec<(u64, Vec<u32>)> = Vec::new();
        for group in found.chunk_by(|a, b| a.0 == b.0) {
            let bytes =
                |sum: u64, &(_, n): &(u32, u32)| sum.saturating_add(self.dom.retained[n as usize]);
            let retained = group.iter().fold(0u64, bytes);
            if retained >= self.least {
                groups.push((retained, group.iter().map(|g| g.1).collect()));
            }
        }
        let name = |set: &[u32]| self.type_name(set[0]);
        groups.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| name(&a.1).cmp(name(&b.1))));
        groups
    }

    fn type_name(&self, number: u32) -> &str {
        let info = self.symbols.graph.type_info(self.type_of(number));
        self.symbols.strings.get(info.name)
    }

    fn entry(&self, parent: u32, retained: u64, set: &[u32]) -> Heavy {
        let label = |number: u32| {
            let held = self.paths.held_by(self.dom.vertex[number as usize])?;
            let label = LabelId(self.graph.labels()[held as usize]);
            Some((self.words.of_label(label).plain, label))
        };
        let first = label(set[0]);
        let same = first.filter(|f| {
            let mut others = set[1..].iter();
            others.all(|&n| label(n).is_some_and(|l| l.0 == f.0))
        });
        Heavy {
            parent: Some(parent),
            type_name: self.type_name(set[0]).to_owned(),
            edge: same.map_or_else(String::new, |(_, l)| one_label(l, self.words, self.symbols)),
            retained,
            ..Heavy::default()
        }
    }
}
