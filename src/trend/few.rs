//! Exact captures, three or four of them, and containers that grow in jumps.
//!
//! Where every allocation is counted there is no measurement noise, so growth
//! that is proportional to the runs in every interval needs no test. It is
//! still only two or three intervals: all but equal growth carries the words
//! that say what it cannot be told from.

use super::dist;
use super::words::{Class, Reason};

/// Two, with 2 % for rounding.
const TWICE: f64 = 2.04;
/// Equal growth per run, up to this share.
const EQUAL: f64 = 0.02;

/// Blocks from which on their number per interval tells chance from a pattern.
const FEWEST_BLOCKS: f64 = 8.0;

/// A class and reason, and the captures dropped at the start as warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Verdict {
    pub class: Class,
    pub reason: Reason,
    pub warm_up: usize,
}

fn verdict(class: Class, reason: Reason) -> Verdict {
    Verdict {
        class,
        reason,
        warm_up: 0,
    }
}

/// Exact series of three or four values at ascending, different x. `blocks`
/// has one value a capture where counts are known. `measured`: x are runs, not positions.
pub(super) fn judge(x: &[f64], y: &[f64], blocks: Option<&[f64]>, measured: bool) -> Verdict {
    if let Some(v) = leak(x, y, blocks, measured) {
        return v;
    }
    if y.len() == 4 {
        let r: Vec<f64> = rates(x, y).collect();
        if r[0] > TWICE * r[1].max(r[2])
            && let Some(v) = leak(&x[1..], &y[1..], blocks.map(|b| &b[1..]), measured)
            && after_warm_up(&x[1..], &y[1..], blocks.map(|b| &b[1..]), v)
        {
            return Verdict { warm_up: 1, ..v };
        }
    }
    other(x, y, blocks)
}

/// Whether growth that is seen in two intervals only, behind a larger first one, is more than the
/// end of a warm-up: equal within 2 %, or as many blocks as chance is told from a pattern by.
fn after_warm_up(x: &[f64], y: &[f64], blocks: Option<&[f64]>, found: Verdict) -> bool {
    let added = blocks.and_then(|b| ends(x, b)).map_or(0.0, |(_, n)| n);
    match found.reason {
        Reason::Exact => proportional(x, y, None) || added >= FEWEST_BLOCKS,
        Reason::ByChance => true,
        _ => false,
    }
}

fn rates<'a>(x: &'a [f64], y: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    x.windows(2)
        .zip(y.windows(2))
        .map(|(x, y)| (y[1] - y[0]) / (x[1] - x[0]))
}

fn leak(x: &[f64], y: &[f64], blocks: Option<&[f64]>, measured: bool) -> Option<Verdict> {
    let least = rates(x, y).fold(f64::INFINITY, f64::min);
    let most = rates(x, y).fold(f64::NEG_INFINITY, f64::max);
    let mut rising = true;
    let mut doubling = true;
    let mut before = None;
    for r in rates(x, y) {
        if let Some(b) = before {
            rising &= r >= b;
            doubling &= r <= TWICE * b;
        }
        before = Some(r);
    }
    if least > 0.0 && least.is_finite() && most.is_finite() {
        if proportional(x, y, blocks) {
            return Some(verdict(Class::SteadyGrowth, Reason::Exact));
        }
        let class = if rising && most > 1.25 * least {
            Class::Accelerating
        } else {
            Class::SteadyGrowth
        };
        let fills = blocks.is_some_and(|b| fills_up(x, b) && slows(x, y));
        if !fills && (most <= TWICE * least || (rising && doubling)) {
            return Some(verdict(class, Reason::LikeWarmUp));
        }
    }
    if measured && blocks.is_some_and(|b| fits_chance(x, b)) && least > 0.0 {
        return Some(verdict(Class::SteadyGrowth, Reason::ByChance));
    }
    None
}

/// From this factor on the last interval is slower than every one before.
const SLOWER: f64 = 1.5;

/// Whether the last interval grew clearly less per run than every one before.
fn slows(x: &[f64], y: &[f64]) -> bool {
    let last = rates(x, y).last().unwrap_or(f64::NAN);
    let before = rates(x, y).take(y.len().saturating_sub(2));
    y.len() > 2 && before.fold(f64::INFINITY, f64::min) > SLOWER * last
}

/// Whether blocks come more slowly in the end than chance has it, as they do where a cache fills
/// between two captures: what is kept on every run adds as many blocks per run in every interval.
fn fills_up(x: &[f64], blocks: &[f64]) -> bool {
    let added = ends(x, blocks).map_or(0.0, |(_, n)| n);
    added >= FEWEST_BLOCKS && slows(x, blocks) && !fits_chance(x, blocks)
}

/// Equal growth per run within 2 %, or within one block in every interval: a block of the size that
/// was added, since what stood there before may be of any other size. Expects growth in every interval.
pub(super) fn proportional(x: &[f64], y: &[f64], blocks: Option<&[f64]>) -> bool {
    let Some((span, rise)) = ends(x, y) else {
        return false;
    };
    let mean = rise / span;
    let block = match blocks.and_then(|b| ends(x, b)) {
        Some((_, added)) if added > 0.0 => rise / added,
        _ => 0.0,
    };
    mean > 0.0
        && x.windows(2).zip(y.windows(2)).all(|(x, y)| {
            let (dx, dy) = (x[1] - x[0], y[1] - y[0]);
            let off = (dy - mean * dx).abs();
            dy > 0.0 && (off <= EQUAL * mean * dx || off <= block * (1.0 + 1e-9))
        })
}

/// Whether exact growth is beyond doubt among many series that grow otherwise: as many blocks in
/// every interval as tell a pattern from chance, and where a warm-up was dropped, within 2 %.
pub(super) fn stands(x: &[f64], y: &[f64], blocks: Option<&[f64]>, warm_up: bool) -> bool {
    let many = |b: &[f64]| b[1] - b[0] >= FEWEST_BLOCKS;
    blocks.is_none_or(|b| b.windows(2).all(many))
        && (!(warm_up || blocks.is_none()) || proportional(x, y, None))
}

/// Whether the blocks added per interval scatter no more than chance, at a
/// rate proportional to the runs: the dispersion test (Fisher 1950), at 0.01: of
/// leaks by chance one in a hundred is left for a further capture to tell.
fn fits_chance(x: &[f64], blocks: &[f64]) -> bool {
    let Some((span, added)) = ends(x, blocks) else {
        return false;
    };
    if !(added >= FEWEST_BLOCKS) {
        return false;
    }
    let mut statistic = 0.0;
    for (x, b) in x.windows(2).zip(blocks.windows(2)) {
        let (d, expected) = (b[1] - b[0], added * (x[1] - x[0]) / span);
        if !(d >= 1.0 && expected > 0.0) {
            return false;
        }
        statistic += (d - expected) * (d - expected) / expected;
    }
    let degrees = u32::try_from(x.len().saturating_sub(2)).unwrap_or(0);
    dist::chi_square_upper(statistic, degrees) >= 0.01
}

fn ends(x: &[f64], y: &[f64]) -> Option<(f64, f64)> {
    let span = x.last()? - x.first()?;
    let rise = y.last()? - y.first()?;
    (span > 0.0).then_some((span, rise))
}

/// From the least to the most.
fn spread(y: &[f64]) -> f64 {
    let (least, most) = y
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), &v| {
            (l.min(v), m.max(v))
        });
    most - least
}

/// What is not a leak.
fn other(x: &[f64], y: &[f64], blocks: Option<&[f64]>) -> Verdict {
    let least = y.iter().copied().fold(f64::INFINITY, f64::min);
    let most = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let block = match (blocks.and_then(<[f64]>::last), y.last()) {
        (Some(&b), Some(&y)) if b > 0.0 => y / b,
        _ => 0.0,
    };
    let (mut ups, mut downs) = (0, 0);
    for r in rates(x, y) {
        ups += usize::from(r > 0.0);
        downs += usize::from(r < 0.0);
    }
    let r_last = rates(x, y).last().unwrap_or(0.0);
    if ups == 0 && downs == y.len() - 1 {
        return verdict(Class::Shrinking, Reason::None);
    }
    if most - least <= EQUAL * most.abs() || (most - least <= block * (1.0 + 1e-9) && downs > 0) {
        return verdict(Class::Stable, Reason::None);
    }
    // One rise, and since then as level as what is called stable.
    if let [first, rest @ ..] = y
        && rest.len() == 3
        && let spread = spread(rest)
        && spread <= EQUAL * most.abs()
        && rest[0] - first > spread
    {
        return Verdict {
            warm_up: 1,
            ..verdict(Class::WarmUp, Reason::None)
        };
    }
    if downs == 0 && ups == y.len() - 1 {
        let few =
            blocks.is_some_and(|b| ends(x, b).is_some_and(|(_, added)| added < 5.0 * ups as f64));
        let slows = rates(x, y).zip(rates(x, y).skip(1)).all(|(a, b)| b < a);
        return verdict(
            Class::Undetermined,
            match (few, slows) {
                (true, _) => Reason::FewBlocks,
                (_, true) => Reason::GrowthSlows,
                _ => Reason::LikeStep,
            },
        );
    }
    if downs == 0 {
        return verdict(
            Class::Undetermined,
            if r_last == 0.0 && ups > 1 {
                Reason::GrowthSlows
            } else {
                Reason::EdgeJump
            },
        );
    }
    if ups == 0 {
        return verdict(Class::Undetermined, Reason::EdgeJump);
    }
    verdict(Class::Undetermined, Reason::LikeSawtooth)
}

/// A series of bytes in jumps, of a constant number of blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Jumps by a factor between 1.25 and 4.
    pub jumps: usize,
    /// Whether it goes on growing: at least three jumps and the last in the
    /// second half of the window, or at least two and one in every interval.
    pub grows: bool,
    /// The least that the content grew per run, for certain: from the first
    /// level to what the last jump had to hold.
    pub least_per_run: f64,
    /// The most it can have grown per run: from a first level that had just
    /// been reached to a last one that is full.
    pub most_per_run: f64,
}

/// Recognises the capacity of a container: blocks constant, flat but for jumps
/// upwards by a factor of 1.25 to 4. Content is known only between the last
/// capacity divided by the factor, and the capacity. A container with linear
/// content that doubles does so at x, 2x, 4x: its last jump always lies in the
/// second half of the window.
///
/// Linear time, nothing allocated.
///
/// ```
/// let x: Vec<f64> = (1..=12).map(|i| 10.0 * f64::from(i)).collect();
/// let y = [1024., 2048., 2048., 4096., 4096., 4096., 4096., 8192., 8192., 8192., 8192., 8192.];
/// let capacity = heapdiff::trend::capacity(&x, &y, &[1.0; 12]).unwrap();
/// assert_eq!(capacity.jumps, 3);
/// assert!(capacity.grows);
/// ```
pub fn capacity(x: &[f64], y: &[f64], blocks: &[f64]) -> Option<Capacity> {
    let n = y.len();
    if n < 3 || x.len() != n || blocks.len() != n {
        return None;
    }
    let count = blocks[0];
    if !(count >= 1.0 && blocks.iter().all(|&b| b == count) && y[0] > 0.0) {
        return None;
    }
    let (mut jumps, mut last, mut needed) = (0, 0, 0.0);
    for i in 1..n {
        let ratio = y[i] / y[i - 1];
        if (1.25..=4.0).contains(&ratio) {
            jumps += 1;
            last = i;
            needed = y[i - 1];
        } else if ratio != 1.0 {
            return None;
        }
    }
    if jumps == 0 {
        return None;
    }
    let middle = 0.5 * (x[0] + x[n - 1]);
    let every = jumps == n - 1 && jumps >= 2;
    Some(Capacity {
        jumps,
        grows: every || (jumps >= 3 && x[last] > middle),
        least_per_run: (needed - y[0]) / (x[last] - x[0]),
        most_per_run: (y[n - 1] - y[0] * needed / y[last]) / (x[n - 1] - x[0]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 5] = [10.0, 20.0, 30.0, 40.0, 50.0];

    fn of(y: &[f64], blocks: Option<&[f64]>) -> Verdict {
        judge(&X[..y.len()], y, blocks, true)
    }

    #[test]
    fn proportional_growth_is_exact() {
        let v = of(&[1000.0, 1500.0, 2000.0], None);
        assert_eq!((v.class, v.reason), (Class::SteadyGrowth, Reason::Exact));
        let v = judge(
            &[10.0, 20.0, 45.0, 80.0],
            &[110.0, 120.0, 145.0, 180.0],
            None,
            true,
        );
        assert_eq!((v.class, v.reason), (Class::SteadyGrowth, Reason::Exact));
        // 1.9 % off is equal, 5 % is not.
        assert_eq!(of(&[0.0, 1000.0, 2038.0], None).reason, Reason::Exact);
        assert_eq!(of(&[0.0, 1000.0, 2100.0], None).reason, Reason::LikeWarmUp);
    }

    #[test]
    fn one_block_of_difference_is_exact() {
        // One block in seven runs, captured every ten: 1 2 1.
        let v = of(&[64.0, 128.0, 256.0, 320.0], Some(&[1.0, 2.0, 4.0, 5.0]));
        assert_eq!((v.class, v.reason), (Class::SteadyGrowth, Reason::Exact));
    }

    #[test]
    fn a_large_block_among_small_ones_excuses_nothing() {
        // A megabyte in one block makes the mean block 12 kB; those that came are of 1 kB.
        let x = [20.0, 40.0, 80.0];
        let y = [1_189_663.0, 1_190_078.0, 1_216_168.0];
        let v = judge(&x, &y, Some(&[78.0, 79.0, 102.0]), true);
        assert!(!v.class.is_leak(), "{v:?}");
        // One block that grows, in other steps than the runs.
        let v = judge(
            &x,
            &[529_041.0, 529_081.0, 531_089.0],
            Some(&[32.0; 3]),
            true,
        );
        assert!(!v.class.is_leak(), "{v:?}");
    }

    #[test]
    fn what_stands_among_many_that_warm_up() {
        let x = [20.0, 40.0, 80.0];
        let of = |y: [f64; 3], b: [f64; 3]| stands(&x, &y, Some(&b), false);
        assert!(of([2016.0, 3936.0, 7776.0], [21.0, 41.0, 81.0]));
        assert!(of([2000.0, 3900.0, 7800.0], [20.0, 39.0, 78.0]));
        // One block and two, three and six, equal per run; two and six.
        assert!(!of([870.0, 1044.0, 1392.0], [15.0, 18.0, 24.0]));
        assert!(!of([945.0, 1008.0, 1134.0], [15.0, 16.0, 18.0]));
        assert!(!of([2542.0, 2666.0, 3038.0], [41.0, 43.0, 49.0]));
        // Within a block, behind a warm-up.
        let (y, b) = ([3014.0, 3609.0, 4967.0], [50.0, 60.0, 83.0]);
        assert!(!stands(&x, &y, Some(&b), true) && stands(&x, &y, Some(&b), false));
        assert!(stands(&x, &[100.0, 200.0, 400.0], None, true));
    }

    #[test]
    fn factor_of_two() {
        let v = of(&[100.0, 300.0, 400.0], None);
        assert_eq!(
            (v.class, v.reason),
            (Class::SteadyGrowth, Reason::LikeWarmUp)
        );
        let v = of(&[100.0, 200.0, 400.0, 800.0], None);
        assert_eq!(
            (v.class, v.reason),
            (Class::Accelerating, Reason::LikeWarmUp)
        );
        assert!(!of(&[100.0, 400.0, 500.0], None).class.is_leak());
        assert_eq!(of(&[100.0, 400.0, 500.0], None).reason, Reason::GrowthSlows);
    }

    #[test]
    fn a_cache_that_filled_between_captures_is_no_leak() {
        let x = [50.0, 200.0, 800.0];
        let of = |blocks: [f64; 3]| {
            let y = blocks.map(|b| 500.0 * b);
            judge(&x, &y, Some(&blocks), true)
        };
        // 512 entries, one a run.
        let v = of([50.0, 200.0, 512.0]);
        assert_eq!(
            (v.class, v.reason),
            (Class::Undetermined, Reason::GrowthSlows)
        );
        // A leak of a block in a hundred runs, by chance: 3 and 6.
        assert!(of([1.0, 4.0, 14.0]).class.is_leak());
        // A leak behind a warm-up of a third of its first interval.
        assert!(of([50.0, 250.0, 850.0]).class.is_leak());
        let x = [10.0, 20.0, 40.0, 80.0];
        let filled = judge(
            &x,
            &[1e4, 2e4, 4e4, 6e4],
            Some(&[100.0, 200.0, 400.0, 600.0]),
            true,
        );
        assert!(!filled.class.is_leak(), "{filled:?}");
        let warmed = judge(
            &x,
            &[1e3, 3e3, 5e3, 9e3],
            Some(&[10.0, 30.0, 50.0, 90.0]),
            true,
        );
        assert!(warmed.class.is_leak(), "{warmed:?}");
    }

    #[test]
    fn warm_up_is_dropped() {
        let v = of(&[100.0, 900.0, 1000.0, 1100.0], None);
        assert_eq!(
            (v.class, v.reason, v.warm_up),
            (Class::SteadyGrowth, Reason::Exact, 1)
        );
        let v = of(&[100.0, 900.0, 900.0, 900.0], None);
        assert_eq!((v.class, v.warm_up), (Class::WarmUp, 1));
    }

    #[test]
    fn the_end_of_a_warm_up_is_no_leak() {
        // Six blocks in two intervals behind a jump of two hundred.
        let x = [10.0, 20.0, 40.0, 80.0];
        let (y, blocks) = (
            [12127.0, 25996.0, 26063.0, 26398.0],
            [181.0, 388.0, 389.0, 394.0],
        );
        let v = judge(&x, &y, Some(&blocks), true);
        assert_eq!((v.class, v.warm_up), (Class::WarmUp, 1));
        // A cache that is nearly full.
        let v = judge(&x, &[100.0, 1900.0, 2000.0, 2120.0], None, true);
        assert!(!v.class.is_leak(), "{v:?}");
    }

    #[test]
    fn blocks_by_chance() {
        // 3, 9 and 6 blocks: a factor of three, but chance.
        let blocks = [10.0, 13.0, 22.0, 28.0];
        let y: Vec<f64> = blocks.iter().map(|b| b * 48.0).collect();
        let v = of(&y, Some(&blocks));
        assert_eq!((v.class, v.reason), (Class::SteadyGrowth, Reason::ByChance));
        // Of captures of unknown runs nothing fits the runs.
        let v = judge(&X[..4], &y, Some(&blocks), false);
        assert!(!v.class.is_leak(), "{v:?}");
        // 10 and 100 blocks are no chance.
        let blocks = [10.0, 20.0, 120.0];
        let y: Vec<f64> = blocks.iter().map(|b| b * 48.0).collect();
        assert!(!of(&y, Some(&blocks)).class.is_leak());
    }

    #[test]
    fn the_rest_is_named() {
        let class = |y: &[f64]| of(y, None).class;
        assert_eq!(class(&[1000.0, 1001.0, 1000.0]), Class::Stable);
        assert_eq!(class(&[300.0, 200.0, 100.0]), Class::Shrinking);
        assert_eq!(of(&[100.0, 100.0, 200.0], None).reason, Reason::EdgeJump);
        assert_eq!(
            of(&[100.0, 200.0, 100.0], None).reason,
            Reason::LikeSawtooth
        );
        assert_eq!(of(&[100.0, 200.0, 200.0], None).reason, Reason::EdgeJump);
    }

    #[test]
    fn containers() {
        let n = 8;
        let x: Vec<f64> = (0..n).map(f64::from).collect();
        let one = [1.0; 8];
        let doubles: Vec<f64> = (0..n).map(|i| 64.0 * 2.0_f64.powi(i)).collect();
        assert!(capacity(&x, &doubles, &one).unwrap().grows);
        let filled = [1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0];
        let c = capacity(&x, &filled, &one).unwrap();
        assert_eq!((c.jumps, c.grows), (3, false));
        assert_eq!(capacity(&x, &[5.0; 8], &one), None, "no jump");
        let smooth: Vec<f64> = (0..n).map(|i| 1000.0 + 50.0 * f64::from(i)).collect();
        assert_eq!(capacity(&x, &smooth, &one), None, "not flat between");
        assert_eq!(capacity(&x, &doubles, &x), None, "blocks grow too");
    }
}
