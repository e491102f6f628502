//! Budgets on allocation sites.

use super::{Measured, Offender, Outcome, Question, Shares, simple_limit};
use crate::diff::Certainty;
use crate::verdict::budget::{Each, Limit};
use crate::verdict::budget_test::{self as test, Held, Need, Reading, Sample, SideValues, Told};
use crate::verdict::findings::Finding;
use crate::verdict::gate_rows::{Part, Rows};

/// One part of a budget on its way to the family.
pub(super) struct Pending {
    rows: Part,
    reading: Reading,
    /// Position in the family; none for what was counted.
    family: Option<usize>,
}

/// Of the sites that came so many are named.
const MOST_NAMED: usize = 20;

/// Holds the parts of a budget against its limit, tests into the family.
pub(super) fn ask(
    question: &Question,
    measured: &Measured<'_>,
    covers: &[Vec<Option<usize>>],
    family: &mut Vec<f64>,
) -> Result<Vec<Pending>, Need> {
    let budget = &question.budget;
    if let Some(need) = &question.lacking {
        return Err(need.clone());
    }
    let Some(of) = question.of.filter(|&i| i < measured.captures.len()) else {
        return Err(Need::Sites);
    };
    let (rows, cover) = (&measured.captures[of], &covers[of]);
    let metric = rows.metric_of(budget)?;
    if let Limit::NewSites { most, least } = budget.limit {
        // Of samples a site is new only if so many of it are no chance: one test a site.
        let pending = |(row, p): (u32, Option<f64>)| Pending {
            rows: Part::Rows(vec![row]),
            reading: Reading {
                value: 1.0,
                limit: most,
                spread: test::Spread::None,
                p,
                settled: false,
            },
            family: p.map(|p| {
                family.push(p);
                family.len() - 1
            }),
        };
        let new = rows.new_sites(metric, least, cover)?;
        return Ok(new.into_iter().map(pending).collect());
    }
    let mut out = Vec::new();
    for part in rows.parts(budget, cover) {
        let Some(sample) = rows.sample(metric, &part, cover) else {
            return Err(Need::Metric(budget.metric.clone().unwrap_or_default()));
        };
        if budget.each != Each::Sum && cannot_break(&sample, &budget.limit, rows) {
            continue;
        }
        let reading = read(&sample, rows, metric, &budget.limit)?;
        let place = reading.p.map(|p| {
            family.push(p);
            family.len() - 1
        });
        out.push(Pending {
            rows: part,
            reading,
            family: place,
        });
    }
    Ok(out)
}

fn read(sample: &Sample, rows: &Rows<'_>, metric: usize, limit: &Limit) -> Told {
    let certainty = &rows.certainty_of(metric, sample);
    match limit {
        Limit::PerRun(limit) => test::per_run(sample, certainty, *limit),
        Limit::PerHour(mb) => {
            let runs = rows.runs_per_hour.ok_or(Need::RunsPerHour)?;
            let per_run = mb * 1e6 / runs;
            let mut reading = test::per_run(sample, certainty, per_run)?;
            let to_mb = runs / 1e6;
            reading.value *= to_mb;
            reading.limit = *mb;
            reading.spread = match reading.spread {
                test::Spread::Error { error, degrees } => test::Spread::Error {
                    error: error * to_mb,
                    degrees,
                },
                test::Spread::Samples {
                    unit,
                    base,
                    per,
                    upper,
                } => test::Spread::Samples {
                    unit,
                    base,
                    per: per / to_mb,
                    upper: upper * to_mb,
                },
                test::Spread::None => test::Spread::None,
            };
            Ok(reading)
        }
        Limit::Growth { absolute, percent } => {
            let limit = growth_limit(sample, *absolute, *percent);
            test::growth(sample, certainty, limit)
        }
        Limit::Level(limit) | Limit::Temporary(limit) => test::level(sample, certainty, *limit),
        Limit::Plateau(limit) => test::plateau(sample, certainty, *limit),
        _ => Err(Need::AnotherCapture),
    }
}

/// Beyond both the absolute and the relative limit is beyond the larger one.
pub(super) fn growth_limit(sample: &Sample, absolute: Option<f64>, percent: Option<f64>) -> f64 {
    let mean =
        |side: &SideValues| side.values.iter().sum::<f64>() / side.values.len().max(1) as f64;
    let before = match sample.base.values.is_empty() {
        true => sample.new.values.first().copied().unwrap_or(0.0),
        false => mean(&sample.base),
    };
    let relative = percent.map(|p| before.abs() * p / 100.0);
    match (absolute, relative) {
        (Some(a), Some(r)) => a.max(r),
        (a, r) => a.or(r).unwrap_or(0.0),
    }
}

/// A part whose mean over the captures is below half of what the budget allows it to grow cannot
/// break it by a line (Bourgon, Gentleman and Huber 2010: the mean knows nothing of the slope, so
/// leaving it out costs no error). Levels are compared at once.
fn cannot_break(sample: &Sample, limit: &Limit, rows: &Rows<'_>) -> bool {
    let all = sample.base.values.iter().chain(&sample.new.values);
    let count = (sample.base.values.len() + sample.new.values.len()) as f64;
    let mean = all.clone().sum::<f64>() / count.max(1.0);
    let runs = &sample.new.runs;
    let span = match (runs.first(), runs.last(), runs.len()) {
        (Some(_), Some(last), 1) => *last,
        (Some(first), Some(last), _) if last > first => last - first,
        (Some(_), Some(last), _) => *last,
        _ => return false,
    };
    let allowed = match limit {
        Limit::PerRun(limit) => limit * span,
        Limit::PerHour(mb) => match rows.runs_per_hour {
            Some(runs) => mb * 1e6 / runs * span,
            None => return false,
        },
        Limit::Growth { absolute, percent } => growth_limit(sample, *absolute, *percent),
        _ => return false,
    };
    allowed > 0.0 && mean < allowed / 2.0
}

/// The outcome of a budget on captures, now that the family is known.
pub(super) fn settle(
    question: &Question,
    answer: Result<Vec<Pending>, Need>,
    measured: &Measured<'_>,
    covers: &[Vec<Option<usize>>],
    shares: &Shares,
) -> Outcome {
    let level = shares.level;
    let budget = &question.budget;
    let rows = question.of.and_then(|i| measured.captures.get(i));
    let cover = question.of.and_then(|i| covers.get(i));
    let unit = rows.map_or_else(String::new, |rows| rows.unit(budget));
    let blank = Outcome::blank(budget, simple_limit(&budget.limit), unit);
    let (mut outcome, pending) = match blank.answered(answer) {
        Ok(answered) => answered,
        Err(outcome) => return *outcome,
    };
    if let Limit::NewSites { most, .. } = budget.limit {
        return new_sites(outcome, &pending, most, shares);
    }
    let mut worst: Option<(u8, f64)> = None;
    let mut broken: Vec<(f64, &Part)> = Vec::new();
    for p in &pending {
        let rejected = p.family.is_some_and(|i| shares.sites[i] <= shares.each);
        let held = p.reading.held(rejected, level);
        let rank = match held {
            Held::Yes => 0,
            Held::CannotTell(_) => 1,
            Held::No => 2,
        };
        let excess = p.reading.value - p.reading.limit;
        if held == Held::No {
            broken.push((p.reading.value, &p.rows));
        }
        if worst.is_none_or(|w| (rank, excess) > w) {
            worst = Some((rank, excess));
            outcome.value = Some(p.reading.value);
            outcome.limit = p.reading.limit;
            outcome.noise = p.reading.noise();
            outcome.resolution = p.reading.resolution(level);
            outcome.settled = p.reading.settled;
            outcome.held = held;
        }
    }
    if let (Some(rows), Some(cover)) = (rows, cover) {
        broken.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (value, part) in broken {
            match (budget.each, part) {
                (Each::Sum, part) => {
                    outcome
                        .offenders
                        .extend(rows.offenders(budget, part, cover));
                }
                (_, Part::Rows(list)) => {
                    let mut list = list.clone();
                    list.sort_by_key(|&r| (std::cmp::Reverse(rows.delta(r)), r));
                    outcome.offenders.push(Offender::Rows(list, value));
                }
                (_, Part::All) => {}
            }
        }
    }
    outcome
}

/// Counts the sites that came for certain.
fn new_sites(mut outcome: Outcome, pending: &[Pending], most: f64, shares: &Shares) -> Outcome {
    let sure = |p: &&Pending| p.family.is_none_or(|i| shares.sites[i] <= shares.each);
    let came: Vec<&Pending> = pending.iter().filter(sure).collect();
    outcome.value = Some(came.len() as f64);
    if came.len() as f64 > most {
        outcome.held = Held::No;
        let offender = |p: &&Pending| match &p.rows {
            Part::Rows(rows) => Some(Offender::Rows(rows.clone(), 1.0)),
            Part::All => None,
        };
        outcome.offenders = came.iter().filter_map(offender).take(MOST_NAMED).collect();
    } else if pending.len() as f64 > most {
        outcome.held = Held::CannotTell(Need::Resolution {
            shown: pending.len() as f64,
            limit: most,
        });
    }
    outcome
}

/// The rules of leaks: of a series, and of growth that a change added.
const LEAKS: [&str; 3] = ["HD001", "HD002", "HD004"];

/// Sites that leaks are looked for among by tests; none of captures that are counted.
pub(super) fn leak_tests(question: &Question, measured: &Measured<'_>) -> usize {
    let rows = question.of.and_then(|i| measured.captures.get(i));
    rows.map_or(0, Rows::leak_tests)
}

pub(super) fn leaks(
    question: &Question,
    measured: &Measured<'_>,
    covers: &[Vec<Option<usize>>],
    shares: &Shares,
) -> Outcome {
    let mut outcome = Outcome::blank(&question.budget, 0.0, "leaks");
    let Limit::Leaks(from) = question.budget.limit else {
        return outcome;
    };
    let of = question
        .of
        .and_then(|i| Some((measured.captures.get(i)?, covers.get(i)?)));
    let Some((rows, cover)) = of else {
        outcome.held = Held::CannotTell(question.lacking.clone().unwrap_or(Need::Sites));
        return outcome;
    };
    let open = |f: &&Finding| {
        LEAKS.contains(&f.rule.id)
            && f.severity >= from
            && f.rows.iter().any(|&r| cover[r as usize].is_none())
    };
    let all: Vec<&Finding> = rows.findings.iter().filter(open).collect();
    // What a comparison calls a leak at one in a thousand a site is none yet among thousands.
    let tested = rows.leak_tests();
    let proven = |f: &Finding| {
        tested == 0
            || matches!(rows.certainty, Certainty::Exact)
            || f.evidence
                .p_value
                .is_some_and(|p| p * tested as f64 <= shares.each)
    };
    let mut found: Vec<&Finding> = all.iter().copied().filter(|f| proven(f)).collect();
    found.sort_by(|a, b| {
        let growth = |f: &Finding| f.evidence.after - f.evidence.before;
        b.severity.cmp(&a.severity).then(growth(b).cmp(&growth(a)))
    });
    outcome.value = Some(found.len() as f64);
    outcome.parts = rows.len();
    outcome.held = match (found.is_empty(), rows.leaks_told()) {
        (false, _) => Held::No,
        (true, Ok(())) if !all.is_empty() => Held::CannotTell(Need::Proof {
            leaks: all.len(),
            tested,
        }),
        (true, Ok(())) => Held::Yes,
        (true, Err(need)) => {
            outcome.value = None;
            Held::CannotTell(need)
        }
    };
    for finding in found {
        let amount = finding
            .evidence
            .per_run
            .unwrap_or((finding.evidence.after - finding.evidence.before) as f64);
        let offender = Offender::Rows(finding.rows.clone(), amount);
        outcome.offenders.push(offender);
    }
    outcome
}
