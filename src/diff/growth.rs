//! Growth of a row: the difference, the difference per run, and the words for it.

use super::table::{Ends, Values};
use crate::model::{Column, Metric};

/// What became of a row, as the contract names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Growth {
    /// Absent before, present after.
    New,
    /// Present before, absent after.
    Gone,
    /// More after than before.
    Grew,
    /// Less after than before.
    Shrank,
    /// The same, or inside the noise.
    Unchanged,
    /// A leak: about the same on every run.
    SteadyGrowth,
    /// A leak: more on every run.
    Accelerating,
    /// One change of level.
    Step,
    /// Rises to a level and stays.
    WarmUp,
    /// Rises and falls again and again.
    Sawtooth,
    /// A level with noise.
    Stable,
    /// Falls along the runs.
    Shrinking,
    /// None of these.
    Irregular,
    /// Too little to tell; the finding says what to capture.
    Undetermined,
}

impl Growth {
    /// The word in JSON and text.
    pub fn as_str(self) -> &'static str {
        match self {
            Growth::New => "new",
            Growth::Gone => "gone",
            Growth::Grew => "grew",
            Growth::Shrank => "shrank",
            Growth::Unchanged => "unchanged",
            Growth::SteadyGrowth => "steady-growth",
            Growth::Accelerating => "accelerating",
            Growth::Step => "step",
            Growth::WarmUp => "warm-up",
            Growth::Sawtooth => "sawtooth",
            Growth::Stable => "stable",
            Growth::Shrinking => "shrinking",
            Growth::Irregular => "irregular",
            Growth::Undetermined => "undetermined",
        }
    }

    /// Whether this class is called a leak.
    pub fn is_leak(self) -> bool {
        matches!(self, Growth::SteadyGrowth | Growth::Accelerating)
    }

    /// Whether a row of this class is summed up with others at the end of a table.
    pub fn is_quiet(self) -> bool {
        matches!(self, Growth::Unchanged | Growth::Stable)
    }

    /// The class of a difference between two numbers.
    pub fn between(before: i64, after: i64) -> Growth {
        match (before, after) {
            (b, a) if a == b => Growth::Unchanged,
            (0, _) => Growth::New,
            (_, 0) => Growth::Gone,
            (b, a) if a > b => Growth::Grew,
            _ => Growth::Shrank,
        }
    }
}

/// The runs at the ends of one side.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Runs {
    /// Runs at the first capture; the same as `last` when there is only one.
    pub first: Option<f64>,
    /// Runs at the last capture.
    pub last: Option<f64>,
}

impl Runs {
    /// Runs between the ends, if known and more than none.
    pub fn span(&self) -> Option<f64> {
        let span = self.last? - self.first?;
        (span > 0.0).then_some(span)
    }
}

/// How differences become differences per run.
///
/// Inside a series: delta / (runs of last - runs of first), which adds up. Between two sides: the
/// new side's growth per run minus the base's, where a side of one capture counts value / runs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PerRun {
    /// Runs of the base side, when there are two sides.
    pub base: Option<Runs>,
    /// Runs of the new side, or the only one.
    pub new: Runs,
}

impl PerRun {
    /// The growth per run of metric `i` in `row`; `None` where runs are unknown or the metric has
    /// no growth per run.
    pub fn of(&self, values: &Values, metrics: &[Metric], i: usize, row: usize) -> Option<f64> {
        if !metrics[i].has_per_run() {
            return None;
        }
        let new = side(&values.new, &self.new, i, row)?;
        match (&values.base, &self.base) {
            (Some(base), Some(runs)) => Some(new - side(base, runs, i, row)?),
            (None, None) if values.new.first.is_empty() => None,
            (None, None) => Some(new),
            _ => None,
        }
    }

    /// Whether any growth per run can be told.
    pub fn is_known(&self, values: &Values) -> bool {
        let side = |ends: &Ends, runs: &Runs| match ends.first.is_empty() {
            true => runs.last.is_some_and(|r| r > 0.0),
            false => runs.span().is_some(),
        };
        match (&values.base, &self.base) {
            (Some(base), Some(runs)) => side(base, runs) && side(&values.new, &self.new),
            _ => !values.new.first.is_empty() && self.new.span().is_some(),
        }
    }
}

fn side(ends: &Ends, runs: &Runs, metric: usize, row: usize) -> Option<f64> {
    let last = value(&ends.last, metric, row);
    if ends.first.is_empty() {
        return runs.last.filter(|&r| r > 0.0).map(|r| last as f64 / r);
    }
    let delta = last as i128 - value(&ends.first, metric, row) as i128;
    runs.span().map(|span| delta as f64 / span)
}

fn value(columns: &[Column], metric: usize, row: usize) -> i64 {
    columns
        .get(metric)
        .map_or(0, |c| if row < c.len() { c.get(row) } else { 0 })
}
