//! What stands between the captures and a verdict, and what to type next.

use super::{View, figure, limit, sized};
use crate::report::CaptureInfo;
use crate::trend;
use crate::units;
use crate::verdict::{Held, Limit, Need, Outcome};

impl View<'_> {
    /// Why a budget cannot be judged, and what to do; nothing where it can.
    pub fn lacking(&self, outcome: &Outcome) -> Option<(String, String)> {
        let Held::CannotTell(need) = &outcome.held else {
            return None;
        };
        let pair = |why: &str, next: &str| (why.to_owned(), next.to_owned());
        Some(match need {
            Need::AnotherCapture => pair(
                "one capture shows no growth",
                "capture again after more runs and name both with their runs: A@50 B@200, or name --base",
            ),
            Need::Captures { have, need } if matches!(outcome.budget.limit, Limit::Leaks(_)) => (
                format!("{have} captures with noise show no trend"),
                format!("capture {need} or more along the runs"),
            ),
            Need::OnceMore => pair(
                "it grew in some intervals and not in others",
                "capture once more after more runs, at uneven intervals: @10 @20 @45 @80",
            ),
            Need::Captures { have, need } => (
                format!(
                    "the noise of these captures is not known, and {have} of them do not show it"
                ),
                format!(
                    "capture {need} or more along the runs, or 3 of each side with equal runs (--base); \
                     --noise exact if every allocation is counted"
                ),
            ),
            Need::Runs => pair(
                "growth per run needs the numbers of runs",
                "write PATH@N behind each capture, of both sides",
            ),
            Need::RunsPerHour => pair(
                "growth an hour needs to know how many runs an hour has",
                "give --runs-per-hour N",
            ),
            Need::Base => pair(
                "there is nothing to hold the captures against",
                "name a baseline (--baseline NAME) or captures from before (--base PATH)",
            ),
            Need::Origin => pair(
                "what is held against the origin needs a baseline that knows its own",
                "name one with --baseline NAME; heapdiff baseline save NAME CAPTURE... makes it",
            ),
            Need::Metric(name) => (
                format!("the captures do not count {name}"),
                "capture with a tool that does (see heapdiff formats)".to_owned(),
            ),
            Need::EvenSides => match outcome.budget.limit {
                Limit::Leaks(_) => pair(
                    "leaks are told of a series of one program, not of two sides",
                    "name three captures or more without a base",
                ),
                _ => pair(
                    "one side is a series along the runs and the other is not",
                    "capture both sides alike: single captures, or series of three and more",
                ),
            },
            Need::Resolution { shown, .. } => self.resolution(outcome, *shown),
            Need::Settled => pair(
                "it still rises at the last capture: where it settles is not known",
                "capture again after twice as many runs",
            ),
            Need::Dumps { have, need } => (
                format!("{have} dumps do not tell growth from a warm-up"),
                format!(
                    "dump {need} times or more along the runs, at uneven intervals: @10 @20 @45"
                ),
            ),
            Need::Sites => pair(
                "it is about allocation sites, and none of these captures has any",
                "name heap profiles (see heapdiff formats), or keep it in a profile of its own",
            ),
            Need::Proof { leaks, tested } => (
                format!(
                    "{leaks} of {tested} sites look like leaks, which noise alone may do among so many"
                ),
                "capture more, further apart in runs, or at a finer sampling interval".to_owned(),
            ),
            Need::Counter(what) => (
                format!("{what} are not counted: open ones are, which hides short ones"),
                "record a counter of accepted connections".to_owned(),
            ),
            Need::Graph => pair(
                "retention cycles were not looked at",
                "name dumps of the object graph (see heapdiff formats)",
            ),
            Need::Monitoring { what, known } => (
                format!("nothing called {what} was monitored"),
                match known.is_empty() {
                    true => "name the monitoring that has it: --timeline PATH".to_owned(),
                    false => format!("there is {}", known.join(", ")),
                },
            ),
            Need::Longer(what) => (
                format!("{what} is too short, or too noisy, to tell"),
                "record it for longer".to_owned(),
            ),
        })
    }

    /// The budget is finer than the captures.
    fn resolution(&self, outcome: &Outcome, shown: f64) -> (String, String) {
        if let Limit::NewSites { .. } = outcome.budget.limit {
            return (
                format!(
                    "{} sites are in the later samples alone, which chance explains as well",
                    units::plain(shown)
                ),
                "capture more runs, or at a finer sampling interval".to_owned(),
            );
        }
        let captures = self.sites().map_or(&[][..], |r| &r.captures);
        let mean = captures.iter().find_map(mean_of);
        let how = match mean {
            _ if outcome.budget.limit.of_monitoring() => "from the noise of the series".to_owned(),
            Some(mean) => format!("sampled, 1 in {}", sized(mean, "bytes")),
            None => format!("from the noise of {} captures", captures.len()),
        };
        let why = format!(
            "these captures can show {} at best ({how}); the budget is {}",
            figure(outcome, shown),
            limit(outcome)
        );
        (why, self.finer(outcome, shown, mean))
    }

    /// What to capture to see as little as the budget allows.
    fn finer(&self, outcome: &Outcome, shown: f64, mean: Option<f64>) -> String {
        let per_run = match outcome.budget.limit {
            Limit::PerRun(n) => Some(n),
            _ => None,
        };
        if outcome.budget.limit.of_monitoring() {
            return format!("record it for longer, or allow {}", figure(outcome, shown));
        }
        let report = self.sites();
        let last = report.and_then(|r| r.captures.last());
        let runs = last.and_then(CaptureInfo::runs);
        let base = report.map_or(0.0, |r| r.total(r.chosen).0 as f64);
        let level = 2.0 * self.gate.level;
        let instead = format!(
            ", or allow {}",
            figure(outcome, shown).trim_start_matches('+')
        );
        match (mean, per_run, runs) {
            (Some(mean), Some(limit), Some(runs)) if limit > 0.0 && runs > 0.0 => {
                let needed = round_up(trend::runs_needed(mean, base, limit, level));
                let rate = round_down(trend::rate_needed(runs, base, limit, level));
                let rate = match rate >= 1.0 {
                    true => format!("sample 1 in {}", sized(rate, "bytes")),
                    false => "capture every allocation".to_owned(),
                };
                format!(
                    "{rate}, or capture {} runs or more{instead}",
                    units::plain(needed)
                )
            }
            (Some(_), ..) => format!("sample at a finer interval{instead}"),
            (None, ..) => format!("capture more, further apart in runs{instead}"),
        }
    }
}

fn mean_of(capture: &CaptureInfo) -> Option<f64> {
    capture
        .sampling
        .and_then(|s| s.mean_bytes.or(s.estimated_mean_bytes))
}

/// A round number that is not less.
fn round_up(n: f64) -> f64 {
    if !n.is_finite() || n < 10.0 {
        return n.ceil();
    }
    let unit = 10f64.powf(n.log10().floor() - 1.0);
    (n / unit).ceil() * unit
}

/// A power of two that is not more.
fn round_down(n: f64) -> f64 {
    match n.is_finite() && n >= 1.0 {
        true => 2f64.powf(n.log2().floor()),
        false => 0.0,
    }
}
