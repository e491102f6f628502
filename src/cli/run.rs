//! The commands.

use super::analysis::{self, Shape};
use super::args::{Cli, Color, Command, CompareArgs, Flame, RowArgs};
use super::load::{self, Reading};
use super::output::{Rendering, Target, to_stdout};
use super::prepare::{self, Look};
use super::scale::scale;
use super::spelling::single_dash;
use crate::diff::{CallTree, Filters, GroupBy, Peek, TagFilter, call_tree, peek};
use crate::error::{Error, Result};
use crate::format;
use crate::input::{FileFacts, MOST_RUNS, digest};
use crate::normalize::{Naming, PathMap};
use crate::render;
use crate::render::flame;
use crate::report::{CaptureInfo, Report};
use crate::units;
use clap::{CommandFactory, Parser};
use std::collections::HashSet;
use std::ffi::OsString;
use std::io::IsTerminal;

/// Done.
pub(super) const DONE: u8 = 0;
/// The command could not be carried out.
const FAILED: u8 = 2;

/// Runs a command line; returns the exit status.
pub fn run(args: impl Iterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.map(stdin_with_runs).collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(e) => {
            let unknown = e.kind() == clap::error::ErrorKind::UnknownArgument;
            let words = args.iter().skip(1).filter_map(|a| a.to_str());
            return match single_dash(words).filter(|_| unknown) {
                Some(e) => failed(&e),
                None => usage(&e, &command_of(&args)),
            };
        }
    };
    execute(&cli, command_line(&args)).unwrap_or_else(|e| failed(&e))
}

/// The command among the arguments, with a blank behind it; nothing where there is none.
fn command_of(args: &[OsString]) -> String {
    let words: Vec<&str> = args.iter().skip(1).filter_map(|a| a.to_str()).collect();
    let cli = Cli::command();
    let known = |word: &&&str| cli.find_subcommand(word).is_some();
    words
        .iter()
        .find(known)
        .map_or(String::new(), |word| format!("{word} "))
}

/// Prints on standard error, which may be closed.
pub(super) fn to_stderr(line: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

/// Says why the command could not be carried out.
fn failed(e: &Error) -> u8 {
    to_stderr(&format!("heapdiff: {e}\n"));
    FAILED
}

/// `-@800` is standard input with its runs, no option.
fn stdin_with_runs(arg: OsString) -> OsString {
    match arg.to_str() {
        Some(text) if text.starts_with("-@") || text.starts_with("-#") => {
            format!("{}{}", crate::input::STDIN, &text[1..]).into()
        }
        _ => arg,
    }
}

/// What clap has to say: help on standard output, mistakes on standard error with status 2.
fn usage(e: &clap::Error, command: &str) -> u8 {
    use clap::error::ErrorKind as K;
    match e.kind() {
        K::DisplayHelp | K::DisplayVersion if e.print().is_ok() => DONE,
        K::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = e.print();
            FAILED
        }
        _ => failed(&mistake(&e.render().to_string(), command)),
    }
}

/// A mistake in one line: what clap prints of it, and what it suggests.
fn mistake(text: &str, command: &str) -> Error {
    let (mut what, mut tips) = (Vec::new(), Vec::new());
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            continue;
        }
        match line.strip_prefix("tip: ") {
            Some(tip) => tips.push(tip),
            None => what.push(line.trim_start_matches("error: ")),
        }
    }
    // To pass an option's name as a file is rarely what was meant.
    let tip = tips.into_iter().find(|t| !t.starts_with("to pass "));
    Error::usage(what.join(" ")).help(match tip {
        Some(tip) => tip.to_owned(),
        None => format!("see `heapdiff {command}--help`"),
    })
}

/// What every command may use.
pub(super) struct Terminal {
    /// The command line as it was typed, for reports.
    pub command: String,
    /// Whether standard output takes colour.
    pub color: bool,
    /// Columns of standard output.
    pub width: usize,
    /// No hints and notes.
    pub quiet: bool,
    /// Notes of readers.
    pub verbose: bool,
}

impl Terminal {
    fn new(cli: &Cli) -> Terminal {
        let color = match cli.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
            }
        };
        let width = match std::io::stdout().is_terminal() {
            true => std::env::var("COLUMNS")
                .ok()
                .and_then(|c| c.parse().ok())
                .or_else(|| terminal_size::terminal_size().map(|(w, _)| usize::from(w.0)))
                .unwrap_or(100),
            false => 100,
        };
        Terminal {
            command: String::new(),
            color,
            width,
            quiet: cli.quiet,
            verbose: cli.verbose > 0,
        }
    }
}

/// The arguments as they would be typed; the program by its name alone, outputs left out, so that
/// a report does not depend on where it is written.
fn command_line(args: &[OsString]) -> String {
    let mut words = vec!["heapdiff".to_owned()];
    let mut rest = args.iter().skip(1).map(|a| a.to_string_lossy());
    while let Some(word) = rest.next() {
        if word == "-o" || word == "--output" {
            rest.next();
        } else if !word.starts_with("--output=") {
            words.push(match word.contains([' ', '"', '\'', '*', '$']) {
                true => format!("'{}'", word.replace('\'', "'\\''")),
                false => word.into_owned(),
            });
        }
    }
    words.join(" ")
}

fn execute(cli: &Cli, command: String) -> Result<u8> {
    if let Some(threads) = cli.threads {
        // The pool is there already only where the library's user made one: theirs stays.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
        let _ = pool.build_global();
    }
    let terminal = Terminal {
        command,
        ..Terminal::new(cli)
    };
    match &cli.command {
        Command::Compare(args) => compare(args, &terminal),
        Command::Cycles(args) => super::cycles::cycles(args, &terminal),
        Command::Gate(args) => super::gate::gate(args, &terminal),
        Command::Baseline { action } => super::baselines::baseline(action, &terminal),
        Command::Suppress(args) => super::suppress::suppress(args),
        Command::Config(args) => super::settings::config(args, &terminal),
        Command::Timeline(args) => super::timeline::timeline(args, &terminal),
        Command::Inspect(args) => super::inspect::inspect(args, &terminal),
        Command::Convert(args) => super::convert::convert(args, &terminal),
        Command::Capture(args) => super::capture::capture(args),
        Command::Explain { rule } => explain(rule, &terminal),
        Command::Formats => to_stdout(formats(&terminal).as_bytes()).map(|()| DONE),
        Command::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "heapdiff", &mut out);
            to_stdout(&out).map(|()| DONE)
        }
        Command::Man => {
            let mut out = Vec::new();
            let written = clap_mangen::Man::new(Cli::command()).render(&mut out);
            written.map_err(|e| Error::usage(e.to_string()))?;
            to_stdout(&out).map(|()| DONE)
        }
    }
}

fn explain(name: &str, terminal: &Terminal) -> Result<u8> {
    let rule = crate::verdict::rules::by_name(name).ok_or_else(|| {
        let ids: Vec<_> = crate::verdict::rules::RULES.iter().map(|r| r.id).collect();
        Error::usage(format!("no rule is called {name:?}"))
            .help(format!("one of {}", ids.join(", ")))
    })?;
    let text = format!(
        "{}  {}\n\n{}\n",
        rule.id,
        rule.name,
        render::wrap(rule.text, terminal.width.min(80))
    );
    to_stdout(text.as_bytes()).map(|()| DONE)
}

fn formats(terminal: &Terminal) -> String {
    let width = format::FORMATS
        .iter()
        .map(|f| f.name.len())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for f in format::FORMATS {
        out.push_str(&format!("{:width$}  {}\n", f.name, f.title));
        if !terminal.quiet {
            out.push_str(&format!("{:width$}    $ {}\n", "", f.recipe));
        }
    }
    out
}

/// The outputs of a command, opened: what each is, and where it goes.
///
/// Errors: a rendering that is not in `offered`, a target that cannot be written.
pub(super) fn targets(
    outputs: &[String],
    format: Option<&str>,
    offered: &[Rendering],
) -> Result<Vec<(Rendering, Target)>> {
    let mut targets = Vec::new();
    let named = format
        .map(|name| Rendering::by_name(name, offered))
        .transpose()?;
    let mut stdout_taken = false;
    for path in outputs {
        let rendering = match (path.as_str(), named) {
            ("-", Some(rendering)) => rendering,
            ("-", None) => Rendering::Text,
            (path, _) => Rendering::of_file(path, offered)?,
        };
        if path == "-" && std::mem::replace(&mut stdout_taken, true) {
            return Err(
                Error::usage("standard output is named twice").help("write one of them to a file")
            );
        }
        targets.push((rendering, Target::open(path)?));
    }
    if !stdout_taken {
        targets.push((named.unwrap_or(Rendering::Text), Target::open("-")?));
    }
    Ok(targets)
}

/// A regular expression of the command line.
pub(super) fn regex_of(option: &str, text: &Option<String>) -> Result<Option<regex::Regex>> {
    let Some(text) = text else { return Ok(None) };
    regex::Regex::new(text).map(Some).map_err(|e| {
        let reason = e.to_string();
        let reason = reason
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned();
        Error::usage(format!(
            "--{option} {text:?} is no regular expression ({reason})"
        ))
        .help("escape characters such as ( and * with a backslash")
    })
}

/// The filters of a command line.
pub(super) fn filters(rows: &RowArgs) -> Result<Filters> {
    let tag = |text: &Option<String>| text.as_deref().map(TagFilter::parse).transpose();
    Ok(Filters {
        focus: regex_of("focus", &rows.focus)?,
        ignore: regex_of("ignore", &rows.ignore)?,
        hide: regex_of("hide", &rows.hide)?,
        show: regex_of("show", &rows.show)?,
        show_from: regex_of("show-from", &rows.show_from)?,
        tag_focus: tag(&rows.tagfocus)?,
        tag_ignore: tag(&rows.tagignore)?,
    })
}

/// A size of the command line.
pub(super) fn size(option: &str, text: &Option<String>) -> Result<Option<u64>> {
    let Some(text) = text else { return Ok(None) };
    units::parse_bytes(text).map(Some).ok_or_else(|| {
        Error::usage(format!("--{option} {text:?} is no size"))
            .help("write 64KiB, 5MB or a number of bytes")
    })
}

/// The numbers of an option that counts runs.
pub(super) fn counts(option: &str, numbers: &[f64]) -> Result<Vec<f64>> {
    match numbers.iter().find(|n| !(0.0..=MOST_RUNS).contains(*n)) {
        None => Ok(numbers.to_vec()),
        Some(n) => Err(Error::usage(format!("--{option} {n} is no number of runs"))
            .help("write a count such as 800")),
    }
}

/// The path prefixes of a command line.
pub(super) fn path_map(rows: &RowArgs) -> Result<PathMap> {
    let mut pairs = Vec::new();
    for text in &rows.path_map {
        let pair = PathMap::parse_pair(text).ok_or_else(|| {
            Error::usage(format!("--path-map {text:?} is no pair of prefixes")).help("write A=B")
        })?;
        pairs.push(pair);
    }
    pairs.extend(rows.trim_path.iter().map(|p| (p.as_str(), "")));
    Ok(PathMap::new(pairs))
}

fn compare(args: &CompareArgs, terminal: &Terminal) -> Result<u8> {
    let items = load::items(&args.captures, &args.base, args.input.merge_by);
    if items.is_ok_and(|items| super::cycles::is_graph(&items, &args.input)) {
        return match super::cycles::site_option_of(args) {
            None => super::cycles::compare(args, terminal),
            Some(option) => {
                sites(args, terminal).map_err(|e| super::cycles::without_sites(option, e))
            }
        };
    }
    sites(args, terminal)
}

/// `heapdiff compare` of allocation sites.
fn sites(args: &CompareArgs, terminal: &Terminal) -> Result<u8> {
    let group_by = GroupBy::parse(&args.rows.group_by)?;
    let look = Look {
        metric: args.rows.metric.clone(),
        filters: filters(&args.rows)?,
        label: match &group_by {
            GroupBy::Label(key) => Some(key.clone()),
            _ => None,
        },
        runs: counts("runs", &args.input.runs)?,
        ends_of_one: true,
        only: None,
    };
    let load = scale(&args.settings, &args.load)?;
    let mut shape = Shape {
        group_by,
        sort: args.rows.sort,
        min_delta: size("min-delta", &args.rows.min_delta)?.unwrap_or(0),
        driver: args.driver.clone(),
        runs_per_hour: load.runs_per_hour,
        memory_limit: load.memory_limit,
        thresholds: load.thresholds,
        shown: usize::MAX,
    };
    let paths = path_map(&args.rows)?;
    let reading = Reading::new(&args.input)?;
    let targets = targets(
        &args.out.output,
        args.out.format.as_deref(),
        Rendering::OF_COMPARE,
    )?;
    if targets.iter().all(|(r, _)| *r == Rendering::Text) {
        shape.shown = match args.rows.limit {
            Some(0) => usize::MAX,
            limit => limit.unwrap_or(render::MOST_ROWS),
        };
    }
    let mut items = load::items(&args.captures, &args.base, args.input.merge_by)?;
    if let Some(log) = &args.runs_from {
        super::runs_from::count(&mut items, log)?;
    }
    let mut files = load::files(&items);
    files.extend(args.runs_from.clone());
    targets.iter().try_for_each(|(_, t)| t.keep_off(&files))?;
    let mut prepared = prepare::prepare(&items, &reading, &look)?;
    if prepared.captures.len() < 2 {
        let path = prepared.captures.first().map_or("", |c| c.path.as_str());
        return Err(Error::usage("one capture alone cannot be compared")
            .in_file(path)
            .help("name another one, or look at this one with `heapdiff inspect`"));
    }
    known_driver(&args.driver, &prepared.captures)?;
    if shape.group_by == GroupBy::Stack {
        prepared.match_sites(args.match_tier.into(), &paths);
    }
    let naming = Naming::new(&prepared.symbols, prepared.language, paths);
    let view = instead(args, &prepared)?;
    let report = analysis::report(&prepared, &naming, &shape);
    let limit = args.rows.limit;
    let is_page = targets.iter().any(|(r, _)| *r == Rendering::Html);
    let origin = render::html::Origin {
        command: terminal.command.clone(),
        files: if is_page { facts(&items)? } else { Vec::new() },
    };
    for (rendering, target) in targets {
        let style = style(&args.rows, &args.out, terminal, target.is_stdout());
        target.write_with(|out| match rendering {
            Rendering::Text => render::plain(&text(&report, view.as_ref(), &style), out),
            Rendering::Json => render::json::write(&report, limit, out),
            Rendering::Jsonl => render::json::write_lines(&report, limit, out),
            Rendering::Markdown => render::markdown::write(&report, &style, out),
            Rendering::Csv => render::csv::write(&report, limit, out),
            Rendering::Folded | Rendering::Pprof | Rendering::Svg => {
                of_sites(&report, rendering, args.flame, out)
            }
            Rendering::Sarif | Rendering::Junit | Rendering::CodeQuality | Rendering::Github => {
                Err(Error::usage("this is a rendering of the gate"))
            }
            Rendering::Html => render::html::write(&report, limit, &origin, out),
            Rendering::Dot => Err(Error::usage(
                "only cycles of objects are drawn for Graphviz",
            )),
        })?;
    }
    Ok(DONE)
}

/// Writes a rendering that allocation sites alone have: folded stacks, a pprof profile, or a
/// flamegraph.
pub(super) fn of_sites(
    report: &Report<'_>,
    rendering: Rendering,
    flame: Flame,
    out: &mut dyn std::io::Write,
) -> Result<()> {
    match (rendering, flame) {
        (Rendering::Folded, _) => render::difference::folded(report, out),
        (Rendering::Pprof, _) => render::difference::pprof(report, out),
        (_, Flame::Growth) => render::svg::growth(report, out),
        (_, Flame::Churn) => flame::svg::write(report, flame::Width::Churn, out),
        (_, Flame::After) => flame::svg::write(report, flame::Width::After, out),
        (_, Flame::Before) => flame::svg::write(report, flame::Width::Before, out),
    }
}

/// Sizes and digests of what was read; standard input is gone by now.
pub(super) fn facts(items: &[load::Item]) -> Result<Vec<FileFacts>> {
    let mut paths: Vec<&String> = items.iter().flat_map(|i| &i.group.paths).collect();
    let mut seen = HashSet::new();
    paths.retain(|p| *p != "-" && seen.insert(*p));
    paths.into_iter().map(|p| digest(p)).collect()
}

/// Fails when growth is to be counted by a driver that no capture has.
pub(super) fn known_driver(name: &str, captures: &[CaptureInfo]) -> Result<()> {
    let mut names: Vec<&str> = captures
        .iter()
        .flat_map(|c| c.drivers.iter().map(|(n, _)| n.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    if name == "runs" || names.contains(&name) {
        return Ok(());
    }
    let have = match names.as_slice() {
        [] => "none is given".to_owned(),
        names => format!("they have {}", names.join(", ")),
    };
    Err(
        Error::usage(format!("no capture has the driver {name:?}, {have}"))
            .help(format!("write PATH@runs=800,{name}=20")),
    )
}

/// What the text shows instead of the table of rows.
enum Instead {
    Tree(CallTree),
    Peek(Vec<Peek>),
}

fn instead(args: &CompareArgs, prepared: &prepare::Prepared) -> Result<Option<Instead>> {
    let (table, symbols) = (&prepared.table, &prepared.symbols);
    Ok(match regex_of("peek", &args.peek)? {
        Some(pattern) => Some(Instead::Peek(peek(table, symbols, &pattern))),
        None if args.tree => Some(Instead::Tree(call_tree(table, symbols))),
        None => None,
    })
}

fn text(report: &Report<'_>, view: Option<&Instead>, style: &render::Style) -> String {
    let Some(view) = view else {
        return render::text(report, style);
    };
    let mut text = render::head(report, style);
    text.push('\n');
    text.push_str(&match view {
        Instead::Tree(tree) => render::tree::tree(report, tree, style),
        Instead::Peek(peeks) => render::tree::peek(report, peeks, style),
    });
    text
}

/// How text is laid out on this target.
pub(super) fn style(
    rows: &RowArgs,
    out: &super::args::OutputArgs,
    terminal: &Terminal,
    stdout: bool,
) -> render::Style {
    render::Style {
        color: terminal.color && stdout,
        width: out
            .width
            .unwrap_or(if stdout { terminal.width } else { 100 }),
        exact: out.exact,
        limit: rows.limit,
        quiet: terminal.quiet,
        verbose: terminal.verbose,
    }
}
