//! Problems: what machines list of a gate, each with a place in the repository.

use super::{View, limit, value};
use crate::report::Keys;
use crate::report::Report;
use crate::verdict::{Conclusion, Finding, Offender, Outcome, Severity, SubjectKind, rules};
use std::collections::BTreeSet;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing, or accepted.
    Note,
    /// Something could not be judged, or has to be looked after.
    Warning,
    /// A budget is broken.
    Error,
}

impl Level {
    /// The word of SARIF and of annotations.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// A place in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the repository, `/` between its parts; else as the capture names it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// Whether the file is in the repository.
    pub known: bool,
    /// The function.
    pub function: String,
}

/// One thing that a gate found.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The id of its rule: `HD001`.
    pub rule: &'static str,
    /// How bad.
    pub level: Level,
    /// How bad the growth is where it is a finding.
    pub severity: Severity,
    /// In a few words: `+3,072 B per run`.
    pub title: String,
    /// In a sentence: what, where, the limit.
    pub message: String,
    /// The budget that it breaks; empty for findings that break none.
    pub budget: String,
    /// Where the site is; none for what is no site.
    pub place: Option<Place>,
    /// The stack, innermost frame first.
    pub stack: Vec<Place>,
    /// What it is told by in every run: the site's or the subject's id.
    pub fingerprint: String,
    /// What a suppression is written for.
    pub finding: String,
    /// Why it is accepted, if it is.
    pub suppressed: Option<String>,
    /// Whether the base has no such site.
    pub is_new: bool,
}

/// Everything that a gate has to say, in the order of its budgets; what is accepted comes last.
/// A site that breaks several budgets is listed for the first of them.
pub fn problems(view: &View<'_>) -> Vec<Problem> {
    let mut out = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for outcome in view.gate.broken() {
        for offender in &outcome.offenders {
            let problem = view.problem(outcome, offender);
            if seen.insert(problem.fingerprint.clone()) {
                out.push(problem);
            }
        }
        if outcome.offenders.is_empty() {
            out.push(view.budget_problem(outcome, Level::Error));
        }
    }
    for outcome in view.gate.open() {
        out.push(view.budget_problem(outcome, Level::Warning));
    }
    let hidden: BTreeSet<u32> = view
        .gate
        .hidden
        .iter()
        .flat_map(|h| &h.rows)
        .copied()
        .collect();
    let of_sites = |f: &&Finding| f.subject.kind == SubjectKind::Site && !f.rows.is_empty();
    let report = view.sites();
    let findings = report.map_or(&[][..], |r| &r.findings);
    for (report, finding) in report
        .iter()
        .flat_map(|r| findings.iter().filter(of_sites).map(move |f| (r, f)))
    {
        let accepted = finding.rows.iter().all(|r| hidden.contains(r));
        let problem = view.finding_problem(report, finding);
        if !super::BESIDES.contains(&finding.rule.id)
            && !accepted
            && seen.insert(problem.fingerprint.clone())
        {
            out.push(problem);
        }
    }
    let accepted: BTreeSet<&str> = view
        .gate
        .hidden
        .iter()
        .flat_map(|h| h.subjects.iter().map(String::as_str))
        .collect();
    for conclusion in view.conclusions() {
        let problem = conclusion_problem(conclusion);
        if !accepted.contains(conclusion.subject_id.as_str())
            && seen.insert(problem.fingerprint.clone())
        {
            out.push(problem);
        }
    }
    for hidden in &view.gate.hidden {
        let reason = &view.gate.suppressions[hidden.suppression].reason;
        for (id, finding) in hidden.subjects.iter().zip(&hidden.findings) {
            let mut all = view.conclusions().into_iter();
            let about = all.find(|c| c.subject_id == *id);
            let mut problem = match about {
                Some(conclusion) => conclusion_problem(conclusion),
                None => subject_problem(finding, id),
            };
            if seen.insert(problem.fingerprint.clone()) {
                problem.level = Level::Note;
                problem.suppressed = Some(reason.clone());
                problem.message = format!("{}, accepted: {reason}", problem.message);
                out.push(problem);
            }
        }
        for (report, &row) in report
            .iter()
            .flat_map(|r| hidden.rows.iter().map(move |row| (r, row)))
        {
            let grew = report.delta(row as usize) > 0;
            let mut problem = view.site_problem(report, row as usize, Severity::Note);
            if grew && seen.insert(problem.fingerprint.clone()) {
                problem.level = Level::Note;
                problem.suppressed = Some(reason.clone());
                problem.message = format!("{}, accepted: {reason}", problem.message);
                out.push(problem);
            }
        }
    }
    out
}

impl View<'_> {
    fn problem(&self, outcome: &Outcome, offender: &Offender) -> Problem {
        let mut problem = match (offender, self.sites()) {
            (Offender::Rows(rows, _), Some(report)) => {
                let row = rows.first().map_or(0, |&r| r as usize);
                let own = self.finding(row);
                let severity = own.map_or(Severity::Warning, |f| f.severity);
                self.site_problem(report, row, severity)
            }
            (Offender::Rows(..), None) => return self.budget_problem(outcome, Level::Error),
            (Offender::Named(named), _) => {
                let mut all = self.conclusions().into_iter();
                let about = all.find(|c| c.subject_id == named.id && c.rule.id == named.rule);
                Problem {
                    rule: named.rule,
                    severity: about.map_or(Severity::Warning, |c| c.severity),
                    ..subject_problem(&self.finding_of(offender), &named.id)
                }
            }
        };
        problem.level = Level::Error;
        problem.title = self.amount(outcome, offender);
        problem.budget = outcome.budget.name.clone();
        problem.message = format!(
            "{} at {}{}: budget {:?} allows {} and measured {}",
            problem.title,
            self.offender(offender, 160),
            super::since(offender),
            outcome.budget.name,
            limit(outcome),
            value(outcome)
        );
        problem
    }

    fn budget_problem(&self, outcome: &Outcome, level: Level) -> Problem {
        let message = match self.lacking(outcome) {
            Some((why, next)) => format!("{}: cannot tell: {why}; {next}", outcome.budget.name),
            None => format!("{}: {}", outcome.budget.name, self.broken(outcome, 200)),
        };
        Problem {
            rule: rules::BUDGET.id,
            level,
            severity: Severity::Note,
            title: format!("{}: {}", outcome.budget.name, super::word(outcome)),
            message,
            budget: outcome.budget.name.clone(),
            place: None,
            stack: Vec::new(),
            fingerprint: format!("budget/{}", outcome.budget.name),
            finding: String::new(),
            suppressed: None,
            is_new: false,
        }
    }

    fn finding_problem(&self, report: &Report<'_>, finding: &Finding) -> Problem {
        let row = finding.subject.index as usize;
        let mut problem = self.site_problem(report, row, finding.severity);
        problem.rule = finding.rule.id;
        problem.message = super::super::title(report, finding);
        problem
    }

    /// A site that grew, whatever it breaks.
    fn site_problem(&self, report: &Report<'_>, row: usize, severity: Severity) -> Problem {
        let delta = report.delta(row);
        let unit = &report.metric().unit;
        let title = match report.row_per_run(row) {
            Some(rate) => format!("{} per run", super::figures::rate(unit, rate)),
            None => crate::units::signed(super::figures::amount(unit, delta, false), delta > 0),
        };
        let name = super::words::site(report, row).fit(160);
        let stack = self.stack(report, row);
        let rule = self.rule_of(report, row);
        let id = report.id(row);
        Problem {
            rule,
            level: Level::Note,
            severity,
            message: format!("{title} at {name}"),
            title,
            budget: String::new(),
            place: place(report, row, &stack),
            stack,
            fingerprint: id.to_string(),
            finding: format!("{rule}:{:016x}", id.hash),
            suppressed: None,
            is_new: report.chosen_ends(row).0 == 0,
        }
    }

    /// The frames of a row, innermost first.
    fn stack(&self, report: &Report<'_>, row: usize) -> Vec<Place> {
        let Keys::Stacks(stacks) = &report.keys else {
            return Vec::new();
        };
        let frames = report.symbols.stacks.frames(stacks[row]).rev();
        frames
            .map(|id| {
                let frame = report.symbols.frames.get(id);
                let raw = report.symbols.strings.get(frame.file);
                let shown = report.names.file(raw);
                let own = self.files.get(raw);
                let file = own.cloned().unwrap_or_else(|| shown.replace('\\', "/"));
                Place {
                    file: super::clean(&file),
                    line: frame.line.max(1),
                    known: own.is_some(),
                    function: super::clean(&super::words::function(report, id)),
                }
            })
            .collect()
    }
}

/// A finding about what is no site.
fn conclusion_problem(conclusion: &Conclusion) -> Problem {
    let finding = format!("{}:{}", conclusion.rule.id, conclusion.subject_id);
    Problem {
        rule: conclusion.rule.id,
        severity: conclusion.severity,
        title: conclusion.rule.name.to_owned(),
        message: super::clean(&conclusion.title),
        ..subject_problem(&finding, &conclusion.subject_id)
    }
}

/// A cycle, holder, series or endpoint, by what a suppression is written for and by its id.
fn subject_problem(finding: &str, id: &str) -> Problem {
    let rule = finding.split(':').next().and_then(rules::by_name);
    Problem {
        rule: rule.map_or(rules::BUDGET.id, |r| r.id),
        level: Level::Note,
        severity: Severity::Note,
        title: String::new(),
        message: super::clean(id),
        budget: String::new(),
        place: None,
        stack: Vec::new(),
        fingerprint: super::clean(finding),
        finding: finding.to_owned(),
        suppressed: None,
        is_new: false,
    }
}

/// The innermost frame in the repository, else the frame that the site is named by.
fn place(report: &Report<'_>, row: usize, stack: &[Place]) -> Option<Place> {
    let owner = report
        .owner(row)
        .map(|o| stack.len().saturating_sub(1) - o.min(stack.len().saturating_sub(1)));
    let owned = owner.and_then(|i| stack.get(i));
    let known = owned.filter(|p| p.known).or(stack.iter().find(|p| p.known));
    known
        .or(owned)
        .or(stack.first())
        .filter(|p| !p.file.is_empty())
        .cloned()
}
