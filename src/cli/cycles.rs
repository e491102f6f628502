//! `heapdiff cycles`, and `heapdiff compare` on object graphs: which cycles and holders grow.

use super::analysis::{self, Shape};
use super::args::{
    By, CompareArgs, CyclesArgs, Flame, GateArgs, InputArgs, InspectArgs, OutputArgs, RowArgs, Sort,
};
use super::load::{self, Item, Loaded, Reading};
use super::output::{Rendering, Target};
use super::prepare::{self, Look, Prepared};
use super::run::{Terminal, facts, of_sites, targets};
use super::scale::scale;
use crate::diff::{GroupBy, Side};
use crate::error::{Code, Error, Result};
use crate::format::{self, Capture, Context};
use crate::graph::series::Series;
use crate::input::Source;
use crate::model::{HeapGraph, Limits, Symbols};
use crate::normalize::{Naming, PathMap};
use crate::render;
use crate::report::graph::{GraphReport, Histogram};
use crate::verdict::Thresholds;
use crate::verdict::graph::{Load, conclude};

/// What both commands say.
struct Job<'a> {
    captures: &'a [String],
    base: &'a [String],
    input: &'a InputArgs,
    out: &'a OutputArgs,
    limit: Option<usize>,
    histogram: Option<Histogram>,
    path_to: Option<String>,
    values: bool,
    types_only: bool,
    flame: Flame,
}

/// `heapdiff cycles`.
pub(super) fn cycles(args: &CyclesArgs, terminal: &Terminal) -> Result<u8> {
    run(
        &Job {
            captures: &args.captures,
            base: &args.base,
            input: &args.input,
            out: &args.out,
            limit: args.limit,
            histogram: match args.by {
                By::Loader => Some(Histogram::Loader),
                By::Type => (args.histogram || args.types_only).then_some(Histogram::Type),
            },
            path_to: args.path_to.clone(),
            values: args.values,
            types_only: args.types_only,
            flame: Flame::Growth,
        },
        scale(&args.settings, &args.load)?,
        &Reading::new(&args.input)?,
        terminal,
    )
}

/// `heapdiff compare` whose captures are object graphs.
pub(super) fn compare(args: &CompareArgs, terminal: &Terminal) -> Result<u8> {
    run(
        &Job {
            captures: &args.captures,
            base: &args.base,
            input: &args.input,
            out: &args.out,
            limit: args.rows.limit,
            histogram: None,
            path_to: None,
            values: false,
            types_only: false,
            flame: args.flame,
        },
        scale(&args.settings, &args.load)?,
        &Reading::new(&args.input)?,
        terminal,
    )
}

/// `heapdiff inspect` of an object graph: each by itself, with its types.
pub(super) fn inspect(
    args: &InspectArgs,
    items: &[Item],
    reading: &Reading,
    terminal: &Terminal,
) -> Result<u8> {
    let paths = items.iter().flat_map(|i| &i.group.paths);
    for path in paths {
        let one = [path.clone()];
        let job = Job {
            captures: &one,
            base: &[],
            input: &args.input,
            out: &args.out,
            limit: args.rows.limit,
            histogram: Some(Histogram::Type),
            path_to: None,
            values: false,
            types_only: false,
            flame: Flame::After,
        };
        run(&job, Load::default(), reading, terminal)?;
    }
    Ok(0)
}

/// The first option that is about allocation sites, which object graphs have where they were
/// captured with allocation traces.
pub(super) fn site_option(rows: &RowArgs) -> Option<&'static str> {
    let given = [
        ("--metric", rows.metric.is_some()),
        ("--group-by", rows.group_by != "stack"),
        ("--sort", rows.sort != Sort::Growth),
        ("--min-delta", rows.min_delta.is_some()),
        ("--focus", rows.focus.is_some()),
        ("--ignore", rows.ignore.is_some()),
        ("--hide", rows.hide.is_some()),
        ("--show", rows.show.is_some()),
        ("--show-from", rows.show_from.is_some()),
        ("--tagfocus", rows.tagfocus.is_some()),
        ("--tagignore", rows.tagignore.is_some()),
    ];
    given.iter().find(|(_, given)| *given).map(|g| g.0)
}

/// The same among all options of `heapdiff compare`.
pub(super) fn site_option_of(args: &CompareArgs) -> Option<&'static str> {
    let more = [
        ("--peek", args.peek.is_some()),
        ("--tree", args.tree),
        ("--driver", args.driver != "runs"),
        ("--runs-from", args.runs_from.is_some()),
    ];
    let more = more.iter().find(|(_, given)| *given).map(|g| g.0);
    site_option(&args.rows).or(more)
}

/// Says of captures without allocation sites which option needs them.
pub(super) fn without_sites(option: &str, e: Error) -> Error {
    if e.code() != Code::Incomparable {
        return e;
    }
    e.help(format!(
        "{option} is about allocation sites: record allocation traces with the dump, or see what \
         holds a type with `heapdiff cycles --path-to TYPE`, types with --histogram"
    ))
}

/// The analysis of the object graphs that a gate is held over.
pub(super) fn of_gate(
    args: &GateArgs,
    load: Load,
    reading: &Reading,
    items: &[Item],
) -> Result<GraphReport<'static>> {
    let job = Job {
        captures: &args.captures,
        base: &args.base,
        input: &args.input,
        out: &args.out,
        limit: args.rows.limit,
        histogram: None,
        types_only: false,
        flame: Flame::Growth,
        path_to: None,
        values: false,
    };
    analyse(&job, load, reading, items).map(|a| a.report)
}

/// Whether the first capture of a command line is an object graph; no when it cannot be read.
pub(super) fn is_graph(items: &[Item], input: &InputArgs) -> bool {
    if let Some(name) = &input.input_format {
        return format::by_name(name).is_ok_and(format::Format::is_graph);
    }
    let paths = items.iter().flat_map(|i| &i.group.paths);
    // A pipe can be read once: it is left to the command.
    let regular = |p: &&String| std::fs::metadata(p).is_ok_and(|m| m.is_file());
    for path in paths.filter(regular) {
        let Ok(source) = Source::open(std::path::Path::new(path), Limits::default()) else {
            return false;
        };
        match format::recognise(&source) {
            Ok(formats) => return formats.iter().any(|f| f.is_graph()),
            Err(_) => continue,
        }
    }
    false
}

fn run(job: &Job<'_>, load: Load, reading: &Reading, terminal: &Terminal) -> Result<u8> {
    let targets = targets(
        &job.out.output,
        job.out.format.as_deref(),
        Rendering::OF_GRAPHS,
    )?;
    let items = load::items(job.captures, job.base, None)?;
    let files = load::files(&items);
    targets.iter().try_for_each(|(_, t)| t.keep_off(&files))?;
    let Analysed {
        report,
        symbols,
        allocated,
    } = analyse(job, load, reading, &items)?;
    let prepared = allocated
        .map(|captures| prepare::line_up(symbols, captures, &Look::default()))
        .transpose()?;
    let naming = prepared.as_ref().map(naming);
    let mut report: GraphReport<'_> = report;
    let shape = shape(job, &load);
    report.sites = prepared
        .as_ref()
        .zip(naming.as_ref())
        .map(|(prepared, naming)| analysis::report(prepared, naming, &shape));
    let of_sites = [Rendering::Svg, Rendering::Folded, Rendering::Pprof];
    if report.sites.is_none() && targets.iter().any(|(r, _)| of_sites.contains(r)) {
        return Err(Error::new(
            Code::Incomparable,
            "flamegraphs, folded stacks and pprof are of allocation sites, which are in dumps with \
             allocation traces alone",
        )
        .in_file(report.paths.first().map_or("", String::as_str))
        .help("record allocation traces with the dump, or write .dot or .html"));
    }
    let is_page = targets.iter().any(|(r, _)| *r == Rendering::Html);
    let origin = render::html::Origin {
        command: terminal.command.clone(),
        files: if is_page { facts(&items)? } else { Vec::new() },
    };
    for (rendering, target) in targets {
        write(&report, rendering, target, job, &origin, terminal)?;
    }
    Ok(0)
}

fn naming(prepared: &Prepared) -> Naming<'_> {
    Naming::new(&prepared.symbols, prepared.language, PathMap::default())
}

/// How the allocation sites of dumps are lined up: by growth, of a single dump by size.
fn shape(job: &Job<'_>, load: &Load) -> Shape {
    Shape {
        group_by: GroupBy::Stack,
        sort: match job.captures.len() + job.base.len() {
            1 => Sort::After,
            _ => Sort::Growth,
        },
        min_delta: 0,
        driver: "runs".into(),
        runs_per_hour: load.runs_per_hour,
        memory_limit: load.memory_limit,
        thresholds: Thresholds::default(),
        shown: usize::MAX,
    }
}

fn write(
    report: &GraphReport,
    rendering: Rendering,
    target: Target,
    job: &Job<'_>,
    origin: &render::html::Origin,
    terminal: &Terminal,
) -> Result<()> {
    let stdout = target.is_stdout();
    let style = render::Style {
        color: terminal.color && stdout,
        width: job
            .out
            .width
            .unwrap_or(if stdout { terminal.width } else { 100 }),
        exact: job.out.exact,
        limit: job.limit,
        quiet: terminal.quiet,
        verbose: terminal.verbose,
    };
    target.write_with(|out| match rendering {
        Rendering::Text => render::plain(&render::graph::text(report, &style), out),
        Rendering::Json => render::graph::json::write(report, out),
        Rendering::Jsonl => render::graph::json::write_lines(report, out),
        Rendering::Markdown => render::graph::table::markdown(report, &style, out),
        Rendering::Csv => render::graph::table::csv(report, out),
        Rendering::Dot => render::graph::dot::write(report, out),
        Rendering::Html => {
            let mut document = Vec::new();
            render::graph::json::write(report, &mut document)?;
            let said = render::graph::text(report, &render::html::STYLE);
            render::html::write_document(&document, &said, origin, out)
        }
        Rendering::Folded | Rendering::Pprof | Rendering::Svg => match &report.sites {
            Some(sites) => of_sites(sites, rendering, job.flame, out),
            None => Ok(()),
        },
        _ => Err(Error::usage("object graphs have no such rendering")),
    })
}

/// Object graphs, analysed.
struct Analysed {
    report: GraphReport<'static>,
    /// The names of all captures.
    symbols: Symbols,
    /// Where what is live was allocated, in every capture; none where one does not tell.
    allocated: Option<Vec<(Side, Loaded)>>,
}

fn analyse(job: &Job<'_>, load: Load, reading: &Reading, items: &[Item]) -> Result<Analysed> {
    let mut symbols = Symbols::default();
    let mut series = Series::asking(job.path_to.clone(), job.values);
    let mut paths = Vec::new();
    let mut notes = Vec::new();
    let mut pending: Option<(Side, HeapGraph, String)> = None;
    let mut runs = job.input.runs.iter();
    let mut side_of_runs = None;
    let mut with_runs = [Vec::new(), Vec::new()];
    let mut allocated = Vec::new();
    for item in items {
        if item.group.spec.select.is_some() {
            return Err(
                Error::usage("an object graph is one moment: there is none to select")
                    .in_file(&item.group.paths.join("+"))
                    .help("leave out what follows the #"),
            );
        }
        if item.group.paths.len() > 1 {
            return Err(Error::new(
                Code::Incomparable,
                "object graphs of several processes cannot be added up: each has its own objects",
            )
            .in_file(&item.group.paths.join("+"))
            .help("look at each process by itself"));
        }
        for path in &item.group.paths {
            let graph = match read(path, reading, job, &mut symbols) {
                Ok(graph) => graph,
                Err(e) if item.group.found && e.code() == Code::Unrecognised => {
                    notes.push(format!("{path} is no object graph and was left out"));
                    continue;
                }
                Err(e) => return Err(e),
            };
            let mut graph = graph;
            for (driver, value) in item.group.spec.drivers.iter().rev() {
                graph.meta.drivers.retain(|(n, _)| n != driver);
                graph.meta.drivers.insert(0, (driver.clone(), *value));
            }
            if !job.input.runs.is_empty() {
                if side_of_runs != Some(item.side) {
                    side_of_runs = Some(item.side);
                    runs = job.input.runs.iter();
                }
                let n = runs.next().ok_or_else(|| {
                    Error::usage("--runs has fewer numbers than there are captures")
                        .help("give one number for each capture of a side")
                })?;
                graph.meta.drivers.retain(|(name, _)| name != "runs");
                graph.meta.drivers.insert(0, ("runs".to_owned(), *n));
            }
            with_runs[usize::from(item.side == Side::New)].push(graph.meta.runs().is_some());
            if let Some(profile) = graph.allocations()? {
                let path = path.clone();
                allocated.push((item.side, Loaded { path, profile }));
            }
            if let Some((side, before, _)) = pending.take() {
                let last = side != item.side;
                series.add(before, &symbols, side == Side::Base, last);
            }
            pending = Some((item.side, graph, path.clone()));
            paths.push(path.clone());
        }
    }
    let Some((side, graph, _)) = pending else {
        return Err(Error::new(Code::Unrecognised, "holds no object graphs")
            .in_file(&job.captures.join(", "))
            .help("see `heapdiff formats` for what is read"));
    };
    for side in &with_runs {
        if side.contains(&true) && side.contains(&false) {
            return Err(Error::new(
                Code::Incomparable,
                "some captures have runs and some have none",
            )
            .help("give runs to all of them: PATH@N, or --runs"));
        }
    }
    series.add(graph, &symbols, side == Side::Base, true);
    if !allocated.is_empty() && allocated.len() < paths.len() {
        notes.push(format!(
            "{} of {} captures have allocation traces: sites are told where all have",
            allocated.len(),
            paths.len()
        ));
    }
    let allocated = (allocated.len() == paths.len()).then_some(allocated);
    let outcome = series.finish(&symbols);
    let verdict = conclude(&outcome, load);
    let report = GraphReport {
        paths,
        outcome,
        verdict,
        notes,
        histogram: job.histogram,
        sites: None,
        monitored: None,
        gate: None,
    };
    Ok(Analysed {
        report,
        symbols,
        allocated,
    })
}

fn read(path: &str, reading: &Reading, job: &Job<'_>, symbols: &mut Symbols) -> Result<HeapGraph> {
    let source = reading.open(path)?;
    let mut cx = Context {
        strict: reading.strict(),
        values: job.values,
        types_only: job.types_only,
        ..Context::new(symbols)
    };
    let captures = format::read(&source, reading.forced(), &mut cx)?;
    captures
        .into_iter()
        .find_map(Capture::into_graph)
        .map(|graph| match job.types_only {
            true => graph.into_tally(),
            false => graph,
        })
        .ok_or_else(|| {
            Error::new(Code::Incomparable, "holds allocation sites, no objects")
                .in_file(source.name())
                .help("compare it with `heapdiff compare`")
        })
}
