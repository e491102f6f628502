//! `--path-to`: the ways to objects, as a tree.

use super::super::text::Style;
use crate::graph::ways::Ways;
use crate::units;

/// Lines that are shown where the user asks for no number.
const MOST_LINES: usize = 40;

/// Appends the tree.
pub fn write(ways: &Ways, out: &mut String, style: &Style) {
    let count = |n: u64| units::grouped(i128::from(n));
    out.push_str(&format!(
        "{} objects match {}",
        count(ways.objects),
        ways.query
    ));
    match ways.unreachable {
        0 => out.push('\n'),
        n => out.push_str(&format!(", {} of them reached from no root\n", count(n))),
    }
    let most = match style.limit {
        Some(0) => usize::MAX,
        limit => limit.unwrap_or(MOST_LINES),
    };
    let width = ways.lines.first().map_or(1, |l| count(l.2).len());
    for (depth, words, n) in ways.lines.iter().take(most) {
        let indent = (*depth as usize).min(40) * 2;
        out.push_str(&format!("{:>width$}  {:indent$}{words}\n", count(*n), ""));
    }
    if ways.lines.len() > most {
        let more = ways.lines.len() - most;
        out.push_str(&format!("... {more} more lines (--limit 0 shows all)\n"));
    }
    if !ways.unavoidable.is_empty() {
        out.push_str("every way to the largest goes through:\n");
        for (i, words) in ways.unavoidable.iter().enumerate() {
            let indent = (i + 1).min(40) * 2;
            out.push_str(&format!("{:indent$}{words}\n", ""));
        }
    }
}
