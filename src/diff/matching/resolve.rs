//! Which site of a bucket is which.

use super::Pairs;
use super::forms::{NONE, flag};
use super::sites::World;
use rustc_hash::FxHashMap;
use std::hash::Hash;

/// Pairs the sites of a bucket, as far as they can be told apart: alone on both sides; at places
/// that the line map makes equal; by what they called; by the order of their places, if there are
/// as many. The rest is ambiguous. Cost: linear in the members' depths, and one sort. Neither list is empty.
pub(super) fn resolve(world: &mut World<'_>, a: &[u32], b: &[u32], pairs: &mut Pairs) {
    let mut left = [a.to_vec(), b.to_vec()];
    let unnamed = |w: &World<'_>| w.user_forms(0, a[0]).any(|f| f.is(flag::UNNAMED));
    if unnamed(world) {
        // Lines are all there is to tell sites apart: what they do not tell stays open.
        by_unique(world, &mut left, pairs, image);
        return;
    }
    if let (&[a], &[b]) = (a, b) {
        if !world.contradicts(a, b) {
            pairs.take(world, a, b);
        }
        return;
    }
    by_unique(world, &mut left, pairs, image);
    by_unique(world, &mut left, pairs, |w, side, i| {
        Some(w.site(side, i).api).filter(|&api| api != NONE)
    });
    in_order(world, &mut left, pairs);
    pairs.leave(world, left);
}

/// Pairs members whose `mark` occurs once on both sides. A pair that the line map contradicts is
/// not made.
fn by_unique<M: Hash + Eq>(
    world: &mut World<'_>,
    left: &mut [Vec<u32>; 2],
    pairs: &mut Pairs,
    mark: impl Fn(&World<'_>, usize, u32) -> Option<M>,
) {
    if left.iter().any(Vec::is_empty) {
        return;
    }
    let mut seen: FxHashMap<M, [(u32, u32); 2]> = FxHashMap::default();
    for side in 0..2 {
        for &i in &left[side] {
            if let Some(mark) = mark(world, side, i) {
                let slot = &mut seen.entry(mark).or_default()[side];
                *slot = (slot.0 + 1, i);
            }
        }
    }
    let mut found: Vec<(u32, u32)> = seen
        .into_values()
        .filter(|[a, b]| a.0 == 1 && b.0 == 1)
        .map(|[a, b]| (a.1, b.1))
        .collect();
    found.sort_unstable();
    for (a, b) in found {
        if !world.contradicts(a, b) {
            pairs.take(world, a, b);
        }
    }
    for side in 0..2 {
        left[side].retain(|&i| !world.site(side, i).done);
    }
}

/// The places of all user frames as the new side has them; `None` if one is unknown there.
fn image(world: &World<'_>, side: usize, i: u32) -> Option<Vec<u64>> {
    let mut any = false;
    let places: Option<Vec<u64>> = world
        .user_forms(side, i)
        .map(|f| {
            any |= f.position != 0;
            if side == 1 || f.position == 0 {
                Some(f.position)
            } else if f.group == NONE {
                // A function that only one side has: no place to compare.
                None
            } else {
                world.map.image(0, f.group, f.position)
            }
        })
        .collect();
    places.filter(|_| any)
}

/// Pairs the k-th with the k-th by their places, root to leaf, if there are as many places on
/// both sides with as many sites at each. Sites at one place stay ambiguous; one contradiction
/// and the order means nothing.
fn in_order(world: &mut World<'_>, left: &mut [Vec<u32>; 2], pairs: &mut Pairs) {
    if left.iter().any(Vec::is_empty) || left[0].len() != left[1].len() {
        return;
    }
    let mut sorted: [Vec<(Vec<u64>, u32)>; 2] = Default::default();
    for side in 0..2 {
        sorted[side] = left[side]
            .iter()
            .map(|&i| (world.user_forms(side, i).map(|f| f.position).collect(), i))
            .collect();
        sorted[side].sort_unstable();
    }
    let [a, b] = &sorted;
    let groups = |list: &[(Vec<u64>, u32)]| -> Vec<usize> {
        list.chunk_by(|x, y| x.0 == y.0).map(<[_]>::len).collect()
    };
    let sizes = groups(a);
    if sizes != groups(b) || sizes.len() < 2 {
        return;
    }
    let wrong = |(x, y): (&(Vec<u64>, u32), &(Vec<u64>, u32))| world.contradicts(x.1, y.1);
    if a.iter().zip(b).any(wrong) {
        return;
    }
    let mut at = 0;
    for size in sizes {
        let members = at..at + size;
        at += size;
        let ids = |list: &[(Vec<u64>, u32)]| list[members.clone()].iter().map(|m| m.1).collect();
        let tied: [Vec<u32>; 2] = [ids(a), ids(b)];
        match (&tied[0][..], &tied[1][..]) {
            ([x], [y]) => pairs.take(world, *x, *y),
            _ => pairs.leave(world, tied),
        }
    }
    left.iter_mut().for_each(Vec::clear);
}
