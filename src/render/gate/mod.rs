//! The gate's answer in every form: text, Markdown, annotations, SARIF, JUnit, code quality.

mod advice;
pub mod codequality;
pub mod github;
pub mod junit;
pub mod markdown;
mod problems;
pub mod sarif;
mod text;

pub use problems::{Level, Place, Problem, problems};
pub use text::text;

use super::figures;
use super::words;
use crate::model::Unit;
use crate::report::Report;
use crate::report::TimelineReport;
use crate::report::graph::GraphReport;
use crate::units;
use crate::verdict::{Conclusion, Finding, Gate, GateVerdict, Held, Limit, Offender, Outcome};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// What was held against budgets. The first two may have monitoring beside them.
#[derive(Clone, Copy)]
pub enum Judged<'r> {
    /// Captures of allocation sites.
    Sites(&'r Report<'r>),
    /// Object graphs.
    Graphs(&'r GraphReport<'r>),
    /// Monitoring alone.
    Monitoring(&'r TimelineReport),
}

/// What the renderings of a gate receive besides the report.
pub struct View<'r> {
    /// What was held against budgets.
    pub subject: Judged<'r>,
    /// What the gate says.
    pub gate: &'r Gate,
    /// Files as the captures name them to their paths in the repository.
    pub files: &'r BTreeMap<String, String>,
    /// The captures and the baseline as the user named them, for commands to type.
    pub command: &'r str,
    /// The exit status.
    pub status: u8,
    /// The finding of each row that has one.
    findings: FxHashMap<u32, usize>,
}

impl<'r> View<'r> {
    /// The view of a gate; `files` as in [`View::files`], `command` as in [`View::command`].
    pub fn new(
        subject: Judged<'r>,
        gate: &'r Gate,
        files: &'r BTreeMap<String, String>,
        command: &'r str,
        status: u8,
    ) -> View<'r> {
        let mut findings = FxHashMap::default();
        // That a leak is on the hot path is said of a site besides that it leaks.
        let own = match subject {
            Judged::Sites(report) => &report.findings[..],
            _ => &[],
        };
        let leaks = own.iter().enumerate();
        for (i, finding) in leaks.filter(|(_, f)| !BESIDES.contains(&f.rule.id)) {
            for &row in &finding.rows {
                findings.entry(row).or_insert(i);
            }
        }
        View {
            subject,
            gate,
            files,
            command,
            status,
            findings,
        }
    }

    /// The comparison of allocation sites, if there is one.
    pub fn sites(&self) -> Option<&'r Report<'r>> {
        match self.subject {
            Judged::Sites(report) => Some(report),
            _ => None,
        }
    }

    /// The findings about what is no site.
    pub(super) fn conclusions(&self) -> Vec<&'r Conclusion> {
        let (own, monitored) = match self.subject {
            Judged::Sites(report) => (None, report.monitored.as_ref()),
            Judged::Graphs(report) => {
                (Some(&report.verdict.conclusions), report.monitored.as_ref())
            }
            Judged::Monitoring(report) => (None, Some(report)),
        };
        let monitored = monitored.map(|m| &m.findings);
        own.into_iter().chain(monitored).flatten().collect()
    }

    /// The finding that a row belongs to.
    fn finding(&self, row: usize) -> Option<&'r Finding> {
        let at = *self.findings.get(&(row as u32))?;
        self.sites()?.findings.get(at)
    }

    /// The first word.
    pub fn headline(&self) -> &'static str {
        self.gate.verdict.headline()
    }

    /// What the headline is about, in one line.
    pub fn summary(&self) -> String {
        let gate = self.gate;
        let all = gate.outcomes.len();
        let budgets = |n: usize| figures::plural(n, "budget");
        match gate.verdict {
            GateVerdict::Fail => {
                let broken = gate.broken().count();
                format!("{broken} of {all} {} broken", budgets(all))
            }
            GateVerdict::Inconclusive => {
                let open = gate.open().count();
                format!("{open} of {all} {} cannot be judged", budgets(all))
            }
            GateVerdict::Pass => match all {
                1 => "the budget holds".into(),
                2 => "both budgets hold".into(),
                n => format!("all {n} budgets hold"),
            },
        }
    }

    /// What broke a budget, and where: the number, the place, the limit.
    pub fn broken(&self, outcome: &Outcome, width: usize) -> String {
        let mut text = value(outcome);
        let limit = format!("  (limit {})", limit(outcome));
        if let Some(first) = outcome.offenders.first() {
            let graph = matches!(self.subject, Judged::Graphs(_));
            let monitored = outcome.budget.limit.of_monitoring();
            if !monitored && outcome.offenders.len() > 1 || graph && is_sum(outcome) {
                let amount = self.amount(outcome, first);
                text.push_str(&match outcome.budget.limit {
                    Limit::Leaks(_) | Limit::NewSites { .. } => format!(", the largest {amount}"),
                    _ => format!(", {} of it", amount.trim_end_matches(" per run")),
                });
            }
            let since = since(first);
            let taken = text.chars().count() + limit.chars().count() + since.len() + " at ".len();
            let room = width.saturating_sub(taken).max(NARROW);
            match fits(first, room) {
                true => text.push_str(&format!(" at {}{since}", self.offender(first, room))),
                false => text.push_str(&since),
            }
        }
        text + &limit
    }

    /// The name of an offender in at most `width` characters.
    pub fn offender(&self, offender: &Offender, width: usize) -> String {
        match offender {
            Offender::Rows(rows, _) => {
                let Some(&row) = rows.first() else {
                    return String::new();
                };
                let report = self.sites();
                report.map_or_else(String::new, |r| words::site(r, row as usize).fit(width))
            }
            Offender::Named(named) => words::shorten(&clean(&named.name), width),
        }
    }

    /// What an offender adds, in the outcome's unit.
    pub fn amount(&self, outcome: &Outcome, offender: &Offender) -> String {
        let n = match offender {
            Offender::Rows(_, n) => *n,
            Offender::Named(named) => named.amount,
        };
        match (&outcome.budget.limit, offender, self.sites()) {
            (Limit::Leaks(_), Offender::Rows(..), Some(report)) => {
                let per = match report.knows_runs() {
                    true => " per run",
                    false => "",
                };
                format!("{}{per}", figures::rate(&report.metric().unit, n))
            }
            (Limit::Leaks(_), ..) => match self.subject {
                Judged::Graphs(report) if report.outcome.captures.iter().all(has_runs) => {
                    format!("{} per run", figures::rate(&Unit::Bytes, n))
                }
                _ => units::bytes(n as i128),
            },
            (Limit::NewSites { .. }, Offender::Rows(rows, _), Some(report)) => {
                let held = rows
                    .iter()
                    .map(|&r| report.chosen_ends(r as usize).1 as i128);
                figures::amount(&report.metric().unit, held.sum(), false)
            }
            _ if n.is_nan() => String::new(),
            _ => figure(outcome, n),
        }
    }

    /// `HD001:9f2c61d0a4e7b318`: what a suppression is written for; `HD060:gateway/rss` of what
    /// is no site.
    pub fn finding_of(&self, offender: &Offender) -> String {
        match (offender, self.sites()) {
            (Offender::Rows(rows, _), Some(report)) => {
                let row = rows.first().map_or(0, |&r| r as usize);
                let rule = self.rule_of(report, row);
                format!("{rule}:{:016x}", report.id(row).hash)
            }
            (Offender::Rows(..), None) => String::new(),
            (Offender::Named(named), _) => format!("{}:{}", named.rule, named.id),
        }
    }

    /// The rule that a row's growth falls under: its finding's, else by its class.
    pub fn rule_of(&self, report: &Report<'_>, row: usize) -> &'static str {
        use crate::diff::Growth;
        match (self.finding(row), report.growth(row)) {
            (Some(f), _) => f.rule.id,
            (None, Growth::Accelerating) => "HD002",
            (None, Growth::SteadyGrowth) => "HD001",
            _ => "HD003",
        }
    }
}

fn has_runs(capture: &crate::graph::outcome::CaptureFacts) -> bool {
    capture.meta.runs().is_some()
}

/// Rules that say of a leak what path it is on.
const BESIDES: [&str; 2] = ["HD006", "HD007"];

/// A site's name gets at least so many characters, however narrow the terminal.
const NARROW: usize = 40;

/// The value of an outcome with its unit: `+3,072 B per run`.
pub fn value(outcome: &Outcome) -> String {
    match outcome.value {
        None => "not measured".into(),
        Some(value) => {
            let mut text = figure(outcome, value);
            if let Some(noise) = outcome.noise.filter(|n| *n > 0.0) {
                let noise = figure(outcome, noise);
                let number = noise.trim_start_matches('+').trim_end_matches(" per run");
                text.push_str(&format!(" (+- {number})"));
            }
            text
        }
    }
}

/// The limit of an outcome with its unit: `1 KiB per run`.
pub fn limit(outcome: &Outcome) -> String {
    match &outcome.budget.limit {
        Limit::Leaks(severity) => format!("no {} or above", severity.as_str()),
        Limit::Growth {
            absolute: Some(a),
            percent: Some(p),
        } => format!("{} and {} %", sized(*a, &outcome.unit), units::plain(*p)),
        Limit::Growth {
            percent: Some(p), ..
        } => format!("{} %", units::plain(*p)),
        Limit::Monitor(m) => match &m.watch {
            crate::verdict::Watch::Condition(c) => c.text(),
            crate::verdict::Watch::Severity(s) => format!("no {} or above", s.as_str()),
            _ => sized(outcome.limit, &outcome.unit),
        },
        _ => sized(outcome.limit, &outcome.unit),
    }
}

/// A number in an outcome's unit; of growth with its sign.
fn figure(outcome: &Outcome, n: f64) -> String {
    let signed = matches!(
        outcome.budget.limit,
        Limit::PerRun(_) | Limit::Growth { .. } | Limit::PerHour(_)
    );
    let text = match outcome.unit.as_str() {
        "bytes per run" => return format!("{} per run", figures::rate(&Unit::Bytes, n)),
        "blocks per run" => return format!("{} blocks per run", figures::rate(&Unit::Count, n)),
        "bytes" => units::bytes(n.round() as i128),
        "MB per hour" | "severity" => format!("{} MB/h", rounded(n)),
        "sites" => format!("{} new {}", units::plain(n), noun(n, "site")),
        "leaks" => format!("{} {}", units::plain(n), noun(n, "leak")),
        "cycles" => format!("{} {}", units::plain(n), noun(n, "cycle")),
        "share" => format!("{} %", units::plain((n * 1e4).round() / 1e2)),
        "seconds" => format!("{} s", units::decimal(n)),
        "bytes per hour" => format!("{} an hour", units::bytes(n.round() as i128)),
        "value" => units::plain((n * 1e3).round() / 1e3),
        unit => format!("{} {unit}", units::plain((n * 10.0).round() / 10.0)),
    };
    units::signed(text, signed && n > 0.0)
}

/// A number with one or two decimals below a thousand, and without from there on.
fn rounded(n: f64) -> String {
    match n.abs() >= 1000.0 {
        true => units::grouped(n.round() as i128),
        false => units::decimal(n),
    }
}

fn noun(n: f64, word: &str) -> String {
    figures::plural(if n == 1.0 { 1 } else { 2 }, word)
}

/// An amount without needless decimals: `1 KiB per run`, `200 MiB`, `750 MB`.
fn sized(n: f64, unit: &str) -> String {
    let size = || {
        let whole = n as i128;
        let binary = [(1i128 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let decimal = [(1_000_000_000i128, "GB"), (1_000_000, "MB")];
        binary
            .iter()
            .chain(&decimal)
            .find(|(of, _)| whole >= *of && whole % of == 0)
            .map_or_else(
                || units::bytes(n.round() as i128),
                |(of, name)| format!("{} {name}", whole / of),
            )
    };
    match unit {
        "bytes per run" => format!("{} per run", size()),
        "bytes" => size(),
        "MB per hour" => format!("{} MB/h", units::plain(n)),
        "bytes per hour" => format!("{} an hour", size()),
        "share" => format!("{} %", units::plain((n * 1e4).round() / 1e2)),
        "seconds" => format!("{} s", units::plain(n)),
        unit => format!("{} {unit}", units::plain(n)),
    }
}

/// Whether the name of an offender is told in a line with so much room: of a path of references
/// the middle says as much as the ends, so it is told in full or in a line of its own.
fn fits(offender: &Offender, room: usize) -> bool {
    match offender {
        Offender::Named(named) => named.name.chars().count() <= room,
        Offender::Rows(..) => true,
    }
}

/// Since when an offender breaks a budget, with a blank before it; nothing where that is unknown.
fn since(offender: &Offender) -> String {
    match offender {
        Offender::Named(named) => {
            let time = named.since.map(instant).filter(|t| !t.is_empty());
            time.map_or_else(String::new, |t| format!(" since {t}"))
        }
        Offender::Rows(..) => String::new(),
    }
}

/// A time as people and machines read it.
fn instant(seconds: f64) -> String {
    jiff::Timestamp::from_second(seconds as i64).map_or_else(|_| String::new(), |t| t.to_string())
}

/// Control characters and those that turn the direction of writing become U+FFFD.
fn clean(text: &str) -> String {
    let odd = |c: char| c.is_control() || super::turns_text(c);
    text.chars()
        .map(|c| if odd(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Whether what an offender adds is a part of the value.
fn is_sum(outcome: &Outcome) -> bool {
    matches!(
        outcome.budget.limit,
        Limit::Level(_) | Limit::Growth { .. } | Limit::Plateau(_)
    )
}

/// Whether an outcome is broken, and whether it could be judged.
pub fn word(outcome: &Outcome) -> &'static str {
    match outcome.held {
        Held::Yes => "holds",
        Held::No => "broken",
        Held::CannotTell(_) => "cannot tell",
    }
}
