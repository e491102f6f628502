//! The differential flamegraph as one SVG file that zooms, searches and prints by itself.
//!
//! Without scripts it is a finished picture of the asked width; the script inside lays the same
//! numbers out again for another width, order or root.

use super::layout::{Box, Order, Width, layout};
use super::palette::Tone;
use super::tree::FlameTree;
use crate::diff::Side;
use crate::error::Result;
use crate::render::homes::without_homes;
use crate::render::{figures, turns_text, unwritable, words};
use crate::report::{CaptureInfo, Report};
use crate::units;
use std::fmt::Write as _;
use std::io::Write;

/// Frames in one picture.
const MOST: usize = 20_000;
/// Pixels of the picture.
const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 10.0;
const TOP: f64 = 84.0;
const ROW: f64 = 18.0;
/// The base line of a name in its row: an underscore ends above the bar of the change.
const LINE: f64 = 10.5;
/// Pixels of a character of the monospaced font at the size in use.
const CHARACTER: f64 = 6.6;
/// Characters of a path in the subtitle.
const PATH: usize = 60;
const STYLE: &str = include_str!("flame.css");
const SCRIPT: &str = include_str!("flame_svg.js");

/// Draws the difference of a report; `width` is what the picture starts with.
///
/// Errors: `out` cannot be written to.
pub fn write(report: &Report<'_>, width: Width, out: &mut dyn Write) -> Result<()> {
    let tree = super::tree_of(report, MOST);
    let text = picture(report, &tree, width);
    out.write_all(without_homes(&text).as_bytes())
        .map_err(unwritable)
}

fn picture(report: &Report<'_>, tree: &FlameTree, width: Width) -> String {
    let boxes = layout(tree, width, Order::Name);
    let depth = boxes.iter().map(|b| b.depth).max().unwrap_or(0);
    let height = TOP + (depth as f64 + 1.0) * ROW + 40.0;
    let metric = report.metric();
    let amount = |n: i128| figures::amount(&metric.unit, n, false);
    let signed = |n: i128| units::signed(amount(n), n > 0);
    let root = tree.nodes.first().map(|n| n.total).unwrap_or_default();
    let mut out = String::new();
    let _ = writeln!(
        out,
        concat!(
            r#"<?xml version="1.0" encoding="UTF-8" standalone="no"?>"#,
            "\n",
            r#"<svg xmlns="http://www.w3.org/2000/svg" id="flame" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-labelledby="title">"#,
            "\n<style>{style}</style>\n",
            r#"<rect class="paper" width="100%" height="100%"/>"#,
            "\n",
            r#"<text id="title" class="title" x="{m}" y="24">{title}</text>"#,
            "\n",
            r#"<text class="words" x="{m}" y="42">{subtitle}</text>"#,
        ),
        w = WIDTH,
        h = height,
        m = MARGIN,
        style = STYLE,
        title = escape(&format!("Change of {} by site", metric.name)),
        subtitle = escape(&format!(
            "{} -> {} ({}): {} up, {} down; from {} to {}",
            amount(root.before),
            amount(root.after),
            signed(root.delta()),
            amount(root.up),
            amount(root.down),
            path(before(report)),
            path(report.captures.last()),
        )),
    );
    legend(&mut out, tree, width);
    out.push_str("<g id=\"frames\">\n");
    let whole = boxes.first().map_or(1, |b| b.width).max(1);
    let mut at = vec![None; tree.nodes.len()];
    for b in &boxes {
        at[b.node as usize] = Some(*b);
    }
    // Every frame is in the file, in the order of the tree: what has no width now has one in
    // another mode.
    for (i, place) in at.iter().enumerate() {
        frame(&mut out, tree, i, *place, whole, width, &amount, &signed);
    }
    if boxes.is_empty() {
        let _ = writeln!(
            out,
            r#"<text class="words" x="{MARGIN}" y="{}">nothing changed</text>"#,
            TOP + 14.0
        );
    }
    out.push_str("</g>\n");
    let _ = writeln!(
        out,
        "<text id=\"detail\" class=\"words\" x=\"{MARGIN}\" y=\"{}\"> </text>",
        height - 12.0
    );
    let _ = writeln!(
        out,
        "<script type=\"application/json\" id=\"data\">{}</script>",
        data(tree)
    );
    let _ = write!(
        out,
        "<script type=\"text/ecmascript\"><![CDATA[\n{SCRIPT}]]></script>\n</svg>\n"
    );
    out
}

/// The capture that stands for before.
pub(in crate::render) fn before<'r>(report: &'r Report<'_>) -> Option<&'r CaptureInfo> {
    match report.has_two_sides() {
        true => report.captures.iter().rfind(|c| c.side == Side::Base),
        false => report.captures.first(),
    }
}

fn path(capture: Option<&CaptureInfo>) -> String {
    capture.map_or(String::new(), |c| words::shorten(&c.path, PATH))
}

fn legend(out: &mut String, tree: &FlameTree, width: Width) {
    let mut x = MARGIN;
    let mut put = |out: &mut String, class: &str, text: &str| {
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"54\" width=\"12\" height=\"12\"/>\
             <text class=\"words\" x=\"{:.1}\" y=\"64\">{text}</text>",
            x + 16.0
        );
        x += 16.0 + CHARACTER * text.chars().count() as f64 + 14.0;
    };
    put(out, "grew", "+ grew");
    put(out, "new", "* new");
    put(out, "shrank", "- shrank");
    put(out, "gone", "x gone");
    put(out, "quiet", "unchanged or noise");
    let pruned = match tree.pruned {
        0 => String::new(),
        n => format!("; {n} frames below a thousandth are summed up"),
    };
    let _ = writeln!(
        out,
        "<text class=\"words\" id=\"mode\" x=\"{x:.1}\" y=\"64\">width: {}{pruned}</text>",
        width.as_str()
    );
    let _ = writeln!(
        out,
        "<text class=\"words keys\" id=\"keys\" x=\"{MARGIN}\" y=\"79\"> </text>"
    );
}

#[allow(clippy::too_many_arguments)]
fn frame(
    out: &mut String,
    tree: &FlameTree,
    i: usize,
    place: Option<Box>,
    whole: i128,
    width: Width,
    amount: &dyn Fn(i128) -> String,
    signed: &dyn Fn(i128) -> String,
) {
    let node = &tree.nodes[i];
    let name = tree.name(i);
    let tone = Tone::of(node);
    let title = title(tree, i, amount, signed);
    let Some(b) = place else {
        let _ = writeln!(
            out,
            "<g class=\"{}\" display=\"none\"><title>{}</title><rect/><rect class=\"net\"/><text></text></g>",
            tone.as_str(),
            escape(&title)
        );
        return;
    };
    let scale = (WIDTH - 2.0 * MARGIN) / whole as f64;
    let (x, w) = (MARGIN + b.left as f64 * scale, b.width as f64 * scale);
    let y = TOP + b.depth as f64 * ROW;
    let churn = node.total.churn().max(1);
    let net = match width {
        Width::Churn => w * node.total.delta().abs() as f64 / churn as f64,
        _ => w,
    };
    let room = ((w - 6.0) / CHARACTER).max(0.0) as usize;
    let label = label(&name, node, room, signed);
    let _ = writeln!(
        out,
        "<g class=\"{}\"><title>{}</title><rect x=\"{x:.1}\" y=\"{y}\" width=\"{w:.1}\" height=\"{}\"/>\
         <rect class=\"net\" x=\"{x:.1}\" y=\"{}\" width=\"{net:.1}\" height=\"3\"/>\
         <text x=\"{:.1}\" y=\"{}\">{}</text></g>",
        tone.as_str(),
        escape(&title),
        ROW - 1.0,
        y + ROW - 4.0,
        x + 3.0,
        y + LINE,
        escape(&label),
    );
}

/// The words on a box: what changed, the name, and the chips, as far as they fit.
fn label(
    name: &str,
    node: &super::FlameNode,
    room: usize,
    signed: &dyn Fn(i128) -> String,
) -> String {
    if room < 3 {
        return String::new();
    }
    let delta = match node.loud {
        true => format!("{} ", signed(node.total.delta())),
        false => String::new(),
    };
    let chips = chips(node);
    let full = format!("{delta}{name}{chips}");
    if full.chars().count() <= room {
        return full;
    }
    match room {
        0..5 => name.chars().take(room).collect(),
        _ => words::shorten(name, room),
    }
}

/// What was collapsed into a frame: ` [x4]` for recursion, ` [+2]` for frames of the allocator.
pub(in crate::render) fn chips(node: &super::FlameNode) -> String {
    let mut chips = String::new();
    if node.recursion > 1 {
        let _ = write!(chips, " [x{}]", node.recursion);
    }
    if node.allocator > 0 {
        let _ = write!(chips, " [+{}]", node.allocator);
    }
    chips
}

fn title(
    tree: &FlameTree,
    i: usize,
    amount: &dyn Fn(i128) -> String,
    signed: &dyn Fn(i128) -> String,
) -> String {
    let node = &tree.nodes[i];
    let mut text = format!(
        "{}{}\n{} -> {} ({}), up {}, down {}",
        tree.name(i),
        chips(node),
        amount(node.total.before),
        amount(node.total.after),
        signed(node.total.delta()),
        amount(node.total.up),
        amount(node.total.down),
    );
    let own = &node.own;
    if (own.before, own.after) != (0, 0) {
        let _ = write!(
            text,
            "\nitself {} -> {} ({}), {}",
            amount(own.before),
            amount(own.after),
            signed(own.delta()),
            node.growth.as_str()
        );
    }
    let place = &tree.places[node.name as usize];
    if node.smaller == 0 && !place.is_empty() {
        let _ = write!(text, "\n{place}");
    }
    text
}

/// What the script needs: for each frame parent, own before, after, up and down, and its chips.
fn data(tree: &FlameTree) -> String {
    let mut text = String::from("[");
    for (i, n) in tree.nodes.iter().enumerate() {
        let o = &n.own;
        let comma = if i == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}[{},{},{},{},{}]",
            n.parent, o.before, o.after, o.up, o.down
        );
    }
    text.push(']');
    text
}

/// Text that XML can hold and that does not turn the direction of writing.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() || turns_text(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
