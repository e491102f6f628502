//! Who holds what grows: the first group on each path whose objects become more.

use super::freed;
use super::paths::alive;
use super::rows::Marks;
use crate::model::HeapGraph;

/// Why a holder that fills is no fault, where its types say so. `path`: type names from the root
/// on, each with whether it is a container.
///
/// An `lru_cache` with a limit refers to its keys and results itself; one without a limit has them
/// in a dictionary alone, and is not excused. A class that calls itself an LRU or TTL cache has a
/// limit. Weak references hold nothing, and their owners prune them now and then; so do maps from
/// names to weak references.
pub fn excuse(path: &[(&str, bool)]) -> Option<&'static str> {
    let limited = path.windows(2).enumerate().any(|(i, w)| {
        let unlimited = w[1].0 == "dict" && i + 2 < path.len();
        w[0].0 == "functools._lru_cache_wrapper" && !unlimited
    });
    let (last, above) = match path.split_last() {
        Some((last, above)) => (simple(last.0), above),
        None => return None,
    };
    if limited || last == "_lru_list_elem" {
        return Some("a cache with a limit of its own");
    }
    if above.iter().any(|p| is_limited(simple(p.0))) {
        return Some("a cache with a limit, by its name");
    }
    // What a finalizer has still to see is listed there; it dies after its turn.
    if last == "Finalizer"
        && above
            .last()
            .is_some_and(|p| p.0 == "class java.lang.ref.Finalizer")
    {
        return Some("finalizers, which run after their objects die");
    }
    let weak = |name: &str| {
        [
            "ReferenceType",
            "weakref",
            "WeakReference",
            "WeakRef",
            "KeyedRef",
        ]
        .contains(&name)
    };
    let of_weak = |name: &str| name.contains("WeakValue") || name.contains("WeakInstance");
    (weak(last) || above.iter().any(|p| of_weak(simple(p.0))))
        .then_some("weak references, which are pruned now and then")
}

/// Why what a soft reference holds is no fault.
pub(super) const SOFTLY: &str = "softly held: freed when memory is short";

/// Why what holds nothing of the program is no fault: shapes of objects, cells of finalizers.
pub const ENGINE: &str = "the engine's own, with nothing of the program in it";

/// The last part of a name.
fn simple(name: &str) -> &str {
    name.rsplit(['.', ':', '$']).next().unwrap_or(name)
}

/// Whether a class says that what it keeps has a limit: `LRUCache`, `LruMap`, `TTLCache`.
fn is_limited(name: &str) -> bool {
    let marks = ["LRU", "Lru", "LFU", "Lfu", "TTL", "Ttl"];
    let cache = ["Cache", "Map", "Dict", "Store"];
    let lower = name.starts_with("lru");
    lower || marks.iter().any(|m| name.contains(m)) && cache.iter().any(|c| name.contains(c))
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
/// sets; the others have none. Each set with whether it is of objects that roots hold: then these
/// roots are what grows, and do not count.
///
/// Also all that they hold and nothing else does. One search from roots and one from all sets; 8
/// bytes an object.
pub fn shares(graph: &HeapGraph, sets: &[(&[u32], bool)]) -> (Vec<Share>, Marks) {
    let mut in_set = Marks::new(graph.len());
    let mut roots = Marks::new(graph.len());
    for &(set, rooted) in sets {
        for &v in set {
            in_set.add(v);
            if rooted {
                roots.add(v);
            }
        }
    }
    let mut alive = alive(graph, &roots, |_, e| in_set.has(graph.targets()[e]));
    // What another root holds stays, whoever else holds it.
    let sets: Vec<&[u32]> = sets.iter().map(|s| s.0).collect();
    for &v in sets.iter().copied().flatten() {
        alive.remove(v);
    }
    let holders = freed::reached_by(graph, &sets, |w| !alive.has(w));
    // By set and number of holders.
    let mut blamed = Marks::new(graph.len());
    let mut bytes = vec![[0u64; freed::TOGETHER + 1]; sets.len().min(freed::TOGETHER)];
    for (v, &own) in holders.iter().enumerate().filter(|(_, h)| **h != 0) {
        blamed.add(v as u32);
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
    (out, blamed)
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
        // Keys and results of a cache with a limit, whatever they are.
        let split = ("urllib.parse.SplitResult", true);
        assert!(excuse(&[("module urllib.parse", false), wrapper, split]).is_some());
        assert!(excuse(&[("module app", false), wrapper, ("dict", true)]).is_some());
        let compiled = ("sqlalchemy.util.LRUCache", false);
        assert!(excuse(&[("module app", false), compiled, ("tuple", true)]).is_some());
        let map = ("java.util.HashMap", true);
        assert!(excuse(&[("class App", false), map, ("App$Job", false)]).is_none());
    }
}
