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
    let mut keyed: Vec<((u32, u64), u8, u32)> = Vec::new();
    for side in 0..2 {
        for i in world.open(side) {
            if let Some(key) = place(world, side, i) {
                keyed.push((key, side as u8, i));
            }
        }
    }
    keyed.sort_unstable();
    let mut found = Vec::new();
    for bucket in keyed.chunk_by(|x, y| x.0 == y.0) {
        if let &[(_, 0, x), (_, 1, y)] = bucket
            && !world.contradicts(x, y)
            && let Some(common) = callers.compare(world, x, y)
            && (common.longer == 0 || common.is_half())
        {
            found.push((x, y));
        }
    }
    for (x, y) in found {
        pairs.take(world, x, y);
    }
}

/// File and line of the owner, as the new side has them.
fn place(world: &World<'_>, side: usize, i: u32) -> Option<(u32, u64)> {
    let owner = world.owner(side, i)?;
    if world.site(side, i).bare
        || owner.is(flag::UNNAMED)
        || !owner.is(flag::USER)
        || owner.line() == 0
        || owner.file == 0
    {
        return None;
    }
    if side == 1 {
        return Some((owner.file, owner.position));
    }
    let mapped = (owner.group != NONE)
        .then(|| world.map.image(0, owner.group, owner.position))
        .flatten()
        .or_else(|| world.map.image_in_file(0, owner.file, owner.position))?;
    Some((owner.file, mapped))
}
