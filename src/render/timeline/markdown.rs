//! The timeline as Markdown that fits into an incident's thread.

use super::super::plain as write_plain;
use super::text::headline;
use super::{clean, plot, rate, stamp};
use crate::error::Result;
use crate::report::TimelineReport;
use crate::units;
use std::fmt::Write;

/// Rows of a table.
const ROWS: usize = 40;

/// Writes the page.
///
/// Errors: `out` cannot be written to.
pub fn write(report: &TimelineReport, out: &mut dyn std::io::Write) -> Result<()> {
    let mut text = String::new();
    let (word, sentence) = headline(report);
    let _ = writeln!(text, "### {word}: {}\n", escape(&sentence));
    if let Some(first) = report.rated.first() {
        let _ = writeln!(text, "```text");
        for line in plot(report.curve(first), 90) {
            let _ = writeln!(text, "{}", line.replace('`', "'"));
        }
        let _ = writeln!(text, "```\n");
    }
    let t = &report.timeline;
    let _ = writeln!(
        text,
        "| service | metric | MB/h | 95 % | class | severity |\n|---|---|--:|---|---|---|"
    );
    for &at in t.primary.iter().take(ROWS) {
        let c = &t.curves[at];
        let severity = report.rated.iter().find(|r| r.curve == at);
        let (value, interval) = match c.rate {
            Some(r) => (rate(r.value), format!("{} to {}", rate(r.lo), rate(r.hi))),
            None => ("unknown".to_owned(), String::new()),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {value} | {interval} | {} | {} |",
            code(&c.series.name.service),
            code(&c.series.name.metric),
            c.class.as_str(),
            severity.map_or("none".to_owned(), |r| format!(
                "{} {}",
                r.severity.as_str(),
                r.by.words()
            ))
        );
    }
    if !report.findings.is_empty() {
        let _ = writeln!(text, "\n**Findings**\n");
        for f in report.findings.iter().take(ROWS) {
            let _ = writeln!(
                text,
                "- {} {} ({} {}): {}. Refuted by {}.",
                f.rule.id,
                f.rule.name,
                f.severity.as_str(),
                f.severity_by.words(),
                escape(&f.title),
                f.refuted_by
            );
        }
    }
    requests(report, &mut text);
    if !report.incident.is_empty() {
        let _ = writeln!(text, "\n**Incident**\n\n| time | what |\n|---|---|");
        for d in report.incident.iter().take(ROWS) {
            let _ = writeln!(text, "| {} | {} |", stamp(d.time), escape(&d.what));
        }
    }
    if !report.ruled_out.is_empty() {
        let _ = writeln!(text, "\n<details><summary>Ruled out</summary>\n");
        for r in report.ruled_out.iter().take(ROWS) {
            let _ = writeln!(text, "- {}: {}", code(&r.what), escape(&r.why));
        }
        let _ = writeln!(text, "\n</details>");
    }
    write_plain(&text, out)
}

fn requests(report: &TimelineReport, text: &mut String) {
    let Some(requests) = &report.timeline.requests else {
        return;
    };
    let _ = writeln!(
        text,
        "\n**Requests**\n\n| endpoint | requests | failed | timed out | p99 | per request | coincides |\n|---|--:|--:|--:|--:|--:|---|"
    );
    let found = requests.attributions.first().map(|a| &a.1);
    for (i, e) in requests.endpoints.iter().enumerate().take(ROWS) {
        let c = found.and_then(|a| a.endpoints.iter().find(|c| c.endpoint == i));
        let per = c.map_or(String::new(), |c| units::bytes(c.per_request as i128));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {per} | {} |",
            code(&e.name),
            units::grouped(i128::from(e.count)),
            e.errors,
            e.timeouts,
            e.p99_s.map_or(String::new(), |s| format!("{s:.2} s")),
            if c.is_some_and(|c| c.reported) {
                "**yes**"
            } else {
                "no"
            }
        );
    }
}

/// Names are hostile: every character that Markdown or HTML would read is escaped.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn code(text: &str) -> String {
    let mut out = String::from("<code>");
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if "|\\`*_[]~@:{}".contains(c) => out.push_str(&format!("&#{};", c as u32)),
            c => out.push(c),
        }
    }
    out.push_str("</code>");
    out
}
