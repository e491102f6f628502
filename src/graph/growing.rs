//! Which paths grow in the last capture of a side, and which of the program's own objects that is.
//!
//! The first group on each path that grows is the holder's; below it everything grows because of
//! it. Where every entry of a holder has a label of its own (a property for each user), no single
//! group grows: then the groups of one type below one parent are taken together.

use super::growth::{LEAST_STEP, Trend};
use super::rows::Marks;
use super::series::{PathStep, Side, State, folds, root_words};
use super::signature::one_label;
use super::tree::{Group, NONE, PathKey, PathTree, together};
use super::words::{Nearness, STAR, Words};
use crate::model::{EdgeKind, HeapGraph, LabelId, RootKind, Symbols, TypeId};
use rustc_hash::{FxHashMap, FxHashSet};

/// Growing paths that are looked at, a side.
const MOST: usize = 64;
/// Labels of groups taken together that are named.
const MOST_LABELS: usize = 3;

/// Objects of the program that become more below a growing holder of something else: the jobs in
/// the closures in a list of listeners.
#[derive(Debug, Clone)]
pub struct Inside {
    /// From the growing objects to these.
    pub path: Vec<PathStep>,
    /// Objects in each capture of the side.
    pub series: Vec<u64>,
    /// What their number does.
    pub trend: Trend,
}

/// A path that grows.
#[derive(Debug)]
pub(super) struct GrowingPath {
    pub(super) key: PathKey,
    /// Groups from the root down to it, its own left out.
    pub(super) above: Vec<u32>,
    /// Texts and numbers, which explain less than what is kept beside them.
    pub(super) leaf: bool,
    pub(super) path: Vec<PathStep>,
    pub(super) counts: Vec<f64>,
    pub(super) trend: Trend,
    pub(super) members: Vec<u32>,
    pub(super) inside: Option<Inside>,
    /// Objects of the program's own classes.
    pub(super) own: bool,
    /// The engine's own, with nothing of the program below it.
    pub(super) bare: bool,
    /// A soft reference is on the way.
    pub(super) soft: bool,
}

/// Objects of one path that came up and stayed.
#[derive(Debug)]
pub(super) struct Stayed {
    pub(super) key: PathKey,
    pub(super) path: Vec<PathStep>,
    pub(super) members: Vec<u32>,
}

/// What grows, and what every object is known to be.
#[derive(Debug, Default)]
pub(super) struct GrowingPaths {
    /// Number of groups for each object.
    pub(super) each: f64,
    pub(super) all: Vec<GrowingPath>,
    /// Topmost paths of objects that came up and stayed, most objects first.
    pub(super) stayed: Vec<Stayed>,
    /// Objects of growing groups.
    leaking: Marks,
    /// Objects of groups that have as many objects in every capture.
    still: Marks,
}

impl GrowingPaths {
    /// What an object is known to be by its own path.
    pub(super) fn state(&self, v: u32) -> State {
        match () {
            _ if self.leaking.contains(v) => State::Leaking,
            _ if self.still.contains(v) => State::NotLeaking,
            _ => State::Undecided,
        }
    }
}

struct Entry {
    groups: Vec<u32>,
    counts: Vec<f64>,
    key: PathKey,
}

/// What is below what grows.
struct Below {
    inside: Option<Inside>,
    bare: bool,
    soft: bool,
}

/// Finds what grows. Linear in groups and objects.
pub(super) fn growing(
    graph: &HeapGraph,
    symbols: &Symbols,
    words: &Words,
    tree: &PathTree,
    side: &Side,
    stayed: Option<&Marks>,
) -> GrowingPaths {
    if side.axis.captures < 2 {
        return GrowingPaths::default();
    }
    // A single object more may be the capture's own, or come up once.
    let more = |counts: &[f64]| {
        let delta = counts.last().unwrap_or(&0.0) - counts.first().unwrap_or(&0.0);
        delta >= LEAST_STEP && side.axis.judge(counts).growth.is_more()
    };
    let finder = Finder {
        keys: side.paths.growing(more),
        graph,
        symbols,
        words,
        tree,
        side,
    };
    let mut out = finder.all();
    if let Some(marks) = stayed {
        out.stayed = finder.stayed(marks);
    }
    out
}

struct Finder<'a> {
    graph: &'a HeapGraph,
    symbols: &'a Symbols,
    words: &'a Words,
    tree: &'a PathTree,
    side: &'a Side,
    /// Paths that grow.
    keys: FxHashSet<PathKey>,
}

impl Finder<'_> {
    /// The counts of a path that grows.
    fn grows(&self, key: PathKey) -> Option<Vec<f64>> {
        let grows = self.keys.contains(&key);
        grows.then(|| self.side.paths.get(key)).flatten()
    }

    /// Numbers and texts that native code holds: nothing that a program could let go of.
    fn is_foreign(&self, g: &Group) -> bool {
        let native = [RootKind::External, RootKind::Handle, RootKind::Frozen];
        let words = self.words.of_type(TypeId(g.type_of));
        g.parent == NONE
            && native.iter().any(|&kind| g.label == kind as u32)
            && (words.role.is_leaf() || words.role.is_code())
    }

    fn all(&self) -> GrowingPaths {
        let groups = &self.tree.groups;
        let own = |g: &Group| !self.is_foreign(g) && self.grows(g.key).is_some();
        let mut grows: Vec<bool> = groups.iter().map(own).collect();
        let mut entries = self.together(&mut grows);
        let mut entry_of = vec![NONE; groups.len()];
        for (i, entry) in entries.iter().enumerate() {
            for &g in &entry.groups {
                entry_of[g as usize] = i as u32;
            }
        }
        for (g, group) in groups.iter().enumerate() {
            let below = group.parent != NONE && grows[group.parent as usize];
            if grows[g] && !below && entry_of[g] == NONE {
                entry_of[g] = entries.len() as u32;
                entries.push(Entry {
                    groups: vec![g as u32],
                    counts: self.grows(group.key).unwrap_or_default(),
                    key: group.key,
                });
            }
        }
        let mut entries = self.by_thread(entries);
        for (i, entry) in entries.iter().enumerate() {
            for &g in &entry.groups {
                entry_of[g as usize] = i as u32;
            }
        }
        let inside = self.inside(&entry_of, &mut entries);
        self.told(entries, &entry_of, inside)
    }

    /// Frames of the same threads, as one: a thread that does not end keeps all of its frames.
    fn by_thread(&self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut first: FxHashMap<String, usize> = FxHashMap::default();
        let mut out: Vec<Entry> = Vec::new();
        for entry in entries {
            let at = self.thread(entry.groups[0]);
            let known = at.map(|name| *first.entry(name).or_insert(out.len()));
            match known.and_then(|i| out.get_mut(i)) {
                Some(thread) => {
                    // A function may be in a stack twice: of the fewest there is one a thread.
                    if entry.counts.last() < thread.counts.last() {
                        (thread.counts, thread.key) = (entry.counts, entry.key);
                        thread.groups.splice(0..0, entry.groups);
                    } else {
                        thread.groups.extend(entry.groups);
                    }
                }
                None => out.push(entry),
            }
        }
        out
    }

    /// The thread of a group of frames that roots hold, its number left out.
    fn thread(&self, g: u32) -> Option<String> {
        let group = &self.tree.groups[g as usize];
        let frame = group.parent == NONE && group.label == RootKind::Frame as u32;
        let root = self.tree.roots.get(&g).filter(|_| frame)?;
        let name = self.graph.roots.get(*root as usize)?.name;
        let (thread, _) = self.symbols.strings.get(name).split_once('#')?;
        Some(thread.chars().filter(|c| !c.is_ascii_digit()).collect())
    }

    /// Groups of one type that one parent holds by labels of their own and that become more
    /// together.
    fn together(&self, grows: &mut [bool]) -> Vec<Entry> {
        let mut out = Vec::new();
        let group = |g: u32| &self.tree.groups[g as usize];
        let named = together(self.tree, self.words);
        for set in named.chunk_by(|&a, &b| group(a).is_beside(group(b))) {
            let first = *group(set[0]);
            if set.len() < 2 || grows[first.parent as usize] {
                continue;
            }
            let key = self.tree.key_together(first);
            let Some(counts) = self.grows(key) else {
                continue;
            };
            let groups = set.to_vec();
            for &g in &groups {
                grows[g as usize] = true;
            }
            out.push(Entry {
                groups,
                counts,
                key,
            });
        }
        out
    }

    fn told(&self, entries: Vec<Entry>, entry_of: &[u32], mut inside: Vec<Below>) -> GrowingPaths {
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); entries.len()];
        let n = self.graph.len();
        let (mut leaking, mut still) = (Marks::new(n), Marks::new(n));
        let same: Vec<bool> = self.tree.groups.iter().map(|g| self.is_still(g)).collect();
        for (v, &g) in self.tree.of.iter().enumerate() {
            if g == NONE {
                continue;
            }
            if let Some(set) = members.get_mut(entry_of[g as usize] as usize) {
                set.push(v as u32);
                leaking.add(v as u32);
            } else if same[g as usize] {
                still.add(v as u32);
            }
        }
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(members[i].len()), entries[i].groups[0]));
        order.truncate(MOST);
        let mut all = Vec::new();
        for i in order {
            let entry = &entries[i];
            let mut above = self.tree.path(entry.groups[0]);
            above.pop();
            let type_of = TypeId(self.tree.groups[entry.groups[0] as usize].type_of);
            all.push(GrowingPath {
                key: entry.key,
                above,
                leaf: self.words.of_type(type_of).role.is_leaf(),
                path: self.path(&entry.groups),
                counts: entry.counts.clone(),
                trend: self.side.axis.judge(&entry.counts),
                members: std::mem::take(&mut members[i]),
                inside: inside[i].inside.take(),
                own: self.words.of_type(type_of).near == Nearness::Application,
                bare: inside[i].bare,
                soft: inside[i].soft,
            });
        }
        GrowingPaths {
            each: 0.0,
            all,
            stayed: Vec::new(),
            leaking,
            still,
        }
    }

    fn is_still(&self, group: &Group) -> bool {
        group.count == 1 || self.side.paths.is_still(group.key)
    }

    /// For each entry that is none of the program's types, the nearest below it that is and grows;
    /// and whether it is the engine's own with nothing of a program below it. Of several groups the
    /// one that leads there comes first.
    fn inside(&self, entry_of: &[u32], entries: &mut [Entry]) -> Vec<Below> {
        let near = |g: &Group| self.words.of_type(TypeId(g.type_of)).near;
        let own = |g: &Group| near(g) == Nearness::Application;
        let groups = &self.tree.groups;
        let tells = |g: &Group| matches!(near(g), Nearness::Application | Nearness::Exception);
        let asked: Vec<bool> = entries
            .iter()
            .map(|e| !tells(&groups[e.groups[0] as usize]))
            .collect();
        let engine = |g: &Group| self.words.of_type(TypeId(g.type_of)).engine;
        let first = |e: &Entry| &groups[e.groups[0] as usize];
        let mut bare: Vec<bool> = entries.iter().map(|e| engine(first(e))).collect();
        let joint: FxHashMap<u32, PathKey> = match entries.iter().any(|e| e.groups.len() > 1) {
            true => {
                let named = together(self.tree, self.words);
                self.tree.below_together(&named).into_iter().collect()
            }
            false => FxHashMap::default(),
        };
        let key = |g: u32| *joint.get(&g).unwrap_or(&groups[g as usize].key);
        // The entry above each group, and how far.
        let mut above: Vec<(u32, u32)> = Vec::with_capacity(groups.len());
        let mut best: Vec<Option<(u32, u32)>> = vec![None; entries.len()];
        for (g, group) in groups.iter().enumerate() {
            let (entry, depth) = match (entry_of[g], group.parent) {
                (NONE, NONE) => (NONE, 0),
                (NONE, parent) => {
                    let (entry, depth) = above[parent as usize];
                    (entry, depth.saturating_add(1))
                }
                (entry, _) => (entry, 0),
            };
            above.push((entry, depth));
            if entry == NONE || depth == 0 {
                continue;
            }
            let leaf = self.words.of_type(TypeId(group.type_of)).role.is_leaf();
            bare[entry as usize] &= leaf || engine(group);
            if !asked[entry as usize] || !own(group) {
                continue;
            }
            let nearest = &mut best[entry as usize];
            if nearest.is_none_or(|(d, _)| depth < d) && self.grows(key(g as u32)).is_some() {
                *nearest = Some((depth, g as u32));
            }
        }
        // Their kind at the same distance counts, by whatever labels: a list has two ends.
        let captures = self.side.axis.captures;
        let mut sums: Vec<Vec<f64>> = vec![vec![0.0; captures]; entries.len()];
        let mut counted: FxHashSet<(u32, PathKey)> = FxHashSet::default();
        for (g, (group, &(entry, depth))) in groups.iter().zip(&above).enumerate() {
            let Some(Some((nearest, of))) = best.get(entry as usize) else {
                continue;
            };
            if depth != *nearest || group.type_of != groups[*of as usize].type_of {
                continue;
            }
            let key = key(g as u32);
            if counted.insert((entry, key)) {
                let counts = self.side.paths.get(key).unwrap_or_default();
                let sum = &mut sums[entry as usize];
                sum.iter_mut().zip(counts).for_each(|(s, n)| *s += n);
            }
        }
        let mut out = Vec::new();
        for (i, entry) in entries.iter_mut().enumerate() {
            let told = best[i].map(|(depth, g)| {
                let path = self.tree.path(g);
                let top = path[path.len() - 1 - depth as usize];
                if let Some(at) = entry.groups.iter().position(|&g| g == top) {
                    entry.groups.swap(0, at);
                }
                Inside {
                    path: self.path(&[g]).split_off(path.len() - depth as usize),
                    series: sums[i].iter().map(|&c| c as u64).collect(),
                    trend: self.side.axis.judge(&sums[i]),
                }
            });
            let end = best[i].map_or(entry.groups[0], |(_, g)| g);
            out.push(Below {
                inside: told,
                bare: bare[i],
                soft: self.is_soft(end),
            });
        }
        out
    }

    /// Whether a soft reference is on the way to a group.
    fn is_soft(&self, g: u32) -> bool {
        let label = |g: &u32| self.tree.groups[*g as usize].label;
        let path = self.tree.path(g);
        let soft = |l: u32| l != STAR && self.words.of_label(LabelId(l)).kind == EdgeKind::Soft;
        path.iter().skip(1).map(label).any(soft)
    }

    /// Marked objects by their path, below no path that has marked objects itself.
    fn stayed(&self, marks: &Marks) -> Vec<Stayed> {
        let groups = &self.tree.groups;
        let mut has = vec![false; groups.len()];
        for (v, &g) in self.tree.of.iter().enumerate() {
            if g != NONE && marks.contains(v as u32) {
                has[g as usize] = true;
            }
        }
        let mut place = vec![NONE; groups.len()];
        let mut below = vec![false; groups.len()];
        let mut out: Vec<(Vec<u32>, Vec<u32>)> = Vec::new();
        // Entries with names of their own are one: by parent and type.
        let mut named: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for (g, group) in groups.iter().enumerate() {
            let up = group.parent as usize;
            below[g] = group.parent != NONE && (has[up] || below[up]);
            if !has[g] || below[g] {
                continue;
            }
            let next = out.len() as u32;
            place[g] = match is_name(self.words, group.label) && group.parent != NONE {
                true => *named.entry((group.parent, group.type_of)).or_insert(next),
                false => next,
            };
            match out.get_mut(place[g] as usize) {
                Some((groups, _)) => groups.push(g as u32),
                None => out.push((vec![g as u32], Vec::new())),
            }
        }
        for (v, &g) in self.tree.of.iter().enumerate() {
            if g != NONE && place[g as usize] != NONE && marks.contains(v as u32) {
                out[place[g as usize] as usize].1.push(v as u32);
            }
        }
        out.sort_by_key(|(set, members)| (std::cmp::Reverse(members.len()), set[0]));
        out.truncate(MOST);
        let told = |(set, members): (Vec<u32>, Vec<u32>)| {
            let first = groups[set[0] as usize];
            Stayed {
                key: match set.len() {
                    1 => first.key,
                    _ => self.tree.key_together(first),
                },
                path: self.path(&set),
                members,
            }
        };
        out.into_iter().map(told).collect()
    }

    /// The path of groups of one parent in words.
    fn path(&self, set: &[u32]) -> Vec<PathStep> {
        let path = self.tree.path(set[0]);
        let last = path.len().saturating_sub(1);
        let step = |(i, &g): (usize, &u32)| {
            let at = self.tree.groups[g as usize];
            let label = |g: u32| match self.tree.groups[g as usize].label {
                STAR => "[*]".to_owned(),
                label => one_label(LabelId(label), self.words, self.symbols),
            };
            let edge = match at.parent {
                NONE => {
                    let root = self.tree.roots.get(&g);
                    let root = root.and_then(|&i| self.graph.roots.get(i as usize));
                    root.map_or_else(String::new, |r| root_words(self.symbols, r.kind, r.name))
                }
                _ if i == last && set.len() > MOST_LABELS => "[*]".to_owned(),
                _ if i == last && set.len() > 1 => {
                    let labels: Vec<String> = set.iter().map(|&g| label(g)).collect();
                    labels.join("|")
                }
                _ => label(g),
            };
            let info = self.symbols.graph.type_info(TypeId(at.type_of));
            PathStep {
                edge,
                type_name: self.symbols.strings.get(info.name).to_owned(),
                id: None,
                folds: folds(self.words, TypeId(at.type_of)),
                state: match () {
                    _ if i == last => State::Leaking,
                    _ if self.is_still(&at) => State::NotLeaking,
                    _ => State::Undecided,
                },
            }
        };
        let mut steps: Vec<PathStep> = path.iter().enumerate().map(step).collect();
        State::settle(&mut steps);
        steps
    }
}

/// Whether a label may be one of many that say nothing: an attribute by which a container of
/// names holds an entry.
pub(super) fn is_name(words: &Words, label: u32) -> bool {
    label != STAR && words.of_label(LabelId(label)).kind == EdgeKind::Attr
}
