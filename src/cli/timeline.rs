//! `heapdiff timeline`: files to a recording, the recording to a report.

use super::args::{LoadArgs, MonitorArgs, TimelineArgs};
use super::output::Rendering;
use super::run::{Terminal, counts, targets};
use super::scale::scale;
use crate::error::{Code, Error, Result};
use crate::format::monitor;
use crate::input::Source;
use crate::input::{Spec, digest, expand};
use crate::model::Limits;
use crate::model::Time;
use crate::render;
use crate::report::{InputFile, TimelineReport};
use crate::timeline::{Question, Recording};
use crate::verdict;
use std::path::Path;

/// Directories inside directories that are looked into: those of the monitoring script and folders
/// of snapshots, not what else a user keeps beside his logs.
const DEPTH: usize = 3;
const OF_THE_SCRIPT: [&str; 7] = [
    "local_monitoring_",
    "_proc_meminfo",
    "_status",
    "_smaps_rollup",
    "_memory_stat",
    "_metrics",
    "_snapshots",
];

/// Runs the command.
pub(super) fn timeline(args: &TimelineArgs, terminal: &Terminal) -> Result<u8> {
    let load = LoadArgs {
        runs_per_hour: None,
        memory_limit: args.memory_limit.clone(),
    };
    let load = scale(&args.settings, &load)?;
    let limits = verdict::Limits {
        memory: load.memory_limit.map(|b| b as f64),
        thresholds: load.thresholds,
    };
    let targets = targets(
        &args.out.output,
        args.out.format.as_deref(),
        Rendering::OF_TIMELINE,
    )?;
    let mut report = report(&args.paths, &args.monitor, &args.mark, limits, None)?;
    if let Some(place) = &args.captures {
        super::joined::join(&mut report, place, &counts("runs", &args.runs)?)?;
    }
    let files: Vec<String> = report.inputs.iter().map(|i| i.path.clone()).collect();
    targets.iter().try_for_each(|(_, t)| t.keep_off(&files))?;
    let is_page = targets.iter().any(|(r, _)| *r == Rendering::Html);
    let origin = origin(&report, terminal, is_page)?;
    for (rendering, target) in targets {
        let stdout = target.is_stdout();
        let style = render::Style {
            color: terminal.color && stdout,
            width: args
                .out
                .width
                .unwrap_or(if stdout { terminal.width } else { 100 }),
            exact: args.out.exact,
            limit: args.limit,
            quiet: terminal.quiet,
            verbose: terminal.verbose,
        };
        target.write_with(|out| match rendering {
            Rendering::Json => render::timeline::json::write(&report, out),
            Rendering::Markdown => render::timeline::markdown::write(&report, out),
            Rendering::Html => {
                let mut document = Vec::new();
                render::timeline::json::write(&report, &mut document)?;
                let said = render::timeline::text(&report, &render::html::STYLE);
                render::html::write_document(&document, &said, &origin, out)
            }
            _ => render::plain(&render::timeline::text(&report, &style), out),
        })?;
    }
    Ok(0)
}

/// Reads and analyses what the paths stand for. `alpha`: the chance that a healthy run has any
/// finding at all, where it is not the usual one.
pub(super) fn report(
    paths: &[String],
    args: &MonitorArgs,
    marks: &[String],
    limits: verdict::Limits,
    alpha: Option<f64>,
) -> Result<TimelineReport> {
    let options = monitor::Options {
        zone: match &args.tz {
            Some(name) => monitor::Zone::named(name)?,
            None => monitor::Zone::default(),
        },
        log_pattern: pattern(args.log_pattern.as_deref())?,
        service: args.service.clone(),
    };
    let marks: Result<Vec<_>> = marks.iter().map(|m| mark(m, &options.zone)).collect();
    let question = Question {
        marks: marks?,
        alpha,
    };
    let mut recording = Recording::default();
    let inputs = read_all(paths, &options, &mut recording)?;
    if recording.is_empty() {
        return Err(
            Error::new(Code::Damaged, "no sample and no request in these files")
                .in_file(paths.first().map_or("", String::as_str))
                .help("name a monitoring series, a request log, or a directory with them"),
        );
    }
    Ok(TimelineReport::new(
        inputs,
        recording.analyse(&question),
        limits,
    ))
}

/// What a page says of the files behind a report; nothing where there is no page.
pub(super) fn origin(
    report: &TimelineReport,
    terminal: &Terminal,
    is_page: bool,
) -> Result<render::html::Origin> {
    let paths = report.inputs.iter().map(|i| &i.path);
    let on_disk = paths.filter(|p| is_page && p.as_str() != "-");
    Ok(render::html::Origin {
        command: terminal.command.clone(),
        files: on_disk.map(|p| digest(p)).collect::<Result<_>>()?,
    })
}

/// Reads every file that the paths stand for. A file that was found in a directory and is of no
/// known layout is left out; one that was named is an error.
fn read_all(
    paths: &[String],
    options: &monitor::Options,
    recording: &mut Recording,
) -> Result<Vec<InputFile>> {
    let mut inputs = Vec::new();
    for path in paths {
        for (file, found) in files(path)? {
            let source = match file.as_str() {
                "-" => Source::stdin(Limits::default())?,
                _ => match Source::open(Path::new(&file), Limits::default()) {
                    // An empty file among others says nothing.
                    Err(e) if found && e.code() == Code::Truncated => continue,
                    other => other?,
                },
            };
            if found && monitor::recognise(source.head(), options).is_none() {
                continue;
            }
            let outcome = monitor::read(&source, options, recording)?;
            inputs.push(InputFile {
                path: file,
                kind: outcome.kind.as_str().to_owned(),
                lines: outcome.lines,
                bad: outcome.bad,
                first_bad: outcome.first_bad,
                notes: outcome.notes,
            });
        }
    }
    Ok(inputs)
}

/// The files of a path, and whether they were found in a directory or by a glob.
fn files(path: &str) -> Result<Vec<(String, bool)>> {
    let mut out = Vec::new();
    let spec = Spec {
        paths: vec![path.to_owned()],
        ..Spec::default()
    };
    if Path::new(path).is_dir() {
        walk(path, DEPTH, &mut out)?;
        if out.is_empty() {
            return Err(Error::new(Code::Unreadable, "the directory holds no files")
                .in_file(path)
                .help("name a directory with monitoring series or logs"));
        }
        return Ok(out);
    }
    for group in expand(&spec)? {
        out.extend(group.paths.into_iter().map(|p| (p, group.found)));
    }
    Ok(out)
}

fn walk(path: &str, depth: usize, out: &mut Vec<(String, bool)>) -> Result<()> {
    let unreadable = |e: std::io::Error| Error::io(Code::Unreadable, path, &e);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            names.push(entry.path().display().to_string());
        }
    }
    names.sort_by(|a, b| crate::input::natural_order(a, b));
    for name in names {
        if Path::new(&name).is_dir() {
            let own = OF_THE_SCRIPT.iter().any(|part| name.contains(part));
            if depth > 1 && own {
                walk(&name, depth - 1, out)?;
            }
        } else {
            out.push((name, true));
        }
    }
    Ok(())
}

fn pattern(text: Option<&str>) -> Result<Option<regex::bytes::Regex>> {
    let Some(text) = text else { return Ok(None) };
    regex::bytes::Regex::new(text).map(Some).map_err(|e| {
        let reason = e.to_string();
        let reason = reason.lines().last().unwrap_or_default();
        Error::usage(format!(
            "--log-pattern {text:?} is no regular expression ({reason})"
        ))
        .help("write (?<time>...), (?<method>...), (?<path>...), (?<status>...), (?<duration>...)")
    })
}

/// `TIME=LABEL`.
fn mark(text: &str, zone: &monitor::Zone) -> Result<(Time, String)> {
    let (time, label) = text.split_once('=').unwrap_or((text, "mark"));
    let time = monitor::whole_stamp(time.as_bytes(), zone).ok_or_else(|| {
        Error::usage(format!("--mark {text:?} begins with no time"))
            .help("write --mark 2026-03-02T09:15Z=deploy")
    })?;
    Ok((time, label.to_owned()))
}
