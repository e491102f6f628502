//! GitLab's code quality report: an array of issues, told apart by their fingerprints.

use super::{Level, Problem, View, problems};
use crate::error::Result;
use crate::verdict::Severity;
use serde::Serialize;
use std::io::Write;

/// Issues that are listed.
pub const MOST_ISSUES: usize = 5000;

#[derive(Serialize)]
struct Issue<'p> {
    description: &'p str,
    check_name: String,
    fingerprint: &'p str,
    severity: &'static str,
    location: Location<'p>,
}

#[derive(Serialize)]
struct Location<'p> {
    path: &'p str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// Writes the issues. What is accepted is left out; what has no place in the repository stands at
/// the configuration file.
///
/// Errors: `out` cannot be written to.
pub fn write(view: &View<'_>, out: &mut dyn Write) -> Result<()> {
    let all = problems(view);
    let issues: Vec<Issue<'_>> = all
        .iter()
        .filter(|p| p.suppressed.is_none())
        .take(MOST_ISSUES)
        .map(issue)
        .collect();
    let text =
        serde_json::to_string_pretty(&issues).map_err(|e| super::super::unwritable(e.into()))?;
    super::super::plain(&(text + "\n"), out)
}

fn issue(problem: &Problem) -> Issue<'_> {
    let (path, begin) = match &problem.place {
        Some(place) => (place.file.trim_start_matches("./"), place.line),
        None => ("heapdiff.toml", 1),
    };
    Issue {
        description: &problem.message,
        check_name: format!("heapdiff/{}", problem.rule),
        fingerprint: &problem.fingerprint,
        severity: match (problem.level, problem.severity) {
            (Level::Error, Severity::Emergency) => "blocker",
            (Level::Error, Severity::Critical) => "critical",
            (Level::Error, _) => "major",
            (Level::Warning, _) => "minor",
            (Level::Note, _) => "info",
        },
        location: Location {
            path,
            lines: Lines { begin },
        },
    }
}
