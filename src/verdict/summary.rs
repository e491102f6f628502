//! The verdict in a word, and the facts that the first lines of text state.

use super::path::{Path, Series, blocks_of, path};
use crate::diff::{Growth, PerRun, Runs, SideChange, SideGrowth, Values};
use crate::model::{Column, Metric, Nature};
use crate::trend::{Change, Judgement};
use std::cmp::Ordering;

/// The whole comparison in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Something is kept on every run.
    Leak,
    /// More than before; whether on every run is not known.
    Grew,
    /// No difference, or none beyond the noise.
    Same,
    /// Less than before.
    Shrank,
    /// The base side leaks, the new side does not.
    Cured,
    /// The new side grows or holds less than the base side.
    Reduced,
    /// The new side grows or holds more than the base side.
    Worse,
    /// The captures do not tell.
    CannotTell,
}

impl Verdict {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Leak => "leak",
            Verdict::Grew => "grew",
            Verdict::Same => "same",
            Verdict::Shrank => "shrank",
            Verdict::Cured => "cured",
            Verdict::Reduced => "reduced",
            Verdict::Worse => "worse",
            Verdict::CannotTell => "cannot-tell",
        }
    }

    /// The word as the first of the text output.
    pub fn headline(self) -> &'static str {
        match self {
            Verdict::Leak => "LEAK",
            Verdict::Grew => "GREW",
            Verdict::Same => "SAME",
            Verdict::Shrank => "SHRANK",
            Verdict::Cured => "CURED",
            Verdict::Reduced => "REDUCED",
            Verdict::Worse => "WORSE",
            Verdict::CannotTell => "CANNOT TELL",
        }
    }
}

/// How sure the verdict is, and from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Every allocation was counted, and growth per run is the same in every interval.
    Exact,
    /// Every allocation was counted.
    Counted,
    /// A statistical test.
    Tested,
    /// The captures are samples or of unknown kind, and nothing was tested.
    Untested,
}

/// The facts behind the first lines of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How sure.
    pub certainty: Certainty,
    /// Rows that leak, in order of their growth.
    pub leaking: Vec<u32>,
    /// Those of them that keep something on every run; the verdict speaks of these where there
    /// are any.
    pub hot: Vec<u32>,
    /// Rows on error paths and other rare branches.
    pub rare: Vec<u32>,
    /// Growth of the chosen metric per run: of the hot rows together where there are any, else of
    /// the leaking ones, else of the total.
    pub per_run: Option<f64>,
    /// Blocks per run, of the same rows.
    pub blocks_per_run: Option<f64>,
    /// For two sides that can be compared per run: the growth of each, of the total.
    pub sides: Option<SideGrowth>,
    /// What the change did to the total.
    pub change: Option<SideChange>,
    /// Whether both sides are series, so that growth was compared and not what is held.
    pub series: bool,
    /// Sum of the growth of all rows that grew.
    pub increases: i128,
    /// Sum of the shrinkage of all rows that shrank; not positive.
    pub decreases: i128,
    /// Number of rows by what became of them: grew, shrank, new, gone, unchanged.
    pub counts: Counts,
}

/// Number of rows by the difference between before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// More than before.
    pub grew: usize,
    /// Less than before.
    pub shrank: usize,
    /// Not there before.
    pub new: usize,
    /// Not there after.
    pub gone: usize,
    /// The same.
    pub unchanged: usize,
}

/// What the noise of samples says of the difference of the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalTest {
    /// Nothing was tested.
    None,
    /// It differs beyond the noise.
    Differs,
    /// It is the same within a tenth.
    Equal,
    /// It lies inside the noise, and the noise is large: absence of proof is no proof.
    Open,
}

/// What the verdict is drawn from.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The rows.
    pub values: &'a Values,
    /// The sum over all rows and what filters left out; one row.
    pub totals: &'a Values,
    /// What the columns count.
    pub metrics: &'a [Metric],
    /// Position of the chosen metric.
    pub chosen: usize,
    /// How differences become differences per run.
    pub per_run: &'a PerRun,
    /// The class of each row.
    pub growth: &'a [Growth],
    /// What the statistics say of each row; empty for fewer than three captures.
    pub judgements: &'a [Judgement],
    /// The class of the total.
    pub total_growth: Growth,
    /// Whether the total is called a leak by what other growth can imitate.
    pub total_doubtful: bool,
    /// What the noise of samples says of the total.
    pub total_test: TotalTest,
    /// Number of captures on the base side and on the new side.
    pub captures: (usize, usize),
    /// Whether every capture counts every allocation.
    pub exact: bool,
    /// Runs of the captures, or their positions.
    pub runs: &'a [f64],
    /// The total's growth per run on both sides, where it can be compared.
    pub sides: Option<SideGrowth>,
    /// What the change did to the total.
    pub change: Option<SideChange>,
    /// Whether both sides are series of captures.
    pub series: bool,
}

/// Draws the verdict. Cost: one pass over the rows.
pub fn summarise(facts: &Facts<'_>) -> (Verdict, Summary) {
    let column = |columns: &'_ [Column], row: usize| columns[facts.chosen].get(row);
    let mut counts = Counts::default();
    let (mut increases, mut decreases) = (0i128, 0i128);
    let rows = facts.growth.len();
    for row in 0..rows {
        let (before, after) = (
            column(facts.values.before(), row),
            column(facts.values.after(), row),
        );
        let delta = after as i128 - before as i128;
        // What lies inside the noise is no growth.
        if facts.growth[row].is_quiet() {
            counts.unchanged += 1;
            continue;
        }
        if delta > 0 {
            increases += delta;
        } else {
            decreases += delta;
        }
        match Growth::between(before, after) {
            Growth::New => counts.new += 1,
            Growth::Gone => counts.gone += 1,
            Growth::Grew => counts.grew += 1,
            Growth::Shrank => counts.shrank += 1,
            _ => counts.unchanged += 1,
        }
    }
    let mut leaking: Vec<u32> = (0..rows as u32)
        .filter(|&r| facts.growth[r as usize].is_leak())
        .collect();
    let growth_of = |r: u32| {
        column(facts.values.after(), r as usize) - column(facts.values.before(), r as usize)
    };
    leaking.sort_by_key(|&r| (std::cmp::Reverse(growth_of(r)), r));
    let is_live = matches!(
        facts.metrics[facts.chosen].nature,
        Nature::Live | Nature::Plain
    );
    if !is_live {
        leaking.clear();
    }
    let blocks = blocks_of(facts.metrics, facts.chosen);
    let series = Series {
        values: facts.values,
        metrics: facts.metrics,
        chosen: facts.chosen,
        per_run: facts.per_run,
        runs: facts.runs,
    };
    let of_path = |wanted: Path| -> Vec<u32> {
        let mut rows: Vec<u32> = (0..rows as u32)
            .filter(|&r| {
                let growth = facts.growth[r as usize];
                let judgement = facts.judgements.get(r as usize);
                is_live && path(&series, growth, judgement, r as usize) == Some(wanted)
            })
            .collect();
        rows.sort_by_key(|&r| (std::cmp::Reverse(growth_of(r)), r));
        rows
    };
    let (hot, rare) = (of_path(Path::Hot), of_path(Path::Error));
    let spoken_of = match hot.is_empty() {
        true => &leaking,
        false => &hot,
    };
    let sum = |metric: usize| -> Option<f64> {
        if spoken_of.is_empty() {
            return facts.per_run.of(facts.totals, facts.metrics, metric, 0);
        }
        let each = |&r: &u32| {
            facts
                .per_run
                .of(facts.values, facts.metrics, metric, r as usize)
        };
        spoken_of.iter().map(each).sum()
    };
    let certain = |r: &u32| {
        facts
            .judgements
            .get(*r as usize)
            .is_some_and(|j| j.reason == crate::trend::Reason::Exact)
    };
    let agrees = facts.per_run.base.is_none() && same_rate(facts, spoken_of);
    let certainty = match facts.exact {
        true if !spoken_of.is_empty() && spoken_of.iter().all(certain) && agrees => {
            Certainty::Exact
        }
        true => Certainty::Counted,
        false if !leaking.is_empty() => Certainty::Tested,
        false => Certainty::Untested,
    };
    let summary = Summary {
        certainty,
        per_run: sum(facts.chosen),
        blocks_per_run: blocks.and_then(sum),
        sides: facts.sides,
        change: facts.change,
        series: facts.series,
        leaking,
        hot,
        rare,
        increases,
        decreases,
        counts,
    };
    let before = column(facts.totals.before(), 0);
    let after = column(facts.totals.after(), 0);
    let verdict = if facts.values.base.is_some() {
        two_sides(facts, before, after)
    } else if !summary.leaking.is_empty() {
        Verdict::Leak
    } else {
        one_side(facts, before, after)
    };
    (verdict, summary)
}

/// Whether the growth per run of these rows together is the same in every interval, within 2 %.
fn same_rate(facts: &Facts<'_>, rows: &[u32]) -> bool {
    let sums: Vec<f64> = facts
        .values
        .series
        .iter()
        .map(|c| rows.iter().map(|&r| c.get(r as usize) as f64).sum())
        .collect();
    if facts.runs.len() != sums.len() {
        return false;
    }
    let rates: Vec<f64> = (1..sums.len())
        .map(|i| (sums[i] - sums[i - 1]) / (facts.runs[i] - facts.runs[i - 1]))
        .collect();
    let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
    rates
        .iter()
        .all(|r| r.is_finite() && (r - mean).abs() <= 0.02 * mean.abs())
}

fn one_side(facts: &Facts<'_>, before: i64, after: i64) -> Verdict {
    let is_live = matches!(
        facts.metrics[facts.chosen].nature,
        Nature::Live | Nature::Plain
    );
    match facts.total_growth {
        growth if growth.is_leak() && is_live => match facts.total_doubtful {
            true => Verdict::CannotTell,
            false => Verdict::Leak,
        },
        _ if facts.total_test == TotalTest::Open => Verdict::CannotTell,
        Growth::Stable | Growth::Unchanged => Verdict::Same,
        Growth::Undetermined if after != before && facts.total_test != TotalTest::Differs => {
            Verdict::CannotTell
        }
        _ if after > before => Verdict::Grew,
        _ if after < before => Verdict::Shrank,
        _ => Verdict::Same,
    }
}

fn two_sides(facts: &Facts<'_>, before: i64, after: i64) -> Verdict {
    let several = facts.captures.0 > 1 || facts.captures.1 > 1;
    if let Some(c) = facts.change.filter(|_| facts.series || several) {
        return match (c.change, c.level) {
            (Change::Worse, _) | (Change::Unchanged, Ordering::Greater) => Verdict::Worse,
            (Change::Cured, _) => Verdict::Cured,
            (Change::Reduced { .. }, _) | (Change::Unchanged, Ordering::Less) => Verdict::Reduced,
            (Change::Unchanged, Ordering::Equal) => Verdict::Same,
            (Change::CannotTell, _) => Verdict::CannotTell,
        };
    }
    let by_level = match facts.total_growth {
        _ if facts.total_test == TotalTest::Open => return Verdict::CannotTell,
        Growth::Unchanged | Growth::Stable => Ordering::Equal,
        Growth::Undetermined => return Verdict::CannotTell,
        _ => after.cmp(&before),
    };
    // After other numbers of runs more may be held because of them, or in spite of them.
    let last = |runs: &Option<Runs>| runs.and_then(|r| r.last);
    let [base, new] = [last(&facts.per_run.base), last(&Some(facts.per_run.new))];
    let has_rate = facts.metrics[facts.chosen].has_per_run();
    if base.is_some() && new.is_some() && base != new && has_rate {
        let by_rate = facts
            .sides
            .map(|s| s.after.partial_cmp(&s.before).unwrap_or(Ordering::Equal));
        if by_rate != Some(by_level) {
            return Verdict::CannotTell;
        }
    }
    match by_level {
        Ordering::Greater => Verdict::Worse,
        Ordering::Less => Verdict::Reduced,
        Ordering::Equal => Verdict::Same,
    }
}
