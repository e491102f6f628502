//! The last capture of a side, looked at closely: paths, what to cut, and who is to blame.

use super::cut::{Cut, Cutter, Plan, entries};
use super::cycles::{self, Found};
use super::dominators::Dominators;
use super::growth::Trend;
use super::holders;
use super::paths::{self, Paths, shortest};
use super::rows::OwnRows;
use super::series::{CutRow, GrowingPaths, HolderRow, PathStep, folds, root_words};
use super::signature::one_label;
use super::tree::{Group, NONE};
use super::words::Words;
use crate::model::{Collector, GcMode, HeapGraph, LabelId, Symbols};
use rustc_hash::FxHashMap;
use std::cell::OnceCell;

/// Holders that are looked at closely, a side.
pub(super) const MOST_HOLDERS: usize = 16;

/// What is known of the cycles of one signature in the last capture.
#[derive(Clone)]
pub(super) struct CycleDetail {
    pub(super) path: Vec<PathStep>,
    pub(super) root_path: Option<Vec<PathStep>>,
    pub(super) cut: CutRow,
    pub(super) breaks: Option<CutRow>,
}

/// A holder that is looked at: its group among those that grow, and the objects it holds.
pub(super) struct Held {
    bytes: u64,
    group: usize,
    tops: Vec<u32>,
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
        let all = growing.groups.iter_mut().enumerate();
        let mut all: Vec<Held> = all
            .map(|(group, (_, _, members))| {
                let mut tops = std::mem::take(members);
                Held {
                    bytes: cycles::set_retained(self.dom, &mut tops),
                    group,
                    tops,
                    also: Vec::new(),
                }
            })
            .collect();
        all.sort_by_key(|h| (std::cmp::Reverse(h.bytes), h.group));
        let mut first_of: FxHashMap<u32, usize> = FxHashMap::default();
        let mut kept: Vec<Held> = Vec::new();
        for h in all {
            let (group, path, _) = &growing.groups[h.group];
            match first_of.get(&group.parent) {
                Some(&row) if group.parent != NONE => {
                    let name = path.last().map_or("", |s| s.type_name.as_str());
                    kept[row].also.push((name.to_owned(), h.bytes));
                }
                _ if kept.len() < MOST_HOLDERS => {
                    first_of.insert(group.parent, kept.len());
                    kept.push(h);
                }
                _ => {}
            }
        }
        kept
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
        let of_holders = held.iter().map(|h| cutter.plan(&h.tops));
        let of_cycles = found.iter().zip(&tops);
        let of_cycles = of_cycles.filter(|(f, _)| is_reachable(f));
        let plans: Vec<Plan<'_>> = of_holders
            .chain(of_cycles.map(|(_, tops)| cutter.plan(tops)))
            .collect();
        drop(backward);
        let mut cuts = self.cutter(&OnceCell::new()).count(&plans);
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
        CutRow {
            kind: cut.kind,
            references: cut.references.iter().map(|&e| cutter.in_words(e)).collect(),
            count: cut.count,
            frees: cut.frees,
        }
    }

    fn type_name(&self, v: u32) -> String {
        let info = self.symbols.graph.type_info(self.graph.type_of(v));
        self.symbols.strings.get(info.name).to_owned()
    }

    fn label(&self, label: LabelId) -> String {
        let name = self.symbols.graph.label_info(label).name;
        super::signature::dotted(self.symbols.strings.get(name))
    }

    fn root_path(&self, v: u32) -> Option<Vec<PathStep>> {
        let (root, steps) = self.paths.to(self.graph, v)?;
        let step = |s: &paths::Step| PathStep {
            edge: match s.label {
                None => root_words(self.symbols, root.kind, root.name),
                Some(label) => one_label(label, self.words, self.symbols),
            },
            type_name: self.type_name(s.node),
            id: self.graph.ids().get(s.node),
            folds: folds(self.words, self.graph.type_of(s.node)),
        };
        Some(steps.iter().map(step).collect())
    }

    /// What is said of each cycle.
    pub(super) fn cycles(
        &self,
        found: &[(u32, &Found)],
        cuts: &Cuts,
    ) -> FxHashMap<u32, CycleDetail> {
        let all = found.iter().zip(&cuts.cycles);
        all.map(|(&(signature, found), cut)| (signature, self.cycle(found, cut)))
            .collect()
    }

    fn cycle(&self, found: &Found, cut: &Cut) -> CycleDetail {
        let path = found
            .example
            .iter()
            .map(|&(v, label)| PathStep {
                edge: self.label(label),
                type_name: self.type_name(v),
                id: self.graph.ids().get(v),
                folds: folds(self.words, self.graph.type_of(v)),
            })
            .collect();
        let top = found.tops.iter().find(|&&v| self.dom.is_reachable(v));
        CycleDetail {
            path,
            root_path: top
                .filter(|_| is_reachable(found))
                .and_then(|&v| self.root_path(v)),
            cut: self.cut_row(cut),
            breaks: None,
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

    /// What is said of each holder. `judge`: its counts, what they do, and its side.
    pub(super) fn holders(
        &self,
        held: Vec<Held>,
        cuts: &Cuts,
        growing: &GrowingPaths,
        judge: impl Fn(&Group) -> (Vec<u64>, Trend, bool),
    ) -> Vec<HolderRow> {
        let sets: Vec<&[u32]> = held.iter().map(|h| h.tops.as_slice()).collect();
        let shares = holders::shares(self.graph, &sets);
        let mut rows = Vec::new();
        for ((h, share), cut) in held.into_iter().zip(shares).zip(&cuts.holders) {
            let (group, path, _) = &growing.groups[h.group];
            let (series, trend, base) = judge(group);
            let told: Vec<(&str, bool)> = path
                .iter()
                .map(|s| (s.type_name.as_str(), s.folds))
                .collect();
            rows.push(HolderRow {
                id: group.key,
                path: path.clone(),
                series,
                base,
                trend,
                share,
                retained: h.bytes,
                cut: self.cut_row(cut),
                also: h.also,
                benign: holders::excuse(&told),
            });
        }
        rows
    }
}

/// Whether roots hold most cycles of a signature.
fn is_reachable(found: &Found) -> bool {
    found.unreachable * 2 < found.occurrences.max(1)
}
