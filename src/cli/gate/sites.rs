//! Captures of allocation sites held against budgets.

use crate::cli::analysis::{self, Shape};
use crate::cli::args::GateArgs;
use crate::cli::baselines;
use crate::cli::config::Config;
use crate::cli::load::{Item, Reading};
use crate::cli::prepare::{self, Look, Prepared};
use crate::cli::run::{counts, filters, path_map, size};
use crate::diff::{GroupBy, MatchedBy, Side, TagFilter};
use crate::error::{Code, Error, Result};
use crate::model::Exactness;
use crate::normalize::PathMap;
use crate::report::{CaptureInfo, Keys, Report};
use crate::verdict::{
    Budget, Gate, Measured, Monitored, Need, Question, Rows, defaults, evaluate, needs_label,
};

/// A comparison that some budget needs.
pub(super) struct Comparison {
    /// The label that its samples have.
    label: Option<(String, String)>,
    /// Whether the base side is what the baseline was at first.
    origin: bool,
    pub prepared: Prepared,
}

/// What captures are held against.
pub(super) struct Base {
    /// Captures, or the file of the baseline.
    pub paths: Vec<String>,
    /// The baseline's name.
    pub baseline: Option<String>,
}

impl Base {
    pub fn of(args: &GateArgs, config: &Config) -> Result<Base> {
        let Some(name) = &config.baseline else {
            return Ok(Base {
                paths: args.base.clone(),
                baseline: None,
            });
        };
        let path = baselines::find(&name.value, config.path.as_deref())?;
        Ok(Base {
            paths: vec![path],
            baseline: Some(name.value.clone()),
        })
    }

    pub fn name(&self, captures: &[CaptureInfo]) -> Option<String> {
        if let Some(name) = &self.baseline {
            return Some(format!("baseline {name}"));
        }
        let base: Vec<&str> = captures
            .iter()
            .filter(|c| c.side == Side::Base)
            .map(|c| c.path.as_str())
            .collect();
        (!base.is_empty()).then(|| base.join(" "))
    }
}

pub(super) fn shape(args: &GateArgs, config: &Config) -> Result<Shape> {
    let driver = config.driver.as_ref().map(|s| s.value.clone());
    Ok(Shape {
        group_by: GroupBy::Stack,
        sort: args.rows.sort,
        min_delta: size("min-delta", &args.rows.min_delta)?.unwrap_or(0),
        driver: driver.unwrap_or_else(|| "runs".to_owned()),
        runs_per_hour: config.runs_per_hour.as_ref().map(|s| s.value),
        memory_limit: config.memory_limit.as_ref().map(|s| s.value),
        thresholds: config.thresholds,
        shown: usize::MAX,
    })
}

pub(super) fn paths(args: &GateArgs, config: &Config) -> Result<PathMap> {
    let rows = &args.rows;
    if rows.path_map.is_empty() && rows.trim_path.is_empty() {
        let mut pairs = Vec::new();
        for text in &config.path_map {
            let pair = PathMap::parse_pair(text).ok_or_else(|| {
                Error::usage(format!("path_map {text:?} is no pair of prefixes"))
                    .help("write \"A=B\"")
            })?;
            pairs.push(pair);
        }
        pairs.extend(config.trim_path.iter().map(|p| (p.as_str(), "")));
        return Ok(PathMap::new(pairs));
    }
    path_map(rows)
}

/// The comparisons that the budgets need: of the captures, first; of those with a label; against
/// the origin of the baseline.
pub(super) fn comparisons(
    args: &GateArgs,
    config: &Config,
    items: &[Item],
    reading: &Reading,
    paths: &PathMap,
    base: &Base,
) -> Result<Vec<Comparison>> {
    let mut wanted: Vec<(Option<(String, String)>, bool)> = vec![(None, false)];
    for placed in &config.budgets {
        let budget = &placed.budget;
        let label = needs_label(budget).map(|(k, v)| (k.to_owned(), v.to_owned()));
        let origin = budget.against_origin && base.baseline.is_some();
        let want = (label, origin);
        // A baseline keeps no labels.
        if !wanted.contains(&want) && (want.0.is_none() || base.baseline.is_none()) {
            wanted.push(want);
        }
    }
    let exact = config.exact.as_ref().is_some_and(|s| s.value);
    let mut out = Vec::new();
    for (label, origin) in wanted {
        let mut look = Look {
            metric: config.metric.as_ref().map(|s| s.value.clone()),
            filters: filters(&args.rows)?,
            label: None,
            runs: counts("runs", &args.input.runs)?,
            ends_of_one: true,
            only: None,
        };
        if let Some((key, value)) = &label {
            let pattern = regex::escape(value).replace("\\*", ".*");
            look.filters.tag_focus = Some(TagFilter::parse(&format!("{key}=^{pattern}$"))?);
        }
        let own: Vec<Item> = match origin {
            true => items.iter().cloned().map(baselines::origin_of).collect(),
            false => items.to_vec(),
        };
        let mut prepared = match prepare::prepare(&own, reading, &look) {
            // One moment of one file: there is no growth to see, but a level.
            Err(e) if e.code() == Code::Usage && own.len() == 1 && !origin => {
                look.ends_of_one = false;
                prepare::prepare(&own, reading, &look)?
            }
            Err(_) if origin => continue,
            other => other?,
        };
        if exact && prepared.exactness == Exactness::Unknown {
            prepared.exactness = Exactness::Exact;
        }
        prepared.match_sites(MatchedBy::Moved, paths);
        out.push(Comparison {
            label,
            origin,
            prepared,
        });
    }
    Ok(out)
}

/// Holds the comparisons against the budgets.
pub(super) fn judge(
    comparisons: &[Comparison],
    reports: &[Report<'_>],
    config: Config,
    shape: &Shape,
    today: jiff::civil::Date,
    monitored: Option<Monitored>,
) -> Gate {
    let rows: Vec<Rows<'_>> = comparisons
        .iter()
        .zip(reports)
        .map(|(c, report)| rows_of(&c.prepared, report, shape))
        .collect();
    let first = &rows[0];
    let budgets = super::budgets(config.budgets, monitored.is_some(), |budgets| {
        let about_captures = |b: &Budget| !b.limit.of_graphs() && !b.limit.of_monitoring();
        if budgets.iter().any(about_captures) {
            return Vec::new();
        }
        let runs_known = !first.runs.1.is_empty()
            && (first.base == 0 || !first.runs.0.is_empty())
            && reports[0].metric().has_per_run();
        let series = first.base == 0 && first.values.series.len() >= 3;
        let bytes = reports[0].metric().unit == crate::model::Unit::Bytes;
        defaults(runs_known, series, bytes)
    });
    let questions = budgets.into_iter().map(|budget| {
        let label = needs_label(&budget).map(|(k, v)| (k.to_owned(), v.to_owned()));
        let about_sites = !budget.limit.of_graphs() && !budget.limit.of_monitoring();
        let of = comparisons
            .iter()
            .position(|c| c.label == label && c.origin == budget.against_origin);
        let lacking = match (of, &label, budget.against_origin) {
            (Some(_), ..) => None,
            (None, _, true) => Some(Need::Origin),
            (None, Some((key, _)), _) => Some(Need::Metric(format!(
                "the label {key} (a baseline keeps none)"
            ))),
            (None, ..) => Some(Need::AnotherCapture),
        };
        Question {
            budget,
            of: of.filter(|_| about_sites),
            lacking: lacking.filter(|_| about_sites),
        }
    });
    let questions = questions.collect();
    let mut measured = Measured {
        captures: rows,
        monitored,
        ..Measured::default()
    };
    evaluate(questions, &mut measured, config.suppress, today)
}

fn rows_of<'r>(prepared: &'r Prepared, report: &'r Report<'_>, shape: &Shape) -> Rows<'r> {
    let stacks = match &report.keys {
        Keys::Stacks(stacks) => *stacks,
        Keys::Groups(_) => &[],
    };
    let runs = |side: Side| -> Vec<f64> {
        let own = prepared.captures.iter().filter(|c| c.side == side);
        let all: Option<Vec<f64>> = own.map(|c| analysis::driver_of(c, &shape.driver)).collect();
        all.unwrap_or_default()
    };
    let base = prepared.captures.iter().filter(|c| c.side == Side::Base);
    Rows {
        symbols: report.symbols,
        naming: report.names,
        stacks,
        id: Box::new(|row| report.id(row)),
        only_after: Box::new(|row| {
            let by = report.matched_by(row);
            matches!(by, MatchedBy::OnlyAfter) || !report.has_two_sides()
        }),
        values: &report.values,
        totals: &report.totals,
        metrics: &report.metrics,
        chosen: report.chosen,
        certainty: analysis::certainty(prepared),
        base: base.count(),
        runs: (runs(Side::Base), runs(Side::New)),
        growth: &report.judged.growth,
        judgements: &report.judged.judgements,
        findings: &report.findings,
        runs_per_hour: shape.runs_per_hour,
    }
}
