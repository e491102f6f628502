//! The report on object graphs: what every rendering of them receives.

use super::timeline::TimelineReport;
use crate::graph::series::Outcome;
use crate::verdict::Gate;
use crate::verdict::graph::GraphVerdict;

/// The report.
#[derive(Debug)]
pub struct GraphReport {
    /// Paths of the captures, base side first.
    pub paths: Vec<String>,
    /// What was found.
    pub outcome: Outcome,
    /// What to make of it.
    pub verdict: GraphVerdict,
    /// What the user should know: damage, guesses.
    pub notes: Vec<String>,
    /// Whether types are listed.
    pub histogram: bool,
    /// Monitoring of the same program, where the gate was given some.
    pub monitored: Option<TimelineReport>,
    /// What the gate says; none where nothing was held against budgets.
    pub gate: Option<Gate>,
}
