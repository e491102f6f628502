//! The gate: captures held against budgets, all at one family-wise error.

use super::budget::{Budget, Each, Limit, Scope};
use super::budget_monitor::Monitored;
use super::budget_test::{self as test, FAMILY, Held, Need, Reading, Sample, SideValues, Told};
use super::findings::Finding;
use super::gate_rows::{Part, Rows};
use super::suppression::{Standing, Suppression};
use crate::trend::holm;

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

/// What breaks a budget.
#[derive(Debug, Clone, PartialEq)]
pub enum Offender {
    /// Rows of the comparison, the largest first, and what they add together.
    Rows(Vec<u32>, f64),
    /// A cycle, series or endpoint: id, name, and its number.
    Named(String, String, f64),
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

/// A cycle of an object graph, as budgets see it.
#[derive(Debug, Clone, PartialEq)]
pub struct CycleFact {
    /// Its id in the document.
    pub id: String,
    /// Its signature.
    pub signature: String,
    /// Occurrences in the last dump.
    pub occurrences: f64,
    /// Bytes that all of them hold there.
    pub bytes: f64,
}

/// What is known of object graphs, as budgets see it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GraphFacts {
    /// The cycles.
    pub cycles: Vec<CycleFact>,
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
}

/// Of the sites that came so many are named.
const MOST_NAMED: usize = 20;

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

/// One part of a budget on its way to the family.
struct Pending {
    rows: Part,
    reading: Reading,
    /// Position in the family; none for what was counted.
    family: Option<usize>,
}

/// Holds what was measured against all budgets. The chance that any of them is called broken by
/// noise alone is at most [`FAMILY`] (Holm 1979 over all tests of all budgets); numbers that were
/// counted are compared.
///
/// Cost: the rows, once for each budget.
pub fn evaluate(
    questions: Vec<Question>,
    measured: &Measured<'_>,
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
    gate.warn_of_unused(&active, measured);
    let mut family: Vec<f64> = Vec::new();
    let mut pending: Vec<Result<Vec<Pending>, Need>> = Vec::new();
    for question in &questions {
        pending.push(ask(question, measured, &covers, &mut family));
    }
    gate.tests = family.len();
    gate.level = FAMILY / family.len().max(1) as f64;
    let corrected = holm(&family);
    for (question, answer) in questions.into_iter().zip(pending) {
        let outcome = match &question.budget.limit {
            Limit::Monitor(_) => monitored(&question, measured),
            Limit::RetainedByCycles(_) | Limit::Cycles { .. } => cycles(&question, measured),
            Limit::Leaks(_) => leaks(&question, measured, &covers),
            _ => settle(&question, answer, measured, &covers, &corrected, gate.level),
        };
        gate.outcomes.push(outcome);
    }
    gate.conclude();
    gate
}

impl Gate {
    /// Which suppressions hold on a day; warns of those that end.
    fn standing(&mut self, today: jiff::civil::Date) -> Vec<bool> {
        let mut active = Vec::new();
        for (i, s) in self.suppressions.iter().enumerate() {
            let standing = s.standing(today);
            active.push(standing != Standing::Expired);
            let until = s.expires.map_or(String::new(), |d| d.to_string());
            let text = match standing {
                Standing::Holds => continue,
                Standing::Ends(0) => format!("suppression {:?} ends today ({until})", s.reason),
                Standing::Ends(1) => format!("suppression {:?} ends tomorrow ({until})", s.reason),
                Standing::Ends(days) => {
                    format!("suppression {:?} ends in {days} days ({until})", s.reason)
                }
                Standing::Expired => format!(
                    "suppression {:?} expired on {until}: what it hid counts again",
                    s.reason
                ),
            };
            self.warnings.push(Warning {
                text: format!("{text}, {}", s.place),
                suppression: Some(i),
            });
        }
        active
    }

    /// Takes note of what suppressions hide; what is beyond its maximum is not hidden. `report`:
    /// the comparison is the one that is shown.
    fn hide(
        &mut self,
        rows: &Rows<'_>,
        mut cover: Vec<Option<usize>>,
        report: bool,
    ) -> Vec<Option<usize>> {
        let mut of: Vec<Vec<u32>> = vec![Vec::new(); self.suppressions.len()];
        for (row, s) in cover.iter().enumerate() {
            if let Some(s) = s {
                of[*s].push(row as u32);
            }
        }
        for (s, list) in of.into_iter().enumerate() {
            let bytes: i128 = list.iter().map(|&r| rows.delta(r).max(0)).sum();
            let suppression = &self.suppressions[s];
            if let Some(max) = suppression.max
                && bytes > i128::from(max)
            {
                if report {
                    self.warnings.push(Warning {
                        text: format!(
                            "suppression {:?} allows {} and {} came: it hides nothing, {}",
                            suppression.reason,
                            crate::units::bytes(max.into()),
                            crate::units::bytes(bytes),
                            suppression.place
                        ),
                        suppression: Some(s),
                    });
                }
                for row in list {
                    cover[row as usize] = None;
                }
                continue;
            }
            if !report || list.is_empty() {
                continue;
            }
            let findings: Vec<String> = rows
                .findings
                .iter()
                .filter(|f| !f.rows.is_empty())
                .filter(|f| f.rows.iter().all(|&r| cover[r as usize] == Some(s)))
                .map(|f| rows.finding_name(f))
                .collect();
            if bytes > 0 || !findings.is_empty() {
                self.hidden.push(Hidden {
                    suppression: s,
                    rows: list,
                    findings,
                    bytes,
                });
            }
        }
        cover
    }

    fn warn_of_unused(&mut self, active: &[bool], measured: &Measured<'_>) {
        if measured.captures.is_empty() {
            return;
        }
        for (i, s) in self.suppressions.iter().enumerate() {
            // Files of other tools are shared by programs that never meet.
            let foreign = s.expires.is_none();
            let said = self.warnings.iter().any(|w| w.suppression == Some(i));
            let used = self.hidden.iter().any(|h| h.suppression == i);
            if active[i] && !foreign && !used && !said {
                self.warnings.push(Warning {
                    text: format!(
                        "suppression {:?} hides nothing: remove it, {}",
                        s.reason, s.place
                    ),
                    suppression: Some(i),
                });
            }
        }
        let changed = measured.captures.first().map(|rows| {
            let groups = self.suppressions.iter().enumerate();
            groups
                .filter_map(|(i, s)| Some((i, rows.group_changed(&s.target)?)))
                .collect::<Vec<_>>()
        });
        for (i, (before, now)) in changed.unwrap_or_default() {
            let s = &self.suppressions[i];
            self.warnings.push(Warning {
                text: format!(
                    "suppression {:?} names one of {before} sites that look alike, and there are \
                     {now} now: look again which one it means, {}",
                    s.reason, s.place
                ),
                suppression: Some(i),
            });
        }
    }
}

fn ask(
    question: &Question,
    measured: &Measured<'_>,
    covers: &[Vec<Option<usize>>],
    family: &mut Vec<f64>,
) -> Result<Vec<Pending>, Need> {
    let budget = &question.budget;
    if let Some(need) = &question.lacking {
        return Err(need.clone());
    }
    let (Some(of), true) = (
        question.of.filter(|&i| i < measured.captures.len()),
        !matches!(
            budget.limit,
            Limit::Monitor(_) | Limit::RetainedByCycles(_) | Limit::Cycles { .. } | Limit::Leaks(_)
        ),
    ) else {
        return Err(Need::AnotherCapture);
    };
    let (rows, cover) = (&measured.captures[of], &covers[of]);
    let metric = rows.metric_of(budget)?;
    if let Limit::NewSites { most, least } = budget.limit {
        // Of samples a site is new only if so many of it are no chance: one test a site.
        let pending = |(row, p): (u32, Option<f64>)| Pending {
            rows: Part::Rows(vec![row]),
            reading: Reading {
                value: 1.0,
                limit: most,
                spread: test::Spread::None,
                p,
                settled: false,
            },
            family: p.map(|p| {
                family.push(p);
                family.len() - 1
            }),
        };
        let new = rows.new_sites(metric, least, cover)?;
        return Ok(new.into_iter().map(pending).collect());
    }
    let mut out = Vec::new();
    for part in rows.parts(budget, cover) {
        let Some(sample) = rows.sample(metric, &part, cover) else {
            return Err(Need::Metric(budget.metric.clone().unwrap_or_default()));
        };
        if budget.each != Each::Sum && cannot_break(&sample, &budget.limit, rows) {
            continue;
        }
        let reading = read(&sample, rows, metric, &budget.limit)?;
        let place = reading.p.map(|p| {
            family.push(p);
            family.len() - 1
        });
        out.push(Pending {
            rows: part,
            reading,
            family: place,
        });
    }
    Ok(out)
}

fn read(sample: &Sample, rows: &Rows<'_>, metric: usize, limit: &Limit) -> Told {
    let certainty = &rows.certainty_of(metric, sample);
    match limit {
        Limit::PerRun(limit) => test::per_run(sample, certainty, *limit),
        Limit::PerHour(mb) => {
            let runs = rows.runs_per_hour.ok_or(Need::RunsPerHour)?;
            let per_run = mb * 1e6 / runs;
            let mut reading = test::per_run(sample, certainty, per_run)?;
            let to_mb = runs / 1e6;
            reading.value *= to_mb;
            reading.limit = *mb;
            reading.spread = match reading.spread {
                test::Spread::Error { error, degrees } => test::Spread::Error {
                    error: error * to_mb,
                    degrees,
                },
                test::Spread::Samples {
                    unit,
                    base,
                    per,
                    upper,
                } => test::Spread::Samples {
                    unit,
                    base,
                    per: per / to_mb,
                    upper: upper * to_mb,
                },
                test::Spread::None => test::Spread::None,
            };
            Ok(reading)
        }
        Limit::Growth { absolute, percent } => {
            let limit = growth_limit(sample, *absolute, *percent);
            test::growth(sample, certainty, limit)
        }
        Limit::Level(limit) | Limit::Temporary(limit) => test::level(sample, certainty, *limit),
        Limit::Plateau(limit) => test::plateau(sample, certainty, *limit),
        _ => Err(Need::AnotherCapture),
    }
}

/// Beyond both the absolute and the relative limit is beyond the larger one.
fn growth_limit(sample: &Sample, absolute: Option<f64>, percent: Option<f64>) -> f64 {
    let mean =
        |side: &SideValues| side.values.iter().sum::<f64>() / side.values.len().max(1) as f64;
    let before = match sample.base.values.is_empty() {
        true => sample.new.values.first().copied().unwrap_or(0.0),
        false => mean(&sample.base),
    };
    let relative = percent.map(|p| before.abs() * p / 100.0);
    match (absolute, relative) {
        (Some(a), Some(r)) => a.max(r),
        (a, r) => a.or(r).unwrap_or(0.0),
    }
}

/// A part whose mean over the captures is below half of what the budget allows it to grow cannot
/// break it by a line (Bourgon, Gentleman and Huber 2010: the mean knows nothing of the slope, so
/// leaving it out costs no error). Levels are compared at once.
fn cannot_break(sample: &Sample, limit: &Limit, rows: &Rows<'_>) -> bool {
    let all = sample.base.values.iter().chain(&sample.new.values);
    let count = (sample.base.values.len() + sample.new.values.len()) as f64;
    let mean = all.clone().sum::<f64>() / count.max(1.0);
    let runs = &sample.new.runs;
    let span = match (runs.first(), runs.last(), runs.len()) {
        (Some(_), Some(last), 1) => *last,
        (Some(first), Some(last), _) if last > first => last - first,
        (Some(_), Some(last), _) => *last,
        _ => return false,
    };
    let allowed = match limit {
        Limit::PerRun(limit) => limit * span,
        Limit::PerHour(mb) => match rows.runs_per_hour {
            Some(runs) => mb * 1e6 / runs * span,
            None => return false,
        },
        Limit::Growth { absolute, percent } => growth_limit(sample, *absolute, *percent),
        _ => return false,
    };
    allowed > 0.0 && mean < allowed / 2.0
}

fn blank(question: &Question, limit: f64, unit: String) -> Outcome {
    Outcome {
        budget: question.budget.clone(),
        limit,
        unit,
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

/// The outcome of a budget on captures, now that the family is known.
fn settle(
    question: &Question,
    answer: Result<Vec<Pending>, Need>,
    measured: &Measured<'_>,
    covers: &[Vec<Option<usize>>],
    corrected: &[f64],
    level: f64,
) -> Outcome {
    let budget = &question.budget;
    let rows = question.of.and_then(|i| measured.captures.get(i));
    let cover = question.of.and_then(|i| covers.get(i));
    let unit = rows.map_or_else(String::new, |rows| rows.unit(budget));
    let (limit, _) = simple_limit(&budget.limit);
    let mut outcome = blank(question, limit, unit);
    let pending = match answer {
        Ok(pending) => pending,
        Err(need) => {
            outcome.held = Held::CannotTell(need);
            return outcome;
        }
    };
    outcome.parts = pending.len();
    if let Limit::NewSites { most, .. } = budget.limit {
        return new_sites(outcome, &pending, most, corrected);
    }
    let mut worst: Option<(u8, f64)> = None;
    let mut broken: Vec<(f64, &Part)> = Vec::new();
    for p in &pending {
        let rejected = p.family.is_some_and(|i| corrected[i] <= FAMILY);
        let held = p.reading.held(rejected, level);
        let rank = match held {
            Held::Yes => 0,
            Held::CannotTell(_) => 1,
            Held::No => 2,
        };
        let excess = p.reading.value - p.reading.limit;
        if held == Held::No {
            broken.push((p.reading.value, &p.rows));
        }
        if worst.is_none_or(|w| (rank, excess) > w) {
            worst = Some((rank, excess));
            outcome.value = Some(p.reading.value);
            outcome.limit = p.reading.limit;
            outcome.noise = p.reading.noise();
            outcome.resolution = p.reading.resolution(level);
            outcome.settled = p.reading.settled;
            outcome.held = held;
        }
    }
    if let (Some(rows), Some(cover)) = (rows, cover) {
        broken.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (value, part) in broken {
            match (budget.each, part) {
                (Each::Sum, part) => {
                    outcome
                        .offenders
                        .extend(rows.offenders(budget, part, cover));
                }
                (_, Part::Rows(list)) => {
                    let mut list = list.clone();
                    list.sort_by_key(|&r| (std::cmp::Reverse(rows.delta(r)), r));
                    outcome.offenders.push(Offender::Rows(list, value));
                }
                (_, Part::All) => {}
            }
        }
    }
    outcome
}

/// Counts the sites that came for certain.
fn new_sites(mut outcome: Outcome, pending: &[Pending], most: f64, corrected: &[f64]) -> Outcome {
    let sure = |p: &&Pending| p.family.is_none_or(|i| corrected[i] <= FAMILY);
    let came: Vec<&Pending> = pending.iter().filter(sure).collect();
    outcome.value = Some(came.len() as f64);
    if came.len() as f64 > most {
        outcome.held = Held::No;
        let offender = |p: &&Pending| match &p.rows {
            Part::Rows(rows) => Some(Offender::Rows(rows.clone(), 1.0)),
            Part::All => None,
        };
        outcome.offenders = came.iter().filter_map(offender).take(MOST_NAMED).collect();
    } else if pending.len() as f64 > most {
        outcome.held = Held::CannotTell(Need::Resolution {
            shown: pending.len() as f64,
            limit: most,
        });
    }
    outcome
}

/// The limit of a budget as a number, before anything is known of the captures.
fn simple_limit(limit: &Limit) -> (f64, bool) {
    match limit {
        Limit::PerRun(n)
        | Limit::PerHour(n)
        | Limit::Level(n)
        | Limit::Plateau(n)
        | Limit::Temporary(n)
        | Limit::RetainedByCycles(n) => (*n, true),
        Limit::Growth { absolute, percent } => (absolute.or(*percent).unwrap_or(0.0), true),
        Limit::NewSites { most, .. } | Limit::Cycles { most, .. } => (*most, true),
        Limit::Leaks(_) => (0.0, true),
        Limit::Monitor(m) => (m.watch.limit().0, true),
    }
}

/// The rules of leaks: of a series, and of growth that a change added.
const LEAKS: [&str; 3] = ["HD001", "HD002", "HD004"];

fn leaks(question: &Question, measured: &Measured<'_>, covers: &[Vec<Option<usize>>]) -> Outcome {
    let mut outcome = blank(question, 0.0, "leaks".into());
    let Limit::Leaks(from) = question.budget.limit else {
        return outcome;
    };
    let of = question
        .of
        .and_then(|i| Some((measured.captures.get(i)?, covers.get(i)?)));
    let Some((rows, cover)) = of else {
        outcome.held = Held::CannotTell(question.lacking.clone().unwrap_or(Need::AnotherCapture));
        return outcome;
    };
    let open = |f: &&Finding| {
        LEAKS.contains(&f.rule.id)
            && f.severity >= from
            && f.rows.iter().any(|&r| cover[r as usize].is_none())
    };
    let mut found: Vec<&Finding> = rows.findings.iter().filter(open).collect();
    found.sort_by(|a, b| {
        let growth = |f: &Finding| f.evidence.after - f.evidence.before;
        b.severity.cmp(&a.severity).then(growth(b).cmp(&growth(a)))
    });
    outcome.value = Some(found.len() as f64);
    outcome.parts = rows.len();
    outcome.held = match (found.is_empty(), rows.leaks_told()) {
        (false, _) => Held::No,
        (true, Ok(())) => Held::Yes,
        (true, Err(need)) => {
            outcome.value = None;
            Held::CannotTell(need)
        }
    };
    for finding in found {
        let amount = finding
            .evidence
            .per_run
            .unwrap_or((finding.evidence.after - finding.evidence.before) as f64);
        let offender = Offender::Rows(finding.rows.clone(), amount);
        outcome.offenders.push(offender);
    }
    outcome
}

fn cycles(question: &Question, measured: &Measured<'_>) -> Outcome {
    let (limit, _) = simple_limit(&question.budget.limit);
    let unit = match question.budget.limit {
        Limit::RetainedByCycles(_) => "bytes",
        _ => "cycles",
    };
    let mut outcome = blank(question, limit, unit.into());
    let Some(graph) = &measured.graph else {
        outcome.held = Held::CannotTell(Need::Graph);
        return outcome;
    };
    let counted = |c: &CycleFact| match &question.budget.limit {
        Limit::RetainedByCycles(_) => c.bytes,
        _ => c.occurrences,
    };
    let is_about = |c: &&CycleFact| match &question.budget.limit {
        Limit::Cycles {
            signature: Some(glob),
            ..
        } => glob.matches(&c.signature),
        _ => true,
    };
    let mut found: Vec<&CycleFact> = graph.cycles.iter().filter(is_about).collect();
    found.sort_by(|a, b| counted(b).total_cmp(&counted(a)));
    let value: f64 = found.iter().map(|c| counted(c)).sum();
    outcome.value = Some(value);
    outcome.parts = found.len();
    if value > limit {
        outcome.held = Held::No;
        let offender =
            |c: &&CycleFact| Offender::Named(c.id.clone(), c.signature.clone(), counted(c));
        outcome.offenders = found.iter().map(offender).collect();
    }
    outcome
}

fn monitored(question: &Question, measured: &Measured<'_>) -> Outcome {
    let Limit::Monitor(budget) = &question.budget.limit else {
        return blank(question, 0.0, String::new());
    };
    let (limit, unit) = budget.watch.limit();
    let mut outcome = blank(question, limit, unit.into());
    let none = Monitored::default();
    let answers = match budget.watch(measured.monitored.as_ref().unwrap_or(&none)) {
        Ok(answers) => answers,
        Err(need) => {
            outcome.held = Held::CannotTell(need);
            return outcome;
        }
    };
    outcome.parts = answers.len();
    let known = |v: f64| Some(v).filter(|v| v.is_finite());
    for answer in &answers {
        match answer.held {
            Some(false) => {
                if outcome.held != Held::No {
                    outcome.held = Held::No;
                    outcome.value = known(answer.value);
                    outcome.broke_at = answer.broke_at;
                }
                let (id, name) = (answer.id.clone(), answer.name.clone());
                outcome
                    .offenders
                    .push(Offender::Named(id, name, answer.value));
            }
            None if outcome.held == Held::Yes => {
                outcome.held = Held::CannotTell(Need::Longer(answer.name.clone()));
                outcome.value = known(answer.value);
            }
            Some(true) if outcome.value.is_none() => outcome.value = known(answer.value),
            _ => {}
        }
    }
    outcome
}

/// Whether a budget is about the samples of a label, which need a comparison of their own.
pub fn needs_label(budget: &Budget) -> Option<(&str, &str)> {
    match &budget.scope {
        Scope::Label(key, value) => Some((key, value)),
        _ => None,
    }
}
