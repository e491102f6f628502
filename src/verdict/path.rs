//! Hot path or error path: how often a site keeps something.

use crate::diff::{Growth, PerRun, Values};
use crate::model::{Column, Metric};
use crate::trend::{Judgement, Reason};

/// What kind of path a growing site is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Every run takes it: at least a block kept on each, in every interval.
    Hot,
    /// Few runs take it, as they do an error path or another rare branch.
    Error,
}

impl Path {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Path::Hot => "hot",
            Path::Error => "error",
        }
    }
}

/// Rounding apart, a block on every run.
const EVERY_RUN: f64 = 0.99;
/// Fewer blocks per run than this are kept by few runs.
const FEW_RUNS: f64 = 0.25;
/// Growth that is no leak yet is an error path's only from so many blocks on: one or two may be
/// made once and for good.
const BLOCKS: i64 = 4;

/// The metric that counts the blocks of the chosen one.
pub(super) fn blocks_of(metrics: &[Metric], chosen: usize) -> Option<usize> {
    let stem = metrics.get(chosen)?.name.strip_suffix("_bytes")?;
    metrics
        .iter()
        .position(|m| m.name.strip_suffix("_blocks") == Some(stem))
}

/// The captures that a path is told from.
pub struct Series<'a> {
    /// The rows.
    pub values: &'a Values,
    /// What the columns count.
    pub metrics: &'a [Metric],
    /// Position of the chosen metric.
    pub chosen: usize,
    /// How differences become differences per run.
    pub per_run: &'a PerRun,
    /// Runs of the captures, or their positions.
    pub runs: &'a [f64],
}

/// The path of a row of a series of three or more captures, where runs are known and blocks are
/// counted; `judgement` is what the statistics say of the row.
pub fn path(
    series: &Series<'_>,
    growth: Growth,
    judgement: Option<&Judgement>,
    row: usize,
) -> Option<Path> {
    let (values, metrics, runs) = (series.values, series.metrics, series.runs);
    // What fills up is no branch that few runs take.
    let slows = judgement.is_some_and(|j| j.reason == Reason::GrowthSlows);
    let open = growth == Growth::Undetermined && !slows;
    if values.base.is_some() || values.series.len() < 3 || !(growth.is_leak() || open) {
        return None;
    }
    let blocks = blocks_of(metrics, series.chosen)?;
    let rate = series.per_run.of(values, metrics, blocks, row)?;
    let at = |columns: &[Column]| columns.get(blocks).map_or(0, |c| c.get(row));
    let added = at(values.after()).saturating_sub(at(values.before()));
    // Captures of equal runs that differ in another driver say nothing of a run.
    let more = |i: usize| {
        runs.get(i)
            .is_none_or(|a| runs.get(i + 1).is_none_or(|b| a < b))
    };
    let mut pairs = values.series.windows(2).enumerate();
    let always = pairs.all(|(i, w)| !more(i) || w[1].get(row) > w[0].get(row));
    match growth.is_leak() {
        true if always && rate >= EVERY_RUN => Some(Path::Hot),
        // One block more may be a container's that was made larger.
        true if rate < FEW_RUNS && added > 1 => Some(Path::Error),
        false if always && rate < FEW_RUNS && added >= BLOCKS => Some(Path::Error),
        _ => None,
    }
}
