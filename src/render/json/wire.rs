//! Numbers and maps of the wire.

use crate::report::{Keys, Report};
use serde::{Serialize, Serializer};

/// A real number; integral ones are written without a fraction, what is no number as null.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(pub f64);

/// Integers beyond this have no exact counterpart among real numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let Number(n) = *self;
        match () {
            _ if !n.is_finite() => out.serialize_none(),
            _ if n == n.trunc() && n.abs() <= EXACT => out.serialize_i64(n as i64),
            _ => out.serialize_f64(n),
        }
    }
}

/// Names and numbers, written as an object in this order.
#[derive(Debug)]
pub(super) struct Map<'r, N>(pub Vec<(&'r str, N)>);

impl<N: Serialize> Serialize for Map<'_, N> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(self.0.iter().map(|(name, n)| (name, n)))
    }
}

/// Text that is shown by `Display`.
#[derive(Debug)]
pub(super) struct Shown<T>(pub T);

impl<T: std::fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&self.0)
    }
}

/// Metrics by name, with their positions.
pub(super) type Metrics<'r> = Vec<(usize, &'r str)>;

/// The metrics of a row. Maxima of single sites lie at different times: of groups they are left
/// out unless they were asked for, of totals always.
pub(super) fn metrics<'r>(report: &'r Report<'_>) -> Metrics<'r> {
    let all = matches!(report.keys, Keys::Stacks(_));
    of(report, |i| {
        all || report.metrics[i].is_additive() || i == report.chosen
    })
}

/// The metrics of a sum of rows: those that add up.
pub(super) fn summed<'r>(report: &'r Report<'_>) -> Metrics<'r> {
    of(report, |i| report.metrics[i].is_additive())
}

fn of<'r>(report: &'r Report<'_>, keep: impl Fn(usize) -> bool) -> Metrics<'r> {
    let names = report.metrics.iter().map(|m| m.name.as_str());
    names.enumerate().filter(|&(i, _)| keep(i)).collect()
}

/// What something holds before and after, and the difference.
#[derive(Debug, Serialize)]
pub(super) struct Amounts<'r> {
    pub before: Map<'r, i128>,
    pub after: Map<'r, i128>,
    pub delta: Map<'r, i128>,
}

impl<'r> Amounts<'r> {
    /// `ends` gives a metric by position, before and after.
    pub fn new(metrics: &[(usize, &'r str)], ends: impl Fn(usize) -> (i128, i128)) -> Self {
        let map = |pick: &dyn Fn((i128, i128)) -> i128| {
            let pairs = metrics.iter().map(|&(i, name)| (name, pick(ends(i))));
            Map(pairs.collect())
        };
        Amounts {
            before: map(&|(before, _)| before),
            after: map(&|(_, after)| after),
            delta: map(&|(before, after)| after - before),
        }
    }
}

/// Growth per run by metric; none where no metric has any.
pub(super) fn rates<'r>(
    metrics: &[(usize, &'r str)],
    rate: impl Fn(usize) -> Option<f64>,
) -> Option<Map<'r, Number>> {
    let known = |&(i, name): &(usize, &'r str)| rate(i).map(|n| (name, Number(n)));
    let pairs: Vec<_> = metrics.iter().filter_map(known).collect();
    (!pairs.is_empty()).then_some(Map(pairs))
}
