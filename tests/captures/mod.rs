//! Every capture of the repository is recognised, whatever it is called and wherever it comes from.

mod damaged;
pub mod walk;

use crate::program::run_with;
use heapdiff::format;
use heapdiff::input::Source;
use heapdiff::model::Limits;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Monitoring data lies beside the captures of one investigation; it is no capture.
fn is_monitoring(path: &std::path::Path) -> bool {
    path.to_string_lossy().contains("statistics-")
}

/// Every capture with the name of its format.
fn recognised() -> Vec<(PathBuf, &'static str)> {
    let captures = walk::captures().into_iter().filter(|p| !is_monitoring(p));
    captures
        .map(|path| {
            let bytes = std::fs::read(&path).unwrap();
            let source = Source::from_bytes("capture.wrong", bytes, Limits::default()).unwrap();
            let shown = path.display();
            let formats = format::recognise(&source).unwrap_or_else(|e| panic!("{shown}: {e}"));
            let names: Vec<_> = formats.iter().map(|f| f.name).collect();
            assert_eq!(names.len(), 1, "{shown} may be {names:?}");
            (path, names[0])
        })
        .collect()
}

#[test]
fn every_capture_is_of_exactly_the_one_format_that_made_it() {
    // By folder or ending; the others are what they are recognised as.
    let by_folder = [
        "heaptrack",
        "massif",
        "jemalloc",
        "gperftools",
        "folded",
        "flamebearer",
        "speedscope",
        "tracemalloc",
    ];
    let by_ending = [
        ("heapprofile", "heapprofile"),
        ("pickle", "tracemalloc"),
        ("bin", "memray"),
        ("hprof.zst", "hprof"),
        ("heapsnapshot.zst", "heapsnapshot"),
        ("rbheap.zst", "ruby-objspace"),
        ("hdg.zst", "heapdiff-graph"),
        ("zst", "heaptrack"),
        ("pb.gz", "pprof"),
        ("massif", "massif"),
        ("xml", "memcheck-xml"),
        ("log", "memcheck"),
        ("speedscope.json", "speedscope"),
    ];
    let names: Vec<_> = format::FORMATS.iter().map(|f| f.name).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, name) in recognised() {
        *counts.entry(name).or_insert(0) += 1;
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let folder = path.parent().unwrap().file_name().unwrap();
        let folder = folder.to_str().unwrap();
        let expected = by_ending
            .iter()
            .find(|(ending, _)| file.ends_with(&format!(".{ending}")))
            .map(|&(_, name)| name)
            .or_else(|| by_folder.iter().find(|f| **f == folder).copied());
        if let Some(expected) = expected.filter(|e| names.contains(e)) {
            assert_eq!(name, expected, "{}", path.display());
        }
    }
    // Formats of which there is no capture of the real tool.
    let without: Vec<_> = names.iter().filter(|n| !counts.contains_key(*n)).collect();
    assert!(
        without.iter().all(|n| ["memleak", "baseline"].contains(n)),
        "{without:?} {counts:?}"
    );
}

#[test]
fn standard_input_and_wrong_endings_change_nothing() {
    let mut smallest: BTreeMap<&str, (u64, PathBuf)> = BTreeMap::new();
    for (path, name) in recognised() {
        let size = path.metadata().unwrap().len();
        let entry = smallest.entry(name).or_insert((u64::MAX, PathBuf::new()));
        if size < entry.0 {
            *entry = (size, path);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, (_, path)) in smallest {
        let bytes = std::fs::read(&path).unwrap();
        let wrong = dir.path().join("capture.jpeg");
        std::fs::write(&wrong, &bytes).unwrap();
        for (file, stdin) in [(wrong.to_str().unwrap(), &b""[..]), ("-", &bytes[..])] {
            let is_graph = format::by_name(name).is_ok_and(format::Format::is_graph);
            let ran = run_with(&["inspect", "--limit", "1", file], stdin);
            assert_eq!(ran.status, 0, "{name}: {}", ran.err);
            let says = match is_graph {
                true => "objects".to_owned(),
                false => format!("  format    {name}"),
            };
            assert!(ran.out.contains(&says), "{name}: {}", ran.out);
        }
    }
}
