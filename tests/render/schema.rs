//! The JSON document against its schema, and its order of keys.

use super::{json, rendered, text};
use serde_json::Value;

/// Comparisons of every kind.
const COMPARISONS: &[&str] = &[
    "profiles/ingest/a.json@50 profiles/ingest/b.json@200",
    "profiles/ingest/a.json profiles/ingest/b.json",
    "profiles/ingest/a.json profiles/ingest/a.json",
    "--runs 50,200,800 profiles/ingest/faulty",
    "--runs 50,200,800 profiles/ingest/faulty --limit 1",
    "--runs 50,200,800 profiles/ingest/faulty --min-delta 1MiB --runs-per-hour 60 --memory-limit 1GB",
    "--runs 50,200,800 profiles/ingest/faulty --metric total_bytes",
    "--runs 50,200,800 profiles/ingest/faulty --metric max_bytes --group-by file",
    "--runs 50,200,800 profiles/ingest/faulty --group-by module",
    "--runs 50,200,800 --base profiles/ingest/faulty profiles/ingest/cured",
    "--base profiles/ingest/cured/run-200.json profiles/ingest/keep-alive/run-200.json",
    "profiles/c-ingest/faulty/run-050.json profiles/c-ingest/faulty/run-200.json --metric peak_bytes",
    "profiles/go-ingest/rate-4096/faulty/run-050.pb.gz profiles/go-ingest/rate-4096/faulty/run-200.pb.gz",
    "profiles/go-ingest/exact/faulty --group-by function --focus readdFailed",
    "profiles/go-ingest/exact/faulty --group-by line",
    "profiles/go-ingest/exact/faulty --group-by leaf",
    "profiles/go-ingest/exact/faulty --group-by label:bytes",
    "profiles/folded/leaked-050.folded profiles/folded/leaked-200.folded",
    "profiles/tracemalloc/runs-10.pickle profiles/tracemalloc/runs-110.pickle profiles/tracemalloc/runs-210.pickle",
];

/// The keys of the document, and of a site, in the contract's order.
const KEYS: &str = "schema kind verdict metric group_by captures totals matching resolution sites \
omitted filtered types cycles holders findings gate";
const SITE_KEYS: &str = "id frames owner before after delta per_run cumulative series growth slope \
significance follows hot matched_by moved_from";

fn args(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

fn schema() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/schema/heapdiff.compare.1.schema.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_document_is_valid() {
    let schema = schema();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for line in COMPARISONS {
        let document = json(&args(line));
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{line}: {errors:#?}");
    }
}

#[test]
fn the_schema_is_strict() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let good = json(&args(COMPARISONS[3]));
    assert!(validator.is_valid(&good));
    let mut more = good.clone();
    more["new_key"] = Value::from(1);
    more["sites"][0]["new_key"] = Value::Null;
    assert!(validator.is_valid(&more), "keys may be added");
    for pointer in [
        "/gate",
        "/sites/0/id",
        "/totals/delta",
        "/findings/0/evidence",
        "/captures/0/runs",
        "/omitted/before",
    ] {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let mut bad = good.clone();
        let parent = bad.pointer_mut(parent).unwrap();
        assert!(parent.as_object_mut().unwrap().remove(key).is_some());
        assert!(!validator.is_valid(&bad), "without {pointer}");
    }
    for (pointer, value) in [
        ("/verdict", Value::from("leaks")),
        ("/sites/0/before/live_bytes", Value::from(1.5)),
        ("/sites/0/before/live_bytes", Value::Null),
        ("/sites/0/id", Value::from("x#1")),
        ("/findings/0/severity", Value::from("high")),
        ("/captures/0/side", Value::from("old")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value.clone();
        assert!(!validator.is_valid(&bad), "{pointer} = {value}");
    }
}

#[test]
fn keys_stand_in_order() {
    let text = text("json", &args(COMPARISONS[3]));
    let keys: Vec<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("  \"")?.split('"').next())
        .collect();
    assert_eq!(keys.join(" "), KEYS);
    let site = text.lines().find(|l| l.starts_with("    {\"id\"")).unwrap();
    let mut from = 0;
    for key in SITE_KEYS.split(' ') {
        let at = site[from..].find(&format!("\"{key}\":"));
        from += at.unwrap_or_else(|| panic!("{key} is out of order"));
    }
    for word in [": NaN", ": inf", ": -inf", ".0,", ".0}"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn lines_are_the_sites() {
    for line in [COMPARISONS[3], COMPARISONS[4], COMPARISONS[13]] {
        let args = args(line);
        let sites: Vec<Value> = text("jsonl", &args)
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        assert_eq!(Value::from(sites), json(&args)["sites"], "{line}");
    }
}

#[test]
fn ids_outlive_other_numbers() {
    let ids = |line: &str| -> Vec<String> {
        let findings = json(&args(line))["findings"].clone();
        let mut ids: Vec<String> = findings
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    };
    let some = ids("--runs 50,200,800 profiles/ingest/faulty");
    assert_eq!(some.len(), 5);
    assert_eq!(some, ids("--runs 1,2,8 profiles/ingest/faulty"));
    assert_eq!(
        some,
        ids("--runs 50,200,800 profiles/ingest/faulty --limit 1")
    );
}

#[test]
fn the_same_bytes_twice() {
    for format in ["json", "jsonl", "md", "csv", "folded", "pprof", "svg"] {
        for line in [COMPARISONS[3], COMPARISONS[12]] {
            let args = args(line);
            assert!(
                rendered(format, &args) == rendered(format, &args),
                "{format} of {line}"
            );
        }
    }
}

#[test]
fn paths_are_trimmed() {
    let args = args("profiles/ingest/a.json profiles/ingest/b.json --trim-path heapdiff");
    let all = text("json", &args);
    assert!(all.contains("\"file\": \"examples/ingest.rs\""));
    assert!(!all.contains("heapdiff/examples/ingest.rs"));
    assert!(text("csv", &args).contains(",examples/ingest.rs,"));
}
