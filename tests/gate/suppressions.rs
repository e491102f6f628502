//! Suppressions: what they hide, what they do not, and until when.

use super::{Gated, root, run_in};
use std::path::{Path, PathBuf};

const FAULTY: &str = "--runs 50,200,800 profiles/ingest/faulty";

/// A configuration file with this text.
fn config(dir: &Path, text: &str) -> String {
    let path = dir.join("heapdiff.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn block(keys: &str) -> String {
    format!("[[suppress]]\nreason = \"known\"\n{keys}\n")
}

const RETRIES: &str = "rule = \"HD001\"\nstack = [\"**\", \"*Buffer*readd_failed\", \"**\"]";
const ENCODER: &str = "rule = \"HD001\"\nstack = [\"**\", \"*Encoder*encode\", \"**\"]";

#[test]
fn what_is_accepted_passes_and_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let expires = "expires = 2027-03-01\nowner = \"@ingest\"";
    let one = config(dir.path(), &block(&format!("{RETRIES}\n{expires}")));
    let gated = Gated::of(&format!("--config {one} {FAULTY}"));
    gated.is("fail", 1);
    let found = gated.offenders("growth per run");
    assert!(found.len() == 1 && found[0].contains("encode"), "{found:?}");
    assert_eq!(gated.budget("growth per run")["value"], 3072);
    let hidden = &gated.gate()["suppressed"];
    assert_eq!(hidden[0]["bytes"], 7928 * 750);
    assert_eq!(hidden[0]["suppression"], "known");
    assert!(hidden[0]["finding"].as_str().unwrap().starts_with("HD001:"));
    let both = format!(
        "{}{}",
        block(&format!("{RETRIES}\n{expires}")),
        block(&format!("{ENCODER}\n{expires}"))
    );
    let both = config(dir.path(), &both);
    Gated::of(&format!("--config {both} {FAULTY}")).is("pass", 0);
    let text = run_in(
        root(),
        &[
            "gate",
            "--as-of",
            "2026-11-21",
            "--config",
            &both,
            "--runs",
            "50,200,800",
            "profiles/ingest/faulty",
        ],
    );
    assert!(
        text.out
            .contains("accepted until 2027-03-01: known, 5.67 MiB (@ingest)"),
        "{}",
        text.out
    );
}

#[test]
fn an_expired_suppression_fails_and_one_that_ends_soon_warns() {
    let dir = tempfile::tempdir().unwrap();
    let keys =
        "rule = \"*\"\nstack = [\"**\", \"*Buffer*readd_failed\", \"**\"]\nexpires = 2026-12-01";
    let path = config(dir.path(), &block(keys));
    let on = |day: &str| {
        let args = [
            "gate",
            "--config",
            &path,
            "--as-of",
            day,
            "--format",
            "json",
            "--runs",
            "50,200,800",
            "profiles/ingest/retries",
        ];
        let ran = run_in(root(), &args);
        let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let warnings = json["gate"]["warnings"].to_string();
        (ran.status, warnings)
    };
    let (status, warnings) = on("2026-11-16");
    assert_eq!((status, warnings.as_str()), (0, "[]"));
    let (status, warnings) = on("2026-11-21");
    assert!(
        status == 0 && warnings.contains("ends in 10 days"),
        "{warnings}"
    );
    let (status, warnings) = on("2026-12-01");
    assert!(status == 0 && warnings.contains("ends today"), "{warnings}");
    let (status, warnings) = on("2026-12-02");
    assert!(
        status == 1 && warnings.contains("expired on 2026-12-01"),
        "{warnings}"
    );
    assert!(warnings.contains("heapdiff.toml line 1"), "{warnings}");
}

#[test]
fn beyond_its_maximum_nothing_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let with = |max: &str| {
        let path = config(
            dir.path(),
            &block(&format!("{RETRIES}\nexpires = 2027-03-01\nmax = \"{max}\"")),
        );
        Gated::of(&format!(
            "--config {path} --runs 50,200,800 profiles/ingest/retries"
        ))
    };
    with("6MiB").is("pass", 0);
    let gated = with("5MiB");
    gated.is("fail", 1);
    let warnings = gated.gate()["warnings"].to_string();
    assert!(
        warnings.contains("allows 5.00 MiB and 5.67 MiB came"),
        "{warnings}"
    );
}

#[test]
fn a_rule_and_a_site_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let gate = |keys: &str| {
        let path = config(dir.path(), &block(&format!("{keys}\nexpires = 2027-03-01")));
        Gated::of(&format!(
            "--config {path} --runs 50,200,800 profiles/ingest/retries"
        ))
    };
    let other = RETRIES.replace("HD001", "HD002");
    let gated = gate(&other);
    gated.is("fail", 1);
    assert!(
        gated.gate()["warnings"]
            .to_string()
            .contains("hides nothing")
    );
    let named = gated.gate()["budgets"][0]["findings"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let (rule, hash) = named.split_once(':').unwrap();
    gate(&format!("rule = \"{rule}\"\nsite = \"{hash}\"")).is("pass", 0);
    gate(&format!(
        "rule = \"steady-growth\"\nsite = \"{hash}#1\"\nof = 1"
    ))
    .is("pass", 0);
    gate(&format!("rule = \"{rule}\"\nsite = \"{hash}#2\"\nof = 2")).is("fail", 1);
    let changed = gate(&format!("rule = \"{rule}\"\nsite = \"{hash}#1\"\nof = 3"));
    changed.is("pass", 0);
    assert!(
        changed.gate()["warnings"]
            .to_string()
            .contains("one of 3 sites")
    );
}

#[test]
fn the_command_writes_what_the_gate_accepts() {
    let dir = tempfile::tempdir().unwrap();
    let document = dir.path().join("gate.json");
    let document = document.to_str().unwrap();
    let faulty = [
        "gate",
        "--runs",
        "50,200,800",
        "profiles/ingest/retries",
        "-o",
        document,
    ];
    let ran = run_in(root(), &faulty);
    assert_eq!(ran.status, 1);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(document).unwrap()).unwrap();
    let finding = json["gate"]["budgets"][0]["findings"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        ran.out.contains(&format!("heapdiff suppress {finding}")),
        "{}",
        ran.out
    );
    let toml: PathBuf = dir.path().join("heapdiff.toml");
    for from in [&["--from", document][..], &[][..]] {
        std::fs::write(&toml, "[gate]\nmetric = \"live_bytes\"").unwrap();
        let config = toml.to_str().unwrap();
        let mut args = vec![
            "suppress",
            &finding,
            "--reason",
            "say \"why\" \\ not",
            "--expires",
            "2027-03-01",
            "--owner",
            "@ingest",
            "--max",
            "6MiB",
            "--append",
            "--config",
            config,
        ];
        args.extend(from);
        let ran = run_in(root(), &args);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""));
        let text = std::fs::read_to_string(&toml).unwrap();
        assert_eq!(text.contains("stack = ["), !from.is_empty(), "{text}");
        let gated = Gated::of(&format!(
            "--config {config} --runs 50,200,800 profiles/ingest/retries"
        ));
        gated.is("pass", 0);
        assert_eq!(
            gated.gate()["suppressed"][0]["suppression"],
            "say \"why\" \\ not"
        );
    }
    for (args, says) in [
        (
            &["nonsense:1", "--reason", "x", "--expires", "2027-01-01"][..],
            "no rule",
        ),
        (
            &[
                "HD001:9f2c61d0a4e7b318",
                "--reason",
                " ",
                "--expires",
                "2027-01-01",
            ],
            "reason",
        ),
        (
            &[
                "HD001:9f2c61d0a4e7b318",
                "--reason",
                "x",
                "--expires",
                "soon",
            ],
            "no date",
        ),
    ] {
        let mut all = vec!["suppress"];
        all.extend(args);
        let ran = run_in(root(), &all);
        assert_eq!(ran.status, 2, "{args:?}");
        assert!(ran.err.contains(says), "{}", ran.err);
    }
}

#[test]
fn files_of_other_tools_are_read_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let line =
        |file: &str| format!("--suppressions {file} --runs 50,200,800 profiles/c-ingest/retries");
    let lsan = write(
        "lsan.supp",
        "# known\nleak:readd_failed\n\nthread:other\nleak:^nothing$\n",
    );
    let gated = Gated::of(&line(&lsan));
    gated.is("pass", 0);
    assert_eq!(
        gated.gate()["suppressed"][0]["suppression"],
        "leak:readd_failed"
    );
    assert_eq!(gated.gate()["warnings"].as_array().unwrap().len(), 0);
    let block = |frames: &str| {
        format!("{{\n   retries\n   Memcheck:Leak\n   match-leak-kinds: definite\n{frames}}}\n")
    };
    for (frames, accepted) in [
        ("   fun:malloc\n   fun:readd_failed\n   fun:flush*\n", true),
        ("   fun:malloc\n   ...\n   fun:main\n", true),
        ("   ...\n   src:ingest.c:206\n", true),
        ("   fun:malloc\n   fun:flush*\n", false),
        ("   fun:realloc\n   fun:readd_failed\n", false),
    ] {
        let file = write("valgrind.supp", &block(frames));
        let status = if accepted { 0 } else { 1 };
        let verdict = if accepted { "pass" } else { "fail" };
        Gated::of(&line(&file)).is(verdict, status);
    }
    for (text, says) in [
        ("{\n x\n Memcheck:Leak\n", "line 1"),
        ("leak\n", "line 1"),
        ("{\n x\n Memcheck:Leak\n what\n}\n", "no frame"),
    ] {
        let file = write("bad.supp", text);
        let ran = run_in(
            root(),
            &["gate", "--suppressions", &file, "profiles/ingest/a.json"],
        );
        assert_eq!(ran.status, 2);
        assert!(ran.err.contains(says), "{}", ran.err);
    }
}
