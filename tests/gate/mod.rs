//! The gate: verdicts of the real captures, baselines, suppressions, renderings, statistics.

mod action;
mod baselines;
mod configuration;
mod graphs;
mod hostile;
mod monitoring;
mod noise;
mod random;
mod recipes;
mod renderings;
mod simulation;
mod suppressions;
mod verdicts;

use crate::program::Ran;
use serde_json::Value;
use std::path::Path;

/// A day on which no suppression of these tests has expired.
const TODAY: &str = "2026-11-21";

/// What the program said, run in a folder.
fn run_in(dir: &Path, args: &[&str]) -> Ran {
    let mut command = crate::program::heapdiff(args);
    command.current_dir(dir);
    let output = command.output().unwrap();
    Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The words of a line; `'...'` is one.
fn words(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (i, part) in line.split('\'').enumerate() {
        match i % 2 {
            1 => out.push(part.to_owned()),
            _ => out.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    out
}

/// The gate's document.
struct Gated {
    line: String,
    status: i32,
    json: Value,
}

impl Gated {
    /// Runs `heapdiff gate` with these words in the repository's root.
    fn of(line: &str) -> Gated {
        Gated::within(root(), line)
    }

    fn within(dir: &Path, line: &str) -> Gated {
        let mut args = vec!["gate", "--as-of", TODAY, "--format", "json"];
        let words = words(line);
        args.extend(words.iter().map(String::as_str));
        let ran = run_in(dir, &args);
        assert_eq!(ran.err, "", "{line}");
        Gated {
            line: line.to_owned(),
            status: ran.status,
            json: serde_json::from_str(&ran.out).unwrap(),
        }
    }

    fn gate(&self) -> &Value {
        &self.json["gate"]
    }

    fn verdict(&self) -> &str {
        self.gate()["verdict"].as_str().unwrap()
    }

    fn budget(&self, name: &str) -> &Value {
        let budgets = self.gate()["budgets"].as_array().unwrap();
        let found = budgets.iter().find(|b| b["name"] == name);
        found.unwrap_or_else(|| panic!("{}: no budget {name}: {budgets:#?}", self.line))
    }

    /// The functions that the offenders of a budget are named by, in order.
    fn offenders(&self, name: &str) -> Vec<String> {
        let ids = self.budget(name)["offenders"].as_array().unwrap().clone();
        let mut out: Vec<String> = Vec::new();
        for id in ids {
            let sites = self.json["sites"].as_array().unwrap();
            let site = sites.iter().find(|s| s["id"] == id).unwrap();
            let at = site["owner"].as_u64().unwrap_or(0) as usize;
            let function = site["frames"][at]["function"].as_str().unwrap().to_owned();
            if !out.contains(&function) {
                out.push(function);
            }
        }
        out
    }

    fn is(&self, verdict: &str, status: i32) -> &Gated {
        let reasons = &self.gate()["reasons"];
        assert_eq!(
            (self.verdict(), self.status),
            (verdict, status),
            "{}: {reasons}",
            self.line
        );
        self
    }
}
