//! How well each model explains one series: weights, residuals, scores.
//!
//! Weighted least squares throughout; the score of a model is that of Schwarz
//! (1978), n ln(RSS) + k ln n, lower is better. Each model has its own
//! residual, so a step or a sawtooth does not raise the noise of the model that
//! explains it.

use super::dist;
use super::template::Templates;

/// Buffers that are reused from series to series.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// Values divided by `scale`.
    y: Vec<f64>,
    w: Vec<f64>,
    /// `w (y - mu)`.
    v: Vec<f64>,
    level: Vec<f64>,
    /// `w` and `v` in single precision.
    w32: Vec<f32>,
    v32: Vec<f32>,
    /// Sums of w and of v before each capture; one more than captures.
    w_before: Vec<f64>,
    v_before: Vec<f64>,
}

/// Where the noise of one series comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Variance<'a> {
    /// Unknown: taken as proportional to the level.
    Relative,
    /// Sampling: unit times the smoothed level.
    Unit(f64),
    /// Given, one a capture.
    Given(&'a [f64]),
}

/// The line alone: enough to tell that nothing grows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub n: usize,
    pub known: bool,
    /// Sums below are of y over the mean of |y|.
    w_sum: f64,
    pub syy: f64,
    pub rss: f64,
    /// Slope in y per x, and its standard error.
    pub slope: f64,
    pub se: f64,
    /// Two-sided p of the slope.
    pub p: f64,
    pub score_c: f64,
    pub score_l: f64,
}

/// Every model of one series. Scores are infinite where a model has too many
/// parameters for the captures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    pub line: Line,
    /// The smaller p of line and curve.
    pub p: f64,
    pub a: f64,
    pub q: f64,
    pub d: f64,
    pub s: f64,
    pub s2: f64,
    pub w: f64,
    pub wd: f64,
    pub v: f64,
    pub t: f64,
    /// The best of line, curve and upward parabola.
    pub lk: f64,
    /// Relative noise left after growth (unit scale with known variances).
    pub residual: f64,
    /// Captures before the best single step, and whether it goes up.
    pub step_at: usize,
    pub step_up: bool,
    /// Settling share of the best warm-up.
    pub settle: f64,
    /// Smallest mean squared residual of constant, step, warm-ups, teeth, line.
    pub least: f64,
}

/// Prior degrees behind a known variance: an estimate from this many captures.
const PRIOR: f64 = 1000.0;

fn noise_floor(n: usize) -> f64 {
    1e-6 * n as f64
}

impl Line {
    fn score(&self, rss: f64, k: f64) -> f64 {
        let n = self.n as f64;
        if n - k <= 0.5 {
            return f64::INFINITY;
        }
        let rss = rss.max(0.0);
        if self.known {
            (n + PRIOR) * ((PRIOR + rss) / PRIOR).ln() + k * n.ln()
        } else {
            n * (rss + noise_floor(self.n)).ln() + k * n.ln()
        }
    }

    /// Variance of one weighted value, and its degrees of freedom.
    fn error(&self, rss: f64, k: f64) -> (f64, f64) {
        let df = self.n as f64 - k;
        if self.known {
            ((PRIOR + rss) / (PRIOR + df), PRIOR + df)
        } else {
            ((rss + noise_floor(self.n)) / df, df)
        }
    }

    /// Degrees of freedom of the slope's standard error.
    pub fn degrees(&self) -> f64 {
        self.error(self.rss, 2.0).1
    }
}

/// Weights, mean and line of a series of at least three values. `None` if the
/// values are not finite or their sum is not, or x does not vary.
pub(super) fn line(
    tpl: &Templates,
    values: &[f64],
    variance: Variance<'_>,
    buf: &mut Buffers,
) -> Option<Line> {
    let n = values.len();
    if n < 3 || tpl.u.len() != n {
        return None;
    }
    let scale = values.iter().map(|v| v.abs()).sum::<f64>() / n as f64;
    if !scale.is_finite() || scale <= 0.0 {
        return None;
    }
    buf.y.clear();
    buf.y.extend(values.iter().map(|v| v / scale));
    let known = weights(values, variance, scale, buf);

    let (mut w_sum, mut wy, mut wu) = (0.0, 0.0, 0.0);
    for ((&w, &y), &u) in buf.w.iter().zip(&buf.y).zip(&tpl.u) {
        w_sum += w;
        wy += w * y;
        wu += w * u;
    }
    let (mu, mean_u) = (wy / w_sum, wu / w_sum);
    buf.v.clear();
    buf.w_before.clear();
    buf.v_before.clear();
    let (mut syy, mut suy, mut suu, mut wb, mut vb) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for ((&w, &y), &u) in buf.w.iter().zip(&buf.y).zip(&tpl.u) {
        let v = w * (y - mu);
        buf.v.push(v);
        buf.w_before.push(wb);
        buf.v_before.push(vb);
        wb += w;
        vb += v;
        syy += v * (y - mu);
        suy += v * (u - mean_u);
        suu += w * (u - mean_u) * (u - mean_u);
    }
    buf.w_before.push(wb);
    buf.v_before.push(vb);
    buf.w32.clear();
    buf.w32.extend(buf.w.iter().map(|&w| w as f32));
    buf.v32.clear();
    buf.v32.extend(buf.v.iter().map(|&v| v as f32));
    if !(suu > 1e-12 * w_sum && syy.is_finite()) {
        return None;
    }
    let per_u = suy / suu;
    let rss = (syy - suy * suy / suu).max(0.0);
    let span = tpl.x.last()? - tpl.x.first()?;
    let mut line = Line {
        n,
        known,
        w_sum,
        syy,
        rss,
        slope: per_u * scale / span,
        se: 0.0,
        p: 1.0,
        score_c: 0.0,
        score_l: 0.0,
    };
    let (error, df) = line.error(rss, 2.0);
    let se = (error / suu).sqrt();
    line.se = se * scale / span;
    line.p = dist::student_two_sided(per_u / se, df);
    line.score_c = line.score(syy, 1.0);
    line.score_l = line.score(rss, 2.0);
    Some(line)
}

/// Fills `w`; true if the variances are known.
fn weights(values: &[f64], variance: Variance<'_>, scale: f64, buf: &mut Buffers) -> bool {
    let n = values.len();
    buf.w.clear();
    if let Variance::Given(given) = variance {
        let usable = given.len() == n && given.iter().all(|&v| v.is_finite() && v > 0.0);
        if usable {
            buf.w.extend(given.iter().map(|v| scale * scale / v));
            return true;
        }
    }
    smooth_level(buf);
    let unit = match variance {
        Variance::Unit(unit) if unit.is_finite() && unit > 0.0 => Some(unit / scale),
        _ => None,
    };
    // The median of y needs no second buffer: w is free until it is filled.
    buf.w.extend_from_slice(&buf.y);
    let median = super::robust::median(&mut buf.w);
    buf.w.clear();
    if let Some(unit) = unit {
        // A level of less than a sample is known no better than a sample.
        let floor = (0.05 * median).max(unit.min(1.0));
        buf.w
            .extend(buf.level.iter().map(|&l| 1.0 / (unit * l.max(floor))));
        return true;
    }
    let floor = (0.05 * median).max(0.01);
    buf.w
        .extend(buf.level.iter().map(|&l| l.max(floor).powi(-2)));
    let mean = buf.w.iter().sum::<f64>() / n as f64;
    for w in &mut buf.w {
        *w /= mean;
    }
    false
}

/// Running median of three, then (1, 2, 1) / 4, end values repeated.
fn smooth_level(buf: &mut Buffers) {
    let y = &buf.y;
    let n = y.len();
    let at = |i: usize| y[i.min(n - 1)];
    let median3 = |i: usize| {
        let (a, b, c) = (at(i.saturating_sub(1)), at(i), at(i + 1));
        a.max(b).min(a.min(b).max(c))
    };
    buf.level.clear();
    buf.level.extend((0..n).map(|i| {
        let next = if i + 1 < n { i + 1 } else { i };
        0.25 * (median3(i.saturating_sub(1)) + 2.0 * median3(i) + median3(next))
    }));
}

/// All models but the sawtooths, after [`line`] filled the buffers for the same
/// series.
pub(super) fn fit(tpl: &Templates, line: Line, buf: &Buffers) -> Fit {
    let (n, syy, w_sum) = (line.n, line.syy, line.w_sum);
    let (w, v) = (&buf.w[..], &buf.v[..]);
    let left = |gain: f64| {
        if gain < 0.0 {
            f64::INFINITY
        } else {
            (syy - gain).max(0.0)
        }
    };
    let rising = tpl.best(tpl.rising, w, v, w_sum);
    let settling = tpl.best(tpl.settling, w, v, w_sum);
    let saturating = tpl.best(tpl.saturating, w, v, w_sum);
    let (rss_a, rss_w, rss_v) = (left(rising.up), left(settling.up), left(saturating.up));
    let (gain_2, curve) = parabola(tpl, w, v, w_sum);
    let rss_2 = left(gain_2);
    let (step_gain, step_at) = one_step(buf, w_sum);
    let rss_s = left(step_gain);

    let a = line.score(rss_a, 3.0);
    let score_2 = line.score(rss_2, 3.0);
    let q = if curve > 0.0 { score_2 } else { f64::INFINITY };
    let d = if curve < 0.0 { score_2 } else { f64::INFINITY };
    let s2 = if n >= 6 {
        line.score(left(two_steps(buf)), 5.0)
    } else {
        f64::INFINITY
    };
    let lk = line.score_l.min(a).min(q);
    let rss_q = if curve > 0.0 { rss_2 } else { f64::INFINITY };
    let growth = line.rss.min(rss_a).min(rss_q);
    let least = syy.min(rss_s).min(rss_w).min(rss_v).min(line.rss);

    let mut p = line.p;
    if a < line.score_l && line.slope > 0.0 {
        let (error, df) = line.error(rss_a, 2.5);
        let t = ((syy - rss_a).max(0.0) / error).sqrt();
        p = p.min((6.0 * dist::student_two_sided(t, df)).min(1.0));
    }
    Fit {
        line,
        p,
        a,
        q,
        d,
        s: line.score(rss_s, 3.0),
        s2,
        w: line.score(rss_w, 3.5),
        wd: line.score(left(settling.down), 3.5),
        v: line.score(rss_v, 3.5),
        t: f64::INFINITY,
        lk,
        residual: (growth / (n as f64 - 2.0)).sqrt(),
        step_at,
        step_up: buf.v_before.get(step_at).is_some_and(|&b| b < 0.0),
        settle: tpl.parameter(settling.up_at),
        least: least / n as f64,
    }
}

/// Adds the sawtooths, three quarters of the cost: linear ones of any phase, and
/// means of phases of whole captures.
pub(super) fn add_teeth(tpl: &Templates, fit: &mut Fit, buf: &Buffers) {
    let line = fit.line;
    let left = |gain: f64| {
        if gain < 0.0 {
            f64::INFINITY
        } else {
            (line.syy - gain).max(0.0)
        }
    };
    let (w, v) = (&buf.w[..], &buf.v[..]);
    let mut rss = left(tpl.best_teeth((w, v, line.w_sum), (&buf.w32, &buf.v32)));
    fit.t = line.score(rss, 4.0);
    for period in 2..=line.n / 3 {
        if line.n > period + 2 {
            let phase = left(phases(period, w, v));
            let score = line.score(phase, period as f64 + 1.0);
            if score < fit.t {
                fit.t = score;
                rss = phase;
            }
        }
    }
    fit.least = fit.least.min(rss / line.n as f64);
}

/// What u and u^2 explain together, and the coefficient of u^2.
fn parabola(tpl: &Templates, w: &[f64], v: &[f64], w_sum: f64) -> (f64, f64) {
    let (mut m1, mut m2) = (0.0, 0.0);
    for (&u, &w) in tpl.u.iter().zip(w) {
        m1 += w * u;
        m2 += w * u * u;
    }
    m1 /= w_sum;
    m2 /= w_sum;
    let (mut s11, mut s12, mut s22, mut c1, mut c2) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for ((&u, &w), &v) in tpl.u.iter().zip(w).zip(v) {
        let (a, b) = (u - m1, u * u - m2);
        s11 += w * a * a;
        s12 += w * a * b;
        s22 += w * b * b;
        c1 += v * a;
        c2 += v * b;
    }
    let det = s11 * s22 - s12 * s12;
    if !(det > 1e-12 * s11 * s22) {
        return (-1.0, 0.0);
    }
    let curve = (c2 * s11 - c1 * s12) / det;
    let rest = (c1 * s22 - c2 * s12) / det;
    (curve * c2 + rest * c1, curve)
}

/// What the best single change of level explains, and the captures before it.
fn one_step(buf: &Buffers, w_sum: f64) -> (f64, usize) {
    let n = buf.v.len();
    let (mut best, mut at) = (-1.0, 1);
    for j in 1..n {
        let (wl, vl) = (buf.w_before[j], buf.v_before[j]);
        // The values are centred: the right side sums to minus the left.
        let gain = vl * vl * (1.0 / wl + 1.0 / (w_sum - wl));
        if gain > best {
            best = gain;
            at = j;
        }
    }
    (best, at)
}

/// What the best two changes of level explain.
fn two_steps(buf: &Buffers) -> f64 {
    let n = buf.v.len();
    let mut best = -1.0_f64;
    let (w_all, v_all) = (buf.w_before[n], buf.v_before[n]);
    for j in 1..n - 1 {
        let (wj, vj) = (buf.w_before[j], buf.v_before[j]);
        let first = vj * vj / wj;
        for k in j + 1..n {
            let (wk, vk) = (buf.w_before[k], buf.v_before[k]);
            let (wm, vm, we, ve) = (wk - wj, vk - vj, w_all - wk, v_all - vk);
            // One division for both parts.
            let gain = first + (vm * vm * we + ve * ve * wm) / (wm * we);
            best = best.max(gain);
        }
    }
    best
}

/// What the mean of each phase explains, at a period of so many captures.
fn phases(period: usize, w: &[f64], v: &[f64]) -> f64 {
    let mut gain = 0.0;
    for phase in 0..period {
        let (mut ws, mut vs) = (0.0, 0.0);
        for (&w, &v) in w.iter().zip(v).skip(phase).step_by(period) {
            ws += w;
            vs += v;
        }
        if ws > 0.0 {
            gain += vs * vs / ws;
        }
    }
    gain
}
