//! The call tree of a comparison, and the neighbours of a function in it.

use super::table::SiteTable;
use crate::model::{StrId, Symbols};
use regex::Regex;
use rustc_hash::FxHashMap;

/// What a node, an edge or a function held before and after, in units of the chosen metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// Before.
    pub before: i128,
    /// After.
    pub after: i128,
}

impl Change {
    /// After less before.
    pub fn delta(&self) -> i128 {
        self.after - self.before
    }

    fn add(&mut self, other: Change) {
        self.before += other.before;
        self.after += other.after;
    }
}

/// A node of the call tree: one function under one chain of callers.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The function; empty at the root of all.
    pub function: StrId,
    /// With everything that it calls.
    pub total: Change,
    /// By itself.
    pub own: Change,
    /// Callees, in order of first appearance.
    pub children: Vec<u32>,
}

/// A call tree; node 0 is the root of all. A child stands behind its parent.
#[derive(Debug, Clone, PartialEq)]
pub struct CallTree {
    /// The nodes.
    pub nodes: Vec<Node>,
}

fn change(table: &SiteTable, row: usize) -> Change {
    Change {
        before: table.values.before()[table.chosen].get(row) as i128,
        after: table.values.after()[table.chosen].get(row) as i128,
    }
}

/// Merges the stacks of all rows by function, root first. Cost: every frame once.
pub fn call_tree(table: &SiteTable, symbols: &Symbols) -> CallTree {
    let node = |function| Node {
        function,
        total: Change::default(),
        own: Change::default(),
        children: Vec::new(),
    };
    let mut nodes = vec![node(StrId::EMPTY)];
    let mut known: FxHashMap<(u32, StrId), u32> = FxHashMap::default();
    for (row, &stack) in table.stacks.iter().enumerate() {
        let value = change(table, row);
        let mut at = 0u32;
        nodes[0].total.add(value);
        for frame in symbols.stacks.frames(stack) {
            let function = symbols.frames.get(frame).function;
            let next = nodes.len() as u32;
            let child = *known.entry((at, function)).or_insert(next);
            if child == next {
                nodes.push(node(function));
                nodes[at as usize].children.push(child);
            }
            at = child;
            nodes[at as usize].total.add(value);
        }
        nodes[at as usize].own.add(value);
    }
    CallTree { nodes }
}

/// A function with its callers and callees.
#[derive(Debug, Clone, PartialEq)]
pub struct Peek {
    /// The function.
    pub function: StrId,
    /// What it allocates itself.
    pub own: Change,
    /// With everything that it calls; a recursive stack counts once.
    pub total: Change,
    /// Who calls it, with what flows through the call; the empty name is the root of a stack.
    pub callers: Vec<(StrId, Change)>,
    /// Whom it calls, with what flows through the call.
    pub callees: Vec<(StrId, Change)>,
}

/// The functions whose name matches, each with its neighbours, largest difference first.
/// Cost: every frame once.
pub fn peek(table: &SiteTable, symbols: &Symbols, pattern: &Regex) -> Vec<Peek> {
    let matched: FxHashMap<StrId, bool> = symbols
        .frames
        .rows()
        .iter()
        .map(|f| {
            (
                f.function,
                pattern.is_match(symbols.strings.get(f.function)),
            )
        })
        .collect();
    let mut found: indexmap::IndexMap<StrId, Entry> = indexmap::IndexMap::new();
    let mut functions: Vec<StrId> = Vec::new();
    let mut seen: Vec<(StrId, Option<StrId>, bool)> = Vec::new();
    for (row, &stack) in table.stacks.iter().enumerate() {
        let value = change(table, row);
        functions.clear();
        functions.extend(
            symbols
                .stacks
                .frames(stack)
                .map(|f| symbols.frames.get(f).function),
        );
        seen.clear();
        for (i, &function) in functions.iter().enumerate() {
            if !matched.get(&function).copied().unwrap_or(false) {
                continue;
            }
            let entry = found.entry(function).or_default();
            let caller = i.checked_sub(1).map_or(StrId::EMPTY, |j| functions[j]);
            let mut once = |key: (StrId, Option<StrId>, bool)| {
                let fresh = !seen.contains(&key);
                if fresh {
                    seen.push(key);
                }
                fresh
            };
            if once((function, None, false)) {
                entry.total.add(value);
            }
            if once((function, Some(caller), false)) {
                entry.callers.entry(caller).or_default().add(value);
            }
            match functions.get(i + 1) {
                Some(&callee) if once((function, Some(callee), true)) => {
                    entry.callees.entry(callee).or_default().add(value);
                }
                Some(_) => {}
                None => entry.own.add(value),
            }
        }
    }
    let by_size = |list: indexmap::IndexMap<StrId, Change>| {
        let mut list: Vec<(StrId, Change)> = list.into_iter().collect();
        list.sort_by_key(|(_, c)| std::cmp::Reverse((c.delta().abs(), c.after.abs())));
        list
    };
    let mut peeks: Vec<Peek> = found
        .into_iter()
        .map(|(function, e)| Peek {
            function,
            own: e.own,
            total: e.total,
            callers: by_size(e.callers),
            callees: by_size(e.callees),
        })
        .collect();
    peeks.sort_by_key(|p| std::cmp::Reverse((p.total.delta().abs(), p.total.after.abs())));
    peeks
}

#[derive(Default)]
struct Entry {
    own: Change,
    total: Change,
    callers: indexmap::IndexMap<StrId, Change>,
    callees: indexmap::IndexMap<StrId, Change>,
}
