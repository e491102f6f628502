//! Flamegraphs by inferno: of one capture, and of what grew.
//!
//! A difference is drawn as the flamegraph of the sites that grew, each as wide as its growth: so
//! the width of every caller is right, which it is not where widths are those of one side.

use super::homes::without_homes;
use super::merged::Merged;
use super::{unwritable, words};
use crate::error::Result;
use crate::model::{FrameId, StackId, Unit};
use crate::report::Report;
use inferno::flamegraph::{Options, from_lines};
use std::io::Write;

/// Stacks that are drawn; the others are summed up as one.
const MOST_STACKS: usize = 20_000;
/// Names are cut in the middle to this many characters.
const NAME: usize = 300;
/// The same for paths in the title.
const PATH: usize = 60;

/// A flamegraph of what the last capture holds.
///
/// Errors: none that depends on the capture.
pub fn flamegraph(report: &Report<'_>) -> Result<Vec<u8>> {
    let after = &report.sites.values.after()[report.sites.chosen];
    let path = report.captures.last().map_or("", |c| &c.path);
    let mut bytes = Vec::new();
    let picture = Picture {
        title: format!("{} by site", report.metric().name),
        subtitle: words::shorten(path, PATH),
        empty: "no site holds anything",
    };
    picture.draw(report, |i| after.get(i), &mut bytes)?;
    Ok(without_homes(&String::from_utf8_lossy(&bytes))
        .into_owned()
        .into_bytes())
}

/// Writes a flamegraph of the sites that grew.
///
/// Errors: `out` cannot be written to.
pub fn growth(report: &Report<'_>, out: &mut dyn Write) -> Result<()> {
    let sites = report.sites;
    let (before, after) = (
        &sites.values.before()[sites.chosen],
        &sites.values.after()[sites.chosen],
    );
    let path = |capture: Option<&crate::report::CaptureInfo>| {
        capture.map_or(String::new(), |c| words::shorten(&c.path, PATH))
    };
    let base = match report.has_two_sides() {
        true => report
            .captures
            .iter()
            .rfind(|c| c.side == crate::diff::Side::Base),
        false => report.captures.first(),
    };
    let picture = Picture {
        title: format!("Growth of {} by site", report.metric().name),
        subtitle: format!(
            "from {} to {}; sites that shrank are not drawn",
            path(base),
            path(report.captures.last())
        ),
        empty: "no site grew",
    };
    let mut bytes = Vec::new();
    let grew = |i| after.get(i).saturating_sub(before.get(i));
    picture.draw(report, grew, &mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    out.write_all(without_homes(&text).as_bytes())
        .map_err(unwritable)
}

struct Picture {
    title: String,
    subtitle: String,
    empty: &'static str,
}

impl Picture {
    /// Draws the sites whose `value` is positive.
    fn draw(
        &self,
        report: &Report<'_>,
        value: impl Fn(usize) -> i64,
        out: &mut dyn Write,
    ) -> Result<()> {
        let stacks = report.sites.stacks.iter().enumerate();
        let rows = stacks
            .map(|(i, &stack)| (stack, [value(i)]))
            .filter(|(_, [value])| *value > 0);
        let mut merged = Merged::new(rows, report.symbols, |f| name(report, f));
        let total: i128 = merged.rows().iter().map(|(_, [value])| value).sum();
        if total == 0 {
            return self.nothing(out);
        }
        let rest = keep_largest(&mut merged);
        // inferno adds up in 64 bits.
        let mut shift = 0;
        while total >> shift > i64::MAX as i128 / 4 {
            shift += 1;
        }
        merged.sort_by_frame();
        let mut lines: Vec<String> = Vec::with_capacity(merged.rows().len() + 1);
        for &(stack, [value]) in merged.rows() {
            lines.push(line(&merged, stack, value >> shift));
        }
        if let Some((count, value)) = rest {
            lines.push(format!(
                "[{count}\u{a0}smaller\u{a0}sites] {}",
                value >> shift
            ));
        }
        let unit = match &report.metric().unit {
            Unit::Bytes => "bytes",
            Unit::Count => "blocks",
            Unit::Named(name) => name,
        };
        let mut options = Options::default();
        options.title = xml(&self.title);
        options.subtitle = Some(xml(&format!(
            "{} in all{}; {}",
            super::figures::amount(&report.metric().unit, total, false),
            if shift > 0 {
                format!(", drawn as 1/{}", 1i128 << shift)
            } else {
                String::new()
            },
            self.subtitle
        )));
        options.count_name = xml(unit);
        options.font_type = "monospace".to_owned();
        options.deterministic = true;
        // Lines come in the order that keeps callers together; inferno would sort them by bytes
        // and split a caller where another name begins with its own. It reverses them in this mode.
        options.flame_chart = true;
        let mut out = std::io::BufWriter::with_capacity(64 << 10, out);
        from_lines(
            &mut options,
            lines.iter().rev().map(String::as_str),
            &mut out,
        )
        .map_err(unwritable)?;
        out.flush().map_err(unwritable)
    }

    /// A picture that says that there is nothing to see.
    fn nothing(&self, out: &mut dyn Write) -> Result<()> {
        let text = format!(
            concat!(
                r#"<?xml version="1.0" standalone="no"?>"#,
                "\n",
                r#"<svg version="1.1" width="800" height="100" viewBox="0 0 800 100" "#,
                r#"xmlns="http://www.w3.org/2000/svg" font-family="monospace" font-size="12">"#,
                r#"<text x="20" y="30" font-size="16">{}</text><text x="20" y="55">{}</text>"#,
                r#"<text x="20" y="80">{}</text></svg>"#,
                "\n"
            ),
            escape(&self.title),
            escape(&self.subtitle),
            self.empty
        );
        out.write_all(text.as_bytes()).map_err(unwritable)
    }
}

/// Keeps the largest rows; returns the number of the others and their sum.
fn keep_largest(merged: &mut Merged<1>) -> Option<(usize, i128)> {
    let rows = merged.rows();
    if rows.len() <= MOST_STACKS {
        return None;
    }
    let mut values: Vec<i128> = rows.iter().map(|(_, [value])| *value).collect();
    values.sort_unstable_by(|a, b| b.cmp(a));
    let bound = values[MOST_STACKS];
    let (mut count, mut sum) = (0, 0);
    merged.retain(|(_, [value])| {
        let keep = *value > bound;
        if !keep {
            count += 1;
            sum += value;
        }
        keep
    });
    Some((count, sum))
}

fn line(merged: &Merged<1>, stack: StackId, value: i128) -> String {
    let mut line = String::new();
    for name in merged.frames(stack) {
        if !line.is_empty() {
            line.push(';');
        }
        line.push_str(name);
    }
    line.push_str(&format!(" {value}"));
    line
}

/// A frame's name as people read it. Plain spaces would let inferno take the end of a name for a
/// number, or the start of one for a comment.
fn name(report: &Report<'_>, frame: FrameId) -> String {
    let name = words::shorten(&words::function(report, frame), NAME);
    let name: String = xml(name.trim()).replace(' ', "\u{a0}");
    if name.is_empty() {
        "???".to_owned()
    } else {
        name
    }
}

/// Text without characters that XML cannot hold or that turn the direction of writing.
fn xml(text: &str) -> String {
    let plain = |c: char| match c {
        c if c.is_control() || super::turns_text(c) => '\u{fffd}',
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c => c,
    };
    text.chars().map(plain).collect()
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in xml(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_into_xml() {
        assert_eq!(
            escape("a<b>&\u{1}\u{202e}"),
            "a&lt;b&gt;&amp;\u{fffd}\u{fffd}"
        );
    }
}
