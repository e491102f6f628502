//! `heapdiff baseline`: what later captures are held against, as a file that belongs in git.

use super::analysis::{self, Shape};
use super::args::{BaselineAction, BaselineArgs, Sort};
use super::config;
use super::load::{self, Item, Reading};
use super::output::{Target, to_stdout};
use super::prepare::{self, Look};
use super::run::Terminal;
use crate::diff::{GroupBy, MatchedBy};
use crate::error::{Code, Error, Result};
use crate::format::baseline::{self as wire, File};
use crate::input::Select;
use crate::model::StackId;
use crate::model::Symbols;
use crate::normalize::{Naming, PathMap};
use crate::render;
use crate::units;
use crate::verdict::Thresholds;
use crate::verdict::baseline::{MOST_CAPTURES, Saved, build, saved, write};
use std::path::{Path, PathBuf};

/// Where a baseline of this name lies: beside the configuration file, else in the repository's
/// root, else here. A name with a slash or the ending `.json` is a path.
pub fn place(name: &str, config: Option<&Path>) -> PathBuf {
    if name.contains(['/', '\\']) || name.ends_with(".json") {
        return PathBuf::from(name);
    }
    let beside = config.and_then(Path::parent).map(Path::to_owned);
    let beside = beside.or_else(|| {
        let here = std::env::current_dir().ok()?;
        let root = config::repository(&here)?;
        let up = here.strip_prefix(&root).ok()?.components().count();
        Some(std::iter::repeat_n("..", up).collect())
    });
    beside
        .unwrap_or_default()
        .join(".heapdiff/baselines")
        .join(format!("{name}.json"))
}

/// The path of a baseline that is there.
///
/// Errors: it is not; the message has the command that makes it.
pub fn find(name: &str, config: Option<&Path>) -> Result<String> {
    let path = place(name, config);
    let shown = path.display().to_string();
    match path.is_file() {
        true => Ok(shown),
        false => Err(missing(name, &shown)),
    }
}

fn missing(name: &str, path: &str) -> Error {
    let what = format!("there is no baseline {name:?}");
    Error::new(Code::Unreadable, what)
        .in_file(path)
        .help(format!(
            "make it from the code before the change: heapdiff baseline save {name} CAPTURE..."
        ))
}

/// An item of the base side as it was when the baseline was first saved.
pub fn origin_of(mut item: Item) -> Item {
    if item.side == crate::diff::Side::Base {
        item.group.spec.select = Some(Select::Number(0));
    }
    item
}

/// Runs the command.
pub(super) fn baseline(action: &BaselineAction, terminal: &Terminal) -> Result<u8> {
    match action {
        BaselineAction::Save(args) => save(args),
        BaselineAction::Show { name, limit } => show(name, *limit),
        BaselineAction::Update(args) => update(args, terminal),
        BaselineAction::Merge(args) => merge(args),
    }
}

fn path_of(name: &str) -> PathBuf {
    place(name, config::find().as_deref())
}

/// CI judges by what a person accepted; it accepts nothing itself.
fn not_in_ci(args: &BaselineArgs) -> Result<()> {
    let ci = std::env::var("CI").is_ok_and(|v| !v.is_empty() && v != "false" && v != "0");
    match ci && !args.allow_ci {
        true => Err(
            Error::usage(format!("baseline {:?} is not changed in CI", args.name))
                .help("change it on your machine and commit it, or give --allow-ci"),
        ),
        false => Ok(()),
    }
}

/// Reads captures into one table of names.
fn captures(args: &BaselineArgs, symbols: &mut Symbols) -> Result<Vec<Saved>> {
    let reading = Reading::new(&args.input)?;
    let items = load::items(&args.captures, &[], args.input.merge_by)?;
    let mut skipped = Vec::new();
    let mut symbolizer = reading.symbolizer()?;
    let mut out = Vec::new();
    for item in &items {
        for loaded in load::read(
            item,
            &reading,
            false,
            symbols,
            &mut symbolizer,
            &mut skipped,
        )? {
            out.push(Saved::new(&loaded.path, loaded.profile));
        }
    }
    if out.is_empty() {
        return Err(Error::new(Code::Unrecognised, "no captures are there")
            .help("see `heapdiff formats` for what is read"));
    }
    let runs = &args.input.runs;
    if !runs.is_empty() && runs.len() != out.len() {
        return Err(Error::usage(format!(
            "--runs has {} numbers for {} captures",
            runs.len(),
            out.len()
        )));
    }
    for (one, &runs) in out.iter_mut().zip(runs) {
        one.taken.drivers.insert("runs".to_owned(), runs);
    }
    Ok(out)
}

fn language(captures: &[Saved]) -> Option<&'static str> {
    captures.iter().find_map(|c| c.profile.meta.language)
}

fn write_file(path: &Path, file: &File) -> Result<()> {
    if let Some(dir) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(dir)
            .map_err(|e| Error::io(Code::Unwritable, &dir.display().to_string(), &e))?;
    }
    Target::open(&path.display().to_string())?.write(write(file).as_bytes())
}

fn read_file(name: &str, path: &Path) -> Result<File> {
    let shown = path.display().to_string();
    if !path.is_file() {
        return Err(missing(name, &shown));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(Code::Unreadable, &shown, &e))?;
    wire::parse(&bytes).map_err(|e| e.in_file(&shown))
}

/// One line that says what a file holds.
fn summary(file: &File) -> String {
    let runs: Vec<String> = file
        .captures
        .iter()
        .filter_map(|c| c.drivers.get("runs"))
        .map(|&r| units::plain(r))
        .collect();
    let runs = match runs.is_empty() {
        true => "runs not known".to_owned(),
        false => format!("runs {}", runs.join(", ")),
    };
    let rest = file.rest.as_ref().map_or(0, |r| r.sites);
    let sites = file.sites.len() as u64 + rest;
    let captures = match file.captures.len() {
        1 => "1 capture".to_owned(),
        n => format!("{n} captures"),
    };
    format!("{captures}, {runs}, {sites} sites, {}", file.exactness)
}

fn save(args: &BaselineArgs) -> Result<u8> {
    let path = path_of(&args.name);
    if path.exists() {
        return Err(
            Error::usage(format!("baseline {:?} is there already", args.name))
                .in_file(&path.display().to_string())
                .help(format!(
                    "heapdiff baseline update {} CAPTURE... shows what changes and takes it",
                    args.name
                )),
        );
    }
    let mut symbols = Symbols::default();
    let captures = captures(args, &mut symbols)?;
    let naming = Naming::new(&symbols, language(&captures), PathMap::default());
    let file = build(&captures, &[], &symbols, &naming);
    write_file(&path, &file)?;
    said("saved", &path, &file, &args.name)
}

fn said(word: &str, path: &Path, file: &File, name: &str) -> Result<u8> {
    let text = format!(
        "{word} {}: {}\nnext  commit it; then: heapdiff gate --baseline {name} CAPTURE...\n",
        path.display(),
        summary(file)
    );
    to_stdout(text.as_bytes()).map(|()| 0)
}

fn merge(args: &BaselineArgs) -> Result<u8> {
    not_in_ci(args)?;
    let path = path_of(&args.name);
    let old = read_file(&args.name, &path)?;
    let mut symbols = Symbols::default();
    let mut all = saved(&old, false, &mut symbols)?;
    let origin = match old.origin.is_empty() {
        true => Vec::new(),
        false => saved(&old, true, &mut symbols)?,
    };
    all.extend(captures(args, &mut symbols)?);
    if all.len() > MOST_CAPTURES {
        return Err(Error::usage(format!(
            "{} captures are more than a baseline keeps ({MOST_CAPTURES})",
            all.len()
        ))
        .in_file(&path.display().to_string())
        .help("heapdiff baseline update takes new ones in their place"));
    }
    let naming = Naming::new(&symbols, language(&all), PathMap::default());
    let file = build(&all, &origin, &symbols, &naming);
    write_file(&path, &file)?;
    said("merged into", &path, &file, &args.name)
}

fn update(args: &BaselineArgs, terminal: &Terminal) -> Result<u8> {
    not_in_ci(args)?;
    let path = path_of(&args.name);
    let old = read_file(&args.name, &path)?;
    let mut symbols = Symbols::default();
    let origin = match args.reset_origin {
        true => Vec::new(),
        false => saved(&old, true, &mut symbols)?,
    };
    let new = captures(args, &mut symbols)?;
    let accepted = difference(args, &path, terminal)?;
    let naming = Naming::new(&symbols, language(&new), PathMap::default());
    let file = build(&new, &origin, &symbols, &naming);
    write_file(&path, &file)?;
    to_stdout(accepted.as_bytes())?;
    let since = crept(&file);
    let text = format!("updated {}: {}\n{since}", path.display(), summary(&file));
    to_stdout(text.as_bytes()).map(|()| 0)
}

/// What an update accepts, as `compare` shows it.
fn difference(args: &BaselineArgs, path: &Path, terminal: &Terminal) -> Result<String> {
    let base = [path.display().to_string()];
    let items = load::items(&args.captures, &base, args.input.merge_by)?;
    let look = Look {
        runs: args.input.runs.clone(),
        ..Look::default()
    };
    let mut prepared = prepare::prepare(&items, &Reading::new(&args.input)?, &look)?;
    let paths = PathMap::default();
    prepared.match_sites(MatchedBy::Moved, &paths);
    let naming = Naming::new(&prepared.symbols, prepared.language, paths);
    let shape = Shape {
        group_by: GroupBy::Stack,
        sort: Sort::Growth,
        min_delta: 0,
        driver: "runs".to_owned(),
        runs_per_hour: None,
        memory_limit: None,
        thresholds: Thresholds::default(),
        shown: usize::MAX,
    };
    let report = analysis::report(&prepared, &naming, &shape);
    let style = render::Style {
        color: terminal.color,
        width: terminal.width,
        exact: false,
        limit: None,
        quiet: true,
        verbose: false,
    };
    Ok(render::text(&report, &style))
}

/// Small steps that every update accepts add up: the level against that of the first save.
fn crept(file: &File) -> String {
    let metric = file.default_metric.as_deref().unwrap_or("live_bytes");
    let total = |origin: bool| -> i128 {
        let of = |site: &wire::Columns| site.get(metric).and_then(|v| v.last()).copied();
        let sites = file
            .sites
            .iter()
            .map(|s| if origin { &s.origin } else { &s.values });
        let rest = file
            .rest
            .iter()
            .map(|r| if origin { &r.origin } else { &r.values });
        sites.chain(rest).filter_map(of).map(i128::from).sum()
    };
    if file.origin.is_empty() {
        return String::new();
    }
    let (before, after) = (total(true), total(false));
    format!(
        "since the first save {metric} changed by {} ({} -> {}); budgets with against = \"origin\" hold that\n",
        units::signed(units::bytes(after - before), after > before),
        units::bytes(before),
        units::bytes(after)
    )
}

fn show(name: &str, limit: usize) -> Result<u8> {
    let path = path_of(name);
    let file = read_file(name, &path)?;
    let metric = file.default_metric.clone().unwrap_or_default();
    let mut text = format!("{}: {}\n", path.display(), summary(&file));
    for capture in &file.captures {
        let drivers: Vec<String> = capture
            .drivers
            .iter()
            .map(|(n, v)| format!("{n} {}", units::plain(*v)))
            .collect();
        text.push_str(&format!(
            "  {}  {}  {}\n",
            capture.name,
            capture.format,
            drivers.join(", ")
        ));
    }
    text.push_str(&crept(&file));
    let of = |columns: &wire::Columns| -> i64 {
        columns
            .get(&metric)
            .and_then(|v| v.last())
            .copied()
            .unwrap_or(0)
    };
    let mut symbols = Symbols::default();
    let stacks = wire::stacks(&file, &mut symbols);
    let naming = Naming::new(&symbols, file.language.as_deref(), PathMap::default());
    let mut sites: Vec<(&wire::SiteOf, StackId)> = file.sites.iter().zip(stacks).collect();
    sites.sort_by_key(|(s, _)| (std::cmp::Reverse(of(&s.values)), s.id.clone()));
    let most = if limit == 0 { usize::MAX } else { limit };
    text.push_str(&format!("\n{:>12}  {:18}  site\n", metric, "id"));
    for &(site, stack) in sites.iter().take(most) {
        let name = inner_name(stack, &symbols, &naming);
        let value = units::bytes(of(&site.values).into());
        text.push_str(&format!("{value:>12}  {:18}  {name}\n", site.id));
    }
    if sites.len() > most {
        text.push_str(&format!("{:>12}  {} more\n", "", sites.len() - most));
    }
    if let Some(rest) = &file.rest {
        let value = units::bytes(of(&rest.values).into());
        text.push_str(&format!("{value:>12}  {} small sites\n", rest.sites));
    }
    to_stdout(text.as_bytes()).map(|()| 0)
}

/// What a site is named by: the user's frame nearest to the allocation.
fn inner_name(stack: StackId, symbols: &Symbols, naming: &Naming<'_>) -> String {
    let frames: Vec<_> = symbols.stacks.frames(stack).collect();
    let at = naming
        .owner(stack)
        .unwrap_or(frames.len().saturating_sub(1));
    let Some(&frame) = frames.get(at) else {
        return String::new();
    };
    let normal = naming.frame(frame);
    let line = symbols.frames.get(frame).line;
    let clean = |text: &str| -> String {
        text.chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect()
    };
    format!("{}  {}:{line}", clean(&normal.display), clean(&normal.file))
}
