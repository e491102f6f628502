//! Which of several drivers growth follows: runs, connections, items.

use super::dist;

/// The level of each driver's test.
const LEVEL: f64 = 0.01;
/// Above this inflation of variance two drivers rose together.
const INFLATION: f64 = 10.0;
/// What the others add at most, of the explained sum, for one to be named alone.
const MINOR: f64 = 0.1;
/// More drivers than this are not asked about.
const MOST: usize = 8;

/// What growth follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// This driver, by index.
    One(usize),
    /// This driver, from three exact captures only: say "three captures".
    OneOfThree(usize),
    /// Several, each with its own coefficient.
    Several,
    /// Drivers rose together: repeat one capture with one of them changed alone.
    Together,
    /// It cannot be told.
    CannotTell,
}

/// The answer, and what each driver contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Drivers {
    /// The driver, if one can be named.
    pub follows: Follows,
    /// Per driver: y per unit of the driver, NaN for one that did not vary or
    /// could not be separated.
    pub coefficients: Vec<f64>,
    /// Per driver: p of the partial F test; 1 where there was none.
    pub p_values: Vec<f64>,
}

/// Fits y on all drivers and tests each against the fit without it (partial F).
/// `drivers`: one slice per driver, one value a capture. `exact`: values of a
/// format that counts every allocation, which three captures are enough for.
///
/// Ask only about series that grow: of those that do not, about one in a
/// hundred is named. n captures must be at least drivers + 2. Cost n d^2 + d^4.
///
/// ```
/// use heapdiff::trend::{Follows, follows};
/// let runs = [50., 200., 800., 200., 800.];
/// let connections = [4., 4., 4., 20., 20.];
/// let y = [1.02, 1.01, 0.99, 17.0, 17.1];
/// let answer = follows(&y, &[&runs, &connections], true);
/// assert_eq!(answer.follows, Follows::One(1));
/// ```
pub fn follows(y: &[f64], drivers: &[&[f64]], exact: bool) -> Drivers {
    let mut out = Drivers {
        follows: Follows::CannotTell,
        coefficients: vec![f64::NAN; drivers.len()],
        p_values: vec![1.0; drivers.len()],
    };
    let n = y.len();
    let finite = |v: &[f64]| v.len() == n && v.iter().all(|v| v.is_finite());
    if n < 3 || !finite(y) {
        return out;
    }
    let Some((scaled_y, y_range)) = centred(y) else {
        return out;
    };
    // Those that vary, centred and scaled to range 1.
    let mut used = Vec::new();
    let mut columns = Vec::new();
    let mut ranges = Vec::new();
    for (i, d) in drivers.iter().enumerate() {
        if let Some((column, range)) = finite(d).then(|| centred(d)).flatten() {
            used.push(i);
            columns.push(column);
            ranges.push(range);
        }
    }
    let k = columns.len();
    if k == 0 || k > MOST {
        return out;
    }
    let total: f64 = scaled_y.iter().map(|v| v * v).sum();
    let subset = |skip: Option<usize>| -> Vec<&[f64]> {
        columns
            .iter()
            .enumerate()
            .filter(|(j, _)| Some(*j) != skip)
            .map(|(_, c)| &c[..])
            .collect()
    };
    // Condition first: how well the others explain each driver.
    for j in 0..k {
        let own: f64 = columns[j].iter().map(|v| v * v).sum();
        let unexplained = explain(&columns[j], &subset(Some(j))).0;
        if !(own <= INFLATION * unexplained) {
            out.follows = Follows::Together;
            return out;
        }
    }
    let (rss, coefficients) = explain(&scaled_y, &subset(None));
    let without: Vec<f64> = (0..k)
        .map(|j| explain(&scaled_y, &subset(Some(j))).0)
        .collect();
    if n < k + 2 {
        if exact && n == 3 && k == 2 {
            let alone = |j: usize| explain(&scaled_y, &[&columns[j]]).0;
            for (a, b) in [(0, 1), (1, 0)] {
                // 2 % of the range in each value, as everywhere for exact captures.
                if alone(a) <= 3.0 * 0.02 * 0.02 && alone(b) >= 25.0 * alone(a).max(1e-12) {
                    out.follows = Follows::OneOfThree(used[a]);
                }
            }
        }
        return out;
    }
    let df = (n - k - 1) as f64;
    // Rounding leaves this much of an exact fit.
    let error = (rss / df).max(1e-24 * total);
    let explained = (total - rss).max(0.0);
    let mut named = Vec::new();
    for j in 0..k {
        let p = dist::f_upper((without[j] - rss).max(0.0) / error, 1.0, df);
        out.p_values[used[j]] = p;
        out.coefficients[used[j]] = coefficients[j] * y_range / ranges[j];
        if p <= LEVEL {
            named.push(j);
        }
    }
    // One is named alone where the others together add little.
    let major: Vec<usize> = named
        .iter()
        .copied()
        .filter(|&j| without[j] - rss >= MINOR * explained)
        .collect();
    out.follows = match (&named[..], &major[..]) {
        ([], _) => Follows::CannotTell,
        (_, [one]) => Follows::One(used[*one]),
        ([one], _) => Follows::One(used[*one]),
        _ => Follows::Several,
    };
    if let (Follows::One(one), true) = (out.follows, named.len() == 1) {
        // Not significant is not small: the others must add little for certain.
        let others: f64 = (0..k)
            .filter(|&j| used[j] != one)
            .map(|j| without[j] - rss)
            .sum();
        if others > MINOR * explained {
            out.follows = Follows::CannotTell;
        }
    }
    out
}

/// Values less their mean over their range, and the range; `None` if constant.
fn centred(values: &[f64]) -> Option<(Vec<f64>, f64)> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = most - least;
    if !(range > 0.0 && range.is_finite()) {
        return None;
    }
    let scaled = values.iter().map(|v| (v - least) / range);
    let mean = scaled.clone().sum::<f64>() / values.len() as f64;
    Some((scaled.map(|v| v - mean).collect(), range))
}

/// Residual sum of squares of centred y on centred columns, and the
/// coefficients, by orthogonal steps (modified Gram and Schmidt).
fn explain(y: &[f64], columns: &[&[f64]]) -> (f64, Vec<f64>) {
    let k = columns.len();
    let mut rest = y.to_vec();
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(k);
    let mut upper = vec![vec![0.0; k]; k];
    let mut along = vec![0.0; k];
    for (j, column) in columns.iter().enumerate() {
        let mut v = column.to_vec();
        for (i, b) in basis.iter().enumerate() {
            let share = dot(b, &v) / dot(b, b).max(f64::MIN_POSITIVE);
            upper[i][j] = share;
            for (v, b) in v.iter_mut().zip(b) {
                *v -= share * b;
            }
        }
        let norm = dot(&v, &v);
        if norm <= 1e-20 * dot(column, column) {
            // Explained by the others: contributes nothing of its own.
            v.fill(0.0);
        } else {
            along[j] = dot(&v, &rest) / norm;
            for (r, v) in rest.iter_mut().zip(&v) {
                *r -= along[j] * v;
            }
        }
        basis.push(v);
    }
    let mut coefficients = along;
    for j in (0..k).rev() {
        for i in j + 1..k {
            coefficients[j] -= upper[j][i] * coefficients[i];
        }
    }
    (dot(&rest, &rest), coefficients)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: [f64; 5] = [50.0, 200.0, 800.0, 200.0, 800.0];
    const CONNECTIONS: [f64; 5] = [4.0, 4.0, 4.0, 20.0, 20.0];

    #[test]
    fn worked() {
        let y = [1.02, 1.01, 0.99, 17.0, 17.1];
        let d = follows(&y, &[&RUNS, &CONNECTIONS], true);
        assert_eq!(d.follows, Follows::One(1));
        assert!((d.coefficients[1] - 1.002).abs() < 1e-3, "{d:?}");
        assert!((d.p_values[1] - 8.2e-6).abs() < 2e-7, "{d:?}");
        assert!((d.p_values[0] - 0.65).abs() < 0.01, "{d:?}");
    }

    #[test]
    fn both() {
        let y: Vec<f64> = (0..5)
            .map(|i| 10.0 * RUNS[i] + 500.0 * CONNECTIONS[i])
            .collect();
        let d = follows(&y, &[&RUNS, &CONNECTIONS], true);
        assert_eq!(d.follows, Follows::Several);
        assert!((d.coefficients[0] - 10.0).abs() < 1e-6);
        assert!((d.coefficients[1] - 500.0).abs() < 1e-6);
    }

    #[test]
    fn together() {
        let runs = [50.0, 200.0, 800.0, 1600.0, 3200.0];
        let rose: Vec<f64> = runs.iter().map(|r| r / 50.0 + 1.0).collect();
        let d = follows(&[1.0, 2.0, 3.0, 4.0, 5.0], &[&runs, &rose], true);
        assert_eq!(d.follows, Follows::Together);
    }

    #[test]
    fn three_captures_only_if_exact() {
        let (runs, connections) = ([50.0, 200.0, 200.0], [4.0, 4.0, 20.0]);
        let y = [1.0, 1.0, 5.0];
        let exact = follows(&y, &[&runs, &connections], true);
        assert_eq!(exact.follows, Follows::OneOfThree(1));
        let noisy = follows(&y, &[&runs, &connections], false);
        assert_eq!(noisy.follows, Follows::CannotTell);
    }

    #[test]
    fn one_alone_and_none() {
        let constant = [4.0; 5];
        let d = follows(&RUNS, &[&RUNS, &constant], true);
        assert_eq!(d.follows, Follows::One(0));
        assert!(d.coefficients[1].is_nan());
        for y in [&[][..], &[1.0; 5], &[f64::NAN; 5]] {
            let d = follows(y, &[&RUNS, &CONNECTIONS], true);
            assert_eq!(d.follows, Follows::CannotTell);
        }
    }
}
