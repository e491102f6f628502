//! One row.

use super::wire::{Amounts, Map, Metrics, Number, Shown, rates};
use crate::diff::{self, SideChange, SideGrowth, Values};
use crate::model::Frame;
use crate::normalize::SiteId;
use crate::report::Report;
use crate::trend::{self, Change, Judgement, Reason};
use serde::Serialize;
use std::borrow::Cow;
use std::cmp::Ordering;

/// A row of the comparison.
#[derive(Debug, Serialize)]
pub(in crate::render) struct Site<'r> {
    id: Shown<SiteId>,
    frames: Vec<WireFrame<'r>>,
    owner: Option<usize>,
    #[serde(flatten)]
    amounts: Amounts<'r>,
    per_run: Option<Map<'r, Number>>,
    cumulative: Option<Cumulative<'r>>,
    series: Vec<i64>,
    growth: &'static str,
    /// What the class rests on, or why no more can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// What to capture where the class is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_capture: Option<&'static str>,
    /// Runs until it settled, of a warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_up: Option<Number>,
    slope: Option<Slope>,
    /// Of the base side; `slope` is the new side's then.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_slope: Option<Slope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slope_difference: Option<SlopeDifference>,
    significance: Option<Significance>,
    follows: Option<&'r str>,
    hot: Option<Hot>,
    matched_by: &'static str,
    moved_from: Option<Shown<SiteId>>,
    /// How many sites before became how many after, where they cannot be told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    became: Option<(u32, u32)>,
}

/// A frame as captured; what the capture does not say is null.
#[derive(Debug, Serialize)]
struct WireFrame<'r> {
    function: Option<&'r str>,
    file: Option<Cow<'r, str>>,
    line: Option<u32>,
    module: Option<&'r str>,
    inlined: bool,
}

/// What a group and everything that it calls holds.
#[derive(Debug, Serialize)]
struct Cumulative<'r> {
    #[serde(flatten)]
    amounts: Amounts<'r>,
    per_run: Option<Map<'r, Number>>,
    series: Vec<i64>,
    growth: Option<&'static str>,
}

/// A robust slope with its interval of 95 %.
#[derive(Debug, Serialize)]
pub(super) struct Slope {
    value: Number,
    lo: Number,
    hi: Number,
}

impl Slope {
    /// A slope; none where it is not a number.
    pub fn of(slope: Option<trend::Slope>) -> Option<Slope> {
        let trend::Slope { value, lo, hi } = slope?;
        value.is_finite().then_some(Slope {
            value: Number(value),
            lo: Number(lo),
            hi: Number(hi),
        })
    }
}

/// The growth per run of two sides, new less base, and what the change did.
#[derive(Debug, Serialize)]
pub(super) struct SlopeDifference {
    before: Number,
    after: Number,
    value: Number,
    /// Of 95 %; both ends are the value where every allocation is counted.
    interval: [Number; 2],
    p_value: Option<Number>,
    q_value: Option<Number>,
    change: &'static str,
    reduced_percent: Option<Number>,
    reduced_interval: Option<[Number; 2]>,
    level: &'static str,
}

impl SlopeDifference {
    /// None where the sides cannot be compared per run.
    pub fn of(growth: Option<SideGrowth>, change: Option<&SideChange>) -> Option<Self> {
        let (growth, c) = (growth?, change?);
        let reduced = match c.change {
            Change::Reduced { percent, lo, hi } => Some((percent, [Number(lo), Number(hi)])),
            _ => None,
        };
        Some(SlopeDifference {
            before: Number(growth.before),
            after: Number(growth.after),
            value: Number(growth.difference),
            interval: [Number(growth.lo), Number(growth.hi)],
            p_value: c.p_value.map(Number),
            q_value: c.q_value.map(Number),
            change: c.change.as_str(),
            reduced_percent: reduced.map(|r| Number(r.0)),
            reduced_interval: reduced.map(|r| r.1),
            level: match c.level {
                Ordering::Less => "lower",
                Ordering::Equal => "same",
                Ordering::Greater => "higher",
            },
        })
    }
}

/// What a test says of a difference.
#[derive(Debug, Serialize)]
pub(super) struct Significance {
    p_value: Number,
    q_value: Number,
    interval: Option<[Number; 2]>,
    resolution: Option<Number>,
}

impl Significance {
    /// The test of a difference, or of a series; none where nothing was tested.
    pub fn of(test: Option<diff::Significance>, judgement: Option<&Judgement>) -> Option<Self> {
        if let Some(test) = test {
            return Some(Significance {
                p_value: Number(test.p_value),
                q_value: Number(test.q_value),
                interval: Some([Number(test.interval.0), Number(test.interval.1)]),
                resolution: Some(Number(test.resolution)),
            });
        }
        let judgement = judgement?;
        let tested = judgement.reason != Reason::Exact && judgement.p_value < 1.0;
        tested.then_some(Significance {
            p_value: Number(judgement.p_value),
            q_value: Number(judgement.q_value),
            interval: None,
            resolution: None,
        })
    }
}

/// What tells a hot path from an error path.
#[derive(Debug, Serialize)]
struct Hot {
    blocks_per_run: Option<Number>,
    kept_share: Option<Number>,
    grew_in: usize,
    of: usize,
    /// `hot` or `error`, where it can be told.
    path: Option<&'static str>,
}

impl<'r> Site<'r> {
    /// The row `row` with its `metrics`.
    pub fn new(report: &'r Report<'_>, metrics: &Metrics<'r>, row: usize) -> Self {
        let judgement = report.judgement(row);
        let numbers = |values: &'r Values| {
            let ends = |i| {
                let (before, after) = report.ends(values, i, row);
                (before as i128, after as i128)
            };
            let rate = |i| report.per_run.of(values, &report.metrics, i, row);
            (Amounts::new(metrics, ends), rates(metrics, rate))
        };
        let (amounts, per_run) = numbers(&report.values);
        let cumulative = report.cumulative.as_ref().map(|values| {
            let (amounts, per_run) = numbers(values);
            Cumulative {
                amounts,
                per_run,
                series: report.series(values, row).collect(),
                growth: report
                    .cumulative_judged
                    .as_ref()
                    .and_then(|j| j.growth.get(row))
                    .map(|g| g.as_str()),
            }
        });
        // Two captures have no class of their own, and a row that is level needs no reason.
        let reason = judgement
            .filter(|_| !report.is_quiet(row))
            .map(|j| j.reason);
        let words = |of: fn(Reason) -> &'static str| reason.map(of).filter(|w| !w.is_empty());
        let hot = report.hot(row).filter(|_| report.delta(row) > 0);
        Site {
            id: Shown(report.id(row)),
            frames: frames(report, row),
            owner: report.owner(row),
            amounts,
            per_run,
            cumulative,
            series: report.series(&report.values, row).collect(),
            growth: report.growth(row).as_str(),
            reason: words(|r| r.words()),
            next_capture: words(|r| r.next_capture()),
            warm_up: report.warm_up(row).map(Number),
            slope: Slope::of(report.slope(row)),
            base_slope: Slope::of(report.judge.side_slope(&report.values, row, 0)),
            slope_difference: SlopeDifference::of(report.side_growth(row), report.change(row)),
            significance: Significance::of(report.significance(row), judgement),
            follows: report.follows(row).map(|(name, _)| name),
            hot: hot.map(|hot| Hot {
                blocks_per_run: hot.blocks_per_run.map(Number),
                kept_share: hot.kept_share.map(Number),
                grew_in: hot.grew_in,
                of: hot.of,
                path: report.path(row).map(|p| p.as_str()),
            }),
            matched_by: report.matched_by(row).as_str(),
            moved_from: report.moved_from(row).map(Shown),
            became: report.became(row),
        }
    }
}

fn frames<'r>(report: &'r Report<'_>, row: usize) -> Vec<WireFrame<'r>> {
    let text = |id| Some(report.symbols.strings.get(id)).filter(|t| !t.is_empty());
    let frame = |frame: Frame| WireFrame {
        function: text(frame.function),
        file: text(frame.file).map(|f| report.names.file(f)),
        line: Some(frame.line).filter(|&n| n > 0),
        module: text(frame.module),
        inlined: frame.inlined,
    };
    report.frames(row).into_iter().map(frame).collect()
}
