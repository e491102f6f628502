//! Exit statuses: 0 done, 2 could not be carried out.

use super::{heapdiff, run, run_with};

#[test]
fn success_is_zero() {
    for args in [
        &[
            "compare",
            "profiles/ingest/a.json@50",
            "profiles/ingest/b.json@200",
        ][..],
        &["inspect", "profiles/ingest/a.json"],
        &["formats"],
        &["explain", "HD001"],
        &["completions", "bash"],
        &["man"],
        &["--version"],
        &["--help"],
        &["compare", "--help"],
    ] {
        let ran = run(args);
        assert_eq!(ran.status, 0, "{args:?}: {}", ran.err);
        assert!(
            !ran.out.is_empty() && ran.err.is_empty(),
            "{args:?}: {}",
            ran.err
        );
    }
}

#[test]
fn mistakes_are_two_and_say_what_to_do() {
    for args in [
        &[][..],
        &["compare"],
        &["nonsense"],
        &["compare", "profiles/ingest/a.json"],
        &["compare", "no-such-file.json", "profiles/ingest/a.json"],
        &[
            "compare",
            "profiles/ingest/a.json",
            "profiles/ingest/b.json",
            "--metric",
            "nonsense",
        ],
        &[
            "compare",
            "profiles/ingest/a.json",
            "profiles/ingest/b.json",
            "--group-by",
            "nonsense",
        ],
        &[
            "compare",
            "profiles/ingest/a.json",
            "profiles/ingest/b.json",
            "--focus",
            "(",
        ],
        &[
            "compare",
            "profiles/ingest/a.json",
            "profiles/ingest/b.json",
            "-o",
            "x.nonsense",
        ],
        &[
            "compare",
            "profiles/ingest/a.json",
            "profiles/ingest/b.json",
            "-o",
            "no-such-dir/x.json",
        ],
        &[
            "compare",
            "profiles/ingest/a.json",
            "profiles/ingest/b.json",
            "--format",
            "nonsense",
        ],
        &[
            "compare",
            "profiles/ingest/a.json@50",
            "profiles/ingest/b.json",
        ],
        &["compare", "-", "-"],
        &[
            "compare",
            "profiles/ingest/a.json",
            "profiles/c-ingest/ad-hoc-050.json",
        ],
        &["explain", "HD999"],
    ] {
        let ran = run(args);
        assert_eq!(ran.status, 2, "{args:?}: {} {}", ran.out, ran.err);
        assert!(!ran.err.is_empty(), "{args:?}");
    }
}

#[test]
fn an_error_is_one_line_with_file_and_remedy() {
    let ran = run(&["compare", "README.md", "profiles/ingest/a.json"]);
    assert_eq!(ran.status, 2);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(
        ran.err.starts_with("heapdiff: error[HDE004]: README.md: "),
        "{}",
        ran.err
    );
}

#[test]
fn standard_input_is_a_capture() {
    let bytes = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/profiles/ingest/b.json"
    ))
    .unwrap();
    let ran = run_with(&["compare", "profiles/ingest/a.json@50", "-@200"], &bytes);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let named = run(&[
        "compare",
        "profiles/ingest/a.json@50",
        "profiles/ingest/b.json@200",
    ]);
    assert_eq!(ran.out, named.out);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = std::process::Command::new(heapdiff(&[]).get_program())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "compare",
            "profiles/ingest/a.json",
            "profiles/ingest/b.json",
            "--limit",
            "0",
        ])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_failed_run_leaves_no_output_behind() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("x.json");
    let ran = run(&[
        "compare",
        "README.md",
        "profiles/ingest/a.json",
        "-o",
        out.to_str().unwrap(),
    ]);
    assert_eq!(ran.status, 2);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_mistyped_option_is_one_line() {
    for args in [
        &["compare", "a", "b", "--max-delta", "3"][..],
        &["compare", "a", "b", "--limit", "many"],
        &["compare", "a", "b", "--metric"],
        &["nonsense"],
        &["--threads", "0", "formats"],
    ] {
        let ran = run(args);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{args:?}");
        assert_eq!(ran.err.lines().count(), 1, "{args:?}: {}", ran.err);
        assert!(
            ran.err.starts_with("heapdiff: error[HDE001]: "),
            "{}",
            ran.err
        );
    }
    let ran = run(&["compare", "a", "b", "--max-delta", "3"]);
    assert!(ran.err.contains("'--min-delta'"), "{}", ran.err);
}

#[test]
fn an_input_is_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a.json", "b.json"].map(|name| {
        let path = dir.path().join(name);
        std::fs::copy(format!("profiles/ingest/{name}"), &path).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let before = std::fs::read(&a).unwrap();
    let elsewhere = format!("{}/./a.json", dir.path().display());
    for args in [
        &["compare", &a, &b, "-o", &a][..],
        &["compare", &a, &b, "-o", &elsewhere],
        &["compare", "--base", &a, &b, "-o", &a],
        &["inspect", &a, "-o", &a],
        &["convert", &a, "--to", "dhat", "-o", &a],
        &["cycles", &a, "-o", &a],
    ] {
        let ran = run(args);
        assert_eq!(ran.status, 2, "{args:?}");
        assert!(ran.err.contains("is one of the captures"), "{}", ran.err);
        assert_eq!(std::fs::read(&a).unwrap(), before);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

/// What `go tool pprof` saves of two profiles, and heapdiff too, is one file with both sides.
#[test]
fn a_saved_difference_is_two_sides() {
    let dir = tempfile::tempdir().unwrap();
    let saved = dir.path().join("difference.pb.gz");
    let saved = saved.to_str().unwrap();
    let pair = ["profiles/ingest/a.json", "profiles/ingest/b.json"];
    let ran = run(&["compare", pair[0], pair[1], "-o", saved]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let totals = |args: &[&str]| {
        let ran = run(&[&["compare", "--format", "json"], args].concat());
        assert_eq!(ran.status, 0, "{}", ran.err);
        let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let of = |which: &str| document["totals"][which]["live_bytes"].clone();
        (of("before"), of("after"), of("delta"))
    };
    assert_eq!(totals(&[saved]), totals(&pair));
    // A profile of one side is no difference.
    let one = run(&["compare", "profiles/go-ingest/exact/faulty/run-200.pb.gz"]);
    assert_eq!(one.status, 2);
}

/// Interrupted while it waits for input: nothing is left beside the output.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    use std::process::{Command, Stdio};
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("report.json");
    let files = || std::fs::read_dir(dir.path()).unwrap().count();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("heapdiff"))
        .args(["compare", "-", "profiles/ingest/b.json", "-o"])
        .arg(&out)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The file beside the output is there before the input is read.
    while files() == 0 && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let mut status = None;
    while status.is_none() {
        let id = child.id().to_string();
        let _ = Command::new("kill").args(["-INT", &id]).status().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        status = child.try_wait().unwrap();
    }
    assert_eq!(status.unwrap().code(), Some(130));
    assert_eq!(files(), 0);
}
