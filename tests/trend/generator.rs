//! Series with known labels: every class, any number of captures, even and
//! uneven spacing, with relative noise or sampled.

use heapdiff::trend::Class;

/// A small generator of random numbers (splitmix64): the same on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn within(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.unit()
    }

    /// In lo..=hi.
    pub fn pick(&mut self, lo: usize, hi: usize) -> usize {
        lo + (self.next() % (hi - lo + 1) as u64) as usize
    }

    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    pub fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 60.0 {
            // Sums of Poisson counts are Poisson counts.
            let parts = (mean / 30.0).ceil();
            return (0..parts as usize)
                .map(|_| self.poisson(mean / parts))
                .sum();
        }
        let least = (-mean).exp();
        let (mut product, mut count) = (self.unit(), 0.0);
        while product > least {
            product *= self.unit();
            count += 1.0;
        }
        count
    }

    pub fn binomial(&mut self, n: f64, p: f64) -> f64 {
        (0..n as usize).filter(|_| self.chance(p)).count() as f64
    }
}

/// Runs of n captures, spanning n - 1: one run apart, or gaps of 0.5 to 2.
pub fn runs(n: usize, uneven: bool, random: &mut Random) -> Vec<f64> {
    let mut x = vec![0.0];
    for i in 1..n {
        let gap = if uneven { random.within(0.5, 2.0) } else { 1.0 };
        x.push(x[i - 1] + gap);
    }
    let scale = (n - 1) as f64 / x[n - 1];
    x.iter().map(|v| v * scale).collect()
}

/// A leak without noise: level 1 at the first capture, growing by `rate` a run
/// on the mean; a quarter are curved.
pub fn leak(x: &[f64], rate: f64, random: &mut Random) -> (Class, Vec<f64>) {
    let (first, span) = (x[0], x[x.len() - 1] - x[0]);
    let total = rate * span;
    let curve = if random.chance(0.25) {
        random.pick(1, 3)
    } else {
        0
    };
    let g = random.within(1.5, 3.5);
    let class = if curve == 0 {
        Class::SteadyGrowth
    } else {
        Class::Accelerating
    };
    let values = x.iter().map(|x| {
        let u = (x - first) / span;
        1.0 + total
            * match curve {
                0 => u,
                1 => u * u,
                2 => (g * u).exp_m1() / g.exp_m1(),
                _ => u.powf(1.5),
            }
    });
    (class, values.collect())
}

/// One of the classes that are no leak, without noise, at levels around 1.
pub fn other(x: &[f64], random: &mut Random) -> (Class, Vec<f64>) {
    let n = x.len();
    let (first, span) = (x[0], x[n - 1] - x[0]);
    let u: Vec<f64> = x.iter().map(|x| (x - first) / span).collect();
    let class = match random.within(0.0, 100.0) {
        v if v < 40.0 => Class::Stable,
        v if v < 55.0 => Class::Sawtooth,
        v if v < 70.0 => Class::WarmUp,
        v if v < 85.0 => Class::Step,
        v if v < 92.5 => Class::Shrinking,
        _ => Class::Irregular,
    };
    let values = match class {
        Class::Stable => vec![1.0; n],
        Class::Sawtooth => sawtooth(&u, random),
        Class::WarmUp => {
            let height = random.within(0.2, 5.0);
            let e = random.within(0.1, 0.6);
            let ramp = random.chance(0.5);
            u.iter()
                .map(|u| {
                    1.0 + height
                        * if ramp {
                            (u / e).min(1.0)
                        } else {
                            1.0 - (-(100.0_f64.ln()) * u / e).exp()
                        }
                })
                .collect()
        }
        Class::Step => {
            let side = if n >= 7 { 3 } else { 1 };
            let at = random.pick(side, n - side);
            // Upwards: a step down is no risk.
            let after = 1.0 + random.within(0.1, 2.0);
            (0..n).map(|i| if i < at { 1.0 } else { after }).collect()
        }
        Class::Shrinking => {
            let total = random.within(0.2, 0.8);
            let bent = random.chance(0.5);
            u.iter()
                .map(|u| {
                    if bent {
                        (1.0 - total).powf(*u)
                    } else {
                        1.0 - total * u
                    }
                })
                .collect()
        }
        _ => irregular(n, random),
    };
    (class, values)
}

fn sawtooth(u: &[f64], random: &mut Random) -> Vec<f64> {
    let n = u.len() as f64;
    // At few captures three periods are more than two captures can follow each.
    let most = ((n - 1.0) / 2.0).max(3.5);
    let cycles = random.within(3.0, most);
    let amplitude = random.within(0.1, 0.6);
    let phase = if random.chance(0.3) {
        0.0
    } else {
        random.unit()
    };
    u.iter()
        .map(|u| {
            let at = cycles * u + phase;
            1.0 + amplitude * (at - at.floor())
        })
        .collect()
}

fn irregular(n: usize, random: &mut Random) -> Vec<f64> {
    match random.pick(0, 2) {
        0 => {
            let sigma = random.within(0.2, 0.6);
            (0..n).map(|_| (sigma * random.normal()).exp()).collect()
        }
        1 => {
            let height = random.within(0.3, 2.0);
            (0..n)
                .map(|_| {
                    if random.chance(0.5) {
                        1.0 + height
                    } else {
                        1.0
                    }
                })
                .collect()
        }
        _ => {
            let spread = random.within(0.2, 0.8);
            (0..n)
                .map(|_| random.within(1.0 - spread, 1.0 + spread))
                .collect()
        }
    }
}

/// Independent noise of a share of the level.
pub fn noisy(values: &mut [f64], noise: f64, random: &mut Random) {
    for v in values {
        *v *= 1.0 + noise * random.normal();
    }
}

/// Samples seen in captures of separate processes: independent counts.
pub fn sampled_apart(levels: &[f64], samples: f64, random: &mut Random) -> Vec<f64> {
    levels.iter().map(|l| random.poisson(samples * l)).collect()
}

/// Samples seen in captures of one process: a sample survives to the next
/// capture with the chance `survival` (less where the level falls), what leaks
/// stays for good.
pub fn sampled_one(
    levels: &[f64],
    samples: f64,
    survival: f64,
    leaks: bool,
    random: &mut Random,
) -> Vec<f64> {
    let mut alive = random.poisson(samples * levels[0]);
    let mut kept = 0.0;
    let mut out = vec![alive];
    for pair in levels.windows(2) {
        if leaks {
            alive = random.binomial(alive, survival)
                + random.poisson(samples * levels[0] * (1.0 - survival));
            kept += random.poisson(samples * (pair[1] - pair[0]).max(0.0));
        } else {
            let stay = survival.min(pair[1] / pair[0]);
            alive = random.binomial(alive, stay)
                + random.poisson(samples * (pair[1] - stay * pair[0]).max(0.0));
        }
        out.push(alive + kept);
    }
    out
}
