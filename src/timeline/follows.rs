//! What growth follows: movements of memory against movements of each counter, never levels against
//! levels, which rise together by chance.

use super::curve::Curve;
use super::fit::{fit, newey_west};
use super::rate::{RHYTHM_H, harmonics};
use crate::model::Series;
use crate::trend::student_two_sided;

/// Width of a window in seconds.
const WINDOW_S: i64 = 300;
/// Fewest windows.
const LEAST_WINDOWS: usize = 48;
/// Most counters that are tested at once.
const MOST_COUNTERS: usize = 12;
/// The level of the test, before it is divided by the number of counters.
const LEVEL: f64 = 1e-3;
const LAGS: i64 = 12;

/// A counter that growth goes with.
#[derive(Debug, Clone, PartialEq)]
pub struct Follow {
    /// Position of the counter among those that were offered.
    pub counter: usize,
    /// Units of memory for each unit of the counter, beside all other counters.
    pub per_unit: f64,
    /// The share of the growth that its movement explains.
    pub share: f64,
    /// p beside all other counters.
    pub p: f64,
    /// Whether it passes.
    pub passes: bool,
}

/// Tests each counter beside the others; in the order offered, at most twelve. Empty with too few
/// windows.
pub(super) fn follows(curve: &Curve, counters: &[&Series]) -> Vec<Follow> {
    let by = (WINDOW_S / curve.series.width_s).max(1);
    let width = by * curve.series.width_s;
    let edges: Vec<(i64, f64)> = curve
        .series
        .cells
        .iter()
        .filter(|c| c.at.rem_euclid(by) == 0)
        .map(|c| (c.at.div_euclid(by), c.edge))
        .collect();
    let quiet = |at: i64| {
        let middle = (at as f64 + 0.5) * width as f64;
        curve
            .restarts
            .iter()
            .all(|r| (r.at.seconds() - middle).abs() > 900.0)
    };
    let release = curve.bins.teeth.map_or(f64::INFINITY, |t| 0.3 * t.size);
    let mut at = Vec::new();
    let mut growth = Vec::new();
    for p in edges.windows(2) {
        if p[1].0 == p[0].0 + 1 && quiet(p[0].0) && p[1].1 - p[0].1 > -release {
            at.push(p[0].0);
            growth.push(p[1].1 - p[0].1);
        }
    }
    let counters = &counters[..counters.len().min(MOST_COUNTERS)];
    let moves: Vec<Vec<f64>> = counters.iter().map(|s| movement(s, &at, width)).collect();
    let n = at.len();
    if n < LEAST_WINDOWS.max(4 * counters.len()) {
        return Vec::new();
    }
    let t: Vec<f64> = at.iter().map(|a| (a * width) as f64 / 3600.0).collect();
    let pairs = if t[n - 1] - t[0] >= RHYTHM_H { 3 } else { 0 };
    let total: f64 = growth.iter().sum();
    let mut out = Vec::new();
    for (i, x) in moves.iter().enumerate() {
        let mut others = vec![vec![1.0; n]];
        others.extend(harmonics(&t, pairs));
        others.extend(
            moves
                .iter()
                .enumerate()
                .filter(|(j, _)| *j != i)
                .map(|(_, m)| m.clone()),
        );
        let Some(f) = fit(&growth, &others, x, true) else {
            continue;
        };
        let scores: Vec<f64> = (0..n)
            .map(|k| f.x[k] * f.weights[k] * f.residuals[k])
            .collect();
        let x0: f64 = (0..n).map(|k| f.x[k] * f.x[k] * f.weights[k]).sum();
        let left = (n - f.columns).max(1) as f64;
        let plain = f.residuals.iter().map(|r| r * r).sum::<f64>() / left / x0;
        let robust = newey_west(&scores, &at, LAGS) * n as f64 / left / (x0 * x0);
        let se = robust.max(0.25 * plain).sqrt();
        let p = if se > 0.0 {
            student_two_sided(f.value / se, left)
        } else {
            0.0
        };
        let moved: f64 = x.iter().sum();
        out.push(Follow {
            counter: i,
            per_unit: f.value,
            share: if total != 0.0 {
                f.value * moved / total
            } else {
                0.0
            },
            p,
            passes: f.value > 0.0 && p < LEVEL / counters.len() as f64,
        });
    }
    out
}

/// What a counter moved by in each window: its rises if it only rises, else its difference.
fn movement(series: &Series, at: &[i64], width: i64) -> Vec<f64> {
    let cumulative = series.name.role.is_cumulative();
    let by = (width / series.width_s).max(1);
    let mut out = vec![0.0; at.len()];
    let mut edges: Vec<(i64, f64)> = Vec::new();
    for c in &series.cells {
        let window = c.at.div_euclid(by);
        if cumulative {
            if let Ok(i) = at.binary_search(&window) {
                out[i] += c.rise;
            }
        } else if edges.last().is_none_or(|e| e.0 != window) {
            edges.push((window, c.edge));
        }
    }
    for p in edges.windows(2) {
        if p[1].0 == p[0].0 + 1
            && let Ok(i) = at.binary_search(&p[0].0)
        {
            out[i] = p[1].1 - p[0].1;
        }
    }
    out
}
