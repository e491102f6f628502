//! Object graphs as Markdown and as comma-separated values.

use super::super::text::Style;
use crate::error::{Code, Error, Result};
use crate::report::graph::GraphReport;
use crate::units;
use crate::verdict::graph::path_words;
use std::io::Write;

/// Types that Markdown lists where the user asks for no number.
const MOST: usize = 20;

/// A cell of a Markdown table.
fn cell(text: &str) -> String {
    super::clean(text).replace('|', "\\|").replace('`', "'")
}

/// Writes Markdown: the text as it is, then what grows as tables. Errors: `out` cannot be
/// written to.
pub fn markdown(report: &GraphReport, style: &Style, out: &mut dyn Write) -> Result<()> {
    let mut text = format!("### {}\n\n```\n", report.verdict.verdict.headline());
    let plain = Style {
        color: false,
        width: 100,
        quiet: true,
        ..*style
    };
    text.push_str(&super::text(report, &plain).replace("```", "'''"));
    text.push_str("```\n");
    if !report.verdict.conclusions.is_empty() {
        text.push_str("\n| rule | severity | finding | advice |\n|---|---|---|---|\n");
        for c in &report.verdict.conclusions {
            text.push_str(&format!(
                "| {} | {} {} | {} | {} |\n",
                c.rule.id,
                c.severity.as_str(),
                c.severity_by.words(),
                cell(&c.title),
                cell(&c.advice)
            ));
        }
    }
    let most = match style.limit {
        Some(0) => usize::MAX,
        limit => limit.unwrap_or(MOST),
    };
    text.push_str("\n<details><summary>Types</summary>\n\n");
    text.push_str("| objects | own bytes | kept | class | type |\n|--:|--:|--:|---|---|\n");
    for row in super::histogram::order(report).into_iter().take(most) {
        let last = row.counts.last().copied().unwrap_or_default();
        let kept = match report.outcome.types_only {
            true => String::new(),
            false => units::bytes(i128::from(last.retained)),
        };
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            units::grouped(i128::from(last.count)),
            units::bytes(i128::from(last.shallow)),
            kept,
            row.trends[1].growth.as_str().unwrap_or(""),
            cell(&row.name)
        ));
    }
    text.push_str("\n</details>\n");
    super::super::plain(&text, out)
}

/// Writes one row a type, cycle and holder. Errors: `out` cannot be written to.
pub fn csv(report: &GraphReport, out: &mut dyn Write) -> Result<()> {
    let failed = |e: csv::Error| Error::new(Code::Unwritable, e.to_string());
    let mut w = csv::Writer::from_writer(out);
    w.write_record([
        "row",
        "name",
        "before",
        "after",
        "shallow_bytes",
        "retained_bytes",
        "per_run",
        "growth",
        "frees_bytes",
    ])
    .map_err(failed)?;
    let rate = |n: Option<f64>| n.map_or(String::new(), |n| n.to_string());
    let ends = |series: &[u64]| {
        let first = series.first().copied().unwrap_or(0);
        (
            first.to_string(),
            series.last().copied().unwrap_or(0).to_string(),
        )
    };
    for row in super::histogram::order(report) {
        let series: Vec<u64> = row.counts.iter().map(|c| c.count).collect();
        let (before, after) = ends(&series);
        let last = row.counts.last().copied().unwrap_or_default();
        w.write_record([
            "type".to_owned(),
            guarded(&row.name),
            before,
            after,
            last.shallow.to_string(),
            match report.outcome.types_only {
                true => String::new(),
                false => last.retained.to_string(),
            },
            rate(row.trends[1].per_run),
            row.trends[1].growth.as_str().unwrap_or("").to_owned(),
            String::new(),
        ])
        .map_err(failed)?;
    }
    for row in &report.outcome.cycles {
        let series: Vec<u64> = row.occurrences.iter().map(|&n| u64::from(n)).collect();
        let (before, after) = ends(&series);
        w.write_record([
            "cycle".to_owned(),
            guarded(&row.signature),
            before,
            after,
            row.shallow.to_string(),
            row.retained.last().copied().unwrap_or(0).to_string(),
            rate(row.trends[1].per_run),
            row.trends[1].growth.as_str().unwrap_or("").to_owned(),
            row.cut.frees.to_string(),
        ])
        .map_err(failed)?;
    }
    for row in &report.outcome.holders {
        let (before, after) = ends(&row.series);
        w.write_record([
            "holder".to_owned(),
            guarded(&path_words(&row.path)),
            before,
            after,
            String::new(),
            row.retained.to_string(),
            rate(row.trend.per_run),
            row.trend.growth.as_str().unwrap_or("").to_owned(),
            row.cut.frees.to_string(),
        ])
        .map_err(failed)?;
    }
    w.flush()
        .map_err(|e| Error::new(Code::Unwritable, e.to_string()))
}

/// A name that a spreadsheet does not take for a formula.
fn guarded(name: &str) -> String {
    match name.bytes().next() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => format!("'{name}"),
        _ => name.to_owned(),
    }
}
