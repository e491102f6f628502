//! From samples to estimates of all allocations.

/// What samples of one stack stand for, where a sample is taken every `mean` bytes on average:
/// `(blocks, bytes)`. A sampled block of `s` bytes was seen with probability `1 - exp(-s/mean)`.
///
/// Sums of stacks must be made after this, never before. Without a mean, or where one of the two
/// numbers is 0 (jemalloc rounds), they stay as they are.
pub(super) fn unbias(blocks: f64, bytes: f64, mean: Option<f64>) -> (f64, f64) {
    let Some(mean) = mean.filter(|m| *m > 1.0) else {
        return (blocks, bytes);
    };
    // Deltas hold negative numbers; the sign of both is the same then.
    let average = bytes / blocks;
    if !average.is_finite() || average <= 0.0 {
        return (blocks, bytes);
    }
    // `1 - exp(-x)` loses all digits for small x.
    let factor = -1.0 / (-average / mean).exp_m1();
    if factor.is_finite() {
        (blocks * factor, bytes * factor)
    } else {
        (blocks, bytes)
    }
}

/// `value` as a whole number; what does not fit is the nearest that does.
pub(super) fn whole(value: f64) -> i64 {
    value.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates() {
        let mean = Some(524_288.0);
        let (blocks, _) = unbias(1.0, 8.0, mean);
        assert!((blocks - 65_536.5).abs() < 1e-3);
        let (blocks, bytes) = unbias(2.0, 2e9, mean);
        assert_eq!((whole(blocks), whole(bytes)), (2, 2_000_000_000));
        assert_eq!(unbias(0.0, 5.0, mean), (0.0, 5.0));
        assert_eq!(unbias(3.0, 0.0, mean), (3.0, 0.0));
        assert_eq!(unbias(3.0, 9.0, Some(1.0)), (3.0, 9.0));
        assert_eq!(unbias(3.0, 9.0, None), (3.0, 9.0));
        let (negative, _) = unbias(-1.0, -8.0, mean);
        assert!((negative + 65_536.5).abs() < 1e-3);
    }
}
