//! Ways from roots to objects of a type, or to one object: shortest paths merged into a tree.

use super::dominators::Dominators;
use super::paths::Paths;
use super::signature::{dotted, one_label};
use super::types::short;
use super::words::Words;
use crate::model::{HeapGraph, RootKind, Symbols};
use rustc_hash::FxHashMap;

/// Ways from roots to the objects asked for, merged by label and type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ways {
    /// What was asked for.
    pub query: String,
    /// Objects that match.
    pub objects: u64,
    /// Those that no root reaches.
    pub unreachable: u64,
    /// The tree, parents first, most objects first: depth, words, number of objects below.
    pub lines: Vec<(u32, String, u64)>,
    /// What every way to the object that keeps most goes through, root first.
    pub unavoidable: Vec<String>,
}

/// Ways longer than this are cut in the middle of nothing: what is below is left out.
const DEEPEST: usize = 200;

#[derive(Default)]
struct Node {
    words: String,
    count: u64,
    children: Vec<usize>,
}

/// Finds the objects of a type (by full or last name), or the one with an id, and merges the
/// shortest paths to them.
///
/// Linear in objects and in the length of all paths.
pub fn ways(
    graph: &HeapGraph,
    symbols: &Symbols,
    words: &Words,
    paths: &Paths,
    dom: &Dominators,
    query: &str,
) -> Ways {
    let types = symbols.graph.types();
    let matches: Vec<bool> = types
        .iter()
        .map(|t| {
            let name = symbols.strings.get(t.name);
            name == query || short(name) == query
        })
        .collect();
    let id = match query.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => query.parse().ok(),
    };
    let mut targets: Vec<u32> = (0..graph.len() as u32)
        .filter(|&v| matches[graph.type_of(v).0 as usize])
        .collect();
    if targets.is_empty() {
        targets.extend(id.and_then(|id| graph.find_id(id)));
    }
    let mut out = Ways {
        query: query.to_owned(),
        objects: targets.len() as u64,
        ..Ways::default()
    };
    let mut nodes = vec![Node::default()];
    let mut known: FxHashMap<(usize, u32, u32), usize> = FxHashMap::default();
    let name = |v: u32| {
        let info = symbols.graph.type_info(graph.type_of(v));
        short(symbols.strings.get(info.name))
    };
    for &v in &targets {
        let Some((root, steps)) = paths.to(graph, v) else {
            out.unreachable += 1;
            continue;
        };
        let mut at = 0;
        nodes[0].count += 1;
        for step in steps.iter().take(DEEPEST) {
            let plain = step
                .label
                .map_or(root.kind as u32 ^ 0x8000_0000, |l| words.of_label(l).plain);
            let first = step.label.is_none();
            let salt = if first { root.name.index() as u32 } else { 0 };
            let key = (at, plain ^ salt.rotate_left(8), graph.type_of(step.node).0);
            let next = nodes.len();
            let child = *known.entry(key).or_insert(next);
            if child == next {
                let text = match step.label {
                    None => root_text(root.kind, symbols.strings.get(root.name), name(step.node)),
                    Some(l) => format!("{} -> {}", one_label(l, words, symbols), name(step.node)),
                };
                nodes.push(Node {
                    words: text,
                    ..Node::default()
                });
                nodes[at].children.push(child);
            }
            nodes[child].count += 1;
            at = child;
        }
    }
    out.lines = lines(&nodes);
    let largest = targets
        .iter()
        .copied()
        .filter(|&v| dom.is_reachable(v))
        .max_by_key(|&v| (dom.retained_by(v), std::cmp::Reverse(v)));
    let mut at = largest;
    while let Some(v) = at {
        let holder = dom.holder(v);
        let label = holder.and_then(|h| {
            let e = graph.row(h).find(|&e| graph.targets()[e] == v)?;
            Some(one_label(
                crate::model::LabelId(graph.labels()[e]),
                words,
                symbols,
            ))
        });
        out.unavoidable.push(match label {
            Some(label) => format!("{} -> {}", dotted(&label), name(v)),
            None => name(v).to_owned(),
        });
        at = holder.filter(|_| out.unavoidable.len() < DEEPEST);
    }
    out.unavoidable.reverse();
    out
}

fn root_text(kind: RootKind, name: &str, type_name: &str) -> String {
    if name.is_empty() {
        format!("{} {type_name}", kind.as_str())
    } else if type_name.ends_with(name) {
        format!("{} {name}", kind.as_str())
    } else {
        format!("{} {name} -> {type_name}", kind.as_str())
    }
}

/// The tree as lines, without recursion.
fn lines(nodes: &[Node]) -> Vec<(u32, String, u64)> {
    let sorted = |i: usize| {
        let mut children = nodes[i].children.clone();
        children.sort_by(|&a, &b| {
            let (x, y) = (&nodes[a], &nodes[b]);
            x.count.cmp(&y.count).then_with(|| y.words.cmp(&x.words))
        });
        children
    };
    let mut out = Vec::new();
    let mut todo: Vec<(usize, u32)> = sorted(0).into_iter().map(|c| (c, 0)).collect();
    while let Some((i, depth)) = todo.pop() {
        out.push((depth, nodes[i].words.clone(), nodes[i].count));
        todo.extend(sorted(i).into_iter().map(|c| (c, depth + 1)));
    }
    out
}
