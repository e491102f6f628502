//! The last capture of a side, looked at closely: paths, what to cut, and who is to blame.

use super::beside::beside;
use super::cut::{Cut, Cutter, MOST_REFERENCES, Plan, Reference, chosen, entries};
use super::cycles::{self, Found};
use super::dominators::Dominators;
use super::growing::{GrowingPath, GrowingPaths};
use super::holders;
use super::outcome::{CutRow, HolderRow, PathStep, State, SurvivorRow, grown};
use super::paths::{self, Paths, shortest};
use super::rows::{Marks, OwnRows};
use super::series::{folds, root_words};
use super::signature::one_label;
use super::words::{STAR, Words};
use crate::model::{Collector, EdgeKind, GcMode, HeapGraph, LabelId, Symbols};
use rustc_hash::FxHashMap;
use std::cell::OnceCell;

/// So far above texts and numbers that grow is looked for what they belong to.
const LEAF_DEPTH: usize = 3;

/// Holders that are looked at closely, a side.
pub(super) const MOST_HOLDERS: usize = 16;

/// Stacks that allocated what a holder holds.
const MOST_STACKS: usize = 64;

/// What is known of the cycles of one signature in the last capture.
#[derive(Clone)]
pub(super) struct CycleDetail {
    pub(super) path: Vec<PathStep>,
    pub(super) root_path: Option<Vec<PathStep>>,
    pub(super) cut: CutRow,
    pub(super) breaks: Option<CutRow>,
    /// How many of them a growing holder holds.
    pub(super) blamed: u32,
}

/// A holder that is looked at: its group among those that grow, and the objects it holds.
pub(super) struct Held {
    bytes: u64,
    group: usize,
    /// Groups of entries that hold the same objects.
    beside: Vec<usize>,
    /// Whether roots themselves hold the objects.
    rooted: bool,
    pub(super) tops: Vec<u32>,
    /// Those of the group itself, where `tops` has others too.
    own: Option<Vec<u32>>,
    also: Vec<(String, u64)>,
}

/// The capture and what is found in it once for all.
pub(super) struct Close<'a> {
    graph: &'a HeapGraph,
    symbols: &'a Symbols,
    words: &'a Words,
    dom: &'a Dominators,
    entries: Vec<u32>,
    pub(super) paths: Paths,
}

/// The cuts of holders and of cycles, in the order in which these were given.
pub(super) struct Cuts {
    holders: Vec<Cut>,
    cycles: Vec<Cut>,
}

impl<'a> Close<'a> {
    pub(super) fn new(
        graph: &'a HeapGraph,
        symbols: &'a Symbols,
        words: &'a Words,
        dom: &'a Dominators,
        order: &[u32],
    ) -> Close<'a> {
        Close {
            graph,
            symbols,
            words,
            dom,
            entries: entries(graph, dom),
            paths: shortest(graph, words, order, |_| false),
        }
    }

    fn cutter<'c>(&'c self, backward: &'c OnceCell<OwnRows>) -> Cutter<'c> {
        Cutter {
            graph: self.graph,
            words: self.words,
            symbols: self.symbols,
            tree: self.dom,
            entries: &self.entries,
            paths: &self.paths,
            backward,
        }
    }

    /// The growing groups that keep most; takes their objects. Several types under one holder are
    /// one.
    pub(super) fn held(&self, growing: &mut GrowingPaths) -> Vec<Held> {
        let all = growing.all.iter_mut().enumerate();
        let mut all: Vec<Held> = all
            .map(|(group, path)| {
                let mut tops = std::mem::take(&mut path.members);
                Held {
                    bytes: cycles::set_retained(self.dom, &mut tops),
                    group,
                    beside: Vec::new(),
                    rooted: path.above.is_empty(),
                    tops,
                    own: None,
                    also: Vec::new(),
                }
            })
            .collect();
        let path = |h: &Held| -> &GrowingPath { &growing.all[h.group] };
        let whole = |n: Option<&f64>| n.map(|&n| n as u64);
        all.sort_by_cached_key(|h| {
            let (first, last) = (whole(path(h).counts.first()), whole(path(h).counts.last()));
            let grown = grown(h.bytes, first.as_ref(), last.as_ref());
            (path(h).leaf, std::cmp::Reverse(grown), h.group)
        });
        let all = self.merged(all, path);
        let mut first_of: FxHashMap<u32, usize> = FxHashMap::default();
        let mut kept: Vec<Held> = Vec::new();
        for h in all {
            // Keys of a map lie deeper in it than what it maps them to.
            let depth = if path(&h).leaf { LEAF_DEPTH } else { 1 };
            let mut above = path(&h).above.iter().rev().take(depth);
            if let Some(&row) = above.find_map(|g| first_of.get(g)) {
                let held = &mut kept[row];
                let mut other = h.group;
                if !path(&h).leaf {
                    let own = held.own.get_or_insert_with(|| held.tops.clone());
                    held.tops.extend_from_slice(&h.tops);
                    // The program's own objects are what is spoken of.
                    let tells = |group: usize| {
                        let path = &growing.all[group];
                        path.own || path.inside.is_some()
                    };
                    if path(&h).own && !tells(held.group) {
                        other = std::mem::replace(&mut held.group, h.group);
                        *own = h.tops;
                    }
                }
                let name = growing.all[other].path.last();
                let name = name.map_or("", |s| s.type_name.as_str());
                held.also.push((name.to_owned(), h.bytes));
            } else if kept.len() < MOST_HOLDERS {
                if let Some(&parent) = path(&h).above.last() {
                    first_of.insert(parent, kept.len());
                }
                kept.push(h);
            }
        }
        for h in kept.iter_mut().filter(|h| h.own.is_some()) {
            h.bytes = cycles::set_retained(self.dom, &mut h.tops);
        }
        kept
    }

    /// Groups with those of entries that hold the same objects.
    fn merged<'g>(&self, mut all: Vec<Held>, path: impl Fn(&Held) -> &'g GrowingPath) -> Vec<Held> {
        let plain = |h: &Held| {
            let path = path(h);
            !path.own && !path.leaf && path.inside.is_none()
        };
        let same = beside(self.graph, &all, |h| path(h).own, plain);
        for (i, other) in same.iter().enumerate() {
            let Some(other) = *other else { continue };
            let (entries, group) = (std::mem::take(&mut all[i].tops), all[i].group);
            let held = &mut all[other];
            held.own.get_or_insert_with(|| held.tops.clone());
            held.tops.extend(entries);
            held.beside.push(group);
        }
        let mut same = same.iter();
        all.retain(|_| same.next().is_none_or(Option::is_none));
        all
    }

    /// What cuts holders and cycles free. `components`: the component of each object, which is
    /// let go as soon as it can be.
    pub(super) fn cuts(&self, held: &[Held], found: &[&Found], components: Vec<u32>) -> Cuts {
        let backward = OnceCell::new();
        let cutter = self.cutter(&backward);
        // Where nothing holds a cycle, the reference that breaks it is named.
        let mut cycles: Vec<Cut> = found
            .iter()
            .map(|f| match self.waits(f) {
                true => cutter.of_unreachable(&self.places(f), &components, f.retained),
                false => Cut::none(),
            })
            .collect();
        drop(components);
        let tops: Vec<Vec<u32>> = found.iter().map(|f| self.tops(f)).collect();
        let of_holders = held.iter().map(|h| {
            let own = h.own.iter().chain([&h.tops]);
            (own.map(Vec::as_slice).collect(), h.bytes)
        });
        let of_cycles = found.iter().zip(&tops);
        let of_cycles = of_cycles.filter(|(f, _)| is_reachable(f));
        let of_cycles = of_cycles.map(|(f, tops)| (vec![tops.as_slice()], f.retained));
        let mut plans: Vec<Plan<'_>> = Vec::new();
        let mut ways: Vec<(usize, u64)> = Vec::new();
        for (sets, keeps) in of_holders.chain(of_cycles) {
            let own = cutter.plans(&sets);
            ways.push((own.len(), keeps));
            plans.extend(own);
        }
        drop(backward);
        let mut counted = self.cutter(&OnceCell::new()).count(&plans).into_iter();
        let mut cuts: Vec<Cut> = ways
            .into_iter()
            .map(|(n, keeps)| {
                let own: Vec<Cut> = counted.by_ref().take(n).collect();
                chosen(own, keeps)
            })
            .collect();
        let rest = cuts.split_off(held.len().min(cuts.len()));
        let reachable = found
            .iter()
            .zip(&mut cycles)
            .filter(|(f, _)| is_reachable(f));
        for ((_, cut), counted) in reachable.zip(rest) {
            *cut = counted;
        }
        Cuts {
            holders: cuts,
            cycles,
        }
    }

    /// Objects of a cycle that are to be cut free.
    fn tops(&self, found: &Found) -> Vec<u32> {
        let reachable = is_reachable(found);
        let tops = found.tops.iter().copied();
        tops.filter(|&v| self.dom.is_reachable(v) == reachable)
            .collect()
    }

    /// Whether cycles that nothing holds wait for a collector of cycles.
    fn waits(&self, found: &Found) -> bool {
        let meta = &self.graph.meta;
        let counted = meta.collector() == Collector::Counting;
        !is_reachable(found) && counted && meta.gc != GcMode::Full
    }

    fn cut_row(&self, cut: &Cut) -> CutRow {
        let backward = OnceCell::new();
        let cutter = self.cutter(&backward);
        let mut references: Vec<Reference> = Vec::new();
        for reference in cut.references.iter().map(|&e| cutter.in_words(e, cut.any)) {
            if !references.contains(&reference) && references.len() < MOST_REFERENCES {
                references.push(reference);
            }
        }
        CutRow {
            kind: cut.kind,
            references,
            count: cut.count,
            frees: cut.frees,
        }
    }

    fn type_name(&self, v: u32) -> String {
        let info = self.symbols.graph.type_info(self.graph.type_of(v));
        self.symbols.strings.get(info.name).to_owned()
    }

    /// A label as it is written, unless it may be data.
    fn label(&self, label: LabelId) -> String {
        let known = self.words.of_label(label);
        let odd = known.plain == STAR && known.kind == EdgeKind::Attr;
        if odd || known.private {
            return "[*]".to_owned();
        }
        let name = self.symbols.graph.label_info(label).name;
        super::signature::dotted(self.symbols.strings.get(name))
    }

    fn root_path(&self, v: u32, growing: &GrowingPaths) -> Option<Vec<PathStep>> {
        let (root, steps) = self.paths.to(self.graph, v)?;
        let step = |s: &paths::Step| PathStep {
            edge: match s.label {
                None => root_words(self.symbols, root.kind, root.name),
                Some(label) => one_label(label, self.words, self.symbols),
            },
            type_name: self.type_name(s.node),
            id: self.graph.ids().get(s.node),
            folds: folds(self.words, self.graph.type_of(s.node)),
            state: growing.state(s.node),
        };
        let mut steps: Vec<PathStep> = steps.iter().map(step).collect();
        State::settle(&mut steps);
        Some(steps)
    }

    /// What is said of each cycle.
    pub(super) fn cycles(
        &self,
        found: &[(u32, &Found)],
        cuts: &Cuts,
        growing: &GrowingPaths,
        blamed: &Marks,
    ) -> FxHashMap<u32, CycleDetail> {
        let all = found.iter().zip(&cuts.cycles);
        all.map(|(&(signature, found), cut)| {
            let detail = self.cycle(found, cut, growing, blamed);
            (signature, detail)
        })
        .collect()
    }

    fn cycle(
        &self,
        found: &Found,
        cut: &Cut,
        growing: &GrowingPaths,
        blamed: &Marks,
    ) -> CycleDetail {
        let path = found
            .example
            .iter()
            .map(|&(v, label)| PathStep {
                edge: self.label(label),
                type_name: self.type_name(v),
                id: self.graph.ids().get(v),
                folds: folds(self.words, self.graph.type_of(v)),
                state: growing.state(v),
            })
            .collect();
        let blame = found.tops.iter().filter(|&&v| blamed.contains(v)).count();
        let top = found.tops.iter().find(|&&v| self.dom.is_reachable(v));
        CycleDetail {
            path,
            root_path: top
                .filter(|_| is_reachable(found))
                .and_then(|&v| self.root_path(v, growing)),
            cut: self.cut_row(cut),
            breaks: None,
            blamed: blame as u32,
        }
    }

    /// The places of the references of the example.
    fn places(&self, found: &Found) -> Vec<u32> {
        let n = found.example.len();
        (0..n)
            .filter_map(|i| {
                let (v, label) = found.example[i];
                let (w, _) = found.example[(i + 1) % n];
                let mut row = self.graph.row(v);
                row.find(|&e| self.graph.targets()[e] == w && self.graph.labels()[e] == label.0)
                    .map(|e| e as u32)
            })
            .collect()
    }

    /// What is said of each holder, and all that they hold and nothing else does.
    pub(super) fn holders(
        &self,
        held: Vec<Held>,
        cuts: &Cuts,
        growing: &GrowingPaths,
        base: bool,
    ) -> (Vec<HolderRow>, Marks) {
        let sets: Vec<(&[u32], bool)> = held.iter().map(|h| (&h.tops[..], h.rooted)).collect();
        let (shares, blamed) = holders::shares(self.graph, &sets);
        let mut rows = Vec::new();
        for ((h, share), cut) in held.into_iter().zip(shares).zip(&cuts.holders) {
            let found = &growing.all[h.group];
            let told: Vec<(&str, bool)> = found
                .path
                .iter()
                .map(|s| (s.type_name.as_str(), s.folds))
                .collect();
            rows.push(HolderRow {
                id: found.key,
                path: found.path.clone(),
                series: found.counts.iter().map(|&c| c as u64).collect(),
                base,
                trend: found.trend,
                share,
                // What several of them hold together none of them holds alone.
                retained: h.bytes.max(share.exclusive),
                inside: found.inside.clone(),
                cut: self.cut_row(cut),
                also: h.also,
                beside: h
                    .beside
                    .iter()
                    .map(|&g| growing.all[g].path.clone())
                    .collect(),
                benign: holders::excuse(&told)
                    .or(found.soft.then_some(holders::SOFTLY))
                    .or(found.bare.then_some(holders::ENGINE)),
                made: self.made(h.own.as_ref().unwrap_or(&h.tops)),
            });
        }
        (rows, blamed)
    }

    /// Where some objects were allocated.
    fn made(&self, objects: &[u32]) -> Vec<(u32, u64)> {
        if !self.graph.has_sites() {
            return Vec::new();
        }
        let mut count: FxHashMap<u32, u64> = FxHashMap::default();
        for stack in objects.iter().filter_map(|&v| self.graph.site(v)) {
            *count.entry(stack).or_default() += 1;
        }
        let mut all: Vec<(u32, u64)> = count.into_iter().collect();
        all.sort_unstable_by_key(|&(stack, n)| (std::cmp::Reverse(n), stack));
        all.truncate(MOST_STACKS);
        all
    }

    /// What is said of objects that came up and stayed.
    pub(super) fn survivors(&self, growing: &mut GrowingPaths, base: bool) -> Vec<SurvivorRow> {
        let row = |mut s: super::growing::Stayed| SurvivorRow {
            id: s.key,
            path: s.path,
            objects: s.members.len() as u64,
            retained: cycles::set_retained(self.dom, &mut s.members),
            base,
        };
        let mut rows: Vec<SurvivorRow> = growing.stayed.drain(..).map(row).collect();
        rows.sort_by_key(|r| (std::cmp::Reverse(r.retained), r.id));
        rows
    }

    /// Objects of each type that paths that grow hold, and nothing else does; and those that
    /// nothing holds. One pass.
    pub(super) fn explained(&self, blamed: &Marks) -> Vec<u64> {
        let mut out = vec![0; self.symbols.graph.types().len()];
        for v in 0..self.graph.len() as u32 {
            if blamed.contains(v) || !self.dom.is_reachable(v) {
                out[self.graph.type_of(v).0 as usize] += 1;
            }
        }
        out
    }
}

/// Whether roots hold most cycles of a signature.
fn is_reachable(found: &Found) -> bool {
    found.unreachable * 2 < found.occurrences.max(1)
}
