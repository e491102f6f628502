//! The gate: captures, object graphs and monitoring held against budgets, all at one family-wise
//! error.

mod facts;
mod graphs;
mod hidden;
mod sites;
mod watched;

use super::budget::{Budget, Limit, Scope};
use super::budget_test::{FAMILY, Held, Need};
use super::gate_rows::Rows;
use super::monitored::Monitored;
use super::suppression::Suppression;
use crate::trend::holm;
pub use facts::{CycleFact, GraphFacts, GrowingFact, TypeFact};
use sites::Pending;

/// The verdict of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateVerdict {
    /// Every budget holds.
    Pass,
    /// A budget is broken.
    Fail,
    /// A budget could not be judged, and none is broken.
    Inconclusive,
}

impl GateVerdict {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            GateVerdict::Pass => "pass",
            GateVerdict::Fail => "fail",
            GateVerdict::Inconclusive => "inconclusive",
        }
    }

    /// The first word of text.
    pub fn headline(self) -> &'static str {
        match self {
            GateVerdict::Pass => "PASS",
            GateVerdict::Fail => "REGRESSION",
            GateVerdict::Inconclusive => "CANNOT TELL",
        }
    }
}

/// A cycle, holder, series or endpoint that breaks a budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The rule that says so.
    pub rule: &'static str,
    /// Its id in the document.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its number; NaN where it has none.
    pub amount: f64,
    /// Since when, seconds since 1970; monitoring only.
    pub since: Option<f64>,
}

/// What breaks a budget.
#[derive(Debug, Clone, PartialEq)]
pub enum Offender {
    /// Rows of the comparison, the largest first, and what they add together.
    Rows(Vec<u32>, f64),
    /// Something that is no site.
    Named(Named),
}

/// What became of one budget.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The budget.
    pub budget: Budget,
    /// The limit as a number.
    pub limit: f64,
    /// Unit of limit and value: `bytes per run`, `bytes`, `sites`.
    pub unit: String,
    /// What was measured; of several parts the worst.
    pub value: Option<f64>,
    /// Half the interval of 95 % of that; none for what was counted.
    pub noise: Option<f64>,
    /// The smallest value beyond the limit that these captures show.
    pub resolution: Option<f64>,
    /// Whether it holds.
    pub held: Held,
    /// What grew was a warm-up or one step, and the series has settled.
    pub settled: bool,
    /// Number of parts that were held against the limit.
    pub parts: usize,
    /// The sites or things that break it, worst first.
    pub offenders: Vec<Offender>,
    /// When it broke, seconds since 1970; monitoring only.
    pub broke_at: Option<f64>,
}

/// What a suppression hides.
#[derive(Debug, Clone, PartialEq)]
pub struct Hidden {
    /// Position of the suppression.
    pub suppression: usize,
    /// The rows; empty for what is not a site.
    pub rows: Vec<u32>,
    /// Ids of what is no site.
    pub subjects: Vec<String>,
    /// Ids of the findings that it hides.
    pub findings: Vec<String>,
    /// Growth that it hides, in units of the metric.
    pub bytes: i128,
}

/// Something that a user should do about the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    /// In words.
    pub text: String,
    /// Position of the suppression that it is about.
    pub suppression: Option<usize>,
}

/// The gate's answer.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The verdict.
    pub verdict: GateVerdict,
    /// One outcome a budget, in their order.
    pub outcomes: Vec<Outcome>,
    /// The suppressions that were there.
    pub suppressions: Vec<Suppression>,
    /// What they hide.
    pub hidden: Vec<Hidden>,
    /// What to do about the configuration.
    pub warnings: Vec<Warning>,
    /// Number of tests in the family.
    pub tests: usize,
    /// Level of one test.
    pub level: f64,
    /// What the captures are held against: the name of a baseline, or the paths of the base side.
    pub base: Option<String>,
}

impl Gate {
    /// Broken budgets.
    pub fn broken(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|o| o.held == Held::No)
    }

    /// Budgets that could not be judged.
    pub fn open(&self) -> impl Iterator<Item = &Outcome> {
        let open = |o: &&Outcome| matches!(o.held, Held::CannotTell(_));
        self.outcomes.iter().filter(open)
    }

    /// Notes something that a user should do about the configuration.
    pub fn warn(&mut self, text: String) {
        self.warnings.push(Warning {
            text,
            suppression: None,
        });
    }

    /// Draws the verdict from the outcomes.
    fn conclude(&mut self) {
        self.verdict = match () {
            () if self.broken().next().is_some() => GateVerdict::Fail,
            () if self.open().next().is_some() || self.outcomes.is_empty() => {
                GateVerdict::Inconclusive
            }
            () => GateVerdict::Pass,
        };
    }
}

/// Everything that was measured. What is none was not.
#[derive(Default)]
pub struct Measured<'a> {
    /// Allocation captures, one comparison for each budget that needs one of its own; by the
    /// position that [`Question::of`] names.
    pub captures: Vec<Rows<'a>>,
    /// Object graphs.
    pub graph: Option<GraphFacts>,
    /// Monitoring.
    pub monitored: Option<Monitored>,
    /// Runs in an hour, if the user said; for object graphs.
    pub runs_per_hour: Option<f64>,
}

/// A budget, and which of the comparisons it is about.
#[derive(Debug, Clone)]
pub struct Question {
    /// The budget.
    pub budget: Budget,
    /// Position in [`Measured::captures`]; none where there is no such comparison.
    pub of: Option<usize>,
    /// Why there is none.
    pub lacking: Option<Need>,
}

/// How the family-wise error is divided: what the analysis of monitoring spent already is taken
/// off, and each kind of test that was made has an equal part of the rest (Bonferroni); inside a
/// kind it is Holm's.
struct Shares {
    /// A kind of test has so much.
    each: f64,
    /// Corrected p of the budgets on sites.
    sites: Vec<f64>,
    /// Level of one test of a budget on sites.
    level: f64,
    /// Corrected p of the rates of monitoring.
    rates: Vec<f64>,
    /// Level of one test of a rate.
    rate_level: f64,
    /// Number of all tests.
    tests: usize,
}

impl Shares {
    /// `leaks`: sites that leaks are looked for among, in noise.
    fn new(sites: &[f64], rates: &[f64], leaks: usize, spent: f64) -> Shares {
        let kinds = [sites.len(), rates.len(), leaks];
        let made = kinds.iter().filter(|n| **n > 0).count().max(1);
        let each = (FAMILY - spent).max(0.0) / made as f64;
        Shares {
            each,
            sites: holm(sites),
            level: each / sites.len().max(1) as f64,
            rates: holm(rates),
            rate_level: each / rates.len().max(1) as f64,
            tests: kinds.iter().sum(),
        }
    }
}

/// Holds what was measured against all budgets. The chance that any of them is called broken by
/// noise alone is at most [`FAMILY`] (Holm 1979 over all tests of all budgets); numbers that were
/// counted are compared. Object graphs and monitoring that suppressions accept are taken out of
/// `measured`.
///
/// Cost: the rows, once for each budget.
pub fn evaluate(
    questions: Vec<Question>,
    measured: &mut Measured<'_>,
    suppressions: Vec<Suppression>,
    today: jiff::civil::Date,
) -> Gate {
    let mut gate = Gate {
        verdict: GateVerdict::Inconclusive,
        outcomes: Vec::new(),
        suppressions,
        hidden: Vec::new(),
        warnings: Vec::new(),
        tests: 0,
        level: FAMILY,
        base: None,
    };
    let active = gate.standing(today);
    let mut covers: Vec<Vec<Option<usize>>> = Vec::new();
    for (i, rows) in measured.captures.iter().enumerate() {
        let cover = rows.covered(&gate.suppressions, &active);
        let cover = gate.hide(rows, cover, i == 0);
        covers.push(cover);
    }
    gate.hide_subjects(measured, &active);
    gate.warn_of_unused(&active, measured);
    let (mut family, mut rates) = (Vec::new(), Vec::new());
    let mut leaks = 0;
    let mut pending: Vec<Answered> = Vec::new();
    for question in &questions {
        pending.push(match &question.budget.limit {
            Limit::Monitor(budget) => Answered::Watched(watched::ask(
                budget,
                measured.monitored.as_ref(),
                &mut rates,
            )),
            _ if question.of.is_none() && measured.graph.is_some() => Answered::Graph,
            Limit::RetainedByCycles(_) | Limit::Cycles { .. } => Answered::Graph,
            Limit::Leaks(_) => {
                leaks += sites::leak_tests(question, measured);
                Answered::Leaks
            }
            _ => Answered::Sites(sites::ask(question, measured, &covers, &mut family)),
        });
    }
    let spent = measured.monitored.as_ref().map_or(0.0, |m| m.alpha);
    let shares = Shares::new(&family, &rates, leaks, spent);
    gate.tests = shares.tests;
    gate.level = shares.level;
    for (question, answer) in questions.into_iter().zip(pending) {
        let outcome = match answer {
            Answered::Watched(answer) => watched::settle(&question, answer, &shares),
            Answered::Graph => match &measured.graph {
                Some(facts) => graphs::settle(&question, facts, measured.runs_per_hour),
                None => Outcome::lacking(&question, Need::Graph),
            },
            Answered::Leaks => sites::leaks(&question, measured, &covers, &shares),
            Answered::Sites(told) => sites::settle(&question, told, measured, &covers, &shares),
        };
        gate.outcomes.push(outcome);
    }
    gate.conclude();
    gate
}

/// What is known of a budget before the number of tests is.
enum Answered {
    Sites(Result<Vec<Pending>, Need>),
    Leaks,
    Graph,
    Watched(Result<Vec<watched::Pending>, Need>),
}

impl Outcome {
    fn blank(budget: &Budget, limit: f64, unit: impl Into<String>) -> Outcome {
        Outcome {
            budget: budget.clone(),
            limit,
            unit: unit.into(),
            value: None,
            noise: None,
            resolution: None,
            held: Held::Yes,
            settled: false,
            parts: 0,
            offenders: Vec::new(),
            broke_at: None,
        }
    }

    /// The outcome with what was asked for; where that cannot be told, what it would need.
    fn answered<P>(
        mut self,
        answer: Result<Vec<P>, Need>,
    ) -> Result<(Outcome, Vec<P>), Box<Outcome>> {
        match answer {
            Ok(pending) => {
                self.parts = pending.len();
                Ok((self, pending))
            }
            Err(need) => {
                self.held = Held::CannotTell(need);
                Err(Box::new(self))
            }
        }
    }

    /// A budget that nothing was measured for.
    fn lacking(question: &Question, need: Need) -> Outcome {
        let limit = &question.budget.limit;
        let unit = match limit {
            Limit::Cycles { .. } => "cycles",
            Limit::PerRun(_) => "bytes per run",
            _ => "bytes",
        };
        Outcome {
            held: Held::CannotTell(need),
            ..Outcome::blank(&question.budget, simple_limit(limit), unit)
        }
    }
}

/// The limit of a budget as a number, before anything is known of the captures.
fn simple_limit(limit: &Limit) -> f64 {
    match limit {
        Limit::PerRun(n)
        | Limit::PerHour(n)
        | Limit::Level(n)
        | Limit::Plateau(n)
        | Limit::Temporary(n)
        | Limit::RetainedByCycles(n) => *n,
        Limit::Growth { absolute, percent } => absolute.or(*percent).unwrap_or(0.0),
        Limit::NewSites { most, .. } | Limit::Cycles { most, .. } => *most,
        Limit::Leaks(_) => 0.0,
        Limit::Monitor(m) => m.watch.limit().0,
    }
}

/// Whether a budget is about the samples of a label, which need a comparison of their own.
pub fn needs_label(budget: &Budget) -> Option<(&str, &str)> {
    match &budget.scope {
        Scope::Label(key, value) => Some((key, value)),
        _ => None,
    }
}
