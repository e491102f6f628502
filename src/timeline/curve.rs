//! What one series does: the analysis of a single curve, put together.

use super::Scope;
use super::bins::{Bins, bins, moment, teeth};
use super::episodes::{Chain, Rise, Segment, find};
use super::fit::{quantile, slope};
use super::rate::{Rate, overall};
use super::restarts::{Evidence, Process, Restart, cut, of_series};
use crate::model::Series;
use crate::model::Time;

/// Fits of the rate over the whole span that are looked at: three rhythms, both signs.
const RATE_TESTS: f64 = 6.0;
/// Windows of an hour that a range of slopes is taken from.
const LEAST_WINDOWS: usize = 3;

/// The words for a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Rises, evenly.
    Steady,
    /// Rises, ever faster.
    Accelerating,
    /// Rose once and holds.
    Step,
    /// Rose when the process was young and holds.
    WarmUp,
    /// Goes up and down around a level.
    Sawtooth,
    /// Holds.
    Stable,
    /// Falls.
    Shrinking,
    /// Too short to say.
    Undetermined,
}

impl Class {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Steady => "steady-growth",
            Class::Accelerating => "accelerating",
            Class::Step => "step",
            Class::WarmUp => "warm-up",
            Class::Sawtooth => "sawtooth",
            Class::Stable => "stable",
            Class::Shrinking => "shrinking",
            Class::Undetermined => "undetermined",
        }
    }

    /// Whether it is growth that goes on.
    pub fn is_leak(self) -> bool {
        matches!(self, Class::Steady | Class::Accelerating)
    }
}

/// One analysed series. Hours are counted from its first sample, levels are in its unit.
#[derive(Debug, Clone)]
pub struct Curve {
    /// The series.
    pub series: Series,
    /// Its bins; those around restarts are left out.
    pub bins: Bins,
    /// Its restarts.
    pub restarts: Vec<Restart>,
    /// Its processes.
    pub processes: Vec<Process>,
    /// Straight pieces.
    pub segments: Vec<Segment>,
    /// Rises.
    pub chains: Vec<Chain>,
    /// The rate over the whole span, if it is long enough for one.
    pub rate: Option<Rate>,
    /// Whether that rate is growth that noise and a daily rhythm do not explain.
    pub grows: bool,
    /// The lowest and highest slope of a straight line over one hour: what the eye sees.
    pub hourly: Option<(f64, f64)>,
    /// The standard deviation of a bin.
    pub noise: f64,
    /// The class.
    pub class: Class,
}

/// Analyses a series. `certain` are restarts of its service that counters told.
pub fn curve(series: Series, certain: &[(Time, String)], scope: &Scope) -> Curve {
    let teeth = teeth(&series);
    let mut binned = bins(&series, teeth);
    let mut restarts = of_series(&series, certain, teeth);
    let processes = cut(&series, &mut binned, &mut restarts);
    let found = find(&binned, &processes, scope);
    let warm: Vec<(usize, usize)> = found
        .chains
        .iter()
        .filter(|c| c.kind == Rise::WarmUp)
        .map(|c| {
            // The tail of what rises to a limit goes with it.
            let until = 2.0 * c.end - c.start;
            let first = processes[c.process].from;
            (first, binned.bins.partition_point(|b| b.t <= until))
        })
        .collect();
    let rate = overall(&binned, &processes, &warm);
    let level = scope.alpha / (scope.series as f64 * RATE_TESTS);
    let significant = |r: &Rate| r.agrees && r.p < level;
    let grows = rate
        .as_ref()
        .is_some_and(|r| significant(r) && r.value > 0.0 && r.lo > 0.0);
    let shrinks = rate
        .as_ref()
        .is_some_and(|r| significant(r) && r.value < 0.0 && r.hi < 0.0);
    let hourly = hourly(&series);
    let mut curve = Curve {
        hourly,
        noise: found.noise,
        segments: found.segments,
        chains: found.chains,
        bins: binned,
        class: Class::Stable,
        series,
        restarts,
        processes,
        rate,
        grows,
    };
    curve.class = class(&curve, shrinks);
    curve
}

/// The range of the slopes of one hour each, over whole hours of cells. `None` below three hours.
fn hourly(series: &Series) -> Option<(f64, f64)> {
    let per_hour = 3600 / series.width_s.max(1);
    let mut slopes = Vec::new();
    let mut i = 0;
    let cells = &series.cells;
    while i < cells.len() {
        let hour = cells[i].at.div_euclid(per_hour.max(1));
        let end = i + cells[i..]
            .iter()
            .take_while(|c| c.at.div_euclid(per_hour.max(1)) == hour)
            .count();
        if (end - i) as i64 * 5 >= per_hour * 4 && end - i >= 10 {
            let t: Vec<f64> = cells[i..end]
                .iter()
                .map(|c| (c.at * series.width_s) as f64 / 3600.0)
                .collect();
            let y: Vec<f64> = cells[i..end].iter().map(|c| c.median).collect();
            slopes.extend(slope(&t, &y));
        }
        i = end;
    }
    slopes.sort_by(f64::total_cmp);
    let enough = slopes.len() >= LEAST_WINDOWS;
    enough.then(|| (quantile(&slopes, 0.0), quantile(&slopes, 1.0)))
}

fn class(c: &Curve, shrinks: bool) -> Class {
    let episodes: Vec<&Chain> = c.episodes().collect();
    if c.grows || !episodes.is_empty() {
        return match episodes.iter().any(|e| c.escalates(e).is_some()) {
            true => Class::Accelerating,
            false => Class::Steady,
        };
    }
    // Below an hour growth has to be plain to be said; what is not said is no clean bill.
    if c.bins.bins.len() < 12 || c.span_h() < 0.98 {
        return Class::Undetermined;
    }
    if c.chains.iter().any(|c| c.kind == Rise::Young) {
        return Class::Undetermined;
    }
    if c.chains.iter().any(|c| c.kind == Rise::WarmUp) {
        return Class::WarmUp;
    }
    if shrinks {
        return Class::Shrinking;
    }
    if c.bins.teeth.is_some() {
        return Class::Sawtooth;
    }
    let jump = c.segments.windows(2).any(|p| {
        let up = p[1].first - p[0].last;
        p[0].to == p[1].from && up > 8.0 * c.noise && p[1].last - p[0].first > 0.5 * up
    });
    match jump && c.segments.len() <= 3 {
        true => Class::Step,
        false => Class::Stable,
    }
}

impl Curve {
    /// The rises that count.
    pub fn episodes(&self) -> impl Iterator<Item = &Chain> {
        self.chains.iter().filter(|c| c.kind == Rise::Episode)
    }

    /// The warm-up, if there was one: the gain and how long it took, in hours.
    pub fn warm_up(&self) -> Option<&Chain> {
        self.chains.iter().find(|c| c.kind == Rise::WarmUp)
    }

    /// The moment `t` hours from the first sample.
    pub fn moment(&self, t: f64) -> Time {
        moment(&self.series, t)
    }

    /// Hours from the first sample to the last.
    pub fn span_h(&self) -> f64 {
        self.series.end.hours_since(self.series.start)
    }

    /// How a chain of rises gets steeper: the factor between its slowest and fastest piece, and
    /// the hours between them; only where their intervals do not overlap and the fast one is later.
    pub fn escalates(&self, chain: &Chain) -> Option<(f64, f64)> {
        let pieces = &self.segments[chain.segments.clone()];
        let slow = pieces.iter().min_by(|a, b| a.rate.total_cmp(&b.rate))?;
        let fast = pieces.iter().max_by(|a, b| a.rate.total_cmp(&b.rate))?;
        let apart = fast.rate - 2.6 * fast.se > slow.rate + 2.6 * slow.se;
        (apart && fast.start > slow.start && slow.rate > 0.0)
            .then(|| (fast.rate / slow.rate, fast.start - slow.start))
    }

    /// The rate of a piece as far as its gain is kept: what severities are drawn from. Pieces that
    /// are no part of a rise that counts have none.
    pub fn kept_rate(&self, segment: usize) -> Option<f64> {
        let chain = self.chains.iter().find(|c| c.segments.contains(&segment))?;
        (chain.kind == Rise::Episode)
            .then(|| self.segments[segment].rate * chain.kept.clamp(0.0, 1.0))
    }

    /// The greatest rate over at least so many hours: a piece of a rise that counts with what it
    /// keeps of it, other pieces as they are. `None` if a saw-tooth is longer than a third of the
    /// window, or no piece is that long.
    pub fn fastest(&self, hours: f64) -> Option<f64> {
        let teeth = self.bins.teeth.map_or(0.0, |t| t.period_s / 3600.0);
        if 3.0 * teeth > hours || self.span_h() < 0.95 * hours {
            return None;
        }
        let width = self.bins.width_s as f64 / 3600.0;
        let mut best: Option<f64> = None;
        let mut take = |rate: f64| best = Some(best.map_or(rate, |b| b.max(rate)));
        for (i, s) in self.segments.iter().enumerate() {
            if s.end - s.start + width < 0.95 * hours {
                continue;
            }
            match (self.kept_rate(i), s.rises) {
                (Some(rate), _) => take(rate),
                (None, true) => {}
                (None, false) => take(s.rate),
            }
        }
        if let Some(rate) = self
            .rate
            .filter(|r| !r.of_age && self.grows && r.value > 0.0)
        {
            take(rate.value);
        }
        best
    }

    /// The level at the end: the last bin.
    pub fn level_now(&self) -> f64 {
        self.bins.bins.last().map_or(self.series.last, |b| b.y)
    }

    /// The level that growth is compared with: of the last process, behind its warm-up.
    pub fn level_start(&self) -> f64 {
        let from = self.processes.last().map_or(0, |p| p.from);
        let warm = self
            .chains
            .iter()
            .filter(|c| c.kind == Rise::WarmUp && c.from >= from);
        let from = warm.map(|c| c.to).max().unwrap_or(from);
        let bins = &self.bins.bins;
        bins.get(from)
            .or(bins.first())
            .map_or(self.series.first, |b| b.y)
    }

    /// Restarts that gave memory back, so that growth shows per process only.
    pub fn releasing_restarts(&self) -> impl Iterator<Item = &Restart> {
        self.restarts.iter().filter(|r| r.gave_back)
    }

    /// Whether a cut may have been a release of the program instead of a restart.
    pub fn has_doubtful_cut(&self) -> bool {
        self.restarts
            .iter()
            .any(|r| r.gave_back && r.evidence == Evidence::Drop)
    }
}
