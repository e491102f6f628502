//! One rate for the whole span of a series, with an interval that honours autocorrelation and a
//! daily rhythm.

use super::bins::{Bin, Bins, DAY};
use super::fit::{Fit, Uncertainty, fit, median_of, spread, uncertainty};
use super::restarts::{Process, SETTLE_H};
use crate::trend::{student_quantile_two_sided, student_two_sided};

/// Hours from which on a daily rhythm is fitted.
pub(super) const RHYTHM_H: f64 = 17.9;
/// Hours from which on each time of the day has a level of its own.
const SLOTS_H: f64 = 45.9;
/// Hours of a process from which on its first two are left out.
const LONG_PROCESS_H: f64 = 12.0;
/// The printed interval is meant for 95 %; what is estimated is made up for by 98 %.
const INTERVAL: f64 = 0.02;

/// How the daily rhythm was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// Not at all: less than 18 hours.
    None,
    /// By one, two and three harmonics of a day, which have to agree.
    Harmonics,
    /// By a level for each time of the day.
    Slots,
}

impl Rhythm {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Rhythm::None => "none",
            Rhythm::Harmonics => "harmonics",
            Rhythm::Slots => "slots",
        }
    }
}

/// A rate over the whole span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Units an hour.
    pub value: f64,
    /// Lower end of the interval of 95 %.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
    /// Two-sided p, the largest of all fits.
    pub p: f64,
    /// Whether every fit has the same sign and they differ by less than half of the value.
    pub agrees: bool,
    /// How the rhythm was taken out.
    pub rhythm: Rhythm,
    /// Whether it is growth with the age of processes that were restarted.
    pub of_age: bool,
    /// The lowest value of all fits.
    pub least: f64,
    /// The largest standard error of all fits; 0 where the fit is perfect.
    pub error: f64,
    /// The fewest degrees of freedom of all fits.
    pub degrees: f64,
    /// Of a span too short for a rhythm: the rate if the span held one whole wave. A wave that just
    /// fills the span bends a straight line by up to 1.9 times its height.
    pub with_wave: Option<f64>,
}

/// Hours of a wave's harmonics, `pairs` of them.
pub(super) fn harmonics(t: &[f64], pairs: usize) -> Vec<Vec<f64>> {
    (1..=pairs)
        .flat_map(|k| {
            let turn = k as f64 * std::f64::consts::TAU / 24.0;
            [
                t.iter().map(|h| (turn * h).sin()).collect(),
                t.iter().map(|h| (turn * h).cos()).collect(),
            ]
        })
        .collect()
}

/// A wave that just fills the span.
fn one_wave(t: &[f64]) -> [Vec<f64>; 2] {
    let (first, last) = (t.first().copied(), t.last().copied());
    let span = last.unwrap_or(0.0) - first.unwrap_or(0.0);
    let turn = std::f64::consts::TAU / span.max(1e-9);
    [
        t.iter().map(|h| (turn * h).sin()).collect(),
        t.iter().map(|h| (turn * h).cos()).collect(),
    ]
}

/// The rate of a series; `skip` are bins of warm-ups. `None` with too few bins.
pub(super) fn overall(bins: &Bins, processes: &[Process], skip: &[(usize, usize)]) -> Option<Rate> {
    let (chosen, process_of) = chosen(bins, processes, skip);
    if chosen.len() < 12 {
        return None;
    }
    let t: Vec<f64> = chosen.iter().map(|b| b.t).collect();
    let y: Vec<f64> = chosen.iter().map(|b| b.y).collect();
    let at: Vec<i64> = chosen.iter().map(|b| b.at).collect();
    let span = bins.bins.last()?.t - bins.bins.first()?.t;
    let of_age = processes.len() > 1;
    let middle = t.iter().sum::<f64>() / t.len() as f64;
    let (x, intercepts) = match of_age {
        false => (
            t.iter().map(|h| h - middle).collect(),
            vec![vec![1.0; t.len()]],
        ),
        true => ages(bins, processes, &t, &process_of),
    };
    if of_age && chosen.len() < 24 {
        return None;
    }
    if span < RHYTHM_H {
        let plain = one(&y, &intercepts, &x, &at)?;
        let mut others = intercepts.clone();
        others.extend(one_wave(&t));
        let waved = one(&y, &others, &x, &at);
        return Some(Rate {
            rhythm: Rhythm::None,
            of_age,
            with_wave: waved.map(|w| w.0.value),
            ..hull(&[plain])
        });
    }
    if span >= SLOTS_H && !of_age && bins.daily {
        let mut others = intercepts.clone();
        others.extend(slots(&chosen, bins.width_s));
        if let Some(one) = one(&y, &others, &x, &at) {
            return Some(Rate {
                rhythm: Rhythm::Slots,
                of_age,
                ..hull(&[one])
            });
        }
    }
    let most = if chosen.len() < 48 { 2 } else { 3 };
    let mut fits = Vec::new();
    for pairs in 1..=most {
        let mut others = intercepts.clone();
        others.extend(harmonics(&t, pairs));
        fits.push(one(&y, &others, &x, &at)?);
    }
    Some(Rate {
        rhythm: Rhythm::Harmonics,
        of_age,
        ..hull(&fits)
    })
}

fn one(y: &[f64], others: &[Vec<f64>], x: &[f64], at: &[i64]) -> Option<(Fit, Uncertainty)> {
    let f = fit(y, others, x, true)?;
    let u = uncertainty(&f, at);
    Some((f, u))
}

/// The value of the second fit, the interval around all of them.
fn hull(fits: &[(Fit, Uncertainty)]) -> Rate {
    let value = fits[fits.len().min(2) - 1].0.value;
    let (mut lo, mut hi, mut p) = (f64::INFINITY, f64::NEG_INFINITY, 0.0_f64);
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut error, mut degrees) = (0.0_f64, f64::INFINITY);
    for (f, u) in fits {
        let reach = match u.se > 0.0 {
            true => student_quantile_two_sided(INTERVAL, u.df) * u.se,
            false => 0.0,
        };
        lo = lo.min(f.value - reach);
        hi = hi.max(f.value + reach);
        // A perfect fit has no error to compare with; it is as certain as can be.
        p = p.max(match u.se > 0.0 {
            true => student_two_sided(f.value / u.se, u.df),
            false => f64::from(u8::from(f.value == 0.0)),
        });
        error = error.max(u.se);
        degrees = degrees.min(u.df);
        least = least.min(f.value);
        most = most.max(f.value);
    }
    let agrees = least * most >= 0.0 && most - least <= 0.5 * value.abs();
    Rate {
        value,
        lo,
        hi,
        p,
        agrees: fits.len() == 1 || agrees,
        rhythm: Rhythm::None,
        of_age: false,
        least,
        error,
        degrees,
        with_wave: None,
    }
}

/// The bins that count, and the process of each.
fn chosen(bins: &Bins, processes: &[Process], skip: &[(usize, usize)]) -> (Vec<Bin>, Vec<usize>) {
    let (mut out, mut of) = (Vec::new(), Vec::new());
    for (number, p) in processes.iter().enumerate() {
        let here = &bins.bins[p.from..p.to];
        let (Some(first), Some(last)) = (here.first(), here.last()) else {
            continue;
        };
        let from = match p.born {
            Some(born) if last.t - born >= LONG_PROCESS_H || processes.len() > 1 => born + SETTLE_H,
            None if last.t - first.t >= LONG_PROCESS_H && starts_low(here) => first.t + SETTLE_H,
            _ => first.t,
        };
        for (i, b) in here.iter().enumerate() {
            let left_out = skip.iter().any(|&(a, z)| (a..z).contains(&(p.from + i)));
            if b.t >= from && !left_out {
                out.push(*b);
                of.push(number);
            }
        }
    }
    (out, of)
}

/// Whether a process begins below the level of its third and fourth hour by more than noise does:
/// a warm-up too small to be recognised would bend the rate.
fn starts_low(bins: &[Bin]) -> bool {
    let t0 = bins.first().map_or(0.0, |b| b.t);
    let levels = |from: f64, to: f64| -> Vec<f64> {
        let inside = bins.iter().filter(|b| b.t - t0 >= from && b.t - t0 < to);
        inside.map(|b| b.y).collect()
    };
    let (first, later) = (levels(0.0, 0.5), levels(2.0, 4.0));
    first.len() >= 2 && later.len() >= 4 && median_of(&later) - median_of(&first) > spread(&later)
}

/// Age of the process at each point, and intercepts: one for all processes that were born in the
/// data, one for the first.
fn ages(bins: &Bins, processes: &[Process], t: &[f64], of: &[usize]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let start = |p: usize| {
        let p = &processes[p];
        p.born.unwrap_or(bins.bins[p.from].t)
    };
    let x: Vec<f64> = t.iter().zip(of).map(|(h, &p)| h - start(p)).collect();
    let own = |p: usize| processes[p].born.is_none();
    let flag = |want: bool| -> Vec<f64> {
        of.iter()
            .map(|&p| f64::from(u8::from(own(p) == want)))
            .collect()
    };
    let all = [flag(true), flag(false)];
    (
        x,
        all.into_iter()
            .filter(|c| c.iter().any(|&v| v > 0.0))
            .collect(),
    )
}

/// One column for each time of the day but the first: half an hour, or a bin if that is longer.
fn slots(points: &[Bin], width_s: i64) -> Vec<Vec<f64>> {
    let slot = width_s.max(1800);
    let number = |b: &Bin| (b.at * width_s).rem_euclid(DAY) / slot;
    (1..DAY / slot)
        .map(|k| {
            points
                .iter()
                .map(|b| f64::from(u8::from(number(b) == k)))
                .collect()
        })
        .collect()
}
