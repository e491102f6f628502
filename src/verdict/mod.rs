//! Conclusions: the verdict in a word, findings with their evidence, and what each rule means.

mod conclusion;
mod findings;
pub mod graph;
pub mod rules;
mod summary;

pub use conclusion::{Conclusion, Fact, finding_id};
pub use findings::{Evidence, Finding, Ground, Severity, SeverityBy, Subject, SubjectKind, find};
pub use summary::{Certainty, Counts, Facts, Summary, TotalTest, Verdict, summarise};
