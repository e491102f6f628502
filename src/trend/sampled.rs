//! Sampled values: what they estimate, how far off they may be, and whether
//! two of them differ.
//!
//! An allocation of s bytes is sampled with probability 1 - exp(-s / M), M the
//! mean number of bytes between samples. Everything here is in bytes, and in
//! the effective unit of a site, the bytes that one sample stands for.

use super::dist;

/// The 95 % point of a normal distribution, two-sided.
const Z95: f64 = 1.96;

/// An unbiased estimate from samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Allocations.
    pub blocks: f64,
    /// Bytes.
    pub bytes: f64,
    /// Of `bytes`, in bytes squared.
    pub variance: f64,
}

impl Estimate {
    /// Bytes that one sample stands for: variance over bytes. `mean` for a
    /// site without a sample.
    pub fn unit(&self, mean: f64) -> f64 {
        if self.bytes > 0.0 && self.variance > 0.0 {
            self.variance / self.bytes
        } else {
            mean
        }
    }

    /// From raw samples by size, `(samples, size in bytes)`, at one sample in
    /// `mean` bytes (Horvitz and Thompson 1952). The variance is unbiased too.
    /// Sizes or means that are not positive count nothing.
    ///
    /// ```
    /// let e = heapdiff::trend::Estimate::of_sizes([(5.0, 64.0)], 524_288.0);
    /// assert!((e.blocks - 40_962.5).abs() < 0.1);
    /// assert!((e.variance.sqrt() - 1_172_344.0).abs() < 1.0);
    /// ```
    pub fn of_sizes(samples: impl IntoIterator<Item = (f64, f64)>, mean: f64) -> Estimate {
        let mut sum = Estimate::default();
        for (n, s) in samples {
            if !(n > 0.0 && s > 0.0 && mean > 0.0) {
                continue;
            }
            let missed = (-s / mean).exp();
            let chance = -(-s / mean).exp_m1();
            sum.blocks += n / chance;
            sum.bytes += n * s / chance;
            sum.variance += n * s * s * missed / (chance * chance);
        }
        sum
    }

    /// From the sums of raw samples, their number and bytes. Exact where the
    /// site allocates one size; with mixed sizes biased by a few per cent.
    pub fn of_raw_sums(samples: f64, bytes: f64, mean: f64) -> Estimate {
        if samples > 0.0 {
            Estimate::of_sizes([(samples, bytes / samples)], mean)
        } else {
            Estimate::default()
        }
    }

    /// From sums that are already scaled. Never scaled again; the variance is
    /// exact for one size and up to 1.74 times too large for mixed sizes.
    pub fn of_scaled(bytes: f64, blocks: f64, mean: f64) -> Estimate {
        if !(bytes > 0.0 && blocks > 0.0 && mean > 0.0) {
            return Estimate::of_bytes(bytes, mean);
        }
        let size = bytes / blocks;
        Estimate {
            blocks,
            bytes,
            variance: bytes * size / (size / mean).exp_m1(),
        }
    }

    /// From scaled bytes alone: the largest variance of any mixture of sizes.
    pub fn of_bytes(bytes: f64, mean: f64) -> Estimate {
        Estimate {
            blocks: 0.0,
            bytes: bytes.max(0.0),
            variance: (bytes.max(0.0) * mean).max(0.0),
        }
    }
}

/// The upper bound of 95 % for a site without a sample: three mean intervals,
/// whatever its sizes.
pub fn unseen_upper_bound(mean: f64) -> f64 {
    2.995_732_273_553_991 * mean
}

/// One side of a difference of sampled values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    /// Estimated bytes.
    pub bytes: f64,
    /// Bytes one sample stands for ([`Estimate::unit`]); the mean interval for
    /// a site without a sample.
    pub unit: f64,
    /// The number of raw samples, where known and of one size class.
    pub raw: Option<u64>,
}

impl Sampled {
    /// Effective number of samples.
    pub fn count(&self) -> f64 {
        if self.unit > 0.0 && self.bytes > 0.0 {
            self.bytes / self.unit
        } else {
            0.0
        }
    }
}

/// Two-sided p that two independent sampled values are of equal bytes.
///
/// With raw counts the conditional binomial test (Przyborowski and Wilenski
/// 1940), which never exceeds its level: of all samples, the share expected on
/// the second side is (1/unit2) / (1/unit1 + 1/unit2). Without raw counts and
/// from 30 effective samples on, the square-root transform (Anscombe 1948);
/// below, the binomial on counts rounded to whole samples. For captures of one
/// process it is too careful, never too bold: shared survivors only lower the
/// variance of the difference.
pub fn difference_p(base: &Sampled, new: &Sampled) -> f64 {
    let sound = |s: &Sampled| s.bytes.is_finite() && s.unit.is_finite() && s.unit > 0.0;
    if !(sound(base) && sound(new)) {
        return 1.0;
    }
    let share = base.unit / (base.unit + new.unit);
    if let (Some(a), Some(b)) = (base.raw, new.raw) {
        return dist::binomial_two_sided(b, a.saturating_add(b), share);
    }
    let (m1, m2) = (base.count(), new.count());
    if m1 + m2 >= 30.0 {
        return dist::normal_two_sided(square_root_z(m1, m2, base.unit / new.unit));
    }
    let (a, b) = (m1.round() as u64, m2.round() as u64);
    dist::binomial_two_sided(b, a.saturating_add(b), share)
}

/// z of the square-root test: counts `m1` and `m2`, `m2` expected to be
/// `ratio` times `m1` (Anscombe 1948).
pub fn square_root_z(m1: f64, m2: f64, ratio: f64) -> f64 {
    let a = (m1.max(0.0) + 0.375).sqrt();
    let b = (m2.max(0.0) + 0.375).sqrt();
    2.0 * (b - ratio.sqrt() * a) / (1.0 + ratio).sqrt()
}

/// Interval of 95 % of one sampled value: the score interval of its count
/// (Wilson 1927 for a Poisson count), in bytes.
pub fn value_interval(side: &Sampled) -> (f64, f64) {
    let m = side.count();
    let unit = if side.unit > 0.0 { side.unit } else { 0.0 };
    let z2 = Z95 * Z95;
    let half = Z95 * (m + z2 / 4.0).sqrt();
    (unit * (m + z2 / 2.0 - half), unit * (m + z2 / 2.0 + half))
}

/// Interval of 95 % of the difference `new - base` of two independent sampled
/// values, by the method of variance estimates recovery (Zou and Donner 2008).
/// Covers 95 to 98 % at equal and at tenfold different rates, from no sample on.
///
/// ```
/// use heapdiff::trend::{Sampled, difference_interval};
/// let side = |m: f64| Sampled { bytes: m, unit: 1.0, raw: None };
/// let (lo, hi) = difference_interval(&side(100.0), &side(150.0));
/// assert!((lo - 19.044).abs() < 1e-3 && (hi - 81.496).abs() < 1e-3);
/// ```
pub fn difference_interval(base: &Sampled, new: &Sampled) -> (f64, f64) {
    let ((l1, u1), (l2, u2)) = (value_interval(base), value_interval(new));
    let d = new.bytes - base.bytes;
    (
        d - (new.bytes - l2).hypot(u1 - base.bytes),
        d + (u2 - new.bytes).hypot(base.bytes - l1),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: f64 = 524_288.0;

    fn near(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance, "{a} is not {b}");
    }

    #[test]
    fn worked_estimates() {
        for (n, s, blocks, bytes, sd) in [
            (5.0, 64.0, 40_962.5, 2_621_600.0, 1_172_344.0),
            (3.0, 4096.0, 385.5, 1_579_016.0, 908_091.0),
            (2.0, 1_048_576.0, 2.3, 2_425_393.0, 630_918.0),
            (1.0, 8.0, 65_536.5, 524_292.0, 524_288.0),
        ] {
            let e = Estimate::of_sizes([(n, s)], M);
            near(e.blocks, blocks, 0.06);
            near(e.bytes, bytes, 1.0);
            near(e.variance.sqrt(), sd, 1.0);
            let sums = Estimate::of_raw_sums(n, n * s, M);
            near(sums.bytes, e.bytes, 1e-6);
            let scaled = Estimate::of_scaled(e.bytes, e.blocks, M);
            near(scaled.variance / e.variance, 1.0, 1e-9);
        }
        let large = Estimate::of_scaled(1_048_576.0, 1.0, M);
        near(large.unit(M), 164_121.0, 1.0);
        near(unseen_upper_bound(1.0), 2.996, 1e-3);
        assert_eq!(Estimate::default().unit(M), M);
    }

    #[test]
    fn worked_tests() {
        let raw = |n: u64, unit: f64| Sampled {
            bytes: n as f64 * unit,
            unit,
            raw: Some(n),
        };
        near(difference_p(&raw(0, M), &raw(5, M)), 0.0625, 1e-9);
        near(difference_p(&raw(0, M), &raw(18, M)), 7.63e-6, 1e-8);
        near(difference_p(&raw(100, M), &raw(150, M)), 1.88e-3, 1e-5);
        near(difference_p(&raw(50, M), &raw(12, 10.0 * M)), 0.0185, 1e-4);
        near(square_root_z(100.0, 150.0, 1.0), 3.1735, 1e-4);
        near(square_root_z(100.0, 180.0, 1.0), 4.8248, 1e-4);
        let few = Sampled {
            bytes: 0.0,
            unit: M,
            raw: None,
        };
        let some = Sampled {
            bytes: 5.0 * M,
            unit: M,
            raw: None,
        };
        near(difference_p(&few, &some), 0.0625, 1e-9);
    }

    #[test]
    fn worked_intervals() {
        let side = |m: f64| Sampled {
            bytes: m,
            unit: 1.0,
            raw: None,
        };
        for (a, b, lo, hi) in [
            (0.0, 0.0, -3.841, 3.841),
            (0.0, 5.0, 0.208, 11.706),
            (4.0, 9.0, -2.596, 13.467),
            (100.0, 150.0, 19.044, 81.496),
        ] {
            let (l, h) = difference_interval(&side(a), &side(b));
            near(l, lo, 2e-3);
            near(h, hi, 2e-3);
        }
    }

    #[test]
    fn odd_numbers() {
        let odd = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300];
        for a in odd {
            for b in odd {
                let s = Sampled {
                    bytes: a,
                    unit: b,
                    raw: None,
                };
                assert!((0.0..=1.0).contains(&difference_p(&s, &s)));
                let _ = difference_interval(&s, &s);
                let _ = Estimate::of_sizes([(a, b)], a);
                let _ = Estimate::of_scaled(a, b, a);
            }
        }
    }
}
