//! A number against its limit, with the noise of the captures that it comes from.
//!
//! Nothing here knows sites: a subject is one value a capture on each side.

// `!(a > b)` sends what is no number the safe way.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

mod along;
mod between;

use crate::diff::Certainty;
use crate::trend::{self, Class, Estimate, Sampled, student_quantile_two_sided, student_two_sided};
use along::{along, class_of};
use between::between;

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
    /// So many dumps are there, so many tell growth from a warm-up.
    Dumps {
        /// At hand.
        have: usize,
        /// Needed.
        need: usize,
    },
    /// Captures of allocation sites.
    Sites,
    /// Leaks are seen, but with so many sites tested at once noise may look so.
    Proof {
        /// Leaks that are seen.
        leaks: usize,
        /// Sites that were tested.
        tested: usize,
    },
    /// A monitoring series or an endpoint.
    Monitoring {
        /// Its name.
        what: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// The series is too short, or has no such fact.
    Longer(String),
    /// A counter of new connections: this series counts open ones.
    Counter(String),
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

    /// A value with a standard error, tested against its limit.
    pub(super) fn tested(value: f64, limit: f64, error: f64, degrees: f64) -> Reading {
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
