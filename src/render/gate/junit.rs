//! JUnit XML: a suite of the budgets and one of each rule's sites.

use super::{Level, Problem, View, limit, problems, value};
use crate::error::Result;
use crate::verdict::Held;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

/// Sites that are listed of one rule.
pub const MOST_CASES: usize = 5000;

struct Case {
    name: String,
    class: String,
    kind: Kind,
}

enum Kind {
    Passed,
    Failed(String, String),
    Skipped(String),
}

/// Writes the suites: a budget that is broken fails, one that cannot be judged is an error, an
/// accepted site is skipped with its reason.
///
/// Errors: `out` cannot be written to.
pub fn write(view: &View<'_>, out: &mut dyn Write) -> Result<()> {
    let mut suites: Vec<(String, Vec<Case>)> = Vec::new();
    let budgets = view.gate.outcomes.iter().map(|outcome| Case {
        name: outcome.budget.name.clone(),
        class: "heapdiff.budgets".into(),
        kind: match (&outcome.held, view.lacking(outcome)) {
            (Held::Yes, _) => Kind::Passed,
            (Held::No, _) => {
                let mut text = format!("{} (limit {})\n", value(outcome), limit(outcome));
                for offender in &outcome.offenders {
                    let name = view.offender(offender, 200);
                    let _ = writeln!(text, "{} at {name}", view.amount(outcome, offender));
                }
                Kind::Failed(view.broken(outcome, 200), text)
            }
            (_, lacking) => {
                let (why, next) = lacking.unwrap_or_default();
                match view.status {
                    // The gate was told to take it for a pass.
                    0 => Kind::Skipped(format!("cannot tell: {why}")),
                    _ => Kind::Failed(format!("cannot tell: {why}"), next),
                }
            }
        },
    });
    suites.push(("heapdiff budgets".into(), budgets.collect()));
    let all = problems(view);
    let mut rules: BTreeMap<&str, Vec<&Problem>> = BTreeMap::new();
    for problem in all.iter().filter(|p| !p.finding.is_empty()) {
        rules.entry(problem.rule).or_default().push(problem);
    }
    for (rule, problems) in rules {
        let cases = problems.iter().take(MOST_CASES).map(|p| case(p)).collect();
        suites.push((format!("heapdiff {rule}"), cases));
    }
    let count = |is: fn(&Kind) -> bool| {
        let cases = suites.iter().flat_map(|s| &s.1);
        cases.filter(|c| is(&c.kind)).count()
    };
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites name=\"heapdiff\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
        count(|_| true),
        count(|k| matches!(k, Kind::Failed(..)))
    );
    for (name, cases) in &suites {
        suite(name, cases, &mut xml);
    }
    xml.push_str("</testsuites>\n");
    super::super::plain(&xml, out)
}

fn case(problem: &Problem) -> Case {
    let mut stack = String::new();
    for place in &problem.stack {
        let _ = writeln!(stack, "  {} {}:{}", place.function, place.file, place.line);
    }
    let name = problem
        .place
        .as_ref()
        .map_or(String::new(), |p| format!("{} {}", p.function, p.file));
    Case {
        name: format!("{} {name}", problem.fingerprint),
        class: format!("heapdiff.{}", problem.rule),
        kind: match (&problem.suppressed, problem.level) {
            (Some(reason), _) => Kind::Skipped(reason.clone()),
            (None, Level::Error) => Kind::Failed(
                problem.message.clone(),
                format!("{}\n{stack}", problem.message),
            ),
            _ => Kind::Passed,
        },
    }
}

fn suite(name: &str, cases: &[Case], xml: &mut String) {
    let failures = cases.iter().filter(|c| matches!(c.kind, Kind::Failed(..)));
    let skipped = cases.iter().filter(|c| matches!(c.kind, Kind::Skipped(_)));
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"0\">",
        escape(name),
        cases.len(),
        failures.count(),
        skipped.count()
    );
    for case in cases {
        let head = format!(
            "    <testcase name=\"{}\" classname=\"{}\" time=\"0\"",
            escape(&case.name),
            escape(&case.class)
        );
        let _ = match &case.kind {
            Kind::Passed => writeln!(xml, "{head}/>"),
            Kind::Failed(message, text) => writeln!(
                xml,
                "{head}>\n      <failure message=\"{}\" type=\"budget\">{}</failure>\n    </testcase>",
                escape(message),
                escape(text)
            ),
            Kind::Skipped(reason) => writeln!(
                xml,
                "{head}>\n      <skipped>{}</skipped>\n    </testcase>",
                escape(reason)
            ),
        };
    }
    xml.push_str("  </testsuite>\n");
}

/// Text of XML 1.0: what has a meaning is escaped, what it cannot hold becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || ('\u{fffe}'..='\u{ffff}').contains(&c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
