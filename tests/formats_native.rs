//! The native formats on real captures, number by number against what their own tools print.

use heapdiff::format::{self, Capture, Context};
use heapdiff::input::{Select, Source};
use heapdiff::model::{Exactness, Limits, Profile, Symbols};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles")
}

fn text(path: &str) -> String {
    let bytes = std::fs::read(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn captures(path: &str, select: Option<Select>) -> (Symbols, Vec<Profile>) {
    let mut symbols = Symbols::default();
    let source = Source::open(&root().join(path), Limits::default()).unwrap();
    let mut cx = Context::new(&mut symbols);
    cx.select = select;
    let read = format::read(&source, None, &mut cx).unwrap_or_else(|e| panic!("{e}"));
    let profiles = read.into_iter().filter_map(Capture::into_profile);
    let profiles = profiles.collect();
    (symbols, profiles)
}

fn capture(path: &str) -> (Symbols, Profile) {
    let (symbols, mut profiles) = captures(path, None);
    assert_eq!(profiles.len(), 1, "{path}");
    (symbols, profiles.remove(0))
}

fn total(profile: &Profile, metric: &str) -> i128 {
    let at = profile.metric(metric);
    profile.columns[at.unwrap_or_else(|| panic!("no {metric}"))].sum()
}

/// Sums of a metric by the name and line of the first frame, from the leaf, that `skip` lets
/// through.
fn by_leaf(
    symbols: &Symbols,
    profile: &Profile,
    metric: &str,
    skip: &dyn Fn(&str) -> bool,
) -> BTreeMap<String, i64> {
    let column = &profile.columns[profile.metric(metric).unwrap()];
    let mut sums = BTreeMap::new();
    for (row, &stack) in profile.stacks.iter().enumerate() {
        let name = |f| symbols.strings.get(symbols.frames.get(f).function);
        let leaf = symbols.stacks.frames(stack).rev().map(name);
        let leaf = leaf.into_iter().find(|n| !skip(n)).unwrap_or("");
        *sums.entry(leaf.to_owned()).or_insert(0) += column.get(row);
    }
    sums
}

/// Sums by the innermost function that is not inlined.
fn by_physical_leaf(symbols: &Symbols, profile: &Profile, metric: &str) -> BTreeMap<String, i64> {
    let column = &profile.columns[profile.metric(metric).unwrap()];
    let mut sums = BTreeMap::new();
    for (row, &stack) in profile.stacks.iter().enumerate() {
        let mut frames = symbols
            .stacks
            .frames(stack)
            .rev()
            .map(|f| symbols.frames.get(f));
        let leaf = frames
            .find(|f| !f.inlined)
            .map(|f| symbols.strings.get(f.function));
        *sums.entry(leaf.unwrap_or("").to_owned()).or_insert(0) += column.get(row);
    }
    sums
}

fn nothing(_: &str) -> bool {
    false
}

/// The number after `label` on the line that holds it, commas and units left out.
fn printed(text: &str, label: &str) -> i128 {
    let line = text.lines().find(|l| l.contains(label));
    let line = line.unwrap_or_else(|| panic!("no {label:?}"));
    let rest = &line[line.find(label).unwrap() + label.len()..];
    number(rest.split_whitespace().next().unwrap())
}

fn number(word: &str) -> i128 {
    let digits: String = word
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '-')
        .collect();
    digits.parse().unwrap_or_else(|_| panic!("{word:?}"))
}

const RUNS: [(&str, i128); 3] = [("050", 50), ("200", 200), ("800", 800)];

// ---- heaptrack ----

/// Sums of a folded file of heaptrack_print by the leaf's function.
fn folded(path: &str) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for line in text(path).lines() {
        let (stack, value) = line.rsplit_once(' ').unwrap();
        let leaf = stack.trim_end_matches(';').rsplit(';').next().unwrap();
        let leaf = leaf.split(" (").next().unwrap();
        // Addresses without a symbol: another one in every run.
        let leaf = if leaf.starts_with("0x") { "" } else { leaf };
        *sums.entry(leaf.to_owned()).or_insert(0) += value.parse::<i64>().unwrap();
    }
    sums
}

#[test]
fn heaptrack_recordings_equal_heaptrack_print() {
    let mut names: Vec<String> = Vec::new();
    for (runs, _) in RUNS {
        names.push(format!("faulty-run-{runs}.zst"));
        names.push(format!("cured-run-{runs}.zst"));
    }
    names.push("raw-run-050.interpreted.gz".into());
    for file in names {
        let (symbols, p) = capture(&format!("heaptrack/{file}"));
        let name = file.rsplit_once('.').unwrap().0;
        let print = text(&format!("heaptrack/oracle/{name}.txt"));
        let calls = printed(&print, "calls to allocation functions: ");
        assert_eq!(total(&p, "total_blocks"), calls, "{file}");
        for (cost, metric) in [
            ("allocations", "total_blocks"),
            ("leaked", "live_bytes"),
            ("peak", "peak_bytes"),
            ("temporary", "temporary_blocks"),
        ] {
            let mut ours = BTreeMap::new();
            // heaptrack_print leaves inlined calls out of folded stacks.
            for (leaf, n) in by_physical_leaf(&symbols, &p, metric) {
                let leaf = if leaf.contains("+0x") {
                    String::new()
                } else {
                    leaf
                };
                *ours.entry(leaf).or_insert(0) += n;
            }
            let mut theirs = folded(&format!("heaptrack/oracle/{name}.{cost}.folded"));
            if cost == "temporary" {
                // heaptrack_print takes block 0, the emergency pool of libstdc++, for "no block":
                // its free after another free counts there.
                let extra = theirs[""] - ours[""];
                assert!((0..=1).contains(&extra), "{file}");
                theirs.insert(String::new(), ours[""]);
                let all = printed(&print, "temporary memory allocations: ");
                assert_eq!(total(&p, metric) + i128::from(extra), all, "{file}");
            }
            assert_eq!(ours, theirs, "{file} {cost}");
        }
    }
}

#[test]
fn heaptrack_shows_what_is_planted() {
    let live = |runs: &str, metric: &str| {
        let (symbols, p) = capture(&format!("heaptrack/faulty-run-{runs}.zst"));
        by_leaf(&symbols, &p, metric, &nothing)
    };
    let (short, long) = (live("050", "live_bytes"), live("800", "live_bytes"));
    assert_eq!(long["encoder_encode"] - short["encoder_encode"], 750 * 2048);
    assert_eq!(long["readd_failed"] - short["readd_failed"], 750 * 1120);
    let grown: Vec<_> = long
        .iter()
        .filter(|(k, v)| short[*k] != **v)
        .map(|(k, _)| k)
        .collect();
    assert_eq!(grown, ["encoder_encode", "readd_failed"]);
    let (short, long) = (live("050", "live_blocks"), live("800", "live_blocks"));
    assert_eq!(long["encoder_encode"] - short["encoder_encode"], 750);
    assert_eq!(long["readd_failed"] - short["readd_failed"], 750 * 4);
    for (runs, _) in RUNS {
        let (_, p) = capture(&format!("heaptrack/cured-run-{runs}.zst"));
        assert_eq!(
            (total(&p, "live_bytes"), total(&p, "live_blocks")),
            (1_269_184, 24)
        );
    }
    // The peak is of one instant: chunks and what they are joined to.
    let peak = live("050", "peak_bytes");
    assert_eq!(
        (peak["decompress_chunks"], peak["join_chunks"]),
        (1_049_600, 1_048_576)
    );
}

#[test]
fn a_raw_recording_has_the_same_numbers_and_the_true_temporary_ones() {
    let (symbols, raw) = capture("heaptrack/raw-run-050.raw.zst");
    let (_, interpreted) = capture("heaptrack/raw-run-050.interpreted.gz");
    for metric in [
        "live_bytes",
        "live_blocks",
        "peak_bytes",
        "peak_blocks",
        "total_bytes",
        "total_blocks",
    ] {
        assert_eq!(total(&raw, metric), total(&interpreted, metric), "{metric}");
    }
    // By address no block is freed right after its allocation; an interpreted recording no longer
    // has addresses, and takes another block of the same size and stack for the same.
    assert_eq!(total(&raw, "temporary_blocks"), 0);
    assert_eq!(total(&interpreted, "temporary_blocks"), 1299);
    let leaves = by_leaf(&symbols, &raw, "live_bytes", &nothing);
    assert_eq!(leaves["c-ingest+0x1900"], 11_468_800);
}

#[test]
fn a_heaptrack_recording_is_a_series() {
    let path = "heaptrack/faulty-run-800.zst";
    let (_, whole) = capture(path);
    let (_, series) = captures(path, Some(Select::EveryBytes(20_000_000)));
    assert_eq!(
        series.len() as i128,
        total(&whole, "total_bytes") / 20_000_000
    );
    for (i, p) in series.iter().enumerate() {
        let allocated = total(p, "total_bytes");
        assert!(allocated >= 20_000_000 * (i as i128 + 1), "{allocated}");
        assert!(allocated < 20_000_000 * (i as i128 + 1) + 1_048_577);
    }
    let (_, peak) = captures(path, Some(Select::Peak));
    assert_eq!(total(&peak[0], "live_bytes"), total(&whole, "peak_bytes"));
    assert_eq!(total(&peak[0], "live_blocks"), total(&whole, "peak_blocks"));
    let (_, last) = captures(path, Some(Select::Last));
    assert_eq!(total(&last[0], "live_bytes"), total(&whole, "live_bytes"));
}

#[test]
fn cut_recordings_are_salvaged_unless_that_is_refused() {
    for file in [
        "faulty-run-800.zst",
        "raw-run-050.interpreted.gz",
        "raw-run-050.raw.zst",
    ] {
        let mut bytes = std::fs::read(root().join("heaptrack").join(file)).unwrap();
        bytes.truncate(bytes.len() - 60);
        // The zstd decoder keeps what it may still refer to, some megabytes, to itself until the
        // frame ends: of a small recording nothing is left.
        let source = match Source::from_bytes(file, bytes, Limits::default()) {
            Ok(source) => source,
            Err(e) => {
                assert_eq!(e.code(), heapdiff::Code::Truncated, "{file}");
                assert!(file.ends_with("zst"), "{file}");
                continue;
            }
        };
        let mut symbols = Symbols::default();
        let mut captures = format::read(&source, None, &mut Context::new(&mut symbols)).unwrap();
        let Some(Capture::Profile(p)) = captures.pop() else {
            panic!("{file}");
        };
        assert!(p.meta.salvaged.is_some(), "{file}");
        let mut cx = Context::new(&mut symbols);
        cx.strict = true;
        let refused = format::read(&source, None, &mut cx).unwrap_err();
        assert_eq!(refused.code(), heapdiff::Code::Truncated, "{file}");
    }
}

// ---- massif ----

#[test]
fn massif_snapshots_equal_ms_print() {
    for name in [
        "faulty-run-050",
        "faulty-run-800",
        "cured-run-200",
        "whole-200",
        "clock-200",
        "pages-050",
    ] {
        let print = text(&format!("massif/oracle/{name}.txt"));
        let mut seen = 0;
        for line in print.lines() {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let plain = |c: &&str| c.chars().all(|c| c.is_ascii_digit() || c == ',');
            if columns.len() != 6 || !columns.iter().all(plain) {
                continue;
            }
            let snapshot = number(columns[0]) as u64;
            let (_, p) = captures(
                &format!("massif/{name}.out"),
                Some(Select::Number(snapshot)),
            );
            assert_eq!(
                total(&p[0], "live_bytes"),
                number(columns[3]),
                "{name} {snapshot}"
            );
            seen += 1;
        }
        assert!(seen > 50, "{name}: {seen}");
    }
}

#[test]
fn massif_top_sites_equal_ms_print() {
    let print = text("massif/oracle/faulty-run-200.txt");
    let peak = print
        .split("--------\n")
        .filter(|part| part.contains("connection_fill"))
        .max_by_key(|part| {
            printed(part, "%") // the whole, on the first line of a tree
        });
    let (symbols, p) = captures("massif/faulty-run-200.out", Some(Select::Peak));
    let ours = by_leaf(&symbols, &p[0], "live_bytes", &nothing);
    let mut compared = 0;
    for line in peak.unwrap().lines().filter(|l| l.starts_with("->")) {
        let (Some(open), Some(name)) = (line.find('('), line.split(": ").nth(1)) else {
            continue;
        };
        let bytes = number(line[open..].split('B').next().unwrap());
        let name = name.split(" (").next().unwrap();
        assert_eq!(i128::from(ours[name]), bytes, "{name}");
        compared += 1;
    }
    assert!(compared >= 4, "{compared}");
}

#[test]
fn massif_peaks_are_those_of_the_program() {
    for (runs, _) in RUNS {
        let (symbols, p) = capture(&format!("massif/faulty-run-{runs}.out"));
        let peak = by_leaf(&symbols, &p, "peak_bytes", &nothing);
        assert_eq!(peak["connection_fill"], 11_468_800);
        assert_eq!(
            (peak["decompress_chunks"], peak["join_chunks"]),
            (1_049_600, 1_048_576)
        );
        assert_eq!(p.meta.depth_limit, Some(30));
    }
    // Pages are not given back: the highest use is at the end, which massif does not mark.
    let (_, pages) = capture("massif/pages-050.out");
    assert_eq!(total(&pages, "peak_bytes"), total(&pages, "live_bytes"));
    let (_, marked) = captures("massif/whole-200.out", Some(Select::Peak));
    let label = &marked[0].meta.moment.as_ref().unwrap().label;
    assert!(label.contains("snapshot 61, marked as the peak"), "{label}");
}

#[test]
fn all_exact_tools_see_the_same_heap() {
    let expected = (12_241_024, 274);
    for path in [
        "heaptrack/faulty-run-050.zst",
        "massif/xtree-050.ms",
        "gperftools/faulty-run-050.heap",
    ] {
        let (_, p) = capture(path);
        assert_eq!(
            (total(&p, "live_bytes"), total(&p, "live_blocks")),
            expected,
            "{path}"
        );
        assert_eq!(p.meta.exactness, Exactness::Exact);
    }
    let (_, xtree) = capture("massif/xtree-050.ms");
    let (_, table) = capture("gperftools/faulty-run-050.heap");
    for metric in ["total_bytes", "total_blocks"] {
        assert_eq!(total(&xtree, metric), total(&table, metric));
    }
}

// ---- leaks ----

fn by_kind(symbols: &Symbols, p: &Profile) -> BTreeMap<String, (i64, i64)> {
    let key = symbols.strings.find("kind");
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in 0..p.len() {
        let kind = symbols
            .labels
            .text_of(p.labels_of(row), key.unwrap(), &symbols.strings);
        let sum = sums.entry(kind.unwrap()).or_default();
        sum.0 += p.columns[0].get(row);
        sum.1 += p.columns[1].get(row);
    }
    sums
}

#[test]
fn memcheck_kinds_equal_its_own_summary() {
    for runs in [10i64, 40] {
        let log = text(&format!("leaks/memcheck-{runs}.log"));
        for ending in ["xml", "log"] {
            let path = format!("leaks/memcheck-{runs}.{ending}");
            let (symbols, p) = capture(&path);
            let kinds = by_kind(&symbols, &p);
            for (kind, label) in [
                ("definite", "definitely lost:"),
                ("indirect", "indirectly lost:"),
                ("possible", "possibly lost:"),
                ("reachable", "still reachable:"),
            ] {
                assert_eq!(
                    i128::from(kinds[kind].0),
                    printed(&log, label),
                    "{path} {kind}"
                );
            }
            assert_eq!(
                total(&p, "live_bytes"),
                printed(&log, "in use at exit:"),
                "{path}"
            );
            assert_eq!(kinds["definite"], (48 * runs, runs));
            assert_eq!(kinds["indirect"], (400 * runs, runs));
            assert_eq!(kinds["possible"], (96 * runs, runs));
            assert_eq!(kinds["reachable"], (120 * runs + 8 * (runs + 1), runs + 1));
            // The sum of <leakedbytes> has the indirect bytes twice.
            if ending == "xml" {
                let xml = text(&path);
                let sum: i128 = xml
                    .lines()
                    .filter(|l| l.contains("<leakedbytes>"))
                    .map(number)
                    .sum();
                assert_eq!(sum, total(&p, "live_bytes") + i128::from(400 * runs));
            }
            assert_eq!(p.meta.notes, Vec::<String>::new(), "{path}");
        }
    }
    for path in ["leaks/memcheck-cured.xml", "leaks/memcheck-cured.log"] {
        assert!(capture(path).1.is_empty(), "{path}");
    }
}

#[test]
fn sanitizer_reports_equal_their_summary() {
    for name in [
        "asan-gcc-10",
        "asan-gcc-40",
        "lsan-gcc-10",
        "lsan-gcc-40",
        "asan-clang-10",
        "asan-plain-10",
        "asan-top-10",
    ] {
        let path = format!("leaks/{name}.txt");
        let (symbols, p) = capture(&path);
        let said = text(&path);
        let summary = said.lines().find(|l| l.starts_with("SUMMARY")).unwrap();
        let numbers: Vec<i128> = summary
            .split_whitespace()
            .filter(|w| w.bytes().all(|b| b.is_ascii_digit()))
            .map(number)
            .collect();
        let ours = [total(&p, "live_bytes"), total(&p, "live_blocks")];
        if name == "asan-top-10" {
            assert_eq!(ours, [480, 10]);
            assert!(p.meta.notes[0].contains("max_leaks leaves out the rest"));
            continue;
        }
        assert_eq!(ours.as_slice(), numbers, "{path}");
        let kinds = by_kind(&symbols, &p);
        let runs = ours[1] as i64 / 2;
        assert_eq!(kinds["direct"], (48 * runs, runs));
        assert_eq!(kinds["indirect"], (400 * runs, runs));
        let skip = |n: &str| n.contains("malloc") || n.contains("+0xa415e");
        let sites = by_leaf(&symbols, &p, "live_bytes", &skip);
        if name == "asan-plain-10" {
            assert!(
                sites.keys().all(|k| k.starts_with("leaky-clang+0x")),
                "{sites:?}"
            );
        } else {
            assert_eq!(sites, BTreeMap::from([("receive".to_owned(), 448 * runs)]));
        }
    }
}

// ---- text heap profiles ----

/// Flat values of `jeprof --text` by function.
fn flat(path: &str) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    for line in text(path).lines().filter(|l| !l.starts_with("Total")) {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let value = number(columns[0]);
        if value != 0 {
            *sums.entry(columns[5].to_owned()).or_insert(0) += value;
        }
    }
    sums
}

fn of_allocator(name: &str) -> bool {
    ["malloc", "realloc", "calloc", "malloc_usable_size"].contains(&name)
}

#[test]
fn jemalloc_totals_equal_jeprof() {
    let names = [
        "faulty-run-050",
        "faulty-run-200",
        "faulty-run-800",
        "cured-run-050",
        "cured-run-800",
        "exact-200",
        "accum-200",
    ];
    for name in names {
        let (_, p) = capture(&format!("jemalloc/{name}.heap"));
        let near = |metric: &str, path: &str| {
            // jeprof cuts the sum, and we round each stack.
            let theirs = printed(&text(path), "Total: ");
            let ours = total(&p, metric);
            assert!(
                (ours - theirs).abs() <= p.len() as i128,
                "{path}: {ours} {theirs}"
            );
        };
        near("live_bytes", &format!("jemalloc/oracle/{name}.txt"));
        near(
            "live_blocks",
            &format!("jemalloc/oracle/{name}.objects.txt"),
        );
        if name == "accum-200" {
            near("total_bytes", "jemalloc/oracle/accum-200.alloc.txt");
        }
        // Numbers in brackets are all 0 unless prof_accum was on: no metric, not a 0.
        let counted = name.starts_with("accum") || name.starts_with("exact");
        assert_eq!(p.metric("total_bytes").is_some(), counted, "{name}");
        let exact = name == "exact-200";
        assert_eq!(p.meta.sampling.is_none(), exact, "{name}");
    }
    // Without sampling the sizes are those of jemalloc's size classes.
    let (_, exact) = capture("jemalloc/exact-200.heap");
    assert_eq!(total(&exact, "live_blocks"), 1024 + 1);
    let (symbols, p) = capture("jemalloc/symbols-200.heap");
    let ours = by_leaf(&symbols, &p, "live_bytes", &of_allocator);
    let theirs = flat("jemalloc/oracle/faulty-run-200.txt");
    for name in [
        "connection_fill",
        "prepare_frame",
        "encoder_encode",
        "readd_failed",
        "flush_buffer",
    ] {
        assert!((i128::from(ours[name]) - theirs[name]).abs() <= 1, "{name}");
    }
    // The raw numbers of the header are no estimate: they are too small by what was not sampled.
    let raw = printed(
        &text("jemalloc/faulty-run-200.heap").replace(": ", " : "),
        "t* : ",
    );
    assert!(raw < total(&p, "live_blocks"), "{raw}");
}

#[test]
fn gperftools_totals_and_sites_equal_google_pprof() {
    for (runs, _) in RUNS {
        for state in ["faulty", "cured"] {
            let name = format!("{state}-run-{runs}");
            let (_, p) = capture(&format!("gperftools/{name}.heap"));
            let said = |kind: &str| {
                printed(
                    &text(&format!("gperftools/oracle/{name}{kind}.txt")),
                    "Total: ",
                )
            };
            assert_eq!(total(&p, "live_bytes"), said(""), "{name}");
            assert_eq!(total(&p, "total_bytes"), said(".alloc"), "{name}");
        }
    }
    let (symbols, p) = capture("gperftools/symbols-200.heap");
    let mut ours = by_leaf(&symbols, &p, "live_bytes", &nothing);
    ours.retain(|_, v| *v != 0);
    let theirs = flat("gperftools/oracle/faulty-run-200.txt");
    let ours: BTreeMap<String, i128> = ours.into_iter().map(|(k, v)| (k, v.into())).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn differences_of_sites_hold_where_the_peers_subtract_addresses() {
    // Both peers subtract stacks by address. A program that is loaded at another address in
    // each run has none in common: the total of the difference is right, and every site is wrong
    // (connection_fill, which does not change, "grows" by all it holds).
    let base = flat("gperftools/oracle/difference-050-200.txt");
    assert_eq!(base["connection_fill"], 11_468_800);
    let live = |runs: &str, tool: &str| capture(&format!("{tool}/faulty-run-{runs}.heap"));
    let (_, before) = live("050", "gperftools");
    let (_, after) = live("200", "gperftools");
    let difference = total(&after, "live_bytes") - total(&before, "live_bytes");
    assert_eq!(difference, 150 * (2048 + 1120));
    assert_eq!(
        difference,
        printed(&text("gperftools/oracle/difference-050-200.txt"), "Total: ")
    );
    // Ours by module and offset, which stay: only what is planted differs.
    let mut symbols = Symbols::default();
    let mut read = |runs: &str| {
        let path = root().join(format!("gperftools/faulty-run-{runs}.heap"));
        let source = Source::open(&path, Limits::default()).unwrap();
        let mut captures = format::read(&source, None, &mut Context::new(&mut symbols)).unwrap();
        match captures.pop() {
            Some(Capture::Profile(p)) => p,
            _ => panic!("{runs}"),
        }
    };
    let (before, after) = (read("050"), read("200"));
    let mut changes = Vec::new();
    for (row, stack) in after.stacks.iter().enumerate() {
        let at = before.stacks.iter().position(|s| s == stack).unwrap();
        let change = after.columns[0].get(row) - before.columns[0].get(at);
        if change != 0 {
            changes.push(change);
        }
    }
    changes.sort_unstable();
    assert_eq!(changes, [150 * 1120, 150 * 2048]);
    let (_, before) = live("050", "jemalloc");
    let (_, after) = live("200", "jemalloc");
    let difference = total(&after, "live_bytes") - total(&before, "live_bytes");
    let theirs = printed(&text("jemalloc/oracle/difference-050-200.txt"), "Total: ");
    assert!((difference - theirs).abs() <= 20, "{difference} {theirs}");
}

#[test]
fn go_text_equals_go_tool_pprof() {
    for rate in ["0001", "4096"] {
        for (runs, n) in &RUNS[..2] {
            let name = format!("rate-{rate}-run-{runs}");
            let (symbols, p) = capture(&format!("go-heap-text/{name}.txt"));
            for (index, metric) in [
                ("inuse_space", "live_bytes"),
                ("inuse_objects", "live_blocks"),
                ("alloc_space", "total_bytes"),
                ("alloc_objects", "total_blocks"),
            ] {
                let print = text(&format!("go-heap-text/oracle/{name}.{index}.txt"));
                let theirs = printed(&print, "% of ");
                // It cuts each stack's number, and we round it.
                let more = total(&p, metric) - theirs;
                assert!(
                    (0..=p.len() as i128).contains(&more),
                    "{name} {metric} {more}"
                );
            }
            // It shows one function, <unknown>: the names are in the comments, which it drops.
            let live = by_leaf(&symbols, &p, "live_bytes", &nothing);
            if rate == "0001" {
                assert_eq!(i128::from(live["main.login"]), n * 2048);
                assert_eq!(i128::from(live["main.issue"]), n * 5 * 64);
            } else {
                // Four standard errors around the truth.
                let samples = *n as f64 * 2048.0 / 4096.0;
                let share = live["main.login"] as f64 / (*n as f64 * 2048.0) - 1.0;
                assert!(share.abs() < 4.0 / samples.sqrt(), "{share}");
            }
        }
    }
}

// ---- every capture ----

fn every_capture() -> Vec<PathBuf> {
    let mut all = Vec::new();
    for folder in [
        "heaptrack",
        "massif",
        "leaks",
        "jemalloc",
        "gperftools",
        "go-heap-text",
    ] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
            if path.is_file() && !["md", "sh", "c", "go", "json"].contains(&ending) {
                all.push(path);
            }
        }
    }
    all.sort();
    assert!(all.len() > 40, "{}", all.len());
    all
}

#[test]
fn every_capture_is_of_exactly_one_format() {
    for path in every_capture() {
        let bytes = std::fs::read(&path).unwrap();
        let source = Source::from_bytes("capture.wrong", bytes, Limits::default()).unwrap();
        let formats = format::recognise(&source).unwrap();
        assert_eq!(formats.len(), 1, "{}", path.display());
        let folder = path
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap();
        let name = formats[0].name;
        assert!(
            name == folder
                || folder == "leaks" && (name.starts_with("memcheck") || name == "leak-sanitizer"),
            "{} is {name}",
            path.display()
        );
    }
}

#[test]
fn no_capture_names_a_place_of_whoever_made_it() {
    for path in every_capture() {
        let source = Source::open(&path, Limits::default()).unwrap();
        let bytes = source.bytes().unwrap();
        let content = String::from_utf8_lossy(&bytes);
        for place in ["/home/", "/root", "/tmp/", "/work/"] {
            assert!(!content.contains(place), "{} names {place}", path.display());
        }
    }
}

/// Cuts at 200 places and flips 200 bytes. With `HEAPDIFF_ALL_CAPTURES` the larger ones as well.
#[test]
fn cut_and_flipped_captures_are_refused_or_salvaged() {
    let all = std::env::var_os("HEAPDIFF_ALL_CAPTURES").is_some();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for path in every_capture() {
        let whole = std::fs::read(&path).unwrap();
        let recording = path.parent().unwrap().ends_with("heaptrack");
        let small = whole.len() < 16_000 && (!recording || path.ends_with("cured-run-050.zst"));
        if !small && !all {
            continue;
        }
        for i in 0..200 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let mut flipped = whole.clone();
            let at = seed as usize % flipped.len();
            flipped[at] ^= (seed >> 40) as u8 | 1;
            for bytes in [whole[..whole.len() * i / 200].to_vec(), flipped] {
                let mut symbols = Symbols::default();
                let Ok(source) = Source::from_bytes("x", bytes, Limits::default()) else {
                    continue;
                };
                if let Err(e) = format::read(&source, None, &mut Context::new(&mut symbols)) {
                    assert_eq!(e.to_string().lines().count(), 1, "{e}");
                }
            }
        }
    }
}
