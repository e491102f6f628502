//! Several outputs of one analysis, and renderings that do not exist.

use super::rendered;
use crate::program::run;

const PAIR: [&str; 2] = ["profiles/ingest/a.json@50", "profiles/ingest/b.json@200"];

#[test]
fn files_hold_what_standard_output_does() {
    let dir = tempfile::tempdir().unwrap();
    let endings = [
        ("json", "json"),
        ("jsonl", "jsonl"),
        ("md", "md"),
        ("csv", "csv"),
        ("folded", "folded"),
        ("pprof", "pb.gz"),
        ("svg", "svg"),
    ];
    let path = |ending: &str| dir.path().join(format!("x.{ending}"));
    let mut args = vec!["compare".to_owned()];
    args.extend(PAIR.map(str::to_owned));
    for (_, ending) in endings {
        args.extend(["-o".to_owned(), path(ending).to_str().unwrap().to_owned()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ran = run(&args);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.starts_with("GREW"), "text stays on standard output");
    for (format, ending) in endings {
        let file = std::fs::read(path(ending)).unwrap();
        assert!(file == rendered(format, &PAIR), "{ending}");
    }
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        endings.len()
    );
}

#[test]
fn what_a_command_does_not_have_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["x.sarif", "x.codequality.json", "x.junit.xml", "x"] {
        let path = dir.path().join(name);
        let ran = run(&["compare", PAIR[0], PAIR[1], "-o", path.to_str().unwrap()]);
        assert_eq!(ran.status, 2, "{name}");
        assert!(ran.err.contains(".json, .jsonl, .md, .csv"), "{}", ran.err);
        assert!(!path.exists());
    }
    let ran = run(&["compare", PAIR[0], PAIR[1], "--format", "sarif"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("json, jsonl, md, csv"), "{}", ran.err);
    assert!(ran.out.is_empty());
}
