//! What `go tool pprof -top` says of a pair of captures, number by number.

use super::{json, profile, rendered};
use serde_json::Value;
use std::collections::BTreeMap;

const BEFORE: &str = "profiles/go-ingest/rate-4096/faulty/run-050.pb.gz";
const AFTER: &str = "profiles/go-ingest/rate-4096/faulty/run-200.pb.gz";

/// pprof's name of a sample type, and ours.
const TYPES: [(&str, &str); 4] = [
    ("alloc_objects", "total_blocks"),
    ("alloc_space", "total_bytes"),
    ("inuse_objects", "live_blocks"),
    ("inuse_space", "live_bytes"),
];

/// What a function allocates itself, and with all that it calls.
type Rows = BTreeMap<String, (i64, i64)>;

struct Oracle {
    rows: Rows,
    /// In order.
    names: Vec<String>,
    shown: i64,
    total: i64,
}

/// `578664B`, or, since `-unit=bytes` is said to it of objects too, `12bytes`.
fn number(text: &str) -> i64 {
    let digits = text.trim_end_matches("bytes").trim_end_matches('B');
    digits.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn oracle(name: &str) -> Oracle {
    let text = profile(&format!("go-ingest/oracle/top.{name}.txt"));
    let head = text.lines().find(|l| l.starts_with("Showing")).unwrap();
    let words: Vec<&str> = head.split_whitespace().collect();
    let mut oracle = Oracle {
        rows: Rows::new(),
        names: Vec::new(),
        shown: number(words[4].trim_end_matches(',')),
        total: number(words[words.len() - 2]),
    };
    let table = text.lines().skip_while(|l| !l.contains("flat%")).skip(1);
    for line in table {
        let mut cells = line.split_whitespace();
        let mut cell = || cells.next().unwrap();
        let flat = number(cell());
        let (_, _, cum, _) = (cell(), cell(), number(cell()), cell());
        let name: Vec<&str> = cells.collect();
        let name = name.join(" ");
        let name = name.trim_end_matches(" (inline)").to_owned();
        let name = name.trim_end_matches(" (partial-inline)").to_owned();
        oracle.rows.insert(name.clone(), (flat, cum));
        oracle.names.push(name);
    }
    oracle
}

/// Ours, of the numbers `which` of a site.
fn ours(document: &Value, which: &str, metric: &str) -> Rows {
    let sites = document["sites"].as_array().unwrap();
    let row = |site: &Value| {
        let of = |place: &Value| place[which][metric].as_i64().unwrap();
        let name = site["frames"][0]["function"].as_str().unwrap().to_owned();
        (name, (of(site), of(&site["cumulative"])))
    };
    sites.iter().map(row).collect()
}

/// pprof leaves out functions with nothing to show.
fn assert_same(oracle: &Rows, mut ours: Rows, what: &str) {
    ours.retain(|_, numbers| *numbers != (0, 0));
    let shown = |rows: &Rows| -> Rows {
        let some = rows.iter().filter(|(_, n)| **n != (0, 0));
        some.map(|(name, n)| (name.clone(), *n)).collect()
    };
    assert_eq!(shown(oracle), ours, "{what}");
}

#[test]
fn differences_are_those_of_pprof() {
    let document = json(&["--group-by", "function", BEFORE, AFTER]);
    for (theirs, metric) in TYPES {
        for option in ["diff_base", "base"] {
            for cum in ["", ".cum"] {
                let name = format!("{option}.{theirs}{cum}");
                let oracle = oracle(&name);
                assert!(!oracle.rows.is_empty());
                assert_same(&oracle.rows, ours(&document, "delta", metric), &name);
                let total = &document["totals"]["delta"][metric];
                assert_eq!(total.as_i64(), Some(oracle.shown), "{name}");
                if option == "diff_base" {
                    let base = &document["totals"]["before"][metric];
                    assert_eq!(base.as_i64(), Some(oracle.total), "{name}");
                }
            }
        }
    }
}

#[test]
fn one_capture_is_that_of_pprof() {
    let document = json(&["--group-by", "function", BEFORE, AFTER]);
    for (theirs, metric) in TYPES {
        for cum in ["", ".cum"] {
            let name = format!("single.{theirs}{cum}");
            let oracle = oracle(&name);
            assert_same(&oracle.rows, ours(&document, "after", metric), &name);
            let total = &document["totals"]["after"][metric];
            assert_eq!(total.as_i64(), Some(oracle.total), "{name}");
        }
    }
}

#[test]
fn the_order_is_that_of_pprof() {
    for (theirs, metric) in TYPES {
        for (cum, sort) in [("", "growth"), (".cum", "cumulative")] {
            let oracle = oracle(&format!("diff_base.{theirs}{cum}"));
            let args = ["--group-by", "function", "--metric", metric, "--sort", sort];
            let document = json(&[&args[..], &[BEFORE, AFTER]].concat());
            let value = |name: &String| {
                let (flat, cumulative) = oracle.rows[name];
                if cum.is_empty() { flat } else { cumulative }.abs()
            };
            let theirs: Vec<i64> = oracle.names.iter().map(value).collect();
            let sites = document["sites"].as_array().unwrap();
            let names = sites
                .iter()
                .map(|s| s["frames"][0]["function"].as_str().unwrap().to_owned());
            let ours: Vec<i64> = names
                .filter(|n| oracle.rows.contains_key(n))
                .map(|n| value(&n))
                .collect();
            assert_eq!(theirs, ours, "{metric} by {sort}");
        }
    }
}

/// What pprof does with our file, done by the decoder of another crate.
#[cfg(unix)]
#[test]
fn the_written_difference_holds_the_same() {
    use pprof::protos::{Message, Profile};
    use std::io::Read;
    let packed = rendered("pprof", &[BEFORE, AFTER]);
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_end(&mut plain)
        .unwrap();
    let decoded = Profile::decode(&plain[..]).unwrap();
    let text = |i: i64| decoded.string_table[i as usize].as_str();
    assert_eq!(text(decoded.default_sample_type), "inuse_space");
    assert_eq!(decoded.period, 4096);
    let function = |location: u64| -> Vec<String> {
        let location = decoded.location.iter().find(|l| l.id == location).unwrap();
        let name = |id: u64| {
            let function = decoded.function.iter().find(|f| f.id == id).unwrap();
            text(function.name).to_owned()
        };
        location.line.iter().map(|l| name(l.function_id)).collect()
    };
    for (i, sample_type) in decoded.sample_type.iter().enumerate() {
        let oracle = oracle(&format!("diff_base.{}", text(sample_type.ty)));
        let mut rows = Rows::new();
        let mut base = 0;
        for sample in &decoded.sample {
            let value = sample.value[i];
            let is_base = sample
                .label
                .iter()
                .any(|l| text(l.key) == "pprof::base" && text(l.str) == "true");
            assert!(if is_base { value <= 0 } else { value >= 0 });
            if is_base {
                base -= value;
            }
            let names: Vec<String> = sample
                .location_id
                .iter()
                .flat_map(|&l| function(l))
                .collect();
            rows.entry(names[0].clone()).or_default().0 += value;
            let mut seen = names.clone();
            seen.sort();
            seen.dedup();
            for name in seen {
                rows.entry(name).or_default().1 += value;
            }
        }
        assert_same(&oracle.rows, rows, text(sample_type.ty));
        assert_eq!(base, oracle.total);
    }
}

/// The difference read again is the difference.
#[test]
fn the_written_difference_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("difference.pb.gz");
    std::fs::write(&path, rendered("pprof", &[BEFORE, AFTER])).unwrap();
    let path = path.to_str().unwrap();
    let whole = json(&["--group-by", "function", BEFORE, AFTER]);
    let again = json(&["--group-by", "function", path, path]);
    for (_, metric) in TYPES {
        let mut want = ours(&whole, "delta", metric);
        let mut have = ours(&again, "after", metric);
        want.retain(|_, n| *n != (0, 0));
        have.retain(|_, n| *n != (0, 0));
        assert_eq!(want, have, "{metric}");
    }
}
