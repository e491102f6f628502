//! Shapes of leaks as real programs have them: what is named is the program's own object and where
//! it is held, and its number is the planted one. Caches with a limit are left alone.

use super::dump::Dump;
use super::{files, html, json, output, text};
use crate::program::heapdiff;

const RUNS: [u64; 4] = [10, 20, 40, 80];
const NAMES: [&str; 10] = [
    "alice", "bruno", "carla", "dario", "emily", "felix", "greta", "hanna", "irene", "jonas",
];

/// A name without a number, another one for every run.
fn name(run: u64) -> String {
    format!("{}_{}", NAMES[run as usize % 10], NAMES[run as usize / 10])
}

fn head(document: &serde_json::Value) -> (String, String) {
    let holder = &document["holders"][0];
    let inside = &holder["inside"]["path"];
    let mut path = holder["path"].as_array().unwrap().clone();
    path.extend(inside.as_array().into_iter().flatten().cloned());
    let words = |key: &str, step: &serde_json::Value| step[key].as_str().unwrap().to_owned();
    let last = path.last().unwrap();
    let edges: Vec<String> = path.iter().map(|s| words("edge", s)).collect();
    (words("type", last), edges.join(" "))
}

#[test]
fn entries_with_names_of_their_own_are_one_holder() {
    // Nothing grows at any single name: setattr(handler, user, report).
    let dumps = RUNS.map(|n| {
        let mut d = Dump::python(n, ",\"gc\":\"full\"");
        let names: Vec<String> = (0..n).map(name).collect();
        let reports: Vec<u64> = (0..n).map(|_| d.object("app.Report", 500, &[])).collect();
        let edges: Vec<(&str, u64)> = names.iter().map(String::as_str).zip(reports).collect();
        let handler = d.object("app.Handler", 64, &edges);
        let module = d.object("module app", 72, &[(".handler", handler)]);
        d.root(module, "module", "app");
        d.finish()
    });
    let document = json(&dumps);
    assert_eq!(document["verdict"], "leak");
    let holder = &document["holders"][0];
    assert_eq!(holder["series"], serde_json::json!([10, 20, 40, 80]));
    assert_eq!(
        head(&document),
        ("app.Report".into(), "module app .handler [*]".into())
    );
    assert_eq!(holder["cut"]["references"][0]["edge"], "[*]");
    assert_eq!(holder["cut"]["frees_bytes"], 80 * 500);
    let shown = text(&dumps);
    assert!(
        shown.starts_with("LEAK  1.00 Report per run (10 -> 20 -> 40 -> 80)"),
        "{shown}"
    );
}

#[test]
fn what_a_listener_keeps_is_named() {
    let dumps = RUNS.map(|n| {
        let mut d = Dump::python(n, ",\"gc\":\"full\"");
        let entries: Vec<(&str, u64)> = (0..n)
            .map(|_| {
                let report = d.object("app.Report", 700, &[]);
                let method = d.object("builtins.method", 64, &[("__self__", report)]);
                let key = d.object("tuple", 56, &[]);
                (
                    "[]",
                    d.object("tuple", 64, &[("[0]", key), ("[1]", method)]),
                )
            })
            .collect();
        let list = d.object("list", 800, &entries);
        let signal = d.object("app.Signal", 48, &[(".receivers", list)]);
        let module = d.object("module app", 72, &[(".done", signal)]);
        d.root(module, "module", "app");
        d.finish()
    });
    let document = json(&dumps);
    let (held, path) = head(&document);
    assert_eq!(held, "app.Report");
    assert!(path.ends_with(".__self__"), "{path}");
    // The tuples are counted without those in them.
    let holder = &document["holders"][0];
    assert_eq!(holder["series"], serde_json::json!([10, 20, 40, 80]));
    let states: Vec<&str> = holder["path"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["state"].as_str().unwrap())
        .collect();
    assert_eq!(states.last(), Some(&"leaking"));
    assert!(
        states[..states.len() - 1]
            .iter()
            .all(|s| *s == "not-leaking")
    );
    let shown = text(&dumps);
    assert!(shown.starts_with("LEAK  1.00 Report per run"), "{shown}");
    assert!(shown.contains("method.__self__ -> Report"), "{shown}");
}

#[test]
fn the_links_of_a_tree_are_one_group() {
    let dumps = RUNS.map(|n| {
        let mut d = Dump::of("jvm", n);
        let ids: Vec<u64> = (0..n).map(|_| d.id()).collect();
        for i in 0..n as usize {
            let job = d.object("app.Job", 300, &[]);
            let mut edges = vec![("key", job)];
            for (label, child) in [("left", 2 * i + 1), ("right", 2 * i + 2)] {
                if let Some(&child) = ids.get(child) {
                    edges.push((label, child));
                }
            }
            d.put(ids[i], "java.util.TreeMap$Entry", 40, &edges);
        }
        let map = d.object("java.util.TreeMap", 48, &[("root", ids[0])]);
        let class = d.object("class app.Main", 100, &[("JOBS", map)]);
        d.root(class, "class", "app.Main");
        d.finish()
    });
    let document = json(&dumps);
    let holder = &document["holders"][0];
    assert_eq!(holder["series"], serde_json::json!([10, 20, 40, 80]));
    assert_eq!(head(&document).0, "app.Job");
    assert_eq!(document["holders"].as_array().unwrap().len(), 1);
}

#[test]
fn caches_with_a_limit_are_excused_and_others_are_not() {
    let cache = |owner: &'static str, through: Option<&'static str>| {
        RUNS.map(|n| {
            let mut d = Dump::python(n, ",\"gc\":\"full\"");
            let rows: Vec<(&str, u64)> = (0..n)
                .map(|_| ("[]", d.object("urllib.parse.SplitResult", 96, &[])))
                .collect();
            let held = match through {
                Some(map) => {
                    let map = d.object(map, 900, &rows);
                    d.object(owner, 80, &[(".store", map)])
                }
                None => d.object(owner, 80, &rows),
            };
            let module = d.object("module app", 72, &[(".cached", held)]);
            d.root(module, "module", "app");
            d.finish()
        })
    };
    let wrapper = "functools._lru_cache_wrapper";
    for (owner, through, verdict) in [
        (wrapper, None, false),
        (wrapper, Some("dict"), true),
        ("cachetools.LRUCache", Some("dict"), false),
        ("app.Registry", Some("dict"), true),
    ] {
        let document = json(&cache(owner, through));
        assert_eq!(
            document["verdict"] == "leak",
            verdict,
            "{owner} {through:?}"
        );
        let findings = document["findings"].as_array().unwrap();
        assert_eq!(findings.is_empty(), !verdict, "{findings:#?}");
    }
}

/// A V8 snapshot of a map from names of people to sessions, written as a heapdiff-graph.
fn people(n: u64) -> String {
    let mut d = Dump::of("v8", n);
    d = d.stable();
    let map = d.id();
    let list = d.id();
    let global = d.id();
    d.root(global, "module", "global");
    d.put(global, "global", 40, &[(".sessions", map), (".open", list)]);
    let mut held = Vec::new();
    let names: Vec<String> = (0..n).map(name).collect();
    let mut edges = Vec::new();
    for name in &names {
        let session = d.id();
        // Back to the map, so that names are on the way around a cycle.
        d.put(session, "Session", 200, &[(".owner", map)]);
        edges.push((name.as_str(), session));
        held.push(("[]", session));
    }
    d.put(map, "Object", 56, &edges);
    d.put(list, "Array", 56, &held);
    d.finish()
}

#[test]
fn names_that_are_data_are_in_no_output() {
    let dumps = [80, 85, 90].map(people);
    for format in ["text", "json", "jsonl", "md", "csv", "dot"] {
        for more in [&["--limit", "0"][..], &["--path-to", "Session"][..]] {
            let mut args = vec!["--format", format];
            args.extend(more);
            let (status, out, err) = output(&args, &dumps);
            assert_eq!(status, 0, "{err}");
            for person in NAMES {
                assert!(
                    !out.contains(person),
                    "{format} {more:?} tells {person}: {out}"
                );
            }
        }
    }
    let (_, out, _) = output(&["--format", "json", "--values"], &dumps);
    assert!(NAMES.iter().any(|n| out.contains(n)));
    // Also of a map with few entries.
    for dumps in [dumps, [5, 7, 9].map(people)] {
        let page = html(&["--limit", "0"], &dumps);
        let (_, out, _) = output(&["--format", "json"], &dumps);
        for person in NAMES {
            assert!(!page.contains(person) && !out.contains(person), "{person}");
        }
    }
}

#[test]
fn objects_that_came_up_and_stayed_are_known_by_identity() {
    let document = json(&[10, 20, 40].map(people));
    let survivors = document["survivors"].as_array().unwrap();
    assert_eq!(survivors.len(), 1, "{survivors:#?}");
    // New in the second, still in the third; those of the third alone are too young to tell.
    assert_eq!(survivors[0]["objects"], 10);
    assert_eq!(survivors[0]["retained_bytes"], 10 * 200);
    let last = survivors[0]["path"].as_array().unwrap().last().unwrap();
    assert_eq!(last["type"], "Session");
    // Where ids mean nothing nobody is known by them.
    let python = RUNS.map(|n| super::held(Dump::python(n, ",\"gc\":\"full\""), n));
    assert_eq!(json(&python)["survivors"], serde_json::json!([]));
}

#[test]
fn what_is_about_allocation_sites_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let paths = files(folder.path(), &[people(10), people(20)]);
    let refused = |args: &[&str], word: &str| {
        let out = heapdiff(args).output().unwrap();
        let err = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        assert!(err.lines().count() == 1 && err.contains(word), "{err}");
    };
    for (option, value) in [
        ("--focus", "Session"),
        ("--sort", "name"),
        ("--metric", "live_bytes"),
        ("--group-by", "file"),
        ("--min-delta", "1KiB"),
    ] {
        refused(&["compare", &paths[0], &paths[1], option, value], option);
        refused(&["inspect", &paths[0], option, value], option);
    }
    refused(&["compare", &paths[0], &paths[1], "--tree"], "--tree");
    let sum = format!("{}+{}", paths[0], paths[1]);
    refused(&["cycles", &sum], "several processes");
    refused(&["cycles", &format!("{}#peak", paths[0])], "one moment");
}
