//! Tails of counts: is this many more than chance gives?

use statrs::function::gamma::ln_gamma;

/// Terms that are summed at most; beyond them they are negligible.
const MOST_TERMS: usize = 100_000;

/// The chance of `count` or more where `mean` are expected, with a variance of `dispersion` times
/// the mean: Poisson at 1 or below, negative binomial above. Odd numbers give 1.
///
/// ```
/// let p = heapdiff::trend::count_upper(3, 1.0, 1.0);
/// assert!((p - 0.080_301).abs() < 1e-6);
/// assert!(heapdiff::trend::count_upper(30, 5.0, 3.0) > heapdiff::trend::count_upper(30, 5.0, 1.0));
/// ```
pub fn count_upper(count: u64, mean: f64, dispersion: f64) -> f64 {
    if !(mean > 0.0 && mean.is_finite()) || dispersion.is_nan() || count == 0 {
        return 1.0;
    }
    let c = count as f64;
    if c <= mean {
        return 1.0;
    }
    let poisson = dispersion <= 1.0 + 1e-9;
    let (mut ln_term, size, share) = if poisson {
        (c * mean.ln() - mean - ln_gamma(c + 1.0), 0.0, 0.0)
    } else {
        let size = mean / (dispersion - 1.0);
        let share = 1.0 / dispersion;
        let ln = ln_gamma(c + size) - ln_gamma(size) - ln_gamma(c + 1.0)
            + size * share.ln()
            + c * (1.0 - share).ln();
        (ln, size, share)
    };
    if ln_term.is_nan() {
        ln_term = 0.0;
    }
    let (mut term, mut sum, mut k) = (1.0_f64, 1.0_f64, c);
    for _ in 0..MOST_TERMS {
        term *= match poisson {
            true => mean / (k + 1.0),
            false => (k + size) / (k + 1.0) * (1.0 - share),
        };
        sum += term;
        k += 1.0;
        if term < 1e-15 * sum {
            break;
        }
    }
    (ln_term.exp() * sum).clamp(0.0, 1.0)
}
