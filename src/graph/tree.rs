//! The tree of shortest label paths: what holds how many objects, without the identity of any.
//!
//! Objects that roots hold by the same labels are one group; a group's children are what its
//! objects refer to, by label and type. Every object belongs to the group of its shortest path.
//! Content of containers has one label, so that growth of a container is growth of one group; a
//! list of links is one group and not as deep as it is long. Groups have keys that are equal in
//! every capture. Idea: the object growth detector of LeakCanary (shark), and BLeak.

use super::paths::{stage, threads};
use super::words::{STAR, Words};
use crate::model::{HeapGraph, LabelId, RootKind, Symbols, TypeId, push};
use hashbrown::HashTable;
use rustc_hash::FxHashMap;

/// Key of a group: its path, hashed. Equal in all captures of a comparison.
pub type PathKey = u64;

/// No group.
pub const NONE: u32 = u32::MAX;
/// No group yet, and not before its turn.
const LATER: u32 = u32::MAX - 1;

/// One group.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Its parent; [`NONE`] for what roots hold.
    pub parent: u32,
    /// The label by which it is held, or [`STAR`]; for roots the kind.
    pub label: u32,
    /// The type of its objects.
    pub type_of: u32,
    /// Number of objects.
    pub count: u32,
    /// Its key.
    pub key: PathKey,
}

/// In keys: any label.
const ANY: u64 = u32::MAX as u64 - 1;

/// The tree of one capture. 24 bytes a group, 4 an object.
#[derive(Debug, Default)]
pub struct PathTree {
    /// Groups; parents before children.
    pub groups: Vec<Group>,
    /// The group of each object; [`NONE`] where no root reaches it.
    pub of: Vec<u32>,
    /// Index into the graph's roots of the first root of each group without parent.
    pub roots: FxHashMap<u32, u32>,
}

fn mix(key: u64, part: u64) -> u64 {
    let product = u128::from(key ^ part ^ 0x9e37_79b9_7f4a_7c15) * 0xa076_1d64_78bd_642f;
    ((product >> 64) as u64 ^ product as u64).rotate_left(17)
}

/// The name of a root without what differs between captures: the number of a thread or frame.
fn root_name(kind: RootKind, name: &str) -> u64 {
    let mut hash = kind as u64 + 1;
    for b in name.bytes().filter(|b| !b.is_ascii_digit()) {
        hash = mix(hash, u64::from(b));
    }
    hash
}

/// Builds the tree of a capture. `order`: roots as [`super::paths::ordered_roots`] gives them.
///
/// Linear in references; 8 bytes an object while it works.
pub fn path_tree(graph: &HeapGraph, symbols: &Symbols, words: &Words, order: &[u32]) -> PathTree {
    let mut b = Builder {
        graph,
        words,
        tree: PathTree {
            of: vec![NONE; graph.len()],
            ..PathTree::default()
        },
        waiting: std::collections::VecDeque::new(),
        queue: Vec::new(),
        found: Vec::new(),
        low: Vec::new(),
        children: HashTable::new(),
        depths: Vec::new(),
    };
    let mut at = 0;
    for level in 0..=2u8 {
        let mut names: FxHashMap<(u64, u32), u32> = FxHashMap::default();
        for v in threads(graph).filter(|_| level < 2) {
            let place = &mut b.tree.of[v as usize];
            match level {
                0 => *place = LATER,
                _ if *place == LATER => *place = NONE,
                _ => {}
            }
        }
        while let Some(&i) = order.get(at)
            && stage(&graph.roots[i as usize]) == Some(level)
        {
            at += 1;
            let root = graph.roots[i as usize];
            if b.tree.of[root.node as usize] != NONE {
                continue;
            }
            let name = root_name(root.kind, symbols.strings.get(root.name));
            let type_of = graph.type_of(root.node).0;
            let next = b.tree.groups.len() as u32;
            let group = *names.entry((name, type_of)).or_insert(next);
            if group == next {
                b.group(Group {
                    parent: NONE,
                    label: root.kind as u32,
                    type_of,
                    count: 0,
                    key: mix(name, u64::from(type_of)),
                });
                b.tree.roots.insert(group, i);
            }
            b.claim(root.node, group);
        }
        b.line_up();
        b.walk();
        while level > 0 && b.low_round() {
            b.walk();
        }
    }
    b.tree
}

struct Builder<'a> {
    graph: &'a HeapGraph,
    words: &'a Words,
    tree: PathTree,
    /// Slices of `queue` that wait, each of one group.
    waiting: std::collections::VecDeque<(u32, u32, u32)>,
    queue: Vec<u32>,
    /// Objects just claimed with their groups, on their way into the queue.
    found: Vec<(u32, u32)>,
    /// Places of references that are followed when no other way is left.
    low: Vec<u32>,
    /// Groups by key: a group that folds is walked in many slices.
    children: HashTable<u32>,
    /// How far each group is from its root.
    depths: Vec<u8>,
}

/// A parent of so many groups of one type holds entries of a container.
const MANY_NAMES: usize = 8;
/// Links that come back to a label and type after so many steps are one group.
const ROUND: usize = 6;
/// So far below such entries is looked for what they have in common.
const BELOW: u8 = 4;

/// What is deeper than this belongs to the last group: a path so long is a structure of links.
const DEEPEST: u8 = 64;

impl Builder<'_> {
    fn claim(&mut self, v: u32, group: u32) {
        self.tree.of[v as usize] = group;
        self.tree.groups[group as usize].count += 1;
        push(&mut self.found, (group, v));
    }

    /// Adds a group; their list grows by a quarter, since there may be as many as objects.
    fn group(&mut self, group: Group) {
        let groups = &mut self.tree.groups;
        if groups.len() == groups.capacity() {
            let more = groups.len() / 4 + 1024;
            groups.reserve_exact(more);
            self.depths.reserve_exact(more);
        }
        let above = self.depths.get(group.parent as usize);
        self.depths.push(above.map_or(0, |d| d + 1));
        groups.push(group);
    }

    /// Puts what was found into the queue, group by group.
    fn line_up(&mut self) {
        // Most often they are in order already; a sort takes memory even then.
        if !self.found.is_sorted_by_key(|f| f.0) {
            self.found.sort_by_key(|f| f.0);
        }
        for same in self.found.chunk_by(|a, b| a.0 == b.0) {
            let start = self.queue.len() as u32;
            self.queue.extend(same.iter().map(|f| f.1));
            self.waiting
                .push_back((same[0].0, start, same.len() as u32));
        }
        self.found.clear();
    }

    fn walk(&mut self) {
        while let Some((group, start, len)) = self.waiting.pop_front() {
            for i in start..start + len {
                let v = self.queue[i as usize];
                for e in self.graph.row(v) {
                    let w = self.graph.targets()[e];
                    if self.tree.of[w as usize] != NONE {
                        continue;
                    }
                    let label = self.graph.labels()[e];
                    if self.words.is_low(label) {
                        push(&mut self.low, e as u32);
                        continue;
                    }
                    let child = self.child(group, label, self.graph.type_of(w));
                    self.claim(w, child);
                }
            }
            self.line_up();
            if self.waiting.is_empty() {
                self.queue.clear();
            }
        }
    }

    /// The child of a group by label and type; a label that repeats the group's own, or that of
    /// its parent's parent with the same label between, is the group itself again.
    fn child(&mut self, group: u32, label: u32, type_of: TypeId) -> u32 {
        let label = self.words.of_label(LabelId(label)).plain;
        let step = (label, type_of.0);
        let own = self.tree.groups[group as usize];
        let is = |g: &Group| g.parent != NONE && (g.label, g.type_of) == step;
        let is_same =
            |a: &Group, b: &Group| a.parent != NONE && (a.label, a.type_of) == (b.label, b.type_of);
        let of_type = |g: u32| g != NONE && self.tree.groups[g as usize].type_of == type_of.0;
        let linked = match label {
            // A container in a container of its type is content; only deeper ones are links.
            STAR => is(&own) && (of_type(own.parent) || self.words.of_type(type_of).links),
            _ => is(&own) || own.type_of == type_of.0 && self.words.of_type(type_of).links,
        };
        if linked {
            return group;
        }
        if own.parent != NONE && label != STAR && is(&self.tree.groups[own.parent as usize]) {
            return own.parent;
        }
        // Links by way of other objects come back to two steps at once: a closure, its variables,
        // the closure before.
        let mut up = own.parent;
        for _ in 0..ROUND {
            let Some(at) = self.tree.groups.get(up as usize).filter(|_| label != STAR) else {
                break;
            };
            let above = self.tree.groups.get(at.parent as usize);
            if is(at) && above.is_some_and(|g| is_same(g, &own)) {
                return up;
            }
            up = at.parent;
        }
        if self.depths[group as usize] >= DEEPEST {
            return group;
        }
        let key = mix(mix(own.key, u64::from(label)), u64::from(type_of.0));
        let groups = &self.tree.groups;
        let known = self.children.find(key, |&g| groups[g as usize].key == key);
        if let Some(&child) = known {
            return child;
        }
        let child = groups.len() as u32;
        self.children
            .insert_unique(key, child, |&g| groups[g as usize].key);
        self.group(Group {
            parent: group,
            label,
            type_of: type_of.0,
            count: 0,
            key,
        });
        child
    }

    /// Follows the references that were put off; whether there were any.
    fn low_round(&mut self) -> bool {
        let low = std::mem::take(&mut self.low);
        let mut any = false;
        for e in low {
            let w = self.graph.targets()[e as usize];
            if self.tree.of[w as usize] != NONE {
                continue;
            }
            let v = super::paths::source(self.graph, e);
            let group = self.tree.of[v as usize];
            let label = self.graph.labels()[e as usize];
            let child = self.child(group, label, self.graph.type_of(w));
            self.claim(w, child);
            any = true;
        }
        self.line_up();
        any
    }
}

impl Group {
    /// Whether another group is of the same parent and type.
    pub(super) fn is_beside(&self, other: &Group) -> bool {
        (self.parent, self.type_of) == (other.parent, other.type_of)
    }
}

/// Groups that a parent holds by name, those of one parent and one type one after the other. 4
/// bytes an entry.
pub(super) fn together(tree: &PathTree, words: &Words) -> Vec<u32> {
    let group = |g: u32| &tree.groups[g as usize];
    let mut all: Vec<u32> = (0..tree.groups.len() as u32)
        .filter(|&g| group(g).parent != NONE && super::growing::is_name(words, group(g).label))
        .collect();
    all.sort_unstable_by_key(|&g| (group(g).parent, group(g).type_of, g));
    all
}

impl PathTree {
    /// Keys with their counts, ascending; groups of equal key are added up. Groups of one type
    /// that one parent holds by several names also count together. 8 bytes a group.
    pub fn counts(&self, words: &Words) -> impl Iterator<Item = (PathKey, u32)> + '_ {
        let group = |g: u32| &self.groups[g as usize];
        let named = together(self, words);
        let sets = named.chunk_by(|&a, &b| group(a).is_beside(group(b)));
        let mut joint: Vec<(PathKey, u32)> = sets
            .filter(|set| set.len() > 1)
            .map(|set| {
                let count = |sum: u32, &g: &u32| sum.saturating_add(group(g).count);
                (self.key_together(*group(set[0])), set.iter().fold(0, count))
            })
            .collect();
        let mut below: FxHashMap<PathKey, u32> = FxHashMap::default();
        for (g, key) in self.below_together(&named) {
            let count = below.entry(key).or_default();
            *count = count.saturating_add(group(g).count);
        }
        joint.extend(below);
        drop(named);
        joint.sort_unstable();
        let mut joint = joint.into_iter().peekable();
        let mut order: Vec<u32> = (0..self.groups.len() as u32).collect();
        order.sort_unstable_by_key(|&g| group(g).key);
        let mut order = order.into_iter().peekable();
        std::iter::from_fn(move || {
            let next = order.peek().map(|&g| group(g).key);
            if let Some(set) = joint.next_if(|set| next.is_none_or(|key| set.0 < key)) {
                return Some(set);
            }
            let first = group(order.next()?);
            let mut count = first.count;
            while let Some(same) = order.next_if(|&g| group(g).key == first.key) {
                count += group(same).count;
            }
            Some((first.key, count))
        })
    }

    /// Groups a few steps below many that count together, with the key that those have in common
    /// which are reached by the same steps from any of them: `named` as [`together`] gives them. By
    /// group, parents first. One pass; 16 bytes for each of them.
    pub(super) fn below_together(&self, named: &[u32]) -> Vec<(u32, PathKey)> {
        let group = |g: u32| &self.groups[g as usize];
        let mut known: FxHashMap<u32, (PathKey, u8)> = FxHashMap::default();
        let sets = named.chunk_by(|&a, &b| group(a).is_beside(group(b)));
        for set in sets.filter(|set| set.len() >= MANY_NAMES) {
            let key = self.key_together(*group(set[0]));
            known.extend(set.iter().map(|&g| (g, (key, 0))));
        }
        if known.is_empty() {
            return Vec::new();
        }
        let mut below = Vec::new();
        for (g, at) in self.groups.iter().enumerate() {
            let Some(&(key, depth)) = known.get(&at.parent) else {
                continue;
            };
            if depth < BELOW && !known.contains_key(&(g as u32)) {
                let key = mix(mix(key, u64::from(at.label)), u64::from(at.type_of));
                known.insert(g as u32, (key, depth + 1));
                below.push((g as u32, key));
            }
        }
        below
    }

    /// The key of all groups of a group's type and parent, whatever their label.
    pub fn key_together(&self, group: Group) -> PathKey {
        let parent = self.groups[group.parent as usize].key;
        mix(mix(parent, ANY), u64::from(group.type_of))
    }

    /// The groups from the root down to `group`.
    pub fn path(&self, group: u32) -> Vec<u32> {
        let mut path = Vec::new();
        let mut g = group;
        while g != NONE {
            path.push(g);
            g = self.groups[g as usize].parent;
        }
        path.reverse();
        path
    }
}
