//! Conclusions: the verdict in a word, findings with their evidence, and what each rule means.

mod findings;
pub mod rules;
mod summary;

pub use findings::{Evidence, Finding, Ground, Severity, SeverityBy, Subject, SubjectKind, find};
pub use summary::{Certainty, Counts, Facts, Summary, TotalTest, Verdict, summarise};
