//! Captures of object graphs one after the other: each is analysed, reduced to counts and let go;
//! the last one of a side is looked at closely.
//!
//! One graph is resident at a time. At its peak the analysis of a capture takes 64 bytes an object
//! and 16 a reference; what stays of it is about 8 bytes an object.

use super::close::{Close, CycleDetail};
use super::cut::{CutKind, Reference};
use super::cycles::{self, Cycles, Found};
use super::dominators::{Dominators, dominators};
use super::growing::{GrowingPaths, Inside, growing};
use super::growth::{Axis, PathSeries, Trend};
use super::heaviest::{Heavy, heaviest};
use super::holders::Share;
use super::identity::Identity;
use super::paths::ordered_roots;
use super::rows::Rows;
use super::signature::{Benign, Signatures};
use super::tree::path_tree;
use super::ways::{Ways, ways};
use super::words::{CONTEXT, NAMESPACE, Words};
use crate::model::{GraphMeta, HeapGraph, LoaderTally, RootKind, Symbols, TypeId, TypeTally};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Counts and bytes of one type in one capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TypeCount {
    /// Objects.
    pub count: u64,
    /// Their own bytes.
    pub shallow: u64,
    /// Bytes that they keep alive.
    pub retained: u64,
}

/// What is stated of a whole capture.
#[derive(Debug, Clone, Default)]
pub struct CaptureFacts {
    /// What it says about itself.
    pub meta: GraphMeta,
    /// Whether it stands on the base side.
    pub base: bool,
    /// Objects.
    pub objects: u64,
    /// References that hold.
    pub edges: u64,
    /// Roots.
    pub roots: u64,
    /// Own bytes of all objects.
    pub shallow: u64,
    /// Bytes that roots keep alive.
    pub reachable: u64,
    /// Bytes and objects that no root reaches.
    pub unreachable: (u64, u64),
    /// Objects that the collector cannot free.
    pub uncollectable: u64,
    /// Components too entangled to count every cycle.
    pub entangled: u32,
}

/// One step of a path in words: the labels that lead to an object, and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStep {
    /// `.KEEP[*]`; for the first step the kind of root.
    pub edge: String,
    /// Full name of the type.
    pub type_name: String,
    /// The object's original id, where the format has one.
    pub id: Option<u64>,
    /// A container or a dictionary of names: told by what holds it.
    pub folds: bool,
    /// Whether it is part of what grows.
    pub state: State,
}

/// What an object on a path is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// It grows, or what holds it does.
    Leaking,
    /// There are as many in every capture, or it holds some of which this is so.
    NotLeaking,
    /// Neither is known.
    #[default]
    Undecided,
}

impl State {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Leaking => "leaking",
            State::NotLeaking => "not-leaking",
            State::Undecided => "undecided",
        }
    }

    /// What holds an object that does not leak does not leak; what is below one that leaks does.
    /// Where both are said the nearer to the root wins.
    pub(super) fn settle(steps: &mut [PathStep]) {
        let first = steps.iter().position(|s| s.state == State::Leaking);
        let first = first.unwrap_or(steps.len());
        let (above, below) = steps.split_at_mut(first);
        for step in below {
            step.state = State::Leaking;
        }
        let still = above.iter().rposition(|s| s.state == State::NotLeaking);
        for step in &mut above[..still.map_or(0, |i| i + 1)] {
            step.state = State::NotLeaking;
        }
    }
}

/// A way to cut something free, in words.
#[derive(Debug, Clone)]
pub struct CutRow {
    /// How.
    pub kind: CutKind,
    /// One to four.
    pub references: Vec<Reference>,
    /// Number of references of these shapes.
    pub count: u32,
    /// Bytes that it frees.
    pub frees: u64,
}

/// The cycles of one signature along all captures.
#[derive(Debug, Clone)]
pub struct CycleRow {
    /// Its signature's id.
    pub id: u64,
    /// Its signature.
    pub signature: String,
    /// Why it is structure and no fault.
    pub benign: Option<Benign>,
    /// Number of cycles in each capture.
    pub occurrences: Vec<u32>,
    /// Bytes that they keep, in each capture.
    pub retained: Vec<u64>,
    /// In the last capture that holds any: objects of one, own bytes of all, those unreachable.
    pub objects: u32,
    /// Own bytes of all.
    pub shallow: u64,
    /// Cycles that no root reaches.
    pub unreachable: u32,
    /// One cycle: the label that leaves each object, its type and id.
    pub path: Vec<PathStep>,
    /// From a root to one of them; none where no root reaches it.
    pub root_path: Option<Vec<PathStep>>,
    /// What cuts them free.
    pub cut: CutRow,
    /// What would break the cycle itself, where references are counted and something else holds it.
    pub breaks: Option<CutRow>,
    /// Whether a path that grows holds most of them, so that it is that path's growth.
    pub explained: bool,
    /// What it does on the base side and on the new one.
    pub trends: [Trend; 2],
}

/// A path that holds ever more objects.
#[derive(Debug, Clone)]
pub struct HolderRow {
    /// Its identity, the same in every capture.
    pub id: u64,
    /// From the root to the objects that become more.
    pub path: Vec<PathStep>,
    /// Objects in each capture of its side.
    pub series: Vec<u64>,
    /// Whether it was found on the base side.
    pub base: bool,
    /// What it does.
    pub trend: Trend,
    /// Bytes that they are to blame for in the last capture.
    pub share: Share,
    /// Bytes that they keep.
    pub retained: u64,
    /// The program's own objects among what they hold, where they are none themselves.
    pub inside: Option<Inside>,
    /// What cuts them free.
    pub cut: CutRow,
    /// The same at other paths: other types that the same holder holds.
    pub also: Vec<(String, u64)>,
    /// Paths to entries of other collections that hold the same objects.
    pub beside: Vec<Vec<PathStep>>,
    /// Why it is no fault that it grows.
    pub benign: Option<&'static str>,
    /// Objects by the stack that allocated them, a handle of [`Symbols::stacks`]: the stacks of
    /// most objects first, in captures with allocation traces.
    pub made: Vec<(u32, u64)>,
}

impl HolderRow {
    /// Bytes that it is to blame for and that came up along the captures: objects may have been
    /// there before.
    pub fn grown_bytes(&self) -> u64 {
        grown(self.share.share, self.series.first(), self.series.last())
    }
}

/// The part of `bytes` that came up while a number went from `first` to `last`.
pub(super) fn grown(bytes: u64, first: Option<&u64>, last: Option<&u64>) -> u64 {
    let (first, last) = (first.copied().unwrap_or(0), last.copied().unwrap_or(0));
    let part = last.saturating_sub(first) as f64 / last.max(1) as f64;
    (bytes as f64 * part).round() as u64
}

/// Objects at one path that came up during the runs and are still there, told by their identity.
#[derive(Debug, Clone)]
pub struct SurvivorRow {
    /// The identity of the path, that of a holder with the same path.
    pub id: u64,
    /// From the root to them.
    pub path: Vec<PathStep>,
    /// Objects.
    pub objects: u64,
    /// Bytes that they keep.
    pub retained: u64,
    /// Whether they are of the base side.
    pub base: bool,
}

/// One type along all captures.
#[derive(Debug, Clone)]
pub struct TypeRow {
    /// Full name.
    pub name: String,
    /// One entry a capture.
    pub counts: Vec<TypeCount>,
    /// Objects of the last capture of each side that paths that grow hold, and nothing else.
    pub explained: [u64; 2],
    /// What its number of objects does on each side.
    pub trends: [Trend; 2],
}

/// Loaders of one class along all captures; see [`crate::model::LoaderTally`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoaderRow {
    /// The class of the loaders.
    pub name: String,
    /// One entry a capture.
    pub counts: Vec<LoaderCount>,
}

/// Loaders of one class in one capture, and what they loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoaderCount {
    /// Loaders.
    pub loaders: u64,
    /// Classes.
    pub classes: u64,
    /// Objects of these classes, and the classes themselves.
    pub objects: u64,
    /// Their own bytes.
    pub bytes: u64,
}

/// All that is known at the end.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every capture, base side first.
    pub captures: Vec<CaptureFacts>,
    /// Types, by name.
    pub types: Vec<TypeRow>,
    /// Objects by the loader of their class, by name; empty where the runtime has no loaders.
    pub loaders: Vec<LoaderRow>,
    /// Cycles: those that grow first, then by bytes.
    pub cycles: Vec<CycleRow>,
    /// Holders: by growth, largest share first.
    pub holders: Vec<HolderRow>,
    /// Objects that came up and stayed, where ids are stable: those that keep most first.
    pub survivors: Vec<SurvivorRow>,
    /// Ways to what was asked for.
    pub ways: Option<Ways>,
    /// The heaviest part of the last capture's dominator tree.
    pub heaviest: Vec<Heavy>,
    /// Captures were read for numbers and bytes by type alone: nothing is known of what is kept.
    pub types_only: bool,
}

/// Cycles that grow whose cut is computed, a side, and others.
const MOST_CUTS: (usize, usize) = (16, 6);

/// Runs two steps that do not depend on each other, at the same time where there is room.
fn both<A: Send, B: Send>(
    room: bool,
    a: impl FnOnce() -> A + Send,
    b: impl FnOnce() -> B + Send,
) -> (A, B) {
    if room { rayon::join(a, b) } else { (a(), b()) }
}

/// Whether two steps at the same time keep to the bytes that an analysis may take: their columns
/// are by object, and what is allowed for references is not used up, as long as paths are few.
/// `paths`: their number for each object of the last capture, which tells of this one.
fn has_room(graph: &HeapGraph, paths: Option<f64>) -> bool {
    const SMALL: usize = 1 << 16;
    let few = paths.is_some_and(|share| share < 0.1);
    let needed = if few { 3 } else { 12 };
    graph.len() <= SMALL || graph.edge_count() >= needed * graph.len()
}

#[derive(Default)]
pub(super) struct Side {
    pub(super) axis: Axis,
    runs: Vec<Option<f64>>,
    items: Vec<Option<f64>>,
    pub(super) paths: PathSeries,
    first: usize,
    explained: Vec<u64>,
    identity: Identity,
}

/// Takes captures one after the other, all of the base side first.
#[derive(Default)]
pub struct Series {
    words: Words,
    signatures: Signatures,
    sides: [Side; 2],
    facts: Vec<CaptureFacts>,
    types: Vec<Vec<TypeCount>>,
    loaders: BTreeMap<String, Vec<LoaderCount>>,
    cycles: Vec<FxHashMap<u32, Found>>,
    details: [FxHashMap<u32, CycleDetail>; 2],
    holders: Vec<HolderRow>,
    survivors: Vec<SurvivorRow>,
    values: bool,
    query: Option<String>,
    ways: Option<Ways>,
    heaviest: Vec<Heavy>,
    types_only: bool,
    /// Paths of the last capture for each of its objects.
    paths_each: Option<f64>,
}

impl Series {
    /// A series that also finds the ways to objects of a type, or to one object, in the last
    /// capture. `values`: names that may be data are told.
    pub fn asking(query: Option<String>, values: bool) -> Series {
        Series {
            query,
            values,
            ..Series::default()
        }
    }

    /// Analyses a capture. `last`: it is the last of its side.
    ///
    /// Cost: O(M log N); see the module for memory.
    pub fn add(&mut self, graph: HeapGraph, symbols: &Symbols, base: bool, last: bool) {
        self.words.extend(symbols, &graph.meta.runtime);
        self.add_loaders(graph.loaders(), symbols);
        if !self.values {
            self.words.hide_keys(&graph, symbols);
        }
        let side = usize::from(!base);
        let mut state = std::mem::take(&mut self.sides[side]);
        if state.axis.captures == 0 {
            state.first = self.facts.len();
        }
        state.axis.captures += 1;
        state.runs.push(graph.meta.runs());
        state.items.push(graph.meta.driver("items"));
        state.axis.runs = state.runs.iter().copied().collect();
        state.axis.items = state.items.iter().copied().collect();

        if let Some(tally) = graph.tally() {
            self.sides[side] = state;
            self.add_tally(&graph.meta, tally, symbols, base);
            return;
        }
        let order = ordered_roots(&graph, symbols);
        let room = has_room(&graph, self.paths_each);
        let (mut paths, dom) = both(
            room,
            || self.paths(&graph, symbols, &order, &mut state, last),
            || self.dominators(&graph, &order),
        );
        self.sides[side] = state;
        self.paths_each = Some(paths.each);
        let mut signatures = std::mem::take(&mut self.signatures);
        // The search for cycles takes most while it works: where they take turns it comes first.
        let (cycles, (types, close)) = both(
            room,
            || cycles::find(&graph, &self.words, symbols, &dom, &mut signatures),
            || {
                let types = type_counts(&graph, symbols, &dom);
                let close = last.then(|| Close::new(&graph, symbols, &self.words, &dom, &order));
                (types, close)
            },
        );
        self.signatures = signatures;
        self.types.push(types);
        self.facts.push(facts(&graph, &dom, &cycles, base));
        let Cycles {
            found, components, ..
        } = cycles;
        if let Some(close) = close {
            let held = close.held(&mut paths);
            let chosen = self.chosen(&found, side);
            let of_cycles: Vec<&Found> = chosen.iter().map(|c| c.1).collect();
            let cuts = close.cuts(&held, &of_cycles, components.of);
            let survivors = close.survivors(&mut paths, base);
            let (rows, blamed) = close.holders(held, &cuts, &paths, base);
            let details = close.cycles(&chosen, &cuts, &paths, &blamed);
            let explained = close.explained(&blamed);
            let ways = self.query.as_ref().map(|query| {
                let paths = &close.paths;
                ways(&graph, symbols, &self.words, paths, &dom, query)
            });
            self.heaviest = heaviest(&graph, symbols, &self.words, &dom, &close.paths);
            drop(close);
            self.holders.extend(rows);
            self.survivors.extend(survivors);
            self.sides[side].explained = explained;
            self.details[side] = details;
            self.ways = ways.or(self.ways.take());
        }
        self.cycles.push(found);
    }

    /// Lines up the loaders of a capture with those of the ones before.
    fn add_loaders(&mut self, loaders: &[LoaderTally], symbols: &Symbols) {
        let before = self.facts.len();
        for row in loaders {
            let name = symbols.strings.get(row.name).to_owned();
            let counts = self.loaders.entry(name).or_default();
            counts.resize(before, LoaderCount::default());
            counts.push(LoaderCount {
                loaders: row.loaders,
                classes: row.classes,
                objects: row.objects,
                bytes: row.bytes,
            });
        }
    }

    /// A capture by type alone.
    fn add_tally(&mut self, meta: &GraphMeta, tally: &[TypeTally], symbols: &Symbols, base: bool) {
        let mut types = vec![TypeCount::default(); symbols.graph.types().len()];
        let mut facts = CaptureFacts {
            meta: meta.clone(),
            base,
            ..CaptureFacts::default()
        };
        for row in tally {
            types[row.type_of.0 as usize] = TypeCount {
                count: row.objects,
                shallow: row.bytes,
                retained: 0,
            };
            facts.objects = facts.objects.saturating_add(row.objects);
            facts.shallow = facts.shallow.saturating_add(row.bytes);
        }
        self.types_only = true;
        self.types.push(types);
        self.facts.push(facts);
        self.cycles.push(FxHashMap::default());
    }

    /// Counts the paths of a capture, and tells those that grow if it is the last of its side.
    fn paths(
        &self,
        graph: &HeapGraph,
        symbols: &Symbols,
        order: &[u32],
        state: &mut Side,
        last: bool,
    ) -> GrowingPaths {
        let stayed = state.identity.add(graph, &self.words, last);
        let tree = path_tree(graph, symbols, &self.words, order);
        let counts = tree.counts(&self.words);
        state.paths.add(counts, tree.groups.len(), graph.len());
        let mut out = match last {
            true => growing(graph, symbols, &self.words, &tree, state, stayed.as_ref()),
            false => GrowingPaths::default(),
        };
        out.each = tree.groups.len() as f64 / graph.len().max(1) as f64;
        out
    }

    fn dominators(&self, graph: &HeapGraph, order: &[u32]) -> Dominators {
        let holds: Vec<u32> = order
            .iter()
            .map(|&i| graph.roots[i as usize].node)
            .collect();
        let rows = Rows::of(graph);
        let backward = rows.reversed();
        let near = |v: u32| self.words.of_type(graph.type_of(v)).near as u32;
        dominators(rows, backward.rows(), &holds, |v| graph.size(v), near)
    }

    /// The cycles of the last capture of a side that matter most, by signature.
    fn chosen<'f>(&self, found: &'f FxHashMap<u32, Found>, side: usize) -> Vec<(u32, &'f Found)> {
        let benign = |s: u32| self.signatures.all()[s as usize].benign.is_some();
        let grows = |s: u32| {
            let counts = self.occurrences(side, s, Some(found));
            self.sides[side].axis.judge(&counts).growth.is_more()
        };
        let mut order: Vec<(bool, u32, &Found)> =
            found.iter().map(|(&s, f)| (grows(s), s, f)).collect();
        order.sort_by_key(|&(grows, s, f)| {
            let id = self.signatures.all()[s as usize].id;
            (!grows, benign(s), std::cmp::Reverse(f.retained), id)
        });
        let growing = order.iter().filter(|c| c.0).count();
        let most = growing.min(MOST_CUTS.0) + MOST_CUTS.1;
        let chosen = order.into_iter().take(most);
        chosen.map(|(_, s, f)| (s, f)).collect()
    }

    /// Occurrences of a signature along the captures of a side; `last` are those of a capture that
    /// is not in the list yet.
    fn occurrences(
        &self,
        side: usize,
        signature: u32,
        last: Option<&FxHashMap<u32, Found>>,
    ) -> Vec<f64> {
        let state = &self.sides[side];
        let count = |found: &FxHashMap<u32, Found>| {
            found
                .get(&signature)
                .map_or(0.0, |f| f64::from(f.occurrences))
        };
        let from = state.first.min(self.cycles.len());
        let to = (state.first + state.axis.captures).min(self.cycles.len());
        self.cycles[from..to]
            .iter()
            .chain(last)
            .map(count)
            .collect()
    }

    /// The outcome.
    pub fn finish(mut self, symbols: &Symbols) -> Outcome {
        let mut cycles: Vec<CycleRow> = (0..self.signatures.all().len() as u32)
            .filter_map(|s| self.cycle_row(s))
            .collect();
        let worst = |row: &CycleRow| {
            let leaks = row.trends.iter().any(|t| t.growth.is_leak());
            let more = row.trends[1].growth.is_more();
            let bytes = row.retained.iter().copied().max().unwrap_or(0);
            (
                row.benign.is_some(),
                !leaks,
                !more,
                std::cmp::Reverse(bytes),
                row.id,
            )
        };
        cycles.sort_by_key(worst);
        let types = self.type_rows(symbols);
        let captures = self.facts.len();
        let loaders = std::mem::take(&mut self.loaders).into_iter();
        let loaders = loaders.map(|(name, mut counts)| {
            counts.resize(captures, LoaderCount::default());
            LoaderRow { name, counts }
        });
        let loaders = loaders.collect();
        self.holders.sort_by_key(|h| {
            (
                h.benign.is_some(),
                !h.trend.growth.is_leak(),
                std::cmp::Reverse(h.grown_bytes()),
                h.id,
                h.base,
            )
        });
        Outcome {
            captures: self.facts,
            types,
            loaders,
            cycles,
            holders: self.holders,
            survivors: self.survivors,
            ways: self.ways,
            heaviest: self.heaviest,
            types_only: self.types_only,
        }
    }

    fn cycle_row(&self, s: u32) -> Option<CycleRow> {
        let signature = self.signatures.all().get(s as usize)?;
        let found = |c: &FxHashMap<u32, Found>| c.get(&s).cloned().unwrap_or_default();
        let occurrences: Vec<u32> = self.cycles.iter().map(|c| found(c).occurrences).collect();
        let retained = self.cycles.iter().map(|c| found(c).retained).collect();
        let last = self.cycles.iter().rev().find_map(|c| c.get(&s))?;
        let detail = self.details[1].get(&s).or_else(|| self.details[0].get(&s));
        let none = CutRow {
            kind: CutKind::None,
            references: Vec::new(),
            count: 0,
            frees: 0,
        };
        let counts = |side: usize| self.occurrences(side, s, None);
        let trend = |side: usize| self.sides[side].axis.judge(&counts(side));
        let explained = |(side, detail): (usize, &CycleDetail)| {
            let counts = counts(side);
            let last = counts.last().copied().unwrap_or(0.0);
            let grown = match counts.len() {
                0 | 1 => last,
                _ => last - counts[0],
            };
            f64::from(detail.blamed) * 2.0 > grown.max(1.0)
        };
        let detail_of = |side: usize| self.details[side].get(&s).map(|d| (side, d));
        Some(CycleRow {
            id: signature.id,
            signature: signature.text.clone(),
            benign: signature.benign,
            occurrences,
            retained,
            objects: last.objects,
            shallow: last.shallow,
            unreachable: last.unreachable,
            path: detail.map(|d| d.path.clone()).unwrap_or_default(),
            root_path: detail.and_then(|d| d.root_path.clone()),
            cut: detail.map_or(none, |d| d.cut.clone()),
            breaks: detail.and_then(|d| d.breaks.clone()),
            explained: detail_of(1).or(detail_of(0)).is_some_and(explained),
            trends: [trend(0), trend(1)],
        })
    }

    fn type_rows(&self, symbols: &Symbols) -> Vec<TypeRow> {
        let mut rows = Vec::new();
        for (t, info) in symbols.graph.types().iter().enumerate() {
            let counts: Vec<TypeCount> = self
                .types
                .iter()
                .map(|c| c.get(t).copied().unwrap_or_default())
                .collect();
            if counts.iter().all(|c| c.count == 0) {
                continue;
            }
            let trend = |side: &Side| {
                let of_side = &counts[side.first..side.first + side.axis.captures];
                let series: Vec<f64> = of_side.iter().map(|c| c.count as f64).collect();
                side.axis.judge(&series)
            };
            rows.push(TypeRow {
                name: symbols.strings.get(info.name).to_owned(),
                trends: [trend(&self.sides[0]), trend(&self.sides[1])],
                explained: [0, 1].map(|side| {
                    let of_side: &Side = &self.sides[side];
                    of_side.explained.get(t).copied().unwrap_or(0)
                }),
                counts,
            });
        }
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows
    }
}

/// Objects and bytes of each type. One walk of the tree; 8 bytes an object.
fn type_counts(graph: &HeapGraph, symbols: &Symbols, dom: &Dominators) -> Vec<TypeCount> {
    let mut out = vec![TypeCount::default(); symbols.graph.types().len()];
    // End of the outermost subtree of each type that the walk is in.
    let mut end = vec![0u32; out.len()];
    for i in dom.in_order() {
        if i == super::dominators::ROOT || i == dom.garbage {
            continue;
        }
        let v = dom.vertex[i as usize];
        let t = graph.type_of(v).0 as usize;
        let (at, stop) = dom.interval(i);
        out[t].count += 1;
        out[t].shallow = out[t].shallow.saturating_add(graph.size(v));
        if at >= end[t] {
            end[t] = stop;
            out[t].retained = out[t].retained.saturating_add(dom.retained[i as usize]);
        }
    }
    out
}

fn facts(graph: &HeapGraph, dom: &Dominators, found: &Cycles, base: bool) -> CaptureFacts {
    let garbage = graph.roots.iter().filter(|r| r.kind == RootKind::Garbage);
    CaptureFacts {
        meta: graph.meta.clone(),
        base,
        objects: graph.len() as u64,
        edges: graph.edge_count() as u64,
        roots: graph.roots.len() as u64,
        shallow: graph.total_size(),
        reachable: dom.retained[super::dominators::ROOT as usize],
        unreachable: dom.unreachable(),
        uncollectable: garbage.count() as u64,
        entangled: found.entangled,
    }
}

/// A root in words: `module app.registry`, `frame main#0 run`.
pub(super) fn root_words(symbols: &Symbols, kind: RootKind, name: crate::model::StrId) -> String {
    let name = symbols.strings.get(name);
    match (kind, name) {
        (kind, "") => kind.as_str().to_owned(),
        (RootKind::Other, name) => name.to_owned(),
        (kind, name) if name.split(' ').next() == Some(kind.as_str()) => name.to_owned(),
        (kind, name) => format!("{} {name}", kind.as_str()),
    }
}

pub(super) fn folds(words: &Words, t: TypeId) -> bool {
    let words = words.of_type(t);
    words.near == super::words::Nearness::Container || words.role == crate::model::Role::Namespace
}

/// Whether a step of a path is where names live, which nobody names: the dictionary of a module,
/// the variables of a JavaScript function.
pub fn is_namespace(step: &PathStep) -> bool {
    step.edge.trim_start_matches('.') == NAMESPACE
        || step.type_name == CONTEXT && matches!(step.edge.as_str(), "<context>" | "<previous>")
}
