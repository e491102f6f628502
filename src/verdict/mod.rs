//! Conclusions: the verdict in a word, findings with their evidence, and what each rule means.

pub mod baseline;
mod budget;
mod budget_monitor;
mod budget_test;
mod conclusion;
mod findings;
mod gate;
mod gate_rows;
pub mod graph;
mod incident;
mod monitored;
mod monitoring;
mod path;
mod pattern;
mod patterns;
pub mod rules;
mod severity;
mod summary;
mod suppression;

pub use budget::{
    Budget, DEFAULT_GROWTH, DEFAULT_PER_RUN, DEFAULT_PERCENT, Each, Limit, Scope,
    default_of_monitoring, defaults, defaults_of_graphs,
};
pub use budget_monitor::{Answer, Comparison, Condition, MonitorBudget, Watch, Watching};
pub use budget_test::{FAMILY, Held, Need, Reading, Sample, SideValues, Spread, Told};
pub use conclusion::{Conclusion, Fact, finding_id};
pub use findings::{
    Evidence, FACTORS, Finding, Ground, HOURS, RATES, Severity, SeverityBy, Subject, SubjectKind,
    cut_stacks, find,
};
pub use gate::{
    CycleFact, Gate, GateVerdict, GraphFacts, GrowingFact, Hidden, Measured, Named, Offender,
    Outcome, Question, TypeFact, Warning, evaluate, needs_label,
};
pub use gate_rows::{Part, Rows};
pub use incident::{Dated, RuledOut, incident, ruled_out};
pub use monitored::{Kind, Monitored, RateFact, Requested, Spot, Watched};
pub use monitoring::{
    Basis, Limits, Rated, monitoring_findings, rate_services, reservation, segment_severity,
};
pub use path::{Path, Series as PathSeries, path};
pub use pattern::{Glob, StackPattern};
pub use patterns::{
    Churn, DoubleBuffer, Late, Level, Pattern, PatternGround, State, find as find_patterns,
};
pub use severity::{Steps, Thresholds};
pub use summary::{Certainty, Counts, Facts, Summary, TotalTest, Verdict, summarise};
pub use suppression::{FramePattern, Standing, Suppression, Target, WARN_DAYS, read_foreign};

/// Tests of budgets on plain numbers, for who has numbers and no captures.
pub mod held {
    pub use super::budget_test::{growth, level, per_run, plateau};
}
