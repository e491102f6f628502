//! Random numbers by a fixed seed.

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    /// Uniform in 0..1.
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Nearly normal, with the deviation 1.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }

    /// A Poisson count, by the products of uniform numbers; in parts where the mean is large.
    pub fn poisson(&mut self, mut mean: f64) -> u64 {
        let mut count = 0;
        while mean > 0.0 {
            let part = mean.min(500.0);
            mean -= part;
            let (limit, mut product) = ((-part).exp(), self.next());
            while product > limit {
                count += 1;
                product *= self.next();
            }
        }
        count
    }
}
