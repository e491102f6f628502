//! V8 heap snapshots of a small service: what `JSON.parse` finds in them, and what is planted.

use super::{graph, reachable, references, text, types};
use heapdiff::model::{Collector, GcMode, IdKind, RootKind, Symbols};
use serde_json::Value;

const CAPTURES: [&str; 4] = ["faulty-010", "faulty-020", "faulty-040", "cured-040"];

#[test]
fn counts_and_bytes_are_those_that_node_itself_finds() {
    let mut symbols = Symbols::default();
    for name in CAPTURES {
        let g = graph(&format!("node-graph/{name}.heapsnapshot.zst"), &mut symbols);
        let oracle: Value =
            serde_json::from_str(&text(&format!("node-graph/oracle/{name}.json"))).unwrap();
        assert_eq!(g.len() as u64, oracle["nodes"]);
        assert_eq!(g.total_size(), oracle["bytes"].as_u64().unwrap());
        // Nothing is lost on the way: V8 writes what is reachable alone.
        assert_eq!(reachable(&g), g.len());
        let types = types(&g, &symbols);
        let mut compared = 0;
        for (class, row) in oracle["objects"].as_object().unwrap() {
            // V8 names some nodes of other kinds, such as native ones, like a class.
            let Some(&(count, bytes)) = types.get(class) else {
                panic!("{name} has no {class}");
            };
            assert!(count >= row["count"].as_u64().unwrap(), "{class}");
            if !class.starts_with('(') {
                assert_eq!(bytes, row["bytes"].as_u64().unwrap(), "{class}");
                compared += 1;
            }
        }
        assert!(compared > 25, "{compared}");
        let strings = oracle["kinds"]["string"]["count"].as_u64().unwrap();
        assert_eq!(types["(string)"].0, strings);
        assert_eq!(g.meta.runtime, "v8");
        assert_eq!(g.meta.collector(), Collector::Tracing);
        assert_eq!((g.meta.id_kind, g.meta.gc), (IdKind::Stable, GcMode::Full));
        let runs: f64 = name[name.len() - 3..].parse().unwrap();
        assert_eq!(g.meta.runs(), Some(runs));
        assert_eq!(g.meta.driver("items"), Some(2.0 * runs));
        assert_eq!(g.meta.settled, Some(true));
        assert!(g.roots.iter().any(|r| r.kind == RootKind::Module));
    }
}

#[test]
fn what_is_planted_is_there_and_the_cure_removes_it() {
    let mut symbols = Symbols::default();
    let mut growth = Vec::new();
    for name in CAPTURES {
        let g = graph(&format!("node-graph/{name}.heapsnapshot.zst"), &mut symbols);
        let types = types(&g, &symbols);
        let count = |t: &str| types.get(t).map_or(0, |c| c.0);
        growth.push(["ShopSession", "Item", "Letter", "retry()"].map(count));
        let innocents = ["Price", "Category", "Visit", "Shop"].map(count);
        assert_eq!(innocents, [64, 156, 100, 1]);
    }
    assert_eq!(growth[0], [10, 200, 20, 20]);
    assert_eq!(growth[1], [20, 400, 40, 40]);
    assert_eq!(growth[2], [40, 800, 80, 80]);
    assert_eq!(growth[3], [0; 4]);
}

#[test]
fn references_have_the_names_of_the_program() {
    let mut symbols = Symbols::default();
    let g = graph("node-graph/faulty-040.heapsnapshot.zst", &mut symbols);
    let mailer = references(&g, &symbols, "Mailer");
    assert_eq!(mailer[".retries -> Array"], 1);
    let session = references(&g, &symbols, "ShopSession");
    assert_eq!(session[".settings -> Settings"], 40);
    assert_eq!(session[".basket -> Array"], 40);
    assert_eq!(
        session[".onChange -> (anonymous service.js:28:21)()"], 40,
        "a function without a name is told by its place: {session:?}"
    );
    let closure = references(&g, &symbols, "retry()");
    assert_eq!(closure["<context> -> system / Context"], 80);
    let context = references(&g, &symbols, "system / Context");
    assert_eq!(context["local:letter -> Letter"], 80);
    // Symbols as keys of properties, and nothing of the text of strings.
    assert!(!types(&g, &symbols).keys().any(|t| t.contains("planted")));
}

#[test]
fn allocation_traces_give_objects_their_stacks() {
    let mut symbols = Symbols::default();
    let g = graph("node-graph/cured-040.heapsnapshot.zst", &mut symbols);
    assert!(g.has_sites());
    let mut functions = std::collections::BTreeSet::new();
    for node in 0..g.len() as u32 {
        let Some(site) = g.site(node) else { continue };
        let stack = symbols.stacks.ids().nth(site as usize).unwrap();
        for frame in symbols.stacks.frames(stack) {
            let frame = symbols.frames.get(frame);
            let file = symbols.strings.get(frame.file);
            if file.ends_with("service.js") {
                functions.insert(symbols.strings.get(frame.function).to_owned());
            }
        }
    }
    assert!(functions.contains("main"), "{functions:?}");
    assert!(functions.contains("get"), "{functions:?}");
}

/// Every cluster of objects that `memlab find-leaks --trace-all-objects` reports on the three
/// faulty snapshots lies below a path that is named as holding what came up and stayed.
#[test]
fn memlab_finds_nothing_that_is_missed() {
    let paths = ["faulty-010", "faulty-020", "faulty-040"]
        .map(|n| format!("profiles/node-graph/{n}.heapsnapshot.zst"));
    let mut args = vec!["cycles", "--format", "json"];
    args.extend(paths.iter().map(String::as_str));
    let report: Value = serde_json::from_str(&crate::program::run(&args).out).unwrap();
    let steps = |row: &Value| -> Vec<String> {
        let steps = row["path"].as_array().unwrap().iter();
        steps
            .map(|s| {
                s["edge"]
                    .as_str()
                    .unwrap()
                    .trim_end_matches("[*]")
                    .to_owned()
            })
            .filter(|e| e.starts_with('.'))
            .collect()
    };
    let rows = |key: &str| -> Vec<Vec<String>> {
        report[key].as_array().unwrap().iter().map(steps).collect()
    };
    let (survivors, holders) = (rows("survivors"), rows("holders"));
    let mut objects = 0;
    let mut clusters = 0;
    for cluster in text("node-graph/oracle/memlab.txt.gz").split("--Similar leaks in this run: ") {
        let Some((count, trace)) = cluster.split_once("--") else {
            continue;
        };
        let Ok(count) = count.trim().parse::<u64>() else {
            continue;
        };
        // What was made is a description of hidden classes: V8's own, which it shares and keeps.
        if trace.contains("(object shape)") {
            continue;
        }
        let properties: Vec<String> = trace
            .lines()
            .filter_map(|l| l.trim().strip_prefix("--")?.split_once(" (property)"))
            .map(|(name, _)| format!(".{name}"))
            .collect();
        let told = |rows: &[Vec<String>]| rows.iter().any(|r| properties.starts_with(r));
        assert!(told(&survivors), "{properties:?} in {survivors:?}");
        assert!(told(&holders), "{properties:?} in {holders:?}");
        objects += count;
        clusters += 1;
    }
    assert_eq!((clusters, objects), (2, 750));
    let stayed: Vec<u64> = report["survivors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["objects"].as_u64().unwrap())
        .collect();
    // Ten listeners and twenty retries of the runs between the first capture and the second.
    assert_eq!(stayed, [10, 20]);
}
