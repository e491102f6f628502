//! `heapdiff gate`: captures, budgets and suppressions together, and the verdict as exit status.

use super::analysis::{self, Shape};
use super::args::{GateArgs, NoiseArg};
use super::baselines;
use super::config::{self, Config, Inconclusive, Placed, Set};
use super::load::{self, Item, Reading};
use super::output::{Rendering, Target};
use super::prepare::{self, Look, Prepared};
use super::run::{Terminal, counts, facts, filters, known_driver, path_map, size, style, targets};
use crate::diff::{GroupBy, MatchedBy, Side, TagFilter};
use crate::error::{Code, Error, Place, Result};
use crate::model::{Exactness, FrameId};
use crate::normalize::{Naming, PathMap};
use crate::render;
use crate::render::gate::View;
use crate::report::{CaptureInfo, Keys, Report};
use crate::verdict::{
    Budget, Gate, GateVerdict, Measured, Need, Question, Rows, defaults, evaluate, needs_label,
    read_foreign,
};
use std::collections::BTreeMap;
use std::path::Path;

/// The gate found a regression.
const REGRESSION: u8 = 1;
/// The gate cannot tell.
const CANNOT_TELL: u8 = 3;

/// A comparison that some budget needs.
struct Comparison {
    /// The label that its samples have.
    label: Option<(String, String)>,
    /// Whether the base side is what the baseline was at first.
    origin: bool,
    prepared: Prepared,
}

/// Runs the gate.
///
/// Errors: as `compare`; a baseline that is missing; a configuration that is none.
pub(super) fn gate(args: &GateArgs, terminal: &Terminal) -> Result<u8> {
    let config = config::load(
        args.settings.config.as_deref(),
        args.settings.no_config,
        args.settings.profile.as_deref(),
    )?;
    let mut config = settle(args, config)?;
    let today = today(args.as_of.as_deref())?;
    suppressions(args, &mut config)?;
    let shape = shape(args, &config)?;
    if GroupBy::parse(&args.rows.group_by)? != GroupBy::Stack {
        return Err(Error::usage("the gate judges sites, not groups of them")
            .help("write a budget with function, file or label, or each = \"function\""));
    }
    if args.captures.is_empty() {
        return Err(Error::usage("no captures are named")
            .help("name captures: heapdiff gate A.json@50 B.json@200"));
    }
    let reading = Reading::new(&args.input)?;
    let targets = targets(
        &args.out.output,
        args.out.format.as_deref(),
        Rendering::OF_GATE,
    )?;
    let summary = summary_target(&targets)?;
    let base = Base::of(args, &config)?;
    let items = load::items(&args.captures, &base.paths, args.input.merge_by)?;
    let inputs = load::files(&items);
    targets.iter().try_for_each(|(_, t)| t.keep_off(&inputs))?;
    let paths = paths(args, &config)?;
    let comparisons = comparisons(args, &config, &items, &reading, &paths, &base)?;
    known_driver(&shape.driver, &comparisons[0].prepared.captures)?;
    let namings: Vec<Naming<'_>> = comparisons
        .iter()
        .map(|c| Naming::new(&c.prepared.symbols, c.prepared.language, paths.clone()))
        .collect();
    let mut reports: Vec<Report<'_>> = comparisons
        .iter()
        .zip(&namings)
        .map(|(c, naming)| analysis::report(&c.prepared, naming, &shape))
        .collect();
    let inconclusive = config.inconclusive.as_ref().map(|s| s.value);
    let mut gate = judge(&comparisons, &reports, config, &shape, today);
    gate.base = base.name(&comparisons[0].prepared.captures);
    let status = status(&gate, inconclusive.unwrap_or(Inconclusive::Report));
    let mut report = reports.swap_remove(0);
    let files = files(&report, &gate);
    report.gate = Some(gate.clone());
    let command = args.captures.join(" ");
    let view = View::new(&report, &gate, &files, &command, status);
    let limit = args.rows.limit;
    let is_page = targets.iter().any(|(r, _)| *r == Rendering::Html);
    let origin = render::html::Origin {
        command: terminal.command.clone(),
        files: if is_page { facts(&items)? } else { Vec::new() },
    };
    for (rendering, target) in targets {
        let style = style(&args.rows, &args.out, terminal, target.is_stdout());
        target.write_with(|out| match rendering {
            Rendering::Text => render::plain(&render::gate::text(&view, &style), out),
            Rendering::Json => render::json::write(&report, limit, out),
            Rendering::Jsonl => render::json::write_lines(&report, limit, out),
            Rendering::Markdown => render::gate::markdown::write(&view, out),
            Rendering::Csv => render::csv::write(&report, limit, out),
            Rendering::Folded => render::difference::folded(&report, out),
            Rendering::Pprof => render::difference::pprof(&report, out),
            Rendering::Svg => render::svg::growth(&report, out),
            Rendering::Html => render::html::write(&report, limit, &origin, out),
            // Not among what the gate offers.
            Rendering::Dot => Ok(()),
            Rendering::Sarif => render::gate::sarif::write(&view, out),
            Rendering::Junit => render::gate::junit::write(&view, out),
            Rendering::CodeQuality => render::gate::codequality::write(&view, out),
            Rendering::Github => render::gate::github::write(&view, out),
        })?;
    }
    if let Some(summary) = summary {
        summary.write_with(|out| render::gate::markdown::write_summary(&view, out))?;
    }
    Ok(status)
}

/// With `--format github` the job's summary is written, too, where the host names its file.
fn summary_target(targets: &[(Rendering, Target)]) -> Result<Option<Target>> {
    if !targets.iter().any(|(r, _)| *r == Rendering::Github) {
        return Ok(None);
    }
    match std::env::var("GITHUB_STEP_SUMMARY") {
        Ok(path) if !path.is_empty() => Target::append(&path).map(Some),
        _ => Ok(None),
    }
}

fn status(gate: &Gate, inconclusive: Inconclusive) -> u8 {
    match (gate.verdict, inconclusive) {
        (GateVerdict::Pass, _) | (GateVerdict::Inconclusive, Inconclusive::Pass) => 0,
        (GateVerdict::Fail, _) | (GateVerdict::Inconclusive, Inconclusive::Fail) => REGRESSION,
        (GateVerdict::Inconclusive, Inconclusive::Report) => CANNOT_TELL,
    }
}

/// The options of the command line over the configuration.
fn settle(args: &GateArgs, mut config: Config) -> Result<Config> {
    let flag = |name: &str| format!("--{name}");
    let set = |value: &Option<String>, name: &str| {
        value.clone().map(|value| Set {
            value,
            place: flag(name),
        })
    };
    if let Some(metric) = set(&args.rows.metric, "metric") {
        config.metric = Some(metric);
    }
    if let Some(driver) = set(&args.driver, "driver") {
        config.driver = Some(driver);
    }
    if let Some(baseline) = set(&args.baseline, "baseline") {
        config.baseline = Some(baseline);
    }
    if !args.base.is_empty() {
        config.baseline = None;
    }
    if let Some(value) = args.inconclusive {
        config.inconclusive = Some(Set {
            value,
            place: flag("inconclusive"),
        });
    }
    if let Some(kind) = args.noise {
        config.exact = Some(Set {
            value: kind == NoiseArg::Exact,
            place: flag("noise"),
        });
    }
    let runs = counts("runs-per-hour", args.runs_per_hour.as_slice())?;
    if let Some(&value) = runs.first() {
        config.runs_per_hour = Some(Set {
            value,
            place: flag("runs-per-hour"),
        });
    }
    if let Some(value) = size("memory-limit", &args.memory_limit)? {
        config.memory_limit = Some(Set {
            value,
            place: flag("memory-limit"),
        });
    }
    for placed in budget_flags(args, &config)? {
        let same = |b: &Placed| b.budget.name != placed.budget.name;
        config.budgets.retain(same);
        config.budgets.push(placed);
    }
    Ok(config)
}

/// The budgets of the command line.
fn budget_flags(args: &GateArgs, config: &Config) -> Result<Vec<Placed>> {
    let b = &args.budgets;
    let quoted = |key: &str, text: &str| format!("{key} = {text:?}");
    let sizes = [
        ("max-per-run", "per_run", &b.max_per_run),
        ("max-per-hour", "per_hour", &b.max_per_hour),
        ("max-live", "live", &b.max_live),
        ("max-peak", "peak", &b.max_peak),
        ("max-plateau", "plateau", &b.max_plateau),
        ("no-leaks", "leaks", &b.no_leaks),
        (
            "max-retained-by-cycles",
            "retained_by_cycles",
            &b.max_retained_by_cycles,
        ),
    ];
    let mut texts: Vec<(String, String)> = Vec::new();
    for (flag, key, text) in sizes {
        if let Some(text) = text {
            texts.push((format!("--{flag}"), quoted(key, text)));
        }
    }
    let growth: Vec<String> = b
        .max_growth
        .iter()
        .map(|text| quoted("growth", text))
        .chain(
            b.max_growth_percent
                .map(|p| format!("growth_percent = {p:?}")),
        )
        .collect();
    if !growth.is_empty() {
        texts.push(("--max-growth".to_owned(), growth.join(", ")));
    }
    for (flag, key, n) in [
        ("max-new-sites", "new_sites", b.max_new_sites),
        ("max-temporary", "temporary", b.max_temporary),
        ("max-cycles", "cycles", b.max_cycles),
    ] {
        if let Some(n) = n {
            texts.push((format!("--{flag}"), format!("{key} = {n}.0")));
        }
    }
    texts.extend(b.budget.iter().map(|t| ("--budget".to_owned(), t.clone())));
    let mut out = Vec::new();
    for (flag, text) in texts {
        out.extend(config::budgets_of_flag(&flag, &text, config.rates)?);
    }
    Ok(out)
}

/// The day on which suppressions are judged.
fn today(as_of: Option<&str>) -> Result<jiff::civil::Date> {
    if let Some(text) = as_of {
        return text.parse().map_err(|_| {
            Error::usage(format!("--as-of {text:?} is no date")).help("write 2027-03-01")
        });
    }
    let fixed = std::env::var("SOURCE_DATE_EPOCH").ok();
    let fixed = fixed.and_then(|s| jiff::Timestamp::from_second(s.parse().ok()?).ok());
    let now = fixed.unwrap_or_else(jiff::Timestamp::now);
    Ok(now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// Adds the suppressions of other tools' files.
fn suppressions(args: &GateArgs, config: &mut Config) -> Result<()> {
    let configured = config.suppressions.iter().map(|p| p.display().to_string());
    let files: Vec<String> = configured
        .chain(args.suppressions.iter().cloned())
        .collect();
    for path in files {
        let text = std::fs::read_to_string(&path).map_err(|e| {
            Error::io(Code::Unreadable, &path, &e).help("name a file of LeakSanitizer or Valgrind")
        })?;
        let found = read_foreign(&text, &path).map_err(|(line, what)| {
            Error::usage(what)
                .in_file(&path)
                .at(Place::Line(line))
                .help("LeakSanitizer's lines are leak:NAME, Valgrind's blocks stand in braces")
        })?;
        config.suppress.extend(found);
    }
    Ok(())
}

fn shape(args: &GateArgs, config: &Config) -> Result<Shape> {
    let driver = config.driver.as_ref().map(|s| s.value.clone());
    Ok(Shape {
        group_by: GroupBy::Stack,
        sort: args.rows.sort,
        min_delta: size("min-delta", &args.rows.min_delta)?.unwrap_or(0),
        driver: driver.unwrap_or_else(|| "runs".to_owned()),
        runs_per_hour: config.runs_per_hour.as_ref().map(|s| s.value),
        memory_limit: config.memory_limit.as_ref().map(|s| s.value),
        rates: config.rates,
        shown: usize::MAX,
    })
}

fn paths(args: &GateArgs, config: &Config) -> Result<PathMap> {
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

/// What captures are held against.
struct Base {
    /// Captures, or the file of the baseline.
    paths: Vec<String>,
    /// The baseline's name.
    baseline: Option<String>,
}

impl Base {
    fn of(args: &GateArgs, config: &Config) -> Result<Base> {
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

    fn name(&self, captures: &[CaptureInfo]) -> Option<String> {
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

/// The comparisons that the budgets need: of the captures, first; of those with a label; against
/// the origin of the baseline.
fn comparisons(
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
            Err(e) if e.code() == Code::Usage && own.len() == 1 => {
                look.ends_of_one = false;
                prepare::prepare(&own, reading, &look).map_err(|_| e)?
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
fn judge(
    comparisons: &[Comparison],
    reports: &[Report<'_>],
    config: Config,
    shape: &Shape,
    today: jiff::civil::Date,
) -> Gate {
    let rows: Vec<Rows<'_>> = comparisons
        .iter()
        .zip(reports)
        .map(|(c, report)| rows_of(&c.prepared, report, shape))
        .collect();
    let mut budgets: Vec<Budget> = config.budgets.into_iter().map(|p| p.budget).collect();
    let about_captures = |b: &Budget| !b.limit.of_graphs() && !b.limit.of_monitoring();
    if !budgets.iter().any(about_captures) {
        let first = &rows[0];
        let runs_known = !first.runs.1.is_empty()
            && (first.base == 0 || !first.runs.0.is_empty())
            && reports[0].metric().has_per_run();
        let series = first.base == 0 && first.values.series.len() >= 3;
        let bytes = reports[0].metric().unit == crate::model::Unit::Bytes;
        budgets.extend(defaults(runs_known, series, bytes));
    }
    let questions = budgets.into_iter().map(|budget| {
        let label = needs_label(&budget).map(|(k, v)| (k.to_owned(), v.to_owned()));
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
            of,
            lacking,
        }
    });
    let measured = Measured {
        captures: rows,
        graph: None,
        monitored: None,
    };
    evaluate(questions.collect(), &measured, config.suppress, today)
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
        findings: &report.findings,
        runs_per_hour: shape.runs_per_hour,
    }
}

/// The files of the sites that are named, as the captures call them, to their paths in the
/// repository.
fn files(report: &Report<'_>, gate: &Gate) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let Some(root) = config::repository(Path::new(".")) else {
        return out;
    };
    let Keys::Stacks(stacks) = &report.keys else {
        return out;
    };
    let broken = gate.outcomes.iter().flat_map(|o| &o.offenders);
    let broken = broken.flat_map(|o| match o {
        crate::verdict::Offender::Rows(rows, _) => rows.as_slice(),
        crate::verdict::Offender::Named(..) => &[],
    });
    let hidden = gate.hidden.iter().flat_map(|h| &h.rows);
    let found = report.findings.iter().flat_map(|f| &f.rows);
    for &row in broken.chain(hidden).chain(found) {
        let frames: Vec<FrameId> = report.symbols.stacks.frames(stacks[row as usize]).collect();
        for frame in frames {
            let raw = report
                .symbols
                .strings
                .get(report.symbols.frames.get(frame).file);
            if raw.is_empty() || out.contains_key(raw) {
                continue;
            }
            let shown = report.names.file(raw);
            let found = in_repository(&root, &shown).or_else(|| in_repository(&root, raw));
            out.insert(raw.to_owned(), found.unwrap_or_default());
        }
    }
    out.retain(|_, found| !found.is_empty());
    out
}

/// The path of a file in the repository: the longest end of `path` that exists there. Of an
/// absolute path from elsewhere two parts have to fit, lest any `main.c` does.
fn in_repository(root: &Path, path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    let absolute = path.starts_with('/') || path.as_bytes().get(1) == Some(&b':');
    let own = Path::new(&path).strip_prefix(root).ok();
    if let Some(own) = own.filter(|p| root.join(p).is_file()) {
        return Some(own.display().to_string().replace('\\', "/"));
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect();
    if parts.contains(&"..") {
        return None;
    }
    let fewest = if absolute { 2 } else { 1 };
    for from in 0..parts.len().saturating_sub(fewest - 1) {
        let end = parts[from..].join("/");
        if root.join(&end).is_file() {
            return Some(end);
        }
    }
    None
}
