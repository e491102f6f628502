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
    let mut unclear: [Vec<u32>; 2] = Default::default();
    for &x in a {
        for &y in b {
            match score(world, x, y) {
                Fit::Score(score) => levels.entry(u32::MAX - score).or_default().push((x, y)),
                Fit::Cut => {
                    unclear[0].push(x);
                    unclear[1].push(y);
                }
                Fit::No => {}
            }
        }
    }
    unclear.iter_mut().for_each(|list| list.sort_unstable());
    let clear = |side: usize, i: u32| unclear[side].binary_search(&i).is_err();
    for candidates in levels.into_values() {
        let open: Vec<(u32, u32)> = candidates
            .into_iter()
            .filter(|&(x, y)| !world.site(0, x).done && !world.site(1, y).done)
            .filter(|&(x, y)| clear(0, x) && clear(1, y))
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

/// How well two stacks fit.
enum Fit {
    /// Common frames over the longer list.
    Score(u32),
    /// One was cut inside a recursion: it may be several of the other side.
    Cut,
    No,
}

/// Whether the shorter list is contained in the longer.
fn score(world: &World<'_>, x: u32, y: u32) -> Fit {
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
        return Fit::No;
    }
    // A complete stack starts where the other does.
    if !cut && short.last().map(|f| f.base) != long.last().map(|f| f.base) {
        return Fit::No;
    }
    let mut rest = short.iter().peekable();
    for form in long.iter() {
        if let Some(f) = rest.peek()
            && same(world, f, form)
        {
            if world.strict && !world.same_place(f, form) {
                return Fit::No;
            }
            rest.next();
        }
    }
    if rest.peek().is_some() {
        return Fit::No;
    }
    // Recursion of another depth is another site; cut inside a recursion it is any of them.
    let repeats = |list: &[&Form]| list.windows(2).any(|w| w[0].base == w[1].base);
    if a.len() != b.len() && (repeats(&a) || repeats(&b)) {
        return if cut { Fit::Cut } else { Fit::No };
    }
    Fit::Score(((short.len() as u64 * (1 << 20)) / long.len() as u64) as u32)
}

/// One function: equal names, in one file, or in files that only one side has.
fn same(world: &World<'_>, a: &Form, b: &Form) -> bool {
    let one_sided = |file: u32| !world.forms.on_both(file, KNOWN_FILE);
    a.base == b.base && (a.file == b.file || one_sided(a.file) && one_sided(b.file))
}
