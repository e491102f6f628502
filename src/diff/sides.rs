//! Two sides: what a change did to the growth per run of each row, and to what it holds.
//!
//! Where both sides are series, their growth per run is compared; where each side was captured at
//! one number of runs, once or several times, what it holds per run is.

use super::growth::Growth;
use super::judge::{Certainty, Judge, Judged};
use super::table::Values;
use crate::model::{Column, Metric, Nature};
use crate::trend::{
    self, Change, Judgement, Plan, Row, Sampled, SideDifference, compare_exact, compare_sides,
};
use std::cmp::Ordering;

/// The two-sided quantile of 95 % of the normal distribution.
const Z95: f64 = 1.96;
/// A row's growth per run differs when its corrected p is at most this.
const LEVEL: f64 = 0.01;
/// Counted values are the same within this share.
const EQUAL: f64 = 0.02;
/// Values of unknown noise are the same within this share.
const ALIKE: f64 = 0.1;

/// What a change did to a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SideChange {
    /// To its growth per run.
    pub change: Change,
    /// To what it holds at equal runs: `Less` than before, `Equal` as far as the noise allows to
    /// say, `Greater`.
    pub level: Ordering,
    /// Two-sided p of the difference in growth; `None` where nothing was tested.
    pub p_value: Option<f64>,
    /// The same, corrected for the number of rows.
    pub q_value: Option<f64>,
}

/// The growth per run of both sides of a row, and the difference with its interval of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SideGrowth {
    /// Growth per run of the base side.
    pub before: f64,
    /// Growth per run of the new side.
    pub after: f64,
    /// New less base.
    pub difference: f64,
    /// Lower end of its interval; the difference itself for counted values.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

/// Whether growth is compared, or what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Series,
    Levels,
}

/// The runs of both sides, base first.
#[derive(Debug)]
pub(super) struct TwoSides {
    x: [Vec<f64>; 2],
    plans: [Option<Plan>; 2],
    kind: Kind,
    /// Whether what grows is kept: what is allocated and freed can be reduced, not cured.
    kept: bool,
}

impl TwoSides {
    /// `None` where there is nothing to compare per run: no runs, or one side a series and the
    /// other not.
    pub fn new(base: &[f64], new: &[f64], metric: &Metric) -> Option<TwoSides> {
        let spread = |x: &[f64]| x.windows(2).any(|w| w[0] != w[1]);
        let kind = match (spread(base), spread(new)) {
            (true, true) if metric.has_per_run() => Kind::Series,
            (false, false) if base.first()? > &0.0 && new.first()? > &0.0 => Kind::Levels,
            _ => return None,
        };
        let plan = |x: &[f64]| Plan::new(x).ok().filter(|_| x.len() >= 3);
        Some(TwoSides {
            plans: match kind {
                Kind::Series => [plan(base), plan(new)],
                Kind::Levels => [None, None],
            },
            x: [base.to_vec(), new.to_vec()],
            kind,
            kept: matches!(metric.nature, Nature::Live | Nature::Plain),
        })
    }

    /// Whether both sides are series.
    pub fn is_series(&self) -> bool {
        self.kind == Kind::Series
    }

    /// Runs of the last captures, base first.
    fn last(&self) -> [f64; 2] {
        [0, 1].map(|s: usize| self.x[s].last().copied().unwrap_or(0.0))
    }
}

/// What one comparison rests on.
struct Compared {
    sides: [trend::Growth; 2],
    difference: SideDifference,
    /// Whether it was tested against noise.
    tested: bool,
    block: f64,
}

impl Judge {
    /// What a change did to every row; empty where that cannot be asked. `total`: the rows are
    /// one sum, tested alone. Cost: two judgements a row, and one sort of the p-values.
    pub(super) fn changes(&self, values: &Values, total: bool) -> Vec<SideChange> {
        let Some(two) = &self.two else {
            return Vec::new();
        };
        let rows = values.after()[self.chosen].len();
        let judged = [0, 1].map(|side| self.judge_side(two, values, side));
        let mut out = Vec::with_capacity(rows);
        let mut tested: Vec<(usize, f64)> = Vec::new();
        for row in 0..rows {
            let of = |side: usize| judged[side].get(row);
            let compared = self.compare(two, values, row, [of(0), of(1)]);
            let Some(compared) = compared else {
                out.push(SideChange {
                    change: Change::CannotTell,
                    level: Ordering::Equal,
                    p_value: None,
                    q_value: None,
                });
                continue;
            };
            let p = compared.tested.then_some(compared.difference.p_value);
            tested.extend(p.map(|p| (row, p)));
            out.push(SideChange {
                change: self.settled(two, &compared, compared.difference.change),
                level: self.level(two, values, row, &compared, rows),
                p_value: p,
                q_value: None,
            });
        }
        let p: Vec<f64> = tested.iter().map(|t| t.1).collect();
        let q = match total {
            true => p,
            false => trend::benjamini_hochberg(&p),
        };
        for (&(row, _), q) in tested.iter().zip(q) {
            out[row].q_value = Some(q);
            // A correction only takes away what was significant alone.
            if q > LEVEL && out[row].change != Change::Unchanged {
                let of = |side: usize| judged[side].get(row);
                if let Some(c) = self.compare(two, values, row, [of(0), of(1)]) {
                    let change = c.difference.decide(&c.sides[0], &c.sides[1], q);
                    out[row].change = self.settled(two, &c, change);
                }
            }
        }
        out
    }

    /// What is held at one number of runs can be less, but that it no longer grows takes two.
    fn settled(&self, two: &TwoSides, compared: &Compared, change: Change) -> Change {
        let cured = two.kind == Kind::Series && two.kept;
        if cured || change != Change::Cured {
            return change;
        }
        let before = compared.sides[0].per_run;
        let percent = |d: f64| (-100.0 * d / before).clamp(0.0, 100.0);
        let d = &compared.difference;
        Change::Reduced {
            percent: percent(d.difference),
            lo: percent(d.hi),
            hi: percent(d.lo),
        }
    }

    fn judge_side(&self, two: &TwoSides, values: &Values, side: usize) -> Vec<Judgement> {
        let sampled = matches!(self.certainty, Certainty::Sampled(_));
        let Some(plan) = two.plans[side].as_ref().filter(|_| !sampled) else {
            return Vec::new();
        };
        let rows = values.after()[self.chosen].len();
        plan.judge_all(self.noise(), rows, |row, out| {
            self.fill_side(values, side, row, out)
        })
        .rows
    }

    /// The columns of one side among those of all captures.
    fn of_side(&self, side: usize, all: usize) -> std::ops::Range<usize> {
        match side {
            0 => 0..self.skip,
            _ => self.skip..all,
        }
    }

    fn fill_side(&self, values: &Values, side: usize, row: usize, out: &mut Row) {
        let range = self.of_side(side, values.series.len());
        for (value, column) in out.values.iter_mut().zip(&values.series[range.clone()]) {
            *value = column.get(row) as f64;
        }
        if let (Certainty::Exact, Some(blocks)) = (&self.certainty, values.blocks.get(range)) {
            out.blocks.extend(blocks.iter().map(|c| c.get(row) as f64));
        }
    }

    /// The numbers of one row: growth of both sides and their difference. `None` where the
    /// captures are too few for their noise.
    fn compare(
        &self,
        two: &TwoSides,
        values: &Values,
        row: usize,
        judged: [Option<&Judgement>; 2],
    ) -> Option<Compared> {
        let side = |s: usize| match two.kind {
            Kind::Series => self.slope_of(two, values, row, s, judged[s]),
            Kind::Levels => self.held(two, values, row, s),
        };
        let (mut base, mut new) = (side(0)?, side(1)?);
        if two.kind == Kind::Levels {
            // One capture alone has the spread of the other side's.
            let of_one = |of: trend::Growth| (of.error * (of.degrees + 1.0).sqrt(), of.degrees);
            match (base.error.is_finite(), new.error.is_finite()) {
                (false, true) => (base.error, base.degrees) = of_one(new),
                (true, false) => (new.error, new.degrees) = of_one(base),
                _ => {}
            }
            if !(base.error.is_finite() && new.error.is_finite()) {
                (base.error, new.error) = (0.0, 0.0);
            }
        }
        let block = self.block(values, row);
        let unknown = self.certainty == Certainty::Unknown;
        let noisy = base.error > 0.0 || new.error > 0.0;
        let same = base.per_run == new.per_run;
        let tested = noisy || (unknown && two.kind == Kind::Series && !same);
        let mut difference = match tested {
            true => compare_sides(&base, &new),
            false => compare_exact(&base, &new, block),
        };
        if unknown && !tested && !same {
            // Nothing is known of the noise: the difference stands, but nothing follows from it.
            difference.change = Change::CannotTell;
        }
        if self.certainty == Certainty::Exact && base == new {
            // However it grows, it does so on both sides.
            difference.change = Change::Unchanged;
        }
        Some(Compared {
            sides: [base, new],
            difference,
            tested,
            block,
        })
    }

    /// Growth per run of one side of a series.
    fn slope_of(
        &self,
        two: &TwoSides,
        values: &Values,
        row: usize,
        side: usize,
        judged: Option<&Judgement>,
    ) -> Option<trend::Growth> {
        let x = &two.x[side];
        let range = self.of_side(side, values.series.len());
        let y: Vec<f64> = values.series[range.clone()]
            .iter()
            .map(|c| c.get(row) as f64)
            .collect();
        let n = y.len();
        if y.iter().all(|&v| v == y[0]) && !matches!(self.certainty, Certainty::Sampled(_)) {
            return trend::Growth::of_exact(x, &y);
        }
        match &self.certainty {
            // More captures of one sampled process are not more samples: its two ends decide.
            Certainty::Sampled(_) => {
                let (a, b) = (
                    self.sample(values, row, range.start)?,
                    self.sample(values, row, range.end - 1)?,
                );
                let ends = ([x[0], x[n - 1]], [y[0], y[n - 1]]);
                let growth = trend::Growth::of_exact(&ends.0, &ends.1)?;
                let (lo, hi) = trend::difference_interval(&a, &b);
                let d = b.bytes - a.bytes;
                Some(trend::Growth {
                    error: (d - lo).max(hi - d) / Z95 / growth.span,
                    ..growth
                })
            }
            Certainty::Exact => {
                let repeated = (0..n).any(|i| (0..i).any(|j| x[i] == x[j] && y[i] != y[j]));
                let skip = judged.map_or(0, |j| j.skipped().min(n - 2));
                let settled = judged.is_none_or(|j| {
                    use trend::Class as C;
                    j.class.is_leak() || matches!(j.class, C::Stable | C::WarmUp | C::Step)
                });
                if !repeated && n < 5 && (settled || n < 3) {
                    return trend::Growth::of_exact(&x[skip..], &y[skip..]);
                }
                let skip = skip.min(n.saturating_sub(3));
                trend::Growth::of_series(x, &y, skip)
            }
            Certainty::Unknown if n >= 3 => {
                let skip = judged.map_or(0, |j| j.skipped().min(n - 3));
                trend::Growth::of_series(x, &y, skip)
            }
            // Two values of unknown noise: a difference that nothing follows from.
            Certainty::Unknown => trend::Growth::of_exact(x, &y).map(|g| trend::Growth {
                error: f64::NAN,
                ..g
            }),
        }
    }

    /// What one side holds per run, where all its captures are of one number of runs. An error
    /// that is not finite stands for one capture whose spread only the other side can give.
    fn held(
        &self,
        two: &TwoSides,
        values: &Values,
        row: usize,
        side: usize,
    ) -> Option<trend::Growth> {
        let runs = *two.x[side].first()?;
        let range = self.of_side(side, values.series.len());
        let k = range.len() as f64;
        let held: Vec<f64> = values.series[range.clone()]
            .iter()
            .map(|c| c.get(row) as f64 / runs)
            .collect();
        let sampling = match self.certainty {
            Certainty::Sampled(_) => {
                let variance = range.map(|i| {
                    let s = self.sample(values, row, i)?;
                    let (lo, hi) = trend::value_interval(&s);
                    let error = (s.bytes - lo).max(hi - s.bytes) / Z95 / runs;
                    Some(error * error)
                });
                variance.sum::<Option<f64>>()?.sqrt() / k
            }
            _ => 0.0,
        };
        if let Some(growth) = trend::Growth::of_replicates(&held, sampling, runs) {
            return Some(growth);
        }
        let per_run = *held.first()?;
        Some(trend::Growth {
            per_run,
            error: if sampling > 0.0 { sampling } else { f64::NAN },
            degrees: f64::INFINITY,
            base: per_run * runs,
            span: runs,
        })
    }

    /// Bytes of one block of a row in the last captures; 0 where blocks are not counted.
    fn block(&self, values: &Values, row: usize) -> f64 {
        let each = |i: usize| {
            let blocks = values.blocks.get(i).map_or(0, |c| c.get(row));
            match blocks {
                n if n > 0 => values.series[i].get(row) as f64 / n as f64,
                _ => 0.0,
            }
        };
        let ends = [self.skip.checked_sub(1), values.series.len().checked_sub(1)];
        ends.into_iter().flatten().map(each).fold(0.0, f64::max)
    }

    /// Whether a row holds more or less at equal runs.
    fn level(
        &self,
        two: &TwoSides,
        values: &Values,
        row: usize,
        compared: &Compared,
        rows: usize,
    ) -> Ordering {
        let last = |columns: &[Column]| columns[self.chosen].get(row) as f64;
        let before = last(values.before());
        let [x_base, x_new] = two.last();
        let after = match two.kind {
            Kind::Series => last(values.after()) - compared.sides[1].per_run * (x_new - x_base),
            Kind::Levels if x_base == x_new => last(values.after()),
            Kind::Levels => return Ordering::Equal,
        };
        let larger = before.abs().max(after.abs());
        let differs = match &self.certainty {
            Certainty::Exact => (after - before).abs() > (EQUAL * larger).max(compared.block),
            Certainty::Unknown => (after - before).abs() > ALIKE * larger,
            Certainty::Sampled(_) => {
                let ends = self.sample(values, row, self.skip - 1).zip(self.sample(
                    values,
                    row,
                    values.series.len() - 1,
                ));
                ends.is_some_and(|(a, b)| {
                    x_base == x_new && trend::difference_p(&a, &b) <= LEVEL / rows as f64
                })
            }
        };
        match differs {
            true => after.total_cmp(&before),
            false => Ordering::Equal,
        }
    }

    /// One value as a sample; nothing for negative values, which no sample can have.
    pub(super) fn sample(&self, values: &Values, row: usize, capture: usize) -> Option<Sampled> {
        let Certainty::Sampled(means) = &self.certainty else {
            return None;
        };
        let bytes = values.series.get(capture)?.get(row) as f64;
        let variance = *values.variances.get(capture)?.get(row)?;
        let unit = match bytes > 0.0 && variance > 0.0 {
            true => variance / bytes,
            false => *means.get(capture)?,
        };
        (bytes >= 0.0).then_some(Sampled {
            bytes,
            unit,
            raw: None,
        })
    }

    /// The growth per run of both sides of a row, where the sides can be compared per run.
    pub fn side_growth(&self, values: &Values, row: usize) -> Option<SideGrowth> {
        let two = self.two.as_ref()?;
        let judged = [0, 1].map(|side| {
            let plan = two.plans[side].as_ref()?;
            let mut out = Row::default();
            out.values.resize(plan.captures(), 0.0);
            self.fill_side(values, side, row, &mut out);
            Some(plan.judge_one(self.noise(), &out))
        });
        let c = self.compare(two, values, row, [judged[0].as_ref(), judged[1].as_ref()])?;
        let d = &c.difference;
        Some(SideGrowth {
            before: c.sides[0].per_run,
            after: c.sides[1].per_run,
            difference: d.difference,
            lo: d.lo,
            hi: d.hi,
        })
    }

    /// The robust slope of one side of a row, 0 the base; `None` for fewer than three captures.
    pub fn side_slope(&self, values: &Values, row: usize, side: usize) -> Option<trend::Slope> {
        let plan = self.two.as_ref()?.plans[side].as_ref()?;
        let mut out = Row::default();
        out.values.resize(plan.captures(), 0.0);
        self.fill_side(values, side, row, &mut out);
        let judged = plan.judge_one(self.noise(), &out);
        plan.detail(self.noise(), &out, &judged, LEVEL).slope
    }

    /// Whether both sides are series whose growth per run is compared.
    pub fn compares_series(&self) -> bool {
        self.two.as_ref().is_some_and(TwoSides::is_series)
    }

    /// Takes back what the sum of all rows says of a change that no row bears out: where every
    /// allocation is counted, and the growth of both sides differs by next to nothing of what is
    /// held, the sum of a few blocks that came by chance is neither worse nor cured.
    pub fn settle_total(&self, totals: &Values, rows: &Judged, total: &mut Judged) {
        let two = self.two.as_ref().filter(|two| two.is_series());
        let (Some(two), Some(change)) = (two, total.changes.first_mut()) else {
            return;
        };
        let rising = change.change == Change::Worse;
        let falling = matches!(change.change, Change::Cured | Change::Reduced { .. });
        let bears_out = |c: &SideChange| match c.change {
            Change::Worse => rising,
            Change::Cured | Change::Reduced { .. } => falling,
            _ => false,
        };
        let counted = self.certainty == Certainty::Exact;
        if !counted || !(rising || falling) || rows.changes.iter().any(bears_out) {
            return;
        }
        let held = [totals.before(), totals.after()].map(|c| c[self.chosen].get(0) as f64);
        let span = two.x.iter().map(|x| x[x.len() - 1] - x[0]);
        let span = span.fold(0.0, f64::max);
        let differs = self.side_growth(totals, 0).map(|g| g.difference * span);
        if differs.is_some_and(|d| d.abs() <= EQUAL * held[0].abs().max(held[1].abs())) {
            change.change = Change::Unchanged;
            self.classes_of_changes(totals, total);
        }
    }

    /// The class of each row of two series: of its growth, and where that is the same of what it
    /// holds. What lies inside the noise of samples is unchanged.
    pub(super) fn classes_of_changes(&self, values: &Values, judged: &mut Judged) {
        let sampled = matches!(self.certainty, Certainty::Sampled(_));
        let empty = |columns: &[Column], row| columns[self.chosen].get(row) == 0;
        for (row, c) in judged.changes.iter().enumerate() {
            let base = values.base.as_ref().map(|b| empty(&b.last, row));
            let new = empty(values.after(), row);
            let by_level = match c.level {
                Ordering::Less => Growth::Shrank,
                Ordering::Greater => Growth::Grew,
                Ordering::Equal => Growth::Unchanged,
            };
            let class = match c.change {
                Change::Worse => Growth::Grew,
                Change::Cured | Change::Reduced { .. } => Growth::Shrank,
                Change::Unchanged => by_level,
                Change::CannotTell if sampled || c.level != Ordering::Equal => by_level,
                Change::CannotTell => Growth::Undetermined,
            };
            judged.growth[row] = match (base, class) {
                (_, Growth::Unchanged | Growth::Undetermined) => class,
                (Some(true), _) if !new => Growth::New,
                (Some(false), _) if new => Growth::Gone,
                _ => class,
            };
        }
    }
}
