//! Findings: conclusions about a site, with what they rest on and what would refute them.

use super::path::{Path, Series, blocks_of, path};
use super::patterns::Pattern;
use super::rules::{self, Rule};
use super::severity::Thresholds;
use super::summary::{Summary, Verdict};
use crate::diff::{Growth, PerRun, SideChange, Values};
use crate::model::{Column, Metric, Nature};
use crate::trend::{Change, Judgement, Reason};
use rustc_hash::FxHashMap;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Worth fixing.
    Warning,
    /// Worth fixing today.
    Critical,
    /// Worth waking someone.
    Emergency,
}

impl Severity {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
            Severity::Emergency => "emergency",
        }
    }
}

/// Which rule gave the severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeverityBy {
    /// Megabytes per hour.
    Rate,
    /// By what factor the program's memory grows in a day.
    Factor,
    /// Time to the memory limit.
    Limit,
    /// Neither is known.
    Default,
}

impl SeverityBy {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            SeverityBy::Rate => "rate",
            SeverityBy::Factor => "factor",
            SeverityBy::Limit => "limit",
            SeverityBy::Default => "default",
        }
    }

    /// The same in a sentence: `critical by its rate`.
    pub fn words(self) -> &'static str {
        match self {
            SeverityBy::Rate => "by its rate",
            SeverityBy::Factor => "by its factor a day",
            SeverityBy::Limit => "by the time to the limit",
            SeverityBy::Default => "by default",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    /// An allocation site.
    Site,
    /// A capture, by its position.
    Capture,
    /// A type of objects.
    Type,
    /// A retention cycle.
    Cycle,
    /// A path that holds objects.
    Holder,
    /// A monitoring series.
    Series,
    /// A family of requests.
    Endpoint,
}

impl SubjectKind {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            SubjectKind::Site => "site",
            SubjectKind::Capture => "capture",
            SubjectKind::Type => "type",
            SubjectKind::Cycle => "cycle",
            SubjectKind::Holder => "holder",
            SubjectKind::Series => "series",
            SubjectKind::Endpoint => "endpoint",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// A site or a capture.
    pub kind: SubjectKind,
    /// The row of the report, or the capture.
    pub index: u32,
}

/// The numbers that a finding rests on. Bytes or blocks of the chosen metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Before.
    pub before: i64,
    /// After.
    pub after: i64,
    /// Growth per run, where runs are known.
    pub per_run: Option<f64>,
    /// Blocks per run, where they are counted.
    pub blocks_per_run: Option<f64>,
    /// Share of the growth of all rows that grew.
    pub share: f64,
    /// What the statistics add, in words; empty for nothing.
    pub words: &'static str,
    /// Two-sided p of the test, where one was made.
    pub p_value: Option<f64>,
    /// The same, corrected for the number of sites.
    pub q_value: Option<f64>,
    /// Megabytes (10^6 bytes) per hour, where hours are known.
    pub mb_per_hour: Option<f64>,
    /// Hours until the memory limit, where hours and limit are known.
    pub hours_to_limit: Option<f64>,
}

/// A conclusion.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule that it follows.
    pub rule: &'static Rule,
    /// How bad.
    pub severity: Severity,
    /// By which rule so bad.
    pub severity_by: SeverityBy,
    /// What it is about.
    pub subject: Subject,
    /// The rows that it speaks of: call paths of one function, the largest first.
    pub rows: Vec<u32>,
    /// What it rests on.
    pub evidence: Evidence,
    /// What a pattern of allocation adds; none for growth of sites.
    pub pattern: Option<Pattern>,
    /// What would refute it.
    pub refuted_by: &'static str,
    /// What to do.
    pub advice: &'static str,
}

/// What findings are drawn from.
pub struct Ground<'a> {
    /// The rows.
    pub values: &'a Values,
    /// What the columns count.
    pub metrics: &'a [Metric],
    /// Position of the chosen metric.
    pub chosen: usize,
    /// How differences become differences per run.
    pub per_run: &'a PerRun,
    /// The class of each row.
    pub growth: &'a [Growth],
    /// What the statistics say of each row; empty for fewer than three captures.
    pub judgements: &'a [Judgement],
    /// What a change did to each row; empty where that cannot be asked.
    pub changes: &'a [SideChange],
    /// Number of captures.
    pub captures: usize,
    /// Runs of the captures, or their positions.
    pub runs: &'a [f64],
    /// Whether every capture counts every allocation.
    pub exact: bool,
    /// Runs in an hour, if the user said.
    pub runs_per_hour: Option<f64>,
    /// Bytes that the program may use, if the user said.
    pub memory_limit: Option<u64>,
    /// What severities are drawn from.
    pub thresholds: Thresholds,
    /// Bytes held after, over all sites.
    pub total_after: i128,
    /// A number for the function that a row is named by; equal for rows of one function.
    pub owner: &'a dyn Fn(u32) -> u64,
}

/// [`super::Thresholds::rates`] where nobody says otherwise.
pub const RATES: [(f64, Severity); 3] = [
    (500.0, Severity::Emergency),
    (200.0, Severity::Critical),
    (50.0, Severity::Warning),
];
/// Hours to the memory limit under which growth is an emergency, critical, a warning.
pub const HOURS: [(f64, Severity); 3] = [
    (2.0, Severity::Emergency),
    (24.0, Severity::Critical),
    (72.0, Severity::Warning),
];
/// Growth of the whole program by this factor a day.
pub const FACTORS: [(f64, Severity); 2] = [(4.0, Severity::Critical), (1.5, Severity::Warning)];
/// Between two captures only sites with at least this share of the growth are findings.
const SHARE_WORTH_NAMING: f64 = 0.05;

/// Draws the findings about sites, most severe first, then by growth.
pub fn find(verdict: Verdict, summary: &Summary, ground: &Ground<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if ground.metrics[ground.chosen].nature == Nature::Cumulative {
        return findings;
    }
    if ground.values.base.is_some() {
        return regressions(summary, ground);
    }
    for (rule, rows) in by_owner(&summary.leaking, ground) {
        let on = |wanted: Path| -> Vec<u32> {
            let rows = rows.iter().copied();
            rows.filter(|&r| path_of(r, ground) == Some(wanted))
                .collect()
        };
        let paths = [
            (&rules::HOT_PATH, on(Path::Hot)),
            (&rules::ERROR_PATH, on(Path::Error)),
        ];
        findings.push(finding(rule, rows, summary, ground));
        for (rule, rows) in paths.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            findings.push(finding(rule, rows, summary, ground));
        }
    }
    if verdict == Verdict::Grew && ground.captures == 2 {
        let rows = 0..ground.growth.len() as u32;
        let mut grew: Vec<u32> = rows
            .filter(|&r| matches!(ground.growth[r as usize], Growth::Grew | Growth::New))
            .filter(|&r| delta(r, ground) as f64 >= SHARE_WORTH_NAMING * summary.increases as f64)
            .collect();
        grew.sort_by_key(|&r| (std::cmp::Reverse(delta(r, ground)), r));
        findings.extend(
            grew.into_iter()
                .map(|r| finding(&rules::GREW, vec![r], summary, ground)),
        );
    }
    findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
    findings
}

/// Sites of two series that grow more per run than before, the most first.
fn regressions(summary: &Summary, ground: &Ground<'_>) -> Vec<Finding> {
    if !summary.series {
        return Vec::new();
    }
    let rows = 0..ground.growth.len() as u32;
    let change = |r: u32| ground.changes.get(r as usize).map(|c| c.change);
    let mut worse: Vec<u32> = rows.filter(|&r| change(r) == Some(Change::Worse)).collect();
    let rate = |r: u32| {
        ground
            .per_run
            .of(ground.values, ground.metrics, ground.chosen, r as usize)
            .unwrap_or(0.0)
    };
    worse.sort_by(|&a, &b| rate(b).total_cmp(&rate(a)).then(a.cmp(&b)));
    let each = |r| finding(&rules::GROWS_MORE, vec![r], summary, ground);
    let mut findings: Vec<Finding> = worse.into_iter().map(each).collect();
    findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
    findings
}

/// Leaking rows of one function are one leak with several call paths; the largest row first.
fn by_owner(leaking: &[u32], ground: &Ground<'_>) -> Vec<(&'static Rule, Vec<u32>)> {
    let mut groups: Vec<(&'static Rule, Vec<u32>)> = Vec::new();
    let mut known: FxHashMap<(&'static str, u64), usize> = FxHashMap::default();
    for &row in leaking {
        let rule: &'static Rule = match ground.growth[row as usize] {
            Growth::Accelerating => &rules::ACCELERATING,
            _ => &rules::STEADY_GROWTH,
        };
        let at = *known
            .entry((rule.id, (ground.owner)(row)))
            .or_insert(groups.len());
        match groups.get_mut(at) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((rule, vec![row])),
        }
    }
    groups
}

fn delta(row: u32, ground: &Ground<'_>) -> i64 {
    let at = |columns: &[Column]| columns[ground.chosen].get(row as usize);
    at(ground.values.after()).saturating_sub(at(ground.values.before()))
}

/// Hot path or error path.
fn path_of(row: u32, ground: &Ground<'_>) -> Option<Path> {
    let row = row as usize;
    let growth = *ground.growth.get(row)?;
    let series = Series {
        values: ground.values,
        metrics: ground.metrics,
        chosen: ground.chosen,
        per_run: ground.per_run,
        runs: ground.runs,
    };
    path(&series, growth, ground.judgements.get(row), row)
}

fn blocks_per_run(row: usize, ground: &Ground<'_>) -> Option<f64> {
    let blocks = blocks_of(ground.metrics, ground.chosen)?;
    ground
        .per_run
        .of(ground.values, ground.metrics, blocks, row)
}

/// A finding about `rows`, which are one subject: the first is the one it names.
fn finding(rule: &'static Rule, rows: Vec<u32>, summary: &Summary, ground: &Ground<'_>) -> Finding {
    let first = rows.first().copied().unwrap_or_default();
    let sum = |columns: &[Column]| {
        rows.iter()
            .map(|&r| columns[ground.chosen].get(r as usize))
            .sum()
    };
    let all = |of: &dyn Fn(usize) -> Option<f64>| {
        rows.iter().map(|&r| of(r as usize)).sum::<Option<f64>>()
    };
    let per_run = all(&|r| {
        ground
            .per_run
            .of(ground.values, ground.metrics, ground.chosen, r)
    });
    let judgement = ground.judgements.get(first as usize);
    let tested = judgement.filter(|j| j.reason != Reason::Exact && j.p_value < 1.0);
    let bytes_per_hour = match (ground.runs_per_hour, per_run) {
        (Some(runs), Some(bytes)) => Some(runs * bytes),
        _ => None,
    };
    let hours_to_limit = match (ground.memory_limit, bytes_per_hour) {
        (Some(limit), Some(rate)) if rate > 0.0 => {
            Some(((limit as f64 - ground.total_after as f64) / rate).max(0.0))
        }
        _ => None,
    };
    let (before, after): (i64, i64) = (sum(ground.values.before()), sum(ground.values.after()));
    let evidence = Evidence {
        before,
        after,
        per_run,
        blocks_per_run: all(&|r| blocks_per_run(r, ground)),
        share: if summary.increases > 0 {
            (after as f64 - before as f64) / summary.increases as f64
        } else {
            0.0
        },
        words: judgement.map_or("", |j| j.reason.words()),
        p_value: tested.map(|j| j.p_value),
        q_value: tested.map(|j| j.q_value),
        mb_per_hour: bytes_per_hour.map(|b| b / 1e6),
        hours_to_limit,
    };
    let (severity, severity_by) = severity(rule, &evidence, ground);
    let (refuted_by, advice) = match rule.id {
        "HD003" => (
            "a third capture in which the site is level",
            match ground.exact {
                true => {
                    "capture once more after more runs and compare all three, each with its runs: PATH@800"
                }
                false => {
                    "capture five times or more, after uneven numbers of runs, and compare all, each with its runs: PATH@800"
                }
            },
        ),
        "HD006" => (
            "runs that leave the site's live blocks unchanged",
            "look for what this path adds on every run and never removes",
        ),
        "HD007" => (
            "growth that keeps pace with the runs once more of them take the path",
            "look at what the rare branch forgets to free; it does not explain growth on every run",
        ),
        "HD004" => (
            "a repetition of both sides whose growth per run agrees",
            "look at what the change did to this path: heapdiff compare --base OLD NEW --focus NAME",
        ),
        _ => (
            "a later capture in which the site stays level: a cache that fills looks the same until it is full",
            "fix the owner of the site, then compare before and after with --base",
        ),
    };
    Finding {
        rule,
        severity,
        severity_by,
        subject: Subject {
            kind: SubjectKind::Site,
            index: first,
        },
        rows,
        evidence,
        pattern: None,
        refuted_by,
        advice,
    }
}

/// The finding that stacks of `capture` were cut: `before` and `after` of the chosen metric are in
/// such stacks, `share` of all that is held.
pub fn cut_stacks(capture: u32, before: i64, after: i64, share: f64) -> Finding {
    Finding {
        rule: &rules::CUT_STACKS,
        severity: Severity::Note,
        severity_by: SeverityBy::Default,
        subject: Subject {
            kind: SubjectKind::Capture,
            index: capture,
        },
        rows: Vec::new(),
        evidence: Evidence {
            before,
            after,
            per_run: None,
            blocks_per_run: None,
            share,
            words: "",
            p_value: None,
            q_value: None,
            mb_per_hour: None,
            hours_to_limit: None,
        },
        refuted_by: "deeper stacks that begin at the program's entry and tell no more sites apart",
        advice: "capture deeper stacks: trim_backtraces(None) for dhat-rs, --num-callers=40 for Valgrind",
        pattern: None,
    }
}

/// The highest of what the rate, the factor a day and the limit say; a proven leak whose hours
/// are not known is a warning.
fn severity(rule: &Rule, evidence: &Evidence, ground: &Ground<'_>) -> (Severity, SeverityBy) {
    let total_after = ground.total_after;
    let notes = [&rules::HOT_PATH, &rules::ERROR_PATH, &rules::GREW];
    if notes.iter().any(|r| r.id == rule.id) {
        return (Severity::Note, SeverityBy::Default);
    }
    let rate = evidence.mb_per_hour.map(|r| r * 1e6);
    let (hours, held) = (evidence.hours_to_limit, total_after as f64);
    ground.thresholds.of_leak(rate, hours, held)
}
