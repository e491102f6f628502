//! Object graphs that other tools wrote: what is read from them against those tools' own counts.

mod java;
mod node;
mod program;
mod ruby;

use heapdiff::format::{self, Context};
use heapdiff::input::Source;
use heapdiff::model::{HeapGraph, Limits, Symbols};
use std::collections::BTreeMap;
use std::path::Path;

/// Reads a capture of `profiles/`.
fn graph(path: &str, symbols: &mut Symbols) -> HeapGraph {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("profiles")
        .join(path);
    let source = Source::open(&path, Limits::default()).unwrap();
    let captures = format::read(&source, None, &mut Context::new(symbols)).unwrap();
    let mut graphs = captures.into_iter().filter_map(|c| c.into_graph());
    graphs.next().unwrap()
}

/// The content of a packed text beside the captures.
pub fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("profiles")
        .join(path);
    let source = Source::open(&path, Limits::default()).unwrap();
    String::from_utf8(source.bytes().unwrap().to_vec()).unwrap()
}

/// Objects and own bytes by type.
fn types(graph: &HeapGraph, symbols: &Symbols) -> BTreeMap<String, (u64, u64)> {
    let mut out = BTreeMap::new();
    for node in 0..graph.len() as u32 {
        let name = symbols.graph.type_info(graph.type_of(node)).name;
        let name = symbols.strings.get(name).to_owned();
        let row: &mut (u64, u64) = out.entry(name).or_default();
        row.0 += 1;
        row.1 += graph.size(node);
    }
    out
}

/// How many objects can be reached from the roots.
fn reachable(graph: &HeapGraph) -> usize {
    let mut seen = vec![false; graph.len()];
    let mut next: Vec<u32> = graph
        .roots
        .iter()
        .filter(|r| !r.weak)
        .map(|r| r.node)
        .collect();
    let mut count = 0;
    while let Some(node) = next.pop() {
        if std::mem::replace(&mut seen[node as usize], true) {
            continue;
        }
        count += 1;
        next.extend(graph.edges(node).map(|e| e.0));
    }
    count
}

/// References from objects of one type, as `label -> type`, with how many there are.
fn references(graph: &HeapGraph, symbols: &Symbols, from: &str) -> BTreeMap<String, u64> {
    let name = |t| symbols.strings.get(symbols.graph.type_info(t).name);
    let mut out = BTreeMap::new();
    for node in 0..graph.len() as u32 {
        if name(graph.type_of(node)) == from {
            for (target, label) in graph.edges(node) {
                let label = symbols.strings.get(symbols.graph.label_info(label).name);
                let to = name(graph.type_of(target));
                *out.entry(format!("{label} -> {to}")).or_default() += 1;
            }
        }
    }
    out
}
