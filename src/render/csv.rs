//! The comparison as comma-separated values: raw integers, one row a site.
//!
//! The column `row` tells sites from the sums behind them: `omitted`, `filtered` and `total`.
//! Without the total the columns add up to it.

use super::unwritable;
use crate::error::{Code, Error, Result};
use crate::model::{Column, FrameId};
use crate::report::{Keys, Report};
use std::io::Write;

/// Writes the table. `limit`: number of sites, all when none or 0; the others are summed up.
///
/// Errors: `out` cannot be written to.
pub fn write(report: &Report<'_>, limit: Option<usize>, out: &mut dyn Write) -> Result<()> {
    let mut table = Table {
        report,
        metrics: metrics(report),
        out: csv::Writer::from_writer(out),
        cells: Vec::new(),
    };
    let shown = super::shown(report, limit);
    table.header()?;
    for &row in &report.order[..shown] {
        table.site(row as usize)?;
    }
    let rest = report.rest(shown);
    if rest.rows > 0 {
        let ends = |i: usize| (rest.before[i], rest.after[i]);
        table.sum("omitted", rest.rows as u64, "", ends, |_| None)?;
    }
    if report.filtered_samples > 0 {
        let of = |columns: &[Column], i: usize| {
            let column = columns.get(i).filter(|c| !c.is_empty());
            column.map_or(0, |c| c.get(0) as i128)
        };
        let (before, after) = (report.filtered.before(), report.filtered.after());
        let ends = |i: usize| (of(before, i), of(after, i));
        table.sum("filtered", report.filtered_samples, "", ends, |_| None)?;
    }
    let growth = report.total_growth().as_str();
    let rate = |i| report.per_run.of(&report.totals, &report.metrics, i, 0);
    let sites = report.len() as u64 + report.filtered_samples;
    table.sum("total", sites, growth, |i| report.total(i), rate)?;
    table.out.flush().map_err(unwritable)
}

/// Metrics that can be added up, and the chosen one.
fn metrics(report: &Report<'_>) -> Vec<usize> {
    let all = 0..report.metrics.len();
    all.filter(|&i| report.metrics[i].is_additive() || i == report.chosen)
        .collect()
}

struct Table<'r, W: Write> {
    report: &'r Report<'r>,
    metrics: Vec<usize>,
    out: csv::Writer<W>,
    cells: Vec<String>,
}

impl<W: Write> Table<'_, W> {
    fn header(&mut self) -> Result<()> {
        for name in [
            "row", "id", "sites", "growth", "function", "file", "line", "module",
        ] {
            self.cells.push(name.to_owned());
        }
        for &i in &self.metrics {
            let name = &self.report.metrics[i].name;
            for what in ["before", "after", "delta", "per_run"] {
                if what != "per_run" || self.report.metrics[i].has_per_run() {
                    self.cells.push(format!("{name}_{what}"));
                }
            }
        }
        self.cells.push("stack".to_owned());
        self.end()
    }

    fn site(&mut self, row: usize) -> Result<()> {
        let r = self.report;
        let text = |id| r.symbols.strings.get(id);
        let frames = r.frames(row);
        let owner = r.owner(row).and_then(|i| frames.get(i)).or(frames.last());
        self.cells.push("site".to_owned());
        self.cells.push(r.id(row).to_string());
        self.cells.push("1".to_owned());
        self.cells.push(r.growth(row).as_str().to_owned());
        match owner {
            Some(frame) => {
                self.cells.push(harmless(text(frame.function)));
                self.cells.push(harmless(&r.names.file(text(frame.file))));
                let line = if frame.line > 0 {
                    frame.line.to_string()
                } else {
                    String::new()
                };
                self.cells.push(line);
                self.cells.push(harmless(text(frame.module)));
            }
            None => self.cells.resize(self.cells.len() + 4, String::new()),
        }
        let ends = |i: usize| {
            let (before, after) = r.ends(&r.values, i, row);
            (before as i128, after as i128)
        };
        self.numbers(ends, |i| r.per_run.of(&r.values, &r.metrics, i, row));
        self.cells.push(harmless(&stack(r, row)));
        self.end()
    }

    fn sum(
        &mut self,
        what: &str,
        sites: u64,
        growth: &str,
        ends: impl Fn(usize) -> (i128, i128),
        rate: impl Fn(usize) -> Option<f64>,
    ) -> Result<()> {
        self.cells.push(what.to_owned());
        self.cells.push(String::new());
        self.cells.push(sites.to_string());
        self.cells.push(growth.to_owned());
        self.cells.resize(self.cells.len() + 4, String::new());
        self.numbers(ends, rate);
        self.cells.push(String::new());
        self.end()
    }

    fn numbers(
        &mut self,
        ends: impl Fn(usize) -> (i128, i128),
        rate: impl Fn(usize) -> Option<f64>,
    ) {
        for &i in &self.metrics {
            let (before, after) = ends(i);
            for n in [before, after, after - before] {
                self.cells.push(n.to_string());
            }
            if self.report.metrics[i].has_per_run() {
                let rate = rate(i).filter(|n| n.is_finite());
                self.cells
                    .push(rate.map_or(String::new(), |n| n.to_string()));
            }
        }
    }

    fn end(&mut self) -> Result<()> {
        let written = self.out.write_record(&self.cells);
        self.cells.clear();
        written.map_err(|e| Error::new(Code::Unwritable, e.to_string()))
    }
}

/// The functions of a row, root first, with semicolons between.
fn stack(report: &Report<'_>, row: usize) -> String {
    let Keys::Stacks(stacks) = &report.keys else {
        return String::new();
    };
    let name = |f: FrameId| {
        let function = report.symbols.frames.get(f).function;
        report.symbols.strings.get(function).replace(';', ":")
    };
    let frames = report.symbols.stacks.frames(stacks[row]);
    frames.map(name).collect::<Vec<_>>().join(";")
}

/// Text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    const STARTS: [char; 10] = [
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}',
    ];
    let risky = text.trim_start_matches(' ').starts_with(STARTS) || text.starts_with('\u{ff20}');
    if risky {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text() {
        assert_eq!(harmless("=cmd()"), "'=cmd()");
        assert_eq!(harmless("  -1"), "'  -1");
        assert_eq!(harmless("a=b"), "a=b");
    }
}
