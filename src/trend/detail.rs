//! What is stated of a series only when it is printed.

use super::few;
use super::judge::{Judge, Judged, Judgement, Row};
use super::plan::{Cache, Plan};
use super::resolution;
use super::robust::{self, MannKendall, Slope};
use super::shape::{self, Buffers, Variance};
use super::words::{Noise, Reason};

/// Slope, trend test, warm-up and resolution of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detail {
    /// Theil-Sen with Sen's interval of 95 %, in y per x, of the captures after
    /// the warm-up and without the one left out. For a container's capacity
    /// the bounds within which its content grew, `value` the lower one.
    pub slope: Option<Slope>,
    /// Over the same captures.
    pub mann_kendall: MannKendall,
    /// From the first capture that counts until it settled, in units of x.
    pub warm_up: Option<f64>,
    /// The smallest growth per x that these captures show of this series with
    /// 80 % probability; `None` where that cannot be said.
    pub resolution: Option<f64>,
}

impl Plan {
    /// A judge of series of these captures.
    pub fn judge(&self, noise: Noise) -> Judge<'_> {
        Judge::new(self, noise)
    }

    /// Judges `rows` series that `fill` writes one after the other into the
    /// same row. `fill` gets the row as it left it, but for `ends`, which is
    /// cleared, as are `blocks` and `variances`; `values` is sized.
    ///
    /// About 3 microseconds a series at 12 captures, 15 at 50; 32 bytes a series.
    pub fn judge_all(
        &self,
        noise: Noise,
        rows: usize,
        mut fill: impl FnMut(usize, &mut Row),
    ) -> Judged {
        let mut judge = self.judge(noise);
        let mut row = Row::default();
        for i in 0..rows {
            row.values.resize(self.captures(), 0.0);
            row.blocks.clear();
            row.variances.clear();
            row.ends = None;
            fill(i, &mut row);
            judge.push(&row);
        }
        judge.finish()
    }

    /// Judges series that lie as columns: one slice a capture, in the order of
    /// [`Plan::new`], one value a series. A column that is missing or short
    /// makes its series `undetermined`.
    ///
    /// ```
    /// use heapdiff::trend::{Class, Noise, Plan};
    /// let plan = Plan::new(&[10.0, 20.0, 45.0, 80.0]).unwrap();
    /// let (a, b, c, d) = ([100., 7.], [200., 7.], [450., 7.], [800., 7.]);
    /// let judged = plan.judge_columns(Noise::Exact, &[&a, &b, &c, &d]);
    /// assert_eq!(judged.rows[0].class, Class::SteadyGrowth);
    /// assert_eq!(judged.rows[1].class, Class::Stable);
    /// ```
    pub fn judge_columns(&self, noise: Noise, columns: &[&[f64]]) -> Judged {
        let rows = columns.iter().map(|c| c.len()).max().unwrap_or(0);
        self.judge_all(noise, rows, |i, row| {
            for (capture, value) in row.values.iter_mut().enumerate() {
                let column = columns.get(capture);
                *value = column.and_then(|c| c.get(i)).copied().unwrap_or(f64::NAN);
            }
        })
    }

    /// Judges one series alone (its q is its p).
    pub fn judge_one(&self, noise: Noise, row: &Row) -> Judgement {
        let mut judge = self.judge(noise);
        judge.push(row);
        match judge.finish().rows.first() {
            Some(&judgement) => judgement,
            None => Judgement::default(),
        }
    }

    /// The numbers behind a judgement of `row`. `level` is that of
    /// [`Judged::level`]. `n^2` time (Theil-Sen, Mann-Kendall).
    pub fn detail(&self, noise: Noise, row: &Row, judged: &Judgement, level: f64) -> Detail {
        let mut y = Vec::new();
        self.arrange(&row.values, &mut y);
        let x = self.x();
        let cut = usize::from(judged.leading_zeros).min(x.len());
        let mut from = judged.skipped().min(x.len());
        if x.len() - from < 3 {
            from = cut;
        }
        let keep = |i: &usize| Some(*i) != judged.left_out();
        let xs: Vec<f64> = (from..x.len()).filter(keep).map(|i| x[i]).collect();
        let ys: Vec<f64> = (from..x.len()).filter(keep).map(|i| y[i]).collect();
        let mut slope = robust::theil_sen(&xs, &ys, &mut Vec::new());
        let mut blocks = Vec::new();
        if row.blocks.len() == row.values.len() {
            self.arrange(&row.blocks, &mut blocks);
        }
        if matches!(judged.reason, Reason::Capacity | Reason::CapacityUnknown) {
            let held = few::capacity(&x[cut..], &y[cut..], blocks.get(cut..).unwrap_or(&[]));
            if let Some(held) = held {
                slope = Some(Slope {
                    value: held.least_per_run,
                    lo: held.least_per_run,
                    hi: held.most_per_run.max(held.least_per_run),
                });
            }
        }
        let block = match (blocks.last(), y.last()) {
            (Some(&b), Some(&y)) if b > 0.0 => y / b,
            _ => 0.0,
        };
        Detail {
            slope,
            mann_kendall: robust::mann_kendall(&xs, &ys),
            warm_up: (judged.warm_up > 0)
                .then(|| x.get(judged.skipped()).zip(x.get(cut)))
                .flatten()
                .map(|(end, start)| end - start),
            resolution: self
                .resolution(noise, row, &xs, &ys, level)
                .map(|r| r.max(block / self.span())),
        }
    }

    fn resolution(&self, noise: Noise, row: &Row, x: &[f64], y: &[f64], level: f64) -> Option<f64> {
        let span = x.last()? - x.first()?;
        if !(span > 0.0) {
            return None;
        }
        if let Noise::Known { one_process } = noise
            && row.unit > 0.0
            && (one_process || x.len() < 5)
        {
            let total = resolution::sampled_resolution(row.unit, *y.first()?, level, 1);
            return Some(total / span);
        }
        if x.len() < 5 {
            return (noise == Noise::Exact).then_some(0.0);
        }
        let variance = match noise {
            Noise::Known { .. } if row.unit > 0.0 => Variance::Unit(row.unit),
            _ => Variance::Relative,
        };
        let mut cache = Cache::default();
        let line = shape::line(cache.get(x, 0, None), y, variance, &mut Buffers::default())?;
        Some(resolution::slope_resolution(line.se, level, line.degrees()))
    }
}
