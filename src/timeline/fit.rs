//! Least squares on columns, with standard errors that honour autocorrelation.

use crate::trend::median;

/// Columns whose part that is new is smaller than this share of them are left out.
const COLLINEAR: f64 = 1e-7;
/// Huber's constant: 95 % efficiency under normal noise.
const HUBER: f64 = 1.345;
/// Rounds of reweighting.
const ROUNDS: usize = 4;

/// The fit of one coefficient beside others.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    /// The coefficient of the last column.
    pub value: f64,
    /// The last column less what the others explain.
    pub x: Vec<f64>,
    /// Residuals.
    pub residuals: Vec<f64>,
    /// Weights of the last round.
    pub weights: Vec<f64>,
    /// Columns that were fitted.
    pub columns: usize,
}

/// Regresses `y` on `others` and `x`, reweighted after Huber (1964) if `robust`. Columns that the
/// ones before them explain are left out; `None` if `x` is such a one or too few points are left.
/// Time `rounds * n * columns^2`.
pub(super) fn fit(y: &[f64], others: &[Vec<f64>], x: &[f64], robust: bool) -> Option<Fit> {
    let n = y.len();
    let mut weights = vec![1.0; n];
    let mut last = None;
    for round in 0..if robust { ROUNDS + 1 } else { 1 } {
        let (basis, norms) = orthogonal(others, &weights);
        if n < basis.len() + 4 {
            return None;
        }
        let mut xr = x.to_vec();
        let before = dot(&xr, &xr, &weights);
        remove(&mut xr, &basis, &norms, &weights);
        let mut r = y.to_vec();
        remove(&mut r, &basis, &norms, &weights);
        let xx = dot(&xr, &xr, &weights);
        if !(xx > before * COLLINEAR * COLLINEAR) || xx <= 0.0 {
            return None;
        }
        let value = dot(&xr, &r, &weights) / xx;
        for i in 0..n {
            r[i] -= value * xr[i];
        }
        let columns = basis.len() + 1;
        if robust && round < ROUNDS {
            let mut sizes: Vec<f64> = r.iter().map(|v| v.abs()).collect();
            let scale = 1.4826 * median(&mut sizes);
            for i in 0..n {
                weights[i] = match scale > 0.0 && r[i].abs() > HUBER * scale {
                    true => HUBER * scale / r[i].abs(),
                    false => 1.0,
                };
            }
        }
        last = Some((value, xr, r, columns));
    }
    let (value, x, residuals, columns) = last?;
    value.is_finite().then_some(Fit {
        value,
        x,
        residuals,
        weights,
        columns,
    })
}

/// Removes from every column of `columns` what `others` explain, in place, by plain least squares.
pub(super) fn residualise(columns: &mut [Vec<f64>], others: &[Vec<f64>]) {
    let n = columns.first().map_or(0, Vec::len);
    let weights = vec![1.0; n];
    let (basis, norms) = orthogonal(others, &weights);
    for column in columns {
        remove(column, &basis, &norms, &weights);
    }
}

fn dot(a: &[f64], b: &[f64], w: &[f64]) -> f64 {
    let mut sum = 0.0;
    for i in 0..a.len() {
        sum += a[i] * b[i] * w[i];
    }
    sum
}

/// Takes the parts along the basis out of `v`, twice for the sake of rounding.
fn remove(v: &mut [f64], basis: &[Vec<f64>], norms: &[f64], w: &[f64]) {
    for _ in 0..2 {
        for (b, norm) in basis.iter().zip(norms) {
            let c = dot(b, v, w) / norm;
            for i in 0..v.len() {
                v[i] -= c * b[i];
            }
        }
    }
}

/// Gram and Schmidt, modified: an orthogonal basis of the columns under the weights.
fn orthogonal(columns: &[Vec<f64>], w: &[f64]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let (mut basis, mut norms): (Vec<Vec<f64>>, Vec<f64>) = (Vec::new(), Vec::new());
    for column in columns {
        let mut v = column.clone();
        let before = dot(&v, &v, w);
        remove(&mut v, &basis, &norms, w);
        let after = dot(&v, &v, w);
        if after > before * COLLINEAR * COLLINEAR && after > 0.0 {
            basis.push(v);
            norms.push(after);
        }
    }
    (basis, norms)
}

/// The standard error of a coefficient and its degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Uncertainty {
    pub se: f64,
    pub df: f64,
}

/// The largest of three estimates, each right for another noise: one time constant (AR(1), corrected
/// after Marriott and Pope 1954), fast and slow noise together, and no model at all (Newey and West
/// 1987 with the length of Lazarus, Lewis, Stock and Watson 2018). `at` are the places of the points
/// on an even grid, ascending.
pub(super) fn uncertainty(fit: &Fit, at: &[i64]) -> Uncertainty {
    let n = fit.residuals.len();
    let nf = n as f64;
    let r = &fit.residuals;
    let x: Vec<f64> = (0..n).map(|i| fit.x[i] * fit.weights[i]).collect();
    let x0: f64 = (0..n).map(|i| fit.x[i] * x[i]).sum();
    let m = (n / 24).max(3);
    let g = |h: usize| autocovariance(r, at, h as i64);
    let (g0, g1, gm) = (g(0), g(1), g(m));
    let corrected = |rho: f64| (rho + (1.0 + 3.0 * rho) / nf).min(0.99);
    let one = g0 * x0 + 2.0 * g0 * decaying(&x, at, corrected(g1 / g0.max(f64::MIN_POSITIVE)));
    let mut v = one;
    let ratio = gm / g1;
    if g1 > 0.0 && ratio > 0.0 && ratio < 1.0 {
        let rho = corrected(ratio.powf(1.0 / (m as f64 - 1.0)));
        let slow = (g1 / rho).min(g0 * 4.0);
        v = v.max(g0 * x0 + 2.0 * slow * decaying(&x, at, rho));
    }
    let scores: Vec<f64> = (0..n).map(|i| x[i] * r[i]).collect();
    v = v.max(newey_west(&scores, at, (1.3 * nf.sqrt()).ceil() as i64));
    v = v.max(g0 * x0);
    let left = (nf - fit.columns as f64).max(1.0);
    let se = (v.max(0.0) * nf / left).sqrt() / x0;
    let f = (v / (g0 * x0).max(f64::MIN_POSITIVE)).max(1.0);
    Uncertainty {
        se,
        df: (nf / f - 1.0).max(4.0),
    }
}

/// Mean of `r(i) r(j)` over pairs `h` apart on the grid, shrunk as usual by the number of points.
fn autocovariance(r: &[f64], at: &[i64], h: i64) -> f64 {
    let n = r.len();
    let (mut sum, mut j) = (0.0, 0);
    for i in 0..n {
        while j < n && at[j] < at[i] + h {
            j += 1;
        }
        if j < n && at[j] == at[i] + h {
            sum += r[i] * r[j];
        }
    }
    sum / n as f64
}

/// Sum over pairs `i < j` of `x_i x_j rho^(at_j - at_i)`; nothing for `rho <= 0`.
fn decaying(x: &[f64], at: &[i64], rho: f64) -> f64 {
    if !(rho > 0.0) {
        return 0.0;
    }
    let (mut sum, mut carried) = (0.0, 0.0);
    for i in 1..x.len() {
        let apart = (at[i] - at[i - 1]).min(100_000) as i32;
        carried = (carried + x[i - 1]) * rho.powi(apart);
        sum += carried * x[i];
    }
    sum
}

/// The long-run variance of the sum of `scores`, with weights of Bartlett up to `lags`.
pub(super) fn newey_west(scores: &[f64], at: &[i64], lags: i64) -> f64 {
    let n = scores.len();
    let mut v: f64 = scores.iter().map(|s| s * s).sum();
    for i in 0..n {
        for j in i + 1..n {
            let h = at[j] - at[i];
            if h > lags {
                break;
            }
            let weight = 1.0 - h as f64 / (lags + 1) as f64;
            v += 2.0 * weight * scores[i] * scores[j];
        }
    }
    v
}

/// The quantile of values in ascending order, between neighbours by a straight line.
pub(super) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = q.clamp(0.0, 1.0) * last as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(last);
    sorted[low] + (place - low as f64) * (sorted[high] - sorted[low])
}

/// The median, leaving its argument as it is.
pub(super) fn median_of(values: &[f64]) -> f64 {
    median(&mut values.to_vec())
}

/// 1.4826 times the median distance from the median: the standard deviation of normal values.
pub(super) fn spread(values: &[f64]) -> f64 {
    let middle = median_of(values);
    let mut away: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
    1.4826 * median(&mut away)
}

/// The slope of a straight line through points, and its sum of squares of x.
pub(super) fn slope(t: &[f64], y: &[f64]) -> Option<f64> {
    let n = t.len() as f64;
    let (mt, my) = (t.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut tt, mut ty) = (0.0, 0.0);
    for i in 0..t.len() {
        tt += (t[i] - mt) * (t[i] - mt);
        ty += (t[i] - mt) * (y[i] - my);
    }
    (tt > 0.0).then(|| ty / tt)
}

/// Inflation of the variance of a slope over `m` even points by noise of lag-1 correlation `rho`.
pub(super) fn inflation(m: usize, rho: f64) -> f64 {
    let middle = (m as f64 - 1.0) / 2.0;
    let x: Vec<f64> = (0..m).map(|i| i as f64 - middle).collect();
    let at: Vec<i64> = (0..m as i64).collect();
    let x0: f64 = x.iter().map(|v| v * v).sum();
    if x0 > 0.0 {
        (x0 + 2.0 * decaying(&x, &at, rho)) / x0
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflation_of_known_cases() {
        for (m, rho, want) in [
            (6, 0.0, 1.0),
            (6, 0.5, 1.38482),
            (12, 0.5, 2.05556),
            (24, 0.8, 4.65093),
        ] {
            assert!((inflation(m, rho) - want).abs() < 1e-5, "{m} {rho}");
        }
    }

    #[test]
    fn a_line_beside_a_rhythm_is_found_exactly() {
        let t: Vec<f64> = (0..288).map(|i| i as f64 / 12.0).collect();
        let turn = |k: f64| t.iter().map(move |h| k * h * std::f64::consts::TAU / 24.0);
        let wave: Vec<f64> = turn(1.0).map(f64::sin).collect();
        let y: Vec<f64> = t
            .iter()
            .zip(&wave)
            .map(|(h, w)| 5.0 + 3.0 * h + 40.0 * w)
            .collect();
        let others = [
            vec![1.0; 288],
            wave,
            turn(1.0).map(f64::cos).collect(),
            vec![2.0; 288],
        ];
        let f = fit(&y, &others, &t, true).unwrap();
        assert!((f.value - 3.0).abs() < 1e-9, "{}", f.value);
        assert_eq!(
            f.columns, 4,
            "a column that another one explains is left out"
        );
        assert!(fit(&y, &others, &vec![3.0; 288], true).is_none());
    }
}
