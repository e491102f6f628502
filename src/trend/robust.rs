//! Statistics that one wild value cannot move: Mann-Kendall and Theil-Sen.

use super::dist;

/// The trend test of Mann (1945) and Kendall (1970), with ties and the
/// correction for continuity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannKendall {
    /// Rising pairs less falling pairs.
    pub s: i64,
    /// Two-sided p of the normal limit. It cannot be small with few captures:
    /// at best 0.027 with 5, 0.0085 with 6, 0.0008 with 8.
    pub p: f64,
}

/// A slope with its interval of 95 %, in units of y per unit of x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The median of the pairwise slopes.
    pub value: f64,
    /// Lower end of the interval of 95 %.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

/// Rising less falling pairs; `n (n - 1) / 2` comparisons.
fn rising_pairs(x: &[f64], y: &[f64]) -> i64 {
    let n = x.len().min(y.len());
    let mut s = 0_i64;
    for i in 0..n {
        for j in i + 1..n {
            let up = i64::from(y[j] > y[i]) - i64::from(y[j] < y[i]);
            let on = i64::from(x[j] > x[i]) - i64::from(x[j] < x[i]);
            s += up * on;
        }
    }
    s
}

/// The variance of [`rising_pairs`] when nothing trends (Kendall 1970, ties in
/// both). `n^2` comparisons, nothing allocated.
fn pair_variance(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len().min(y.len());
    let nf = n as f64;
    // Sums over groups of t (t - 1) and so on are sums over values of t - 1.
    let (mut y5, mut y1, mut y2) = (0.0, 0.0, 0.0);
    let (mut x5, mut x1, mut x2) = (0.0, 0.0, 0.0);
    for i in 0..n {
        let tx = x[..n].iter().filter(|&&v| v == x[i]).count() as f64;
        let ty = y[..n].iter().filter(|&&v| v == y[i]).count() as f64;
        y5 += (ty - 1.0) * (2.0 * ty + 5.0);
        y2 += (ty - 1.0) * (ty - 2.0);
        y1 += ty - 1.0;
        x5 += (tx - 1.0) * (2.0 * tx + 5.0);
        x2 += (tx - 1.0) * (tx - 2.0);
        x1 += tx - 1.0;
    }
    let mut variance = (nf * (nf - 1.0) * (2.0 * nf + 5.0) - y5 - x5) / 18.0;
    if n > 2 {
        variance += x2 * y2 / (9.0 * nf * (nf - 1.0) * (nf - 2.0));
        variance += x1 * y1 / (2.0 * nf * (nf - 1.0));
    }
    variance.max(0.0)
}

/// Whether Mann-Kendall shows a rise at a two-sided p of `level`; cheaper than
/// the p itself where it plainly does not.
pub(super) fn rises(x: &[f64], y: &[f64], level: f64) -> bool {
    let s = rising_pairs(x, y);
    s > 0 && mann_kendall_of(s, pair_variance(x, y)).p <= level
}

fn mann_kendall_of(s: i64, variance: f64) -> MannKendall {
    let p = if variance > 0.0 {
        dist::normal_two_sided((s.unsigned_abs() as f64 - 1.0).max(0.0) / variance.sqrt())
    } else {
        1.0
    };
    MannKendall { s, p }
}

/// Mann-Kendall over points in any order; `n^2` comparisons.
///
/// ```
/// let x: Vec<f64> = (0..12).map(f64::from).collect();
/// let mk = heapdiff::trend::mann_kendall(&x, &x);
/// assert_eq!(mk.s, 66);
/// assert!((mk.p - 8.3e-6).abs() < 1e-7);
/// ```
pub fn mann_kendall(x: &[f64], y: &[f64]) -> MannKendall {
    mann_kendall_of(rising_pairs(x, y), pair_variance(x, y))
}

/// Theil (1950) and Sen (1968): the median of the slopes of all pairs of
/// points with different x, and Sen's interval of 95 %. `None` when no pair has
/// one or a slope is not finite. `scratch` is emptied and reused.
///
/// The interval covers 95 to 96 % from 8 points on; with 5 it is the range of
/// all pairs (98 %), with fewer it is that range and covers less than it says.
pub fn theil_sen(x: &[f64], y: &[f64], scratch: &mut Vec<f64>) -> Option<Slope> {
    scratch.clear();
    let n = x.len().min(y.len());
    for i in 0..n {
        for j in i + 1..n {
            let dx = x[j] - x[i];
            if dx != 0.0 {
                let slope = (y[j] - y[i]) / dx;
                if !slope.is_finite() {
                    return None;
                }
                scratch.push(slope);
            }
        }
    }
    let pairs = scratch.len();
    if pairs == 0 {
        return None;
    }
    let c = 1.96 * pair_variance(x, y).sqrt();
    let half = pairs as f64 / 2.0;
    let lo = (half - c / 2.0).floor().max(0.0) as usize;
    let hi = ((half + c / 2.0).ceil() as usize).min(pairs - 1);
    Some(Slope {
        value: median(scratch),
        lo: nth(scratch, lo),
        hi: nth(scratch, hi),
    })
}

/// The median; the mean of the middle two for an even number, 0 for none.
/// Reorders its argument; linear time.
pub fn median(values: &mut [f64]) -> f64 {
    let n = values.len();
    if n == 0 {
        return 0.0;
    }
    let upper = nth(values, n / 2);
    if n % 2 == 1 {
        return upper;
    }
    let lower = values[..n / 2]
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    0.5 * (lower + upper)
}

fn nth(values: &mut [f64], at: usize) -> f64 {
    if at >= values.len() {
        return 0.0;
    }
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_lower_the_variance() {
        let x: Vec<f64> = (0..6).map(f64::from).collect();
        let y = [1.0, 1.0, 2.0, 2.0, 3.0, 3.0];
        let mk = mann_kendall(&x, &y);
        assert_eq!(mk.s, 12);
        // (6*5*17 - 3*2*1*9) / 18 = 25.333
        let z = 11.0 / (456.0_f64 / 18.0).sqrt();
        assert!((mk.p - dist::normal_two_sided(z)).abs() < 1e-12);
    }

    #[test]
    fn slopes_of_odd_input() {
        let mut scratch = Vec::new();
        assert_eq!(theil_sen(&[], &[], &mut scratch), None);
        assert_eq!(theil_sen(&[1.0, 1.0], &[1.0, 5.0], &mut scratch), None);
        assert_eq!(theil_sen(&[1.0, 2.0], &[f64::NAN, 5.0], &mut scratch), None);
        let line = theil_sen(&[3.0, 1.0, 2.0], &[30.0, 10.0, 20.0], &mut scratch);
        assert_eq!(line.map(|s| s.value), Some(10.0));
    }

    #[test]
    fn sen_interval() {
        let x: Vec<f64> = (0..12).map(f64::from).collect();
        let y = [
            1000.0, 1061.0, 1085.0, 1170.0, 1196.0, 1238.0, 1311.0, 1342.0, 1418.0, 1437.0, 1522.0,
            1540.0,
        ];
        let slope = theil_sen(&x, &y, &mut Vec::new()).unwrap();
        assert!((slope.value - 50.143).abs() < 1e-3, "{slope:?}");
        assert!((slope.lo - 47.0).abs() < 0.05 && (slope.hi - 53.5).abs() < 0.05);
    }
}
