//! Ruby heap dumps of a small service: what Python's `json` counts in them.

use super::{graph, references, text, types};
use heapdiff::model::{GcMode, IdKind, RootKind, Symbols};
use serde_json::Value;

const CAPTURES: [&str; 5] = [
    "faulty-010",
    "faulty-020",
    "faulty-040",
    "cured-010",
    "cured-040",
];

#[test]
fn counts_and_bytes_are_those_of_the_lines() {
    let mut symbols = Symbols::default();
    for capture in CAPTURES {
        let g = graph(&format!("ruby-graph/{capture}.rbheap.zst"), &mut symbols);
        let oracle = text(&format!("ruby-graph/oracle/{capture}.json"));
        let oracle: Value = serde_json::from_str(&oracle).unwrap();
        assert_eq!(g.len() as u64, oracle["objects"]);
        assert_eq!(g.total_size(), oracle["bytes"].as_u64().unwrap());
        let types = types(&g, &symbols);
        for (class, row) in oracle["classes"].as_object().unwrap() {
            let (count, bytes) = types[class];
            assert_eq!(count, row["count"].as_u64().unwrap(), "{class}");
            assert_eq!(bytes, row["bytes"].as_u64().unwrap(), "{class}");
        }
        let runs: f64 = capture[capture.len() - 3..].parse().unwrap();
        assert_eq!(g.meta.runs(), Some(runs));
        assert_eq!((g.meta.id_kind, g.meta.gc), (IdKind::Address, GcMode::Full));
        assert!(g.roots.iter().any(|r| r.kind == RootKind::Other));
    }
}

#[test]
fn what_is_planted_is_there_and_the_cure_removes_it() {
    let mut symbols = Symbols::default();
    let mut growth = Vec::new();
    for capture in CAPTURES {
        let g = graph(&format!("ruby-graph/{capture}.rbheap.zst"), &mut symbols);
        let types = types(&g, &symbols);
        let count = |t: &str| types.get(t).map_or(0, |c| c.0);
        growth.push(["Session", "Item"].map(count));
        assert_eq!(
            ["Price", "Category", "Visit", "Shop"].map(count),
            [64, 156, 100, 1]
        );
    }
    println!("{growth:?}");
    assert_eq!(growth[..3], [[10, 200], [20, 400], [40, 800]]);
    assert!(growth[3..].iter().all(|g| g[0] <= 1), "{growth:?}");
}

#[test]
fn references_and_sites_are_told() {
    let mut symbols = Symbols::default();
    let g = graph("ruby-graph/faulty-040.rbheap.zst", &mut symbols);
    let session = references(&g, &symbols, "Session");
    assert_eq!(session["@* -> Registry"], 40);
    assert_eq!(session["@* -> Array"], 40);
    assert_eq!(session["<class> -> class Session"], 40);
    let session = symbols.strings.find("Session").unwrap();
    let node = (0..g.len() as u32)
        .find(|&v| symbols.graph.type_info(g.type_of(v)).name == session)
        .unwrap();
    let stack = symbols
        .stacks
        .ids()
        .nth(g.site(node).unwrap() as usize)
        .unwrap();
    let frame = symbols.stacks.frames(stack).next().unwrap();
    let frame = symbols.frames.get(frame);
    assert_eq!(symbols.strings.get(frame.file), "service.rb");
    assert_eq!(frame.line, 85);
}
