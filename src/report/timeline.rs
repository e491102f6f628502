//! What the renderings of `heapdiff timeline` receive.

use crate::model::Time;
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
    /// Bytes an hour at the load of the growth, where runs an hour are known.
    pub per_hour: Option<f64>,
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
    /// The same per run, where runs are known.
    pub per_run: Option<f64>,
    /// Runs in the hours of the growth, and how they were counted.
    pub runs: Option<(f64, Counted)>,
    /// Hours of the growth.
    pub hours: Option<f64>,
    /// The share of the service's growth that the sites explain.
    pub share: Option<f64>,
}

/// How runs were counted that growth per run is multiplied with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Requests of the endpoints that the growth coincides with.
    Coinciding,
    /// By the times of the captures: growth of the service between the first and the last.
    Times,
}

impl Counted {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Counted::Coinciding => "coinciding-requests",
            Counted::Times => "times-of-captures",
        }
    }
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

    /// Puts captures beside the growth of the service that is named first. `sites` are the sites
    /// that grew with their growth and their growth per run, the largest first; `total` is that of
    /// all sites; `times` are those of the first and last capture, where they are known.
    pub fn join(
        &mut self,
        mut sites: Vec<JoinedSite>,
        (total, per_run): (i64, Option<f64>),
        times: Option<(Time, Time)>,
    ) {
        let Some(at) = self.rated.first().map(|r| r.curve) else {
            self.captures = Some(Joined {
                sites,
                total,
                per_run,
                runs: None,
                hours: None,
                share: None,
            });
            return;
        };
        let curve = &self.timeline.curves[at];
        let (mut runs, mut hours, mut share) = (None, None, None);
        // While the captures were taken, the service grew by that.
        if let Some((from, to)) =
            times.filter(|(a, b)| a < b && *a >= curve.series.start && *b <= curve.series.end)
        {
            let level = |t: Time| {
                let hour = t.hours_since(curve.series.start);
                let bins = &curve.bins.bins;
                let next = bins
                    .partition_point(|b| b.t < hour)
                    .min(bins.len().saturating_sub(1));
                bins.get(next).map(|b| b.y)
            };
            if let (Some(a), Some(b)) = (level(from), level(to))
                && b > a
            {
                share = Some(total as f64 / (b - a));
                hours = Some(to.hours_since(from));
                runs = Some((f64::NAN, Counted::Times));
            }
        }
        let requests = self.timeline.requests.as_ref();
        let attribution = requests.and_then(|r| r.attributions.iter().find(|a| a.0 == at));
        if let (None, Some((_, a)), Some(per_run)) = (share, attribution, per_run) {
            let reported = a.endpoints.iter().filter(|c| c.reported);
            let n: f64 = reported.map(|c| c.requests).sum();
            let h = a.windows as f64 * a.window_s / 3600.0;
            if n > 0.0 && a.growth > 0.0 {
                share = Some(per_run * n / a.growth);
                hours = Some(h);
                runs = Some((n, Counted::Coinciding));
            }
        }
        for site in &mut sites {
            site.per_hour = match (runs, hours) {
                (Some((n, Counted::Coinciding)), Some(h)) => site.per_run.map(|p| p * n / h),
                (Some((_, Counted::Times)), Some(h)) => Some(site.delta as f64 / h),
                _ => None,
            };
        }
        self.captures = Some(Joined {
            sites,
            total,
            per_run,
            runs: runs.map(|(n, by)| (if n.is_nan() { 0.0 } else { n }, by)),
            hours,
            share,
        });
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
