//! Conclusions: the verdict in a word, findings with their evidence, and what each rule means.

mod conclusion;
mod findings;
mod incident;
mod monitoring;
pub mod rules;
mod summary;

pub use conclusion::{Conclusion, Fact, finding_id};
pub use findings::{Evidence, Finding, Ground, Severity, SeverityBy, Subject, SubjectKind, find};
pub use incident::{Dated, RuledOut, incident, ruled_out};
pub use monitoring::{Basis, Limits, Rated, monitoring_findings, rate_services, segment_severity};
pub use summary::{Certainty, Counts, Facts, Summary, TotalTest, Verdict, summarise};
