//! Episodes: a series is cut into straight lines, and a rise counts by the new ground that it keeps.
//!
//! For anything that repeats with a period that is seen whole, some later moment and some moment
//! before a rise lie exactly one period apart: so a wave, a tooth or a burst keeps nothing, whatever
//! its shape, and a leak keeps about all of its gain. No rhythm has to be fitted for that.

use super::Scope;
use super::bins::{Bin, Bins, DAY};
use super::fit::{inflation, median_of, slope};
use super::restarts::Process;
use crate::trend::normal_upper;

/// Bins of a block that noise is measured in.
const BLOCK: usize = 24;
/// The shortest line, in hours.
const LEAST_H: f64 = 0.5;
/// The share of its gain that a rise has to keep.
pub(super) const KEPT: f64 = 0.5;
/// Pieces that rise by less than this share of the steepest are the tail of a warm-up.
const TAIL: f64 = 0.1;
/// How long a level has to be held to count as ground, in hours.
const HELD_H: f64 = 1.0;
/// A warm-up ends within so many hours.
const WARM_UP_H: f64 = 4.0;
/// The least time behind a warm-up over which it has to be flat, in hours, where it is there.
const LEAST_WAIT_H: f64 = 3.0;
/// Noise is never taken for less than this share of the level.
const FINEST: f64 = 1e-4;

/// A straight piece of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Its first bin.
    pub from: usize,
    /// The bin behind its last one.
    pub to: usize,
    /// Its first moment, in hours from the start of the series.
    pub start: f64,
    /// Its last.
    pub end: f64,
    /// Growth in units an hour.
    pub rate: f64,
    /// Its standard error.
    pub se: f64,
    /// The line at its start.
    pub first: f64,
    /// The line at its end.
    pub last: f64,
    /// A rise that noise does not explain, with every test of the run taken into account.
    pub rises: bool,
}

/// Rises in a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Its segments.
    pub segments: std::ops::Range<usize>,
    /// Its first bin.
    pub from: usize,
    /// The bin behind its last one.
    pub to: usize,
    /// Start in hours from the start of the series.
    pub start: f64,
    /// End.
    pub end: f64,
    /// What was gained.
    pub gain: f64,
    /// The share of the gain that is new ground and never given back.
    pub kept: f64,
    /// The highest rate of a segment, times the share kept if that is below one.
    pub peak: f64,
    /// What it is.
    pub kind: Rise,
    /// Whether it lasts to the end of its process, so that it may still be given back.
    pub open: bool,
    /// The process it belongs to.
    pub process: usize,
}

/// What a chain of rises is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rise {
    /// Memory that is gathered and kept.
    Episode,
    /// Memory that a young process needs and then holds.
    WarmUp,
    /// May be a warm-up: the process is younger than an hour.
    Young,
    /// Given back: a wave, a burst, a tooth.
    GivenBack,
}

/// The noise of bins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BinNoise {
    /// Variance of each bin.
    pub variance: Vec<f64>,
    /// Correlation of neighbours.
    pub rho: f64,
}

/// What segmentation comes to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub segments: Vec<Segment>,
    pub chains: Vec<Chain>,
    /// The standard deviation of a bin at the median.
    pub noise: f64,
}

/// Finds the segments and chains of a series. Time is the square of the bins of a process.
pub(super) fn find(bins: &Bins, processes: &[Process], scope: &Scope) -> Found {
    let cuts = processes.len() > 1;
    let flat = match cuts {
        true => bins.bins.iter().map(|b| b.y).collect(),
        false => without_rhythm(bins),
    };
    let points: Vec<Bin> = bins
        .bins
        .iter()
        .zip(&flat)
        .map(|(b, &y)| Bin { y, ..*b })
        .collect();
    let noise = noise_of(&points, processes, bins.grain);
    let (mut segments, mut chains) = (Vec::new(), Vec::new());
    for (number, process) in processes.iter().enumerate() {
        let first = segments.len();
        segment(&points, process, &noise, bins.width_s, scope, &mut segments);
        chain_up(
            &points,
            process,
            number,
            &noise,
            &segments,
            first,
            &mut chains,
        );
    }
    Found {
        segments,
        chains,
        noise: median_of(&noise.variance).sqrt(),
    }
}

/// The level without the part that returns each day; as it is below two whole days.
fn without_rhythm(bins: &Bins) -> Vec<f64> {
    let b = &bins.bins;
    let y: Vec<f64> = b.iter().map(|b| b.y).collect();
    let (Some(first), Some(last)) = (b.first(), b.last()) else {
        return y;
    };
    if !bins.daily || last.t - first.t < 47.5 {
        return y;
    }
    let per_day = DAY / bins.width_s;
    let mut next_day = Vec::new();
    let mut j = 0;
    for i in 0..b.len() {
        while j < b.len() && b[j].at < b[i].at + per_day {
            j += 1;
        }
        if j < b.len() && b[j].at == b[i].at + per_day {
            next_day.push(b[j].y - b[i].y);
        }
    }
    if (next_day.len() as i64) < per_day / 2 {
        return y;
    }
    let per_hour = median_of(&next_day) / 24.0;
    let x: Vec<f64> = b.iter().map(|b| b.y - per_hour * b.t).collect();
    let mut slots: Vec<Vec<f64>> = vec![Vec::new(); per_day as usize];
    let (mut lo, mut hi) = (0, 0);
    for i in 0..b.len() {
        // A whole day around the bin, moved inside at the ends.
        let from = (b[i].at - per_day / 2).clamp(first.at, (last.at - per_day + 1).max(first.at));
        while b[lo].at < from {
            lo += 1;
        }
        hi = hi.max(lo);
        while hi < b.len() && b[hi].at < from + per_day {
            hi += 1;
        }
        let z = x[i] - median_of(&x[lo..hi]);
        slots[b[i].at.rem_euclid(per_day) as usize].push(z);
    }
    let raw: Vec<Option<f64>> = slots
        .iter()
        .map(|s| (!s.is_empty()).then(|| median_of(s)))
        .collect();
    let half = (1800 / bins.width_s) as usize;
    let n = raw.len();
    let mut profile = vec![0.0; n];
    for (i, value) in profile.iter_mut().enumerate() {
        let around = (0..=2 * half).filter_map(|d| raw[(i + n + d - half.min(n)) % n]);
        let values: Vec<f64> = around.collect();
        if !values.is_empty() {
            *value = values.iter().sum::<f64>() / values.len() as f64;
        }
    }
    let mean = profile.iter().sum::<f64>() / n as f64;
    b.iter()
        .map(|b| b.y - (profile[b.at.rem_euclid(per_day) as usize] - mean))
        .collect()
}

fn noise_of(points: &[Bin], processes: &[Process], grain: f64) -> BinNoise {
    let (mut v, mut levels, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for p in processes {
        for block in points[p.from..p.to].chunks(BLOCK) {
            if block.len() < 8 {
                continue;
            }
            let t: Vec<f64> = block.iter().map(|b| b.t).collect();
            let y: Vec<f64> = block.iter().map(|b| b.y).collect();
            let n = y.len() as f64;
            let b = slope(&t, &y).unwrap_or(0.0);
            let (mt, my) = (t.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
            let r: Vec<f64> = (0..y.len()).map(|i| y[i] - my - b * (t[i] - mt)).collect();
            let r0: f64 = r.iter().map(|x| x * x).sum();
            let r1: f64 = r.windows(2).map(|p| p[0] * p[1]).sum();
            v.push(r0 / (n - 2.0));
            levels.push(my);
            ratios.push(if r0 > 0.0 { r1 / r0 } else { 0.0 });
        }
    }
    let rho = median_of(&ratios);
    let rho = (rho + (2.0 + 4.0 * rho) / BLOCK as f64).clamp(0.0, 0.95);
    let finest = |y: f64| (FINEST * y).powi(2).max(grain).max(1e-12);
    if v.is_empty() {
        let changes: Vec<f64> = points.windows(2).map(|p| p[1].y - p[0].y).collect();
        let s2 = median_of(&changes.iter().map(|c| c * c).collect::<Vec<_>>());
        let variance = points.iter().map(|b| s2.max(finest(b.y))).collect();
        return BinNoise { variance, rho: 0.5 };
    }
    let middle = median_of(&levels);
    let half = |high: bool| -> (f64, f64) {
        let chosen: Vec<usize> = (0..v.len())
            .filter(|&i| (levels[i] > middle) == high)
            .collect();
        let of = |from: &[f64]| median_of(&chosen.iter().map(|&i| from[i]).collect::<Vec<_>>());
        (of(&levels), of(&v))
    };
    let ((low_level, low_v), (high_level, high_v)) = (half(false), half(true));
    let (lr, vr) = (high_level / low_level, high_v / low_v);
    let follows = low_level > 0.0 && low_v > 0.0 && lr > 1.3 && vr > lr;
    let relative: Vec<f64> = (0..v.len())
        .map(|i| v[i] / (levels[i] * levels[i]))
        .collect();
    let (share, plain) = (median_of(&relative), median_of(&v));
    let variance = points
        .iter()
        .map(|b| match follows {
            true => (share * b.y * b.y).max(finest(b.y)),
            false => plain.max(finest(b.y)),
        })
        .collect();
    BinNoise { variance, rho }
}

/// Sums that give the weighted line of any run of points in constant time.
struct Sums {
    w: Vec<f64>,
    t: Vec<f64>,
    y: Vec<f64>,
    tt: Vec<f64>,
    ty: Vec<f64>,
    yy: Vec<f64>,
}

impl Sums {
    fn new(points: &[Bin], weights: &[f64]) -> Sums {
        let n = points.len() as f64;
        // Centred first: sums over a month would lose digits.
        let (mt, my) = (
            points.iter().map(|b| b.t).sum::<f64>() / n,
            points.iter().map(|b| b.y).sum::<f64>() / n,
        );
        let of = |f: &dyn Fn(f64, f64) -> f64| {
            let mut sum = 0.0;
            let mut out = Vec::with_capacity(points.len() + 1);
            out.push(0.0);
            for (b, w) in points.iter().zip(weights) {
                sum += w * f(b.t - mt, b.y - my);
                out.push(sum);
            }
            out
        };
        Sums {
            w: of(&|_, _| 1.0),
            t: of(&|t, _| t),
            y: of(&|_, y| y),
            tt: of(&|t, _| t * t),
            ty: of(&|t, y| t * y),
            yy: of(&|_, y| y * y),
        }
    }

    /// Weighted sum of squares around the best line through points `i..j`.
    fn rss(&self, i: usize, j: usize) -> f64 {
        let w = self.w[j] - self.w[i];
        let (t, y) = (self.t[j] - self.t[i], self.y[j] - self.y[i]);
        let stt = self.tt[j] - self.tt[i] - t * t / w;
        let sty = self.ty[j] - self.ty[i] - t * y / w;
        let syy = self.yy[j] - self.yy[i] - y * y / w;
        let explained = if stt > 0.0 { sty * sty / stt } else { 0.0 };
        (syy - explained).max(0.0)
    }
}

/// Optimal partitioning (Jackson and others 2005) into straight lines of half an hour or more.
fn segment(
    points: &[Bin],
    process: &Process,
    noise: &BinNoise,
    width_s: i64,
    scope: &Scope,
    out: &mut Vec<Segment>,
) {
    let here = &points[process.from..process.to];
    let variance = &noise.variance[process.from..process.to];
    let n = here.len();
    if n < 3 {
        return;
    }
    let mean = variance.iter().sum::<f64>() / n as f64;
    let weights: Vec<f64> = variance.iter().map(|v| mean / v).collect();
    let sums = Sums::new(here, &weights);
    let scale = mean * (1.0 + noise.rho) / (1.0 - noise.rho);
    let tests = scope.bins.max(n) as f64 * scope.series as f64;
    let beta = 2.0 * (tests / scope.alpha).ln();
    let least = ((LEAST_H * 3600.0 / width_s as f64).ceil() as usize).max(3);
    let (mut cost, mut from) = (vec![f64::INFINITY; n + 1], vec![0; n + 1]);
    cost[0] = 0.0;
    for j in 1..=n {
        if n < 2 * least {
            if j == n {
                cost[j] = 0.0;
            }
            continue;
        }
        for i in 0..(j + 1).saturating_sub(least) {
            if cost[i].is_finite() {
                let c = cost[i] + sums.rss(i, j) / scale + beta;
                if c < cost[j] {
                    (cost[j], from[j]) = (c, i);
                }
            }
        }
    }
    let mut ends = vec![n];
    while let Some(&j) = ends.last() {
        if from[j] == 0 {
            break;
        }
        ends.push(from[j]);
    }
    ends.reverse();
    let mut i = 0;
    for j in ends {
        let piece = &here[i..j];
        let t: Vec<f64> = piece.iter().map(|b| b.t).collect();
        let y: Vec<f64> = piece.iter().map(|b| b.y).collect();
        let m = piece.len() as f64;
        let rate = slope(&t, &y).unwrap_or(0.0);
        let (mt, my) = (t.iter().sum::<f64>() / m, y.iter().sum::<f64>() / m);
        let tt: f64 = t.iter().map(|x| (x - mt) * (x - mt)).sum();
        let sig2 = variance[i..j].iter().sum::<f64>() / m;
        let se = (sig2 * inflation(piece.len(), noise.rho) / tt.max(f64::MIN_POSITIVE)).sqrt();
        let (start, end) = (t[0], t[t.len() - 1]);
        let long = end - start + width_s as f64 / 3600.0 >= LEAST_H - 1e-9;
        out.push(Segment {
            from: process.from + i,
            to: process.from + j,
            start,
            end,
            rate,
            se,
            first: my + rate * (start - mt),
            last: my + rate * (end - mt),
            rises: long && rate > 0.0 && normal_upper(rate / se) * 2.0 * tests < scope.alpha,
        });
        i = j;
    }
}

/// Joins rises in a row and judges them by what they keep.
fn chain_up(
    points: &[Bin],
    process: &Process,
    number: usize,
    noise: &BinNoise,
    segments: &[Segment],
    first: usize,
    out: &mut Vec<Chain>,
) {
    let mut s = first;
    while s < segments.len() {
        if !segments[s].rises {
            s += 1;
            continue;
        }
        let from = s;
        while s < segments.len() && segments[s].rises {
            s += 1;
        }
        // The rise of a young process to its level may have a piece that noise hides: what follows
        // within a warm-up's time, with nothing given back between, is the same rise.
        let born = points[process.from].t;
        while segments[from].from <= process.from + 2
            && let (Some(gap), Some(next)) = (segments.get(s), segments.get(s + 1))
            && next.rises
            && next.start - born <= WARM_UP_H
            && next.first
                > segments[s - 1].last.min(gap.last) - 3.0 * noise.variance[gap.from].sqrt()
        {
            s += 1;
            while s < segments.len() && segments[s].rises {
                s += 1;
            }
        }
        let (a, b) = (&segments[from], &segments[s - 1]);
        let gain = b.last - a.first;
        let mut chain = Chain {
            segments: from..s,
            from: a.from,
            to: b.to,
            start: a.start,
            end: b.end,
            gain,
            kept: kept(points, process, a.from, b.to, gain),
            peak: 0.0,
            kind: Rise::GivenBack,
            open: b.to == process.to,
            process: number,
        };
        let top =
            |of: std::ops::Range<usize>| segments[of].iter().map(|s| s.rate).fold(0.0, f64::max);
        chain.peak = top(from..s) * chain.kept.clamp(0.0, 1.0);
        chain.kind = kind(points, process, noise, &chain);
        // A tail that noise makes significant is not the warm-up: it is judged by itself.
        let steep = segments[from..s]
            .iter()
            .rposition(|x| x.rate >= TAIL * top(from..s));
        let cut = steep.map_or(s, |at| from + at + 1);
        if chain.kind == Rise::Episode && chain.from <= process.from + 2 && cut < s {
            let part = |of: std::ops::Range<usize>| -> Chain {
                let (a, b) = (&segments[of.start], &segments[of.end - 1]);
                let gain = b.last - a.first;
                let kept = kept(points, process, a.from, b.to, gain);
                let mut chain = Chain {
                    segments: of.clone(),
                    from: a.from,
                    to: b.to,
                    start: a.start,
                    end: b.end,
                    gain,
                    kept,
                    peak: top(of) * kept.clamp(0.0, 1.0),
                    kind: Rise::GivenBack,
                    open: b.to == process.to,
                    process: number,
                };
                chain.kind = kind(points, process, noise, &chain);
                chain
            };
            let first = part(from..cut);
            if first.kind == Rise::WarmUp {
                out.extend([first, part(cut..s)]);
                continue;
            }
        }
        out.push(chain);
    }
}

/// New ground that is never given back, as a share of the gain of the rise over bins `a..b`.
fn kept(points: &[Bin], process: &Process, a: usize, b: usize, gain: f64) -> f64 {
    if !(gain > 0.0) {
        return 0.0;
    }
    let before = if a == process.from {
        points[a].y
    } else {
        let mut highest = f64::NEG_INFINITY;
        let mut to = process.from;
        for u in process.from..a {
            while to < a && points[to].t <= points[u].t + HELD_H {
                to += 1;
            }
            let whole = points[to - 1].t - points[u].t >= 0.8 * HELD_H;
            if whole {
                let lowest = points[u..to]
                    .iter()
                    .map(|b| b.y)
                    .fold(f64::INFINITY, f64::min);
                highest = highest.max(lowest);
            }
        }
        match highest.is_finite() {
            true => highest,
            false => points[process.from..a]
                .iter()
                .map(|b| b.y)
                .fold(f64::INFINITY, f64::min),
        }
    };
    let after = points[b - 1..process.to]
        .iter()
        .map(|b| b.y)
        .fold(f64::INFINITY, f64::min);
    (after - before) / gain
}

fn kind(points: &[Bin], process: &Process, noise: &BinNoise, chain: &Chain) -> Rise {
    if chain.kept < KEPT {
        return Rise::GivenBack;
    }
    let young = chain.from <= process.from + 2;
    let long = chain.end - chain.start;
    if !young || long > WARM_UP_H {
        return Rise::Episode;
    }
    let wait = (2.0 * long).max(1.0);
    let rest = &points[chain.to..process.to];
    let seen = rest.last().map_or(0.0, |b| b.t - chain.end);
    if seen < 0.9 * wait {
        // An hour of a process is too little to tell a warm-up from a leak.
        let age = points[process.to - 1].t - points[process.from].t;
        return if age <= 1.0 {
            Rise::Young
        } else {
            Rise::Episode
        };
    }
    // What rises to a limit has a tail; noise ends the chain early in it.
    let tail = rest.partition_point(|b| b.t <= chain.end + long);
    let soon = rest.partition_point(|b| b.t <= chain.end + long + wait.max(LEAST_WAIT_H));
    let t: Vec<f64> = rest[tail..soon].iter().map(|b| b.t).collect();
    let y: Vec<f64> = rest[tail..soon].iter().map(|b| b.y).collect();
    let after = slope(&t, &y).unwrap_or(0.0);
    let middle = t.iter().sum::<f64>() / t.len().max(1) as f64;
    let tt: f64 = t.iter().map(|x| (x - middle) * (x - middle)).sum();
    let spread = noise.variance[chain.to.min(process.to - 1)] * inflation(t.len(), noise.rho);
    let doubt = 2.0 * (spread / tt.max(f64::MIN_POSITIVE)).sqrt();
    let start = points[chain.from].y;
    let s = noise.variance[chain.from].sqrt();
    let lowest = rest.iter().map(|b| b.y).fold(f64::INFINITY, f64::min);
    let middle = median_of(&rest.iter().map(|b| b.y).collect::<Vec<_>>());
    let flat =
        after - doubt.min(0.2 * chain.gain / long.max(1e-9)) < 0.1 * chain.gain / long.max(1e-9);
    let holds = middle > start + 0.5 * chain.gain && lowest > start + 0.4 * chain.gain - 3.0 * s;
    match flat && holds {
        true => Rise::WarmUp,
        false => Rise::Episode,
    }
}
