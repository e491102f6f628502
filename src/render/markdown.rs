//! The comparison as Markdown that fits into a comment of a pull request: the verdict, a table
//! that sums to the total, and the rest folded away.
//!
//! Names are hostile: they stand in `<code>` with every character escaped that Markdown or HTML
//! would read, and without those that turn the direction of writing.

use super::figures::{amount, noun, plural, rate};
use super::finding::title;
use super::text::{Style, text};
use super::{plain, turns_text, words};
use crate::diff::Side;
use crate::error::Result;
use crate::model::Column;
use crate::report::Report;
use crate::units;
use std::fmt::Write;

/// Comments are refused from 65,536 characters on; counted in bytes, which are no fewer.
const MOST: usize = 65_000;
/// What the table may take of it.
const TABLE: usize = 40_000;
/// What each folded part may take.
const PART: usize = 20_000;
/// Rows, unless the user says otherwise.
const ROWS: usize = 20;
/// Rows that are folded away.
const MORE_ROWS: usize = 80;
/// Sites whose stacks are written out.
const STACKS: usize = 5;
/// Frames of a stack that are written out.
const FRAMES: usize = 40;
/// Characters of a name.
const NAME: usize = 120;

/// Writes the page. `style` gives the number of rows and whether numbers are exact.
///
/// Errors: `out` cannot be written to.
pub fn write(report: &Report<'_>, style: &Style, out: &mut dyn std::io::Write) -> Result<()> {
    let page = Page { report, style };
    let mut markdown = page.headline();
    let table = page.table();
    markdown.push_str(&table.text);
    let parts = [
        page.findings(),
        page.more(table.shown),
        page.stacks(),
        page.captures(),
    ];
    for part in parts.into_iter().flatten() {
        if markdown.len() + part.len() < MOST {
            markdown.push_str(&part);
        }
    }
    plain(&markdown, out)
}

struct Page<'r> {
    report: &'r Report<'r>,
    style: &'r Style,
}

struct Table {
    text: String,
    shown: usize,
}

impl Page<'_> {
    fn amount(&self, n: i128) -> String {
        amount(&self.report.metric().unit, n, self.style.exact)
    }

    /// The first lines of the text output.
    fn headline(&self) -> String {
        let style = Style {
            color: false,
            width: usize::MAX / 2,
            limit: Some(1),
            quiet: true,
            ..self.style.clone()
        };
        let text = text(self.report, &style);
        let mut lines = text.lines().take_while(|l| !l.trim().is_empty());
        let first = lines.next().unwrap_or_default();
        let (word, fact) = first.split_once("  ").unwrap_or((first, ""));
        let fact = fact.trim().replace("   ", ", ");
        let mut out = format!("### {word}: {}\n\n", escape(&fact));
        for line in lines {
            // `@50` would mention somebody. Two spaces at the end of a line are a line break.
            let line = line.trim();
            let line = if line.contains('@') {
                code(line)
            } else {
                escape(line)
            };
            let _ = writeln!(out, "{line}  ");
        }
        out.push('\n');
        out
    }

    /// Rows as many as asked for and as fit; what is left out and the total.
    fn table(&self) -> Table {
        let r = self.report;
        let wanted = match self.style.limit {
            Some(0) => r.order.len(),
            Some(n) => n.min(r.order.len()),
            None => {
                let quiet = |row: &&u32| r.is_quiet(**row as usize);
                let loud = r.order.iter().take_while(|row| !quiet(row)).count();
                loud.min(ROWS)
            }
        };
        let mut out = self.header();
        let mut shown = 0;
        for &row in r.order.iter().take(wanted) {
            let line = self.row(row as usize);
            if out.len() + line.len() > TABLE {
                break;
            }
            out.push_str(&line);
            shown += 1;
        }
        let rest = r.rest(shown);
        if rest.rows > 0 && r.metric().is_additive() {
            let name = format!(
                "{} other {}",
                rest.rows,
                plural(rest.rows, noun(&r.group_by))
            );
            let (before, after) = (rest.before[r.chosen], rest.after[r.chosen]);
            out.push_str(&self.line(None, before, after, "", &name));
        }
        if r.filtered_samples > 0 {
            let of = |columns: &[Column]| {
                let column = columns.get(r.chosen).filter(|c| !c.is_empty());
                column.map_or(0, |c| c.get(0) as i128)
            };
            let (before, after) = (of(r.filtered.before()), of(r.filtered.after()));
            out.push_str(&self.line(None, before, after, "", "left out by filters"));
        }
        if r.metric().is_additive() {
            let (before, after) = r.total(r.chosen);
            let rate = r.per_run.of(&r.totals, &r.metrics, r.chosen, 0);
            out.push_str(&self.line(rate, before, after, r.total_growth().as_str(), "**total**"));
        }
        out.push('\n');
        Table { text: out, shown }
    }

    fn has_rate(&self) -> bool {
        self.report.knows_runs() && self.report.metric().has_per_run()
    }

    fn header(&self) -> String {
        let rate = if self.has_rate() {
            ("| per run ", "|---:")
        } else {
            ("", "")
        };
        format!(
            "{}| growth | before | after | class | {} |\n{}|---:|---:|---:|---|---|\n",
            rate.0,
            noun(&self.report.group_by),
            rate.1
        )
    }

    fn row(&self, row: usize) -> String {
        let r = self.report;
        let (before, after) = r.chosen_ends(row);
        let mut name = words::site(r, row);
        let place = std::mem::take(&mut name.place);
        let mut site = code(&words::shorten(&name.fit(NAME), NAME));
        if !place.is_empty() {
            let _ = write!(site, " {}", escape(&words::shorten(&place, NAME / 2)));
        }
        self.line(
            r.row_per_run(row),
            before as i128,
            after as i128,
            &r.class_words(row),
            &site,
        )
    }

    fn line(
        &self,
        per_run: Option<f64>,
        before: i128,
        after: i128,
        class: &str,
        name: &str,
    ) -> String {
        let mut out = String::new();
        if self.has_rate() {
            let unit = &self.report.metric().unit;
            let rate = per_run.map_or(String::new(), |n| rate(unit, n));
            let _ = write!(out, "| {rate} ");
        }
        let delta = after - before;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {class} | {name} |",
            units::signed(self.amount(delta), delta > 0),
            self.amount(before),
            self.amount(after)
        );
        out
    }

    fn findings(&self) -> Option<String> {
        let r = self.report;
        let mut body = String::new();
        for finding in &r.findings {
            let item = format!(
                "- **{} {}** ({} {}): {}  \n  Refuted by {}.  \n  Next: {}.\n",
                finding.rule.id,
                finding.rule.name,
                finding.severity.as_str(),
                finding.severity_by.words(),
                code(&title(r, finding)),
                escape(finding.refuted_by),
                escape(finding.advice)
            );
            if body.len() + item.len() > PART {
                break;
            }
            body.push_str(&item);
        }
        let count = r.findings.len();
        details(&format!("{count} {}", plural(count, "finding")), &body)
    }

    fn more(&self, shown: usize) -> Option<String> {
        let r = self.report;
        let mut body = self.header();
        let mut count = 0;
        for &row in r.order.iter().skip(shown).take(MORE_ROWS) {
            let line = self.row(row as usize);
            if body.len() + line.len() > PART {
                break;
            }
            body.push_str(&line);
            count += 1;
        }
        let noun = plural(count, noun(&r.group_by));
        details(
            &format!("{count} more {noun}"),
            if count > 0 { &body } else { "" },
        )
    }

    fn stacks(&self) -> Option<String> {
        let r = self.report;
        let crate::report::Keys::Stacks(stacks) = &r.keys else {
            return None;
        };
        let mut body = String::new();
        let changed = r.order.iter().filter(|&&row| r.delta(row as usize) != 0);
        for &row in changed.take(STACKS) {
            let mut list = format!("{}\n\n", code(&words::site(r, row as usize).fit(NAME)));
            let frames: Vec<_> = r.symbols.stacks.frames(stacks[row as usize]).collect();
            let skipped = frames.len().saturating_sub(FRAMES);
            if skipped > 0 {
                let _ = writeln!(list, "- {skipped} outer frames");
            }
            for &frame in &frames[skipped..] {
                let function = words::shorten(&words::function(r, frame), NAME);
                let place = words::place(r, &r.symbols.frames.get(frame));
                let place = escape(&words::shorten(&place, NAME / 2));
                let _ = writeln!(list, "- {} {place}", code(&function));
            }
            list.push('\n');
            if body.len() + list.len() > PART {
                break;
            }
            body.push_str(&list);
        }
        details("Stacks, root first", &body)
    }

    fn captures(&self) -> Option<String> {
        let r = self.report;
        let metric = &r.metric().name;
        let mut body =
            format!("| side | capture | format | runs | {metric} |\n|---|---|---|---:|---:|\n");
        let mut left_out = r.captures.len();
        for (i, capture) in r.captures.iter().enumerate() {
            let side = match capture.side {
                Side::Base => "base",
                Side::New => "new",
            };
            let line = format!(
                "| {side} | {} | {} | {} | {} |\n",
                code(&words::shorten(&capture.path, NAME)),
                capture.format,
                capture.runs().map_or(String::new(), units::plain),
                self.amount(r.totals.series.get(i).map_or(0, |c| c.get(0)) as i128)
            );
            if body.len() + line.len() > PART {
                break;
            }
            body.push_str(&line);
            left_out -= 1;
        }
        if left_out > 0 {
            let _ = writeln!(body, "\n{left_out} more {}", plural(left_out, "capture"));
        }
        for note in r.notes.iter().take(10) {
            let _ = writeln!(body, "\n{}", escape(&words::shorten(note, 500)));
        }
        details("Captures", &body)
    }
}

/// A part that is folded away; nothing where it is empty.
fn details(summary: &str, body: &str) -> Option<String> {
    let body = body.trim_end();
    (!body.is_empty())
        .then(|| format!("<details><summary>{summary}</summary>\n\n{body}\n\n</details>\n\n"))
}

/// A name, to be read as it is.
fn code(name: &str) -> String {
    format!("<code>{}</code>", escape(name))
}

/// Text in which Markdown and HTML find nothing to read, nobody to mention and nothing to link.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let chars: Vec<char> = text.chars().collect();
    for (i, &c) in chars.iter().enumerate() {
        let beside = |at: Option<usize>| {
            let c = at.and_then(|at| chars.get(at));
            c.is_some_and(|c| c.is_alphanumeric())
        };
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            // Inside of a word an underscore stands for itself.
            '_' if beside(i.checked_sub(1)) && beside(Some(i + 1)) => out.push('_'),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '$' | '@' | '#' => {
                let _ = write!(out, "&#{};", c as u32);
            }
            ':' if chars.get(i + 1) == Some(&'/') => out.push_str("&#58;"),
            c if c.is_control() || turns_text(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_read() {
        assert_eq!(escape("a|b`c`<script>"), "a&#124;b&#96;c&#96;&lt;script>");
        assert_eq!(
            escape("snake_case __init__"),
            "snake_case &#95;&#95;init&#95;&#95;"
        );
        assert_eq!(
            escape("https://x\n\u{202e}"),
            "https&#58;//x\u{fffd}\u{fffd}"
        );
        assert_eq!(escape("@all"), "&#64;all");
    }
}
