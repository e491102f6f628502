//! Tails and quantiles of the distributions that the tests rest on.
//!
//! Thin and total: every function takes any number, NaN and infinities
//! included, and answers with a probability in 0..=1 (tails) or a number that
//! is not NaN (quantiles). Doubt is always resolved towards "not significant".
//! The incomplete beta function, the logarithm of gamma and `erfc` are those of
//! `statrs`, through the entry points that return an error instead of panicking.

use statrs::function::{beta, erf, gamma};

/// Two-sided tail of Student's t (1908) with `df` degrees, any real `df > 0`.
/// NaN gives 1.
pub fn student_two_sided(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return 1.0;
    }
    if t.is_infinite() {
        return 0.0;
    }
    if df > 1e7 {
        return normal_two_sided(t);
    }
    unit(beta::checked_beta_reg(df / 2.0, 0.5, df / (df + t * t)))
}

/// The t with `P(|T| > t) = p` for Student's distribution with `df` degrees;
/// infinite for `p <= 0`, 0 for `p >= 1`. About 60 evaluations of the tail.
pub fn student_quantile_two_sided(p: f64, df: f64) -> f64 {
    if p.is_nan() || p <= 0.0 || df.is_nan() || df <= 0.0 {
        return f64::INFINITY;
    }
    if p >= 1.0 {
        return 0.0;
    }
    let (mut lo, mut hi) = (0.0_f64, 2.0_f64);
    while student_two_sided(hi, df) > p {
        lo = hi;
        hi *= 4.0;
        if hi > 1e150 {
            return f64::INFINITY;
        }
    }
    for _ in 0..70 {
        let mid = 0.5 * (lo + hi);
        if student_two_sided(mid, df) > p {
            lo = mid;
        } else {
            hi = mid;
        }
        if hi - lo <= 1e-13 * hi {
            break;
        }
    }
    0.5 * (lo + hi)
}

/// Upper tail of the standard normal distribution. NaN gives 1.
pub fn normal_upper(z: f64) -> f64 {
    if z.is_nan() {
        return 1.0;
    }
    (0.5 * erf::erfc(z / std::f64::consts::SQRT_2)).clamp(0.0, 1.0)
}

/// Two-sided tail of the standard normal distribution. NaN gives 1.
pub fn normal_two_sided(z: f64) -> f64 {
    (2.0 * normal_upper(z.abs())).min(1.0)
}

/// The z with `P(Z > z) = p`; plus and minus infinity for `p` 0 and 1.
pub fn normal_quantile_upper(p: f64) -> f64 {
    if p.is_nan() || p <= 0.0 {
        return f64::INFINITY;
    }
    if p >= 1.0 {
        return f64::NEG_INFINITY;
    }
    std::f64::consts::SQRT_2 * erf::erfc_inv(2.0 * p)
}

/// Upper tail of the chi-square distribution with `df` degrees, by the
/// recurrence from 1 or 2 degrees (a closed form each; the general incomplete
/// gamma function of the library does not end for every input). NaN gives 1.
/// Linear in `df`, which is cut at 1,000.
pub fn chi_square_upper(value: f64, df: u32) -> f64 {
    if value.is_nan() || df == 0 || value <= 0.0 {
        return 1.0;
    }
    if value.is_infinite() {
        return 0.0;
    }
    let half = value / 2.0;
    let odd = df % 2 == 1;
    let mut tail = if odd {
        erf::erfc(half.sqrt())
    } else {
        (-half).exp()
    };
    // The term half^a exp(-half) / gamma(a + 1), from a = 1/2 or 1.
    let mut a = if odd { 0.5 } else { 1.0 };
    let mut ln_term = if odd {
        0.5 * half.ln() - half - gamma::ln_gamma(1.5)
    } else {
        half.ln() - half
    };
    let steps = (df.min(1_000) - 1) / 2;
    for _ in 0..steps {
        tail += ln_term.exp();
        a += 1.0;
        ln_term += (half / a).ln();
    }
    tail.clamp(0.0, 1.0)
}

/// Upper tail of Fisher's F with `d1` and `d2` degrees. NaN gives 1.
pub fn f_upper(value: f64, d1: f64, d2: f64) -> f64 {
    if value.is_nan() || !(d1 > 0.0 && d2 > 0.0) || value <= 0.0 {
        return 1.0;
    }
    if value.is_infinite() {
        return 0.0;
    }
    unit(beta::checked_beta_reg(
        d2 / 2.0,
        d1 / 2.0,
        d2 / (d2 + d1 * value),
    ))
}

/// Two-sided binomial p: `min(1, 2 min(P(X <= k), P(X >= k)))` for `k`
/// successes in `n` trials of chance `share`. Exact up to rounding to some
/// millions of trials (the tail is summed), the normal limit above.
pub fn binomial_two_sided(k: u64, n: u64, share: f64) -> f64 {
    if n == 0 || share.is_nan() || share <= 0.0 || share >= 1.0 || k > n {
        return 1.0;
    }
    let (nf, kf) = (n as f64, k as f64);
    let mean = nf * share;
    if nf > 4e6 {
        let sd = (nf * share * (1.0 - share)).sqrt();
        return normal_two_sided((((kf - mean).abs() - 0.5).max(0.0)) / sd);
    }
    // The tail away from the mean holds the smaller of the two.
    let upper = kf >= mean;
    let tail = if upper {
        binomial_tail_up(k, n, share)
    } else {
        binomial_tail_up(n - k, n, 1.0 - share)
    };
    (2.0 * tail).clamp(0.0, 1.0)
}

/// `P(X >= k)` where `k` is at or above the mean, so the terms fall.
fn binomial_tail_up(k: u64, n: u64, share: f64) -> f64 {
    let (nf, kf) = (n as f64, k as f64);
    let ln_first =
        gamma::ln_gamma(nf + 1.0) - gamma::ln_gamma(kf + 1.0) - gamma::ln_gamma(nf - kf + 1.0)
            + kf * share.ln()
            + (nf - kf) * (-share).ln_1p();
    let odds = share / (1.0 - share);
    let (mut term, mut sum, mut i) = (1.0_f64, 1.0_f64, kf);
    while i < nf {
        term *= (nf - i) / (i + 1.0) * odds;
        sum += term;
        i += 1.0;
        if term < 1e-17 * sum {
            break;
        }
    }
    (ln_first.exp() * sum).clamp(0.0, 1.0)
}

fn unit<E>(value: Result<f64, E>) -> f64 {
    match value {
        Ok(p) if p.is_finite() => p.clamp(0.0, 1.0),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, rel: f64) {
        assert!((a - b).abs() <= rel * b.abs(), "{a} is not {b}");
    }

    #[test]
    fn known_values() {
        near(student_two_sided(2.228, 10.0), 0.05, 1e-3);
        near(student_two_sided(20.0, 10.0), 2.15e-9, 5e-3);
        near(student_quantile_two_sided(0.05, 10.0), 2.228_138_85, 1e-8);
        near(normal_quantile_upper(0.025), 1.959_963_985, 1e-8);
        near(normal_two_sided(1.959_963_985), 0.05, 1e-8);
        near(chi_square_upper(10.828, 1), 0.001, 1e-3);
        near(chi_square_upper(13.816, 2), 0.001, 1e-3);
        near(chi_square_upper(16.266, 3), 0.001, 1e-3);
        near(chi_square_upper(29.588, 10), 0.001, 1e-3);
        near(f_upper(4.964_6, 1.0, 10.0), 0.05, 1e-4);
        near(binomial_two_sided(5, 5, 0.5), 0.0625, 1e-12);
        near(binomial_two_sided(18, 18, 0.5), 7.63e-6, 1e-3);
        near(binomial_two_sided(150, 250, 0.5), 1.88e-3, 5e-3);
        near(binomial_two_sided(180, 280, 0.5), 2.01e-6, 5e-3);
        near(binomial_two_sided(12, 62, 1.0 / 11.0), 0.0185, 5e-3);
        near(binomial_two_sided(501_500, 1_000_000, 0.5), 2.71e-3, 1e-2);
    }

    #[test]
    fn no_number_makes_them_panic() {
        let odd = [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.0,
            -1.0,
            1e300,
            1e-300,
        ];
        for a in odd {
            assert!(!normal_quantile_upper(a).is_nan());
            assert!((0.0..=1.0).contains(&normal_upper(a)));
            for df in [0, 1, 2, 7, u32::MAX] {
                assert!((0.0..=1.0).contains(&chi_square_upper(a, df)));
            }
            for b in odd {
                assert!((0.0..=1.0).contains(&student_two_sided(a, b)));
                assert!(!student_quantile_two_sided(a, b).is_nan());
                assert!((0.0..=1.0).contains(&f_upper(a, b, 3.0)));
                assert!((0.0..=1.0).contains(&binomial_two_sided(3, 7, a)));
            }
        }
    }
}
