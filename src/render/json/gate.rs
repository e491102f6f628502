//! The gate's answer on the wire; the same object in every document.

use super::wire::Number;
use crate::report::Report;
use crate::verdict::{Gate, Held, Limit, Need, Offender, Outcome};
use serde::Serialize;

/// The gate.
#[derive(Debug, Serialize)]
pub(in super::super) struct WireGate {
    verdict: &'static str,
    reasons: Vec<String>,
    against: Option<String>,
    family_wise_error: Number,
    tests: usize,
    budgets: Vec<WireBudget>,
    suppressed: Vec<Suppressed>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct WireBudget {
    name: String,
    subject: String,
    kind: &'static str,
    limit: Number,
    unit: String,
    value: Option<Number>,
    noise: Option<Number>,
    resolution: Option<Number>,
    held: Option<bool>,
    by_default: bool,
    settled: bool,
    offenders: Vec<String>,
    findings: Vec<String>,
    broke_at: Option<String>,
    lacking: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Suppressed {
    finding: String,
    suppression: String,
    bytes: i128,
    expires: Option<String>,
    owner: Option<String>,
    max: Option<u64>,
}

impl WireGate {
    /// The gate of a report; `reasons` are the lines of text behind the verdict.
    pub fn new(report: &Report<'_>, gate: &Gate) -> WireGate {
        let files = std::collections::BTreeMap::new();
        let view = super::super::gate::View::new(report, gate, &files, "", 0);
        let broken = gate
            .broken()
            .map(|o| format!("{}: {}", o.budget.name, view.broken(o, 200)));
        let open = gate.open().filter_map(|o| {
            let (why, next) = view.lacking(o)?;
            Some(format!("{}: {why}; {next}", o.budget.name))
        });
        WireGate {
            verdict: gate.verdict.as_str(),
            reasons: broken.chain(open).collect(),
            against: gate.base.clone(),
            family_wise_error: Number(crate::verdict::FAMILY),
            tests: gate.tests,
            budgets: gate.outcomes.iter().map(|o| budget(&view, o)).collect(),
            suppressed: suppressed(&view),
            warnings: gate.warnings.iter().map(|w| w.text.clone()).collect(),
        }
    }
}

fn budget(view: &super::super::gate::View<'_>, outcome: &Outcome) -> WireBudget {
    let id = |offender: &Offender| match offender {
        Offender::Rows(rows, _) => rows
            .iter()
            .map(|&r| view.report.id(r as usize).to_string())
            .collect(),
        Offender::Named(id, ..) => vec![id.clone()],
    };
    let mut findings: Vec<String> = outcome
        .offenders
        .iter()
        .map(|o| view.finding_of(o))
        .collect();
    findings.dedup();
    WireBudget {
        name: outcome.budget.name.clone(),
        subject: format!(
            "{}{}",
            outcome.budget.scope.text(),
            outcome.budget.each.words()
        ),
        kind: match &outcome.budget.limit {
            Limit::Monitor(m) => m.key(),
            limit => limit.key(),
        },
        limit: Number(outcome.limit),
        unit: outcome.unit.clone(),
        value: outcome.value.map(Number),
        noise: outcome.noise.map(Number),
        resolution: outcome.resolution.map(Number),
        held: match outcome.held {
            Held::Yes => Some(true),
            Held::No => Some(false),
            Held::CannotTell(_) => None,
        },
        by_default: outcome.budget.by_default,
        settled: outcome.settled,
        offenders: outcome.offenders.iter().flat_map(id).collect(),
        findings,
        broke_at: outcome
            .broke_at
            .and_then(|t| jiff::Timestamp::from_second(t as i64).ok())
            .map(|t| t.to_string()),
        lacking: match &outcome.held {
            Held::CannotTell(need) => Some(lacking(need)),
            _ => None,
        },
    }
}

/// A word for programs.
fn lacking(need: &Need) -> &'static str {
    match need {
        Need::AnotherCapture => "another-capture",
        Need::Captures { .. } => "captures",
        Need::OnceMore => "once-more",
        Need::Runs => "runs",
        Need::RunsPerHour => "runs-per-hour",
        Need::Base => "base",
        Need::Origin => "origin",
        Need::Metric(_) => "metric",
        Need::EvenSides => "even-sides",
        Need::Resolution { .. } => "resolution",
        Need::Settled => "settled",
        Need::Graph => "object-graph",
        Need::Monitoring(_) => "monitoring",
        Need::Longer(_) => "longer",
    }
}

fn suppressed(view: &super::super::gate::View<'_>) -> Vec<Suppressed> {
    let gate = view.gate;
    let mut out = Vec::new();
    for hidden in &gate.hidden {
        let s = &gate.suppressions[hidden.suppression];
        let mut findings = hidden.findings.clone();
        if findings.is_empty() {
            let largest = hidden.rows.iter().copied();
            let largest = largest.max_by_key(|&r| view.report.delta(r as usize));
            findings.extend(largest.map(|r| view.finding_of(&Offender::Rows(vec![r], 0.0))));
        }
        findings.dedup();
        for (i, finding) in findings.into_iter().enumerate() {
            out.push(Suppressed {
                finding,
                suppression: s.reason.clone(),
                // The bytes are those of the suppression: said once, so that they add up.
                bytes: if i == 0 { hidden.bytes } else { 0 },
                expires: s.expires.map(|d| d.to_string()),
                owner: s.owner.clone(),
                max: s.max,
            });
        }
    }
    out
}
