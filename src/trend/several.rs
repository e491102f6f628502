//! Several tests at once: which of many p-values still mean something.

/// Benjamini and Hochberg (1995): the q-value of every p-value, in the order
/// given. A q is the share of false ones expected among all whose p is at most
/// this one's.
///
/// NaN counts as 1. Equal p-values get equal q-values. `n log n` time, one
/// index of 4 bytes a test beside the result.
///
/// ```
/// let q = heapdiff::trend::benjamini_hochberg(&[0.01, 0.04, 0.03, 0.5]);
/// assert!((q[0] - 0.04).abs() < 1e-12);
/// assert!((q[2] - 0.16 / 3.0).abs() < 1e-12);
/// ```
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    benjamini_hochberg_of(p, p.len())
}

/// The same when only the smallest p-values are at hand and the other tests,
/// `tests` in all, have p = 1. `tests` below the number of values is raised to it.
pub fn benjamini_hochberg_of(p: &[f64], tests: usize) -> Vec<f64> {
    let order = ascending(p);
    let m = tests.max(p.len()) as f64;
    let mut q = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (rank, &at) in order.iter().enumerate().rev() {
        let i = at as usize;
        least = least.min(clean(p[i]) * m / (rank as f64 + 1.0));
        q[i] = least;
    }
    q
}

/// Holm (1979): p-values corrected so that the chance of even one false
/// rejection stays below the level they are compared with. In the order given;
/// NaN counts as 1. `n log n` time.
///
/// ```
/// let p = heapdiff::trend::holm(&[0.01, 0.04, 0.03]);
/// assert!((p[0] - 0.03).abs() < 1e-12 && (p[2] - 0.06).abs() < 1e-12);
/// ```
pub fn holm(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let m = p.len() as f64;
    let mut out = vec![1.0; p.len()];
    let mut most = 0.0_f64;
    for (rank, &at) in order.iter().enumerate() {
        let i = at as usize;
        most = most.max((clean(p[i]) * (m - rank as f64)).min(1.0));
        out[i] = most;
    }
    out
}

fn clean(p: f64) -> f64 {
    if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }
}

/// Indexes by ascending p, equals in the order given. More than `u32::MAX`
/// tests would not fit into memory anyway; those beyond keep p = 1.
fn ascending(p: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..p.len()).map_while(|i| u32::try_from(i).ok()).collect();
    order.sort_unstable_by(|&a, &b| {
        clean(p[a as usize])
            .total_cmp(&clean(p[b as usize]))
            .then(a.cmp(&b))
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_and_nan() {
        let q = benjamini_hochberg(&[0.02, f64::NAN, 0.02, 0.02]);
        assert_eq!(q[0], q[2]);
        assert!((q[0] - 0.02 * 4.0 / 3.0).abs() < 1e-15);
        assert_eq!(q[1], 1.0);
        assert!(benjamini_hochberg(&[]).is_empty() && holm(&[]).is_empty());
        let some = benjamini_hochberg_of(&[0.001], 100);
        assert!((some[0] - 0.1).abs() < 1e-12);
    }

    #[test]
    fn holm_never_falls() {
        let p = holm(&[0.04, 0.001, 0.03, 0.02]);
        assert_eq!(p[1], 0.004);
        assert_eq!(p[0], 0.06, "0.04 may not be below 0.03 * 2");
        assert_eq!(p[2], 0.06);
    }
}
