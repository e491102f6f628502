//! The difference as files of other tools: folded stacks with two columns, a pprof profile.

use super::merged::Merged;
use super::{pprof, unwritable};
use crate::error::Result;
use crate::model::{Column, FrameId, LabelsId, Sampling};
use crate::report::Report;
use std::io::Write;

/// Writes `main;load;alloc 4096 8192`, the chosen metric before and after: what
/// `inferno-diff-folded` writes of two folded files, sorted by stack. Rows are sites, however the
/// report groups them. Names are those of the capture; of folded captures with the file that
/// stands in them.
///
/// Errors: `out` cannot be written to.
pub fn folded(report: &Report<'_>, out: &mut dyn Write) -> Result<()> {
    let sites = report.sites;
    let (before, after) = (
        &sites.values.before()[sites.chosen],
        &sites.values.after()[sites.chosen],
    );
    let rows = sites.stacks.iter().enumerate();
    let rows = rows.map(|(i, &stack)| (stack, [before.get(i), after.get(i)]));
    let with_files = report.captures.iter().all(|c| c.format == "folded");
    let mut merged = Merged::new(rows, report.symbols, |f| name(report, f, with_files));
    merged.sort_by_text();
    let mut out = std::io::BufWriter::with_capacity(64 << 10, out);
    let mut line = String::new();
    for &(stack, [before, after]) in merged.rows() {
        line.clear();
        for name in merged.frames(stack) {
            match (line.is_empty(), name.starts_with('#')) {
                // A number sign at the start of a line would make it a comment.
                (true, true) => line.push('_'),
                (true, false) => {}
                (false, _) => line.push(';'),
            }
            line.push_str(name);
        }
        line.push_str(&format!(" {before} {after}\n"));
        out.write_all(line.as_bytes()).map_err(unwritable)?;
    }
    out.flush().map_err(unwritable)
}

fn name(report: &Report<'_>, frame: FrameId, with_files: bool) -> String {
    let frame = report.symbols.frames.get(frame);
    let text = |id| report.symbols.strings.get(id);
    let mut name = text(frame.function).to_owned();
    let place = if frame.file.is_empty() {
        text(frame.module)
    } else {
        text(frame.file)
    };
    if with_files && !place.is_empty() {
        name.push_str(&match frame.line {
            0 => format!(" ({place})"),
            line => format!(" ({place}:{line})"),
        });
    }
    name
}

/// Writes the difference of every metric as a pprof profile: what is held after, and what was
/// held before with its sign turned and the label `pprof::base`, so that `go tool pprof` prints of
/// this file what it prints of the two captures with `-diff_base`. Rows are sites, however the
/// report groups them.
///
/// Errors: `out` cannot be written to.
pub fn pprof(report: &Report<'_>, out: &mut dyn Write) -> Result<()> {
    let sites = report.sites;
    let count = sites.len();
    let (before, after) = (sites.values.before(), sites.values.after());
    let sampling: Vec<Option<Sampling>> = report.captures.iter().map(|c| c.sampling).collect();
    let same = sampling.windows(2).all(|w| w[0] == w[1]);
    let mean = sampling
        .last()
        .copied()
        .flatten()
        .and_then(|s| s.mean_bytes);
    let source = pprof::Source {
        symbols: report.symbols,
        metrics: &sites.metrics,
        rows: 2 * count,
        default_metric: Some(sites.chosen),
        period: mean.filter(|_| same).map(|mean| mean.round() as i64),
    };
    let row = |i: usize, values: &mut Vec<i64>| {
        let is_base = i >= count;
        let row = if is_base { i - count } else { i };
        let get = |c: &Column| match is_base {
            true => c.get(row).saturating_neg(),
            false => c.get(row),
        };
        values.extend(if is_base { before } else { after }.iter().map(get));
        pprof::Row {
            stack: sites.stacks[row],
            labels: LabelsId::NONE,
            is_base,
            left_out: values.iter().all(|&v| v == 0),
        }
    };
    pprof::write_source(&source, row, out)
}
