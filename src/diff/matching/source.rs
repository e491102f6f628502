//! Tier eight: the place in the source that allocates.
//!
//! Needed where a compiler's inlining is not shown and the frame carries the outer function's name.

use super::Pairs;
use super::callers::Callers;
use super::forms::{NONE, flag};
use super::sites::World;

/// Pairs sites whose owners are at one place, alone on both sides, under callers of which half
/// are common. Cost: one sort of what is left.
pub(super) fn pair(world: &mut World<'_>, callers: &mut Callers, pairs: &mut Pairs) {
    for columns in [true, false] {
        by_place(world, callers, pairs, columns);
    }
}

/// With columns first; without, because a new name moves what stands behind it in its line.
fn by_place(world: &mut World<'_>, callers: &mut Callers, pairs: &mut Pairs, columns: bool) {
    // Seen from either side: the map of a place between two others need not have a way back.
    let mut back = alone(world, 1, columns);
    back.sort_unstable();
    for (x, y) in alone(world, 0, columns) {
        if back.binary_search(&(x, y)).is_ok()
            && !world.contradicts(x, y)
            && let Some(common) = callers.compare(world, x, y)
            && (common.longer == 0 || common.is_half())
            && (!world.strict || common.common == common.longer && callers_stay(world, x, y))
        {
            pairs.take(world, x, y);
        }
    }
}

/// The pairs of sites, base side first, that are alone at one place the places of side `from` as the
/// other has them.
fn alone(world: &World<'_>, from: usize, columns: bool) -> Vec<(u32, u32)> {
    let mut keyed: Vec<((u32, u64), u8, u32)> = Vec::new();
    for side in 0..2 {
        for i in world.open(side) {
            if let Some((file, place)) = place(world, side, i, side == from) {
                let place = if columns { place } else { place >> 32 };
                keyed.push(((file, place), side as u8, i));
            }
        }
    }
    keyed.sort_unstable();
    let bucket = |b: &[((u32, u64), u8, u32)]| match b {
        &[(_, 0, x), (_, 1, y)] => Some((x, y)),
        _ => None,
    };
    keyed
        .chunk_by(|x, y| x.0 == y.0)
        .filter_map(bucket)
        .collect()
}

/// Whether the callers of two sites are at equal places.
fn callers_stay(world: &World<'_>, x: u32, y: u32) -> bool {
    let callers = |side: usize, i: u32| world.user_forms(side, i).rev().skip(1);
    callers(0, x)
        .zip(callers(1, y))
        .all(|(f, g)| world.same_place(f, g))
}

/// File and line of the owner, as the other side has them if `mapped`.
fn place(world: &World<'_>, side: usize, i: u32, mapped: bool) -> Option<(u32, u64)> {
    let owner = world.owner(side, i)?;
    if world.site(side, i).bare
        || owner.is(flag::UNNAMED)
        || !owner.is(flag::USER)
        || owner.line() == 0
        || owner.file == 0
    {
        return None;
    }
    if !mapped {
        return Some((owner.file, owner.position));
    }
    let mapped = (owner.group != NONE)
        .then(|| world.map.image(side, owner.group, owner.position))
        .flatten()
        .or_else(|| world.map.image_in_file(side, owner.file, owner.position))?;
    Some((owner.file, mapped))
}
