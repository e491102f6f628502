//! The recipes of the documentation: their commands run, with a `make` that captures.

use super::root;
use crate::tools::has;
use std::path::Path;
use std::process::{Command, Output};

/// The block of code behind a heading of docs/gate.md.
fn block(heading: &str) -> String {
    let page = std::fs::read_to_string(root().join("docs/gate.md")).unwrap();
    let section = page.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let block = section.split("```").nth(1).unwrap();
    block.split_once('\n').unwrap().1.to_owned()
}

/// A repository with a baseline, and a `make` that leaves captures of `from` in `out/`.
struct Project {
    dir: tempfile::TempDir,
}

impl Project {
    fn new() -> Project {
        let project = Project {
            dir: tempfile::tempdir().unwrap(),
        };
        project.ok("git init -q . && git config user.email a@example && git config user.name a");
        project.ok("mkdir bin out");
        project.make("ingest/cured");
        project.ok(
            "make heap-captures && heapdiff baseline save main --runs 10,20,40 'out/heap-*.json'",
        );
        project.ok("git add .heapdiff && git commit -qm baseline");
        project
    }

    fn make(&self, from: &str) {
        let profiles = root().join("profiles").join(from);
        let copy = |runs: u32, to: u32| {
            format!(
                "cp {}/run-{runs:03}.json out/heap-{to}.json\n",
                profiles.display()
            )
        };
        let script = format!(
            "#!/bin/sh\nset -e\n{}{}{}",
            copy(50, 10),
            copy(200, 20),
            copy(800, 40)
        );
        let path = self.dir.path().join("bin/make");
        std::fs::write(&path, script).unwrap();
        self.ok("chmod +x bin/make");
    }

    fn run(&self, script: &str) -> Output {
        let program = assert_cmd::cargo::cargo_bin("heapdiff");
        let path = format!(
            "{}:{}:{}",
            self.dir.path().join("bin").display(),
            program.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let mut command = Command::new("bash");
        command.args(["-ec", script]).current_dir(self.dir.path());
        for name in [
            "CI",
            "GITHUB_STEP_SUMMARY",
            "HEAPDIFF_BASELINE",
            "HEAPDIFF_CONFIG",
        ] {
            command.env_remove(name);
        }
        command.env("PATH", path).output().unwrap()
    }

    fn ok(&self, script: &str) {
        let output = self.run(script);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {said}");
    }

    /// Runs a script with the captures of the cure, which has to pass, and of the fault.
    fn tried(&self, script: &str, files: &[&str]) {
        for (from, status) in [("ingest/cured", 0), ("ingest/retries", 1)] {
            self.make(from);
            for file in files {
                let _ = std::fs::remove_file(self.dir.path().join(file));
            }
            let output = self.run(script);
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(status), "{script}: {said}");
            for file in files {
                assert!(self.dir.path().join(file).is_file(), "{file}: {said}");
            }
        }
    }
}

#[test]
fn gitlab_runs_the_script_and_finds_its_reports() {
    if !has("git") {
        return;
    }
    let text = block("GitLab");
    let script: Vec<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("    - "))
        .collect();
    assert_eq!(script.len(), 2, "{text}");
    let mut files = Vec::new();
    for key in ["junit: ", "codequality: "] {
        files.push(text.split(key).nth(1).unwrap().lines().next().unwrap());
    }
    files.push("gate.md");
    Project::new().tried(&script.join("\n"), &files);
}

#[test]
fn jenkins_runs_its_commands() {
    if !has("git") {
        return;
    }
    let text = block("Jenkins");
    let make = text
        .split("sh '")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    let gate = text
        .split("script: \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(text.contains("junit 'gate.junit.xml'"));
    Project::new().tried(
        &format!("{make}\n{gate}"),
        &["gate.junit.xml", "gate.sarif"],
    );
}

#[test]
fn a_push_is_stopped_before_it_leaves() {
    if !has("git") {
        return;
    }
    let project = Project::new();
    let hook: &Path = &project.dir.path().join(".git/hooks/pre-push");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(hook, block("Before a push")).unwrap();
    project.ok(
        "chmod +x .git/hooks/pre-push && git init -q --bare remote && git remote add origin remote",
    );
    project.make("ingest/retries");
    let refused = project.run("git push -q origin HEAD:main");
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stdout).into_owned()
        + &String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.contains("REGRESSION") && said.contains("readd_failed"),
        "{said}"
    );
    project.make("ingest/cured");
    project.ok("git push -q origin HEAD:main");
}

#[test]
fn the_action_is_used_from_a_place_that_is_there() {
    let text = block("GitHub");
    assert!(text.contains("uses: ./.github/heapdiff"), "{text}");
    assert!(!text.contains("OWNER"));
    // Every input of the recipe is one of the action's.
    let action = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let with = text.split("    with:\n").nth(1).unwrap();
    for line in with.lines().filter_map(|l| l.strip_prefix("      ")) {
        let name = line.trim_start_matches("# ").split(':').next().unwrap();
        assert!(action.contains(&format!("  {name}:\n")), "{name}");
    }
}
