//! Budgets on object graphs. Dumps are counted, so nothing here is a matter of chance.

use super::facts::{CycleFact, GraphFacts, GrowingFact, TypeFact};
use super::{Named, Offender, Outcome, Question, simple_limit};
use crate::diff::Certainty;
use crate::verdict::budget::{Budget, Each, Limit, Scope};
use crate::verdict::budget_test::{self as test, Held, Need};
use crate::verdict::findings::{Severity, SubjectKind};

/// Dumps of a side from which on growth is told from a warm-up.
const ENOUGH: usize = 3;
/// At most so many things that grow are named for one budget.
const MOST_NAMED: usize = 5;
/// Types are named until they explain this share of what was added.
const EXPLAINED: f64 = 0.8;

/// Holds dumps against a budget.
pub(super) fn settle(
    question: &Question,
    facts: &GraphFacts,
    runs_per_hour: Option<f64>,
) -> Outcome {
    let budget = &question.budget;
    let mut outcome = Outcome::blank(budget, simple_limit(&budget.limit), unit(budget));
    let told = match &budget.limit {
        Limit::RetainedByCycles(_) | Limit::Cycles { .. } => {
            cycles(&mut outcome, facts);
            return outcome;
        }
        Limit::Leaks(from) => leaks(&mut outcome, facts, *from),
        _ if budget.scope != Scope::Total || budget.each != Each::Sum => Err(Need::Sites),
        Limit::PerRun(_) if budget.metric.is_none() => {
            per_run(&mut outcome, facts, 1.0);
            growth_told(facts)
        }
        Limit::PerHour(_) => match runs_per_hour {
            Some(runs) => {
                per_run(&mut outcome, facts, runs / 1e6);
                growth_told(facts)
            }
            None => Err(Need::RunsPerHour),
        },
        Limit::NewSites { .. } | Limit::Temporary(_) | Limit::Monitor(_) => Err(Need::Sites),
        _ => totals(&mut outcome, facts),
    };
    if let Err(need) = told {
        outcome.value = None;
        outcome.offenders.clear();
        outcome.held = Held::CannotTell(need);
    }
    outcome
}

fn unit(budget: &Budget) -> &'static str {
    let objects = matches!(budget.metric.as_deref(), Some("objects" | "live_blocks"));
    match (&budget.limit, objects) {
        (Limit::Leaks(_), _) => "leaks",
        (Limit::Cycles { .. }, _) => "cycles",
        (Limit::PerHour(_), _) => "MB per hour",
        (Limit::PerRun(_), false) => "bytes per run",
        (Limit::PerRun(_), true) => "objects per run",
        (_, true) => "objects",
        _ => "bytes",
    }
}

/// Whether growth can be told from a warm-up at all.
fn growth_told(facts: &GraphFacts) -> Result<(), Need> {
    let (base, new) = facts.dumps;
    let fewest = if base > 0 { base.min(new) } else { new };
    match () {
        () if fewest < ENOUGH => Err(Need::Dumps {
            have: fewest,
            need: ENOUGH,
        }),
        () if !facts.runs => Err(Need::Runs),
        () => Ok(()),
    }
}

impl GrowingFact {
    fn offender(&self, amount: f64) -> Offender {
        Offender::Named(Named {
            rule: self.rule,
            id: self.id.clone(),
            name: self.name.clone(),
            amount,
            since: None,
        })
    }
}

/// Bytes that leak with each run; a value counts `to` of them.
fn per_run(outcome: &mut Outcome, facts: &GraphFacts, to: f64) {
    let counts = |g: &&GrowingFact| g.leaks && g.counts;
    let found: Vec<(&GrowingFact, f64)> = facts
        .growing
        .iter()
        .filter(counts)
        .filter_map(|g| Some((g, g.per_run? * to)))
        .collect();
    let value: f64 = found.iter().map(|f| f.1).sum();
    outcome.value = Some(value);
    outcome.parts = facts.growing.len();
    if value > outcome.limit {
        outcome.held = Held::No;
        let grown = found.iter().filter(|f| f.1 > 0.0).take(MOST_NAMED);
        outcome.offenders = grown.map(|(g, n)| g.offender(*n)).collect();
    }
}

fn leaks(outcome: &mut Outcome, facts: &GraphFacts, from: Severity) -> Result<(), Need> {
    let (base, new) = facts.dumps;
    if base > 0 {
        return Err(Need::EvenSides);
    }
    let found: Vec<&GrowingFact> = facts
        .growing
        .iter()
        .filter(|g| g.leaks && g.severity >= from)
        .collect();
    outcome.value = Some(found.len() as f64);
    outcome.parts = facts.growing.len();
    if found.is_empty() {
        return match new < ENOUGH {
            true => Err(Need::Dumps {
                have: new,
                need: ENOUGH,
            }),
            false => Ok(()),
        };
    }
    outcome.held = Held::No;
    let amount = |g: &GrowingFact| g.per_run.or(g.bytes.last().copied()).unwrap_or(0.0);
    outcome.offenders = found.iter().map(|g| g.offender(amount(g))).collect();
    Ok(())
}

/// Growth and level of whole dumps, less what is accepted.
fn totals(outcome: &mut Outcome, facts: &GraphFacts) -> Result<(), Need> {
    let wanted = match outcome.budget.metric.as_deref() {
        None | Some("live_bytes") => "shallow_bytes",
        // What formats call objects are blocks elsewhere.
        Some("live_blocks") => "objects",
        Some(name) => name,
    };
    let all = facts.totals.iter().find(|(name, _)| *name == wanted);
    let (_, sample) = all.ok_or_else(|| Need::Metric(wanted.to_owned()))?;
    let exact = &Certainty::Exact;
    let reading = match outcome.budget.limit {
        Limit::PerRun(limit) => test::per_run(sample, exact, limit)?,
        Limit::Growth { absolute, percent } => {
            let limit = super::sites::growth_limit(sample, absolute, percent);
            test::growth(sample, exact, limit)?
        }
        Limit::Level(limit) => test::level(sample, exact, limit)?,
        Limit::Plateau(limit) => test::plateau(sample, exact, limit)?,
        _ => return Err(Need::Sites),
    };
    outcome.value = Some(reading.value);
    outcome.limit = reading.limit;
    outcome.settled = reading.settled;
    outcome.parts = 1;
    outcome.held = reading.held(false, test::FAMILY);
    if outcome.held == Held::No {
        outcome.offenders = grown(facts, matches!(outcome.budget.limit, Limit::Level(_)));
    }
    Ok(())
}

/// What leaks, else the types that grew, until most of what was added is explained; of a level
/// those that take most of it.
fn grown(facts: &GraphFacts, level: bool) -> Vec<Offender> {
    let last = |g: &GrowingFact| g.bytes.last().copied().unwrap_or(0.0);
    let leaks = facts.growing.iter().filter(|g| g.leaks && g.counts);
    let leaks: Vec<Offender> = leaks
        .take(MOST_NAMED)
        .map(|g| g.offender(last(g)))
        .collect();
    if !leaks.is_empty() {
        return leaks;
    }
    let amount = |t: &TypeFact| match level {
        true => t.new.last().copied().unwrap_or(0.0),
        false => t.grown(),
    };
    let mut types: Vec<&TypeFact> = facts.types.iter().filter(|t| amount(t) > 0.0).collect();
    types.sort_by(|a, b| amount(b).total_cmp(&amount(a)).then(a.name.cmp(&b.name)));
    let sum: f64 = types.iter().map(|t| amount(t)).sum();
    let mut explained = 0.0;
    let mut out = Vec::new();
    for t in types.into_iter().take(MOST_NAMED) {
        if explained >= EXPLAINED * sum {
            break;
        }
        explained += amount(t);
        out.push(Offender::Named(Named {
            rule: "HD043",
            id: t.name.clone(),
            name: t.name.clone(),
            amount: amount(t),
            since: None,
        }));
    }
    out
}

fn cycles(outcome: &mut Outcome, facts: &GraphFacts) {
    let limit = outcome.budget.limit.clone();
    let counted = |c: &CycleFact| match &limit {
        Limit::RetainedByCycles(_) => c.bytes,
        _ => c.occurrences,
    };
    let is_about = |c: &&CycleFact| match &limit {
        Limit::RetainedByCycles(_) => c.alone,
        Limit::Cycles {
            signature: Some(glob),
            ..
        } => glob.matches(&c.signature),
        _ => c.retains,
    };
    let mut found: Vec<&CycleFact> = facts.cycles.iter().filter(is_about).collect();
    found.sort_by(|a, b| counted(b).total_cmp(&counted(a)).then(a.id.cmp(&b.id)));
    let value: f64 = found.iter().map(|c| counted(c)).sum();
    outcome.value = Some(value);
    outcome.parts = found.len();
    if value > outcome.limit {
        outcome.held = Held::No;
        let offender = |c: &&CycleFact| {
            Offender::Named(Named {
                rule: "HD040",
                id: c.id.clone(),
                name: c.signature.clone(),
                amount: counted(c),
                since: None,
            })
        };
        outcome.offenders = found.iter().map(offender).collect();
    }
}

impl GraphFacts {
    /// Takes out what is accepted: `accepts` tells whether something of a kind, with this id and
    /// name, is. Returns what was taken out with the bytes that it keeps.
    pub(super) fn without(
        &mut self,
        accepts: impl Fn(SubjectKind, &str, &str) -> bool,
    ) -> Vec<(SubjectKind, &'static str, String, f64)> {
        let mut out = Vec::new();
        let mut less: Vec<f64> = Vec::new();
        self.growing.retain(|g| {
            if !accepts(g.kind, &g.id, &g.name) {
                return true;
            }
            if g.counts {
                less.resize(less.len().max(g.bytes.len()), 0.0);
                less.iter_mut().zip(&g.bytes).for_each(|(l, b)| *l += b);
            }
            let grown = g.bytes.last().copied().unwrap_or(0.0);
            out.push((g.kind, g.rule, g.id.clone(), grown));
            false
        });
        self.cycles.retain(|c| {
            if !accepts(SubjectKind::Cycle, &c.id, &c.signature) {
                return true;
            }
            if !out.iter().any(|o| o.2 == c.id) && c.retains {
                out.push((SubjectKind::Cycle, "HD040", c.id.clone(), c.bytes));
            }
            false
        });
        let mut less_before: Vec<f64> = Vec::new();
        let add = |to: &mut Vec<f64>, bytes: &[f64]| {
            to.resize(to.len().max(bytes.len()), 0.0);
            to.iter_mut().zip(bytes).for_each(|(l, b)| *l += b);
        };
        self.types.retain(|t| {
            if !accepts(SubjectKind::Type, &t.name, &t.name) {
                return true;
            }
            add(&mut less, &t.new);
            add(&mut less_before, &t.base);
            let grown = t.grown().max(0.0);
            out.push((SubjectKind::Type, "HD043", t.name.clone(), grown));
            false
        });
        let subtract = |values: &mut [f64], less: &[f64]| {
            let pairs = values.iter_mut().zip(less);
            pairs.for_each(|(v, l)| *v = (*v - l).max(0.0));
        };
        for (_, sample) in self
            .totals
            .iter_mut()
            .filter(|(name, _)| *name != "objects")
        {
            subtract(&mut sample.new.values, &less);
            subtract(&mut sample.base.values, &less_before);
        }
        out
    }
}
