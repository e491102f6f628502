//! Real pairs of builds against the table of true pairs: no wrong pair, and how many are found.

use super::{Matched, compare, open};
use heapdiff::diff::MatchedBy;
use heapdiff::model::StackId;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a site is, by the marks on its stack, root first; and which of those with equal marks, by
/// size.
type Label = (Vec<String>, usize);

struct Truth(Value);

impl Truth {
    fn read() -> Truth {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/builds/truth.json");
        Truth(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    }

    /// The marks of a stack.
    fn marks(&self, m: &Matched, stack: StackId, bytes: i64, state: &str) -> Vec<String> {
        let folder = state.split('/').next().unwrap();
        if let Some(sizes) = self.0["sizes"][folder].as_object() {
            let near = |size: i64| (bytes - size).abs() * 125 < size;
            let found = sizes.iter().find(|(_, v)| near(v.as_i64().unwrap()));
            return found.map(|(name, _)| name.clone()).into_iter().collect();
        }
        let lines = &self.0["lines"][state];
        let file = lines["file"].as_str().unwrap();
        let mut marks = Vec::new();
        for id in m.symbols.stacks.frames(stack) {
            let frame = m.symbols.frames.get(id);
            let path = m.symbols.strings.get(frame.file);
            if path.rsplit('/').next() == Some(file)
                && let Some(mark) = lines["marks"][frame.line.to_string()].as_str()
                && marks.last().map(String::as_str) != Some(mark)
            {
                marks.push(mark.to_owned());
            }
        }
        marks
    }
}

/// The labels of the rows that are on one side, each with its bytes.
fn labels(truth: &Truth, m: &Matched, side: usize, state: &str) -> Vec<Option<(Label, i64)>> {
    let mut all: Vec<(Vec<String>, i64, usize)> = Vec::new();
    for (row, found) in m.matching.rows.iter().enumerate() {
        let ends = m.ends(row);
        let bytes = [ends.0, ends.1][side];
        let on = match found.by {
            MatchedBy::OnlyBefore => side == 0,
            MatchedBy::OnlyAfter => side == 1,
            MatchedBy::Ambiguous => false,
            _ => true,
        };
        let stack = match side {
            0 => found.base_stack.unwrap_or(m.table.stacks[row]),
            _ => m.table.stacks[row],
        };
        if on && bytes > 0 {
            let marks = truth.marks(m, stack, bytes, state);
            if !marks.is_empty() {
                all.push((marks, bytes, row));
            }
        }
    }
    all.sort();
    let mut out = vec![None; m.len()];
    let mut rank = 0;
    for (i, (marks, bytes, row)) in all.iter().enumerate() {
        rank = match i.checked_sub(1) {
            Some(before) if all[before].0 == *marks => rank + 1,
            _ => 0,
        };
        out[*row] = Some(((marks.clone(), rank), *bytes));
    }
    out
}

/// What became of a pair of captures, in bytes of the new side.
#[derive(Debug, Default)]
struct Score {
    right: i64,
    wrong: i64,
    /// Marked bytes that are on both sides.
    possible: i64,
    sites: (usize, usize),
    errors: Vec<String>,
}

fn score(truth: &Truth, base: &str, new: &str, states: [&str; 2]) -> (Score, Matched) {
    let folder = base.split('/').next().unwrap();
    let path = |name: &str| open(&format!("profiles/builds/{name}"));
    let m = compare(&path(base), &path(new), MatchedBy::Moved);
    let of = |side: usize| labels(truth, &m, side, &format!("{folder}/{}", states[side]));
    let (before, after) = (of(0), of(1));
    let mut s = Score::default();
    let known: BTreeMap<&Label, ()> = before.iter().flatten().map(|(l, _)| (l, ())).collect();
    for (label, bytes) in after.iter().flatten() {
        if known.contains_key(label) {
            s.possible += bytes;
            s.sites.1 += 1;
        }
    }
    for row in 0..m.len() {
        let by = m.matching.rows[row].by;
        if matches!(
            by,
            MatchedBy::OnlyBefore | MatchedBy::OnlyAfter | MatchedBy::Ambiguous
        ) {
            continue;
        }
        match (&before[row], &after[row]) {
            (Some((a, _)), Some((b, bytes))) if a == b => {
                s.right += bytes;
                s.sites.0 += 1;
            }
            (Some((a, _)), Some((b, bytes))) => {
                s.wrong += bytes;
                s.errors
                    .push(format!("{a:?} is not {b:?} ({})", by.as_str()));
            }
            (Some(_), None) | (None, Some(_)) if m.ends(row).0 > 0 && m.ends(row).1 > 0 => {
                s.errors.push(format!(
                    "{:?} {:?} half ({})",
                    before[row],
                    after[row],
                    by.as_str()
                ));
            }
            _ => {}
        }
    }
    (s, m)
}

/// Base, new, the states of the program, and the recall in per cent that is reached.
const PAIRS: &[(&str, &str, [&str; 2], f64)] = &[
    ("c/gcc-o0.json", "c/gcc-o2.json", ["plain", "plain"], 0.0),
    ("c/gcc-o2.json", "c/gcc-o3.json", ["plain", "plain"], 0.0),
    (
        "c/gcc-o0.json",
        "c/gcc-o0-edited.json",
        ["plain", "edited"],
        0.0,
    ),
    (
        "c/gcc-o0.json",
        "c/gcc-o2-edited.json",
        ["plain", "edited"],
        0.0,
    ),
    (
        "c/gcc-o2.json",
        "c/gcc-o2-edited.json",
        ["plain", "edited"],
        0.0,
    ),
    (
        "c/gcc-o2.json",
        "c/gcc-o2-inserted.json",
        ["plain", "inserted"],
        0.0,
    ),
    (
        "c/gcc-o0.json",
        "c/gcc-o2-inserted.json",
        ["plain", "inserted"],
        0.0,
    ),
    (
        "cpp/gcc-o0.json",
        "cpp/gcc-o2.json",
        ["plain", "plain"],
        0.0,
    ),
    (
        "cpp/gcc-o2.json",
        "cpp/gcc-o3.json",
        ["plain", "plain"],
        0.0,
    ),
    (
        "cpp/gcc-o0.json",
        "cpp/gcc-o0-edited.json",
        ["plain", "edited"],
        0.0,
    ),
    (
        "cpp/gcc-o0.json",
        "cpp/gcc-o2-edited.json",
        ["plain", "edited"],
        0.0,
    ),
    (
        "cpp/gcc-o2.json",
        "cpp/gcc-o2-edited.json",
        ["plain", "edited"],
        0.0,
    ),
    (
        "cpp/gcc-o2.json",
        "cpp/gcc-o2-inserted.json",
        ["plain", "inserted"],
        0.0,
    ),
    (
        "go/default.pb.gz",
        "go/no-inlining.pb.gz",
        ["plain", "plain"],
        0.0,
    ),
    (
        "go/default.pb.gz",
        "go/edited.pb.gz",
        ["plain", "edited"],
        0.0,
    ),
    (
        "go/default.pb.gz",
        "go/inserted.pb.gz",
        ["plain", "inserted"],
        0.0,
    ),
    (
        "node/plain.heapprofile",
        "node/edited.heapprofile",
        ["plain", "edited"],
        0.0,
    ),
    (
        "node/plain.heapprofile",
        "node/inserted.heapprofile",
        ["plain", "inserted"],
        0.0,
    ),
    (
        "python/memray-3.11.bin",
        "python/memray-3.12.bin",
        ["plain", "plain"],
        0.0,
    ),
    (
        "python/memray-3.12.bin",
        "python/memray-3.12-edited.bin",
        ["plain", "edited"],
        0.0,
    ),
    (
        "python/memray-3.11.bin",
        "python/memray-3.12-edited.bin",
        ["plain", "edited"],
        0.0,
    ),
    (
        "python/memray-3.12.bin",
        "python/memray-3.12-inserted.bin",
        ["plain", "inserted"],
        0.0,
    ),
    (
        "python/tracemalloc-3.11.pickle",
        "python/tracemalloc-3.12.pickle",
        ["plain", "plain"],
        0.0,
    ),
    (
        "python/tracemalloc-3.12.pickle",
        "python/tracemalloc-3.12-edited.pickle",
        ["plain", "edited"],
        0.0,
    ),
    (
        "python/tracemalloc-3.12.pickle",
        "python/tracemalloc-3.12-inserted.pickle",
        ["plain", "inserted"],
        0.0,
    ),
    (
        "rust/o0-uncut.json",
        "rust/o3-uncut.json",
        ["plain", "plain"],
        0.0,
    ),
    (
        "rust/o0-24.json",
        "rust/o3-24.json",
        ["plain", "plain"],
        0.0,
    ),
    (
        "rust/o0-10.json",
        "rust/o3-10.json",
        ["plain", "plain"],
        0.0,
    ),
    (
        "rust/o0-uncut.json",
        "rust/o3-edited-uncut.json",
        ["plain", "edited"],
        0.0,
    ),
    (
        "rust/o0-24.json",
        "rust/o3-edited-24.json",
        ["plain", "edited"],
        0.0,
    ),
    (
        "rust/o0-10.json",
        "rust/o3-edited-10.json",
        ["plain", "edited"],
        0.0,
    ),
    (
        "rust/o3-uncut.json",
        "rust/o3-edited-uncut.json",
        ["plain", "edited"],
        0.0,
    ),
    (
        "rust/o3-uncut.json",
        "rust/o3-inserted-uncut.json",
        ["plain", "inserted"],
        0.0,
    ),
    (
        "rust/o3-uncut.json",
        "rust/o3-tables-uncut.json",
        ["plain", "plain"],
        0.0,
    ),
];

#[test]
fn real_builds_have_no_wrong_pair() {
    let truth = Truth::read();
    let mut failed = Vec::new();
    for &(base, new, states, floor) in PAIRS {
        for [from, to, a, b] in [
            [base, new, states[0], states[1]],
            [new, base, states[1], states[0]],
        ] {
            let (s, m) = score(&truth, from, to, [a, b]);
            let recall = 100.0 * s.right as f64 / s.possible.max(1) as f64;
            let made = s.right + s.wrong;
            let precision = 100.0 * s.right as f64 / made.max(1) as f64;
            let tiers: Vec<String> = m
                .matching
                .ledger
                .tiers
                .iter()
                .filter(|t| t.1.sites > 0)
                .map(|t| format!("{} {}", t.0.as_str(), t.1.sites))
                .collect();
            println!(
                "{from} {to}: precision {precision:.1} recall {recall:.1} sites {}/{} [{}] ambiguous {}",
                s.sites.0,
                s.sites.1,
                tiers.join(", "),
                m.matching.ledger.ambiguous.sites
            );
            for e in &s.errors {
                println!("    {e}");
            }
            if !s.errors.is_empty() || recall < floor || s.possible == 0 {
                failed.push(format!(
                    "{from} {to}: {precision:.1} {recall:.1} {:?}",
                    s.errors
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
