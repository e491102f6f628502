//! Who holds what grows: the first group on each path whose objects become more.

use super::freed;
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

/// Why a holder that fills is no fault, where its types say so. `path`: type names from the root
/// on, each with whether it is a container.
///
/// An `lru_cache` with a limit refers to its results itself; one without a limit has them in a
/// dictionary alone, and is not excused. Weak references hold nothing, and their owners prune
/// them now and then.
pub fn excuse(path: &[(&str, bool)]) -> Option<&'static str> {
    let limited = path
        .windows(2)
        .any(|w| w[0].0 == "functools._lru_cache_wrapper" && !w[1].1);
    let last = path.last().map_or("", |p| p.0);
    let last = last.rsplit('.').next().unwrap_or(last);
    if limited || last == "_lru_list_elem" {
        return Some("a cache with a limit of its own");
    }
    let weak = [
        "ReferenceType",
        "weakref",
        "WeakReference",
        "WeakRef",
        "KeyedRef",
    ];
    weak.contains(&last)
        .then_some("weak references, which are pruned now and then")
}

/// Bytes that a set of objects is to blame for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Each object's bytes divided evenly among the sets that hold it.
    pub share: u64,
    /// Bytes that this set alone holds.
    pub exclusive: u64,
}

/// What each of a few sets holds that nothing outside them does: the measure of BLeak. At most 64
/// sets; the others have none.
///
/// One search from roots and one from all sets; 8 bytes an object.
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
    let holders = freed::reached_by(graph, sets, |w| !rooted.has(w));
    // By set and number of holders.
    let mut bytes = vec![[0u64; freed::TOGETHER + 1]; sets.len().min(freed::TOGETHER)];
    for (v, &own) in holders.iter().enumerate().filter(|(_, h)| **h != 0) {
        let size = graph.size(v as u32);
        let count = own.count_ones() as usize;
        let mut sets = own;
        while sets != 0 {
            let sum = &mut bytes[sets.trailing_zeros() as usize][count];
            *sum = sum.saturating_add(size);
            sets &= sets - 1;
        }
    }
    let share = |by: &[u64; freed::TOGETHER + 1]| {
        let parts = by.iter().enumerate().filter(|(_, b)| **b > 0);
        let share: f64 = parts.map(|(count, &b)| b as f64 / count as f64).sum();
        Share {
            share: share.round() as u64,
            exclusive: by[1],
        }
    };
    let mut out: Vec<Share> = bytes.iter().map(share).collect();
    out.resize(sets.len(), Share::default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_caches_with_a_limit_are_excused() {
        let wrapper = ("functools._lru_cache_wrapper", false);
        assert!(
            excuse(&[
                ("module urllib.parse", false),
                wrapper,
                ("SplitResult", false)
            ])
            .is_some()
        );
        assert!(
            excuse(&[
                ("module app", false),
                wrapper,
                ("dict", true),
                ("app.Row", false)
            ])
            .is_none()
        );
        assert!(excuse(&[("module app", false), ("list", true), ("app.Row", false)]).is_none());
        assert!(excuse(&[("module app", false), ("weakref.ReferenceType", false)]).is_some());
    }
}
