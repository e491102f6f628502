//! The call tree and the neighbours of a function as text.

use super::figures::amount;
use super::text::{BOLD, FAINT, Style, paint};
use super::words::shorten;
use crate::diff::{CallTree, Change, Peek};
use crate::model::StrId;
use crate::report::Report;
use crate::units;
use std::fmt::Write;

/// Lines shown unless the user says otherwise.
const MOST_LINES: usize = 40;
/// Branches below this share of the largest change are summed up.
const SMALL: f64 = 0.005;

/// The call tree, root first, by the size of the change; ends with a line feed.
pub fn tree(report: &Report<'_>, tree: &CallTree, style: &Style) -> String {
    let w = Columns { report, style };
    let mut out = w.header();
    let most = match style.limit {
        Some(0) => usize::MAX,
        Some(n) => n,
        None => MOST_LINES,
    };
    let size = |i: u32| {
        let change = tree.nodes[i as usize].total;
        change.delta().unsigned_abs()
    };
    let churn = tree
        .nodes
        .iter()
        .map(|n| n.total.delta().unsigned_abs())
        .max()
        .unwrap_or(0);
    let small = if style.limit == Some(0) {
        0
    } else {
        (churn as f64 * SMALL) as u128
    };
    let mut open: Vec<(u32, usize)> = vec![(0, 0)];
    let mut lines = 0;
    let mut left_out = 0usize;
    while let Some((at, depth)) = open.pop() {
        if lines >= most {
            left_out += 1 + open.len();
            break;
        }
        lines += 1;
        let node = &tree.nodes[at as usize];
        let name = if at == 0 {
            "total".to_owned()
        } else {
            w.name(node.function)
        };
        // Deep trees are indented by their depth in figures.
        let indent = match depth {
            0..=24 => "  ".repeat(depth),
            _ => format!("{}[{depth}] ", "  ".repeat(24)),
        };
        w.line(&mut out, node.total, &format!("{indent}{name}"));
        let mut children: Vec<u32> = node.children.clone();
        let before = children.len();
        children.retain(|&c| size(c) >= small.max(1) || style.limit == Some(0));
        left_out += before - children.len();
        children.sort_by_key(|&c| (size(c), std::cmp::Reverse(c)));
        open.extend(children.into_iter().map(|c| (c, depth + 1)));
    }
    if left_out > 0 {
        let _ = writeln!(
            out,
            "{left_out} more branches change little or are left out; --limit 0 shows all"
        );
    }
    out
}

/// Callers and callees of each function that was asked for; ends with a line feed.
pub fn peek(report: &Report<'_>, peeks: &[Peek], style: &Style) -> String {
    let w = Columns { report, style };
    if peeks.is_empty() {
        return "no function matches\n".to_owned();
    }
    let most = match style.limit {
        Some(0) => usize::MAX,
        Some(n) => n,
        None => 10,
    };
    let mut out = w.header();
    for (i, peek) in peeks.iter().take(most).enumerate() {
        if i > 0 {
            out.push('\n');
        }
        for (name, change) in &peek.callers {
            let name = if *name == StrId::EMPTY {
                "[root]".to_owned()
            } else {
                w.name(*name)
            };
            w.line(&mut out, *change, &format!("    {name}"));
        }
        let mut own = String::new();
        w.line(&mut own, peek.total, &w.name(peek.function));
        out.push_str(&paint(style.color, BOLD, own.trim_end()));
        out.push('\n');
        if peek.own != Change::default() {
            w.line(&mut out, peek.own, "    [allocated here]");
        }
        for (name, change) in &peek.callees {
            w.line(&mut out, *change, &format!("    {}", w.name(*name)));
        }
    }
    if peeks.len() > most {
        let _ = writeln!(
            out,
            "\n{} more functions match; --limit 0 shows all",
            peeks.len() - most
        );
    }
    out
}

/// A name shortened behind its indent, which stays.
fn indented(name: &str, room: usize) -> String {
    let bare = name.trim_start();
    let indent = name.len() - bare.len();
    format!(
        "{}{}",
        &name[..indent],
        shorten(bare, room.saturating_sub(indent).max(20))
    )
}

struct Columns<'r> {
    report: &'r Report<'r>,
    style: &'r Style,
}

impl Columns<'_> {
    fn header(&self) -> String {
        let head = format!(
            "{:>12}  {:>10}  {:>12}  {:>12}  {}",
            "growth", "change", "before", "after", "function"
        );
        format!("{}\n", paint(self.style.color, FAINT, &head))
    }

    fn line(&self, out: &mut String, change: Change, name: &str) {
        let unit = &self.report.metric().unit;
        let value = |n: i128| amount(unit, n, self.style.exact);
        let delta = units::signed(value(change.delta()), change.delta() > 0);
        let percent = match (change.before, change.after) {
            (b, a) if a == b => "0".to_owned(),
            (0, _) => "new".to_owned(),
            (_, 0) => "gone".to_owned(),
            (b, a) => units::change_percent(a - b, b).unwrap_or_default(),
        };
        let room = self.style.width.saturating_sub(54).max(20);
        let _ = writeln!(
            out,
            "{delta:>12}  {percent:>10}  {:>12}  {:>12}  {}",
            value(change.before),
            value(change.after),
            indented(name, room)
        );
    }

    fn name(&self, function: StrId) -> String {
        let name = self.report.symbols.strings.get(function);
        let name = if name.is_empty() { "???" } else { name };
        name.chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect()
    }
}
