//! A conclusion in the form that every kind of analysis shares: what the gate holds against
//! budgets and suppressions, and what JSON, SARIF and the report print under `findings`.

use super::findings::{Severity, SeverityBy, SubjectKind};
use super::rules::Rule;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// One fact of the evidence.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A count, or bytes.
    Whole(i128),
    /// A rate or a share.
    Number(f64),
    /// One count per capture.
    Series(Vec<i128>),
    /// Words.
    Text(String),
    /// Asked for, and not to be told from these captures.
    Unknown,
}

/// A conclusion about an object, a series, a request or anything else that has an id.
#[derive(Debug, Clone)]
pub struct Conclusion {
    /// The rule that it follows.
    pub rule: &'static Rule,
    /// How bad.
    pub severity: Severity,
    /// By which rule so bad.
    pub severity_by: SeverityBy,
    /// One line that names the subject and its numbers.
    pub title: String,
    /// What kind of thing it is about.
    pub subject: SubjectKind,
    /// The id of that thing in the document.
    pub subject_id: String,
    /// What it rests on, in the order of printing.
    pub evidence: Vec<(&'static str, Fact)>,
    /// What would refute it.
    pub refuted_by: Cow<'static, str>,
    /// What to do.
    pub advice: Cow<'static, str>,
    /// The captures that it rests on, by position; empty where there are none.
    pub captures: Vec<u32>,
}

impl Conclusion {
    /// Its identity, the same in every run of the same subject.
    pub fn id(&self) -> u64 {
        finding_id(self.rule, self.subject, &self.subject_id)
    }
}

/// The identity of a finding: the head of SHA-256 over its rule and its subject.
pub fn finding_id(rule: &Rule, kind: SubjectKind, subject: &str) -> u64 {
    let mut hash = Sha256::new();
    for part in [rule.id, kind.as_str(), subject] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest.iter().take(8).fold(0, |n, &b| n << 8 | b as u64)
}
