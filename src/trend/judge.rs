//! The judge: one pass over the series, then the correction for their number.

use super::decide::{self, Demand, Label};
use super::few;
use super::plan::{Cache, Plan};
use super::robust;
use super::sampled::{self, Sampled};
use super::several;
use super::shape::{self, Buffers, Fit, Line, Variance};
use super::words::{Class, Noise, Reason};

/// One series on its way to the judge; reused from site to site.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// One value a capture, in the order of the runs given to [`Plan::new`].
    pub values: Vec<f64>,
    /// Blocks (allocations) a capture, where the values are bytes and counts
    /// are known; else empty.
    pub blocks: Vec<f64>,
    /// With [`Noise::Known`]: the variance of each value, where it is known
    /// directly (replicates). Empty: `unit` times the smoothed level.
    pub variances: Vec<f64>,
    /// With [`Noise::Known`] by sampling: bytes that one sample of this site
    /// stands for ([`Estimate::unit`](super::Estimate::unit)).
    pub unit: f64,
    /// Raw samples in the first and the last capture by runs, where known.
    pub ends: Option<(u64, u64)>,
}

impl Row {
    /// A row of values alone.
    pub fn of(values: &[f64]) -> Row {
        Row {
            values: values.to_vec(),
            ..Row::default()
        }
    }
}

const NO_CAPTURE: u16 = u16::MAX;

/// The judgement of one series. 32 bytes; the slope, which few rows print,
/// comes from [`Plan::detail`](super::Plan::detail).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// Two-sided p of the test the class rests on, not corrected. 1 where
    /// nothing was tested.
    pub p_value: f64,
    /// Corrected over all series of the judge (Benjamini and Hochberg 1995).
    pub q_value: f64,
    /// The class.
    pub class: Class,
    /// What it rests on, or why no more can be said.
    pub reason: Reason,
    /// Captures at the start with the value 0, which were cut.
    pub leading_zeros: u16,
    /// Captures after these that are warm-up. 0: none, or longer than the window.
    pub warm_up: u16,
    left_out: u16,
    /// Jumps of a container's capacity.
    pub jumps: u16,
    /// Bytes vary, the number of blocks does not.
    pub count_constant: bool,
}

impl Default for Judgement {
    fn default() -> Judgement {
        Judgement::new(Class::Undetermined, Reason::None)
    }
}

impl Judgement {
    fn new(class: Class, reason: Reason) -> Judgement {
        Judgement {
            p_value: 1.0,
            q_value: 1.0,
            class,
            reason,
            leading_zeros: 0,
            warm_up: 0,
            left_out: NO_CAPTURE,
            jumps: 0,
            count_constant: false,
        }
    }

    /// The capture that was left out as an outlier, by its index in
    /// [`Plan::x`](super::Plan::x); [`Plan::given`](super::Plan::given) has the caller's.
    pub fn left_out(&self) -> Option<usize> {
        (self.left_out != NO_CAPTURE).then_some(self.left_out.into())
    }

    /// Captures at the start that are not part of the growth.
    pub fn skipped(&self) -> usize {
        usize::from(self.leading_zeros) + usize::from(self.warm_up)
    }

    /// Whether a leak is beyond doubt as far as these captures go: exact, or
    /// tested, without "cannot be told from".
    pub fn is_certain(&self) -> bool {
        matches!(
            self.reason,
            Reason::Exact | Reason::Tested | Reason::AfterWarmUp
        )
    }
}

/// All judgements, and the level of the tests.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// In the order pushed.
    pub rows: Vec<Judgement>,
    /// The level in force for one series: the largest p that was significant
    /// after correction, at least 0.01 / series, at most 0.001.
    pub level: f64,
    /// Growth of series that are leaks, and of those that grew otherwise.
    accused: f64,
    other: f64,
    /// Leaks of three or four exact values that growth of another kind can imitate.
    doubtful: Vec<u32>,
}

impl Judged {
    /// Whether the series is called a leak from three or four captures by what growth of another
    /// kind can imitate.
    pub fn is_doubtful(&self, series: usize) -> bool {
        u32::try_from(series).is_ok_and(|at| self.doubtful.contains(&at))
    }

    /// Takes the series for parts of one heap, and takes back the doubtful leaks of three or four
    /// captures where less than half of the growth is of leaks: of hundreds of sites that warm up,
    /// a few fit a line by chance. What grows in proportion to the runs by eight blocks or more in every interval stands
    /// by itself.
    pub fn doubt_the_few(&mut self) {
        if self.accused >= self.other {
            return;
        }
        for &at in &self.doubtful {
            let row = &mut self.rows[at as usize];
            row.class = Class::Undetermined;
            row.reason = Reason::LikeWarmUp;
        }
    }
}

/// A success of a second look, until the correction.
#[derive(Clone, Copy, Debug)]
struct Second {
    at: usize,
    class: Class,
    reason: Reason,
    warm_up: u16,
    left_out: u16,
    p: f64,
}

/// Judges series of one [`Plan`] one after the other. Memory: 32 bytes a
/// series and the grid; nothing is allocated per series.
#[derive(Debug)]
pub struct Judge<'a> {
    plan: &'a Plan,
    noise: Noise,
    cache: Cache,
    buf: Buffers,
    second_buf: Buffers,
    y: Vec<f64>,
    blocks: Vec<f64>,
    variances: Vec<f64>,
    rest: Vec<f64>,
    scratch: Vec<f64>,
    rows: Vec<Judgement>,
    seconds: Vec<Second>,
    looked_again: usize,
    accused: f64,
    other: f64,
    doubtful: Vec<u32>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(plan: &'a Plan, noise: Noise) -> Judge<'a> {
        Judge {
            plan,
            noise,
            cache: Cache::default(),
            buf: Buffers::default(),
            second_buf: Buffers::default(),
            y: Vec::new(),
            blocks: Vec::new(),
            variances: Vec::new(),
            rest: Vec::new(),
            scratch: Vec::new(),
            rows: Vec::new(),
            seconds: Vec::new(),
            looked_again: 0,
            accused: 0.0,
            other: 0.0,
            doubtful: Vec::new(),
        }
    }

    /// Judges the next series, all but the correction. About 3 microseconds at
    /// 12 captures.
    pub fn push(&mut self, row: &Row) {
        let judgement = self.one(row);
        self.weigh(&judgement);
        self.rows.push(judgement);
    }

    /// Keeps account of what grows, and of the leaks that are doubtful.
    fn weigh(&mut self, judgement: &Judgement) {
        let (Some(first), Some(last)) = (self.y.first(), self.y.last()) else {
            return;
        };
        // NaN counts as nothing.
        let grown = (last - first).max(0.0);
        if !judgement.class.is_leak() {
            self.other += grown;
            return;
        }
        self.accused += grown;
        let from = judgement.skipped();
        let stands = match judgement.reason {
            Reason::LikeWarmUp | Reason::ByChance => false,
            Reason::Exact => few::stands(
                &self.plan.x()[from..],
                &self.y[from..],
                self.blocks.get(from..).filter(|b| !b.is_empty()),
                judgement.warm_up > 0,
            ),
            _ => true,
        };
        if let (false, Ok(at)) = (stands, u32::try_from(self.rows.len())) {
            self.doubtful.push(at);
        }
    }

    /// Takes over what another judge of the same plan saw, after its own rows:
    /// the way to judge on several threads.
    pub fn absorb(&mut self, other: Judge<'_>) {
        let before = self.rows.len();
        self.rows.extend(other.rows);
        self.accused += other.accused;
        self.other += other.other;
        self.doubtful
            .extend(other.doubtful.iter().map(|&at| at + before as u32));
        self.seconds.extend(other.seconds.into_iter().map(|mut s| {
            s.at += before;
            s
        }));
        self.looked_again += other.looked_again;
    }

    /// Corrects for the number of series and decides. `n log n`, 20 bytes a
    /// series beside the result.
    pub fn finish(self) -> Judged {
        let mut rows = self.rows;
        let p: Vec<f64> = rows.iter().map(|r| r.p_value).collect();
        let q = several::benjamini_hochberg(&p);
        let mut rejected = None;
        for (row, &q) in rows.iter_mut().zip(&q) {
            row.q_value = q;
            if q <= decide::Q {
                rejected = Some(row.p_value.max(rejected.unwrap_or(0.0)));
            }
            if row.reason == Reason::Tested && q > decide::Q {
                row.class = Class::Undetermined;
                row.reason = Reason::NotAfterCorrection;
            }
        }
        let p: Vec<f64> = self.seconds.iter().map(|s| s.p).collect();
        let q = several::benjamini_hochberg_of(&p, self.looked_again);
        for (second, &q) in self.seconds.iter().zip(&q) {
            if let Some(row) = rows.get_mut(second.at).filter(|_| q <= decide::Q) {
                row.class = second.class;
                row.reason = second.reason;
                row.warm_up = second.warm_up;
                row.left_out = second.left_out;
                row.p_value = second.p;
                row.q_value = q;
            }
        }
        let level = super::level_in_force(rejected, decide::Q, rows.len());
        Judged {
            rows,
            level,
            accused: self.accused,
            other: self.other,
            doubtful: self.doubtful,
        }
    }

    fn one(&mut self, row: &Row) -> Judgement {
        let undetermined = |reason| Judgement::new(Class::Undetermined, reason);
        let plan = self.plan;
        plan.arrange(&row.values, &mut self.y);
        let n = self.y.len();
        if row.values.len() != plan.captures() || self.y.iter().any(|v| !v.is_finite()) {
            return undetermined(Reason::NotANumber);
        }
        if n < 3 {
            return undetermined(Reason::TwoCaptures);
        }
        if !(plan.span() > 0.0 && plan.span().is_finite()) {
            return undetermined(Reason::NoRuns);
        }
        let known = matches!(self.noise, Noise::Known { .. });
        let counted = row.blocks.len() == row.values.len() && !row.blocks.is_empty();
        if counted {
            plan.arrange(&row.blocks, &mut self.blocks);
        } else {
            self.blocks.clear();
        }
        // A sampled zero is noise; a counted one is a site that did not exist.
        let cut = if known {
            0
        } else {
            self.y.iter().position(|&v| v != 0.0).unwrap_or(0)
        };
        let left = n - cut;
        if left < 3 {
            return undetermined(Reason::JustAppeared);
        }
        let mut out = self.from(row, cut);
        out.leading_zeros = small(cut);
        out.count_constant = counted
            && self.blocks.iter().skip(cut).all(|&b| b == self.blocks[cut])
            && self.y[cut..].iter().any(|&v| v != self.y[cut]);
        if cut > 0 && out.class == Class::Stable {
            // It was not there, then it was.
            out.reason = Reason::Appeared;
            out.class = if cut <= 2 && left > cut {
                Class::WarmUp
            } else {
                Class::Step
            };
        }
        out
    }

    /// The series from its first value that is not zero on.
    fn from(&mut self, row: &Row, cut: usize) -> Judgement {
        let x = &self.plan.x()[cut..];
        let left = x.len();
        let first = self.y[cut];
        if self.y[cut..].iter().all(|&v| v == first) {
            return Judgement::new(Class::Stable, Reason::None);
        }
        let ends = self.ends(row, cut);
        if left < 5 {
            return self.few(x, cut, ends);
        }
        let variance = variance(row, self.noise, self.plan, &mut self.variances);
        let tpl = self.cache.get(self.plan.x(), cut, None);
        let Some(line) = shape::line(tpl, &self.y[cut..], variance, &mut self.buf) else {
            return Judgement::new(Class::Undetermined, Reason::NoRuns);
        };
        let mut fit = shape::fit(tpl, line, &self.buf);
        shape::add_teeth(tpl, &mut fit, &self.buf);
        let p = fit.p.max(ends.unwrap_or(0.0));
        let mut out = Judgement::new(Class::Undetermined, Reason::None);
        out.p_value = p;
        if self.noise == Noise::Exact
            && let Some(held) =
                few::capacity(x, &self.y[cut..], self.blocks.get(cut..).unwrap_or(&[]))
        {
            out.jumps = small(held.jumps);
            (out.class, out.reason) = if held.grows {
                (decide::growth(&fit), Reason::Capacity)
            } else {
                (Class::Step, Reason::CapacityUnknown)
            };
            return out;
        }
        if decide::leak(&fit, p, Demand::first(left)) && self.rises(cut) {
            out.class = decide::growth(&fit);
            out.reason = Reason::Tested;
            return out;
        }
        let label = decide::label(&fit, p, ends.is_some());
        out.class = label.class;
        out.reason = label.reason;
        out.warm_up = small(warm_up(x, &label));
        self.again(row, cut, &fit, &label);
        out
    }

    fn few(&mut self, x: &[f64], cut: usize, ends: Option<f64>) -> Judgement {
        let y = &self.y[cut..];
        if self.noise != Noise::Exact || x.windows(2).any(|x| x[0] == x[1]) {
            let mut out = Judgement::new(Class::Undetermined, Reason::FewCaptures);
            out.p_value = ends.unwrap_or(1.0);
            return out;
        }
        let blocks = self.blocks.get(cut..).filter(|b| !b.is_empty());
        let held = few::capacity(x, y, blocks.unwrap_or(&[]));
        let verdict = few::judge(x, y, blocks, self.plan.is_measured());
        let mut out = Judgement::new(verdict.class, verdict.reason);
        out.warm_up = small(verdict.warm_up);
        if let Some(held) = held {
            out.jumps = small(held.jumps);
            out.reason = Reason::CapacityUnknown;
            out.class = Class::Step;
            out.warm_up = 0;
            if held.grows {
                out.reason = Reason::Capacity;
                out.class = if verdict.class.is_leak() {
                    verdict.class
                } else {
                    Class::SteadyGrowth
                };
            }
        }
        let tpl = self.cache.get(self.plan.x(), cut, None);
        if let Some(line) = shape::line(tpl, y, Variance::Relative, &mut self.buf) {
            out.p_value = line.p;
        }
        out
    }

    /// The test of the first and the last capture of one sampled process.
    fn ends(&self, row: &Row, cut: usize) -> Option<f64> {
        match self.noise {
            Noise::Known { one_process } if one_process || self.y.len() - cut < 5 => {}
            _ => return None,
        }
        let (base, new) = (*self.y.get(cut)?, *self.y.last()?);
        if row.unit > 0.0 {
            let raw = row.ends.filter(|_| cut == 0 && self.plan.bin() == 1);
            let side = |bytes: f64, raw| Sampled {
                bytes,
                unit: row.unit,
                raw,
            };
            return Some(sampled::difference_p(
                &side(base, raw.map(|r| r.0)),
                &side(new, raw.map(|r| r.1)),
            ));
        }
        let at = |place: usize| row.variances.get(self.plan.given(place)).copied();
        let sum = at(cut)? + at(self.y.len() - 1)?;
        Some(super::dist::normal_two_sided((new - base) / sum.sqrt()))
    }

    /// The guard of Mann-Kendall over the series from a place on.
    fn rises(&self, from: usize) -> bool {
        robust::rises(&self.plan.x()[from..], &self.y[from..], decide::KENDALL)
    }

    /// Second looks at a series that was not called: without one bad capture,
    /// and without a warm-up.
    fn again(&mut self, row: &Row, cut: usize, fit: &Fit, label: &Label) {
        let left = self.y.len() - cut;
        let known = matches!(self.noise, Noise::Known { .. });
        let mut looked = false;
        if left >= 8 && !known && self.rises(cut) {
            looked = true;
            if let Some(second) = self.without_one(cut) {
                self.seconds.push(second);
                self.looked_again += 1;
                return;
            }
        }
        let open = matches!(
            label.class,
            Class::WarmUp | Class::Step | Class::Irregular | Class::Undetermined
        );
        if open && fit.line.slope > 0.0 {
            let mut before = 0;
            for k in [1, 2, 3, left / 3, left / 2] {
                if k <= before || left - k < 6 {
                    continue;
                }
                before = k;
                looked = true;
                if let Some(second) = self.after(row, cut, k, &fit.line) {
                    self.seconds.push(second);
                    break;
                }
            }
        }
        self.looked_again += usize::from(looked);
    }

    fn without_one(&mut self, cut: usize) -> Option<Second> {
        let x = &self.plan.x()[cut..];
        let y = &self.y[cut..];
        let slope = robust::theil_sen(x, y, &mut self.scratch)?.value;
        self.scratch.clear();
        self.scratch
            .extend(x.iter().zip(y).map(|(x, y)| y - slope * x));
        let base = robust::median(&mut self.scratch);
        let scale = y.iter().map(|v| v.abs()).sum::<f64>() / y.len() as f64;
        let off = |i: usize| {
            let line: f64 = base + slope * x[i];
            ((y[i] - line) / line.abs().max(0.05 * scale)).abs()
        };
        let (mut worst, mut second, mut at) = (0.0, 0.0, 0);
        self.scratch.clear();
        for i in 0..y.len() {
            let r = off(i);
            self.scratch.push(r);
            if r > worst {
                second = worst;
                worst = r;
                at = i;
            } else if r > second {
                second = r;
            }
        }
        let spread = (1.4826 * robust::median(&mut self.scratch)).max(0.001);
        if !(worst > 6.0 * spread && second < 4.0 * spread) {
            return None;
        }
        self.rest.clear();
        self.rest.extend(
            y.iter()
                .enumerate()
                .filter(|(i, _)| *i != at)
                .map(|(_, y)| y),
        );
        let tpl = self.cache.get(self.plan.x(), cut, Some(cut + at));
        let line = shape::line(tpl, &self.rest, Variance::Relative, &mut self.second_buf)?;
        let mut fit = shape::fit(tpl, line, &self.second_buf);
        if !decide::leak(&fit, fit.p, Demand::WITHOUT_ONE) {
            return None;
        }
        shape::add_teeth(tpl, &mut fit, &self.second_buf);
        decide::leak(&fit, fit.p, Demand::WITHOUT_ONE).then(|| Second {
            at: self.rows.len(),
            class: decide::growth(&fit),
            reason: Reason::Tested,
            warm_up: 0,
            left_out: small(cut + at),
            p: fit.p,
        })
    }

    fn after(&mut self, row: &Row, cut: usize, k: usize, all: &Line) -> Option<Second> {
        let from = cut + k;
        let variance = match variance(row, self.noise, self.plan, &mut self.variances) {
            Variance::Given(v) => Variance::Given(v.get(k..)?),
            other => other,
        };
        let tpl = self.cache.get(self.plan.x(), from, None);
        let line = shape::line(tpl, &self.y[from..], variance, &mut self.second_buf)?;
        if !(line.slope > 0.0 && line.slope >= 0.2 * all.slope) {
            return None;
        }
        let mut fit = shape::fit(tpl, line, &self.second_buf);
        if !decide::leak(&fit, fit.p, Demand::REST) {
            return None;
        }
        shape::add_teeth(tpl, &mut fit, &self.second_buf);
        let mut p = fit.p;
        if let Noise::Known { .. } = self.noise {
            p = p.max(self.ends(row, from).unwrap_or(0.0));
        }
        (decide::leak(&fit, p, Demand::REST) && self.rises(from)).then(|| Second {
            at: self.rows.len(),
            class: decide::growth(&fit),
            reason: Reason::AfterWarmUp,
            warm_up: small(k),
            left_out: NO_CAPTURE,
            p,
        })
    }
}

/// Captures until the warm-up of a label has settled.
fn warm_up(x: &[f64], label: &Label) -> usize {
    if label.settle > 0.0 {
        let span = x[x.len() - 1] - x[0];
        let settled = x[0] + label.settle * span * (1.0 - 1e-9);
        return x.iter().position(|&x| x >= settled).unwrap_or(0);
    }
    label.captures
}

/// The variance that comes with a row, in the order of the plan.
fn variance<'v>(row: &Row, noise: Noise, plan: &Plan, arranged: &'v mut Vec<f64>) -> Variance<'v> {
    if !matches!(noise, Noise::Known { .. }) {
        return Variance::Relative;
    }
    if row.variances.len() == plan.captures() && !row.variances.is_empty() {
        plan.arrange(&row.variances, arranged);
        let bin = plan.bin() as f64;
        for v in arranged.iter_mut() {
            *v /= bin;
        }
        return Variance::Given(arranged);
    }
    Variance::Unit(row.unit / plan.bin() as f64)
}

fn small(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(NO_CAPTURE)
}
