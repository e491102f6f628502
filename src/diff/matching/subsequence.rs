//! Tier seven: one list of user frames is the other with frames left out.
//!
//! Inlining that a tool does not show, tail calls and cut stacks take frames away.

use super::Pairs;
use super::forms::{Form, KNOWN_FILE, flag};
use super::resolve::resolve;
use super::sites::World;
use std::collections::BTreeMap;

/// Candidates that one bucket may have.
const MOST_CANDIDATES: usize = 10_000;
/// Frames that are looked at of a stack, from the leaf.
pub(super) const MOST_FRAMES: usize = 256;

/// Pairs by owner and common frames. Returns the number of buckets that were too large to look at.
/// Cost: each bucket its candidates times their depth, at most [`MOST_CANDIDATES`].
pub(super) fn pair(world: &mut World<'_>, pairs: &mut Pairs) -> usize {
    let mut keyed: Vec<(u32, u8, u32)> = Vec::new();
    for side in 0..2 {
        for i in world.open(side) {
            let owner = world
                .owner(side, i)
                .filter(|f| !f.is(flag::HOLE | flag::UNNAMED));
            if let Some(owner) = owner
                && !world.site(side, i).bare
            {
                keyed.push((owner.base, side as u8, i));
            }
        }
    }
    keyed.sort_unstable();
    let mut skipped = 0;
    for bucket in keyed.chunk_by(|x, y| x.0 == y.0) {
        let split = bucket.partition_point(|k| k.1 == 0);
        let ids = |part: &[(u32, u8, u32)]| part.iter().map(|k| k.2).collect::<Vec<_>>();
        let (a, b) = (ids(&bucket[..split]), ids(&bucket[split..]));
        if a.is_empty() || b.is_empty() {
            continue;
        }
        if a.len().saturating_mul(b.len()) > MOST_CANDIDATES {
            skipped += 1;
            continue;
        }
        bucket_of(world, &a, &b, pairs);
    }
    skipped
}

/// Best scores first: partners of one score that share all their partners are one closed group.
fn bucket_of(world: &mut World<'_>, a: &[u32], b: &[u32], pairs: &mut Pairs) {
    // By score, descending: a fraction of at most 256 parts is told apart by 2^-20.
    let mut levels: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    for &x in a {
        for &y in b {
            if let Some(score) = score(world, x, y) {
                levels.entry(u32::MAX - score).or_default().push((x, y));
            }
        }
    }
    for candidates in levels.into_values() {
        let open: Vec<(u32, u32)> = candidates
            .into_iter()
            .filter(|&(x, y)| !world.site(0, x).done && !world.site(1, y).done)
            .collect();
        let mut partners: [BTreeMap<u32, Vec<u32>>; 2] = Default::default();
        for &(x, y) in &open {
            partners[0].entry(x).or_default().push(y);
            partners[1].entry(y).or_default().push(x);
        }
        let mut groups: BTreeMap<&[u32], Vec<u32>> = BTreeMap::new();
        for (&x, list) in &partners[0] {
            groups.entry(list).or_default().push(x);
        }
        for (theirs, mine) in groups {
            let closed = theirs.iter().all(|y| partners[1].get(y) == Some(&mine));
            if closed {
                resolve(world, &mine, theirs, pairs);
            } else {
                pairs.blur(world, &mine, theirs);
            }
        }
    }
}

/// Common frames over the longer list, if the shorter is contained in the longer.
fn score(world: &World<'_>, x: u32, y: u32) -> Option<u32> {
    let frames = |side: usize, i: u32| -> Vec<&Form> {
        let list = world.user_forms(side, i).rev();
        list.filter(|f| !f.is(flag::HOLE))
            .take(MOST_FRAMES)
            .collect()
    };
    let (a, b) = (frames(0, x), frames(1, y));
    let (short, long, cut) = match a.len() <= b.len() {
        true => (&a, &b, world.site(0, x).cut),
        false => (&b, &a, world.site(1, y).cut),
    };
    if short.is_empty() || world.contradicts(x, y) {
        return None;
    }
    // Recursion of another depth is another site, unless the depths are all that differs.
    let repeats = |list: &[&Form]| list.windows(2).any(|w| w[0].base == w[1].base);
    if a.len() != b.len() && (repeats(&a) || repeats(&b)) {
        return None;
    }
    // A complete stack starts where the other does.
    if !cut && short.last().map(|f| f.base) != long.last().map(|f| f.base) {
        return None;
    }
    let mut rest = short.iter().peekable();
    for form in long.iter() {
        if rest.peek().is_some_and(|f| same(world, f, form)) {
            rest.next();
        }
    }
    if rest.peek().is_some() {
        return None;
    }
    Some(((short.len() as u64 * (1 << 20)) / long.len() as u64) as u32)
}

/// One function: equal names, in one file, or in files that only one side has.
fn same(world: &World<'_>, a: &Form, b: &Form) -> bool {
    let one_sided = |file: u32| !world.forms.on_both(file, KNOWN_FILE);
    a.base == b.base && (a.file == b.file || one_sided(a.file) && one_sided(b.file))
}
