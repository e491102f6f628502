//! `heapdiff inspect`: what a file is, what it holds, its totals and top sites.

use super::analysis::{self, Shape};
use super::args::{InspectArgs, Sort};
use super::load::{self, Reading};
use super::output::Rendering;
use super::prepare::{self, Look};
use super::run::{Terminal, filters, path_map, size, style, targets};
use crate::diff::GroupBy;
use crate::error::{Error, Result};
use crate::normalize::Naming;
use crate::render;
use crate::verdict::Thresholds;

/// The renderings of this command.
const RENDERINGS: &[Rendering] = &[Rendering::Text, Rendering::Json, Rendering::Svg];

/// Looks at each capture by itself.
pub(super) fn inspect(args: &InspectArgs, terminal: &Terminal) -> Result<u8> {
    let reading = Reading::new(&args.input)?;
    if let Ok(items) = load::items(&args.captures, &[], args.input.merge_by) {
        let mut paths = items.iter().flat_map(|i| &i.group.paths);
        let piped = paths.any(|p| p == "-");
        if super::cycles::is_graph(&items, &args.input) || piped && reading.stdin_is_graph()? {
            return match super::cycles::site_option(&args.rows) {
                None => super::cycles::inspect(args, &items, &reading, terminal),
                Some(option) => sites(args, &reading, terminal)
                    .map_err(|e| super::cycles::without_sites(option, e)),
            };
        }
    }
    sites(args, &reading, terminal)
}

/// The same of allocation sites.
fn sites(args: &InspectArgs, reading: &Reading, terminal: &Terminal) -> Result<u8> {
    let group_by = GroupBy::parse(&args.rows.group_by)?;
    let paths = path_map(&args.rows)?;
    let targets = targets(&args.out.output, args.out.format.as_deref(), RENDERINGS)?;
    let look = Look {
        metric: args.rows.metric.clone(),
        filters: filters(&args.rows)?,
        label: match &group_by {
            GroupBy::Label(key) => Some(key.clone()),
            _ => None,
        },
        ..Look::default()
    };
    let sort = if args.rows.sort == Sort::Growth {
        Sort::After
    } else {
        args.rows.sort
    };
    let shape = Shape {
        group_by,
        sort,
        min_delta: size("min-delta", &args.rows.min_delta)?.unwrap_or(0),
        driver: "runs".into(),
        runs_per_hour: None,
        memory_limit: None,
        thresholds: Thresholds::default(),
        shown: usize::MAX,
    };
    let mut text = Vec::new();
    let mut documents = Vec::new();
    let mut pictures = Vec::new();
    let wants = |r| targets.iter().any(|(rendering, _)| *rendering == r);
    let stdout = targets
        .iter()
        .any(|(r, t)| *r == Rendering::Text && t.is_stdout());
    let items = load::items(&args.captures, &[], args.input.merge_by)?;
    let files = load::files(&items);
    targets.iter().try_for_each(|(_, t)| t.keep_off(&files))?;
    for item in items {
        let item = load::Item {
            side: crate::diff::Side::New,
            ..item
        };
        let prepare = |only| {
            let look = Look {
                only,
                metric: look.metric.clone(),
                filters: look.filters.clone(),
                label: look.label.clone(),
                ..Look::default()
            };
            prepare::prepare(std::slice::from_ref(&item), reading, &look)
        };
        let prepared = match prepare(None) {
            Ok(prepared) => prepared,
            Err(e) if item.group.found && e.code() == crate::error::Code::Unrecognised => continue,
            Err(e) => return Err(e),
        };
        // A recording holds several moments; each is looked at by itself. Standard input is read
        // once.
        let once = item.group.paths.iter().any(|p| p == "-");
        let each = match prepared.captures.len() {
            0 | 1 => vec![prepared],
            _ if once => vec![prepared],
            n => (0..n).map(|i| prepare(Some(i))).collect::<Result<_>>()?,
        };
        for prepared in &each {
            let naming = Naming::new(&prepared.symbols, prepared.language, paths.clone());
            let report = analysis::report(prepared, &naming, &shape);
            if !text.is_empty() {
                text.push(b'\n');
            }
            let style = style(&args.rows, &args.out, terminal, stdout);
            text.extend(render::inspect::text(&report, &style).into_bytes());
            if wants(Rendering::Json) {
                documents.push(render::inspect::document(&report, args.rows.limit));
            }
            if wants(Rendering::Svg) {
                pictures.push(render::svg::flamegraph(&report)?);
            }
        }
    }
    if text.is_empty() {
        return Err(
            Error::new(crate::error::Code::Unrecognised, "holds no captures")
                .in_file(&args.captures.join(", "))
                .help("see `heapdiff formats` for what is read"),
        );
    }
    for (rendering, target) in targets {
        match rendering {
            Rendering::Json => target.write(&render::inspect::json(&documents))?,
            Rendering::Svg => match pictures.as_slice() {
                [one] => target.write(one)?,
                _ => {
                    return Err(Error::usage("a picture shows one capture")
                        .help("inspect one capture at a time"));
                }
            },
            _ => target.write(&text)?,
        }
    }
    Ok(0)
}
