//! The gate's answer on the wire; the same object in every document.

use super::super::gate::{Judged, View, limit, value, word};
use super::wire::Number;
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
    /// The same for people: what was measured, the limit, and who broke it.
    verdict: &'static str,
    interval: Option<[Number; 2]>,
    measured: String,
    allowed: String,
    broken_by: Vec<WireOffender>,
    why: Option<String>,
    next: Option<String>,
}

/// One of those that break a budget.
#[derive(Debug, Serialize)]
struct WireOffender {
    id: String,
    finding: String,
    name: String,
    amount: String,
    since: Option<String>,
}

/// Offenders that are described; all of them are listed by their ids.
const MOST_SHOWN: usize = 50;
/// Names of what a suppression hides.
const MOST_NAMES: usize = 20;
/// Characters of a name.
const NAME: usize = 400;

#[derive(Debug, Serialize)]
struct Suppressed {
    finding: String,
    suppression: String,
    bytes: i128,
    expires: Option<String>,
    owner: Option<String>,
    max: Option<u64>,
    place: String,
    names: Vec<String>,
}

impl WireGate {
    /// The gate of a report; `reasons` are the lines of text behind the verdict.
    pub fn new(subject: Judged<'_>, gate: &Gate) -> WireGate {
        let files = std::collections::BTreeMap::new();
        let view = View::new(subject, gate, &files, "", 0);
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

fn budget(view: &View<'_>, outcome: &Outcome) -> WireBudget {
    let report = view.sites();
    let id = |offender: &Offender| match offender {
        Offender::Rows(rows, _) => rows
            .iter()
            .filter_map(|&r| Some(report?.id(r as usize).to_string()))
            .collect(),
        Offender::Named(named) => vec![named.id.clone()],
    };
    let mut findings: Vec<String> = outcome
        .offenders
        .iter()
        .map(|o| view.finding_of(o))
        .collect();
    findings.dedup();
    let told = view.lacking(outcome);
    WireBudget {
        name: outcome.budget.name.clone(),
        subject: subject(outcome),
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
        broke_at: outcome.broke_at.and_then(instant),
        lacking: match &outcome.held {
            Held::CannotTell(need) => Some(lacking(need)),
            _ => None,
        },
        verdict: word(outcome),
        interval: outcome
            .value
            .zip(outcome.noise)
            .map(|(v, n)| [Number(v - n), Number(v + n)]),
        measured: value(outcome),
        allowed: limit(outcome),
        broken_by: outcome
            .offenders
            .iter()
            .take(MOST_SHOWN)
            .map(|o| offender(view, outcome, o))
            .collect(),
        why: told.as_ref().map(|t| t.0.clone()),
        next: told.map(|t| t.1),
    }
}

fn offender(view: &View<'_>, outcome: &Outcome, offender: &Offender) -> WireOffender {
    let (id, since) = match (offender, view.sites()) {
        (Offender::Rows(rows, _), Some(report)) => {
            let first = rows.first().map(|&r| report.id(r as usize).to_string());
            (first.unwrap_or_default(), None)
        }
        (Offender::Rows(..), None) => (String::new(), None),
        (Offender::Named(named), _) => (named.id.clone(), named.since.and_then(instant)),
    };
    WireOffender {
        id,
        finding: view.finding_of(offender),
        name: view.offender(offender, NAME),
        amount: view.amount(outcome, offender),
        since,
    }
}

fn instant(seconds: f64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds as i64).ok()?;
    Some(time.to_string())
}

/// Whose a budget is about: a scope of sites, a series, an endpoint.
fn subject(outcome: &Outcome) -> String {
    let budget = &outcome.budget;
    match &budget.limit {
        Limit::Monitor(m) => {
            let kind = if m.watch.of_requests() {
                "endpoint"
            } else {
                "series"
            };
            match &m.subject {
                Some(glob) => format!("{kind} {}", glob.as_str()),
                None => format!("every {kind}"),
            }
        }
        Limit::Cycles {
            signature: Some(glob),
            ..
        } => format!("cycles {}", glob.as_str()),
        _ => format!("{}{}", budget.scope.text(), budget.each.words()),
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
        Need::Dumps { .. } => "dumps",
        Need::Sites => "sites",
        Need::Proof { .. } => "proof",
        Need::Counter(_) => "counter",
        Need::Monitoring { .. } => "monitoring",
        Need::Longer(_) => "longer",
    }
}

fn suppressed(view: &View<'_>) -> Vec<Suppressed> {
    let gate = view.gate;
    let mut out = Vec::new();
    for hidden in &gate.hidden {
        let s = &gate.suppressions[hidden.suppression];
        let mut findings = hidden.findings.clone();
        let rows = hidden.rows.iter().map(|&r| Offender::Rows(vec![r], 0.0));
        let names = rows.map(|o| view.offender(&o, NAME));
        let names: Vec<String> = names
            .chain(hidden.subjects.iter().cloned())
            .take(MOST_NAMES)
            .collect();
        if findings.is_empty() {
            let report = view.sites();
            let largest = hidden.rows.iter().copied();
            let largest = largest.max_by_key(|&r| report.map_or(0, |v| v.delta(r as usize)));
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
                place: s.place.clone(),
                names: if i == 0 { names.clone() } else { Vec::new() },
            });
        }
    }
    out
}
