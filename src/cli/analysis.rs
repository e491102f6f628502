//! From a table to a report: group, classify, judge, order.

use super::args::Sort;
use super::prepare::Prepared;
use crate::diff::{
    Certainty, Drivers, GroupBy, Growth, Judge, Judged, MatchedBy, PerRun, Runs, Side, SiteTable,
    Values, group,
};
use crate::model::{Column, Exactness, Frame};
use crate::normalize::{FrameClass, Naming};
use crate::report::{CaptureInfo, Keys, Report, Resolution};
use crate::verdict::{self, Finding};
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
    /// What severities are drawn from.
    pub thresholds: verdict::Thresholds,
    /// How many rows from the top are looked at one by one: names break their ties, and the rows
    /// below stand in the order of their differences alone.
    pub shown: usize,
}

/// Draws the report. Cost: linear in the rows, and the sorting of those that differ.
pub fn report<'a>(prepared: &'a Prepared, naming: &'a Naming<'a>, shape: &Shape) -> Report<'a> {
    let sites = &prepared.table;
    let table = prepared.matched.as_ref().unwrap_or(sites);
    let (keys, values, cumulative) = match &shape.group_by {
        GroupBy::Stack => (Keys::Stacks(&table.stacks), table.values.clone(), None),
        by => {
            let is_allocator = |frame| naming.frame(frame).class == FrameClass::Allocator;
            let groups = group(table, by, &prepared.symbols, &is_allocator);
            (Keys::Groups(groups.groups), groups.flat, groups.cumulative)
        }
    };
    let totals = sum_up(&values, &table.filtered);
    let per_run = per_run(&prepared.captures, &shape.driver);
    let exact = prepared.exactness == Exactness::Exact;
    let runs = runs_of(prepared, &shape.driver);
    let judge = judge(prepared, &shape.driver);
    let mut judged = judge.rows(&values, false);
    let matching = prepared.matching.as_ref();
    let matches = match &keys {
        Keys::Stacks(_) => matching.map_or(&[][..], |m| &m.rows),
        Keys::Groups(_) => &[][..],
    };
    // Several sites before and after: neither came nor went.
    for (growth, m) in judged.growth.iter_mut().zip(matches) {
        *growth = match *growth {
            Growth::New if m.by == MatchedBy::Ambiguous => Growth::Grew,
            Growth::Gone if m.by == MatchedBy::Ambiguous => Growth::Shrank,
            growth => growth,
        };
    }
    let cumulative_judged = cumulative.as_ref().map(|c| judge.rows(c, false));
    let mut total_judged = judge.rows(&totals, true);
    judge.settle_total(&totals, &judged, &mut total_judged);
    let total_growth = total_judged
        .growth
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
        growth: &judged.growth,
        judgements: &judged.judgements,
        total_growth,
        total_doubtful: total_judged.doubtful,
        total_test: total_test(&judge, &totals, &total_judged, table.chosen),
        captures: (sides[0], sides[1]),
        exact,
        runs: &runs,
        sides: judge.side_growth(&totals, 0),
        change: total_judged.changes.first().copied(),
        series: judge.compares_series(),
    });
    let mut findings = verdict::find(
        verdict,
        &summary,
        &verdict::Ground {
            values: &values,
            metrics: &table.metrics,
            chosen: table.chosen,
            per_run: &per_run,
            growth: &judged.growth,
            judgements: &judged.judgements,
            changes: &judged.changes,
            captures: prepared.captures.len(),
            runs: &runs,
            exact,
            runs_per_hour: shape.runs_per_hour,
            memory_limit: shape.memory_limit,
            thresholds: shape.thresholds,
            owner: &|row| match &keys {
                Keys::Stacks(stacks) => naming.owner_key(stacks[row as usize]),
                Keys::Groups(_) => row as u64,
            },
            total_after: totals.after().get(table.chosen).map_or(0, |c| c.sum()),
        },
    );
    findings.extend(patterns(prepared, table, &keys, &values, &totals, naming));
    let resolution = resolution(&judge, &judged, &values, &per_run);
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
        sites,
        values,
        cumulative,
        totals,
        filtered: table.filtered.clone(),
        filtered_samples: table.filtered_samples,
        per_run,
        driver: shape.driver.clone(),
        runs,
        runs_per_hour: shape.runs_per_hour,
        memory_limit: shape.memory_limit,
        judge,
        judged,
        cumulative_judged,
        total_judged,
        resolution,
        order: Vec::new(),
        findings,
        notes: prepared.notes.clone(),
        ids: OnceCell::new(),
        has_roots: OnceCell::new(),
        gate: None,
        monitored: None,
    };
    if report.verdict == verdict::Verdict::Same && report.freed_at_end().is_some() {
        report.verdict = verdict::Verdict::CannotTell;
    }
    report.order = order(&report, shape);
    let cut = cut_stacks(&report);
    report.findings.extend(cut);
    report
}

/// From this share of what is held in cut stacks on they are worth a finding.
const CUT_SHARE: f64 = 0.01;

/// Between builds stacks that were cut may hide which site is which.
fn cut_stacks(report: &Report<'_>) -> Option<Finding> {
    report.matching.as_ref()?;
    let cut = report.cut_stacks().filter(|c| c.share >= CUT_SHARE)?;
    let side = if cut.before { Side::Base } else { Side::New };
    let of_side = report.captures.iter().rposition(|c| c.side == side);
    let (before, after) = if cut.before {
        (cut.held, 0)
    } else {
        (0, cut.held)
    };
    let capture = of_side.unwrap_or(0) as u32;
    Some(verdict::cut_stacks(capture, before, after, cut.share))
}

/// Patterns of allocation in the same rows.
fn patterns(
    prepared: &Prepared,
    table: &SiteTable,
    keys: &Keys<'_>,
    values: &Values,
    totals: &Values,
    naming: &Naming<'_>,
) -> Vec<verdict::Finding> {
    let of = |side| prepared.captures.iter().filter(move |c| c.side == side);
    // Captures of one path are moments of one recording.
    let recorded = |side| {
        let paths: Vec<&str> = of(side).map(|c| c.path.as_str()).collect();
        paths.len() > 1 && paths.iter().all(|p| p == &paths[0])
    };
    verdict::find_patterns(&verdict::PatternGround {
        values,
        totals,
        metrics: &table.metrics,
        chosen: table.chosen,
        stacks: match keys {
            Keys::Stacks(stacks) => Some(stacks),
            Keys::Groups(_) => None,
        },
        symbols: &prepared.symbols,
        names: naming,
        drivers: of(Side::New).map(|c| c.drivers.as_slice()).collect(),
        base: of(Side::Base).count(),
        moments: [Side::Base, Side::New].map(recorded),
    })
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
        variances: values
            .variances
            .iter()
            .map(|v| vec![v.iter().sum()])
            .collect(),
    }
}

/// A driver of a capture, if it names it.
pub fn driver_of(capture: &CaptureInfo, driver: &str) -> Option<f64> {
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

/// The runs of a side's captures; none where one of them has none.
fn known_runs(captures: &[CaptureInfo], side: Side, driver: &str) -> Option<Vec<f64>> {
    let of_side = captures.iter().filter(|c| c.side == side);
    of_side.map(|c| driver_of(c, driver)).collect()
}

/// The runs of the new side's captures; their positions where runs are unknown.
fn runs_of(prepared: &Prepared, driver: &str) -> Vec<f64> {
    let of_new = |c: &&CaptureInfo| c.side == Side::New;
    let count = prepared.captures.iter().filter(of_new).count();
    known_runs(&prepared.captures, Side::New, driver)
        .unwrap_or_else(|| (0..count).map(|i| i as f64).collect())
}

/// What is known of the noise of these captures.
pub fn certainty(prepared: &Prepared) -> Certainty {
    let mean = |c: &CaptureInfo| {
        c.sampling
            .and_then(|s| s.mean_bytes.or(s.estimated_mean_bytes))
    };
    let means: Option<Vec<f64>> = prepared.captures.iter().map(mean).collect();
    let tested = !prepared.table.values.variances.is_empty();
    match (prepared.exactness, means) {
        (Exactness::Exact, _) => Certainty::Exact,
        (Exactness::Sampled, Some(means)) if tested => Certainty::Sampled(means),
        _ => Certainty::Unknown,
    }
}

/// The judge of these captures: by their runs, or by their positions where runs are unknown.
fn judge(prepared: &Prepared, driver: &str) -> Judge {
    let skip = prepared
        .captures
        .iter()
        .filter(|c| c.side == Side::Base)
        .count();
    let runs = runs_of(prepared, driver);
    let metric = &prepared.table.metrics[prepared.table.chosen];
    let judge = Judge::new(&runs, skip, certainty(prepared), prepared.table.chosen)
        .with_drivers(drivers(&prepared.captures), driver);
    let judge = match known_runs(&prepared.captures, Side::New, driver) {
        Some(_) => judge,
        None => judge.of_positions(),
    };
    match [Side::Base, Side::New].map(|s| known_runs(&prepared.captures, s, driver)) {
        [Some(base), Some(new)] if skip > 0 => judge.against(&base, &new, metric),
        _ => judge,
    }
}

/// The drivers that every capture of the new side names.
fn drivers(captures: &[CaptureInfo]) -> Drivers {
    let new: Vec<_> = captures.iter().filter(|c| c.side == Side::New).collect();
    let mut drivers = Drivers::default();
    for (name, _) in new.first().map_or(&[][..], |c| &c.drivers) {
        let values: Option<Vec<f64>> = new.iter().map(|c| driver_of(c, name)).collect();
        if let Some(values) = values {
            drivers.names.push(name.clone());
            drivers.values.push(values);
        }
    }
    drivers
}

/// A total that is the same within this share of the base is called the same.
const EQUAL_WITHIN: f64 = 0.1;

fn total_test(
    judge: &Judge,
    totals: &Values,
    judged: &Judged,
    chosen: usize,
) -> verdict::TotalTest {
    let Some(test) = judge.significance(totals, judged, 0) else {
        return verdict::TotalTest::None;
    };
    let bound = EQUAL_WITHIN * totals.before()[chosen].get(0).unsigned_abs() as f64;
    match judged.growth.first() {
        Some(growth) if !growth.is_quiet() => verdict::TotalTest::Differs,
        _ if test.interval.0 >= -bound && test.interval.1 <= bound => verdict::TotalTest::Equal,
        _ => verdict::TotalTest::Open,
    }
}

/// What the captures can show of a site as large as the median one by bytes.
fn resolution(
    judge: &Judge,
    judged: &Judged,
    values: &Values,
    per_run: &PerRun,
) -> Option<Resolution> {
    let (total, of_new_site) = judge.resolution(values, judged)?;
    let span = per_run.new.span().filter(|_| values.base.is_none());
    Some(Resolution {
        total,
        per_run: span.map(|s| total / s),
        of_new_site,
    })
}

/// The rows in display order. Rows without a difference come last.
fn order(report: &Report<'_>, shape: &Shape) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..report.len() as u32).collect();
    if shape.min_delta > 0 {
        rows.retain(|&r| report.delta(r as usize).unsigned_abs() >= shape.min_delta as u128);
    }
    let delta = |r: u32| report.delta(r as usize);
    match shape.sort {
        Sort::Growth => {
            let quiet = |r: &u32| delta(*r) == 0 && !report.growth(*r as usize).is_leak();
            let (mut loud, mut still): (Vec<u32>, Vec<u32>) =
                rows.into_iter().partition(|r| !quiet(r));
            let series = report.has_two_sides() && report.captures.len() > 2;
            let key = |r: u32| {
                let leaks = report.growth(r as usize).is_leak();
                let delta = delta(r);
                // Of two series it is the growth per run that differs, and only then the level.
                let rate = match report.row_per_run(r as usize) {
                    Some(rate) if series => Reverse((rate.abs() * 1000.0) as u128),
                    _ => Reverse(0),
                };
                let size = Reverse(delta.unsigned_abs());
                (
                    !leaks,
                    report.is_quiet(r as usize),
                    rate,
                    size,
                    Reverse(delta),
                )
            };
            loud.sort_by_cached_key(|&r| (key(r), r));
            let mut first = 0;
            for ties in loud.chunk_by_mut(|&a, &b| key(a) == key(b)) {
                if first >= shape.shown {
                    break;
                }
                first += ties.len();
                if ties.len() > 1 {
                    ties.sort_by_cached_key(|&r| (name_key(report, r), r));
                }
            }
            if loud.len() < shape.shown {
                let size = |r: u32| Reverse(report.chosen_ends(r as usize).1.unsigned_abs());
                still.sort_by_cached_key(|&r| (size(r), r));
            }
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
fn name_key<'r>(report: &'r Report<'_>, row: u32) -> (&'r str, &'r str, u32) {
    let frames = report.frames(row as usize);
    let frame: Option<&Frame> = report
        .owner(row as usize)
        .and_then(|i| frames.get(i))
        .or_else(|| frames.last());
    frame.map_or_else(Default::default, |f| {
        let text = |id| report.symbols.strings.get(id);
        (text(f.function), text(f.file), f.line)
    })
}
