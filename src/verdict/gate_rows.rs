//! The rows of one comparison as budgets see them: parts, sums, contributions.

use super::budget::{Budget, Each, Limit, Scope};
use super::budget_test::{self as test, Need, Sample, SideValues};
use super::findings::Finding;
use super::gate::Offender;
use super::suppression::{Names, Part as FramePart, Suppression, Target};
use crate::diff::{Certainty, Growth, Values};
use crate::model::{Column, Metric, Nature, StackId, StrId, Symbols, Unit};
use crate::normalize::{Naming, SiteId};
use crate::trend::{Estimate, Judgement, Reason, Sampled, difference_p};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// Part of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Everything but what is suppressed.
    All,
    /// These rows.
    Rows(Vec<u32>),
}

/// One comparison of allocation captures.
pub struct Rows<'a> {
    /// The names behind handles.
    pub symbols: &'a Symbols,
    /// Names as people read them.
    pub naming: &'a Naming<'a>,
    /// The stack of each row.
    pub stacks: &'a [StackId],
    /// The id of a row.
    pub id: Box<dyn Fn(usize) -> SiteId + 'a>,
    /// Whether a row is of the new side alone, and is no site of the base under another name.
    pub only_after: Box<dyn Fn(usize) -> bool + 'a>,
    /// The rows.
    pub values: &'a Values,
    /// Their sum; one row.
    pub totals: &'a Values,
    /// What the columns count.
    pub metrics: &'a [Metric],
    /// The metric that there are series of.
    pub chosen: usize,
    /// What is known of the noise.
    pub certainty: Certainty,
    /// Number of captures of the base side.
    pub base: usize,
    /// Runs of every capture, base side first; empty where they are not known of a side.
    pub runs: (Vec<f64>, Vec<f64>),
    /// The class of each row.
    pub growth: &'a [Growth],
    /// What the statistics say of each row; empty where there are none.
    pub judgements: &'a [Judgement],
    /// Conclusions about the rows.
    pub findings: &'a [Finding],
    /// Runs in an hour.
    pub runs_per_hour: Option<f64>,
}

/// At most so many offenders are named for one budget.
const MOST_OFFENDERS: usize = 5;
/// Offenders are named until they explain this share of what was added.
const EXPLAINED: f64 = 0.8;

impl Rows<'_> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.stacks.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }

    /// The difference of the chosen metric in a row.
    pub fn delta(&self, row: u32) -> i128 {
        let at = |columns: &[Column]| i128::from(columns[self.chosen].get(row as usize));
        at(self.values.after()) - at(self.values.before())
    }

    /// `HD001:9f2c61d0a4e7b318`, what a suppression is written for.
    pub fn finding_name(&self, finding: &Finding) -> String {
        let hash = (self.id)(finding.subject.index as usize).hash;
        format!("{}:{hash:016x}", finding.rule.id)
    }

    /// The rule that a row's growth falls under.
    fn rule_of(&self, row: usize) -> &'static str {
        match self.growth.get(row) {
            Some(Growth::Accelerating) => "HD002",
            Some(Growth::SteadyGrowth) => "HD001",
            _ => "HD003",
        }
    }

    /// Which suppression covers each row; the first that does counts.
    pub(super) fn covered(
        &self,
        suppressions: &[Suppression],
        active: &[bool],
    ) -> Vec<Option<usize>> {
        let names = Names::new(self.symbols, self.naming);
        let mut out = vec![None; self.len()];
        for (i, s) in suppressions.iter().enumerate().filter(|(i, _)| active[*i]) {
            for (row, slot) in out.iter_mut().enumerate().filter(|(_, s)| s.is_none()) {
                let is = s.accepts(self.rule_of(row))
                    && names.suppresses(&s.target, self.stacks[row], || (self.id)(row));
                if is {
                    *slot = Some(i);
                }
            }
        }
        out
    }

    /// The number of sites that shared a hash when a suppression was written, and now, where it
    /// names one of them and the number changed.
    pub(super) fn group_changed(&self, target: &Target) -> Option<(u32, u32)> {
        let Target::Site(hash, Some(_), Some(of)) = target else {
            return None;
        };
        let equal = |row: &usize| (self.id)(*row).hash == *hash;
        let now = (0..self.len()).filter(equal).count() as u32;
        (now != *of && now > 0).then_some((*of, now))
    }

    /// The position of the metric that a budget is about.
    pub(super) fn metric_of(&self, budget: &Budget) -> Result<usize, Need> {
        let wanted = match (&budget.metric, &budget.limit) {
            (Some(name), _) => name.as_str(),
            (None, Limit::Temporary(_)) => "temporary_blocks",
            (None, _) => return Ok(self.chosen),
        };
        let found = self.metrics.iter().position(|m| m.name == wanted);
        // Of captures that count one thing, this is what they hold.
        let plain = self.metrics.len() == 1
            && wanted == "live_bytes"
            && self.metrics[0].nature == Nature::Plain
            && self.metrics[0].unit == Unit::Bytes;
        found
            .or(plain.then_some(0))
            .ok_or_else(|| Need::Metric(wanted.to_owned()))
    }

    /// The unit of a budget's limit and value.
    pub(super) fn unit(&self, budget: &Budget) -> String {
        let metric = self.metric_of(budget).unwrap_or(self.chosen);
        let unit = self.metrics[metric].unit.as_str();
        match &budget.limit {
            Limit::PerRun(_) => format!("{unit} per run"),
            Limit::PerHour(_) => "MB per hour".into(),
            Limit::NewSites { .. } => "sites".into(),
            Limit::Leaks(_) => "leaks".into(),
            _ => unit.to_owned(),
        }
    }

    /// The parts of a comparison that a budget holds to its limit.
    pub(super) fn parts(&self, budget: &Budget, cover: &[Option<usize>]) -> Vec<Part> {
        let names = Names::new(self.symbols, self.naming);
        let is = |row: usize| -> bool {
            let stack = self.stacks[row];
            match &budget.scope {
                Scope::Total | Scope::Label(..) => true,
                Scope::Site(hash, rank) => {
                    let id = (self.id)(row);
                    id.hash == *hash && rank.is_none_or(|r| r == id.rank)
                }
                Scope::Stack(pattern) => names.stack(stack, pattern),
                Scope::Function(glob) => names.any(stack, FramePart::Function, glob),
                Scope::File(glob) => names.any(stack, FramePart::File, glob),
                Scope::Module(glob) => names.any(stack, FramePart::Module, glob),
            }
        };
        if budget.scope == Scope::Total && budget.each == Each::Sum {
            return vec![Part::All];
        }
        let open = |row: &usize| cover[*row].is_none() && is(*row);
        let rows: Vec<u32> = (0..self.len()).filter(open).map(|r| r as u32).collect();
        match budget.each {
            Each::Sum => vec![Part::Rows(rows)],
            Each::Site => rows.into_iter().map(|r| Part::Rows(vec![r])).collect(),
            Each::Function => self.grouped(rows, |row| self.naming.owner_key(self.stacks[row])),
            Each::File => self.grouped(rows, |row| self.owner_file(row).index() as u64),
        }
    }

    fn grouped(&self, rows: Vec<u32>, key: impl Fn(usize) -> u64) -> Vec<Part> {
        let mut places: FxHashMap<u64, usize> = FxHashMap::default();
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for row in rows {
            let at = *places.entry(key(row as usize)).or_insert(groups.len());
            if at == groups.len() {
                groups.push(Vec::new());
            }
            groups[at].push(row);
        }
        groups.into_iter().map(Part::Rows).collect()
    }

    fn owner_file(&self, row: usize) -> StrId {
        let stack = self.stacks[row];
        let frames: Vec<_> = self.symbols.stacks.frames(stack).collect();
        let at = self.naming.owner(stack).or(frames.len().checked_sub(1));
        at.and_then(|i| frames.get(i))
            .map_or(StrId::EMPTY, |&f| self.symbols.frames.get(f).file)
    }

    /// The values of a part, one a capture; of other metrics than the chosen one the ends alone.
    pub(super) fn sample(
        &self,
        metric: usize,
        part: &Part,
        cover: &[Option<usize>],
    ) -> Option<Sample> {
        let (base_runs, new_runs) = &self.runs;
        if metric == self.chosen {
            let values: Vec<f64> = (0..self.values.series.len())
                .map(|i| self.sum(part, cover, &self.values.series[i], &self.totals.series[i]))
                .collect();
            let known = self.values.variances.len() == values.len();
            let variances: Vec<f64> = match known {
                true => self
                    .values
                    .variances
                    .iter()
                    .map(|v| self.sum_of(part, cover, |row| v[row]))
                    .collect(),
                false => Vec::new(),
            };
            let side = |from: usize, to: usize, runs: &[f64]| SideValues {
                values: values.get(from..to).unwrap_or_default().to_vec(),
                variances: variances.get(from..to).unwrap_or_default().to_vec(),
                runs: runs.to_vec(),
            };
            return Some(Sample {
                base: side(0, self.base, base_runs),
                new: side(self.base, values.len(), new_runs),
            });
        }
        let side = |values: &crate::diff::Ends, totals: &crate::diff::Ends, runs: &[f64]| {
            let mut out = SideValues::default();
            let ends = [(&values.first, &totals.first), (&values.last, &totals.last)];
            for (columns, totals) in ends {
                let (Some(column), Some(total)) = (columns.get(metric), totals.get(metric)) else {
                    continue;
                };
                out.values.push(self.sum(part, cover, column, total));
                if let Some(mean) = self.mean_for(metric) {
                    let blocks = self.blocks_of(metric).and_then(|b| columns.get(b));
                    let variance = |row: usize| variance(column, blocks, row, mean);
                    out.variances.push(self.sum_of(part, cover, variance));
                }
            }
            if let (Some(&first), Some(&last)) = (runs.first(), runs.last()) {
                out.runs = match out.values.len() {
                    1 => vec![last],
                    _ => vec![first, last],
                };
            }
            out
        };
        let base = match (&self.values.base, &self.totals.base) {
            (Some(values), Some(totals)) => side(values, totals, base_runs),
            _ => SideValues::default(),
        };
        let new = side(&self.values.new, &self.totals.new, new_runs);
        (!new.values.is_empty()).then_some(Sample { base, new })
    }

    fn sum(&self, part: &Part, cover: &[Option<usize>], column: &Column, total: &Column) -> f64 {
        let of = |row: u32| i128::from(column.get(row as usize));
        match part {
            Part::Rows(rows) => rows.iter().map(|&r| of(r)).sum::<i128>() as f64,
            Part::All => {
                let hidden: i128 = self.hidden(cover).map(of).sum();
                (i128::from(total.get(0)) - hidden) as f64
            }
        }
    }

    fn sum_of(&self, part: &Part, cover: &[Option<usize>], of: impl Fn(usize) -> f64) -> f64 {
        match part {
            Part::Rows(rows) => rows.iter().map(|&r| of(r as usize)).sum(),
            Part::All => (0..self.len())
                .filter(|&r| cover[r].is_none())
                .map(of)
                .sum(),
        }
    }

    fn hidden<'c>(&self, cover: &'c [Option<usize>]) -> impl Iterator<Item = u32> + 'c {
        let hidden = cover.iter().enumerate().filter(|(_, s)| s.is_some());
        hidden.map(|(row, _)| row as u32)
    }

    /// The mean interval of samples, where a metric is one whose noise follows from it.
    fn mean_for(&self, metric: usize) -> Option<f64> {
        let Certainty::Sampled(means) = &self.certainty else {
            return None;
        };
        let mean = means.iter().copied().fold(1.0, f64::max);
        (self.metrics[metric].unit == Unit::Bytes).then_some(mean)
    }

    fn blocks_of(&self, metric: usize) -> Option<usize> {
        let stem = self.metrics[metric].name.strip_suffix("_bytes")?;
        let name = format!("{stem}_blocks");
        self.metrics.iter().position(|m| m.name == name)
    }

    /// What is known of the noise of a metric.
    pub(super) fn certainty_of(&self, metric: usize, sample: &Sample) -> Certainty {
        match &self.certainty {
            Certainty::Sampled(_) if sample.new.variances.is_empty() => Certainty::Unknown,
            _ if metric == self.chosen => self.certainty.clone(),
            Certainty::Sampled(_) if self.mean_for(metric).is_none() => Certainty::Unknown,
            known => known.clone(),
        }
    }

    /// The rows that came with at least `least` of a metric, each with the one-sided p that it is
    /// no more than chance among samples.
    pub(super) fn new_sites(
        &self,
        metric: usize,
        least: f64,
        cover: &[Option<usize>],
    ) -> Result<Vec<(u32, Option<f64>)>, Need> {
        let before = &self.values.before()[metric];
        let after = &self.values.after()[metric];
        if self.values.base.is_none() && self.values.new.first.is_empty() {
            return Err(Need::AnotherCapture);
        }
        let mut out = Vec::new();
        for row in (0..self.len()).filter(|&r| cover[r].is_none()) {
            let (b, a) = (before.get(row), after.get(row));
            let came = b == 0 && a > 0 && a as f64 >= least;
            if !came || !(self.only_after)(row) {
                continue;
            }
            let p = self.mean_for(metric).map(|mean| {
                let blocks = self.blocks_of(metric).map(|b| &self.values.after()[b]);
                let variance = variance(after, blocks, row, mean);
                let side = |bytes: f64| Sampled {
                    bytes,
                    unit: if variance > 0.0 {
                        variance / a as f64
                    } else {
                        mean
                    },
                    raw: None,
                };
                difference_p(&side(0.0), &side(a as f64)) / 2.0
            });
            out.push((row as u32, p));
        }
        out.sort_by_key(|&(r, _)| (Reverse(after.get(r as usize)), r));
        Ok(out)
    }

    /// Number of rows that leaks are looked for among by a test; 0 of captures that are counted.
    pub(super) fn leak_tests(&self) -> usize {
        if matches!(self.certainty, Certainty::Exact) {
            return 0;
        }
        let tested = |j: &&Judgement| j.p_value < 1.0 && j.reason != Reason::Exact;
        self.judgements.iter().filter(tested).count()
    }

    /// Whether leaks can be told of these captures at all.
    pub(super) fn leaks_told(&self) -> Result<(), Need> {
        if self.values.base.is_some() {
            return Err(Need::EvenSides);
        }
        let have = self.values.series.len();
        let level = |row: usize| {
            let mut series = self.values.series.iter().map(|c| c.get(row));
            let first = series.next();
            series.all(|v| Some(v) == first)
        };
        match &self.certainty {
            _ if have < 3 => Err(Need::Captures { have, need: 3 }),
            Certainty::Exact => Ok(()),
            _ if have >= 5 => Ok(()),
            // Of fewer samples nothing is called a leak, but it is known what grew at all.
            Certainty::Sampled(_) if self.growth.iter().all(|g| !may_leak(*g)) => Ok(()),
            _ if (0..self.len()).all(level) => Ok(()),
            _ => Err(Need::Captures { have, need: 5 }),
        }
    }

    /// The sites that break a budget on a sum: by function, the largest first, until most of what
    /// was added is explained.
    pub(super) fn offenders(
        &self,
        budget: &Budget,
        part: &Part,
        cover: &[Option<usize>],
    ) -> Vec<Offender> {
        let Ok(metric) = self.metric_of(budget) else {
            return Vec::new();
        };
        let all: Vec<u32>;
        let rows = match part {
            Part::Rows(rows) => rows,
            Part::All => {
                let open = |row: &u32| cover[*row as usize].is_none();
                all = (0..self.len() as u32).filter(open).collect();
                &all
            }
        };
        let levels = matches!(
            budget.limit,
            Limit::Level(_) | Limit::Plateau(_) | Limit::Temporary(_)
        );
        let added = |row: u32| -> f64 {
            let one = Part::Rows(vec![row]);
            let Some(mut sample) = self.sample(metric, &one, cover) else {
                return 0.0;
            };
            if sample.base.values.is_empty() {
                sample.new.keep_ends();
            }
            let last = |s: &SideValues| s.values.last().copied().unwrap_or(0.0);
            let change = match sample.base.values.is_empty() {
                true => last(&sample.new) - sample.new.values.first().copied().unwrap_or(0.0),
                false => last(&sample.new) - last(&sample.base),
            };
            match &budget.limit {
                _ if levels && sample.base.values.is_empty() => last(&sample.new),
                Limit::PerRun(_) | Limit::PerHour(_)
                    if change != 0.0 || !sample.base.values.is_empty() =>
                {
                    test::per_run(&sample, &Certainty::Exact, 0.0)
                        .map_or(change, |reading| reading.value)
                }
                _ => change,
            }
        };
        let quiet = |row: u32| {
            metric == self.chosen
                && !levels
                && self.growth.get(row as usize).is_some_and(|g| g.is_quiet())
        };
        let mut found: Vec<(u32, f64)> = Vec::new();
        for noisy in [false, true] {
            let kept = rows.iter().copied().filter(|&r| noisy || !quiet(r));
            found = kept.map(|r| (r, added(r))).filter(|f| f.1 > 0.0).collect();
            if !found.is_empty() {
                break;
            }
        }
        let mut groups: Vec<(Vec<(u32, f64)>, f64)> = Vec::new();
        let mut places: FxHashMap<u64, usize> = FxHashMap::default();
        for (row, amount) in found {
            let key = self.naming.owner_key(self.stacks[row as usize]);
            let at = *places.entry(key).or_insert(groups.len());
            if at == groups.len() {
                groups.push((Vec::new(), 0.0));
            }
            groups[at].0.push((row, amount));
            groups[at].1 += amount;
        }
        groups.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0[0].0.cmp(&b.0[0].0)));
        let sum: f64 = groups.iter().map(|g| g.1).sum();
        let mut explained = 0.0;
        let mut out = Vec::new();
        for (mut rows, amount) in groups {
            if out.len() >= MOST_OFFENDERS || explained >= EXPLAINED * sum {
                break;
            }
            explained += amount;
            rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            out.push(Offender::Rows(
                rows.into_iter().map(|r| r.0).collect(),
                amount,
            ));
        }
        out
    }
}

/// Whether a row of this class may turn out to be a leak.
fn may_leak(growth: Growth) -> bool {
    !growth.is_quiet() && !matches!(growth, Growth::Shrinking | Growth::Shrank | Growth::Gone)
}

/// The variance of a row of a sampled column.
fn variance(column: &Column, blocks: Option<&Column>, row: usize, mean: f64) -> f64 {
    let bytes = column.get(row) as f64;
    if bytes <= 0.0 {
        return 0.0;
    }
    match blocks.map(|b| b.get(row)) {
        Some(n) if n > 0 => Estimate::of_scaled(bytes, n as f64, mean).variance,
        _ => Estimate::of_bytes(bytes, mean).variance,
    }
}
