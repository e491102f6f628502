//! Names looked up in program files, against what the tools of each format print.

use crate::program::run;
use heapdiff::format::{self, Capture, Context};
use heapdiff::input::Source;
use heapdiff::model::{Limits, Profile, Symbols};
use heapdiff::symbolize::Symbolizer;
use pprof::protos::Message;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/symbols")
}

fn read(path: &Path) -> (Symbols, Profile) {
    let mut symbols = Symbols::default();
    let source = Source::open(path, Limits::default()).unwrap();
    let mut captures = format::read(&source, None, &mut Context::new(&mut symbols)).unwrap();
    let Some(Capture::Profile(profile)) = captures.pop() else {
        panic!("no profile");
    };
    (symbols, profile)
}

fn named(path: &Path, roots: &[PathBuf]) -> (Symbols, Profile) {
    let (mut symbols, profile) = read(path);
    let before: Vec<i128> = profile.columns.iter().map(|c| c.sum()).collect();
    let mut symbolizer = Symbolizer::new(roots).unwrap();
    let profile = symbolizer.apply(profile, &mut symbols).unwrap();
    profile.check_valid(&symbols).unwrap();
    let after: Vec<i128> = profile.columns.iter().map(|c| c.sum()).collect();
    assert_eq!(before, after);
    (symbols, profile)
}

fn bin() -> Vec<PathBuf> {
    vec![here().join("bin")]
}

/// `function file:line`, `>` before what is inlined into the next frame; leaf first.
fn stack(symbols: &Symbols, profile: &Profile, row: usize) -> Vec<String> {
    let text = |id| symbols.strings.get(id);
    symbols
        .stacks
        .frames(profile.stacks[row])
        .rev()
        .map(|f| symbols.frames.get(f))
        .map(|f| {
            let mark = if f.inlined { ">" } else { "" };
            let place = match f.line {
                0 => String::new(),
                line => format!(" {}:{line}", text(f.file)),
            };
            format!("{mark}{}{place}", text(f.function))
        })
        .collect()
}

fn stacks(symbols: &Symbols, profile: &Profile) -> Vec<Vec<String>> {
    (0..profile.len())
        .map(|row| stack(symbols, profile, row))
        .collect()
}

/// Live bytes by the leaf's function, arguments left out.
fn by_leaf(symbols: &Symbols, profile: &Profile) -> BTreeMap<String, i64> {
    let column = &profile.columns[profile.metric("live_bytes").unwrap()];
    let mut sums = BTreeMap::new();
    for (row, frames) in stacks(symbols, profile).iter().enumerate() {
        let own = frames.iter().find(|f| !f.starts_with("libjemalloc"));
        let name = own.unwrap_or(&frames[0]).trim_start_matches('>');
        let name = name.split(['(', ' ']).next();
        // The peers leave type arguments out.
        let name = name.unwrap().replace("<char>", "");
        *sums.entry(name).or_insert(0) += column.get(row);
    }
    sums.retain(|_, n| *n != 0);
    sums
}

/// The lines of `addr2line -Cfi` by offset: function and place, innermost first.
fn addr2line() -> BTreeMap<u64, Vec<(String, String)>> {
    let text = std::fs::read_to_string(here().join("oracle/addr2line.txt")).unwrap();
    let mut out = BTreeMap::new();
    for part in text.split('+').skip(1) {
        let mut lines = part.lines();
        let offset = u64::from_str_radix(&lines.next().unwrap()[2..], 16).unwrap();
        let rest: Vec<&str> = lines.collect();
        let frames = rest.chunks(2).map(|pair| {
            let place = pair[1].split(" (").next().unwrap();
            let place = if place == "??:?" { "" } else { place };
            (pair[0].to_owned(), place.to_owned())
        });
        out.insert(offset, frames.collect());
    }
    out
}

#[test]
fn names_inlined_calls_and_lines_equal_addr2line() {
    // Rows stay in order where none becomes equal to another.
    let (plain_symbols, plain) = read(&here().join("jemalloc.heap"));
    let (symbols, profile) = named(&here().join("jemalloc.heap"), &bin());
    let oracle = addr2line();
    let mut seen = std::collections::BTreeSet::new();
    for (before, after) in stacks(&plain_symbols, &plain)
        .iter()
        .zip(stacks(&symbols, &profile))
    {
        let mut after = after.into_iter();
        for frame in before {
            let Some(offset) = frame.strip_prefix("shop+0x") else {
                assert_eq!(&after.next().unwrap(), frame);
                continue;
            };
            let offset = u64::from_str_radix(offset, 16).unwrap();
            seen.insert(offset);
            let theirs = &oracle[&offset];
            for (i, (function, place)) in theirs.iter().enumerate() {
                // addr2line names a function without linkage by the symbol at its address, which
                // is the one it was inlined into; the debug information has its own name.
                let function = match (offset, i) {
                    (0x8fe, 0) => "print",
                    _ => function,
                };
                let mark = if i + 1 < theirs.len() { ">" } else { "" };
                let expected = format!("{mark}{function} {place}");
                assert_eq!(after.next().unwrap(), expected.trim_end());
            }
        }
        assert_eq!(after.next(), None);
    }
    assert_eq!(seen.len(), oracle.len());
    assert!(seen.len() >= 7);
}

/// `BYTES ... NAME` of `jeprof --text` and `google-pprof --text`.
fn flat(file: &str) -> BTreeMap<String, i64> {
    let text = std::fs::read_to_string(here().join("oracle").join(file)).unwrap();
    let mut sums = BTreeMap::new();
    for line in text.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let bytes: i64 = words[0].parse().unwrap();
        if bytes > 0 {
            *sums.entry(words[5].to_owned()).or_insert(0) += bytes;
        }
    }
    sums
}

#[test]
fn sums_by_leaf_equal_jeprof_and_google_pprof() {
    let ours = |file: &str| {
        let (symbols, profile) = named(&here().join(file), &bin());
        by_leaf(&symbols, &profile)
    };
    let mut jemalloc = ours("jemalloc.heap");
    // jeprof names what is inlined without linkage by the function around it.
    let print = jemalloc.remove("print").unwrap();
    *jemalloc.get_mut("shop::sell").unwrap() += print;
    let mut jeprof = flat("jeprof.txt");
    // Code of libstdc++ behind its last exported function: jeprof takes the name before it.
    let nearest = jeprof.remove("std::__throw_ios_failure@@GLIBCXX_3.4.26");
    let pool = jemalloc.iter().find(|(name, _)| name.contains("+0x"));
    let pool = pool.map(|(name, n)| (name.clone(), *n)).unwrap();
    assert_eq!(Some(pool.1), nearest);
    jemalloc.remove(&pool.0);
    assert_eq!(jemalloc, jeprof);
    assert_eq!(ours("gperftools.heap"), flat("google-pprof.txt"));
    assert_eq!(ours("pprof.pb.gz"), flat("google-pprof.txt"));
}

#[test]
fn a_raw_recording_equals_what_heaptrack_interprets() {
    let of_shop = |symbols: &Symbols, profile: &Profile| {
        let mut rows: Vec<(Vec<String>, Vec<i64>)> = (0..profile.len())
            .map(|row| {
                let mut frames = stack(symbols, profile, row);
                frames.retain(|f| f.contains("shop.cpp"));
                for frame in &mut frames {
                    // Like addr2line, it takes the symbol for the function without linkage.
                    *frame = frame.replace(">print ", ">shop::sell(unsigned int) ");
                }
                let values = profile.columns.iter().map(|c| c.get(row)).collect();
                (frames, values)
            })
            .filter(|(frames, _)| !frames.is_empty())
            .collect();
        rows.sort();
        rows
    };
    let (symbols, raw) = named(&here().join("heaptrack.raw.zst"), &bin());
    let (their_symbols, theirs) = read(&here().join("oracle/heaptrack.interpreted.gz"));
    let (ours, theirs) = (of_shop(&symbols, &raw), of_shop(&their_symbols, &theirs));
    // A name may differ where only one of the two has the linkage; the lines never do.
    let lines = |rows: &[(Vec<String>, Vec<i64>)]| -> Vec<(Vec<String>, i64)> {
        rows.iter()
            .map(|(frames, values)| {
                let place = |f: &String| f.rsplit(' ').next().unwrap_or("").to_owned();
                (frames.iter().map(place).collect(), values[0])
            })
            .collect()
    };
    let sorted = |mut rows: Vec<(Vec<String>, i64)>| {
        rows.sort();
        rows
    };
    assert_eq!(sorted(lines(&ours)), sorted(lines(&theirs)));
    assert_eq!(ours.len(), 4);
}

#[test]
fn a_sanitizer_report_without_names_gets_them() {
    let (symbols, profile) = named(&here().join("asan.txt"), &bin());
    let sums = by_leaf(&symbols, &profile);
    let labels: i64 = sums.values().sum();
    assert_eq!(labels, 32_128);
    let all = stacks(&symbols, &profile);
    let grown = all.iter().find(|s| s[1].contains("grow")).unwrap();
    assert_eq!(
        grown[1..],
        [
            ">shop::Shelf<char>::grow(unsigned long) /srv/shop/shop.cpp:22",
            ">shop::Shelf<char>::push(unsigned long) /srv/shop/shop.cpp:32",
            "shop::label(unsigned int) /srv/shop/shop.cpp:41"
        ]
    );
}

fn notes(path: &Path, root: &str) -> (usize, String) {
    let (symbols, profile) = named(path, &[here().join(root)]);
    let names = stacks(&symbols, &profile).concat();
    let found = names.iter().filter(|n| n.contains("shop.cpp")).count();
    (found, profile.meta.notes.join("\n"))
}

#[test]
fn another_build_is_refused() {
    for file in ["jemalloc.heap", "heaptrack.raw.zst", "pprof.pb.gz"] {
        let (found, notes) = notes(&here().join(file), "other");
        assert_eq!(found, 0, "{file}");
        assert!(
            notes.contains("another build than the one captured"),
            "{notes}"
        );
        assert!(notes.contains("other/shop"), "{notes}");
    }
    let (found, notes) = notes(&here().join("jemalloc.heap"), "oracle");
    assert_eq!(found, 0);
    assert!(notes.contains("not found: /srv/shop/shop, "), "{notes}");
}

/// The capture of pprof with a build id for the program.
fn with_build(dir: &Path, build: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(here().join("pprof.pb.gz")).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .unwrap();
    let mut profile = pprof::protos::Profile::decode(&bytes[..]).unwrap();
    let index = profile.string_table.len() as i64;
    profile.string_table.push(build.to_owned());
    profile.mapping[0].build_id = index;
    let path = dir.join(format!("{}.pb", build.len()));
    std::fs::write(&path, profile.encode_to_vec()).unwrap();
    path
}

const BUILD: &str = include_str!("../profiles/symbols/oracle/build-id.txt");

#[test]
fn a_build_id_has_to_be_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let right = with_build(dir.path(), BUILD.trim());
    let (found, text) = notes(&right, "bin");
    assert!(found > 5);
    assert!(
        text.contains("the build ids of shop are those of the capture"),
        "{text}"
    );
    assert!(!text.contains("trust"), "{text}");
    let (found, text) = notes(&right, "other");
    assert_eq!(found, 0);
    assert!(text.contains("it has the build id "), "{text}");
    let wrong = with_build(dir.path(), &"ab".repeat(19));
    let (found, text) = notes(&wrong, "bin");
    assert_eq!(found, 0);
    assert!(text.contains("the capture's is abababababab"), "{text}");
    // What Go calls a build id is none that a file could be held against.
    let other = with_build(dir.path(), "Xy/Zz-1");
    let (found, text) = notes(&other, "bin");
    assert!(
        found > 5 && text.contains("taken on trust of the path"),
        "{text}"
    );
}

#[test]
fn debug_files_are_found_where_they_are_kept() {
    let build = BUILD.trim();
    let kept = format!(".build-id/{}/{}.debug", &build[..2], &build[2..]);
    let places = [
        "srv/shop/shop.debug".to_owned(),
        "srv/shop/.debug/shop.debug".to_owned(),
        "usr/lib/debug/srv/shop/shop.debug".to_owned(),
        format!("usr/lib/debug/{kept}"),
        kept,
    ];
    for place in places {
        let dir = tempfile::tempdir().unwrap();
        let copy = |from: &str, to: &str| {
            let to = dir.path().join(to);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(here().join(from), to).unwrap();
        };
        copy("bin/shop", "srv/shop/shop");
        let names = || {
            let roots = [dir.path().to_owned()];
            let (symbols, profile) = named(&here().join("gperftools.heap"), &roots);
            stacks(&symbols, &profile).concat()
        };
        // Without its debug file the stripped program knows nothing.
        assert!(names().iter().all(|n| !n.contains("label")));
        // A file of that name that belongs to another program is passed over.
        copy("other/shop", &place);
        assert!(names().iter().all(|n| !n.contains("label")));
        copy("bin/shop.debug", &place);
        assert!(names().iter().any(|n| n.contains("label")), "{place}");
    }
}

#[test]
fn native_stacks_of_memray_equal_its_own_report() {
    let files = ["10", "11", "12", "13", "11-aggregated", "13-aggregated"];
    for file in files.map(|f| format!("memray-{f}")) {
        let oracle = here().join(format!("oracle/{file}.json"));
        let oracle: serde_json::Value =
            serde_json::from_slice(&std::fs::read(oracle).unwrap()).unwrap();
        let mut theirs: Vec<(Vec<String>, Option<String>, i64, i64)> = Vec::new();
        for row in oracle.as_array().unwrap() {
            let frames = row[0].as_array().unwrap().iter().map(|f| {
                let (name, place) = (f[0].as_str().unwrap(), f[1].as_str().unwrap());
                format!("{name} {place}:{}", f[2])
            });
            let python = row[1][0].as_str().map(str::to_owned);
            let number = |v: &serde_json::Value| v.as_i64().unwrap();
            theirs.push((frames.collect(), python, number(&row[2]), number(&row[3])));
        }
        let (symbols, profile) = named(&here().join(format!("{file}.bin")), &bin());
        let mut ours = Vec::new();
        for row in 0..profile.len() {
            let all = stack(&symbols, &profile, row);
            let library: Vec<String> = all
                .iter()
                .filter(|f| f.contains("counter.c:"))
                .map(|f| f.trim_start_matches('>').to_owned())
                .collect();
            // What is inlined is marked: make, not what holds it.
            let marked = all.iter().filter(|f| f.starts_with('>')).count();
            assert_eq!(marked, usize::from(library.len() == 3), "{all:?}");
            let python = all.iter().find(|f| f.contains("counter.py:"));
            let python = python.map(|f| f.split(' ').next().unwrap().to_owned());
            let value = |metric| profile.columns[profile.metric(metric).unwrap()].get(row);
            let (bytes, blocks) = (value("live_bytes"), value("live_blocks"));
            if !library.is_empty() && bytes > 0 {
                ours.push((library, python, bytes, blocks));
            }
        }
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{file}");
        assert_eq!(ours.len(), 2, "{file}");
    }
}

#[test]
fn every_command_looks_names_up() {
    let root = "--symbolize=profiles/symbols/bin";
    let heap = "profiles/symbols/jemalloc.heap";
    let plain = run(&["inspect", heap]);
    assert!(plain.out.contains("shop+0x8fe"), "{}", plain.out);
    assert!(plain.out.contains("--symbolize"), "{}", plain.out);
    let inspected = run(&["inspect", root, heap]);
    assert!(
        inspected.out.contains("shop::sell > print"),
        "{}",
        inspected.out
    );
    assert!(!inspected.out.contains("shop+0x"), "{}", inspected.out);
    assert!(
        inspected.out.contains("7 of 19 code addresses"),
        "{}",
        inspected.out
    );
    let compared = run(&["compare", root, heap, "profiles/symbols/gperftools.heap"]);
    assert_eq!(compared.status, 0, "{}", compared.err);
    assert!(compared.out.contains("Shelf::grow"), "{}", compared.out);
    let folded = ["convert", root, heap, "--to", "folded", "-o", "-"];
    let converted = run(&folded);
    assert!(
        converted.out.contains("shop::label(unsigned int)"),
        "{}",
        converted.out
    );
    assert!(
        converted.err.contains("7 of 19 code addresses"),
        "{}",
        converted.err
    );
    // A program itself instead of a folder, and several places.
    let several = run(&[
        "inspect",
        "--symbolize=profiles/symbols/oracle",
        "--symbolize=profiles/symbols/bin/shop",
        heap,
    ]);
    assert!(
        several.out.contains("shop::sell > print"),
        "{}",
        several.out
    );
    let absent = run(&["inspect", "--symbolize=profiles/absent", heap]);
    assert_eq!(absent.status, 2);
    assert!(
        absent.err.contains("profiles/absent: no such file"),
        "{}",
        absent.err
    );
    let nothing = run(&["inspect", root, "profiles/ingest/a.json"]);
    assert!(!nothing.out.contains("code addresses"), "{}", nothing.out);
}

#[test]
fn damaged_programs_are_no_danger() {
    let program = std::fs::read(here().join("bin/shop")).unwrap();
    let debug = std::fs::read(here().join("bin/shop.debug")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut seed = 0x9e37_79b9_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (seed >> 33) as usize
    };
    for i in 0..120 {
        for (name, whole) in [("shop", &program), ("shop.debug", &debug)] {
            let mut bytes = whole.clone();
            if i % 3 == 0 {
                bytes.truncate(next() % bytes.len());
            } else {
                for _ in 0..1 + i % 4 {
                    let at = next() % bytes.len();
                    bytes[at] ^= (next() as u8) | 1;
                }
            }
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        named(&here().join("gperftools.heap"), &[dir.path().to_owned()]);
    }
}
