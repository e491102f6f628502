//! What holds of every comparison, over captures made up by chance.

use super::{json, text};
use proptest::prelude::*;
use serde_json::{Value, json as value};

/// A site: functions, root first, then bytes and blocks.
type Sites = Vec<(Vec<u8>, u32, u16)>;

fn sites() -> impl Strategy<Value = Sites> {
    let stack = prop::collection::vec(0u8..6, 1..6);
    let bytes = prop_oneof![Just(0u32), 1..5000u32, any::<u32>()];
    prop::collection::vec((stack, bytes, any::<u16>()), 1..25)
}

fn folded(sites: &Sites) -> String {
    let line = |(stack, bytes, _): &(Vec<u8>, u32, u16)| {
        let names: Vec<String> = stack.iter().map(|f| format!("f{f}")).collect();
        format!("main;{} {bytes}\n", names.join(";"))
    };
    sites.iter().map(line).collect()
}

/// DHAT JSON, frames leaf first.
fn dhat(sites: &Sites) -> String {
    let table: Vec<String> = std::iter::once("[root]".to_owned())
        .chain((0..6).map(|i| format!("0x{i}: f{i} (f.c:{})", i + 1)))
        .collect();
    let points: Vec<Value> = sites
        .iter()
        .map(|(stack, bytes, blocks)| {
            let frames: Vec<u8> = stack.iter().rev().map(|f| f + 1).collect();
            value!({"tb": *bytes as u64 * 3, "tbk": *blocks as u64 * 2, "tl": 1, "mb": bytes, "mbk": blocks,
                "gb": bytes / 2, "gbk": blocks / 2, "eb": bytes, "ebk": blocks, "fs": frames})
        })
        .collect();
    value!({"dhatFileVersion": 2, "mode": "heap", "verb": "Allocated", "bklt": true, "bkacc": false,
        "tu": "instrs", "Mtu": "Minstr", "cmd": "x", "pid": 1, "tg": 1, "te": 2,
        "pps": points, "ftbl": table})
    .to_string()
}

struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    fn new() -> Files {
        Files {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn add(sums: &mut std::collections::BTreeMap<(String, String), i128>, row: &Value) {
    for which in ["before", "after", "delta"] {
        for (metric, n) in row[which].as_object().unwrap() {
            let key = (which.to_owned(), metric.clone());
            *sums.entry(key).or_default() += n.as_i64().unwrap() as i128;
        }
    }
}

/// Rows, what is omitted and what is filtered are the total, for every metric that adds up.
fn sums_up(document: &Value) {
    let mut sums = Default::default();
    let rows = document["sites"].as_array().unwrap().iter();
    for row in rows.chain([&document["omitted"], &document["filtered"]]) {
        add(&mut sums, row);
    }
    let mut totals = Default::default();
    add(&mut totals, &document["totals"]);
    sums.retain(|key, _| totals.contains_key(key));
    assert_eq!(sums, totals);
}

fn deltas(document: &Value, sign: i64) -> Vec<(String, i64, i64)> {
    let rows = document["sites"].as_array().unwrap().iter();
    let mut all: Vec<_> = rows
        .map(|row| {
            let per_run = row["per_run"]["live_bytes"].as_f64().unwrap_or(0.0);
            // A pair is shown by the new side's frames, which swapping exchanges.
            let paired = !["exact", "only-before", "only-after"]
                .contains(&row["matched_by"].as_str().unwrap());
            let frames = row["frames"].to_string();
            (
                if paired { "a pair".to_owned() } else { frames },
                sign * row["delta"]["live_bytes"].as_i64().unwrap(),
                (sign as f64 * per_run * 1000.0).round() as i64,
            )
        })
        .collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rows_sum_to_the_total(
        a in sites(), b in sites(), c in sites(),
        how in 0usize..6, limit in 0usize..4, kind in any::<bool>(),
    ) {
        let files = Files::new();
        let write = if kind { dhat } else { folded };
        let paths = [("a", a), ("b", b), ("c", c)].map(|(name, s)| files.write(name, &write(&s)));
        let limit = limit.to_string();
        let mut args = vec!["--limit", &limit];
        args.extend(match how {
            0 => vec![],
            1 => vec!["--group-by", "function"],
            2 => vec!["--focus", "f1"],
            3 => vec!["--min-delta", "1000"],
            4 => vec!["--ignore", "f2", "--group-by", "leaf"],
            _ => vec!["--hide", "f3", "--base"],
        });
        args.extend(paths.iter().map(String::as_str));
        let document = json(&args);
        sums_up(&document);
        let sites = document["sites"].as_array().unwrap().len();
        prop_assert!(limit == "0" || sites <= limit.parse().unwrap());
    }

    #[test]
    fn a_capture_equals_itself(a in sites(), kind in any::<bool>()) {
        let files = Files::new();
        let path = files.write("a", &if kind { dhat(&a) } else { folded(&a) });
        let document = json(&[&path, &path]);
        prop_assert_eq!(&document["verdict"], "same");
        // What one capture shows by itself is there in two; nothing grew.
        for finding in document["findings"].as_array().unwrap() {
            let rule = finding["rule"].as_str().unwrap();
            prop_assert_eq!(rule, "HD020", "{}", finding);
            let held = &finding["evidence"];
            prop_assert_eq!(&held["before"], &held["after"]);
        }
        for row in document["sites"].as_array().unwrap() {
            prop_assert_eq!(&row["growth"], "unchanged");
            prop_assert_eq!(&row["before"], &row["after"]);
        }
        for line in text("folded", &[&path, &path]).lines() {
            let mut words = line.rsplit(' ');
            prop_assert_eq!(words.next(), words.next());
        }
        prop_assert!(text("svg", &[&path, &path]).contains("nothing changed"));
    }

    #[test]
    fn swapped_sides_negate(a in sites(), b in sites()) {
        let files = Files::new();
        let (a, b) = (files.write("a", &dhat(&a)), files.write("b", &dhat(&b)));
        let (a, b) = (format!("{a}@10"), format!("{b}@25"));
        let there = json(&["--base", &a, &b]);
        let back = json(&["--base", &b, &a]);
        prop_assert_eq!(deltas(&there, 1), deltas(&back, -1));
        let plain = |x: &str, y: &str| json(&[x, y]);
        let (x, y) = (a.trim_end_matches("@10"), b.trim_end_matches("@25"));
        prop_assert_eq!(deltas(&plain(x, y), 1), deltas(&plain(y, x), -1));
    }
}
