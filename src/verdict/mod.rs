//! Conclusions: the verdict in a word, findings with their evidence, and what each rule means.

mod conclusion;
mod findings;
mod incident;
mod monitoring;
mod path;
mod patterns;
pub mod rules;
mod summary;

pub use conclusion::{Conclusion, Fact, finding_id};
pub use findings::{
    Evidence, Finding, Ground, Severity, SeverityBy, Subject, SubjectKind, cut_stacks, find,
};
pub use incident::{Dated, RuledOut, incident, ruled_out};
pub use monitoring::{Basis, Limits, Rated, monitoring_findings, rate_services, segment_severity};
pub use path::{Path, path};
pub use patterns::{
    Churn, DoubleBuffer, Late, Level, Pattern, PatternGround, State, find as find_patterns,
};
pub use summary::{Certainty, Counts, Facts, Summary, TotalTest, Verdict, summarise};
