//! SARIF 2.1.0, as GitHub's code scanning reads it.

use super::{Level, Place, Problem, View, problems};
use crate::error::Result;
use crate::verdict::{Severity, rules};
use serde::Serialize;
use std::io::Write;

/// Results that are listed: more than the host shows would only make it refuse the file.
pub const MOST_RESULTS: usize = 5000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'p> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'p>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'p> {
    tool: Tool,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: Vec<ResultOf<'p>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<RuleOf>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleOf {
    id: &'static str,
    name: String,
    short_description: Message,
    full_description: Message,
    help: Message,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultOf<'p> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: Vec<Location<'p>>,
    partial_fingerprints: Fingerprints<'p>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stacks: Vec<Stack<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<SuppressionOf<'p>>,
}

#[derive(Serialize)]
struct Fingerprints<'p> {
    #[serde(rename = "heapdiffSite/v1")]
    site: &'p str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<Physical>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Logical<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical<'p> {
    name: &'p str,
    kind: &'static str,
}

#[derive(Serialize)]
struct Stack<'p> {
    message: Message,
    frames: Vec<FrameOf<'p>>,
}

#[derive(Serialize)]
struct FrameOf<'p> {
    location: Location<'p>,
}

#[derive(Serialize)]
struct SuppressionOf<'p> {
    kind: &'static str,
    status: &'static str,
    justification: &'p str,
}

/// Writes the log: broken budgets are errors, what could not be judged is a notification.
///
/// Errors: `out` cannot be written to.
pub fn write(view: &View<'_>, out: &mut dyn Write) -> Result<()> {
    let all = problems(view);
    let (judged, open): (Vec<_>, Vec<_>) = all
        .iter()
        .partition(|p| p.level != Level::Warning || !p.stack.is_empty());
    let two_sides = view.sites().is_some_and(|r| r.has_two_sides());
    let results: Vec<ResultOf<'_>> = judged
        .iter()
        .take(MOST_RESULTS)
        .map(|p| result(p, two_sides))
        .collect();
    let left_out = judged.len() - results.len();
    let mut notes: Vec<Notification> = open
        .iter()
        .map(|p| Notification {
            level: p.level.as_str(),
            message: Message {
                text: p.message.clone(),
            },
        })
        .collect();
    notes.extend(view.gate.warnings.iter().map(|w| Notification {
        level: "warning",
        message: Message {
            text: w.text.clone(),
        },
    }));
    if left_out > 0 {
        notes.push(Notification {
            level: "note",
            message: Message {
                text: format!("{left_out} results more are left out"),
            },
        });
    }
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "heapdiff",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: rules::RULES.iter().map(|r| rule(r)).collect(),
                },
            },
            invocations: [Invocation {
                execution_successful: true,
                exit_code: view.status,
                tool_execution_notifications: notes,
            }],
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    let text =
        serde_json::to_string_pretty(&log).map_err(|e| super::super::unwritable(e.into()))?;
    super::super::plain(&(text + "\n"), out)
}

fn rule(rule: &rules::Rule) -> RuleOf {
    let first = rule.text.split(". ").next().unwrap_or(rule.text);
    let first = first.split("\n\n").next().unwrap_or(first);
    let ended = first.trim_end_matches('.');
    RuleOf {
        id: rule.id,
        name: pascal(rule.name),
        short_description: Message {
            text: format!("{ended}."),
        },
        full_description: Message {
            text: rule.text.to_owned(),
        },
        help: Message {
            text: format!("heapdiff explain {}", rule.id),
        },
        default_configuration: Configuration { level: "warning" },
    }
}

/// `steady-growth` as `SteadyGrowth`.
fn pascal(name: &str) -> String {
    let part = |p: &str| {
        let mut chars = p.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    };
    name.split('-').map(part).collect()
}

fn result<'p>(problem: &'p Problem, two_sides: bool) -> ResultOf<'p> {
    let state = match problem.is_new {
        true => "new",
        false => "updated",
    };
    ResultOf {
        rule_id: problem.rule,
        rule_index: rules::RULES
            .iter()
            .position(|r| r.id == problem.rule)
            .unwrap_or(0),
        level: match (problem.level, problem.severity) {
            (Level::Note, Severity::Note) => "note",
            (Level::Note, _) => "warning",
            (level, _) => level.as_str(),
        },
        message: Message {
            text: problem.message.clone(),
        },
        locations: problem.place.iter().map(location).collect(),
        partial_fingerprints: Fingerprints {
            site: &problem.fingerprint,
        },
        baseline_state: (two_sides && !problem.stack.is_empty()).then_some(state),
        stacks: match problem.stack.is_empty() {
            true => Vec::new(),
            false => vec![Stack {
                message: Message {
                    text: "allocated here".to_owned(),
                },
                frames: problem
                    .stack
                    .iter()
                    .map(|p| FrameOf {
                        location: location(p),
                    })
                    .collect(),
            }],
        },
        suppressions: problem
            .suppressed
            .iter()
            .map(|reason| SuppressionOf {
                kind: "external",
                status: "accepted",
                justification: reason,
            })
            .collect(),
    }
}

fn location(place: &Place) -> Location<'_> {
    let physical = (!place.file.is_empty()).then(|| Physical {
        artifact_location: Artifact {
            uri: uri(&place.file),
            uri_base_id: place.known.then_some("%SRCROOT%"),
        },
        region: Region {
            start_line: place.line,
        },
    });
    let logical = (!place.function.is_empty()).then_some(Logical {
        name: &place.function,
        kind: "function",
    });
    Location {
        physical_location: physical,
        logical_locations: logical.into_iter().collect(),
    }
}

/// A path as a reference: what has a meaning there is escaped.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=@".contains(&b);
    for b in path.bytes() {
        match plain(b) {
            true => out.push(b as char),
            false => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}
