//! How captures are named: runs, drivers, sums, directories, globs, standard input, odd names.

use super::{Ran, run, run_with};
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Dir {
        Dir(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = PathBuf::from(self.path(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self.path(name)
    }

    /// A capture whose one site holds `bytes`.
    fn holding(&self, name: &str, bytes: u64) -> String {
        self.file(name, &folded(bytes))
    }
}

fn folded(bytes: u64) -> Vec<u8> {
    format!("main;serve;keep {bytes}\nmain;start 7\n").into_bytes()
}

fn dhat() -> Vec<u8> {
    std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/profiles/ingest/b.json"
    ))
    .unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn document(ran: &Ran) -> Value {
    assert_eq!(ran.status, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn compare(args: &[&str]) -> Value {
    document(&run(&[&["compare", "--format", "json"], args].concat()))
}

fn refused(args: &[&str], says: &str) {
    let ran = run(&[&["compare"], args].concat());
    assert_eq!(ran.status, 2, "{args:?}: {}", ran.out);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.err.contains(says), "{says:?} is not in {}", ran.err);
    assert!(ran.out.is_empty());
}

/// Of each capture: its side, its total, its runs.
fn captures(document: &Value) -> Vec<(String, u64, Option<f64>)> {
    let list = document["captures"].as_array().unwrap();
    list.iter()
        .map(|c| {
            let total = c["totals"]["bytes"].as_u64().unwrap() - 7;
            (
                c["side"].as_str().unwrap().to_owned(),
                total,
                c["runs"].as_f64(),
            )
        })
        .collect()
}

fn new(total: u64, runs: Option<f64>) -> (String, u64, Option<f64>) {
    ("new".to_owned(), total, runs)
}

fn base(total: u64, runs: Option<f64>) -> (String, u64, Option<f64>) {
    ("base".to_owned(), total, runs)
}

#[test]
fn runs_stand_behind_the_path() {
    let dir = Dir::new();
    let (a, b) = (dir.holding("a", 100), dir.holding("b", 400));
    for (x, y, runs) in [
        ("@50", "@200", Some((50.0, 200.0))),
        ("@runs=50", "@runs=200", Some((50.0, 200.0))),
        ("@1_000", "@1_150", Some((1000.0, 1150.0))),
        ("@0", "@150", Some((0.0, 150.0))),
        ("", "", None),
    ] {
        let found = compare(&[&format!("{a}{x}"), &format!("{b}{y}")]);
        let expected = [new(100, runs.map(|r| r.0)), new(400, runs.map(|r| r.1))];
        assert_eq!(captures(&found), expected, "{x} {y}");
        let per_run = &found["totals"]["per_run"]["bytes"];
        assert_eq!(per_run.as_f64(), runs.map(|_| 2.0), "{x} {y}");
    }
    refused(&[&format!("{a}@fifty"), &b], "is not a number of runs");
    for number in ["-5", "nan", "inf", "1e300", ""] {
        refused(&[&format!("{a}@{number}"), &b], "is not a number of runs");
    }
    for option in [
        "--runs=nan,5",
        "--runs=1,-2",
        "--runs-per-hour=inf",
        "--runs-per-hour=-1",
    ] {
        refused(&[option, &a, &b], "is no number of runs");
    }
    refused(&[&format!("{a}@50"), &b], "has no number of runs");
    refused(&[&format!("{a}#noon"), &b], "chooses no moment");
    refused(&[&format!("{a}#7"), &b], "holds one moment only");
    refused(&[&a], "one capture alone");
}

#[test]
fn several_drivers() {
    let dir = Dir::new();
    let a = format!("{}@runs=10,connections=4", dir.holding("a", 400));
    let b = format!("{}@runs=10,connections=20", dir.holding("b", 2000));
    let found = compare(&["--driver", "connections", &a, &b]);
    let drivers = &found["captures"][1]["drivers"];
    assert_eq!(drivers, &serde_json::json!({"runs": 10, "connections": 20}));
    assert_eq!(found["totals"]["per_run"]["bytes"].as_f64(), Some(100.0));
    refused(&[&format!("{a},runs=5"), &b], "given twice");
    let says = "no capture has the driver \"items\", they have connections, runs";
    refused(&["--driver", "items", &a, &b], says);
}

#[test]
fn runs_by_option() {
    let dir = Dir::new();
    for (n, bytes) in [(1, 10), (2, 20), (10, 100)] {
        dir.holding(&format!("s/run-{n}"), bytes);
    }
    let found = compare(&["--runs", "1,2,10", &dir.path("s")]);
    let expected = [new(10, Some(1.0)), new(20, Some(2.0)), new(100, Some(10.0))];
    assert_eq!(captures(&found), expected);
    assert_eq!(found["totals"]["per_run"]["bytes"].as_f64(), Some(10.0));
    let says = "numbers for 3 captures";
    refused(&["--runs", "1,2", &dir.path("s")], says);
    refused(&["--runs", "1,2,10,20", &dir.path("s")], says);
}

#[test]
fn a_sum_is_one_capture() {
    let dir = Dir::new();
    let (a, b) = (dir.holding("a", 100), dir.holding("b", 20));
    let later = dir.holding("c", 500);
    let sum = format!("{a}+{b}@10");
    let found = compare(&[&sum, &format!("{later}@20")]);
    // The site of the start is in both workers.
    assert_eq!(
        captures(&found),
        [new(127, Some(10.0)), new(500, Some(20.0))]
    );
    assert_eq!(found["sites"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["captures"][0]["path"], format!("{a}+{b}").as_str());
    refused(&[&format!("{a}+{}", dir.path("none")), &later], "none");
}

#[test]
fn a_directory_is_a_series_in_natural_order() {
    let dir = Dir::new();
    for (n, bytes) in [(10, 100), (1, 10), (2, 20)] {
        dir.holding(&format!("s/run-{n}"), bytes);
    }
    dir.file("s/.hidden", b"not this");
    dir.file("s/README.md", b"# no capture\n");
    dir.holding("s/deeper/run-3", 30);
    for place in [
        dir.path("s"),
        dir.path("s/"),
        dir.path("s/run-*"),
        dir.path("s/run-[0-9]*"),
    ] {
        let found = compare(&[&place]);
        let expected = [new(10, None), new(20, None), new(100, None)];
        assert_eq!(captures(&found), expected, "{place}");
    }
    let text = run(&["compare", &dir.path("s"), "-v"]);
    assert!(
        text.out.contains("README.md"),
        "what is left out is said: {}",
        text.out
    );
    refused(
        &[&dir.path("s/*.json"), &dir.path("s/run-1")],
        "no file matches",
    );
    refused(&[&dir.path("[")], "");
}

#[test]
fn two_places_are_base_and_new() {
    let dir = Dir::new();
    for (side, step) in [("old", 100), ("new", 10)] {
        for n in [1, 2, 3] {
            dir.holding(&format!("{side}/run-{n}"), n * step);
        }
    }
    let expected = [
        base(100, Some(1.0)),
        base(200, Some(2.0)),
        base(300, Some(3.0)),
        new(10, Some(1.0)),
        new(20, Some(2.0)),
        new(30, Some(3.0)),
    ];
    let (old, now) = (dir.path("old"), dir.path("new"));
    let (globs, runs) = (
        [dir.path("old/run-*"), dir.path("new/run-*")],
        ["--runs", "1,2,3"],
    );
    for pair in [
        vec![old.as_str(), &now],
        vec!["--base", &old, &now],
        vec![&globs[0], &globs[1]],
        vec![&old, &globs[1]],
    ] {
        let found = compare(&[&runs[..], &pair].concat());
        assert_eq!(captures(&found), expected, "{pair:?}");
        assert_eq!(found["verdict"], "reduced", "{pair:?}");
        assert_eq!(found["totals"]["per_run"]["bytes"].as_f64(), Some(-90.0));
    }
    // A file and a directory are one series.
    let found = compare(&[&dir.path("old/run-1"), &now]);
    assert!(captures(&found).iter().all(|c| c.0 == "new"));
    let [one, two] = [1, 2].map(|n| dir.path(&format!("old/run-{n}")));
    let found = compare(&["--base", &one, "--base", &two, &now]);
    let sides: Vec<String> = captures(&found).into_iter().map(|c| c.0).collect();
    assert_eq!(sides, ["base", "base", "new", "new", "new"]);
}

#[test]
fn workers_of_one_moment_are_added_up_by_their_process_id() {
    let dir = Dir::new();
    for (run, pid, bytes) in [
        (1, 4711, 10),
        (1, 4712, 20),
        (2, 4711, 30),
        (2, 999, 40),
        (10, 5, 7),
    ] {
        dir.holding(&format!("w/run-{run}.{pid}.folded"), bytes);
    }
    let found = compare(&["--merge-by", "pid", "--runs", "1,2,10", &dir.path("w")]);
    // Each worker has a start of its own.
    assert_eq!(
        captures(&found),
        [new(37, Some(1.0)), new(77, Some(2.0)), new(7, Some(10.0))]
    );
    let found = compare(&[&dir.path("w")]);
    assert_eq!(captures(&found).len(), 5);
}

#[test]
fn names_may_hold_anything() {
    let dir = Dir::new();
    let later = dir.holding("later", 500);
    for name in [
        "a@50",
        "a#2",
        "a+b",
        "a b",
        "p@h/x@5#6+7",
        "\u{e9}\u{1F600}",
        "-a",
        "a=1,b=2",
        "#",
        "@",
        "+",
        "a;b",
        "50%",
        "a'b\"c",
    ] {
        let path = dir.holding(&format!("names/{name}"), 100);
        let found = compare(&[&path, &later]);
        assert_eq!(captures(&found)[0], new(100, None), "{name}");
        assert_eq!(found["captures"][0]["path"], path.as_str());
        let found = compare(&[&format!("{path}@10"), &format!("{later}@20")]);
        assert_eq!(captures(&found)[0], new(100, Some(10.0)), "{name}");
        assert_eq!(found["totals"]["per_run"]["bytes"].as_f64(), Some(40.0));
    }
}

#[test]
fn names_that_look_like_patterns_are_names_first() {
    let dir = Dir::new();
    let odd = dir.holding("a[1]*?", 100);
    let later = dir.holding("later", 500);
    assert_eq!(captures(&compare(&[&odd, &later]))[0], new(100, None));
}

#[test]
fn packed_and_misnamed_files_are_known_by_their_content() {
    let dir = Dir::new();
    let plain = dir.holding("plain", 100);
    let later = dir.holding("later", 500);
    let expected = compare(&[&plain, &later])["sites"].clone();
    let bytes = folded(100);
    let half = bytes.len() / 2;
    let members = [gz(&bytes[..half]), gz(&bytes[half..])].concat();
    for (name, bytes) in [
        ("a.folded.gz", gz(&bytes)),
        ("b.folded.zst", zst(&bytes)),
        ("c.json", gz(&bytes)),
        ("d.pb.gz", bytes.clone()),
        ("e.zst", gz(&bytes)),
        ("f.txt", members),
        ("g", bytes.clone()),
    ] {
        let path = dir.file(name, &bytes);
        assert_eq!(compare(&[&path, &later])["sites"], expected, "{name}");
    }
    let a = "profiles/ingest/a.json";
    let expected = compare(&[a, "profiles/ingest/b.json"])["sites"].clone();
    for (name, bytes) in [
        ("b.json.gz", gz(&dhat())),
        ("b.zst", zst(&dhat())),
        ("b.heap", dhat()),
    ] {
        let path = dir.file(name, &bytes);
        assert_eq!(compare(&[a, &path])["sites"], expected, "{name}");
    }
}

#[test]
fn standard_input_may_be_packed_and_have_runs() {
    let dir = Dir::new();
    let first = format!("{}@10", dir.holding("a", 100));
    for bytes in [folded(500), gz(&folded(500)), zst(&folded(500))] {
        let ran = run_with(&["compare", "--format", "json", &first, "-@20"], &bytes);
        assert_eq!(
            captures(&document(&ran)),
            [new(100, Some(10.0)), new(500, Some(20.0))]
        );
    }
    let ran = run_with(
        &["compare", "--format", "json", "-", &dir.path("a")],
        &folded(5),
    );
    assert_eq!(captures(&document(&ran)), [new(5, None), new(100, None)]);
    refused(&["-", "-"], "standard input is named twice");
    let ran = run_with(&["inspect", "-"], b"");
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("the file is empty"), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn pipes_are_read_like_files() {
    let dir = Dir::new();
    let later = dir.holding("later", 500);
    let pipe = dir.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|s| s.success()) {
        return;
    }
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::write(pipe, folded(100)))
    };
    let found = compare(&[&pipe, &later]);
    assert_eq!(captures(&found), [new(100, None), new(500, None)]);
    writer.join().unwrap().unwrap();
}

#[test]
fn what_cannot_be_read_is_said() {
    let dir = Dir::new();
    let a = dir.holding("a", 100);
    refused(&[&a, &dir.path("none")], "no such file or directory");
    refused(&[&a, ""], "");
    refused(&[&a, "/dev/null"], "the file is empty");
    refused(&[&a, "--input-format", "nonsense", &a], "nonsense");
    refused(&[&a, "--input-format", "dhat", &a], "");
}
