//! One capture as text and JSON: what it is, its totals, its top sites.

use super::figures::{amount, noun, plural};
use super::fold::fold;
use super::text::{BOLD, FAINT, Style, paint};
use super::words;
use crate::report::{CaptureInfo, Report};
use crate::units;
use serde_json::{Map, Value, json};
use std::fmt::Write;

const MOST_ROWS: usize = 10;

/// What a capture is and holds; ends with a line feed.
pub fn text(report: &Report<'_>, style: &Style) -> String {
    let mut out = String::new();
    for capture in &report.captures {
        head(&mut out, capture, style);
    }
    totals(&mut out, report, style);
    out.push('\n');
    table(&mut out, report, style);
    if !style.quiet {
        for (label, line) in super::patterns::lines(report, style.width) {
            let label = paint(style.color, BOLD, &format!("{label:<6}"));
            let _ = writeln!(out, "{label}{line}");
        }
        let mut said: Vec<&str> = Vec::new();
        let of_captures = report.captures.iter().flat_map(|c| &c.notes);
        for note in report.notes.iter().chain(of_captures) {
            if said.contains(&note.as_str()) {
                continue;
            }
            said.push(note);
            for (i, part) in fold(note, style.width, 6, 6).into_iter().enumerate() {
                let label = paint(style.color, BOLD, "note  ");
                let _ = match i {
                    0 => writeln!(out, "{label}{part}"),
                    _ => writeln!(out, "      {part}"),
                };
            }
        }
    }
    out
}

fn head(out: &mut String, capture: &CaptureInfo, style: &Style) {
    let _ = writeln!(out, "{}", paint(style.color, BOLD, &clean(&capture.path)));
    let mut line = |label: &str, text: &str| {
        let _ = writeln!(out, "  {label:<10}{}", clean(text));
    };
    let producer = capture
        .producer
        .as_deref()
        .map_or(String::new(), |p| format!(", written by {p}"));
    line("format", &format!("{}{producer}", capture.format));
    if let Some(command) = &capture.command {
        line("command", command);
    }
    if let Some(moment) = capture.moment.as_ref().filter(|m| *m != "the end") {
        line("moment", moment);
    }
    for (name, value) in &capture.drivers {
        line(name, &units::plain(*value));
    }
    if let Some(sampling) = &capture.sampling {
        let text = match (sampling.mean_bytes, sampling.estimated_mean_bytes) {
            (Some(mean), _) => format!(
                "one sample in {} on average; values are estimates",
                units::bytes(mean as i128)
            ),
            (None, Some(mean)) => format!(
                "about one sample in {}; values are estimates",
                units::bytes(mean as i128)
            ),
            (None, None) => "at an unknown rate; values are estimates".to_owned(),
        };
        line("sampled", &text);
    }
    if let Some(s) = &capture.salvaged {
        line(
            "cut short",
            &format!(
                "{}; read {} of {} bytes",
                s.reason,
                units::grouped(s.read_bytes as i128),
                units::grouped(s.of_bytes as i128)
            ),
        );
    }
}

fn totals(out: &mut String, report: &Report<'_>, style: &Style) {
    let empty = Vec::new();
    let totals = report.captures.last().map_or(&empty, |c| &c.totals);
    let width = totals.iter().map(|(m, _)| m.name.len()).max().unwrap_or(0);
    for (metric, total) in totals {
        let mark = if metric.name == report.metric().name {
            "*"
        } else {
            " "
        };
        let unit = match &metric.unit {
            crate::model::Unit::Named(name) => format!(" {name}"),
            _ => String::new(),
        };
        let value = amount(&metric.unit, *total, style.exact);
        let _ = writeln!(out, " {mark}{:<width$}  {value:>12}{unit}", metric.name);
    }
}

/// The rows, the largest first.
pub(super) fn table(out: &mut String, report: &Report<'_>, style: &Style) {
    let held = |row: &&u32| report.chosen_ends(**row as usize).1 != 0;
    let shown = match style.limit {
        Some(0) => report.order.len(),
        Some(n) => n.min(report.order.len()),
        None => report.order.iter().take(MOST_ROWS).take_while(held).count(),
    };
    let unit = &report.metric().unit;
    let (_, total) = report.total(report.chosen);
    let share = |n: i128| match units::percent(n, total) {
        None => String::new(),
        Some(p) if n != 0 && p.abs() < 0.05 => "< 0.1 %".to_owned(),
        Some(p) => format!("{p:.1} %"),
    };
    let header = format!(
        "{:>12}  {:>10}  {}",
        report.metric().name,
        "% of total",
        noun(&report.group_by)
    );
    let _ = writeln!(out, "{}", paint(style.color, FAINT, &header));
    let room = style.width.saturating_sub(26).max(16);
    for &row in report.order.iter().take(shown) {
        let (_, value) = report.chosen_ends(row as usize);
        let name = words::site(report, row as usize).fit(room);
        let _ = writeln!(
            out,
            "{:>12}  {:>10}  {name}",
            amount(unit, value as i128, style.exact),
            share(value as i128)
        );
    }
    let rest = report.rest(shown);
    if rest.rows > 0 {
        let value = rest.after[report.chosen];
        let name = format!(
            "{} other {}",
            rest.rows,
            plural(rest.rows, noun(&report.group_by))
        );
        let _ = writeln!(
            out,
            "{:>12}  {:>10}  {name}",
            amount(unit, value, style.exact),
            share(value)
        );
    }
    if report.filtered_samples > 0 {
        let value = report
            .filtered
            .after()
            .get(report.chosen)
            .map_or(0, |c| c.get(0)) as i128;
        let _ = writeln!(
            out,
            "{:>12}  {:>10}  left out by filters",
            amount(unit, value, style.exact),
            share(value)
        );
    }
    let _ = writeln!(
        out,
        "{:>12}  {:>10}  total",
        amount(unit, total, style.exact),
        share(total)
    );
}

fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// One capture as JSON.
pub fn document(report: &Report<'_>, limit: Option<usize>) -> Value {
    let strings = &report.symbols.strings;
    let shown = limit
        .filter(|&n| n > 0)
        .unwrap_or(usize::MAX)
        .min(report.order.len());
    let metrics = |values: &dyn Fn(usize) -> i128| -> Map<String, Value> {
        report
            .metrics
            .iter()
            .enumerate()
            .map(|(i, m)| (m.name.clone(), integer(values(i))))
            .collect()
    };
    let sites: Vec<Value> = report.order[..shown]
        .iter()
        .map(|&row| {
            let row = row as usize;
            let frames: Vec<Value> = report
                .frames(row)
                .iter()
                .map(|f| {
                    json!({
                        "function": strings.get(f.function), "file": strings.get(f.file),
                        "line": f.line, "module": strings.get(f.module), "inlined": f.inlined,
                    })
                })
                .collect();
            let values = metrics(&|i| report.values.after()[i].get(row) as i128);
            json!({ "id": report.id(row).to_string(), "frames": frames, "owner": report.owner(row), "values": values })
        })
        .collect();
    let rest = report.rest(shown);
    let capture = report.captures.last();
    let totals: Map<String, Value> = capture
        .map(|c| {
            c.totals
                .iter()
                .map(|(m, total)| (m.name.clone(), integer(*total)))
                .collect()
        })
        .unwrap_or_default();
    json!({
        "path": capture.map(|c| c.path.as_str()),
        "format": capture.map(|c| c.format),
        "producer": capture.and_then(|c| c.producer.as_deref()),
        "command": capture.and_then(|c| c.command.as_deref()),
        "metric": report.metric().name,
        "group_by": report.group_by.name(),
        "totals": totals,
        "sites": sites,
        "omitted": { "sites": rest.rows, "values": metrics(&|i| rest.after[i]) },
        "notes": capture.map(|c| c.notes.as_slice()),
    })
}

/// Sums exceed 64 bits in damaged files only; they are then given as text.
fn integer(n: i128) -> Value {
    i64::try_from(n).map_or_else(|_| Value::String(n.to_string()), Value::from)
}

/// The document of several captures.
pub fn json(documents: &[Value]) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(
        &json!({ "schema": "heapdiff.inspect/1", "captures": documents }),
    )
    .unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
