//! The shapes a series is compared with: a fixed grid over the runs.
//!
//! Every model is linear in its coefficients once the shape is fixed, so
//! nothing is searched per series. The shapes depend on x alone and are built
//! once for all series of the same captures.

/// Shapes that are summed side by side, in double and in single precision: as
/// many as keep their three sums in the registers of any x86-64.
const LANES: usize = 4;
const LANES32: usize = 8;

/// A family of shapes: a range of blocks of [`LANES`] shapes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    first: usize,
    end: usize,
}

/// The best shape of a family for one series, by the part of the sum of
/// squares it explains.
#[derive(Clone, Copy, Debug)]
pub(super) struct Best {
    /// Explained by the best shape with a positive coefficient; negative: none.
    pub up: f64,
    pub up_at: usize,
    /// The same with a negative coefficient.
    pub down: f64,
}

/// The grid over one set of captures. About 160 shapes of n values at 12
/// captures, 410 at 50.
#[derive(Debug)]
pub(super) struct Templates {
    pub x: Vec<f64>,
    /// x moved and scaled to 0..=1.
    pub u: Vec<f64>,
    /// Blocks of shapes: `[block][capture][lane]`.
    values: Vec<f64>,
    /// The same of the teeth, which are three quarters of all, in single
    /// precision: enough to find the best one.
    coarse: Vec<f32>,
    /// The parameter of each shape (the settling share of a warm-up).
    parameter: Vec<f64>,
    /// Growth that gathers speed.
    pub rising: Family,
    /// A warm-up that settles inside the window.
    pub settling: Family,
    /// A warm-up longer than the window.
    pub saturating: Family,
    /// Linear sawtooths.
    pub teeth: Family,
}

impl Templates {
    /// `x` ascending and finite, not all equal (else every shape is constant
    /// and none is kept).
    pub fn new(x: &[f64]) -> Templates {
        let n = x.len();
        let first = x.first().copied().unwrap_or(0.0);
        let span = x.last().copied().unwrap_or(0.0) - first;
        let u: Vec<f64> = x
            .iter()
            .map(|&v| if span > 0.0 { (v - first) / span } else { 0.0 })
            .collect();
        let mut grid = Grid::default();
        let after = |c: f64| u.iter().filter(|&&v| v > c).count();
        let before = |e: f64| u.iter().filter(|&&v| v < e).count();

        for p in [1.5, 2.0, 3.0, 4.0] {
            grid.add(p, u.iter().map(|&v: &f64| v.powf(p)));
        }
        for g in [2.0_f64, 4.0, 8.0, 16.0] {
            grid.add(g, u.iter().map(|&v| (g * v).exp_m1() / g.exp_m1()));
        }
        for c in [0.2, 0.35, 0.5] {
            if after(c) >= 4 {
                grid.add(c, u.iter().map(|&v: &f64| (v - c).max(0.0) / (1.0 - c)));
            }
        }
        let rising = grid.close(n);

        for step in 2..=12 {
            let e = f64::from(step) * 0.05;
            // As many as settle: with one capture before e it is a step.
            if before(e - 1e-9) >= 2 {
                grid.add(e, u.iter().map(|&v| settle(v, e)));
                grid.add(e, u.iter().map(|&v: &f64| (v / e).min(1.0)));
            }
        }
        let settling = grid.close(n);
        for e in [0.7, 0.85, 1.0, 1.25, 1.5] {
            grid.add(e, u.iter().map(|&v| settle(v, e)));
        }
        let saturating = grid.close(n);

        let step = if n > 20 { 0.5 } else { 0.25 };
        let most = (n as f64 - 1.0) / 2.0;
        let mut cycles = 2.0;
        while cycles <= most + 1e-9 {
            for eighth in 0..8 {
                let h = f64::from(eighth) / 8.0;
                grid.add(
                    cycles,
                    u.iter().map(|&v| {
                        let at: f64 = cycles * v + h;
                        // Just below a whole cycle is the whole cycle.
                        let part = at - at.floor();
                        if part > 1.0 - 1e-9 { 0.0 } else { part }
                    }),
                );
            }
            cycles += step;
        }
        let teeth = grid.close(n);
        Templates {
            x: x.to_vec(),
            u,
            coarse: coarse(&grid.values, teeth, n),
            values: grid.values,
            parameter: grid.parameter,
            rising,
            settling,
            saturating,
            teeth,
        }
    }

    /// The parameter of the shape that [`Best::up_at`] names.
    pub fn parameter(&self, at: usize) -> f64 {
        self.parameter.get(at).copied().unwrap_or(f64::NAN)
    }

    /// How many bytes the grid takes, about.
    pub fn bytes(&self) -> usize {
        4 * self.coarse.len() + 8 * (self.values.len() + self.parameter.len() + 2 * self.x.len())
    }

    /// What the best of the teeth explains: found in single precision, then
    /// summed in double; negative if there are none. `w32` and `v32` are `w`
    /// and `v` again.
    pub fn best_teeth(
        &self,
        (w, v, w_sum): (&[f64], &[f64], f64),
        (w32, v32): (&[f32], &[f32]),
    ) -> f64 {
        let n = self.u.len();
        if n == 0 || w.len() != n || v.len() != n || w32.len() != n || v32.len() != n {
            return -1.0;
        }
        let scale = 1.0 / w_sum as f32;
        let floor = 1e-5 * w_sum as f32;
        let (mut most, mut at) = (-1.0_f32, usize::MAX);
        for (block, shapes) in self.coarse.chunks_exact(n * LANES32).enumerate() {
            let [a, b, c] = sums32(shapes.as_chunks::<LANES32>().0, w32, v32);
            let mut gain = [0.0_f32; LANES32];
            for lane in 0..LANES32 {
                let d = (b[lane] - a[lane] * a[lane] * scale).max(floor);
                gain[lane] = c[lane] * c[lane] / d;
            }
            for (lane, &gain) in gain.iter().enumerate() {
                if gain > most {
                    most = gain;
                    at = block * LANES32 + lane;
                }
            }
        }
        if at == usize::MAX {
            return -1.0;
        }
        let first = (self.teeth.first + at / LANES) * n * LANES + at % LANES;
        let (mut a, mut b, mut c) = (0.0, 0.0, 0.0);
        let shape = self.values.iter().skip(first).step_by(LANES);
        for ((f, w), v) in shape.zip(w).zip(v) {
            a += w * f;
            b += w * f * f;
            c += v * f;
        }
        let d = b - a * a / w_sum;
        if d > 1e-12 * w_sum { c * c / d } else { -1.0 }
    }

    /// The best of a family: the largest C^2 / D with A = sum w f,
    /// B = sum w f^2, C = sum w f (y - mu), D = B - A^2 / sum w.
    /// Equals go to the first. `w` and `v = w (y - mu)` have one value a
    /// capture. Three multiply-adds a shape and capture.
    pub fn best(&self, family: Family, w: &[f64], v: &[f64], w_sum: f64) -> Best {
        let n = self.u.len();
        let mut best = Best {
            up: -1.0,
            up_at: usize::MAX,
            down: -1.0,
        };
        if n == 0 || w.len() < n || v.len() < n {
            return best;
        }
        let (w, v) = (&w[..n], &v[..n]);
        let floor = 1e-12 * w_sum;
        let blocks = self
            .values
            .chunks_exact(n * LANES)
            .enumerate()
            .take(family.end)
            .skip(family.first);
        for (block, shapes) in blocks {
            let [a, b, c] = sums(shapes.as_chunks::<LANES>().0, w, v);
            let mut gain = [0.0_f64; LANES];
            for lane in 0..LANES {
                let d = b[lane] - a[lane] * a[lane] / w_sum;
                gain[lane] = if d > floor {
                    c[lane] * c[lane] / d
                } else {
                    -1.0
                };
            }
            for lane in 0..LANES {
                if c[lane] > 0.0 && gain[lane] > best.up {
                    best.up = gain[lane];
                    best.up_at = block * LANES + lane;
                }
                if c[lane] < 0.0 && gain[lane] > best.down {
                    best.down = gain[lane];
                }
            }
        }
        best
    }
}

/// A, B and C of a block of shapes. Apart from its caller so that the lanes
/// stay in vector registers; the branches of the caller would scatter them.
#[inline(never)]
fn sums(shapes: &[[f64; LANES]], w: &[f64], v: &[f64]) -> [[f64; LANES]; 3] {
    let (mut a, mut b, mut c) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for ((f, &w), &v) in shapes.iter().zip(w).zip(v) {
        for lane in 0..LANES {
            let wf = w * f[lane];
            a[lane] += wf;
            b[lane] += wf * f[lane];
            c[lane] += v * f[lane];
        }
    }
    [a, b, c]
}

/// [`sums`] in single precision.
#[inline(never)]
fn sums32(shapes: &[[f32; LANES32]], w: &[f32], v: &[f32]) -> [[f32; LANES32]; 3] {
    let (mut a, mut b, mut c) = ([0.0; LANES32], [0.0; LANES32], [0.0; LANES32]);
    for ((f, &w), &v) in shapes.iter().zip(w).zip(v) {
        for lane in 0..LANES32 {
            let wf = w * f[lane];
            a[lane] += wf;
            b[lane] += wf * f[lane];
            c[lane] += v * f[lane];
        }
    }
    [a, b, c]
}

/// The teeth again, in blocks of [`LANES32`] shapes.
fn coarse(values: &[f64], teeth: Family, n: usize) -> Vec<f32> {
    let shapes = (teeth.end - teeth.first) * LANES;
    let mut out = Vec::with_capacity(shapes.next_multiple_of(LANES32) * n);
    for block in 0..shapes.div_ceil(LANES32) {
        for capture in 0..n {
            for lane in 0..LANES32 {
                // What is missing of the last block is its first shape again.
                let mut shape = block * LANES32 + lane;
                if shape >= shapes {
                    shape = block * LANES32;
                }
                let at = (teeth.first + shape / LANES) * n + capture;
                let value = values.get(at * LANES + shape % LANES);
                out.push(value.copied().unwrap_or(0.0) as f32);
            }
        }
    }
    out
}

fn settle(u: f64, e: f64) -> f64 {
    -(-(100.0_f64.ln()) * u / e).exp_m1()
}

#[derive(Default)]
struct Grid {
    values: Vec<f64>,
    parameter: Vec<f64>,
    /// The shapes of the family that is being gathered.
    open: Vec<Vec<f64>>,
    blocks: usize,
}

impl Grid {
    /// Adds a shape unless it is constant over the captures.
    fn add(&mut self, parameter: f64, shape: impl Iterator<Item = f64>) {
        let shape: Vec<f64> = shape.collect();
        let first = shape.first().copied().unwrap_or(0.0);
        if shape.iter().any(|&v| (v - first).abs() > 1e-9) {
            self.open.push(shape);
            self.parameter.push(parameter);
        }
    }

    /// Ends a family; what is missing of the last block is its first shape again.
    fn close(&mut self, n: usize) -> Family {
        let first = self.blocks;
        for block in self.open.chunks(LANES) {
            for capture in 0..n {
                for lane in 0..LANES {
                    let shape = block.get(lane).or(block.first());
                    self.values
                        .push(shape.and_then(|s| s.get(capture)).copied().unwrap_or(0.0));
                }
            }
            self.blocks += 1;
        }
        self.parameter.resize(self.blocks * LANES, f64::NAN);
        self.open.clear();
        Family {
            first,
            end: self.blocks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_over_twelve() {
        let x: Vec<f64> = (0..12).map(f64::from).collect();
        let t = Templates::new(&x);
        let real = t.parameter.iter().filter(|p| !p.is_nan()).count();
        assert_eq!(real, 158, "and the line itself");
        let none = Templates::new(&[3.0, 3.0, 3.0]);
        assert_eq!(none.teeth.end, 0);
    }

    #[test]
    fn the_shape_itself_explains_all() {
        let x: Vec<f64> = (0..12).map(f64::from).collect();
        let t = Templates::new(&x);
        let y: Vec<f64> = t.u.iter().map(|&u| (u / 0.4_f64).min(1.0)).collect();
        let mu = y.iter().sum::<f64>() / 12.0;
        let v: Vec<f64> = y.iter().map(|y| y - mu).collect();
        let syy: f64 = v.iter().map(|v| v * v).sum();
        let best = t.best(t.settling, &[1.0; 12], &v, 12.0);
        assert!((best.up - syy).abs() < 1e-12 * syy);
        assert!((t.parameter(best.up_at) - 0.4).abs() < 1e-12);
    }
}
