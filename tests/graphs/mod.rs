//! Object graphs through the program: what it accuses, what it leaves alone, what it refuses.

mod cuts;
mod dump;
mod pages;
mod shapes;
mod traces;

use crate::program::heapdiff;
use dump::Dump;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Writes dumps into a folder; their paths.
fn files(folder: &Path, dumps: &[String]) -> Vec<String> {
    let path = |i: usize| -> PathBuf { folder.join(format!("run-{i:02}.hdg")) };
    for (i, text) in dumps.iter().enumerate() {
        std::fs::write(path(i), text).unwrap();
    }
    (0..dumps.len())
        .map(|i| path(i).display().to_string())
        .collect()
}

fn output(args: &[&str], dumps: &[String]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let paths = files(folder.path(), dumps);
    let mut all = vec!["cycles"];
    all.extend(args);
    all.extend(paths.iter().map(String::as_str));
    let output = heapdiff(&all).output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// The page of captures.
fn html(args: &[&str], dumps: &[String]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report.html").display().to_string();
    let (status, _, err) = output(&[args, &["-o", &out]].concat(), dumps);
    assert_eq!(status, 0, "{err}");
    std::fs::read_to_string(out).unwrap()
}

fn text(dumps: &[String]) -> String {
    let (status, out, err) = output(&[], dumps);
    assert_eq!(status, 0, "{err}");
    out
}

fn json(dumps: &[String]) -> Value {
    let (status, out, err) = output(&["--format", "json"], dumps);
    assert_eq!(status, 0, "{err}");
    let document = valid(&out);
    adds_up(&document);
    document
}

/// What a command writes as JSON.
fn json_of(args: &[&str]) -> Value {
    let output = heapdiff(&[args, &["--format", "json"]].concat())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{err}");
    valid(&String::from_utf8(output.stdout).unwrap())
}

/// A document that keeps to its schema.
fn valid(text: &str) -> Value {
    let document: Value = serde_json::from_str(text).unwrap();
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/schema/heapdiff.compare.1.schema.json"
    );
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    document
}

/// Every entry of the dominator tree keeps its own bytes, those of the entries below, and the rest.
fn adds_up(document: &Value) {
    let entries = document["dominators"].as_array().unwrap();
    let number = |e: &Value, key: &str| e[key].as_u64().unwrap();
    let mut below = vec![0; entries.len()];
    for (i, e) in entries.iter().enumerate() {
        if let Some(parent) = e["parent"].as_u64() {
            assert!((parent as usize) < i);
            below[parent as usize] += number(e, "retained_bytes");
        }
    }
    for (e, below) in entries.iter().zip(below) {
        let parts = number(e, "shallow_bytes") + number(e, "rest_bytes") + below;
        assert_eq!(number(e, "retained_bytes"), parts, "{e}");
    }
    let tops = entries.iter().filter(|e| e["parent"].is_null());
    let total: u64 = tops.map(|e| number(e, "retained_bytes")).sum();
    assert_eq!(document["totals"]["after"]["shallow_bytes"], total);
}

/// A broker that stores an error whose traceback leads back to it: the broker's id.
fn broker(d: &mut Dump) -> u64 {
    let (broker, error, tb, frame) = (d.id(), d.id(), d.id(), d.id());
    let payload = d.object("bytes", 2000, &[]);
    d.put(
        broker,
        "app.Broker",
        48,
        &[(".last", error), (".payload", payload)],
    );
    d.put(error, "app.BrokerError", 80, &[("__traceback__", tb)]);
    d.put(tb, "traceback", 64, &[("tb_frame", frame)]);
    d.put(frame, "frame", 400, &[("local:self", broker)]);
    broker
}

/// A module that holds a list, with some structure around that is no fault: a tree with parent
/// pointers, a full cache, a linked list.
fn module(d: &mut Dump, held: &[u64]) {
    let edges: Vec<(&str, u64)> = held.iter().map(|&h| ("[]", h)).collect();
    let list = d.object("list", 56 + 8 * held.len() as u64, &edges);
    let tree = d.id();
    let children: Vec<u64> = (0..20)
        .map(|_| d.object("app.Leaf", 48, &[(".parent", tree)]))
        .collect();
    let edges: Vec<(&str, u64)> = children.iter().map(|&c| ("[]", c)).collect();
    let list_of_children = d.object("list", 200, &edges);
    d.put(tree, "app.Tree", 48, &[(".children", list_of_children)]);
    let entries: Vec<u64> = (0..10).map(|_| d.object("app.Entry", 64, &[])).collect();
    let edges: Vec<(&str, u64)> = entries.iter().map(|&c| ("[<int>]", c)).collect();
    let cache = d.object("dict", 400, &edges);
    let links: Vec<u64> = (0..30).map(|_| d.id()).collect();
    for (i, &link) in links.iter().enumerate() {
        let mut edges = Vec::new();
        if i > 0 {
            edges.push((".prev", links[i - 1]));
        }
        if i + 1 < links.len() {
            edges.push((".next", links[i + 1]));
        }
        d.put(link, "app.Link", 56, &edges);
    }
    let module = d.object(
        "module",
        72,
        &[
            (".KEEP", list),
            (".TREE", tree),
            (".CACHE", cache),
            (".LINKS", links[0]),
        ],
    );
    d.root(module, "module", "app.registry");
}

fn free(run: u64, capture: &str) -> String {
    let mut d = Dump::python(run, capture);
    for _ in 0..run {
        broker(&mut d);
    }
    module(&mut d, &[]);
    d.finish()
}

fn held(mut d: Dump, run: u64) -> String {
    let brokers: Vec<u64> = (0..run).map(|_| broker(&mut d)).collect();
    module(&mut d, &brokers);
    d.finish()
}

const RUNS: [u64; 4] = [0, 10, 20, 40];
const SIGNATURE: &str =
    "Broker.last -> BrokerError.__traceback__ -> traceback.tb_frame -> frame.local:self -> Broker";

#[test]
fn a_cycle_that_only_the_collector_can_free_is_named_and_cut() {
    let off = RUNS.map(|n| free(n, ",\"gc\":\"none\",\"gc_enabled\":false"));
    let shown = text(&off);
    assert!(
        shown.starts_with("LEAK  1.00 Broker cycle per run (0 -> 10 -> 20 -> 40)"),
        "{shown}"
    );
    assert!(shown.contains("gc is disabled in this process"), "{shown}");
    assert!(shown.lines().count() <= 24);
    let document = json(&off);
    assert_eq!(document["verdict"], "leak");
    let cycle = &document["cycles"][0];
    assert_eq!(cycle["signature"], SIGNATURE);
    assert_eq!(cycle["occurrences"], serde_json::json!([0, 10, 20, 40]));
    assert_eq!(cycle["objects"], 4);
    assert_eq!(cycle["retained_bytes"], 40 * 2592);
    assert_eq!(cycle["shallow_bytes"], 40 * 592);
    assert_eq!(
        (&cycle["per_run"], &cycle["reachable"]),
        (&1.into(), &false.into())
    );
    assert_eq!(cycle["root_path"], Value::Null);
    assert_eq!(cycle["cut"]["kind"], "break-cycle");
    assert_eq!(cycle["cut"]["frees_bytes"], 40 * 2592);
    assert_eq!(cycle["cut"]["references"][0]["edge"], ".__traceback__");
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0]["rule"], "HD040");
}

#[test]
fn cycles_that_wait_for_a_collector_that_is_on_are_no_leak() {
    let on = RUNS.map(|n| free(n, ",\"gc\":\"none\",\"gc_enabled\":true"));
    let document = json(&on);
    assert_eq!(document["verdict"], "grew");
    assert_eq!(document["findings"][0]["rule"], "HD044");
}

#[test]
fn what_holds_them_is_named_where_something_does() {
    let registry = RUNS.map(|n| held(Dump::python(n, ",\"gc\":\"full\""), n));
    let document = json(&registry);
    assert_eq!(document["verdict"], "leak");
    let cycle = &document["cycles"][0];
    assert_eq!(
        (&cycle["reachable"], &cycle["signature"]),
        (&true.into(), &SIGNATURE.into())
    );
    assert_eq!(cycle["cut"]["kind"], "bridge");
    let cut = serde_json::json!({"from": "module", "edge": ".KEEP[*]", "to": "app.Broker"});
    assert_eq!(cycle["cut"]["references"][0], cut);
    assert_eq!(cycle["cut"]["frees_bytes"], 40 * 2592);
    let holder = &document["holders"][0];
    assert_eq!(holder["series"], serde_json::json!([0, 10, 20, 40]));
    assert_eq!(holder["exclusive_bytes"], 40 * 2592);
    assert_eq!(holder["evidence"], "certain");
    assert_eq!(holder["path"].as_array().unwrap().len(), 3);
    let entries = document["dominators"].as_array().unwrap();
    let brokers: Vec<&Value> = entries
        .iter()
        .filter(|e| e["type"] == "app.Broker")
        .collect();
    assert_eq!(brokers.len(), 1);
    assert_eq!(brokers[0]["label"], "Broker x 40");
    assert_eq!(brokers[0]["retained_bytes"], 40 * 2592);
}

#[test]
fn under_a_tracing_collector_the_holder_is_the_fault() {
    let registry = RUNS.map(|n| held(Dump::of("jvm", n), n));
    let shown = text(&registry);
    assert!(
        shown.starts_with("LEAK  1.00 Broker per run (0 -> 10 -> 20 -> 40)"),
        "{shown}"
    );
    assert!(shown.contains("held  by module app.registry"), "{shown}");
    assert!(shown.contains("the cycle itself is no leak"), "{shown}");
}

#[test]
fn structure_caches_and_what_stays_are_left_alone() {
    let same = [10, 20, 40].map(|n| {
        let mut d = Dump::python(n, ",\"gc\":\"full\"");
        let keep: Vec<u64> = (0..5).map(|_| broker(&mut d)).collect();
        module(&mut d, &keep);
        d.finish()
    });
    let document = json(&same);
    assert_eq!(document["verdict"], "same");
    assert_eq!(document["findings"], serde_json::json!([]));
    let shown = text(&same);
    assert!(shown.starts_with("SAME"), "{shown}");
    // A cache that fills until its bound.
    let fills = [(10, 8), (20, 16), (40, 20), (80, 20), (160, 20)].map(|(run, n)| {
        let mut d = Dump::python(run, ",\"gc\":\"full\"");
        let entries: Vec<u64> = (0..n).map(|_| d.object("app.Entry", 64, &[])).collect();
        module(&mut d, &entries);
        d.finish()
    });
    let document = json(&fills);
    assert_ne!(document["verdict"], "leak");
    assert!(!document["findings"].to_string().contains("HD041"));
}

#[test]
fn two_sides_say_whether_it_is_cured() {
    let folder = tempfile::tempdir().unwrap();
    let (base, new) = (folder.path().join("base"), folder.path().join("new"));
    for (place, faulty) in [(&base, true), (&new, false)] {
        std::fs::create_dir(place).unwrap();
        let dumps = [10, 20, 40].map(|n| {
            let mut d = Dump::python(n, ",\"gc\":\"full\"");
            let keep: Vec<u64> = (0..if faulty { n } else { 3 })
                .map(|_| broker(&mut d))
                .collect();
            module(&mut d, &keep);
            d.finish()
        });
        files(place, &dumps);
    }
    let (base, new) = (base.display().to_string(), new.display().to_string());
    for command in ["cycles", "compare"] {
        let out = heapdiff(&[command, "--base", &base, &new])
            .output()
            .unwrap();
        let shown = String::from_utf8(out.stdout).unwrap();
        assert!(shown.starts_with("CURED"), "{command}: {shown}");
        let out = heapdiff(&[command, "--base", &new, &base])
            .output()
            .unwrap();
        let shown = String::from_utf8(out.stdout).unwrap();
        assert!(shown.starts_with("WORSE"), "{command}: {shown}");
    }
}

#[test]
fn one_capture_tells_what_is_there() {
    let one = [held(Dump::python(10, ""), 10)];
    let shown = text(&one);
    assert!(shown.starts_with("CANNOT TELL"), "{shown}");
    assert!(
        shown.contains("10 x Broker.last -> BrokerError.__traceback__"),
        "{shown}"
    );
    let (_, ways, _) = output(&["--path-to", "Broker"], &one);
    assert!(ways.starts_with("10 objects match Broker\n"), "{ways}");
    assert!(
        ways.contains(".KEEP -> list") && ways.contains("[*] -> Broker"),
        "{ways}"
    );
    let (_, types, _) = output(&["--histogram", "--exact"], &one);
    assert!(
        types
            .lines()
            .any(|l| l.trim_start().starts_with("10") && l.ends_with("app.Broker")),
        "{types}"
    );
}

#[test]
fn values_and_contents_are_in_no_output() {
    let secret =
        held(Dump::python(3, ""), 3).replace("\"s\":2000,", "\"s\":2000,\"v\":\"s3cret\",");
    assert!(secret.contains("s3cret"));
    for format in ["text", "json", "jsonl", "md", "csv", "dot"] {
        let (status, out, _) = output(
            &["--format", format, "--limit", "0"],
            std::slice::from_ref(&secret),
        );
        assert_eq!(status, 0);
        assert!(!out.contains("s3cret"), "{format}");
    }
    assert!(!html(&["--limit", "0"], &[secret]).contains("s3cret"));
}

#[test]
fn every_rendering_is_the_same_bytes_each_time() {
    let dumps = RUNS.map(|n| held(Dump::python(n, ",\"gc\":\"full\""), n));
    let folder = tempfile::tempdir().unwrap();
    let paths = files(folder.path(), &dumps);
    for format in ["text", "json", "jsonl", "md", "csv", "dot"] {
        let run = || {
            let mut args = vec!["cycles", "--format", format];
            args.extend(paths.iter().map(String::as_str));
            heapdiff(&args).output().unwrap().stdout
        };
        let first = run();
        assert!(!first.is_empty());
        assert_eq!(first, run(), "{format}");
    }
}

#[test]
fn damaged_and_mixed_input_is_refused_in_one_line() {
    let whole = held(Dump::python(10, ""), 10);
    let cut = whole[..whole.len() - 20].to_owned();
    let (status, shown, _) = output(&[], std::slice::from_ref(&cut));
    assert_eq!(status, 0);
    assert!(shown.contains("cut short"), "{shown}");
    let (status, _, err) = output(&["--strict"], &[cut]);
    assert_eq!((status, err.lines().count()), (2, 1), "{err}");
    let bad = whole.replacen("\"t\":0,\"s\"", "\"t\":99,\"s\"", 1);
    let (status, _, err) = output(&[], &[bad]);
    assert!(
        status == 2 && err.contains("line ") && err.lines().count() == 1,
        "{err}"
    );
    let sites = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/ingest/a.json");
    let out = heapdiff(&["cycles", sites]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
}

/// Types of a JSON document: number and own bytes before and after.
fn types_of(
    args: &[&str],
    paths: &[String],
) -> (Value, std::collections::BTreeMap<String, [u64; 4]>) {
    let mut all = vec!["cycles", "--format", "json"];
    all.extend(args);
    all.extend(paths.iter().map(String::as_str));
    let output = heapdiff(&all).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = |t: &Value| {
        let number = |side: &str, key: &str| t[side][key].as_u64().unwrap();
        let name = t["type"].as_str().unwrap().to_owned();
        let numbers = [
            number("before", "count"),
            number("before", "shallow_bytes"),
            number("after", "count"),
            number("after", "shallow_bytes"),
        ];
        (name, numbers)
    };
    let types = document["types"]
        .as_array()
        .unwrap()
        .iter()
        .map(row)
        .collect();
    (document, types)
}

#[test]
fn types_alone_are_those_of_the_whole_graph() {
    for (folder, captures) in [
        (
            "java-graph",
            ["faulty-010.hprof.zst", "faulty-040.hprof.zst"],
        ),
        (
            "node-graph",
            ["faulty-010.heapsnapshot.zst", "faulty-040.heapsnapshot.zst"],
        ),
        (
            "ruby-graph",
            ["faulty-010.rbheap.zst", "faulty-040.rbheap.zst"],
        ),
    ] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("profiles")
            .join(folder);
        let paths = captures.map(|c| root.join(c).display().to_string());
        let (_, mut whole) = types_of(&[], &paths);
        let (document, mut alone) = types_of(&["--types-only"], &paths);
        assert_eq!(document["metric"], "shallow_bytes");
        assert_eq!(document["verdict"], "cannot-tell");
        assert!(document["types"][0]["after"]["retained_bytes"].is_null());
        // Functions without a name are told apart by where they stand, which references say.
        for types in [&mut whole, &mut alone] {
            let mut sum = [0u64; 4];
            types.retain(|name, numbers| {
                let unnamed = name.starts_with("(anonymous");
                if unnamed {
                    sum.iter_mut().zip(&*numbers).for_each(|(s, n)| *s += n);
                }
                !unnamed
            });
            types.insert("(anonymous)".into(), sum);
        }
        assert_eq!(whole, alone, "{folder}");
    }
}
