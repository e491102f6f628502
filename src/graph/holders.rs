//! Who holds what grows: the first group on each path whose objects become more.

use super::paths::alive;
use super::rows::Marks;
use super::tree::{Group, NONE, PathTree};
use crate::model::HeapGraph;

/// A growing group, and the objects in it.
#[derive(Debug, Clone)]
pub struct Growing {
    /// The group.
    pub group: u32,
    /// Its objects, ascending.
    pub members: Vec<u32>,
}

/// The topmost growing groups of a tree: those whose parent does not grow. `grows` says whether a
/// group does. Groups of one key are one, by their first.
///
/// One pass over groups and one over objects.
pub fn topmost(tree: &PathTree, grows: impl Fn(&Group) -> bool) -> Vec<Growing> {
    let growing: Vec<bool> = tree.groups.iter().map(grows).collect();
    let mut place = vec![NONE; tree.groups.len()];
    let mut out: Vec<Growing> = Vec::new();
    for (g, group) in tree.groups.iter().enumerate() {
        let below = group.parent != NONE && growing[group.parent as usize];
        if growing[g] && !below {
            place[g] = out.len() as u32;
            out.push(Growing {
                group: g as u32,
                members: Vec::new(),
            });
        }
    }
    if out.is_empty() {
        return out;
    }
    for (v, &g) in tree.of.iter().enumerate() {
        if g != NONE && place[g as usize] != NONE {
            out[place[g as usize] as usize].members.push(v as u32);
        }
    }
    out
}

/// Bytes that a set of objects is to blame for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Each object's bytes divided evenly among the sets that hold it.
    pub share: u64,
    /// Bytes that this set alone holds.
    pub exclusive: u64,
}

/// What each of a few sets holds that nothing outside them does: the measure of BLeak. At most
/// 65,535 sets.
///
/// One search from roots and two from each set; 6 bytes an object.
pub fn shares(graph: &HeapGraph, sets: &[&[u32]]) -> Vec<Share> {
    let mut in_set = Marks::new(graph.len());
    for &v in sets.iter().copied().flatten() {
        in_set.add(v);
    }
    let mut rooted = alive(graph, |_, e| in_set.has(graph.targets()[e]));
    // What a root itself holds stays, whoever else holds it.
    for &v in sets.iter().copied().flatten() {
        rooted.remove(v);
    }
    let mut holders = vec![0u16; graph.len()];
    let mut stamp = vec![0u32; graph.len()];
    let mut todo: Vec<u32> = Vec::new();
    let mut round = 0;
    let mut walk = |set: &[u32], each: &mut dyn FnMut(u32)| {
        round += 1;
        todo.extend_from_slice(set);
        while let Some(v) = todo.pop() {
            if std::mem::replace(&mut stamp[v as usize], round) == round {
                continue;
            }
            each(v);
            let row = graph.row(v);
            let next = graph.targets()[row].iter().copied();
            todo.extend(next.filter(|&w| !rooted.has(w)));
        }
    };
    for set in sets {
        walk(set, &mut |v| {
            let h = &mut holders[v as usize];
            *h = h.saturating_add(1);
        });
    }
    sets.iter()
        .map(|set| {
            let mut by_holders = std::collections::BTreeMap::<u16, u64>::new();
            walk(set, &mut |v| {
                let sum = by_holders.entry(holders[v as usize]).or_default();
                *sum = sum.saturating_add(graph.size(v));
            });
            let share: f64 = by_holders
                .iter()
                .map(|(&k, &b)| b as f64 / f64::from(k))
                .sum();
            Share {
                share: share.round() as u64,
                exclusive: by_holders.get(&1).copied().unwrap_or(0),
            }
        })
        .collect()
}
