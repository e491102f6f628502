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
