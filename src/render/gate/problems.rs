//! Problems: what machines list of a gate, each with a place in the repository.

use super::{View, limit, value};
use crate::report::Keys;
use crate::verdict::{Finding, Limit, Offender, Outcome, Severity, SubjectKind, rules};
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
    for finding in view.report.findings.iter().filter(of_sites) {
        let accepted = finding.rows.iter().all(|r| hidden.contains(r));
        let problem = view.finding_problem(finding);
        if !super::BESIDES.contains(&finding.rule.id)
            && !accepted
            && seen.insert(problem.fingerprint.clone())
        {
            out.push(problem);
        }
    }
    for hidden in &view.gate.hidden {
        let reason = &view.gate.suppressions[hidden.suppression].reason;
        for &row in &hidden.rows {
            let grew = view.report.delta(row as usize) > 0;
            let mut problem = view.site_problem(row as usize, Severity::Note);
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
        let mut problem = match offender {
            Offender::Rows(rows, _) => {
                let row = rows.first().map_or(0, |&r| r as usize);
                let own = self.finding(row);
                self.site_problem(row, own.map_or(Severity::Warning, |f| f.severity))
            }
            Offender::Named(id, name, _) => Problem {
                rule: match outcome.budget.limit {
                    Limit::Monitor(_) => "HD060",
                    _ => "HD040",
                },
                level: Level::Error,
                severity: Severity::Warning,
                title: String::new(),
                message: super::clean(name),
                budget: String::new(),
                place: None,
                stack: Vec::new(),
                fingerprint: id.clone(),
                finding: id.clone(),
                suppressed: None,
                is_new: false,
            },
        };
        problem.level = Level::Error;
        problem.title = self.amount(outcome, offender);
        problem.budget = outcome.budget.name.clone();
        problem.message = format!(
            "{} at {}: budget {:?} allows {} and measured {}",
            problem.title,
            self.offender(offender, 160),
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

    fn finding_problem(&self, finding: &Finding) -> Problem {
        let row = finding.subject.index as usize;
        let mut problem = self.site_problem(row, finding.severity);
        problem.rule = finding.rule.id;
        problem.message = super::super::title(self.report, finding);
        problem
    }

    /// A site that grew, whatever it breaks.
    fn site_problem(&self, row: usize, severity: Severity) -> Problem {
        let report = self.report;
        let delta = report.delta(row);
        let unit = &report.metric().unit;
        let title = match report.row_per_run(row) {
            Some(rate) => format!("{} per run", super::figures::rate(unit, rate)),
            None => crate::units::signed(super::figures::amount(unit, delta, false), delta > 0),
        };
        let name = super::words::site(report, row).fit(160);
        let stack = self.stack(row);
        let rule = self.rule_of(row);
        let id = report.id(row);
        Problem {
            rule,
            level: Level::Note,
            severity,
            message: format!("{title} at {name}"),
            title,
            budget: String::new(),
            place: self.place(row, &stack),
            stack,
            fingerprint: id.to_string(),
            finding: format!("{rule}:{:016x}", id.hash),
            suppressed: None,
            is_new: report.chosen_ends(row).0 == 0,
        }
    }

    /// The frames of a row, innermost first.
    fn stack(&self, row: usize) -> Vec<Place> {
        let report = self.report;
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

    /// The innermost frame in the repository, else the frame that the site is named by.
    fn place(&self, row: usize, stack: &[Place]) -> Option<Place> {
        let owner = self
            .report
            .owner(row)
            .map(|o| stack.len() - 1 - o.min(stack.len() - 1));
        let owned = owner.and_then(|i| stack.get(i));
        let known = owned.filter(|p| p.known).or(stack.iter().find(|p| p.known));
        known
            .or(owned)
            .or(stack.first())
            .filter(|p| !p.file.is_empty())
            .cloned()
    }
}
