//! A comment on a pull request: the verdict first, tables, the marker last.

use super::{Level, View, limit, problems, value, word};
use crate::error::Result;
use crate::units;
use crate::verdict::GateVerdict;
use std::fmt::Write as _;
use std::io::Write;

/// Characters that a comment may have on GitHub, less some room.
pub const MOST_CHARACTERS: usize = 65_000;
/// Bytes that the summary of a step may have, less some room: beyond 1 MiB none of it is shown.
pub const MOST_BYTES_OF_SUMMARY: usize = 900 << 10;
/// By this line a job finds its own comment again.
pub const MARKER: &str =
    "<!-- heapdiff gate: keep this line, the next run finds the comment by it -->";

/// Writes the comment. What does not fit is counted.
///
/// Errors: `out` cannot be written to.
pub fn write(view: &View<'_>, out: &mut dyn Write) -> Result<()> {
    super::super::plain(&page(view, MOST_CHARACTERS), out)
}

/// Writes the summary of a job: the same with more rows.
///
/// Errors: `out` cannot be written to.
pub fn write_summary(view: &View<'_>, out: &mut dyn Write) -> Result<()> {
    super::super::plain(&page(view, MOST_BYTES_OF_SUMMARY), out)
}

/// The page in at most `most` bytes.
pub fn page(view: &View<'_>, most: usize) -> String {
    let gate = view.gate;
    let mut out = String::new();
    let sign = match gate.verdict {
        GateVerdict::Pass => "PASS",
        GateVerdict::Fail => "REGRESSION",
        GateVerdict::Inconclusive => "CANNOT TELL",
    };
    let _ = writeln!(out, "### {sign}: {}\n", cell(&view.summary()));
    if let Some(base) = &gate.base {
        let _ = writeln!(out, "Held against {}.\n", code(base));
    }
    let mut tail = String::new();
    let next = view.next();
    if !next.is_empty() {
        let _ = writeln!(tail, "\nNext: {}", code(&next));
    }
    let _ = writeln!(tail, "\n{MARKER}");
    // Room that the closing lines and a line that says what is missing take.
    let room = most.saturating_sub(tail.len() + 400);
    let head = "| budget | measured | limit | |\n|---|---|---|---|\n";
    let budgets = gate.outcomes.iter().map(|o| {
        let (name, word) = (cell(&o.budget.name), word(o));
        let word = match word {
            "broken" => "**broken**",
            other => other,
        };
        format!(
            "| {name} | {} | {} | {word} |\n",
            cell(&value(o)),
            cell(&limit(o))
        )
    });
    // Budgets take a third at most, so that sites have a place, too.
    rows(head, budgets, "budgets", room / 3, &mut out);
    for outcome in gate.open().take(10) {
        if let Some((why, next)) = view.lacking(outcome) {
            let line = format!(
                "\n- **{}**: {}; {}",
                cell(&outcome.budget.name),
                cell(&why),
                cell(&next)
            );
            if out.len() + line.len() < room / 2 {
                out.push_str(&line);
            }
        }
    }
    let all = problems(view);
    let sites: Vec<_> = all
        .iter()
        .filter(|p| p.level == Level::Error && !p.finding.is_empty())
        .collect();
    if !sites.is_empty() {
        let head = "\n| growth | site | accept it as |\n|---:|---|---|\n";
        let lines = sites.iter().map(|p| {
            let name = p.place.as_ref().map_or_else(
                || cell(p.message.split(": budget ").next().unwrap_or(&p.message)),
                |place| {
                    let short = super::super::words::base_name(&place.file);
                    format!(
                        "{} {}",
                        code(&place.function),
                        cell(&format!("{short}:{}", place.line))
                    )
                },
            );
            format!("| {} | {name} | {} |\n", cell(&p.title), code(&p.finding))
        });
        rows(head, lines, "sites", room * 4 / 5, &mut out);
    }
    if !gate.hidden.is_empty() {
        let head = format!(
            "\n<details><summary>{} accepted</summary>\n\n| until | why | hides |\n|---|---|---:|\n",
            gate.hidden.len()
        );
        let lines = gate.hidden.iter().map(|h| {
            let s = &gate.suppressions[h.suppression];
            let until = s.expires.map_or(String::new(), |d| d.to_string());
            format!(
                "| {until} | {}{} | {} |\n",
                cell(&s.reason),
                cell(&s.terms()),
                units::bytes(h.bytes)
            )
        });
        rows(&head, lines, "suppressions", room * 9 / 10, &mut out);
        out.push_str("\n</details>\n");
    }
    for warning in &gate.warnings {
        let line = format!("\n> warning: {}\n", cell(&warning.text));
        if out.len() + line.len() > room {
            break;
        }
        out.push_str(&line);
    }
    out.push_str(&tail);
    out
}

/// A table until it is full, and a line that counts the rest.
fn rows(
    head: &str,
    lines: impl Iterator<Item = String>,
    noun: &str,
    room: usize,
    out: &mut String,
) {
    out.push_str(head);
    let mut left_out = 0;
    for line in lines {
        match left_out == 0 && out.len() + line.len() <= room {
            true => out.push_str(&line),
            false => left_out += 1,
        }
    }
    if left_out > 0 {
        let _ = writeln!(out, "\n{left_out} more {noun} are left out here.");
    }
}

/// Text of a cell: nothing in it is Markdown or HTML.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in super::clean(text).chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // No name of a person is to be called.
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out
}

/// Text as code, in a cell or out of one.
fn code(text: &str) -> String {
    let text = super::clean(text).replace('`', "'").replace('|', "\\|");
    format!("`{text}`")
}
