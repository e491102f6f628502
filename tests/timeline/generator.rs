//! Series with a known truth: levels in MB along hours, noise of several kinds.

use heapdiff::model::{Measure, Series, SeriesBuilder, SeriesName, SeriesUnit, Time};

/// A small generator of random numbers (splitmix64).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Normal with mean 0 and variance 1.
    pub fn normal(&mut self) -> f64 {
        let u = self.uniform().max(1e-300);
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Poisson with this mean.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 60.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (limit, mut product, mut n) = ((-mean).exp(), self.uniform(), 0);
        while product > limit {
            product *= self.uniform();
            n += 1;
        }
        n
    }

    /// Gamma with a whole shape and mean 1.
    pub fn gamma(&mut self, shape: u32) -> f64 {
        (0..shape)
            .map(|_| -self.uniform().max(1e-300).ln())
            .sum::<f64>()
            / f64::from(shape)
    }
}

/// Relative noise of a level.
#[derive(Debug, Clone, Copy)]
pub enum Noise {
    White(f64),
    /// Share of the level, time constant in minutes.
    Slow(f64, f64),
}

/// The first seed of the long simulations: none below it, where rules were tuned, is used there.
pub const FRESH: u64 = 1_000_000;

/// Midnight of 2026-03-02 UTC.
pub const START: i64 = 1_772_409_600;

pub fn name(service: &str) -> SeriesName {
    SeriesName {
        service: service.into(),
        metric: "mem_usage".into(),
        role: Measure::Memory,
        unit: SeriesUnit::Bytes,
    }
}

/// Samples `level(hours)` in MB every `step` seconds with noise; levels that are NaN are missing.
pub fn series(
    hours: f64,
    step: i64,
    noise: Noise,
    seed: u64,
    level: impl Fn(f64) -> f64,
) -> Series {
    let mut random = Random::new(seed ^ 0xabcd);
    let mut builder = SeriesBuilder::new(name("app"));
    let mut slow = random.normal();
    for i in 0..(hours * 3600.0) as i64 / step {
        let t = (i * step) as f64 / 3600.0;
        let share = match noise {
            Noise::White(s) => s * random.normal(),
            Noise::Slow(s, minutes) => {
                let rho = (-(step as f64) / 60.0 / minutes).exp();
                slow = rho * slow + (1.0 - rho * rho).sqrt() * random.normal();
                s * slow
            }
        };
        let y = level(t) * (1.0 + share) * 1e6;
        builder.push(Time((START + i * step) * 1000), y);
    }
    builder.finish().unwrap()
}

/// A wave of one day.
pub fn sin(t: f64, phase: f64) -> f64 {
    (std::f64::consts::TAU * (t / 24.0 + phase)).sin()
}

/// A working day of 14 hours: half a wave, then nothing.
pub fn office(t: f64, phase: f64) -> f64 {
    let h = (t + 24.0 * phase).rem_euclid(24.0);
    if h < 14.0 {
        (std::f64::consts::PI * h / 14.0).sin()
    } else {
        0.0
    }
}
