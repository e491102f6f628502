//! From a table to a report: group, classify, judge, order.

use super::args::Sort;
use super::prepare::Prepared;
use crate::diff::{GroupBy, Growth, MatchedBy, PerRun, Runs, Side, Values, group};
use crate::model::{Column, Exactness, Frame};
use crate::normalize::Naming;
use crate::report::{CaptureInfo, Keys, Report, Slopes};
use crate::trend::{self, Judgement, Noise, Plan};
use crate::verdict;
use std::cell::OnceCell;
use std::cmp::Reverse;

/// How rows are made and ordered.
#[derive(Debug)]
pub struct Shape {
    /// What a row is.
    pub group_by: GroupBy,
    /// In which order.
    pub sort: Sort,
    /// Rows with a smaller difference are left out.
    pub min_delta: u64,
    /// The driver that growth is counted by.
    pub driver: String,
    /// Runs in an hour.
    pub runs_per_hour: Option<f64>,
    /// Bytes that the program may use.
    pub memory_limit: Option<u64>,
}

/// Draws the report. Cost: linear in the rows, and the sorting of those that differ.
pub fn report<'a>(prepared: &'a Prepared, naming: &'a Naming<'a>, shape: &Shape) -> Report<'a> {
    let table = &prepared.table;
    let (keys, values, cumulative) = match &shape.group_by {
        GroupBy::Stack => (
            Keys::Stacks(table.stacks.clone()),
            table.values.clone(),
            None,
        ),
        by => {
            let groups = group(table, by, &prepared.symbols);
            (Keys::Groups(groups.groups), groups.flat, groups.cumulative)
        }
    };
    let totals = sum_up(&values, &table.filtered);
    let per_run = per_run(&prepared.captures, &shape.driver);
    let exact = prepared.exactness == Exactness::Exact;
    let axis = axis(&prepared.captures, &shape.driver);
    let judge = Judging {
        plan: axis,
        noise: if exact { Noise::Exact } else { Noise::Unknown },
        per_run,
        metrics: &table.metrics,
        chosen: table.chosen,
    };
    let (mut growth, judgements) = judge.rows(&values);
    let matching = prepared.matching.as_ref();
    let matches = match &keys {
        Keys::Stacks(_) => matching.map(|m| m.rows.clone()).unwrap_or_default(),
        Keys::Groups(_) => Vec::new(),
    };
    // Several sites before and after: neither came nor went.
    for (growth, m) in growth.iter_mut().zip(&matches) {
        *growth = match *growth {
            Growth::New if m.by == MatchedBy::Ambiguous => Growth::Grew,
            Growth::Gone if m.by == MatchedBy::Ambiguous => Growth::Shrank,
            growth => growth,
        };
    }
    let cumulative_growth = cumulative
        .as_ref()
        .map(|c| judge.rows(c).0)
        .unwrap_or_default();
    let total_growth = judge
        .rows(&totals)
        .0
        .first()
        .copied()
        .unwrap_or(Growth::Unchanged);
    let sides =
        [Side::Base, Side::New].map(|s| prepared.captures.iter().filter(|c| c.side == s).count());
    let (verdict, summary) = verdict::summarise(&verdict::Facts {
        values: &values,
        totals: &totals,
        metrics: &table.metrics,
        chosen: table.chosen,
        per_run: &per_run,
        growth: &growth,
        judgements: &judgements,
        total_growth,
        captures: (sides[0], sides[1]),
        exact,
    });
    let findings = verdict::find(
        verdict,
        &summary,
        &verdict::Ground {
            values: &values,
            metrics: &table.metrics,
            chosen: table.chosen,
            per_run: &per_run,
            growth: &growth,
            judgements: &judgements,
            captures: prepared.captures.len(),
            runs_per_hour: shape.runs_per_hour,
            memory_limit: shape.memory_limit,
            total_after: totals.after().get(table.chosen).map_or(0, |c| c.sum()),
        },
    );
    let of_row = judge.slopes(judgements.clone());
    let mut report = Report {
        symbols: &prepared.symbols,
        names: naming,
        verdict,
        summary,
        metrics: table.metrics.clone(),
        chosen: table.chosen,
        group_by: shape.group_by.clone(),
        captures: prepared.captures.clone(),
        keys,
        matches,
        matching: matching.map(|m| m.ledger.clone()),
        values,
        cumulative,
        totals,
        filtered: table.filtered.clone(),
        filtered_samples: table.filtered_samples,
        per_run,
        growth,
        cumulative_growth,
        total_growth,
        judgements,
        order: Vec::new(),
        findings,
        notes: prepared.notes.clone(),
        ids: OnceCell::new(),
        slopes: Slopes { of_row },
    };
    report.order = order(&report, shape);
    report
}

/// The sum of all rows and what filters left out, as one row.
fn sum_up(values: &Values, filtered: &Values) -> Values {
    let sum = |column: &Column, rest: Option<&Column>| {
        let total = column.sum() + rest.map_or(0, |c| c.sum());
        let mut one = Column::default();
        one.push(total.clamp(i64::MIN as i128, i64::MAX as i128) as i64);
        one
    };
    let columns = |a: &[Column], b: &[Column]| -> Vec<Column> {
        a.iter()
            .enumerate()
            .map(|(i, c)| sum(c, b.get(i)))
            .collect()
    };
    let ends = |a: &crate::diff::Ends, b: Option<&crate::diff::Ends>| crate::diff::Ends {
        first: columns(&a.first, b.map_or(&[], |b| &b.first)),
        last: columns(&a.last, b.map_or(&[], |b| &b.last)),
    };
    Values {
        base: values
            .base
            .as_ref()
            .map(|b| ends(b, filtered.base.as_ref())),
        new: ends(&values.new, Some(&filtered.new)),
        series: columns(&values.series, &filtered.series),
        blocks: columns(&values.blocks, &filtered.blocks),
    }
}

fn driver_of(capture: &CaptureInfo, driver: &str) -> Option<f64> {
    capture
        .drivers
        .iter()
        .find(|(n, _)| n == driver)
        .map(|&(_, v)| v)
}

/// The runs at the ends of each side.
fn per_run(captures: &[CaptureInfo], driver: &str) -> PerRun {
    let runs = |side: Side| {
        let mut of_side = captures.iter().filter(|c| c.side == side);
        let first = of_side.next()?;
        let last = of_side.next_back().unwrap_or(first);
        Some(Runs {
            first: driver_of(first, driver),
            last: driver_of(last, driver),
        })
    };
    PerRun {
        base: runs(Side::Base),
        new: runs(Side::New).unwrap_or_default(),
    }
}

/// The runs of the new side's captures, from three on; their positions where runs are unknown.
fn axis(captures: &[CaptureInfo], driver: &str) -> Option<(usize, Plan)> {
    let skip = captures.iter().filter(|c| c.side == Side::Base).count();
    let new: Vec<_> = captures.iter().skip(skip).collect();
    if new.len() < 3 {
        return None;
    }
    let known: Option<Vec<f64>> = new.iter().map(|c| driver_of(c, driver)).collect();
    let x = known.unwrap_or_else(|| (0..new.len()).map(|i| i as f64).collect());
    Plan::new(&x).ok().map(|plan| (skip, plan))
}

/// Classifies rows.
struct Judging<'a> {
    plan: Option<(usize, Plan)>,
    noise: Noise,
    per_run: PerRun,
    metrics: &'a [crate::model::Metric],
    chosen: usize,
}

impl<'a> Judging<'a> {
    fn rows(&self, values: &Values) -> (Vec<Growth>, Vec<Judgement>) {
        let before = &values.before()[self.chosen];
        let after = &values.after()[self.chosen];
        let rows = after.len();
        let between = |row: usize| Growth::between(before.get(row), after.get(row));
        if values.base.is_some() {
            return (
                (0..rows)
                    .map(|r| self.two_sides(values, r).unwrap_or_else(|| between(r)))
                    .collect(),
                Vec::new(),
            );
        }
        let Some((skip, plan)) = &self.plan else {
            return ((0..rows).map(between).collect(), Vec::new());
        };
        let judged = plan.judge_all(self.noise, rows, |row, out| fill(values, *skip, row, out));
        (
            judged.rows.iter().map(|j| growth_of(j.class)).collect(),
            judged.rows,
        )
    }

    /// Of two series the growth per run is compared, not the level.
    fn two_sides(&self, values: &Values, row: usize) -> Option<Growth> {
        let base = values.base.as_ref()?;
        if base.first.is_empty() || values.new.first.is_empty() {
            return None;
        }
        let (old, new) = self
            .per_run
            .of_sides(values, self.metrics, self.chosen, row)?;
        let empty = |columns: &[Column]| columns[self.chosen].get(row) == 0;
        Some(match () {
            _ if empty(&base.last) && !empty(&values.new.last) => Growth::New,
            _ if !empty(&base.last) && empty(&values.new.last) => Growth::Gone,
            _ if new > old => Growth::Grew,
            _ if new < old => Growth::Shrank,
            _ => Growth::Unchanged,
        })
    }

    /// The robust slope of a row on demand.
    fn slopes(
        self,
        judgements: Vec<Judgement>,
    ) -> Box<dyn Fn(&Values, usize) -> Option<trend::Slope> + 'a> {
        let level = 0.001;
        Box::new(move |values, row| {
            let (skip, plan) = self.plan.as_ref()?;
            let judgement = judgements.get(row)?;
            let mut out = trend::Row::default();
            out.values.resize(values.series.len() - skip, 0.0);
            fill(values, *skip, row, &mut out);
            plan.detail(self.noise, &out, judgement, level).slope
        })
    }
}

fn fill(values: &Values, skip: usize, row: usize, out: &mut trend::Row) {
    for (value, column) in out.values.iter_mut().zip(&values.series[skip..]) {
        *value = column.get(row) as f64;
    }
    out.blocks
        .extend(values.blocks.iter().skip(skip).map(|c| c.get(row) as f64));
}

fn growth_of(class: trend::Class) -> Growth {
    match class {
        trend::Class::SteadyGrowth => Growth::SteadyGrowth,
        trend::Class::Accelerating => Growth::Accelerating,
        trend::Class::Step => Growth::Step,
        trend::Class::WarmUp => Growth::WarmUp,
        trend::Class::Sawtooth => Growth::Sawtooth,
        trend::Class::Stable => Growth::Stable,
        trend::Class::Shrinking => Growth::Shrinking,
        trend::Class::Irregular => Growth::Irregular,
        trend::Class::Undetermined => Growth::Undetermined,
    }
}

/// The rows in display order. Rows without a difference come last, in order of first appearance.
fn order(report: &Report<'_>, shape: &Shape) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..report.len() as u32).collect();
    if shape.min_delta > 0 {
        rows.retain(|&r| report.delta(r as usize).unsigned_abs() >= shape.min_delta as u128);
    }
    let delta = |r: u32| report.delta(r as usize);
    match shape.sort {
        Sort::Growth => {
            let quiet = |r: &u32| delta(*r) == 0 && !report.growth[*r as usize].is_leak();
            let (mut loud, still): (Vec<u32>, Vec<u32>) = rows.into_iter().partition(|r| !quiet(r));
            let class = |r: u32| {
                let growth = report.growth[r as usize];
                (!growth.is_leak(), growth.is_quiet())
            };
            loud.sort_by_cached_key(|&r| {
                (
                    class(r),
                    Reverse(delta(r).unsigned_abs()),
                    Reverse(delta(r)),
                    name_key(report, r),
                    r,
                )
            });
            let mut still = still;
            still.sort_by_key(|&r| (Reverse(report.chosen_ends(r as usize).1.unsigned_abs()), r));
            loud.extend(still);
            loud
        }
        Sort::Delta => {
            rows.sort_by_key(|&r| (Reverse(delta(r)), r));
            rows
        }
        Sort::After => {
            rows.sort_by_key(|&r| (Reverse(report.chosen_ends(r as usize).1), r));
            rows
        }
        Sort::Before => {
            rows.sort_by_key(|&r| (Reverse(report.chosen_ends(r as usize).0), r));
            rows
        }
        Sort::Cumulative => {
            let cumulative = report.cumulative.as_ref().unwrap_or(&report.values);
            let size = |r: u32| {
                let (before, after) = report.ends(cumulative, report.chosen, r as usize);
                (after as i128 - before as i128).unsigned_abs()
            };
            rows.sort_by_key(|&r| (Reverse(size(r)), r));
            rows
        }
        Sort::Name => {
            rows.sort_by_cached_key(|&r| (name_key(report, r), r));
            rows
        }
    }
}

/// The text that breaks ties: the function and file of the frame that a row is named by.
fn name_key(report: &Report<'_>, row: u32) -> (String, String, u32) {
    let frames = report.frames(row as usize);
    let frame: Option<&Frame> = report
        .owner(row as usize)
        .and_then(|i| frames.get(i))
        .or_else(|| frames.last());
    frame.map_or_else(Default::default, |f| {
        let text = |id| report.symbols.strings.get(id).to_owned();
        (text(f.function), text(f.file), f.line)
    })
}
