//! Tiers one to six: sites with equal keys.

use super::Pairs;
use super::resolve::resolve;
use super::sites::{Key, World, hash};

/// Pairs what is left by one key. Cost: linear in the frames of what is left, and one sort of its
/// hashes.
pub(super) fn by_key(world: &mut World<'_>, key: Key, pairs: &mut Pairs) {
    let mut items = Vec::new();
    let mut keyed: Vec<(u64, u8, u32)> = Vec::new();
    for side in 0..2 {
        for i in world.open(side) {
            if world.items(side, i, key, &mut items) {
                keyed.push((hash(&items), side as u8, i));
            }
        }
    }
    keyed.sort_unstable();
    let mut first = Vec::new();
    let mut both: [Vec<u32>; 2] = Default::default();
    for bucket in keyed.chunk_by(|x, y| x.0 == y.0) {
        if bucket.first().map(|k| k.1) == bucket.last().map(|k| k.1) {
            continue;
        }
        both.iter_mut().for_each(Vec::clear);
        let (_, side, i) = bucket[0];
        world.items(side as usize, i, key, &mut first);
        for &(_, side, i) in bucket {
            // Equal hashes of different keys leave the stranger to the next tier.
            world.items(side as usize, i, key, &mut items);
            if items == first {
                both[side as usize].push(i);
            }
        }
        if both.iter().all(|list| !list.is_empty()) {
            resolve(world, &both[0], &both[1], pairs);
        }
    }
}
