//! Which endpoint's load the growth coincides with: one regression over all of them, with lags and
//! a daily rhythm, so that a common rhythm and busy neighbours are no evidence.

use super::super::curve::Curve;
use super::super::fit::{median_of, newey_west, quantile, residualise, spread};
use super::super::rate::{RHYTHM_H, harmonics};
use super::log::{Endpoint, RequestLog};
use super::solve::{Normal, Sparse, correlation, product, right_side};
use crate::model::Cell;
use crate::trend::{holm, student_quantile_two_sided, student_two_sided};

/// Rounds of reweighting, and Huber's constant: only wild windows lose weight.
const ROUNDS: usize = 5;
const HUBER: f64 = 6.0;
/// Lags of the standard error, in windows.
const LAGS: i64 = 12;
/// Reported from this corrected p on.
const REPORTED: f64 = 1e-3;
/// The interval is printed this much wider than its standard error says: measured.
const WIDER: f64 = 1.3;
/// Loads that are as correlated as this are not told apart.
const ONE_LOAD: f64 = 0.85;
/// Fewest blocks that loads are held against each other in.
const LEAST_BLOCKS: usize = 20;
/// Growth before the load from this share on: the load follows the growth.
const BEFORE: f64 = 0.5;
/// Seconds around a restart that do not count.
const AROUND_RESTART_S: f64 = 600.0;
/// Fewest windows.
const LEAST_WINDOWS: usize = 30;
/// Most endpoints in one regression, and most squares of their number times windows.
const MOST_ENDPOINTS: usize = 200;
const MOST_WORK: f64 = 3e8;
/// What decides how small an effect can be seen: this many noises of a window.
const VISIBLE: f64 = 12.0;

/// When within a request memory grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// When the request ends.
    AtEnd,
    /// While it runs.
    WhileRunning,
}

/// Why an endpoint was not tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untested {
    /// Its load does not vary, or varies as others together do.
    NoVariation,
    /// It is too rare or one of too many.
    Rare,
}

/// How one endpoint's load goes with the growth of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Coincidence {
    /// The endpoint, by position.
    pub endpoint: usize,
    /// Endpoints that always run together with it, by position.
    pub together: Vec<usize>,
    /// Requests inside the windows.
    pub requests: f64,
    /// Why it could not be tested; the numbers below mean nothing then.
    pub untested: Option<Untested>,
    /// Growth per request, in units of the series.
    pub per_request: f64,
    /// Lower end of the interval of 95 %.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
    /// One-sided p of growth.
    pub p: f64,
    /// The same, corrected for the number of endpoints (Holm 1979).
    pub q: f64,
    /// Rank correlation at the best lag of a window: description, not evidence.
    pub correlation: f64,
    /// By how many seconds growth comes after the load, at the centre.
    pub lag_s: f64,
    /// Whether growth comes before the load: then it is no cause.
    pub follows_growth: bool,
    /// The smallest growth per request that would have been seen.
    pub visible: f64,
    /// Growth per hour of windows in which it ran.
    pub rate_running: Option<f64>,
    /// Growth per hour of windows in which it did not, and the interval's half width.
    pub rate_idle: Option<(f64, f64)>,
    /// The share of the windows of strongest growth in which it ran.
    pub in_growth_share: f64,
    /// Whether the growth coincides with it.
    pub reported: bool,
}

/// What coincides with the growth of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    /// Windows that count.
    pub windows: usize,
    /// Their width in seconds.
    pub window_s: f64,
    /// When within a request memory grows, as far as the fit tells.
    pub moment: Moment,
    /// Growth over the windows, in units of the series.
    pub growth: f64,
    /// The share of it that the reported endpoints explain.
    pub explained: f64,
    /// Endpoints: the reported ones by what they explain, then the others by p.
    pub endpoints: Vec<Coincidence>,
}

/// The windows of a series in which growth can be measured.
struct Windows {
    width_s: f64,
    /// Number of each window on the clock.
    at: Vec<i64>,
    /// Growth of each.
    growth: Vec<f64>,
    /// Its middle, in hours from the start of the series.
    t: Vec<f64>,
}

fn windows(curve: &Curve, width_s: i64) -> Windows {
    let by = width_s / curve.series.width_s;
    let cells = &curve.series.cells;
    let mut edges: Vec<&Cell> = Vec::new();
    for cell in cells.iter().filter(|c| c.at.rem_euclid(by.max(1)) == 0) {
        edges.push(cell);
    }
    let quiet = |seconds: f64| {
        curve
            .restarts
            .iter()
            .all(|r| (r.at.seconds() - seconds).abs() > AROUND_RESTART_S)
    };
    let mut all = Windows {
        width_s: width_s as f64,
        at: Vec::new(),
        growth: Vec::new(),
        t: Vec::new(),
    };
    for pair in edges.windows(2) {
        let middle = (pair[0].at as f64 + by as f64 / 2.0) * curve.series.width_s as f64;
        if pair[1].at - pair[0].at == by && quiet(middle) {
            all.at.push(pair[0].at.div_euclid(by));
            all.growth.push(pair[1].edge - pair[0].edge);
            all.t.push((middle - curve.series.start.seconds()) / 3600.0);
        }
    }
    // A recognised release gives back what many windows gathered: it says nothing of requests.
    if let Some(teeth) = curve.bins.teeth {
        let keep: Vec<bool> = all.growth.iter().map(|g| *g > -0.3 * teeth.size).collect();
        let mut i = 0;
        all.at.retain(|_| {
            i += 1;
            keep[i - 1]
        });
        for column in [&mut all.growth, &mut all.t] {
            let mut i = 0;
            column.retain(|_| {
                i += 1;
                keep[i - 1]
            });
        }
    }
    all
}

/// The load of an endpoint in each window, moved by `lag` windows.
fn column(e: &[&Endpoint], w: &Windows, per: i64, lag: i64, running: bool) -> Sparse {
    let mut sum = vec![0.0f64; w.at.len()];
    for e in e {
        for load in &e.loads {
            let window = load.at.div_euclid(per) - lag;
            if let Ok(place) = w.at.binary_search(&window) {
                sum[place] += f64::from(if running { load.ran } else { load.ended });
            }
        }
    }
    let filled = sum.iter().enumerate().filter(|(_, v)| **v != 0.0);
    filled.map(|(i, &v)| (i as u32, v)).collect()
}

/// One load that is tested: an endpoint, or several that always run together.
struct Unit {
    members: Vec<usize>,
}

/// Holds a log against a series. `None` if they share too few windows.
pub(super) fn attribute(log: &RequestLog, curve: &Curve) -> Option<Attribution> {
    let series_w = curve.series.width_s;
    let width = log.window_s.max(series_w);
    // Coarse samples have no growth of a minute.
    let wanted = (2.0 * curve.series.step_s / series_w as f64).ceil() as i64 * series_w;
    let mut width = width.max(if curve.series.step_s > series_w as f64 {
        wanted
    } else {
        width
    });
    width = (width + log.window_s - 1) / log.window_s * log.window_s;
    width = (width + series_w - 1) / series_w * series_w;
    let mut w = windows(curve, width);
    let per = width / log.window_s;
    let (first, last) = log.span?;
    let inside = |at: i64| at * width >= first.0 / 1000 - width && at * width <= last.0 / 1000;
    let keep: Vec<bool> = w.at.iter().map(|&at| inside(at)).collect();
    retain(&mut w, &keep);
    let n = w.at.len();
    if n < LEAST_WINDOWS {
        return None;
    }
    let counted = |e: &Endpoint| -> f64 {
        let inside = e
            .loads
            .iter()
            .filter(|l| w.at.binary_search(&l.at.div_euclid(per)).is_ok());
        inside.map(|l| f64::from(l.ended)).sum()
    };
    let requests: Vec<f64> = log.endpoints.iter().map(counted).collect();
    let room = (MOST_WORK / n as f64).sqrt() / 3.0;
    let most = MOST_ENDPOINTS.min(room as usize).min(n / 8).max(1);
    let mut order: Vec<usize> = (0..log.endpoints.len()).collect();
    let weight = |e: usize| {
        let e = &log.endpoints[e];
        e.seconds + 0.01 * e.count as f64
    };
    order.sort_by(|&a, &b| weight(b).total_cmp(&weight(a)).then(a.cmp(&b)));
    let mut chosen: Vec<usize> = order
        .into_iter()
        .filter(|&e| requests[e] >= 10.0)
        .take(most)
        .collect();
    chosen.sort_unstable();
    let pairs = if w.t[n - 1] - w.t[0] >= RHYTHM_H {
        3
    } else {
        0
    };
    let mut rhythm = vec![vec![1.0; n]];
    rhythm.extend(harmonics(&w.t, pairs));
    let units = together(log, &chosen, &w, per, &rhythm);
    let fits = [false, true].map(|running| fit(log, &units, &w, per, &rhythm, running));
    // Without durations both are the same; growth at the end is the simpler story.
    let running = fits[1].rss < fits[0].rss * (1.0 - 1e-9);
    let fit = &fits[usize::from(running)];
    Some(judge(
        log, &units, &w, per, &rhythm, fit, &requests, running,
    ))
}

fn retain(w: &mut Windows, keep: &[bool]) {
    let pick = |from: &[f64]| -> Vec<f64> {
        from.iter()
            .zip(keep)
            .filter(|(_, k)| **k)
            .map(|(v, _)| *v)
            .collect()
    };
    w.growth = pick(&w.growth);
    w.t = pick(&w.t);
    w.at =
        w.at.iter()
            .zip(keep)
            .filter(|(_, k)| **k)
            .map(|(v, _)| *v)
            .collect();
}

/// Groups endpoints whose loads go together in windows of ten minutes, without the daily rhythm and
/// also from one window to the next.
fn together(
    log: &RequestLog,
    chosen: &[usize],
    w: &Windows,
    per: i64,
    rhythm: &[Vec<f64>],
) -> Vec<Unit> {
    // Few blocks go together by chance.
    let most = (w.at.len() / LEAST_BLOCKS) as i64;
    let per_block = ((600.0 / w.width_s).round() as i64).min(most).max(1);
    let mut blocks: Vec<i64> = w.at.iter().map(|a| a.div_euclid(per_block)).collect();
    blocks.dedup();
    let place = |window: i64| blocks.binary_search(&window.div_euclid(per_block)).ok();
    let mut coarse_rhythm = vec![vec![0.0; blocks.len()]; rhythm.len()];
    let mut seen = vec![0.0; blocks.len()];
    for (i, &at) in w.at.iter().enumerate() {
        if let Some(b) = place(at) {
            seen[b] += 1.0;
            for (k, column) in rhythm.iter().enumerate() {
                coarse_rhythm[k][b] += column[i];
            }
        }
    }
    for column in &mut coarse_rhythm {
        for (v, n) in column.iter_mut().zip(&seen) {
            *v /= n;
        }
    }
    let mut loads: Vec<Vec<f64>> = Vec::with_capacity(chosen.len());
    for &e in chosen {
        let mut load = vec![0.0; blocks.len()];
        for l in &log.endpoints[e].loads {
            let window = l.at.div_euclid(per);
            if w.at.binary_search(&window).is_ok()
                && let Some(b) = place(window)
            {
                load[b] += f64::from(l.ended);
            }
        }
        loads.push(load);
    }
    let steps: Vec<Vec<f64>> = loads
        .iter()
        .map(|l| l.windows(2).map(|p| p[1] - p[0]).collect())
        .collect();
    residualise(&mut loads, &coarse_rhythm);
    let mut units: Vec<Unit> = Vec::new();
    let mut heads: Vec<usize> = Vec::new();
    for i in 0..chosen.len() {
        let twin = heads.iter().position(|&h| {
            correlation(&loads[i], &loads[h]) > ONE_LOAD
                && correlation(&steps[i], &steps[h]) > ONE_LOAD
        });
        match twin {
            Some(u) => units[u].members.push(chosen[i]),
            None => {
                units.push(Unit {
                    members: vec![chosen[i]],
                });
                heads.push(i);
            }
        }
    }
    units
}

struct Fitted {
    columns: Vec<Sparse>,
    normal: Normal,
    b: Vec<f64>,
    weights: Vec<f64>,
    residuals: Vec<f64>,
    rss: f64,
}

fn fit(
    log: &RequestLog,
    units: &[Unit],
    w: &Windows,
    per: i64,
    rhythm: &[Vec<f64>],
    running: bool,
) -> Fitted {
    let n = w.at.len();
    let mut columns: Vec<Sparse> = rhythm
        .iter()
        .map(|c| c.iter().enumerate().map(|(i, &v)| (i as u32, v)).collect())
        .collect();
    for unit in units {
        let members: Vec<&Endpoint> = unit.members.iter().map(|&e| &log.endpoints[e]).collect();
        // The load one window later, now, and one window earlier: growth before, at and after it.
        for lag in [1, 0, -1] {
            columns.push(column(&members, w, per, lag, running));
        }
    }
    let mut weights = vec![1.0; n];
    let mut out = None;
    for round in 0..=ROUNDS {
        let normal = Normal::new(&columns, &weights);
        let b = normal.solve(&right_side(&columns, &w.growth, &weights));
        let fitted = product(&columns, &b, n);
        let residuals: Vec<f64> = w.growth.iter().zip(&fitted).map(|(y, f)| y - f).collect();
        let rss = residuals.iter().zip(&weights).map(|(r, w)| w * r * r).sum();
        let used = weights.clone();
        if round < ROUNDS {
            let scale = 1.4826 * median_of(&residuals.iter().map(|r| r.abs()).collect::<Vec<_>>());
            for (weight, r) in weights.iter_mut().zip(&residuals) {
                *weight = match scale > 0.0 && r.abs() > HUBER * scale {
                    true => HUBER * scale / r.abs(),
                    false => 1.0,
                };
            }
        }
        let settled = weights == used;
        out = Some(Fitted {
            columns: Vec::new(),
            normal,
            b,
            weights: used,
            residuals,
            rss,
        });
        if settled {
            break;
        }
    }
    let mut fitted = out.unwrap_or_else(|| Fitted {
        columns: Vec::new(),
        normal: Normal::new(&[], &[]),
        b: Vec::new(),
        weights: vec![1.0; n],
        residuals: w.growth.clone(),
        rss: f64::INFINITY,
    });
    fitted.columns = columns;
    fitted
}

#[allow(clippy::too_many_arguments)]
fn judge(
    log: &RequestLog,
    units: &[Unit],
    w: &Windows,
    per: i64,
    rhythm: &[Vec<f64>],
    fit: &Fitted,
    requests: &[f64],
    running: bool,
) -> Attribution {
    let n = w.at.len();
    let p_columns = fit.columns.len() - fit.normal.left_out.iter().filter(|l| **l).count();
    let df = (n as f64 - p_columns as f64).max(4.0);
    let s2 = fit.rss / df;
    let sd = spread(&fit.residuals);
    let growth: f64 = w.growth.iter().sum();
    let mut sorted = w.growth.clone();
    sorted.sort_by(f64::total_cmp);
    let strong = quantile(&sorted, 0.9);
    let mut plain_growth = vec![w.growth.clone()];
    residualise(&mut plain_growth, rhythm);
    let mut found: Vec<Coincidence> = Vec::new();
    for (u, unit) in units.iter().enumerate() {
        let at = rhythm.len() + 3 * u;
        let places = at..at + 3;
        let untested = fit.normal.left_out[places.clone()].iter().any(|l| *l);
        let mut c = vec![0.0; fit.columns.len()];
        c[places.clone()].fill(1.0);
        let direction = fit.normal.solve(&c);
        let plain = (s2 * direction[places.clone()].iter().sum::<f64>())
            .max(0.0)
            .sqrt();
        let influence = product(&fit.columns, &direction, n);
        let scores: Vec<f64> = (0..n)
            .map(|i| influence[i] * fit.weights[i] * fit.residuals[i])
            .collect();
        let v = newey_west(&scores, &w.at, LAGS.min(n as i64 / 8)).max(0.0) * n as f64 / df;
        let se = v.sqrt().max(0.5 * plain);
        let [before, now, after] = [fit.b[at], fit.b[at + 1], fit.b[at + 2]];
        let value = before + now + after;
        let two_sided = if se > 0.0 {
            student_two_sided(value / se, df)
        } else {
            1.0
        };
        let p = if value > 0.0 {
            two_sided / 2.0
        } else {
            1.0 - two_sided / 2.0
        };
        let reach = student_quantile_two_sided(0.05, df) * se * WIDER;
        let members: Vec<&Endpoint> = unit.members.iter().map(|&e| &log.endpoints[e]).collect();
        let ran = dense(&column(&members, w, per, 0, true), n);
        let total: f64 = unit.members.iter().map(|&e| requests[e]).sum();
        let idle: Vec<f64> = (0..n)
            .filter(|&i| ran[i] == 0.0)
            .map(|i| w.growth[i])
            .collect();
        let busy: Vec<f64> = (0..n)
            .filter(|&i| ran[i] > 0.0)
            .map(|i| w.growth[i])
            .collect();
        let per_hour = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64 * 3600.0 / w.width_s;
        let ran_strong = (0..n)
            .filter(|&i| w.growth[i] >= strong && ran[i] > 0.0)
            .count();
        let all_strong = (0..n).filter(|&i| w.growth[i] >= strong).count().max(1);
        let lag = match value != 0.0 {
            true => ((after - before) / value * w.width_s).clamp(-w.width_s, w.width_s),
            false => 0.0,
        };
        found.push(Coincidence {
            endpoint: unit.members[0],
            together: unit.members[1..].to_vec(),
            requests: total,
            untested: untested.then_some(Untested::NoVariation),
            per_request: value,
            lo: value - reach,
            hi: value + reach,
            p: if untested { 1.0 } else { p },
            q: 1.0,
            correlation: ranked(&plain_growth[0], &members, w, per, rhythm, running),
            lag_s: lag,
            follows_growth: before > BEFORE * value && value > 0.0,
            visible: VISIBLE * sd / total.max(1.0).sqrt(),
            rate_running: (busy.len() >= 5).then(|| per_hour(&busy)),
            rate_idle: (idle.len() >= 5).then(|| {
                let mean = idle.iter().sum::<f64>() / idle.len() as f64;
                let squares: f64 = idle.iter().map(|v| (v - mean) * (v - mean)).sum();
                let se = squares.sqrt() / idle.len() as f64;
                (per_hour(&idle), 1.96 * se * 3600.0 / w.width_s)
            }),
            in_growth_share: ran_strong as f64 / all_strong as f64,
            reported: false,
        });
    }
    let corrected = holm(&found.iter().map(|c| c.p).collect::<Vec<_>>());
    for (c, q) in found.iter_mut().zip(corrected) {
        c.q = q;
        // Without growth that goes with it there is nothing to follow.
        c.follows_growth &= q < REPORTED;
        c.reported =
            q < REPORTED && c.untested.is_none() && c.per_request > 0.0 && !c.follows_growth;
    }
    found.sort_by(|a, b| {
        let share = |c: &Coincidence| c.per_request * c.requests;
        let by_share = share(b).total_cmp(&share(a));
        let by_p = a.p.total_cmp(&b.p);
        b.reported
            .cmp(&a.reported)
            .then(if a.reported && b.reported {
                by_share
            } else {
                by_p
            })
            .then(a.endpoint.cmp(&b.endpoint))
    });
    let reported = found.iter().filter(|c| c.reported);
    let named: f64 = reported.map(|c| c.per_request * c.requests).sum();
    Attribution {
        windows: n,
        window_s: w.width_s,
        moment: if running {
            Moment::WhileRunning
        } else {
            Moment::AtEnd
        },
        growth,
        explained: if growth > 0.0 { named / growth } else { 0.0 },
        endpoints: found,
    }
}

fn dense(column: &Sparse, n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n];
    for &(i, v) in column {
        out[i as usize] = v;
    }
    out
}

/// Spearman's correlation of growth and load without the rhythm, at the best of three lags.
fn ranked(
    growth: &[f64],
    members: &[&Endpoint],
    w: &Windows,
    per: i64,
    rhythm: &[Vec<f64>],
    running: bool,
) -> f64 {
    let n = w.at.len();
    let mut loads: Vec<Vec<f64>> = [-1, 0, 1]
        .map(|lag| dense(&column(members, w, per, lag, running), n))
        .to_vec();
    residualise(&mut loads, rhythm);
    let growth = ranks(growth);
    let all = loads.iter().map(|l| correlation(&growth, &ranks(l)));
    all.max_by(|a, b| a.abs().total_cmp(&b.abs()))
        .unwrap_or(0.0)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let mut out = vec![0.0; values.len()];
    let mut i = 0;
    while i < order.len() {
        let mut j = i;
        while j + 1 < order.len() && values[order[j + 1]] == values[order[i]] {
            j += 1;
        }
        for &k in &order[i..=j] {
            out[k] = (i + j) as f64 / 2.0;
        }
        i = j + 1;
    }
    out
}
