//! Real captures of managed runtimes against what the runtimes' own tools say of them.

use heapdiff::format::{self, Capture, Context};
use heapdiff::input::{Select, Source};
use heapdiff::model::{Limits, Profile, Symbols};
use heapdiff::{Code, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn profiles() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles")
}

/// Every capture of this group of formats, with the format that it is of.
fn captures() -> Vec<(PathBuf, &'static str)> {
    let folders: &[(&str, &str, &[&str])] = &[("tracemalloc", "tracemalloc", &["pickle"])];
    let mut all = Vec::new();
    for &(folder, format, endings) in folders {
        let mut files: Vec<PathBuf> = std::fs::read_dir(profiles().join(folder))
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| endings.iter().any(|e| p.to_string_lossy().ends_with(e)))
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{folder}");
        all.extend(files.into_iter().map(|p| (p, format)));
    }
    all
}

fn open(path: &str) -> Source {
    Source::open(&profiles().join(path), Limits::default()).unwrap()
}

fn read(source: &Source, symbols: &mut Symbols, select: Option<Select>) -> Result<Vec<Profile>> {
    let mut cx = Context::new(symbols);
    cx.select = select;
    let captures = format::read(source, None, &mut cx)?;
    Ok(captures
        .into_iter()
        .filter_map(Capture::into_profile)
        .collect())
}

fn one(path: &str, symbols: &mut Symbols) -> Profile {
    read(&open(path), symbols, None).unwrap().remove(0)
}

fn json(path: &str) -> serde_json::Value {
    let text = std::fs::read(profiles().join(path)).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Sums of every metric over rows whose key is equal.
fn grouped<K: Ord>(p: &Profile, key: impl Fn(&Profile, usize) -> K) -> BTreeMap<K, Vec<i64>> {
    let mut out = BTreeMap::new();
    for row in 0..p.len() {
        let sums = out
            .entry(key(p, row))
            .or_insert_with(|| vec![0; p.metrics.len()]);
        for (sum, column) in sums.iter_mut().zip(&p.columns) {
            *sum += column.get(row);
        }
    }
    out
}

/// A row's frames as file and line, root first.
fn places(symbols: &Symbols, p: &Profile, row: usize) -> Vec<(String, u32)> {
    let frames = symbols.stacks.frames(p.stacks[row]);
    frames
        .map(|f| symbols.frames.get(f))
        .map(|f| (symbols.strings.get(f.file).to_owned(), f.line))
        .collect()
}

#[test]
fn each_capture_is_of_exactly_one_format() {
    for (path, expected) in captures() {
        let source = Source::open(&path, Limits::default()).unwrap();
        let found = format::recognise(&source).unwrap();
        let names: Vec<_> = found.iter().map(|f| f.name).collect();
        assert_eq!(names, [expected], "{}", path.display());
        let mut symbols = Symbols::default();
        let read = read(&source, &mut symbols, None);
        assert!(read.is_ok(), "{}: {}", path.display(), read.unwrap_err());
    }
}

/// Cuts and flips: an error or a salvage that says so, never a panic.
#[test]
fn damaged_captures_never_panic() {
    for (path, _) in captures() {
        let whole = std::fs::read(&path).unwrap();
        if whole.len() > 400 << 10 && std::env::var_os("HEAPDIFF_SLOW").is_none() {
            continue;
        }
        let mut rng = 0x2545_f491_4f6c_dd1du64;
        let mut random = move |n: usize| {
            rng ^= rng << 13;
            rng ^= rng >> 7;
            rng ^= rng << 17;
            (rng % n as u64) as usize
        };
        let attempt = |bytes: Vec<u8>, what: &str| -> Option<Vec<Profile>> {
            let name = path.display().to_string();
            let source = Source::from_bytes(&name, bytes, Limits::default()).ok()?;
            let mut symbols = Symbols::default();
            match read(&source, &mut symbols, None) {
                Ok(profiles) => Some(profiles),
                Err(e) => {
                    let text = e.to_string();
                    assert!(text.contains(&name), "{what}: {text}");
                    assert!(!text.contains('\n'), "{what}: {text}");
                    assert_ne!(e.code(), Code::Usage, "{what}: {text}");
                    None
                }
            }
        };
        for i in 0..200 {
            let at = whole.len() * i / 200;
            if let Some(profiles) = attempt(whole[..at].to_vec(), "cut") {
                let salvaged = profiles.iter().any(|p| p.meta.salvaged.is_some());
                assert!(salvaged, "{} cut at {at}", path.display());
            }
            let mut flipped = whole.clone();
            let at = random(flipped.len());
            flipped[at] ^= 1 << random(8);
            attempt(flipped, "flip");
        }
    }
}

mod tracemalloc {
    use super::*;

    type Key = Vec<(String, u64)>;

    /// The differences that Python reports equal ours, row by row.
    fn compare(kind: &str, key: impl Fn(Vec<(String, u32)>) -> Key) {
        let oracle = json("tracemalloc/compare-10-110.json");
        let mut symbols = Symbols::default();
        let before = one("tracemalloc/runs-10.pickle", &mut symbols);
        let after = one("tracemalloc/runs-110.pickle", &mut symbols);
        for (p, side) in [(&before, "before"), (&after, "after")] {
            assert_eq!(
                p.columns[0].sum(),
                oracle[side]["bytes"].as_i64().unwrap() as i128
            );
            assert_eq!(
                p.columns[1].sum(),
                oracle[side]["blocks"].as_i64().unwrap() as i128
            );
        }
        assert_eq!(after.meta.depth_limit, Some(10));
        let group = |p: &Profile| grouped(p, |p, i| key(places(&symbols, p, i)));
        let (old, new) = (group(&before), group(&after));
        let none = vec![0, 0];
        let rows = oracle[kind].as_array().unwrap();
        assert!(rows.len() > 5);
        for row in rows {
            let frames: Key = row["frames"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| (f[0].as_str().unwrap().into(), f[1].as_u64().unwrap()))
                .collect();
            let (a, b) = (
                old.get(&frames).unwrap_or(&none),
                new.get(&frames).unwrap_or(&none),
            );
            assert_eq!(row["size"].as_i64().unwrap(), b[0], "{row}");
            assert_eq!(row["size_diff"].as_i64().unwrap(), b[0] - a[0], "{row}");
            assert_eq!(row["count"].as_i64().unwrap(), b[1], "{row}");
            assert_eq!(row["count_diff"].as_i64().unwrap(), b[1] - a[1], "{row}");
        }
        if kind != "traceback" {
            let names = old.keys().chain(new.keys());
            let distinct: std::collections::BTreeSet<_> = names.collect();
            assert_eq!(rows.len(), distinct.len());
        }
    }

    #[test]
    fn by_line_as_python_compares() {
        compare("lineno", |places| {
            let (file, line) = places.last().cloned().unwrap();
            vec![(file, line as u64)]
        });
    }

    #[test]
    fn by_file_as_python_compares() {
        compare("filename", |places| {
            vec![(places.last().unwrap().0.clone(), 0)]
        });
    }

    #[test]
    fn by_stack_as_python_compares() {
        compare("traceback", |places| {
            places.into_iter().map(|(f, l)| (f, l as u64)).collect()
        });
    }

    #[test]
    fn every_protocol_and_python_holds_the_planted_leak() {
        let mut symbols = Symbols::default();
        let mut read = 0;
        for (path, _) in captures() {
            let name = path.file_name().unwrap().to_str().unwrap();
            if !name.starts_with("protocol-") && !name.starts_with("python-") {
                continue;
            }
            let p = one(&format!("tracemalloc/{name}"), &mut symbols);
            let leaks: Vec<_> = (0..p.len())
                .filter(|&i| p.columns[0].get(i) == 5 * 1033)
                .collect();
            assert_eq!(leaks.len(), 1, "{name}");
            assert_eq!(p.columns[1].get(leaks[0]), 5, "{name}");
            let (file, _) = places(&symbols, &p, leaks[0]).pop().unwrap();
            assert_eq!(file, "/srv/ingest/ingest.py", "{name}");
            read += 1;
        }
        assert!(read >= 12, "{read}");
    }

    #[test]
    fn several_snapshots_in_one_pickle() {
        for name in ["list", "dictionary"] {
            let source = open(&format!("tracemalloc/{name}.pickle"));
            let mut symbols = Symbols::default();
            let both = super::read(&source, &mut symbols, Some(Select::Ends)).unwrap();
            assert_eq!(both.len(), 2);
            assert_eq!(both[0].columns, both[1].columns);
            let last = super::read(&source, &mut symbols, None).unwrap();
            assert!(
                last[0].meta.notes.iter().any(|n| n.contains("#1")),
                "{name}"
            );
        }
    }
}

mod memray {
    use super::*;

    /// A stack as memray's reader gives it, turned root first.
    pub fn stack_of(row: &serde_json::Value) -> Vec<(String, String, u32)> {
        let frames = row[0].as_array().unwrap().iter().rev();
        frames
            .map(|f| {
                let text = |i: usize| f[i].as_str().unwrap().to_owned();
                (text(0), text(1), f[2].as_u64().unwrap() as u32)
            })
            .collect()
    }

    pub fn named(symbols: &Symbols, p: &Profile, row: usize) -> Vec<(String, String, u32)> {
        let text = |id| symbols.strings.get(id).to_owned();
        let frames = symbols.stacks.frames(p.stacks[row]);
        // Python frames have no module; the oracle has no native ones, and none of arenas.
        frames
            .map(|f| symbols.frames.get(f))
            .filter(|f| f.module.is_empty())
            .map(|f| (text(f.function), text(f.file), f.line))
            .filter(|(function, ..)| function != heapdiff::model::ARENA)
            .collect()
    }

    /// Every number of memray's own reader is ours. With `merged` its block counts may be too low:
    /// where one stack allocates by two allocators (the object and the payload of a bytearray),
    /// memray's reader of aggregated files counts the second sum as one block.
    fn equals_memray(name: &str, merged: bool) {
        let oracle = json(&format!("memray/{name}.oracle.json"));
        let mut symbols = Symbols::default();
        let p = one(&format!("memray/{name}.bin"), &mut symbols);
        assert!(p.meta.salvaged.is_none());
        assert_eq!(p.meta.command.as_deref(), oracle["command_line"].as_str());
        assert_eq!(p.meta.pid, oracle["pid"].as_u64());
        let ours = grouped(&p, |p, i| named(&symbols, p, i));
        let blocks_agree = |ours: i128, theirs: i128, what: &str| {
            let agree = ours == theirs || merged && ours > theirs;
            assert!(agree, "{name} {what}: {ours} blocks, memray {theirs}");
        };
        for kind in ["peak", "live", "total", "temporary"] {
            let theirs = &oracle[kind];
            let bytes = p.metric(&format!("{kind}_bytes"));
            let blocks = p.metric(&format!("{kind}_blocks"));
            if theirs.is_null() {
                assert!(bytes.is_none() && blocks.is_none(), "{name} {kind}");
                continue;
            }
            let number = |v: &serde_json::Value| v.as_i64().unwrap() as i128;
            let blocks = blocks.unwrap();
            blocks_agree(p.columns[blocks].sum(), number(&theirs["blocks"]), kind);
            if let Some(bytes) = bytes {
                assert_eq!(
                    p.columns[bytes].sum(),
                    number(&theirs["bytes"]),
                    "{name} {kind}"
                );
            }
            for row in theirs["rows"].as_array().unwrap() {
                let stack = stack_of(row);
                let values = ours.get(&stack);
                let values = values.unwrap_or_else(|| panic!("{name} {kind}: no {stack:?}"));
                blocks_agree(values[blocks] as i128, number(&row[1]), kind);
                if let Some(bytes) = bytes {
                    assert_eq!(
                        values[bytes] as i128,
                        number(&row[2]),
                        "{name} {kind} {row}"
                    );
                }
            }
        }
    }

    #[test]
    fn recordings_equal_memrays_reader() {
        for version in 10..=13 {
            equals_memray(&format!("v{version}"), false);
            equals_memray(&format!("v{version}-native"), false);
        }
        for name in [
            "v11-objects",
            "v13-objects",
            "runs-10",
            "runs-110",
            "runs-210",
        ] {
            equals_memray(name, false);
        }
    }

    #[test]
    fn files_of_sums_equal_memrays_reader() {
        for version in 10..=13 {
            equals_memray(&format!("v{version}-aggregated"), true);
        }
        equals_memray("v11-objects-aggregated", true);
        equals_memray("v13-objects-aggregated", true);
    }

    /// What the program keeps is known: 3,001 bytes a run, and the bytearray itself.
    #[test]
    fn the_planted_leak_in_every_version() {
        let mut symbols = Symbols::default();
        for (name, runs, blocks, bytes) in [
            ("v10", 40, 1, 3001),
            ("v11", 40, 1, 3001),
            ("v12-aggregated", 40, 1, 3001),
            ("v13", 40, 1, 3001),
            ("v13-aggregated", 40, 1, 3001),
            ("v11-objects", 10, 2, 3057),
            ("v11-objects-aggregated", 10, 2, 3057),
            ("v13-objects-aggregated", 10, 2, 3057),
            ("runs-210", 210, 1, 3001),
            ("killed", 10, 1, 3001),
        ] {
            let p = one(&format!("memray/{name}.bin"), &mut symbols);
            let keep = grouped(&p, |p, i| named(&symbols, p, i).pop().map(|f| f.0));
            let keep = &keep[&Some("keep".to_owned())];
            let live = [
                p.metric("live_bytes").unwrap(),
                p.metric("live_blocks").unwrap(),
            ];
            assert_eq!(
                live.map(|i| keep[i]),
                [runs * bytes, runs * blocks],
                "{name}"
            );
        }
    }

    #[test]
    fn a_killed_program_is_salvaged() {
        let source = open("memray/killed.bin");
        let mut symbols = Symbols::default();
        let p = super::read(&source, &mut symbols, None).unwrap().remove(0);
        let salvaged = p.meta.salvaged.unwrap();
        assert!(salvaged.read_bytes < salvaged.of_bytes);
        let mut cx = Context::new(&mut symbols);
        cx.strict = true;
        let error = format::read(&source, None, &mut cx).unwrap_err();
        assert_eq!(error.code(), Code::Truncated);
    }

    #[test]
    fn moments_of_a_recording() {
        let source = open("memray/runs-210.bin");
        let mut symbols = Symbols::default();
        let mut at = |select| super::read(&source, &mut symbols, select);
        let sums = |p: &Profile| -> Vec<i128> { p.columns.iter().map(|c| c.sum()).collect() };
        let whole = sums(&at(None).unwrap()[0]);
        assert_eq!(sums(&at(Some(Select::Last)).unwrap()[0]), whole);
        let peak = &at(Some(Select::Peak)).unwrap()[0];
        assert_eq!(sums(peak)[..2], whole[2..4], "the heap at the peak");
        assert_eq!(sums(peak)[2..4], whole[2..4], "the peak so far is the peak");
        assert_eq!(peak.columns[0], peak.columns[2]);
        let steps = at(Some(Select::EveryBytes(40_000_000))).unwrap();
        assert_eq!(steps.len() as i128, whole[4] / 40_000_000);
        for (i, step) in steps.iter().enumerate() {
            let allocated = sums(step)[4];
            assert!(allocated >= 40_000_000 * (i as i128 + 1), "{allocated}");
            assert!(allocated < 40_000_000 * (i as i128 + 1) + 1_000_000);
            let label = &step.meta.moment.as_ref().unwrap().label;
            assert_eq!(*label, format!("{} bytes allocated", 40_000_000 * (i + 1)));
        }
        let start = &at(Some(Select::Time(0.0))).unwrap()[0];
        assert!(sums(start)[4] < whole[4]);
        let times = at(Some(Select::EverySeconds(0.01))).unwrap();
        assert!(times.len() >= 2);
        let growing = times.windows(2).all(|w| sums(&w[0])[4] <= sums(&w[1])[4]);
        assert!(growing);
        for wrong in [
            Select::Time(1e6),
            Select::Ends,
            Select::Number(1),
            Select::EverySeconds(1e6),
        ] {
            assert_eq!(at(Some(wrong)).unwrap_err().code(), Code::Usage);
        }
    }
}

mod json_formats {
    use super::memray::{named, stack_of};
    use super::*;

    #[test]
    fn v8_sums_equal_nodes() {
        let oracle = json("v8-heapprofile/sums.json");
        for (file, sums) in oracle.as_object().unwrap() {
            let mut symbols = Symbols::default();
            let p = one(&format!("v8-heapprofile/{file}"), &mut symbols);
            assert_eq!(p.columns[0].sum(), sums["total"].as_i64().unwrap() as i128);
            let samples = format!("from {} samples", sums["samples"]);
            assert!(p.meta.notes[0].contains(&samples), "{:?}", p.meta.notes);
            let leaf = |p: &Profile, i: usize| {
                let frame = symbols.stacks.frames(p.stacks[i]).next_back()?;
                let f = symbols.frames.get(frame);
                let text = |id| symbols.strings.get(id);
                Some(format!(
                    "{} {} {}:{}",
                    text(f.function),
                    text(f.file),
                    f.line,
                    f.column
                ))
            };
            let ours = grouped(&p, leaf);
            let rows = sums["functions"].as_array().unwrap();
            assert_eq!(ours.len(), rows.len(), "{file}");
            for row in rows {
                let name = row[0].as_str().unwrap().to_owned();
                assert_eq!(
                    ours[&Some(name)],
                    [row[1].as_i64().unwrap()],
                    "{file} {row}"
                );
            }
        }
    }

    /// At an interval below the size of the arrays all of them are seen.
    #[test]
    fn v8_the_planted_leak() {
        let mut symbols = Symbols::default();
        for runs in [10, 60, 110] {
            let p = one(
                &format!("v8-heapprofile/runs-{runs}.heapprofile"),
                &mut symbols,
            );
            let by_name = grouped(&p, |p, i| named(&symbols, p, i).pop().map(|f| f.0));
            let kept = by_name[&Some("remember".to_owned())][0] as f64;
            let truth = 160_016.0 * runs as f64;
            assert!(
                (kept / truth - 1.0).abs() < 0.01,
                "{runs}: {kept} for {truth}"
            );
            let estimated = p.meta.sampling.unwrap().estimated_mean_bytes.unwrap();
            assert!((16_384.0..24_000.0).contains(&estimated), "{estimated}");
        }
    }

    #[test]
    fn speedscope_equals_memrays_reader() {
        for runs in [10, 110] {
            let oracle = json(&format!("memray/runs-{runs}.oracle.json"));
            for (name, kind) in [("runs", "peak"), ("leaks", "live")] {
                let mut symbols = Symbols::default();
                let path = format!("speedscope/{name}-{runs}.speedscope.json");
                let p = one(&path, &mut symbols);
                let names: Vec<_> = p.metrics.iter().map(|m| m.name.as_str()).collect();
                assert_eq!(names, ["bytes", "blocks"]);
                let ours = grouped(&p, |p, i| named(&symbols, p, i));
                // memray's transform leaves stacks without Python frames out of its table.
                for row in oracle[kind]["rows"].as_array().unwrap() {
                    let stack = stack_of(row);
                    if stack.is_empty() {
                        continue;
                    }
                    let theirs = [row[2].as_i64().unwrap(), row[1].as_i64().unwrap()];
                    assert_eq!(ours[&stack], theirs, "{path} {row}");
                }
            }
        }
    }

    #[test]
    fn flamebearers_equal_memrays_reader() {
        let check = |p: &Profile, symbols: &Symbols, runs: u32| {
            let oracle = json(&format!("memray/runs-{runs}.oracle.json"));
            let live = &oracle["live"];
            assert_eq!(p.columns[0].sum(), live["bytes"].as_i64().unwrap() as i128);
            let ours = grouped(p, |p, i| {
                let names = named(symbols, p, i).into_iter().map(|f| f.0);
                names.collect::<Vec<_>>()
            });
            for row in live["rows"].as_array().unwrap() {
                let stack = stack_of(row);
                let names = stack.iter().map(|(n, f, l)| format!("{f}:{l} - {n}"));
                let names: Vec<String> = names.collect();
                assert_eq!(ours[&names], [row[2].as_i64().unwrap()], "{row}");
            }
        };
        let mut symbols = Symbols::default();
        for runs in [10, 110] {
            let p = one(&format!("flamebearer/live-{runs}.json"), &mut symbols);
            check(&p, &symbols, runs);
        }
        let source = open("flamebearer/difference.json");
        let both = read(&source, &mut symbols, None).unwrap();
        assert_eq!(both.len(), 2);
        check(&both[0], &symbols, 10);
        check(&both[1], &symbols, 110);
    }

    #[test]
    fn memray_statistics_equal_the_recording() {
        for runs in [10, 110, 210] {
            let mut symbols = Symbols::default();
            let stats = one(&format!("memray/runs-{runs}.stats.json"), &mut symbols);
            let whole = one(&format!("memray/runs-{runs}.bin"), &mut symbols);
            let column = |p: &Profile, name| p.metric(name).unwrap();
            let leaf = |p: &Profile, i: usize| named(&symbols, p, i).pop();
            let (theirs, ours) = (grouped(&stats, leaf), grouped(&whole, leaf));
            for name in ["total_bytes", "total_blocks"] {
                let (a, b) = (column(&stats, name), column(&whole, name));
                assert_eq!(
                    stats.columns[a].sum(),
                    whole.columns[b].sum(),
                    "{runs} {name}"
                );
                for (place, values) in &theirs {
                    // memray names stacks without Python frames in words, without a file.
                    if place.as_ref().is_some_and(|p| !p.1.is_empty()) && values[a] > 0 {
                        assert_eq!(values[a], ours[place][b], "{runs} {name} {place:?}");
                    }
                }
            }
        }
    }
}
