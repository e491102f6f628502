//! Patterns of allocation that need more than one site's growth to be seen.
//!
//! Each is drawn from the captures alone, with thresholds that stand in the text of its rule; no
//! pattern knows a program.

mod churn;
mod double_buffer;
mod late;
mod level;

pub use churn::Churn;
pub use double_buffer::DoubleBuffer;
pub use late::Late;
pub use level::Level;

use super::conclusion::Fact;
use super::findings::{Evidence, Finding, Severity, SeverityBy, Subject, SubjectKind};
use super::rules::Rule;
use crate::diff::Values;
use crate::model::{Column, Metric, StackId, Symbols};
use crate::normalize::Naming;

/// What a finding of a pattern says beside the numbers of the chosen metric.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// HD020.
    DoubleBuffer(DoubleBuffer),
    /// HD021 and HD024.
    Level(Level),
    /// HD022.
    Late(Late),
    /// HD023.
    Churn(Churn),
}

impl Pattern {
    /// The numbers for JSON, in the order of printing.
    pub fn facts(&self) -> Vec<(&'static str, Fact)> {
        match self {
            Pattern::DoubleBuffer(p) => p.facts(),
            Pattern::Level(p) => p.facts(),
            Pattern::Late(p) => p.facts(),
            Pattern::Churn(p) => p.facts(),
        }
    }
}

/// Whether a pattern is there, or was before the last capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In the last capture or side.
    Present,
    /// In the first capture or the base side only.
    Gone,
}

impl State {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Present => "present",
            State::Gone => "gone",
        }
    }
}

/// What patterns are drawn from.
pub struct PatternGround<'a> {
    /// The rows.
    pub values: &'a Values,
    /// The sum over all rows; one row.
    pub totals: &'a Values,
    /// What the columns count.
    pub metrics: &'a [Metric],
    /// Position of the chosen metric.
    pub chosen: usize,
    /// The stacks of the rows; none where rows are groups.
    pub stacks: Option<&'a [StackId]>,
    /// The names behind the stacks.
    pub symbols: &'a Symbols,
    /// Owners and classes of frames.
    pub names: &'a Naming<'a>,
    /// Drivers of each capture of the new side, by name.
    pub drivers: Vec<&'a [(String, f64)]>,
    /// Number of captures on the base side.
    pub base: usize,
    /// Whether the captures of the base and the new side are moments of one recording each.
    pub moments: [bool; 2],
}

impl PatternGround<'_> {
    fn metric(&self, name: &str) -> Option<usize> {
        self.metrics.iter().position(|m| m.name == name)
    }

    /// The series of a row on the new side, or on the base side.
    fn series<'c>(&self, columns: &'c [Column], base: bool) -> &'c [Column] {
        let at = self.base.min(columns.len());
        if base { &columns[..at] } else { &columns[at..] }
    }

    fn finding(
        &self,
        rule: &'static Rule,
        rows: Vec<u32>,
        pattern: Pattern,
        [refuted_by, advice]: [&'static str; 2],
    ) -> Finding {
        let sum = |columns: &[Column]| {
            let column = columns.get(self.chosen);
            let get = |&r: &u32| column.map_or(0, |c| c.get(r as usize));
            rows.iter().map(get).fold(0i64, i64::saturating_add)
        };
        let evidence = Evidence {
            before: sum(self.values.before()),
            after: sum(self.values.after()),
            per_run: None,
            blocks_per_run: None,
            share: 0.0,
            words: "",
            p_value: None,
            q_value: None,
            mb_per_hour: None,
            hours_to_limit: None,
        };
        Finding {
            rule,
            severity: Severity::Note,
            severity_by: SeverityBy::Default,
            subject: Subject {
                kind: SubjectKind::Site,
                index: rows.first().copied().unwrap_or_default(),
            },
            rows,
            evidence,
            pattern: Some(pattern),
            refuted_by,
            advice,
        }
    }
}

/// Draws the findings of every pattern, in the order of their rules. Cost: one pass over the
/// values of each metric concerned; names are looked at for the few rows that are large.
pub fn find(ground: &PatternGround<'_>) -> Vec<Finding> {
    let mut findings = double_buffer::find(ground);
    findings.extend(level::find(ground));
    findings.extend(late::find(ground));
    findings.extend(churn::find(ground));
    findings
}
