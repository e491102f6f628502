//! What the renderings of `heapdiff timeline` receive.

use crate::timeline::Change;
use crate::timeline::Class;
use crate::timeline::Curve;
use crate::timeline::Timeline;
use crate::verdict::Basis;
use crate::verdict::Conclusion;
use crate::verdict::Dated;
use crate::verdict::Gate;
use crate::verdict::Limits;
use crate::verdict::Rated;
use crate::verdict::RuledOut;
use crate::verdict::Severity;
use crate::verdict::incident;
use crate::verdict::monitoring_findings;
use crate::verdict::rate_services;
use crate::verdict::ruled_out;

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct InputFile {
    /// Its path as given.
    pub path: String,
    /// What it was.
    pub kind: String,
    /// Lines that hold something.
    pub lines: u64,
    /// Those that did not parse.
    pub bad: u64,
    /// The first of those.
    pub first_bad: Option<(u64, String)>,
    /// What the reader assumed.
    pub notes: Vec<String>,
}

/// The verdict in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Grows so fast that someone should be woken.
    Emergency,
    /// Grows.
    Leak,
    /// Grew and stopped.
    Grew,
    /// What a mark changed.
    Mark(Change),
    /// Nothing grows.
    Same,
    /// Nothing could be judged.
    CannotTell,
}

/// A site of captures beside the growth of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinedSite {
    /// The site's name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Bytes per run, where runs are known.
    pub per_run: Option<f64>,
    /// Bytes that it grew by between the first and last capture.
    pub delta: i64,
}

/// Captures beside the growth of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// Sites that grew, the largest first.
    pub sites: Vec<JoinedSite>,
    /// Growth of all sites between the first and last capture.
    pub total: i64,
    /// Hours between them, where their files or stamps say.
    pub hours: Option<f64>,
}

/// The analysis of monitoring with everything that is said about it.
#[derive(Debug, Clone)]
pub struct TimelineReport {
    /// The files.
    pub inputs: Vec<InputFile>,
    /// The analysis.
    pub timeline: Timeline,
    /// Services that grow, most severe first.
    pub rated: Vec<Rated>,
    /// Findings, most severe first.
    pub findings: Vec<Conclusion>,
    /// What happened, by time.
    pub incident: Vec<Dated>,
    /// What is innocent, and why.
    pub ruled_out: Vec<RuledOut>,
    /// What severities were drawn from.
    pub limits: Limits,
    /// Captures beside it.
    pub captures: Option<Joined>,
    /// What the gate says; none where nothing was held against budgets.
    pub gate: Option<Gate>,
}

impl TimelineReport {
    /// Draws the conclusions from an analysis.
    pub fn new(inputs: Vec<InputFile>, timeline: Timeline, limits: Limits) -> TimelineReport {
        let rated = rate_services(&timeline, limits);
        TimelineReport {
            findings: monitoring_findings(&timeline, &rated, &limits),
            incident: incident(&timeline, &rated, &limits),
            ruled_out: ruled_out(&timeline, &rated),
            inputs,
            rated,
            timeline,
            limits,
            captures: None,
            gate: None,
        }
    }

    /// The curve of a service that grows.
    pub fn curve(&self, rated: &Rated) -> &Curve {
        &self.timeline.curves[rated.curve]
    }

    /// The verdict.
    pub fn word(&self) -> Word {
        if let Some((.., facts)) = self.timeline.marks.iter().find(|m| self.is_first(m.0)) {
            return Word::Mark(facts.change);
        }
        let worst = self.rated.iter().map(|r| r.severity).max();
        match worst {
            Some(Severity::Emergency) => Word::Emergency,
            // Growth that no threshold calls bad is growth, and no more is claimed.
            Some(Severity::Note) => Word::Grew,
            Some(_) => {
                let goes_on = |r: &Rated| r.going_on || matches!(r.basis, Basis::Overall);
                match self.rated.iter().any(goes_on) {
                    true => Word::Leak,
                    false => Word::Grew,
                }
            }
            // Too short for any judgement, or nothing to judge.
            None if self.undetermined() => Word::CannotTell,
            None => Word::Same,
        }
    }

    /// Whether no service could be judged.
    fn undetermined(&self) -> bool {
        let t = &self.timeline;
        t.primary
            .iter()
            .all(|&p| t.curves[p].class == Class::Undetermined)
    }

    /// Whether a mark speaks of the service that is named first.
    fn is_first(&self, curve: usize) -> bool {
        let first = self.rated.first().map(|r| r.curve);
        first.or(self.timeline.primary.first().copied()) == Some(curve)
    }
}
