//! A number against its limit, with the noise of the captures that it comes from.
//!
//! Nothing here knows sites: a subject is one value a capture on each side.

// `!(a > b)` sends what is no number the safe way.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

use crate::diff::Certainty;
use crate::trend::{
    self, Class, Estimate, Growth, Noise, Plan, Row, Sampled, student_quantile_two_sided,
    student_two_sided,
};

/// The captures of one side as a subject sees them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SideValues {
    /// One value a capture.
    pub values: Vec<f64>,
    /// The variance of each by sampling; empty where that is not known.
    pub variances: Vec<f64>,
    /// Runs of each capture; empty where they are not known.
    pub runs: Vec<f64>,
}

impl SideValues {
    fn last(&self) -> f64 {
        self.values.last().copied().unwrap_or(0.0)
    }

    fn first(&self) -> f64 {
        self.values.first().copied().unwrap_or(0.0)
    }

    fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len().max(1) as f64
    }

    /// Forgets all captures but the first and the last.
    pub(super) fn keep_ends(&mut self) {
        fn ends(list: &mut Vec<f64>) {
            if list.len() > 2 {
                list.drain(1..list.len() - 1);
            }
        }
        ends(&mut self.values);
        ends(&mut self.variances);
        ends(&mut self.runs);
    }

    /// Runs between the ends.
    fn span(&self) -> f64 {
        match (self.runs.first(), self.runs.last()) {
            (Some(first), Some(last)) => last - first,
            _ => 0.0,
        }
    }

    /// One capture, or several of equal runs.
    fn is_flat(&self) -> bool {
        self.values.len() == 1
            || (!self.runs.is_empty() && self.runs.windows(2).all(|w| w[0] == w[1]))
    }

    fn is_level(&self) -> bool {
        self.values.windows(2).all(|w| w[0] == w[1])
    }
}

/// A subject: one value a capture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// The base side; no values where there is one side only.
    pub base: SideValues,
    /// The new side, or the only one.
    pub new: SideValues,
}

/// What stands between a number and a verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum Need {
    /// One capture shows no growth.
    AnotherCapture,
    /// So many captures are there, so many are needed: noise is not known and has to be seen.
    Captures {
        /// At hand.
        have: usize,
        /// Needed.
        need: usize,
    },
    /// It grew in some intervals and not in others.
    OnceMore,
    /// The numbers of runs.
    Runs,
    /// Runs in an hour.
    RunsPerHour,
    /// A base side.
    Base,
    /// A baseline that knows its origin.
    Origin,
    /// The metric of this name, in every capture.
    Metric(String),
    /// Two series on both sides, or single captures on both.
    EvenSides,
    /// Captures that resolve as much: what they resolve, and what was asked.
    Resolution {
        /// The smallest excess that these captures show, in the budget's unit.
        shown: f64,
        /// The limit.
        limit: f64,
    },
    /// It rises still: captures after it has settled.
    Settled,
    /// Dumps of the object graph.
    Graph,
    /// A monitoring series of that name.
    Monitoring(String),
    /// The series is too short, or has no such fact.
    Longer(String),
}

/// How far a value may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    /// It was counted.
    None,
    /// A standard error, with its degrees of freedom.
    Error {
        /// In the value's unit.
        error: f64,
        /// Infinite where the variance is known.
        degrees: f64,
    },
    /// Samples: the unit of each side over what a value is counted by, and the base's level.
    Samples {
        /// Bytes that one sample stands for.
        unit: f64,
        /// Bytes of the base, with the limit added.
        base: f64,
        /// Bytes for one of the value's unit.
        per: f64,
        /// 95 % upper bound of the value.
        upper: f64,
    },
}

/// A number held against its limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// What was measured.
    pub value: f64,
    /// What it may be.
    pub limit: f64,
    /// How far it may be off.
    pub spread: Spread,
    /// One-sided p that no more than the limit is true; none where the number was counted.
    pub p: Option<f64>,
    /// The series settled: what grew was a warm-up or one step.
    pub settled: bool,
}

/// What can be said of a subject before the number of tests is known.
pub type Told = Result<Reading, Need>;

/// The answer for one number.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// Within the limit.
    Yes,
    /// Beyond the limit, and beyond the noise.
    No,
    /// These captures do not tell.
    CannotTell(Need),
}

/// The family-wise error of one invocation.
pub const FAMILY: f64 = 1e-4;
/// Captures of unknown noise from which on a series shows its own.
const ENOUGH: usize = 5;

impl Reading {
    fn counted(value: f64, limit: f64) -> Reading {
        Reading {
            value,
            limit,
            spread: Spread::None,
            p: None,
            settled: false,
        }
    }

    /// The series settled, and grows by `rate` since.
    fn settled(self, rate: f64) -> Reading {
        Reading {
            settled: true,
            ..Reading::counted(rate, self.limit)
        }
    }

    fn tested(value: f64, limit: f64, error: f64, degrees: f64) -> Reading {
        if !(error > 0.0) {
            return Reading::counted(value, limit);
        }
        let t = (value - limit) / error;
        let two_sided = student_two_sided(t, degrees);
        let p = if t > 0.0 { two_sided / 2.0 } else { 1.0 };
        Reading {
            value,
            limit,
            spread: Spread::Error { error, degrees },
            p: Some(p),
            settled: false,
        }
    }

    /// The smallest value beyond the limit that fails with 80 % probability, one-sided at `level`.
    pub fn resolution(&self, level: f64) -> Option<f64> {
        Some(match self.spread {
            Spread::None => return None,
            Spread::Error { error, degrees } => {
                self.limit.max(0.0) + trend::slope_resolution(error, 2.0 * level, degrees)
            }
            Spread::Samples {
                unit, base, per, ..
            } => self.limit.max(0.0) + trend::sampled_resolution(unit, base, 2.0 * level, 1) / per,
        })
    }

    /// Half the interval of 95 %, in the value's unit.
    pub fn noise(&self) -> Option<f64> {
        match self.spread {
            Spread::None => None,
            Spread::Error { error, degrees } => {
                Some(error * student_quantile_two_sided(0.05, degrees)).filter(|n| n.is_finite())
            }
            Spread::Samples { upper, .. } => Some((upper - self.value).max(0.0)),
        }
    }

    /// The verdict, when `rejected` is what Holm's correction says of `p`, at `level` per test.
    pub fn held(&self, rejected: bool, level: f64) -> Held {
        if self.settled {
            return Held::Yes;
        }
        if self.p.is_none() {
            return if self.value > self.limit {
                Held::No
            } else {
                Held::Yes
            };
        }
        if rejected {
            return Held::No;
        }
        let shown = self.resolution(level).unwrap_or(f64::INFINITY);
        let upper = self.value + self.noise().unwrap_or(f64::INFINITY);
        let beyond = shown - self.limit.max(0.0);
        if upper <= self.limit || (self.value <= self.limit && beyond <= self.limit) {
            Held::Yes
        } else {
            Held::CannotTell(Need::Resolution {
                shown: beyond,
                limit: self.limit,
            })
        }
    }
}

/// Growth per run against `limit`, in the value's unit per run.
pub fn per_run(sample: &Sample, certainty: &Certainty, limit: f64) -> Told {
    if sample.new.runs.is_empty() || (!sample.base.values.is_empty() && sample.base.runs.is_empty())
    {
        return Err(Need::Runs);
    }
    match sample.base.values.is_empty() {
        true => along(&sample.new, certainty, limit),
        false => between(sample, certainty, limit, true),
    }
}

/// Growth between the ends of one side, or between two sides, against `limit`.
pub fn growth(sample: &Sample, certainty: &Certainty, limit: f64) -> Told {
    if !sample.base.values.is_empty() {
        return between(sample, certainty, limit, false);
    }
    let mut side = sample.new.clone();
    if !(side.span() > 0.0) {
        side.runs = (0..side.values.len()).map(|i| i as f64).collect();
    }
    let span = side.span();
    let mut reading = along(&side, certainty, limit / span)?;
    reading.value *= span;
    reading.limit = limit;
    reading.spread = match reading.spread {
        Spread::None => Spread::None,
        Spread::Error { error, degrees } => Spread::Error {
            error: error * span,
            degrees,
        },
        Spread::Samples {
            unit,
            base,
            per,
            upper,
        } => Spread::Samples {
            unit,
            base,
            per: per / span,
            upper: upper * span,
        },
    };
    Ok(reading)
}

/// The level of the last capture against `limit`; samples are tested, other numbers compared.
pub fn level(sample: &Sample, certainty: &Certainty, limit: f64) -> Told {
    let value = sample.new.last();
    if let (Certainty::Sampled(_), Some(&variance)) = (certainty, sample.new.variances.last()) {
        let mean = mean_interval(certainty);
        let unit = unit_of(value, variance, mean);
        let fixed = Sampled {
            bytes: limit,
            unit: unit * 1e-6,
            raw: None,
        };
        let side = Sampled {
            bytes: value,
            unit,
            raw: None,
        };
        return Ok(samples(&fixed, &side, 0.0, 1.0, value, limit));
    }
    if sample.new.values.is_empty() {
        return Err(Need::AnotherCapture);
    }
    Ok(Reading::counted(value, limit))
}

/// The level at which a series settles against `limit`.
pub fn plateau(sample: &Sample, certainty: &Certainty, limit: f64) -> Told {
    let side = &sample.new;
    if side.values.len() < 3 {
        return Err(Need::Captures {
            have: side.values.len(),
            need: 3,
        });
    }
    let reading = level(sample, certainty, limit)?;
    if reading.value > limit && reading.p.is_none_or(|p| p <= FAMILY) {
        return Ok(reading);
    }
    let (class, _) = class_of(side, certainty);
    let rates: Vec<f64> = side.values.windows(2).map(|w| w[1] - w[0]).collect();
    let quiet = rates.last().is_some_and(|&last| last <= 0.0);
    match class {
        Class::Stable | Class::WarmUp | Class::Step | Class::Shrinking | Class::Sawtooth => {
            Ok(reading)
        }
        _ if matches!(certainty, Certainty::Exact) && quiet => Ok(reading),
        _ => Err(Need::Settled),
    }
}

/// Growth per x of one side.
fn along(side: &SideValues, certainty: &Certainty, limit: f64) -> Told {
    let n = side.values.len();
    if n < 2 {
        return Err(Need::AnotherCapture);
    }
    let span = side.span();
    if !(span > 0.0) {
        return Err(Need::Runs);
    }
    let ends = (side.last() - side.first()) / span;
    if side.is_level() && !matches!(certainty, Certainty::Sampled(_)) {
        return Ok(Reading::counted(0.0, limit));
    }
    match certainty {
        Certainty::Sampled(_) => along_samples(side, certainty, limit, ends, span),
        Certainty::Exact if n == 2 => Ok(Reading::counted(ends, limit)),
        Certainty::Exact if n < ENOUGH => sustained(side, limit, ends),
        Certainty::Unknown if n < ENOUGH => Err(Need::Captures {
            have: n,
            need: ENOUGH,
        }),
        _ => Ok(slope(side, certainty, limit, ends)),
    }
}

/// Three or four counted captures: what a leak adds it adds in every interval. What grew and is
/// within the limit at the end was a warm-up; what grew in the end alone may be anything.
fn sustained(side: &SideValues, limit: f64, ends: f64) -> Told {
    let rates = rates_of(side);
    let last = rates.last().copied().unwrap_or(ends);
    let reading = Reading::counted(ends, limit);
    if ends <= limit || rates.iter().all(|&r| r > limit) {
        return Ok(reading);
    }
    match last <= limit {
        true => Ok(reading.settled(last)),
        false => Err(Need::OnceMore),
    }
}

/// Growth per x from each capture to the next.
fn rates_of(side: &SideValues) -> Vec<f64> {
    side.values
        .windows(2)
        .zip(side.runs.windows(2))
        .map(|(y, x)| (y[1] - y[0]) / (x[1] - x[0]))
        .filter(|r| r.is_finite())
        .collect()
}

/// Five captures and more: the slope, and whether the shape of the series is growth at all.
fn slope(side: &SideValues, certainty: &Certainty, limit: f64, ends: f64) -> Reading {
    let (class, skip) = class_of(side, certainty);
    let fit = |skip| Growth::of_series(&side.runs, &side.values, skip);
    let Some(growth) = fit(skip).or_else(|| fit(0)) else {
        return Reading::counted(ends, limit);
    };
    let reading = Reading::tested(growth.per_run, limit, growth.error, growth.degrees);
    let rates = rates_of(side);
    let quiet = match class {
        // What follows the warm-up.
        Class::WarmUp => match side.values.get(skip.min(side.values.len() - 1)) {
            Some(&from) if side.last() <= from => Some(0.0),
            _ => rates.last().copied(),
        },
        Class::Shrinking => Some(growth.per_run),
        // The median of the rates: one step does not show in it.
        Class::Step => {
            let mut sorted = rates.clone();
            sorted.sort_by(f64::total_cmp);
            sorted.get(sorted.len() / 2).copied()
        }
        _ => None,
    };
    match quiet.filter(|&rate| rate <= limit) {
        Some(rate) => reading.settled(rate),
        None => reading,
    }
}

/// The class of a series, and how many captures are its warm-up.
fn class_of(side: &SideValues, certainty: &Certainty) -> (Class, usize) {
    let x: Vec<f64> = match side.span() > 0.0 {
        true => side.runs.clone(),
        false => (0..side.values.len()).map(|i| i as f64).collect(),
    };
    let Ok(plan) = Plan::new(&x) else {
        return (Class::Undetermined, 0);
    };
    let noise = match certainty {
        Certainty::Exact => Noise::Exact,
        Certainty::Sampled(_) => Noise::Known { one_process: true },
        Certainty::Unknown => Noise::Unknown,
    };
    let mut row = Row::of(&side.values);
    if let (Certainty::Sampled(_), Some(&variance)) = (certainty, side.variances.last()) {
        row.unit = unit_of(side.last(), variance, mean_interval(certainty));
    }
    let judged = plan.judge_one(noise, &row);
    (judged.class, judged.skipped())
}

fn along_samples(
    side: &SideValues,
    certainty: &Certainty,
    limit: f64,
    ends: f64,
    span: f64,
) -> Told {
    if side.variances.len() != side.values.len() {
        return Err(Need::Captures {
            have: side.values.len(),
            need: ENOUGH,
        });
    }
    let mean = mean_interval(certainty);
    let at = |i: usize| Sampled {
        bytes: side.values[i],
        unit: unit_of(side.values[i], side.variances[i], mean),
        raw: None,
    };
    let (first, last) = (at(0), at(side.values.len() - 1));
    Ok(samples(&first, &last, limit * span, span, ends, limit))
}

/// The difference of two sampled values against `more` bytes on the new side; the value counts
/// `per` bytes as one. The limit is added to the base, which makes the test a little too careful:
/// what is allowed has no noise of its own.
fn samples(base: &Sampled, new: &Sampled, more: f64, per: f64, value: f64, limit: f64) -> Reading {
    let shifted = Sampled {
        bytes: (base.bytes + more).max(0.0),
        ..*base
    };
    let p = match new.bytes > shifted.bytes {
        true => trend::difference_p(&shifted, new) / 2.0,
        false => 1.0,
    };
    let upper = trend::difference_interval(base, new).1 / per;
    let upper = if more == 0.0 && base.unit < 1e-3 * new.unit {
        // A fixed level, not a difference.
        trend::value_interval(new).1 / per
    } else {
        upper
    };
    Reading {
        value,
        limit,
        spread: Spread::Samples {
            unit: new.unit.max(base.unit),
            base: shifted.bytes,
            per,
            upper,
        },
        p: Some(p),
        settled: false,
    }
}

/// Two sides: growth per run of each, or their levels; per run each value is counted by its runs.
fn between(sample: &Sample, certainty: &Certainty, limit: f64, per_run: bool) -> Told {
    let (base, new) = (&sample.base, &sample.new);
    if new.values.is_empty() {
        return Err(Need::AnotherCapture);
    }
    let flat = base.is_flat() && new.is_flat();
    if flat {
        return levels(base, new, certainty, limit, per_run);
    }
    if !per_run {
        let last = |side: &SideValues| SideValues {
            values: vec![side.last()],
            variances: side.variances.last().copied().into_iter().collect(),
            runs: side.runs.last().copied().into_iter().collect(),
        };
        return levels(&last(base), &last(new), certainty, limit, false);
    }
    if base.span() > 0.0 && new.span() > 0.0 {
        return rates(base, new, certainty, limit);
    }
    match certainty {
        Certainty::Exact => {
            let rate = |side: &SideValues| match side.span() > 0.0 {
                true => (side.last() - side.first()) / side.span(),
                false => side.mean() / side.runs.last().copied().unwrap_or(f64::NAN),
            };
            finite(rate(new) - rate(base), limit)
        }
        _ => Err(Need::EvenSides),
    }
}

fn finite(value: f64, limit: f64) -> Told {
    match value.is_finite() {
        true => Ok(Reading::counted(value, limit)),
        false => Err(Need::Runs),
    }
}

/// Growth per run of two series.
fn rates(base: &SideValues, new: &SideValues, certainty: &Certainty, limit: f64) -> Told {
    let of = |side: &SideValues| match certainty {
        Certainty::Sampled(_) if side.variances.len() == side.values.len() => {
            Growth::of_sampled(&side.runs, &side.values, &side.variances, true)
        }
        Certainty::Sampled(_) => None,
        Certainty::Exact if side.values.len() < ENOUGH => {
            Growth::of_exact(&side.runs, &side.values)
        }
        _ => Growth::of_series(&side.runs, &side.values, 0),
    };
    let (Some(before), Some(after)) = (of(base), of(new)) else {
        let have = base.values.len().min(new.values.len());
        return Err(Need::Captures { have, need: 3 });
    };
    let difference = trend::compare_sides(&before, &after);
    let error = before.error.hypot(after.error);
    if !(error > 0.0) {
        return finite(difference.difference, limit);
    }
    // Welch and Satterthwaite, on the careful side: the smaller of both.
    let degrees = before.degrees.min(after.degrees);
    Ok(Reading::tested(
        difference.difference,
        limit,
        error,
        degrees,
    ))
}

/// Levels of two sides, each one capture or replicates of it.
fn levels(
    base: &SideValues,
    new: &SideValues,
    certainty: &Certainty,
    limit: f64,
    per_run: bool,
) -> Told {
    let runs = |side: &SideValues| match per_run {
        true => side
            .runs
            .last()
            .copied()
            .filter(|r| *r > 0.0)
            .ok_or(Need::Runs),
        false => Ok(1.0),
    };
    let (r1, r2) = (runs(base)?, runs(new)?);
    let value = new.mean() / r2 - base.mean() / r1;
    let single = base.values.len() == 1 && new.values.len() == 1;
    if let Certainty::Sampled(_) = certainty {
        let known = |s: &SideValues| s.variances.len() == s.values.len();
        if !(known(base) && known(new)) {
            return Err(Need::Captures { have: 1, need: 3 });
        }
        let mean = mean_interval(certainty);
        // The mean of k replicates: each sample stands for a k-th. Counted per run of the new
        // side, so that both sides are in its bytes.
        let side = |s: &SideValues, scale: f64| {
            let k = s.values.len() as f64;
            let variance = s.variances.iter().sum::<f64>() / k;
            Sampled {
                bytes: s.mean() * scale,
                unit: unit_of(s.mean(), variance, mean) * scale / k,
                raw: None,
            }
        };
        let (a, b) = (side(base, r2 / r1), side(new, 1.0));
        let reading = samples(&a, &b, limit * r2, r2, value, limit);
        // Replicates may differ by more than sampling explains.
        return Ok(match replicate_error(base, new, r1, r2) {
            Some((error, degrees)) => {
                let own = Reading::tested(value, limit, error, degrees);
                match own.p > reading.p {
                    true => own,
                    false => reading,
                }
            }
            None => reading,
        });
    }
    if single {
        let same = base.values == new.values && r1 == r2;
        return match certainty {
            Certainty::Exact => finite(value, limit),
            _ if same => Ok(Reading::counted(0.0, limit)),
            _ => Err(Need::Captures { have: 1, need: 3 }),
        };
    }
    match replicate_error(base, new, r1, r2) {
        Some((error, degrees)) => Ok(Reading::tested(value, limit, error, degrees)),
        None => finite(value, limit),
    }
}

/// The standard error of the difference of two means and its degrees of freedom (Welch 1947, the
/// degrees of Satterthwaite 1946). A side of one capture is as noisy as the other side's.
fn replicate_error(base: &SideValues, new: &SideValues, r1: f64, r2: f64) -> Option<(f64, f64)> {
    let spread = |side: &SideValues, runs: f64| {
        let k = side.values.len() as f64;
        let mean = side.mean();
        let squares: f64 = side.values.iter().map(|v| (v - mean) * (v - mean)).sum();
        (k > 1.0).then(|| squares / (k - 1.0) / (runs * runs))
    };
    let (a, b) = (spread(base, r1), spread(new, r2));
    let either = a.or(b)?;
    let (k1, k2) = (base.values.len() as f64, new.values.len() as f64);
    let (va, vb) = (a.unwrap_or(either) / k1, b.unwrap_or(either) / k2);
    let degrees = match (a, b) {
        (Some(_), Some(_)) => {
            let below = va * va / (k1 - 1.0) + vb * vb / (k2 - 1.0);
            if below > 0.0 {
                (va + vb) * (va + vb) / below
            } else {
                k1 + k2 - 2.0
            }
        }
        _ => k1.max(k2) - 1.0,
    };
    let error = (va + vb).sqrt();
    (error > 0.0).then_some((error, degrees))
}

fn mean_interval(certainty: &Certainty) -> f64 {
    match certainty {
        Certainty::Sampled(means) => means.iter().copied().fold(1.0, f64::max),
        _ => 1.0,
    }
}

fn unit_of(bytes: f64, variance: f64, mean: f64) -> f64 {
    Estimate {
        blocks: 0.0,
        bytes,
        variance,
    }
    .unit(mean)
}

#[cfg(test)]
#[path = "budget_test/tests.rs"]
mod tests;
