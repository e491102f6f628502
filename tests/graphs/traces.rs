//! Dumps that say where their objects were allocated, and by which loader their classes came.

use super::json_of;
use crate::graphs_readers::text;
use crate::program::heapdiff;
use serde_json::Value;
use std::collections::BTreeMap;

const NODE: [&str; 2] = ["faulty-010", "faulty-040"];

fn node(name: &str) -> String {
    format!("profiles/node-traces/{name}.heapsnapshot.zst")
}

fn java(name: &str, runs: u32) -> String {
    format!("profiles/java-loaders/{name}.hprof.zst@{runs}")
}

/// Standard output of a command that is to succeed.
fn out(args: &[&str]) -> String {
    let output = heapdiff(args).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{err}");
    String::from_utf8(output.stdout).unwrap()
}

fn function(site: &Value) -> String {
    let leaf = site["frames"].as_array().unwrap().last();
    leaf.map_or("(no trace)".into(), |f| {
        let file = f["file"].as_str().unwrap_or_default();
        let file = file.rsplit('/').next().unwrap();
        let name = f["function"].as_str().unwrap();
        format!("{name} {file}:{}", f["line"].as_u64().unwrap_or(0))
    })
}

#[test]
fn objects_by_function_are_those_that_the_snapshot_parsed_as_json_has() {
    let document = json_of(&["compare", &node(NODE[0]), &node(NODE[1])]);
    for (side, capture) in ["before", "after"].into_iter().zip(NODE) {
        let mut oracle: BTreeMap<String, (u64, u64)> =
            serde_json::from_str(&text(&format!("node-traces/oracle/{capture}.json"))).unwrap();
        // V8's own root is no function of a program.
        let own = oracle.remove("(root) :0").unwrap_or_default();
        let untraced = oracle.get_mut("(no trace)").unwrap();
        *untraced = (untraced.0 + own.0, untraced.1 + own.1);
        let mut found: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for site in document["sites"].as_array().unwrap() {
            let amount = |key: &str| site[side][key].as_u64().unwrap();
            if amount("live_blocks") > 0 {
                let row = found.entry(function(site)).or_default();
                row.0 += amount("live_blocks");
                row.1 += amount("live_bytes");
            }
        }
        assert_eq!(found, oracle, "{capture}");
        let sum: u64 = found.values().map(|v| v.1).sum();
        assert_eq!(document["totals"][side]["shallow_bytes"], sum);
    }
}

#[test]
fn what_leaks_is_named_by_its_holder_and_by_its_site() {
    let document = json_of(&["compare", &node(NODE[0]), &node(NODE[1])]);
    let holder = &document["holders"][0];
    assert_eq!(holder["per_run"], 42);
    assert_eq!(
        holder["path"].as_array().unwrap().last().unwrap()["type"],
        "Rejection"
    );
    let made = &holder["allocated_at"];
    assert_eq!(
        (made["objects"].as_u64(), made["of"].as_u64()),
        (Some(1680), Some(1680))
    );
    let sites = document["sites"].as_array().unwrap();
    let site = sites.iter().find(|s| s["id"] == made["site"]).unwrap();
    assert!(function(site).starts_with("reject desk.js:"), "{site}");
    let all = sites.iter().filter(|s| function(s) == function(site));
    let per_run: f64 = all
        .map(|s| s["per_run"]["live_blocks"].as_f64().unwrap())
        .sum();
    assert!((per_run - 42.0).abs() < 1e-9, "{per_run}");
    let text = out(&["compare", &node(NODE[0]), &node(NODE[1])]);
    assert!(
        text.contains("made  at batch > check > reject  desk.js:32, all of them"),
        "{text}"
    );

    let cured = json_of(&["cycles", &node("cured-040")]);
    let sites = cured["sites"].as_array().unwrap();
    assert!(!sites.is_empty());
    // V8's own notes on functions that ran, and no more.
    let kept = sites
        .iter()
        .filter(|s| function(s).to_lowercase().starts_with("reject"));
    let kept: u64 = kept
        .map(|s| s["after"]["live_blocks"].as_u64().unwrap())
        .sum();
    assert!(kept < 42, "{kept}");
}

#[test]
fn a_ruby_dump_with_allocation_tracing_has_a_site_for_each_object() {
    let dump = |n: u32| format!("profiles/ruby-graph/faulty-{n:03}.rbheap.zst");
    let document = json_of(&["compare", &dump(10), &dump(20), &dump(40)]);
    let made = &document["holders"][0]["allocated_at"];
    assert_eq!(
        (made["objects"].as_u64(), made["of"].as_u64()),
        (Some(40), Some(40))
    );
    let sites = document["sites"].as_array().unwrap();
    let site = sites.iter().find(|s| s["id"] == made["site"]).unwrap();
    assert_eq!(site["per_run"]["live_blocks"], 1);
    assert_eq!(site["growth"], "steady-growth");
    let items = sites.iter().filter(|s| s["per_run"]["live_blocks"] == 20);
    assert!(items.count() > 0, "20 items a session");
    let sum: u64 = sites
        .iter()
        .map(|s| s["after"]["live_bytes"].as_u64().unwrap())
        .sum();
    assert_eq!(document["totals"]["after"]["shallow_bytes"], sum);
}

#[test]
fn dumps_with_traces_serve_as_captures_of_sites() {
    let folder = tempfile::tempdir().unwrap();
    let target = |name: &str| folder.path().join(name).display().to_string();
    let [a, b] = NODE.map(node);
    let grouped = json_of(&[
        "compare",
        &a,
        &b,
        "--group-by",
        "function",
        "--focus",
        "desk.js",
    ]);
    assert_eq!(grouped["kind"], "allocations");
    assert_eq!(grouped["group_by"], "function");
    let (svg, folded) = (target("growth.svg"), target("growth.folded"));
    out(&["compare", &a, &b, "-o", &svg, "-o", &folded]);
    assert!(std::fs::read_to_string(svg).unwrap().contains("reject"));
    assert!(
        std::fs::read_to_string(folded)
            .unwrap()
            .contains("check;reject")
    );
    let dhat = target("b.dhat.json");
    out(&["convert", &b, "--to", "dhat", "-o", &dhat]);
    let by_metric = |capture: &str| {
        let args = [
            "inspect",
            capture,
            "--metric",
            "live_bytes",
            "--format",
            "json",
        ];
        let value: Value = serde_json::from_str(&out(&args)).unwrap();
        value["captures"][0]["totals"]["live_bytes"].clone()
    };
    assert!(by_metric(&b).is_u64());
    assert_eq!(by_metric(&b), by_metric(&dhat));
}

#[test]
fn without_traces_what_needs_them_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let svg = folder.path().join("growth.svg").display().to_string();
    let dumps = [20, 40].map(|n| format!("profiles/rules-engine/held-{n}.hdg.zst"));
    for extra in [
        ["-o", svg.as_str()],
        ["--focus", "run"],
        ["--metric", "live_bytes"],
    ] {
        let args = ["compare", &dumps[0], &dumps[1], extra[0], extra[1]];
        let output = heapdiff(&args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{extra:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("allocation traces"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        if extra[0] != "-o" {
            assert!(said.contains(extra[0]), "{said}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn loaders_and_their_classes_are_those_that_the_virtual_machine_counts() {
    for (capture, runs) in [("faulty-005", 5), ("faulty-020", 20), ("cured-020", 20)] {
        let mut oracle: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        let mut last = String::new();
        for line in text(&format!("java-loaders/oracle/{capture}.loaders.txt")).lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            // Hidden classes stand in a line below their loader.
            let (name, classes, loaders) = match words[..] {
                [at, _, _, classes, _, _, ref name @ ..] if at.starts_with("0x") => {
                    (name.join(" "), classes, 1)
                }
                [classes, _, _, "+", "hidden", "classes"] => (last.clone(), classes, 0),
                _ => continue,
            };
            last.clone_from(&name);
            let classes: u64 = classes.parse().unwrap();
            // A loader that has loaded nothing is an object like any other.
            if classes > 0 {
                let name = name.replace("<boot class loader>", "(bootstrap)");
                let row = oracle.entry(name).or_default();
                *row = (row.0 + loaders, row.1 + classes);
            }
        }
        for mode in [&[][..], &["--types-only"]] {
            let dump = java(capture, runs);
            let args = [&["cycles", dump.as_str()], mode].concat();
            let document = json_of(&args);
            let rows = document["loaders"].as_array().unwrap();
            let number = |row: &Value, key: &str| row["after"][key].as_u64().unwrap();
            let found: BTreeMap<String, (u64, u64)> = rows
                .iter()
                .map(|row| {
                    let name = row["loader"].as_str().unwrap().to_owned();
                    (name, (number(row, "loaders"), number(row, "classes")))
                })
                .collect();
            assert_eq!(found, oracle, "{capture} {mode:?}");
            let totals = &document["totals"]["after"];
            for key in ["objects", "shallow_bytes"] {
                let sum: u64 = rows.iter().map(|row| number(row, key)).sum();
                assert_eq!(totals[key], sum, "{capture} {key}");
            }
        }
    }
}

#[test]
fn loaders_that_pile_up_are_found_by_what_holds_them() {
    let (before, after) = (java("faulty-005", 5), java("faulty-020", 20));
    let document = json_of(&["cycles", &before, &after]);
    let rows = document["loaders"].as_array().unwrap();
    let of = |name: &str| rows.iter().find(|r| r["loader"] == name).unwrap();
    let plugins = of("Plugins$PluginLoader");
    assert_eq!(plugins["series"], serde_json::json!([5, 20]));
    assert_eq!(plugins["delta"]["classes"], 45);
    let cut = &document["holders"][0]["cut"]["references"][0];
    assert_eq!(cut["from"], "class Plugins");
    assert_eq!(cut["edge"], ".LISTENERS.elementData[*]");
    let text = out(&["cycles", &before, &after, "--histogram", "--by", "loader"]);
    assert!(text.contains("5 -> 20  15 -> 60"), "{text}");
}

#[test]
fn the_page_has_the_sites_and_the_site_of_the_holder() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("report.html").display().to_string();
    out(&["compare", &node(NODE[0]), &node(NODE[1]), "-o", &target]);
    let page = std::fs::read_to_string(target).unwrap();
    assert!(page.contains("<h3>Where it was allocated</h3>"));
    assert!(page.contains("reject  desk.js:32, 1,680 of 1,680"));
    assert!(page.contains(">Rejection  desk.js:11<"));
}
