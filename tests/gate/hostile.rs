//! What goes wrong in CI: each mistake is one line that names the file and what to do.

use super::{Gated, root, run_in};
use std::path::Path;

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in [".git", "out", "empty", "sub/deep"] {
        std::fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    for runs in ["050", "200", "800"] {
        let from = root().join(format!("profiles/ingest/cured/run-{runs}.json"));
        std::fs::copy(from, dir.path().join(format!("out/run-{runs}.json"))).unwrap();
    }
    let whole = std::fs::read(dir.path().join("out/run-200.json")).unwrap();
    std::fs::write(dir.path().join("cut.json"), &whole[..3000]).unwrap();
    std::fs::write(dir.path().join("zero.json"), "").unwrap();
    std::fs::write(dir.path().join("other.json"), "{\"a\": 1}\n").unwrap();
    dir
}

fn fails(dir: &Path, line: &str, file: &str, says: &str) {
    let line = format!("gate {line}");
    let words = super::words(&line);
    let args: Vec<&str> = words.iter().map(String::as_str).collect();
    let ran = run_in(dir, &args);
    assert_eq!(ran.status, 2, "{line}: {}", ran.out);
    assert_eq!(ran.err.lines().count(), 1, "{line}: {}", ran.err);
    for part in [file, says] {
        assert!(ran.err.contains(part), "{line}: {part}: {}", ran.err);
    }
    assert_eq!(ran.out, "", "{line}");
}

#[test]
fn captures_that_are_none_are_named() {
    let dir = project();
    for (line, file, says) in [
        ("nope.json", "nope.json", "no such file"),
        ("empty", "empty", "name a directory with captures"),
        ("'out/*.nothing'", "out/*.nothing", "check the pattern"),
        (
            "cut.json@1 out/run-200.json@200",
            "cut.json",
            "capture it again",
        ),
        ("zero.json", "zero.json", "capture it again"),
        ("other.json", "other.json", "heapdiff formats"),
        (
            "--baseline main out/run-200.json",
            "main.json",
            "heapdiff baseline save main",
        ),
        (
            "--baseline other.json out/run-200.json",
            "other.json",
            "heapdiff formats",
        ),
        (
            "-o nodir/x.json out/run-200.json",
            "nodir/x.json",
            "can be written",
        ),
        (
            "-o out/run-200.json out/run-200.json",
            "out/run-200.json",
            "choose another file",
        ),
        ("--metric lives out/run-200.json", "lives", "live_bytes"),
        (
            "--suppressions nope.supp out/run-200.json",
            "nope.supp",
            "LeakSanitizer",
        ),
        ("--timeline empty", "empty", "monitoring series"),
        (
            "--timeline out/run-200.json out/run-800.json",
            "out/run-200.json",
            "captures stand before --timeline",
        ),
        ("--timeline zero.json", "zero.json", ""),
        (
            "--config nope.toml out/run-200.json",
            "nope.toml",
            "--config",
        ),
        ("--profile ci out/run-200.json", "ci", "[profile.ci]"),
    ] {
        fails(dir.path(), line, file, says);
    }
}

#[test]
fn a_configuration_from_another_machine_is_read_or_refused() {
    let dir = project();
    let path = dir.path().join("heapdiff.toml");
    let write = |bytes: &[u8]| std::fs::write(&path, bytes).unwrap();
    let line = "out/run-050.json@50 out/run-200.json@200 out/run-800.json@800";
    // Windows: a mark at the beginning, and its ends of lines.
    write(b"\xef\xbb\xbf[gate]\r\nruns_per_hour = 100\r\n\r\n[[budget]]\r\nper_run = \"1KiB\"\r\n");
    Gated::within(dir.path(), line).is("pass", 0);
    write(b"[gate]\r\n\r\n[[budget]]\r\nper_runs = 1\r\n");
    fails(
        dir.path(),
        line,
        "heapdiff.toml",
        "line 4: there is no key `per_runs`",
    );
    // The > of PowerShell.
    write(b"\xff\xfe[\0g\0a\0t\0e\0]\0");
    fails(dir.path(), line, "heapdiff.toml", "save it as UTF-8");
    for (text, says) in [
        ("gate = 5\n", "expected a table [gate]"),
        ("[gate]\nruns_per_hour = -5\n", "line 2"),
        ("[severity.factor]\nwarning = 0.5\n", "line 1"),
        ("[severity.factor]\nwarning = 5\n", "do not rise"),
        ("[severity.limit]\nwarning = \"1h\"\n", "do not fall"),
        ("[severity.limit]\nwarning = \"soon\"\n", "72h"),
        ("[[budget]]\nper_run = -5\n", "no size"),
        ("[[budget]]\nseries = \"a\"\nrate = \"loud\"\n", "severity"),
        ("[[budget]]\ncondition = \"> 0\"\n", "needs a series"),
    ] {
        write(text.as_bytes());
        fails(dir.path(), line, "heapdiff.toml", says);
    }
    write(b"[gate]\nsuppressions = [\"no.supp\"]\n");
    fails(dir.path(), line, "no.supp", "name a file");
}

#[test]
fn folders_inside_the_repository_judge_alike() {
    let dir = project();
    let deep = dir.path().join("sub/deep");
    let save = ["baseline", "save", "main", "out/run-200.json@200"];
    let ran = crate::program::heapdiff(&save)
        .current_dir(dir.path())
        .env_remove("CI")
        .output()
        .unwrap();
    assert!(ran.status.success());
    let faulty = root().join("profiles/ingest/retries/run-200.json");
    let line = format!("--baseline main {}@200", faulty.display());
    let here = Gated::within(dir.path(), &line);
    here.is("fail", 1);
    let below = Gated::within(&deep, &line);
    assert_eq!(below.gate()["budgets"], here.gate()["budgets"]);
    Gated::within(&deep, "--baseline main ../../out/run-200.json@200").is("pass", 0);
    // Without a repository the baseline stands in the folder itself.
    std::fs::remove_dir_all(dir.path().join(".git")).unwrap();
    Gated::within(dir.path(), &line).is("fail", 1);
    fails(
        &deep,
        &line,
        ".heapdiff/baselines/main.json",
        "heapdiff baseline save main",
    );
}

#[test]
fn captures_of_several_tools_are_said() {
    let go = "profiles/go-ingest/default-rate/run-050.pb.gz";
    let gated = Gated::of(&format!("--base profiles/ingest/cured/run-050.json {go}"));
    gated.is("inconclusive", 3);
    let warnings = gated.gate()["warnings"].to_string();
    assert!(warnings.contains("sites of different tools"), "{warnings}");
    // A baseline remembers what it was made of.
    let same = "--base profiles/ingest/cured/run-050.json profiles/ingest/cured/run-050.json";
    assert_eq!(
        Gated::of(same).gate()["warnings"].as_array().unwrap().len(),
        0
    );
}
