//! The GitHub action: its steps as a script, without the host.

use super::root;
use std::process::Command;

/// The scripts of the action's steps, by their names.
fn steps() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let mut out: Vec<(String, String)> = Vec::new();
    let mut name = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.trim_start().strip_prefix("- name: ") {
            name = rest.to_owned();
        }
        if line.trim() == "run: |" {
            let indent = line.len() - line.trim_start().len();
            let mut script = String::new();
            while let Some(next) = lines.peek() {
                let deep = next.len() - next.trim_start().len() > indent;
                if !deep && !next.trim().is_empty() {
                    break;
                }
                script.push_str(next.trim_start());
                script.push('\n');
                lines.next();
            }
            out.push((name.clone(), script));
        }
    }
    out
}

fn step(name: &str) -> String {
    let steps = steps();
    let found = steps.iter().find(|(n, _)| n == name);
    found
        .unwrap_or_else(|| panic!("no step {name}: {steps:#?}"))
        .1
        .clone()
}

#[test]
fn the_steps_run_as_scripts() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let program = assert_cmd::cargo::cargo_bin("heapdiff");
    let bin = program.parent().unwrap();
    for (captures, arguments, status) in [
        (
            "profiles/ingest/cured",
            "--runs 50,200,800 TIMELINE profiles/web-app/faulty",
            "1",
        ),
        ("", "TIMELINE profiles/web-app/cured", "0"),
        (
            "profiles/rules-engine/off-10.hdg.zst profiles/rules-engine/off-20.hdg.zst profiles/rules-engine/off-40.hdg.zst",
            "",
            "1",
        ),
        ("profiles/ingest/retries", "--runs 50,200,800", "1"),
        ("profiles/ingest/cured", "--runs 50,200,800", "0"),
        (
            "profiles/go-ingest/default-rate/run-050.pb.gz@50 profiles/go-ingest/default-rate/run-200.pb.gz@200",
            "",
            "3",
        ),
        ("profiles/none", "", "2"),
    ] {
        let (arguments, timeline) = arguments.split_once("TIMELINE").unwrap_or((arguments, ""));
        for file in ["output", "summary"] {
            std::fs::write(path(file), "").unwrap();
        }
        let _ = std::fs::remove_dir_all(path("report"));
        let run = |script: &str, status: &str| {
            Command::new("bash")
                .args(["-eo", "pipefail", "-c", script])
                .current_dir(root())
                .env(
                    "PATH",
                    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()),
                )
                .env("GITHUB_OUTPUT", path("output"))
                .env("GITHUB_STEP_SUMMARY", path("summary"))
                .env("HEAPDIFF_REPORT", path("report"))
                .env("INPUT_CAPTURES", captures)
                .env("INPUT_ARGUMENTS", arguments)
                .env("INPUT_TIMELINE", timeline.trim())
                .env("INPUT_BASELINE", "")
                .env("INPUT_WORKING_DIRECTORY", ".")
                .env("INPUT_FAIL_ON_INCONCLUSIVE", "true")
                .env("STATUS", status)
                .output()
                .unwrap()
        };
        let gate = run(&step("gate"), "");
        assert!(
            gate.status.success(),
            "{captures}: {}",
            String::from_utf8_lossy(&gate.stderr)
        );
        let output = std::fs::read_to_string(path("output")).unwrap();
        assert!(
            output.contains(&format!("status={status}\n")),
            "{captures}: {output}"
        );
        if status != "2" {
            for file in [
                "gate.json",
                "gate.md",
                "gate.sarif",
                "gate.junit.xml",
                "gate.html",
            ] {
                assert!(
                    std::path::Path::new(&path("report")).join(file).is_file(),
                    "{file}"
                );
            }
            assert!(
                std::fs::read_to_string(path("summary"))
                    .unwrap()
                    .contains("### ")
            );
        }
        let verdict = run(&step("verdict"), status);
        assert_eq!(
            verdict.status.code().unwrap().to_string(),
            status,
            "{captures}"
        );
    }
}

#[test]
fn inputs_reach_scripts_through_the_environment_alone() {
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    for (name, script) in steps() {
        assert!(
            !script.contains("${{"),
            "{name}: text of a pull request could become a command"
        );
    }
    assert!(text.contains("using: composite"));
    for input in [
        "captures",
        "baseline",
        "arguments",
        "working-directory",
        "version",
    ] {
        assert!(text.contains(&format!("  {input}:")), "{input}");
    }
    assert!(!text.contains("pull_request_target"));
}
