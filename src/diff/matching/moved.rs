//! Tier nine: code that moved or was renamed.

use super::Pairs;
use super::callers::Callers;
use super::forms::{NONE, flag};
use super::sites::World;

/// Candidates that one bucket may have.
const MOST_CANDIDATES: usize = 10_000;

/// The best partner so far: its score, and whether it is the only one of that score.
#[derive(Debug, Clone, Copy, Default)]
struct Best {
    score: (bool, u32),
    partner: u32,
    only: bool,
}

/// Pairs sites of one owner or one called function, of about one size, under callers of which
/// half are common, if each is the other's only best. Returns the number of buckets that were too
/// large to look at. Cost: each bucket its candidates times the product of their depths.
pub(super) fn pair(world: &mut World<'_>, callers: &mut Callers, pairs: &mut Pairs) -> usize {
    let mut best: [Vec<Option<Best>>; 2] =
        [0, 1].map(|side| vec![None; world.halves[side].sites.len()]);
    let mut skipped = 0;
    let mut keyed: Vec<((u8, u32, u32), u8, u32)> = Vec::new();
    for side in 0..2 {
        for i in world.open(side) {
            let site = world.site(side, i);
            let list = world.user(side, i);
            if site.ambiguous || site.bare || site.bytes == 0 || list.len() < 2 {
                continue;
            }
            let Some(owner) = world.owner(side, i).filter(|f| !f.is(flag::UNNAMED)) else {
                continue;
            };
            if !owner.is(flag::HOLE) {
                keyed.push(((0, owner.base, 0), side as u8, i));
            }
            if site.api != NONE {
                let caller = world.user_forms(side, i).rev().nth(1).map_or(0, |f| f.base);
                keyed.push(((1, site.api, caller), side as u8, i));
            }
        }
    }
    keyed.sort_unstable();
    let split = keyed.partition_point(|k| k.0.0 == 0);
    let (owners, apis) = keyed.split_at(split);
    for bucket in owners.chunk_by(|x, y| x.0 == y.0) {
        skipped += usize::from(!look(world, callers, bucket, &mut best));
    }
    for bucket in apis.chunk_by(|x, y| x.0.1 == y.0.1) {
        if look(world, callers, bucket, &mut best) {
            continue;
        }
        // Too many call it: look at those with the same caller above the owner.
        for part in bucket.chunk_by(|x, y| x.0 == y.0) {
            skipped += usize::from(!look(world, callers, part, &mut best));
        }
    }
    if callers.is_exhausted() {
        return skipped + 1;
    }
    let mut found = Vec::new();
    for (x, mine) in best[0].iter().enumerate() {
        if let Some(mine) = mine.filter(|b| b.only)
            && let Some(theirs) = best[1][mine.partner as usize].filter(|b| b.only)
            && theirs.partner as usize == x
        {
            found.push((x as u32, mine.partner));
        }
    }
    for (x, y) in found {
        pairs.take(world, x, y);
    }
    skipped
}

/// Compares the members of a bucket, base side first; `false` if there are too many.
fn look(
    world: &World<'_>,
    callers: &mut Callers,
    bucket: &[((u8, u32, u32), u8, u32)],
    best: &mut [Vec<Option<Best>>; 2],
) -> bool {
    let side_of = |side: u8| bucket.iter().filter(move |k| k.1 == side).map(|k| k.2);
    let sizes = [0, 1].map(|side| side_of(side).count());
    if sizes[0].saturating_mul(sizes[1]) > MOST_CANDIDATES {
        return false;
    }
    for x in side_of(0) {
        for y in side_of(1) {
            if !about_equal(world.site(0, x).bytes, world.site(1, y).bytes)
                || world.contradicts(x, y)
            {
                continue;
            }
            let Some(common) = callers.compare(world, x, y).filter(|c| c.is_half()) else {
                continue;
            };
            let owner = |side: usize, i: u32| world.owner(side, i).map(|f| f.base);
            let score = (owner(0, x) == owner(1, y), common.share());
            note(&mut best[0][x as usize], score, y);
            note(&mut best[1][y as usize], score, x);
        }
    }
    true
}

fn note(slot: &mut Option<Best>, score: (bool, u32), partner: u32) {
    match slot {
        Some(best) if best.partner == partner && best.score == score => {}
        Some(best) if best.score == score => best.only = false,
        Some(best) if best.score > score => {}
        _ => {
            *slot = Some(Best {
                score,
                partner,
                only: true,
            });
        }
    }
}

/// Within a factor of two, of one sign.
fn about_equal(a: i64, b: i64) -> bool {
    let (a, b) = (a as i128, b as i128);
    (a > 0) == (b > 0) && a.abs() <= 2 * b.abs() && b.abs() <= 2 * a.abs()
}
