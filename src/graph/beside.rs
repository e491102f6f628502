//! Holders of the same objects: of several collections that list them, the shortest path claims the
//! objects, and the entries of the other collections grow beside it.

use super::close::Held;
use crate::model::HeapGraph;

/// For each growing group which other holds the same objects: one of the program's own objects, to
/// which most of the group's entries refer. `own`: whether a group is of the program's objects;
/// `plain`: whether of entries that say nothing.
///
/// Linear in the references of entries, and logarithmic in the objects of the others; 8 bytes for
/// each of these.
pub(super) fn beside(
    graph: &HeapGraph,
    all: &[Held],
    own: impl Fn(&Held) -> bool,
    plain: impl Fn(&Held) -> bool,
) -> Vec<Option<usize>> {
    if !all.iter().any(&plain) {
        return vec![None; all.len()];
    }
    let mut objects: Vec<(u32, u32)> = Vec::new();
    for (i, held) in all.iter().enumerate().filter(|(_, h)| own(h)) {
        objects.extend(held.tops.iter().map(|&v| (v, i as u32)));
    }
    objects.sort_unstable();
    let holder_of = |v: u32| {
        let at = objects.binary_search_by_key(&v, |o| o.0).ok()?;
        Some(objects[at].1 as usize)
    };
    let mut counts = vec![0usize; all.len()];
    let of = |held: &Held| {
        counts.fill(0);
        for &v in &held.tops {
            let mut row = graph.row(v).map(|e| graph.targets()[e]);
            if let Some(i) = row.find_map(holder_of) {
                counts[i] += 1;
            }
        }
        let most = (0..counts.len()).max_by_key(|&i| (counts[i], std::cmp::Reverse(i)));
        most.filter(|&i| counts[i] * 2 > held.tops.len())
    };
    let mut of = of;
    all.iter()
        .map(|held| if plain(held) { of(held) } else { None })
        .collect()
}
