//! What grows between captures, decided by [`crate::trend`] on exact counts.

use super::tree::PathKey;
use crate::trend::{Class, Noise, Plan, Reason, Row};
use rustc_hash::FxHashSet;

/// What became of a number along the captures of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Growth {
    /// One capture: there is nothing to compare.
    #[default]
    Single,
    /// Not in the first of two captures.
    New,
    /// Not in the second.
    Gone,
    /// More in the second.
    Grew,
    /// Less in the second.
    Shrank,
    /// Equal.
    Unchanged,
    /// Three captures or more.
    Series(Class),
}

impl Growth {
    /// The word in JSON; none for a single capture.
    pub fn as_str(self) -> Option<&'static str> {
        Some(match self {
            Growth::Single => return None,
            Growth::New => "new",
            Growth::Gone => "gone",
            Growth::Grew => "grew",
            Growth::Shrank => "shrank",
            Growth::Unchanged => "unchanged",
            Growth::Series(class) => class.as_str(),
        })
    }

    /// Whether it grows with every run.
    pub fn is_leak(self) -> bool {
        matches!(self, Growth::Series(class) if class.is_leak())
    }

    /// Whether it is more than it was, by two captures or by more.
    pub fn is_more(self) -> bool {
        matches!(self, Growth::New | Growth::Grew) || self.is_leak()
    }
}

/// A count along the captures of one side, judged.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Trend {
    /// What it does.
    pub growth: Growth,
    /// Growth for each run, where runs are known: from the first capture that counts to the last.
    pub per_run: Option<f64>,
    /// The same for each item.
    pub per_item: Option<f64>,
    /// Whether it agrees in every interval.
    pub exact: bool,
}

/// The captures of one side: what they are judged along.
#[derive(Debug, Clone, Default)]
pub struct Axis {
    /// Completed runs of each capture; none where some capture lacks them.
    pub runs: Option<Vec<f64>>,
    /// Items of each capture.
    pub items: Option<Vec<f64>>,
    /// Number of captures.
    pub captures: usize,
}

/// Growth of less than this between two captures is what a capture itself may leave behind.
pub(super) const LEAST_STEP: f64 = 2.0;

impl Axis {
    /// Judges counts, one a capture.
    pub fn judge(&self, counts: &[f64]) -> Trend {
        let n = self.captures.min(counts.len());
        let (Some(&first), Some(&last)) = (counts.first(), counts.get(n.wrapping_sub(1))) else {
            return Trend::default();
        };
        let delta = last - first;
        let rate = |axis: &Option<Vec<f64>>| {
            let axis = axis.as_ref()?;
            let span = axis.get(n - 1)? - axis.first()?;
            (span > 0.0 && n > 1).then(|| delta / span)
        };
        let mut trend = Trend {
            growth: Growth::Single,
            per_run: rate(&self.runs),
            per_item: rate(&self.items),
            exact: false,
        };
        trend.growth = match n {
            1 => Growth::Single,
            2 if first == 0.0 && last > 0.0 => Growth::New,
            2 if first > 0.0 && last == 0.0 => Growth::Gone,
            2 if delta > 0.0 => Growth::Grew,
            2 if delta < 0.0 => Growth::Shrank,
            2 => Growth::Unchanged,
            _ => {
                let positions = (0..n).map(|i| i as f64).collect();
                let x = self.runs.clone().unwrap_or(positions);
                let Ok(plan) = Plan::new(&x) else {
                    return trend;
                };
                let judged = plan.judge_one(Noise::Exact, &Row::of(counts));
                trend.exact = judged.reason == Reason::Exact;
                let little = judged.class.is_leak() && delta < LEAST_STEP * (n - 1) as f64;
                Growth::Series(if little {
                    Class::Undetermined
                } else {
                    judged.class
                })
            }
        };
        trend
    }
}

/// Counts of paths along the captures of one side: only those that may still turn out to grow.
///
/// 8 bytes a path and 4 for each capture. The set shrinks with every capture.
#[derive(Debug, Default)]
pub struct PathSeries {
    keys: Vec<PathKey>,
    columns: Vec<Vec<u32>>,
    /// There are too many paths: those to one object alone do not count.
    sparse: bool,
}

/// More paths than this, and than an eighth of the objects, are too many.
const MANY: usize = 1 << 16;

impl PathSeries {
    /// Adds a capture of so many paths and objects: counts by ascending key. A path that has fewer
    /// objects than before cannot grow any more; one that comes up after the second capture is too
    /// young to tell.
    pub fn add(
        &mut self,
        counts: impl IntoIterator<Item = (PathKey, u32)>,
        paths: usize,
        objects: usize,
    ) {
        self.sparse |= paths > MANY.max(objects / 8);
        let least = if self.sparse { 2 } else { 0 };
        let counts = counts.into_iter().filter(|c| c.1 >= least);
        if self.columns.is_empty() {
            let mut column = Vec::new();
            for (key, count) in counts {
                self.keys.push(key);
                column.push(count);
            }
            self.columns.push(column);
            return;
        }
        let young = self.columns.len() == 1;
        let mut keys = Vec::new();
        let mut columns: Vec<Vec<u32>> = vec![Vec::new(); self.columns.len() + 1];
        let last = self.columns.len();
        let mut old = 0;
        for (key, count) in counts {
            while old < self.keys.len() && self.keys[old] < key {
                old += 1;
            }
            let known = self.keys.get(old) == Some(&key);
            if known && self.columns[last - 1][old] > count || !known && !young {
                continue;
            }
            keys.push(key);
            for (i, column) in columns.iter_mut().enumerate() {
                column.push(match i {
                    i if i == last => count,
                    i if known => self.columns[i][old],
                    _ => 0,
                });
            }
        }
        (self.keys, self.columns) = (keys, columns);
    }

    /// The paths that have more objects than at first and of whose counts `grows` says so.
    pub fn growing(&self, grows: impl Fn(&[f64]) -> bool) -> FxHashSet<PathKey> {
        let (Some(first), Some(last)) = (self.columns.first(), self.columns.last()) else {
            return FxHashSet::default();
        };
        let mut row = Vec::new();
        let more = (0..self.keys.len()).filter(|&i| first[i] < last[i]);
        more.filter(|&i| {
            row.clear();
            row.extend(self.columns.iter().map(|c| f64::from(c[i])));
            grows(&row)
        })
        .map(|i| self.keys[i])
        .collect()
    }

    /// The counts of a path, one a capture; none where it cannot grow.
    pub fn get(&self, key: PathKey) -> Option<Vec<f64>> {
        let at = self.keys.binary_search(&key).ok()?;
        Some(self.columns.iter().map(|c| f64::from(c[at])).collect())
    }

    /// Whether a path has as many objects in every capture.
    pub fn is_still(&self, key: PathKey) -> bool {
        let Ok(at) = self.keys.binary_search(&key) else {
            return false;
        };
        let mut columns = self.columns.iter().map(|c| c[at]);
        let first = columns.next();
        columns.all(|n| Some(n) == first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(runs: &[f64]) -> Axis {
        Axis {
            runs: Some(runs.to_vec()),
            items: None,
            captures: runs.len(),
        }
    }

    #[test]
    fn counts_are_judged_along_the_runs() {
        let leak = axis(&[0.0, 10.0, 20.0, 40.0]).judge(&[0.0, 10.0, 20.0, 40.0]);
        assert!(leak.growth.is_leak() && leak.exact);
        assert_eq!(leak.per_run, Some(1.0));
        let cache = axis(&[0.0, 10.0, 20.0, 40.0]).judge(&[0.0, 10.0, 20.0, 20.0]);
        assert!(!cache.growth.is_leak());
        // One object more in every capture is the capture's own.
        let own = axis(&[10.0, 20.0, 30.0]).judge(&[4.0, 5.0, 6.0]);
        assert!(!own.growth.is_leak());
        assert_eq!(axis(&[1.0, 2.0]).judge(&[0.0, 3.0]).growth, Growth::New);
        assert_eq!(axis(&[1.0]).judge(&[3.0]).growth, Growth::Single);
    }

    #[test]
    fn paths_that_shrink_are_dropped() {
        let mut s = PathSeries::default();
        s.add([(1, 5), (2, 5), (4, 1)], 4, 100);
        s.add([(1, 6), (2, 4), (3, 7)], 4, 100);
        s.add([(1, 7), (2, 9), (3, 8), (9, 1)], 4, 100);
        assert_eq!(s.get(1), Some(vec![5.0, 6.0, 7.0]));
        assert_eq!(s.get(2), None);
        assert_eq!(s.get(3), Some(vec![0.0, 7.0, 8.0]));
        assert_eq!(s.get(9), None);
    }
}
