//! Cycles as a picture for Graphviz: `dot -Tsvg cycles.dot -o cycles.svg`.

use crate::error::Result;
use crate::graph::outcome::{CycleRow, PathStep};
use crate::graph::types::short;
use crate::report::graph::GraphReport;
use crate::units;
use std::io::Write;

/// Cycles that are drawn.
const MOST: usize = 12;

/// A name between quotes.
fn quoted(text: &str) -> String {
    let text = super::clean(text);
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Writes those cycles that are no structure, the ones that grow first; the path from a root to
/// them, and the reference to cut in red. Errors: `out` cannot be written to.
pub fn write(report: &GraphReport, out: &mut dyn Write) -> Result<()> {
    let mut text = String::from(
        "digraph cycles {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n",
    );
    let here = |c: &&CycleRow| !c.path.is_empty() && c.benign.is_none();
    for (i, row) in report
        .outcome
        .cycles
        .iter()
        .filter(here)
        .take(MOST)
        .enumerate()
    {
        one(&mut text, i, row);
    }
    text.push_str("}\n");
    super::super::plain(&text, out)
}

fn one(text: &mut String, i: usize, row: &CycleRow) {
    let n = row.occurrences.last().copied().unwrap_or(0);
    let bytes = row.retained.last().copied().unwrap_or(0);
    let label = format!("{n} x, {}", units::bytes(i128::from(bytes)));
    text.push_str(&format!(
        "  subgraph cluster_{i} {{\n    label={};\n",
        quoted(&label)
    ));
    let count = row.path.len();
    for (k, step) in row.path.iter().enumerate() {
        let name = quoted(short(&step.type_name));
        text.push_str(&format!("    c{i}_{k} [label={name}];\n"));
    }
    for (k, step) in row.path.iter().enumerate() {
        let to = (k + 1) % count;
        let target = &row.path[to];
        let cut = row.cut.references.iter().any(|r| {
            r.from == step.type_name && r.to == target.type_name && r.edge.ends_with(&step.edge)
        });
        let style = if cut {
            ", color=\"#d55e00\", penwidth=2, style=dashed"
        } else {
            ""
        };
        text.push_str(&format!(
            "    c{i}_{k} -> c{i}_{to} [label={}{style}];\n",
            quoted(&step.edge)
        ));
    }
    text.push_str("  }\n");
    let Some(path) = &row.root_path else { return };
    holders(text, i, row, path);
}

fn holders(text: &mut String, i: usize, row: &CycleRow, path: &[PathStep]) {
    let Some((last, before)) = path.split_last() else {
        return;
    };
    for (k, step) in before.iter().enumerate() {
        let name = if k == 0 { &step.edge } else { &step.type_name };
        text.push_str(&format!(
            "  r{i}_{k} [label={}, style=rounded];\n",
            quoted(short(name))
        ));
        if k > 0 {
            let edge = quoted(&step.edge);
            text.push_str(&format!("  r{i}_{} -> r{i}_{k} [label={edge}];\n", k - 1));
        }
    }
    if before.is_empty() {
        return;
    }
    let entry = row.path.iter().position(|s| s.id == last.id).unwrap_or(0);
    let edge = quoted(&last.edge);
    text.push_str(&format!(
        "  r{i}_{} -> c{i}_{entry} [label={edge}];\n",
        before.len() - 1
    ));
}
