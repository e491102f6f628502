//! `heapdiff convert`: one capture in another format.

use super::args::{ConvertArgs, ConvertTo};
use super::load::{self, Reading};
use super::output::Target;
use super::run::Terminal;
use crate::diff::default_metric;
use crate::error::{Code, Error, Result};
use crate::model::{Symbols, canonical_name};
use crate::render;

/// Writes the capture in the format asked for.
pub(super) fn convert(args: &ConvertArgs, terminal: &Terminal) -> Result<u8> {
    let reading = Reading::new(&args.input)?;
    let target = Target::open(&args.output)?;
    let items = load::items(
        std::slice::from_ref(&args.capture),
        &[],
        args.input.merge_by,
    )?;
    let [item] = items.as_slice() else {
        return Err(Error::usage("stands for several captures")
            .in_file(&args.capture)
            .help("convert one at a time, or join them with A+B"));
    };
    target.keep_off(&load::files(&items))?;
    let mut symbols = Symbols::default();
    let mut skipped = Vec::new();
    let mut symbolizer = reading.symbolizer()?;
    let mut loaded = load::read(
        item,
        &reading,
        false,
        &mut symbols,
        &mut symbolizer,
        &mut skipped,
    )?;
    if loaded.len() != 1 {
        return Err(Error::usage("holds several captures")
            .in_file(&args.capture)
            .help("choose one: PATH#last"));
    }
    let load::Loaded { path, profile } = loaded.remove(0);
    // Text output has its notes; what was looked up, or refused, has to be said here as well.
    if !terminal.quiet && !args.input.symbolize.is_empty() {
        for note in &profile.meta.notes {
            super::run::to_stderr(&format!("note  {note}\n"));
        }
    }
    let wanted = args.metric.as_deref().map(canonical_name);
    let metric = wanted.clone().unwrap_or_else(|| default_metric(&profile));
    let Some(column) = profile.metric(&metric) else {
        let have: Vec<_> = profile.metrics.iter().map(|m| m.name.as_str()).collect();
        return Err(Error::new(Code::Incomparable, format!("has no {metric}"))
            .in_file(&path)
            .help(format!("--metric takes one of {}", have.join(", "))));
    };
    let mut bytes = Vec::new();
    let written = match args.to {
        ConvertTo::Pprof => render::pprof::write(&profile, &symbols, wanted.as_deref(), &mut bytes),
        ConvertTo::Folded => render::folded::write(
            &profile.stacks,
            &profile.columns[column],
            &symbols,
            &mut bytes,
        ),
        ConvertTo::Dhat => render::dhat::write(&profile, &symbols, column, &mut bytes),
        ConvertTo::Speedscope => {
            let name = render::words::base_name(&path);
            render::speedscope::write(&profile, &symbols, name, column, &mut bytes)
        }
    };
    written.map_err(|e| e.in_file(&args.output))?;
    target.write(&bytes)?;
    Ok(0)
}
