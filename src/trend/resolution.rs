//! The smallest growth that captures show, and what to capture to show less.

use super::dist;

/// The quantile of 80 % power.
const Z80: f64 = 0.841_621_233_572_914_3;

/// The level in force for one site: the largest p that was rejected, at least
/// `share / tests`, at most 0.001. `share` is 0.01 for findings, 0.0001 for a gate.
pub fn level_in_force(largest_rejected: Option<f64>, share: f64, tests: usize) -> f64 {
    let least = share / tests.max(1) as f64;
    largest_rejected.unwrap_or(0.0).max(least).min(0.001)
}

fn c_of(level: f64) -> f64 {
    (dist::normal_quantile_upper(level / 2.0) + Z80) / std::f64::consts::SQRT_2
}

/// The smallest growth in bytes of one sampled site, between two captures,
/// that is significant at `level` with 80 % probability: two processes, or the
/// two ends of one. `unit`: bytes one sample stands for; `base`: bytes of the
/// site in the first capture (0: a new site); `replicates` a side, at least 1.
///
/// From the square-root test; below 20 samples 4 units are added for the
/// binomial. Measured power 76 to 93 %, at twice the value 99.9 %.
///
/// ```
/// let units = heapdiff::trend::sampled_resolution(1.0, 100.0, 1e-5, 1);
/// assert!((units - 88.34).abs() < 0.01);
/// ```
pub fn sampled_resolution(unit: f64, base: f64, level: f64, replicates: usize) -> f64 {
    let c = c_of(level);
    let k = replicates.max(1) as f64;
    let m = if unit > 0.0 {
        base.max(0.0) / unit
    } else {
        0.0
    };
    let few = if m < 20.0 { 4.0 } else { 0.0 };
    unit * (2.0 * c * (m + 0.375).sqrt() / k.sqrt() + c * c / k + few)
}

/// The smallest slope that the slope test shows at `level` with 80 %
/// probability, from the standard error of a slope on `degrees`. For a leak
/// call more is needed: 10 to 14 standard errors in 99 of 100 cases from 7
/// captures on.
pub fn slope_resolution(standard_error: f64, level: f64, degrees: f64) -> f64 {
    standard_error
        * (dist::student_quantile_two_sided(level, degrees)
            + dist::student_quantile_two_sided(0.4, degrees))
}

/// Runs between two captures of sampled values that show growth of `per_run`
/// bytes: the resolution over the growth. Infinite without growth.
pub fn runs_needed(unit: f64, base: f64, per_run: f64, level: f64) -> f64 {
    if per_run > 0.0 {
        let c = c_of(level);
        let m = if unit > 0.0 {
            base.max(0.0) / unit
        } else {
            0.0
        };
        unit * (2.0 * c * (m + 0.375).sqrt() + c * c) / per_run
    } else {
        f64::INFINITY
    }
}

/// The mean interval of sampling, in bytes, that shows growth of `per_run`
/// bytes over so many runs on a base of so many bytes (small blocks).
pub fn rate_needed(runs: f64, base: f64, per_run: f64, level: f64) -> f64 {
    let base = base.max(0.0);
    let growth = (per_run * runs).max(0.0);
    let root = ((base + growth).sqrt() - base.sqrt()) / c_of(level);
    root * root
}

/// Standard error of a slope from `captures` evenly spaced by `spacing` runs,
/// for noise of the share `noise` of the level `level`. To be seen in 80 % of
/// cases a leak must grow by 7 of it, in 99 % by 13.
pub fn slope_error(noise: f64, level: f64, captures: usize, spacing: f64) -> f64 {
    let n = captures as f64;
    if captures < 2 || !(spacing > 0.0) {
        return f64::INFINITY;
    }
    noise * level * (12.0 / (spacing * spacing * n * (n * n - 1.0))).sqrt()
}

/// The least spacing in runs at which `captures` evenly spaced captures (at
/// least 8) call growth of `per_run` a leak in 99 of 100 cases.
pub fn spacing_needed(noise: f64, level: f64, captures: usize, per_run: f64) -> f64 {
    if per_run > 0.0 {
        13.0 * slope_error(noise, level, captures.max(8), 1.0) / per_run
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const K: f64 = 1024.0;

    fn near(a: f64, b: f64, rel: f64) {
        assert!((a - b).abs() <= rel * b.abs(), "{a} is not {b}");
    }

    #[test]
    fn worked() {
        near(c_of(1e-5), 3.7185, 1e-4);
        near(c_of(1e-7), 4.3617, 1e-4);
        // 18.38 by the square-root test; 4 more for the binomial.
        near(sampled_resolution(1.0, 0.0, 1e-5, 1), 22.38, 1e-3);
        near(sampled_resolution(1.0, 100.0, 1e-7, 1), 106.4, 1e-3);
        near(sampled_resolution(1.0, 1000.0, 1e-7, 1), 294.9, 1e-3);
        assert!(sampled_resolution(1.0, 100.0, 1e-5, 4) < 45.0);
    }

    #[test]
    fn what_to_capture() {
        near(runs_needed(512.0 * K, 0.0, K, 1e-5), 9_411.0, 1e-3);
        near(
            runs_needed(512.0 * K, 50.0 * K * K, K, 1e-5),
            45_229.0,
            1e-3,
        );
        near(runs_needed(16.0 * K, 0.0, K, 1e-5), 294.0, 1e-3);
        near(runs_needed(16.0 * K, 50.0 * K * K, K, 1e-5), 6_953.0, 1e-3);
        near(rate_needed(100.0, 0.0, K, 1e-5), 7_406.0, 1e-3);
        near(rate_needed(1_000.0, 50.0 * K * K, K, 1e-5), 358.0, 2e-3);
        near(rate_needed(10_000.0, 50.0 * K * K, K, 1e-5), 33_008.0, 1e-3);
        assert_eq!(runs_needed(1.0, 1.0, 0.0, 1e-5), f64::INFINITY);
    }

    #[test]
    fn levels() {
        assert_eq!(level_in_force(None, 0.01, 100), 1e-4);
        assert_eq!(level_in_force(Some(3e-4), 0.01, 100), 3e-4);
        assert_eq!(level_in_force(Some(0.2), 0.01, 1), 0.001);
        assert_eq!(level_in_force(None, 0.01, 0), 0.001);
    }

    #[test]
    fn noise() {
        // 12 captures, 3 % noise, a leak of 3 %: about 12 standard errors.
        near(slope_error(0.03, 1000.0, 12, 1.0), 2.508, 1e-3);
        assert!(spacing_needed(0.03, 1000.0, 12, 30.0) < 1.1);
        near(slope_resolution(1.0, 0.001, 10.0), 4.587 + 0.879, 1e-3);
    }
}
