//! Damaged captures of every format, made from the real ones by fixed seeds: cut, flipped, parts
//! twice, parts gone, parts at other places, numbers at the ends of their range. Readers refuse or
//! read them, and what is read is analysed and drawn: nothing panics.
//!
//! By default a few hundred of the smallest captures; with `HEAPDIFF_ALL_CAPTURES` thousands.

use super::{recognised, walk};
use crate::program::run;
use heapdiff::format::monitor;
use heapdiff::format::{self, Capture, Context};
use heapdiff::graph::series::Series;
use heapdiff::input::Source;
use heapdiff::model::{HeapGraph, Limits, Symbols};
use heapdiff::render;
use heapdiff::report::TimelineReport;
use heapdiff::report::graph::{GraphReport, Histogram};
use heapdiff::timeline::{Question, Recording};
use heapdiff::verdict;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Numbers at which sums, sizes and indexes go wrong.
const ENDS: [&str; 10] = [
    "0",
    "-1",
    "255",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "-9223372036854775808",
    "1e308",
];

struct Damage(u64);

impl Damage {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n.max(1) as u64) as usize
    }

    /// A part of the bytes: short ones and long ones alike often.
    fn part(&mut self, of: usize) -> std::ops::Range<usize> {
        let long = 1usize << self.below(usize::BITS as usize - of.leading_zeros() as usize);
        let from = self.below(of);
        from..(from + 1 + self.below(long)).min(of)
    }

    /// The digits that begin at or behind a place.
    fn number(&mut self, bytes: &[u8]) -> Option<std::ops::Range<usize>> {
        let at = self.below(bytes.len());
        let from = at + bytes[at..].iter().position(u8::is_ascii_digit)?;
        let long = bytes[from..].iter().position(|b| !b.is_ascii_digit());
        Some(from..from + long.unwrap_or(bytes.len() - from))
    }

    fn of(&mut self, whole: &[u8]) -> (String, Vec<u8>) {
        let mut out = whole.to_vec();
        let what = match self.below(8) {
            0 => {
                let end = self.below(whole.len());
                out.truncate(end);
                format!("cut at {end}")
            }
            1 => {
                let (at, bits) = (self.below(whole.len()), self.below(255) as u8 + 1);
                out[at] ^= bits;
                format!("byte {at} flipped by {bits}")
            }
            2 => {
                let part = self.part(whole.len());
                out.splice(part.end..part.end, whole[part.clone()].iter().copied());
                format!("{part:?} twice")
            }
            3 => {
                let part = self.part(whole.len());
                out.drain(part.clone());
                format!("without {part:?}")
            }
            4 => {
                let (part, at) = (self.part(whole.len()), self.below(whole.len()));
                let to = (at + part.len()).min(whole.len());
                out.splice(at..to, whole[part.clone()].iter().copied());
                format!("{part:?} over {at}")
            }
            5 => {
                let (at, long) = (self.below(whole.len()), 1 << self.below(4));
                let byte = [0, 0x7f, 0x80, 0xff][self.below(4)];
                let to = (at + long).min(whole.len());
                out[at..to].fill(byte);
                format!("{at}..{to} is {byte:#x}")
            }
            _ => match self.number(whole) {
                Some(digits) => {
                    let number = ENDS[self.below(ENDS.len())];
                    out.splice(digits.clone(), number.bytes());
                    format!("{digits:?} is {number}")
                }
                None => "whole".to_owned(),
            },
        };
        (what, out)
    }
}

/// Which damage made something panic.
#[derive(Default)]
struct Panics(Vec<String>);

impl Panics {
    fn watch<T>(&mut self, path: &Path, what: &str, check: impl FnOnce() -> T) -> Option<T> {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check));
        if caught.is_err() {
            self.0.push(format!("{} with {what}", path.display()));
        }
        caught.ok()
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        let all = self.0.join("\n");
        assert!(all.is_empty() || std::thread::panicking(), "{all}");
    }
}

fn all() -> bool {
    std::env::var_os("HEAPDIFF_ALL_CAPTURES").is_some()
}

/// The captures of each format that are damaged, small ones first; with the switch all but the
/// largest.
fn chosen(captures: Vec<(PathBuf, &'static str)>) -> BTreeMap<&'static str, Vec<PathBuf>> {
    let mut by_format: BTreeMap<&str, Vec<(usize, PathBuf)>> = BTreeMap::new();
    for (path, name) in captures {
        let source = Source::open(&path, Limits::default()).unwrap();
        let size = source.bytes().map_or(usize::MAX, |b| b.len());
        if size <= 2 << 20 {
            by_format.entry(name).or_default().push((size, path));
        }
    }
    let most = if all() { 12 } else { 2 };
    by_format
        .into_iter()
        .map(|(name, mut of)| {
            of.sort();
            // The smallest say little: one of middle size as well.
            let step = (of.len() / most).max(1);
            let some = of.into_iter().step_by(step).take(most);
            (name, some.map(|(_, path)| path).collect())
        })
        .collect()
}

/// A capture as it is stored and, where that differs, as it unpacks: how often each is damaged.
fn forms(path: &Path, times: usize) -> Vec<(Vec<u8>, usize)> {
    let stored = std::fs::read(path).unwrap();
    let source = Source::from_bytes("x", stored.clone(), Limits::default()).unwrap();
    let plain = source.bytes().unwrap().to_vec();
    match plain == stored {
        true => vec![(stored, times)],
        false => vec![(plain, times), (stored, times / 10)],
    }
}

/// How often a capture is damaged: large ones take long, and say no more.
fn times(size: usize) -> usize {
    match all() {
        true => (2_000_000_000 / (size + 100_000)).clamp(300, 4000),
        false => (12_000_000 / (size + 20_000)).clamp(20, 150),
    }
}

fn analyse(graph: HeapGraph, symbols: &Symbols) {
    let mut series = Series::asking(None, true);
    series.add(graph, symbols, false, true);
    let outcome = series.finish(symbols);
    let load = verdict::graph::Load {
        runs_per_hour: Some(10.0),
        memory_limit: Some(1 << 30),
        ..Default::default()
    };
    let report = GraphReport {
        paths: vec!["x".to_owned()],
        verdict: verdict::graph::conclude(&outcome, load),
        outcome,
        notes: Vec::new(),
        histogram: Some(Histogram::Type),
        sites: None,
        monitored: None,
        gate: None,
    };
    let _ = render::graph::text(&report, &render::html::STYLE);
    render::graph::json::write(&report, &mut std::io::sink()).unwrap();
    render::graph::dot::write(&report, &mut std::io::sink()).unwrap();
}

#[test]
fn nothing_panics_on_damaged_captures() {
    let mut panics = Panics::default();
    for (name, paths) in chosen(recognised()) {
        let dir = tempfile::tempdir().unwrap();
        let mut survivors = 0;
        for path in paths {
            let size = path.metadata().unwrap().len() as usize;
            let mut damage = Damage(0x2545_f491_4f6c_dd1d);
            for (whole, times) in forms(&path, times(size)) {
                for _ in 0..times {
                    let (what, bytes) = damage.of(&whole);
                    let read = || {
                        let mut symbols = Symbols::default();
                        let source = Source::from_bytes("x", bytes.clone(), Limits::default())?;
                        let read = format::read(&source, None, &mut Context::new(&mut symbols))?;
                        let mut sites = false;
                        for capture in read {
                            match capture {
                                Capture::Profile(profile) => {
                                    profile.check_valid(&symbols)?;
                                    sites = true;
                                }
                                other => {
                                    if let Some(graph) = other.into_graph() {
                                        graph.check_valid(&symbols)?;
                                        analyse(graph, &symbols);
                                    }
                                }
                            }
                        }
                        Ok::<bool, heapdiff::Error>(sites)
                    };
                    match panics.watch(&path, &what, read) {
                        None | Some(Ok(false)) => {}
                        Some(Ok(true)) if survivors < if all() { 400 } else { 24 } => {
                            survivors += 1;
                            let file = dir.path().join(format!("{survivors}"));
                            std::fs::write(file, &bytes).unwrap();
                        }
                        Some(Ok(true)) => {}
                        Some(Err(e)) => assert_eq!(e.to_string().lines().count(), 1, "{e}"),
                    }
                }
            }
        }
        draw(name, dir.path(), survivors);
    }
}

/// What was read of damaged captures is compared, two at a time and all at once, and drawn.
fn draw(name: &str, dir: &Path, survivors: usize) {
    let at = |n: usize| dir.join(format!("{n}")).to_str().unwrap().to_owned();
    let out = |ending: &str| {
        dir.join(format!("out.{ending}"))
            .to_str()
            .unwrap()
            .to_owned()
    };
    let check = |args: &[&str]| {
        let ran = run(args);
        let fine = (0..=3).contains(&ran.status) && !ran.err.contains("panicked");
        assert!(fine, "{name}: {args:?}: {} {}", ran.status, ran.err);
    };
    let outputs = ["json", "html", "svg", "md", "csv", "folded"].map(out);
    let step = if all() { 1 } else { 8 };
    for n in (1..survivors).step_by(step) {
        let (a, b) = (at(n), at(n + 1));
        let mut args = vec!["compare", a.as_str(), b.as_str()];
        outputs.iter().for_each(|o| args.extend(["-o", o.as_str()]));
        check(&args);
    }
    if survivors > 5 {
        let five: Vec<String> = (1..=5).map(at).collect();
        let mut args = vec!["compare", "--runs", "1,2,4,8,9007199254740992"];
        args.extend(five.iter().map(String::as_str));
        check(&args);
        args[0] = "gate";
        check(&args);
    }
}

/// Files that `heapdiff timeline` reads.
fn monitored() -> Vec<PathBuf> {
    let root = walk::root();
    let folders = [
        "monitoring",
        "services",
        "services/monitor",
        "web-app/cured",
        "web-app/faulty",
    ];
    let mut found = Vec::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
            continue;
        };
        let files = entries.map(|e| e.unwrap().path()).filter(|p| p.is_file());
        found.extend(files);
    }
    found.sort();
    found
}

#[test]
fn nothing_panics_on_damaged_monitoring() {
    let mut panics = Panics::default();
    let options = monitor::Options::default();
    let mut kinds: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for path in monitored() {
        let source = Source::open(&path, Limits::default()).unwrap();
        if let Some(kind) = monitor::recognise(source.head(), &options) {
            kinds.entry(kind.as_str()).or_default().push(path);
        }
    }
    assert!(kinds.len() >= 5, "{kinds:?}");
    for (_, mut paths) in kinds {
        paths.sort_by_key(|p| p.metadata().unwrap().len());
        for path in paths.iter().take(if all() { 12 } else { 2 }) {
            let mut damage = Damage(0x9e37_79b9_7f4a_7c15);
            let (whole, _) = forms(path, 0).swap_remove(0);
            // Some hundred lines of a recording are like the others.
            let whole = &whole[..whole.len().min(if all() { 400_000 } else { 40_000 })];
            for _ in 0..if all() { 1500 } else { 60 } {
                let (what, bytes) = damage.of(whole);
                panics.watch(path, &what, || {
                    let Ok(source) = Source::from_bytes("x", bytes, Limits::default()) else {
                        return;
                    };
                    let mut recording = Recording::default();
                    if let Err(e) = monitor::read(&source, &options, &mut recording) {
                        assert_eq!(e.to_string().lines().count(), 1, "{e}");
                    }
                    if recording.is_empty() {
                        return;
                    }
                    let timeline = recording.analyse(&Question::default());
                    let limits = verdict::Limits {
                        memory: Some(1e9),
                        ..Default::default()
                    };
                    let report = TimelineReport::new(Vec::new(), timeline, limits);
                    let _ = render::timeline::text(&report, &render::html::STYLE);
                    render::timeline::json::write(&report, &mut std::io::sink()).unwrap();
                    render::timeline::markdown::write(&report, &mut std::io::sink()).unwrap();
                });
            }
        }
    }
}
