//! Two sides, before and after a change: is growth per run worse, cured,
//! reduced or unchanged.

use super::dist;

/// The level of one comparison, before a correction for several.
const LEVEL: f64 = 0.01;

/// Growth per run of one side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// y per x.
    pub per_run: f64,
    /// Standard error; 0 for exact captures.
    pub error: f64,
    /// Degrees of freedom of the error; infinite where the variance is known.
    pub degrees: f64,
    /// Level at the first capture that counts, in y.
    pub base: f64,
    /// Runs between the ends.
    pub span: f64,
}

impl Growth {
    /// Least squares of noisy captures, from place `skip` on (after the
    /// warm-up). `None` with fewer than three captures left, or x that does
    /// not vary. Linear time.
    pub fn of_series(x: &[f64], y: &[f64], skip: usize) -> Option<Growth> {
        let (x, y) = (x.get(skip..)?, y.get(skip..)?);
        let n = x.len();
        if n < 3 || y.len() != n {
            return None;
        }
        let fit = least_squares(x, y)?;
        let degrees = n as f64 - 2.0;
        Some(Growth {
            per_run: fit.slope,
            error: (fit.rss / degrees / fit.sxx).sqrt(),
            degrees,
            base: fit.mean_y - fit.slope * (fit.mean_x - fit.least_x),
            span: fit.span,
        })
    }

    /// Least squares of sampled captures, `variances` one a capture. With
    /// `one_process` the variance of the slope is raised for shared survivors
    /// (see [`one_process_factor`]).
    pub fn of_sampled(
        x: &[f64],
        y: &[f64],
        variances: &[f64],
        one_process: bool,
    ) -> Option<Growth> {
        let n = x.len();
        if n < 2 || y.len() != n || variances.len() != n {
            return None;
        }
        let fit = least_squares(x, y)?;
        let mut variance: f64 = x
            .iter()
            .zip(variances)
            .map(|(x, v)| (x - fit.mean_x).powi(2) * v)
            .sum::<f64>()
            / (fit.sxx * fit.sxx);
        if one_process {
            variance *= one_process_factor(n);
        }
        (variance.is_finite() && variance >= 0.0).then(|| Growth {
            per_run: fit.slope,
            error: variance.sqrt(),
            degrees: f64::INFINITY,
            base: fit.mean_y - fit.slope * (fit.mean_x - fit.least_x),
            span: fit.span,
        })
    }

    /// Exact captures: first and last of those that count.
    pub fn of_exact(x: &[f64], y: &[f64]) -> Option<Growth> {
        let span = x.last()? - x.first()?;
        let base = *y.first()?;
        let per_run = (y.last()? - base) / span;
        (span > 0.0 && per_run.is_finite()).then_some(Growth {
            per_run,
            error: 0.0,
            degrees: f64::INFINITY,
            base,
            span,
        })
    }

    /// Replicates: k values of growth per run of one side; the error is the
    /// larger of their own and `sampling_error`, that of their mean by sampling.
    pub fn of_replicates(per_run: &[f64], sampling_error: f64, span: f64) -> Option<Growth> {
        let k = per_run.len() as f64;
        if per_run.len() < 2 {
            return None;
        }
        let mean = per_run.iter().sum::<f64>() / k;
        let squares: f64 = per_run.iter().map(|v| (v - mean) * (v - mean)).sum();
        let own = (squares / (k - 1.0) / k).sqrt();
        own.is_finite().then_some(Growth {
            per_run: mean,
            error: own.max(sampling_error),
            degrees: if sampling_error > own {
                f64::INFINITY
            } else {
                k - 1.0
            },
            base: 0.0,
            span,
        })
    }
}

/// By how much the variance of a slope over n captures of one sampled process
/// may exceed that of independent captures, the largest over all survival
/// rates (by simulation, interpolated in n; 1.00 at 3, 2.53 at 12, 10.3 at 50).
pub fn one_process_factor(n: usize) -> f64 {
    const TABLE: [(f64, f64); 7] = [
        (3.0, 1.0),
        (4.0, 1.07),
        (5.0, 1.22),
        (8.0, 1.75),
        (12.0, 2.53),
        (20.0, 4.15),
        (50.0, 10.3),
    ];
    let n = n as f64;
    for pair in TABLE.windows(2) {
        let ((a, fa), (b, fb)) = (pair[0], pair[1]);
        if n <= b {
            return fa + (fb - fa) * ((n - a) / (b - a)).max(0.0);
        }
    }
    10.3 * n / 50.0
}

/// What a change did to growth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Grows more per run.
    Worse,
    /// Grew before, and no longer by a tenth of that.
    Cured,
    /// Grows less: by so many per cent of what it was, with the interval of 95 %.
    Reduced {
        /// By how much of the base's growth.
        percent: f64,
        /// Lower end of the interval of 95 %.
        lo: f64,
        /// Upper end.
        hi: f64,
    },
    /// The same, as far as a tenth of the growth: shown, not merely undisproved.
    Unchanged,
    /// These captures cannot tell.
    CannotTell,
}

impl Change {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Worse => "worse",
            Change::Cured => "cured",
            Change::Reduced { .. } => "reduced",
            Change::Unchanged => "unchanged",
            Change::CannotTell => "cannot-tell",
        }
    }
}

/// The difference of two sides' growth per run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SideDifference {
    /// New less base.
    pub difference: f64,
    /// Interval of 95 %.
    pub lo: f64,
    /// Upper end of the interval.
    pub hi: f64,
    /// Two-sided, not corrected.
    pub p_value: f64,
    /// At 0.01 and alone; with several sites see [`SideDifference::decide`].
    pub change: Change,
}

/// Welch's comparison (1947) with the degrees of Satterthwaite (1946).
///
/// ```
/// use heapdiff::trend::{Change, Growth, compare_sides};
/// let x: Vec<f64> = (0..8).map(f64::from).collect();
/// let base = [1000., 1098., 1210., 1287., 1405., 1492., 1611., 1698.];
/// let new = [1003., 998., 1011., 995., 1002., 1007., 996., 1004.];
/// let base = Growth::of_series(&x, &base, 0).unwrap();
/// let new = Growth::of_series(&x, &new, 0).unwrap();
/// assert_eq!(compare_sides(&base, &new).change, Change::Cured);
/// ```
pub fn compare_sides(base: &Growth, new: &Growth) -> SideDifference {
    let d = new.per_run - base.per_run;
    let error = base.error.hypot(new.error);
    let degrees = welch(base, new);
    let p_value = if error > 0.0 {
        dist::student_two_sided(d / error, degrees)
    } else if d == 0.0 || !d.is_finite() {
        1.0
    } else {
        0.0
    };
    let half = if error > 0.0 {
        dist::student_quantile_two_sided(0.05, degrees) * error
    } else {
        0.0
    };
    let mut out = SideDifference {
        difference: d,
        lo: d - half,
        hi: d + half,
        p_value,
        change: Change::CannotTell,
    };
    out.change = out.decide(base, new, p_value);
    out
}

impl SideDifference {
    /// The verdict with a p corrected for several sites (q by Benjamini and
    /// Hochberg for findings, Holm for a gate) in place of its own.
    pub fn decide(&self, base: &Growth, new: &Growth, p: f64) -> Change {
        let before = base.per_run;
        let d = self.difference;
        if !(d.is_finite() && self.lo.is_finite() && self.hi.is_finite()) {
            return Change::CannotTell;
        }
        if p <= LEVEL && d > 0.0 {
            return Change::Worse;
        }
        let grew = before > 0.0
            && (base.error <= 0.0
                || dist::student_two_sided(before / base.error, base.degrees) <= 2.0 * LEVEL);
        if p <= LEVEL && d < 0.0 && grew {
            let most = new.per_run
                + dist::student_quantile_two_sided(0.05, new.degrees).min(1e9) * new.error;
            if most < 0.1 * before {
                return Change::Cured;
            }
            let percent = |d: f64| (-100.0 * d / before).clamp(0.0, 100.0);
            return Change::Reduced {
                percent: percent(d),
                lo: percent(self.hi),
                hi: percent(self.lo),
            };
        }
        let per_run_of_base = if base.span > 0.0 {
            0.01 * base.base.abs() / base.span
        } else {
            0.0
        };
        let within = (0.1 * before.abs()).max(per_run_of_base);
        if self.lo > -within && self.hi < within {
            Change::Unchanged
        } else {
            Change::CannotTell
        }
    }
}

/// Exact captures of two sides: no test. `block`: bytes of one block of the
/// site (0 if unknown). Unchanged within 2 % or one block over the window.
pub fn compare_exact(base: &Growth, new: &Growth, block: f64) -> SideDifference {
    let d = new.per_run - base.per_run;
    let before = base.per_run;
    let one = |span: f64| if span > 0.0 { block / span } else { 0.0 };
    let change = if !d.is_finite() {
        Change::CannotTell
    } else if d.abs() <= 0.02 * before.abs() || d.abs() <= one(base.span).max(one(new.span)) {
        Change::Unchanged
    } else if d > 0.0 {
        Change::Worse
    } else if before <= 0.0 {
        Change::CannotTell
    } else if new.per_run * new.span <= block || new.per_run <= 0.02 * before {
        Change::Cured
    } else {
        let percent = (-100.0 * d / before).clamp(0.0, 100.0);
        Change::Reduced {
            percent,
            lo: percent,
            hi: percent,
        }
    };
    SideDifference {
        difference: d,
        lo: d,
        hi: d,
        p_value: if d == 0.0 { 1.0 } else { 0.0 },
        change,
    }
}

fn welch(a: &Growth, b: &Growth) -> f64 {
    let (va, vb) = (a.error * a.error, b.error * b.error);
    let part = |v: f64, df: f64| if df > 0.0 { v * v / df } else { f64::INFINITY };
    let below = part(va, a.degrees) + part(vb, b.degrees);
    if below > 0.0 {
        (va + vb) * (va + vb) / below
    } else {
        f64::INFINITY
    }
}

struct Squares {
    slope: f64,
    rss: f64,
    sxx: f64,
    mean_x: f64,
    mean_y: f64,
    least_x: f64,
    span: f64,
}

fn least_squares(x: &[f64], y: &[f64]) -> Option<Squares> {
    let n = x.len() as f64;
    let mean_x = x.iter().sum::<f64>() / n;
    let mean_y = y.iter().sum::<f64>() / n;
    let (mut sxx, mut sxy, mut syy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        sxx += (x - mean_x) * (x - mean_x);
        sxy += (x - mean_x) * (y - mean_y);
        syy += (y - mean_y) * (y - mean_y);
    }
    let least_x = x.iter().copied().fold(f64::INFINITY, f64::min);
    let most_x = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let slope = sxy / sxx;
    (sxx > 0.0 && slope.is_finite() && syy.is_finite()).then(|| Squares {
        slope,
        rss: (syy - sxy * slope).max(0.0),
        sxx,
        mean_x,
        mean_y,
        least_x,
        span: most_x - least_x,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: [f64; 8] = [
        1000.0, 1098.0, 1210.0, 1287.0, 1405.0, 1492.0, 1611.0, 1698.0,
    ];

    fn growth(y: &[f64]) -> Growth {
        let x: Vec<f64> = (0..y.len()).map(|i| i as f64).collect();
        Growth::of_series(&x, y, 0).unwrap()
    }

    fn near(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance, "{a} is not {b}");
    }

    #[test]
    fn cured() {
        let base = growth(&BASE);
        near(base.per_run, 100.179, 1e-3);
        near(base.error, 1.388, 1e-3);
        let new = growth(&[1003.0, 998.0, 1011.0, 995.0, 1002.0, 1007.0, 996.0, 1004.0]);
        near(new.per_run, -0.095, 1e-3);
        near(new.error, 0.916, 1e-3);
        let d = compare_sides(&base, &new);
        assert_eq!(d.change, Change::Cured);
        near(d.lo, -103.96, 0.01);
        near(d.hi, -96.59, 0.01);
    }

    #[test]
    fn reduced() {
        let new = growth(&[
            1000.0, 1052.0, 1094.0, 1158.0, 1197.0, 1246.0, 1308.0, 1349.0,
        ]);
        let d = compare_sides(&growth(&BASE), &new);
        near(d.lo, -53.61, 0.01);
        near(d.hi, -46.32, 0.01);
        let Change::Reduced { percent, lo, hi } = d.change else {
            panic!("{d:?}");
        };
        near(percent, 49.9, 0.05);
        assert!(lo < percent && percent < hi);
        // The other way round it is worse, and itself it is unchanged.
        assert_eq!(compare_sides(&new, &growth(&BASE)).change, Change::Worse);
        assert_eq!(compare_sides(&new, &new).change, Change::Unchanged);
    }

    #[test]
    fn a_large_p_is_not_unchanged() {
        let noisy = growth(&[1000.0, 1300.0, 900.0, 1500.0, 1100.0]);
        assert_eq!(compare_sides(&noisy, &noisy).change, Change::CannotTell);
    }

    #[test]
    fn exact_sides() {
        let x = [10.0, 20.0, 40.0];
        let of = |y: &[f64]| Growth::of_exact(&x, y).unwrap();
        let base = of(&[1000.0, 2000.0, 4000.0]);
        let change = |y: &[f64], block| compare_exact(&base, &of(y), block).change;
        assert_eq!(change(&[900.0, 1900.0, 3950.0], 0.0), Change::Unchanged);
        assert_eq!(change(&[500.0, 500.0, 500.0], 0.0), Change::Cured);
        assert_eq!(change(&[500.0, 500.0, 600.0], 100.0), Change::Cured);
        assert_eq!(change(&[500.0, 2500.0, 6500.0], 0.0), Change::Worse);
        let half = compare_exact(&base, &of(&[500.0, 1000.0, 2000.0]), 0.0).change;
        assert_eq!(half.as_str(), "reduced");
    }

    #[test]
    fn replicates_and_samples() {
        let a = Growth::of_replicates(&[100.0, 101.0, 99.0, 100.0], 0.0, 50.0).unwrap();
        let b = Growth::of_replicates(&[1.0, 0.0, -1.0, 0.5], 0.1, 50.0).unwrap();
        assert_eq!(compare_sides(&a, &b).change, Change::Cured);
        assert_eq!(Growth::of_replicates(&[1.0], 0.0, 1.0), None);
        let x = [0.0, 50.0, 100.0];
        let one = Growth::of_sampled(&x, &[0.0, 5e3, 1e4], &[1e4; 3], true).unwrap();
        near(one.error, (1e4 / 5e3_f64).sqrt(), 1e-9);
        near(one_process_factor(12), 2.53, 1e-12);
        near(one_process_factor(2), 1.0, 1e-12);
        near(one_process_factor(100), 20.6, 1e-9);
    }

    #[test]
    fn odd_numbers() {
        for v in [f64::NAN, f64::INFINITY, 0.0, -1.0, 1e300] {
            let g = Growth {
                per_run: v,
                error: v,
                degrees: v,
                base: v,
                span: v,
            };
            let _ = compare_exact(&g, &g, v);
            assert_ne!(compare_sides(&g, &g).change, Change::Worse);
            assert_eq!(Growth::of_series(&[v, v, v], &[v, v, v], 0), None);
        }
    }
}
