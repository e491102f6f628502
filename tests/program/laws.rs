//! What holds of every comparison: sums, order, repetition, swapping, over captures made up by
//! chance and through the program.

use super::run;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

/// Sites: functions, root first, then bytes.
type Sites = Vec<(Vec<u8>, u32)>;

fn sites() -> impl Strategy<Value = Sites> {
    let stack = prop::collection::vec(0u8..5, 1..5);
    let bytes = prop_oneof![Just(0u32), 1..3000u32, any::<u32>()];
    prop::collection::vec((stack, bytes), 1..20)
}

fn folded(sites: &Sites) -> String {
    let line = |(stack, bytes): &(Vec<u8>, u32)| {
        let names: Vec<String> = stack.iter().map(|f| format!("f{f}")).collect();
        format!("main;{} {bytes}\n", names.join(";"))
    };
    sites.iter().map(line).collect()
}

/// The same as DHAT JSON: a file and a line for each function, a block for each site.
fn dhat(sites: &Sites) -> String {
    let frames: Vec<String> = (0..5)
        .map(|i| format!("0x{i}: f{i} (part{}.c:{})", i % 2, i + 1))
        .collect();
    let points: Vec<Value> = sites
        .iter()
        .map(|(stack, bytes)| {
            let frames: Vec<u8> = stack.iter().rev().map(|f| f + 1).chain([6]).collect();
            let bytes = u64::from(*bytes);
            serde_json::json!({"tb": bytes * 2, "tbk": 2, "tl": 1, "mb": bytes, "mbk": 1,
                "gb": bytes, "gbk": 1, "eb": bytes, "ebk": u64::from(bytes > 0), "fs": frames})
        })
        .collect();
    let mut table = vec!["[root]".to_owned()];
    table.extend(frames);
    table.push("0x9: main (main.c:9)".to_owned());
    serde_json::json!({"dhatFileVersion": 2, "mode": "heap", "verb": "Allocated", "bklt": true,
        "bkacc": false, "tu": "instrs", "Mtu": "Minstr", "cmd": "x", "pid": 1, "tg": 1, "te": 2,
        "pps": points, "ftbl": table})
    .to_string()
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn output(args: &[&str]) -> String {
    let ran = run(&[&["compare"], args].concat());
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{args:?}");
    ran.out
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&output(&[&["--format", "json"], args].concat())).unwrap()
}

/// Before and after of each stack or group, whatever the order; rows of nothing left out.
fn rows(document: &Value) -> BTreeMap<String, (i64, i64)> {
    let metric = document["metric"].as_str().unwrap();
    let mut rows = BTreeMap::new();
    for site in document["sites"].as_array().unwrap() {
        let frames = site["frames"].as_array().unwrap().iter();
        let names: Vec<&str> = frames
            .map(|f| f["function"].as_str().unwrap_or(""))
            .collect();
        let of = |which: &str| site[which][metric].as_i64().unwrap();
        let sum: &mut (i64, i64) = rows.entry(names.join(";")).or_default();
        *sum = (sum.0 + of("before"), sum.1 + of("after"));
    }
    rows.retain(|_, &mut n| n != (0, 0));
    rows
}

/// The rows without their names. A site that two builds reach by different stacks has the name of
/// either.
fn amounts(document: &Value) -> Vec<(i64, i64)> {
    let mut amounts: Vec<_> = rows(document).into_values().collect();
    amounts.sort_unstable();
    amounts
}

/// Rows, what was left out and what was filtered are the total in every metric, and the total is
/// that of the captures.
fn adds_up(document: &Value) {
    for which in ["before", "after", "delta"] {
        for (metric, total) in document["totals"][which].as_object().unwrap() {
            let rows = document["sites"].as_array().unwrap().iter();
            let sum: i64 = rows
                .chain([&document["omitted"], &document["filtered"]])
                .map(|row| row[which][metric].as_i64().unwrap_or(0))
                .sum();
            assert_eq!(Some(sum), total.as_i64(), "{which} {metric}");
        }
    }
    let metric = document["metric"].as_str().unwrap();
    let captures = document["captures"].as_array().unwrap();
    let last = captures.last().unwrap();
    assert_eq!(document["totals"]["after"][metric], last["totals"][metric]);
}

const GROUPS: [&str; 6] = ["stack", "function", "file", "module", "leaf", "line"];
const FILTERS: [&[&str]; 7] = [
    &[],
    &["--focus", "f1"],
    &["--ignore", "f2|f3"],
    &["--hide", "f[12]"],
    &["--show", "f[03]"],
    &["--show-from", "f4"],
    &["--focus", "f1", "--hide", "main", "--ignore", "f0"],
];
const CUTS: [&[&str]; 4] = [
    &[],
    &["--limit", "2"],
    &["--min-delta", "2KiB"],
    &["--limit", "1", "--min-delta", "1", "--sort", "name"],
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn nothing_is_lost_however_rows_are_made(
        a in sites(), b in sites(), c in sites(), kind in any::<bool>(), sides in any::<bool>(),
        group in 0..GROUPS.len(), filter in 0..FILTERS.len(), cut in 0..CUTS.len(),
    ) {
        let files = Files::new();
        let write = if kind { dhat } else { folded };
        let paths = [("a", a), ("b", b), ("c", c)].map(|(n, s)| files.write(n, &write(&s)));
        let mut args = vec!["--group-by", GROUPS[group]];
        args.extend(FILTERS[filter].iter().chain(CUTS[cut]));
        args.extend(Some("--base").filter(|_| sides));
        args.extend(paths.iter().map(String::as_str));
        adds_up(&json(&args));
    }

    #[test]
    fn the_same_captures_print_the_same_bytes(
        a in sites(), b in sites(), group in 0..GROUPS.len(), kind in any::<bool>(),
    ) {
        let files = Files::new();
        let write = if kind { dhat } else { folded };
        let paths = [("a", a), ("b", b)].map(|(n, s)| files.write(n, &write(&s)));
        for format in ["text", "json", "md", "csv"] {
            let args = ["--format", format, "--group-by", GROUPS[group], &paths[0], &paths[1]];
            prop_assert_eq!(output(&args), output(&args));
        }
    }

    #[test]
    fn the_order_of_samples_changes_nothing(
        a in sites(), b in sites(), kind in any::<bool>(), group in 0..GROUPS.len(),
    ) {
        let files = Files::new();
        let write = if kind { dhat } else { folded };
        let turned: Sites = b.iter().rev().cloned().collect();
        let a = files.write("a", &write(&a));
        let (b, turned) = (files.write("b", &write(&b)), files.write("turned", &write(&turned)));
        let group = ["--group-by", GROUPS[group]];
        let there = json(&[&group[..], &[&a, &b]].concat());
        let back = json(&[&group[..], &[&a, &turned]].concat());
        prop_assert_eq!(amounts(&there), amounts(&back));
        for key in ["totals", "verdict", "omitted", "filtered"] {
            prop_assert_eq!(&there[key], &back[key]);
        }
    }

    #[test]
    fn stacks_that_come_twice_are_added_up(a in sites(), kind in any::<bool>()) {
        let files = Files::new();
        let write = if kind { dhat } else { folded };
        let twice: Sites = a.iter().chain(&a).cloned().collect();
        let path = files.write("a", &write(&a));
        let twice = files.write("twice", &write(&twice));
        let sum = format!("{path}+{path}");
        let document = json(&[&path, &twice]);
        for (stack, (before, after)) in rows(&document) {
            prop_assert_eq!(after, 2 * before, "{}", stack);
        }
        prop_assert_eq!(rows(&document), rows(&json(&[&path, &sum])));
        prop_assert_eq!(&json(&[&sum, &twice])["verdict"], "same");
    }

    #[test]
    fn two_formats_of_the_same_stacks_agree(a in sites(), b in sites()) {
        let files = Files::new();
        let [fa, fb] = [("fa", &a), ("fb", &b)].map(|(n, s)| files.write(n, &folded(s)));
        let [da, db] = [("da", &a), ("db", &b)].map(|(n, s)| files.write(n, &dhat(s)));
        let by = ["--group-by", "function"];
        let plain = json(&[&by[..], &[&fa, &fb]].concat());
        prop_assert_eq!(rows(&plain), rows(&json(&[&by[..], &[&da, &db]].concat())));
        // Folded stacks count whichever metric the other side has.
        let mixed = json(&["--group-by", "leaf", &da, &fb]);
        prop_assert_eq!(&mixed["metric"], "live_bytes");
        adds_up(&mixed);
    }

    #[test]
    fn what_is_converted_compares_as_the_same(a in sites(), to in 0..3usize) {
        let files = Files::new();
        let path = files.write("a", &dhat(&a));
        let (name, ending) = [("dhat", "json"), ("pprof", "pb.gz"), ("folded", "folded")][to];
        let out = format!("{path}.{ending}");
        let ran = run(&["convert", &path, "--to", name, "-o", &out]);
        prop_assert_eq!((ran.status, ran.err.as_str()), (0, ""));
        let document = json(&["--group-by", "function", &path, &out]);
        prop_assert_eq!(&document["verdict"], "same");
        for (function, (before, after)) in rows(&document) {
            prop_assert_eq!(before, after, "{}", function);
        }
    }

    #[test]
    fn swapping_the_sides_negates_every_difference(
        a in sites(), b in sites(), group in 0..GROUPS.len(),
    ) {
        let files = Files::new();
        let [a, b] = [("a", a), ("b", b)].map(|(n, s)| files.write(n, &dhat(&s)));
        let there = json(&["--group-by", GROUPS[group], "--base", &a, &b]);
        let back = json(&["--group-by", GROUPS[group], "--base", &b, &a]);
        let mut swapped: Vec<_> = amounts(&back).iter().map(|&(x, y)| (y, x)).collect();
        swapped.sort_unstable();
        prop_assert_eq!(amounts(&there), swapped);
        let opposite = |v: &Value| match v["verdict"].as_str().unwrap() {
            "worse" => "reduced",
            "reduced" => "worse",
            other => other,
        }.to_owned();
        prop_assert_eq!(opposite(&there), back["verdict"].as_str().unwrap());
    }
}
