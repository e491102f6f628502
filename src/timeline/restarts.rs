//! Restart, release, or neither: a drop to a new process gives nothing back.

use super::bins::{Bins, Teeth};
use super::fit::spread;
use crate::model::Measure;
use crate::model::Series;
use crate::model::SeriesUnit;
use crate::model::Time;

/// A drop across a gap is a restart from this share of the level on.
const SHARE_OF_LEVEL: f64 = 0.15;
/// And from so many times the usual change over the same lag.
const TIMES_USUAL: f64 = 6.0;
/// A counter that falls below this share of what it was has begun again.
const COUNTER_RESET: f64 = 0.5;
/// A drop by more than this share without a counter: release or restart, cannot tell.
const HALF: f64 = 0.5;
/// Hours behind a restart that are left out.
pub(super) const SETTLE_H: f64 = 2.0;

/// What a restart is known by, the strongest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// A number that may only rise fell, or the process has another id; its name.
    Counter(String),
    /// Samples were missing and the level behind them is far lower.
    Gap,
    /// The level fell by more than half at once; no counter tells whether it was a restart.
    Drop,
}

/// A new process.
#[derive(Debug, Clone, PartialEq)]
pub struct Restart {
    /// When.
    pub at: Time,
    /// How it is known.
    pub evidence: Evidence,
    /// Level before.
    pub before: f64,
    /// Level of the new process.
    pub after: f64,
    /// Whether it gave something back; else both processes are one for the statistics.
    pub gave_back: bool,
}

/// Restarts that the counters and ids of a service tell: when, and which number told.
pub(super) fn of_service(all: &[&Series]) -> Vec<(Time, String)> {
    let mut found: Vec<(Time, String)> = Vec::new();
    for s in all {
        let identity = s.name.role == Measure::Identity;
        if !identity && s.name.role != Measure::Counter {
            continue;
        }
        for pair in s.cells.windows(2) {
            let (a, b) = (&pair[0], &pair[1]);
            let reset = match identity {
                true => b.min != b.max || a.max != b.min,
                false => b.fell && b.min < COUNTER_RESET * a.last,
            };
            let again = identity && a.min != a.max && a.last == b.first && b.min == b.max;
            if reset && !again {
                found.push((Time(b.at * s.width_s * 1000), s.name.metric.clone()));
            }
        }
    }
    found.sort();
    // Several counters tell of the same restart within two minutes.
    found.dedup_by(|b, a| b.0.0 - a.0.0 <= 120_000);
    found
}

/// The restarts of one series. `certain` are those that counters told.
pub(super) fn of_series(
    series: &Series,
    certain: &[(Time, String)],
    teeth: Option<Teeth>,
) -> Vec<Restart> {
    let cells = &series.cells;
    let width = series.width_s * 1000;
    let mut found: Vec<Restart> = Vec::new();
    for (at, name) in certain {
        let cell = at.0.div_euclid(width);
        let before = cells.partition_point(|c| c.at < cell);
        let after = cells.partition_point(|c| c.at <= cell + 1);
        if before == 0 || after >= cells.len() {
            continue;
        }
        found.push(Restart {
            at: *at,
            evidence: Evidence::Counter(name.clone()),
            before: cells[before - 1].median,
            after: cells[after].median,
            gave_back: true,
        });
    }
    for gap in &series.gaps {
        let before = cells.partition_point(|c| c.at < gap.from.0.div_euclid(width));
        let after = cells.partition_point(|c| c.at <= gap.to.0.div_euclid(width));
        let Some(before) = before.checked_sub(1) else {
            continue;
        };
        if after >= cells.len() {
            continue;
        }
        let (a, b) = (&cells[before], &cells[after]);
        let drop = a.median - b.median;
        if drop <= SHARE_OF_LEVEL * a.median.abs() {
            continue;
        }
        let usual = usual_change(series, (b.at - a.at).max(1));
        if drop > TIMES_USUAL * usual {
            found.push(Restart {
                at: gap.to,
                evidence: Evidence::Gap,
                before: a.median,
                after: b.median,
                gave_back: true,
            });
        }
    }
    // A number of threads halves without any restart.
    if teeth.is_none() && series.name.unit == SeriesUnit::Bytes {
        for i in 1..cells.len().saturating_sub(2) {
            let (a, b) = (&cells[i - 1], &cells[i + 1]);
            let at_once = b.at - a.at <= 2 && cells[i].max - cells[i].min >= HALF * a.median
                || cells[i].at - a.at <= 1 && cells[i].median < HALF * a.median;
            if at_once && b.median < HALF * a.median && cells[i + 2].median < HALF * a.median {
                found.push(Restart {
                    at: Time(cells[i].at * width),
                    evidence: Evidence::Drop,
                    before: a.median,
                    after: b.median,
                    gave_back: true,
                });
            }
        }
    }
    found.sort_by(|a, b| a.at.cmp(&b.at).then(a.evidence.cmp(&b.evidence)));
    // One restart is told by several: the strongest evidence stays.
    let mut kept: Vec<Restart> = Vec::new();
    for restart in found {
        match kept.last_mut() {
            Some(last) if restart.at.0 - last.at.0 <= 3 * width => {
                if restart.evidence < last.evidence {
                    *last = restart;
                }
            }
            _ => kept.push(restart),
        }
    }
    kept
}

/// 1.4826 times the median change of the cells over `lag` cells.
fn usual_change(series: &Series, lag: i64) -> f64 {
    let cells = &series.cells;
    let (mut j, mut changes) = (0, Vec::new());
    for i in 0..cells.len() {
        while j < cells.len() && cells[j].at < cells[i].at + lag {
            j += 1;
        }
        if j < cells.len() && cells[j].at == cells[i].at + lag {
            changes.push(cells[j].median - cells[i].median);
        }
    }
    spread(&changes)
}

/// One process, or several that a restart did not change.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    /// Its first bin.
    pub from: usize,
    /// The bin behind its last one.
    pub to: usize,
    /// When it was born, in hours from the start of the series, if that was seen.
    pub born: Option<f64>,
    /// Whether it is not known that it is another process than the one before.
    pub doubtful: bool,
}

/// Cuts the bins at restarts that gave something back, and joins the others: bins that touch a
/// restart go, and those within two hours behind one that is joined.
pub(super) fn cut(series: &Series, bins: &mut Bins, restarts: &mut [Restart]) -> Vec<Process> {
    let changes: Vec<f64> = bins.bins.windows(2).map(|p| p[1].y - p[0].y).collect();
    let s = spread(&changes) / std::f64::consts::SQRT_2;
    let hours = |t: Time| t.hours_since(series.start);
    for r in restarts.iter_mut() {
        let at = hours(r.at);
        let range = |lo: f64, hi: f64| {
            bins.bins
                .iter()
                .filter(move |b| b.t >= lo && b.t < hi)
                .map(|b| b.y)
        };
        let floor_before = range(at - 1.0, at).fold(f64::INFINITY, f64::min);
        let top_after = range(at + 1.0, at + 3.0).fold(f64::NEG_INFINITY, f64::max);
        let known = floor_before.is_finite() && top_after.is_finite();
        r.gave_back = !known || top_after < floor_before - 3.0 * s;
    }
    let width = bins.width_s as f64 / 3600.0;
    bins.bins.retain(|b| {
        restarts.iter().all(|r| {
            let at = hours(r.at);
            let touched = (b.t - at).abs() < width;
            let settling = !r.gave_back && b.t >= at && b.t < at + SETTLE_H;
            !(touched || settling)
        })
    });
    let mut processes = Vec::new();
    let (mut from, mut born, mut doubtful) = (0, None, false);
    for r in restarts.iter().filter(|r| r.gave_back) {
        let at = hours(r.at);
        let to = bins.bins.partition_point(|b| b.t < at);
        if to > from {
            processes.push(Process {
                from,
                to,
                born,
                doubtful,
            });
        }
        (from, born, doubtful) = (to, Some(at), r.evidence == Evidence::Drop);
    }
    if bins.bins.len() > from {
        let to = bins.bins.len();
        processes.push(Process {
            from,
            to,
            born,
            doubtful,
        });
    }
    processes
}
