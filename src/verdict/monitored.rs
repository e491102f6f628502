//! What was monitored, as budgets see it: series in spans of the clock, growth with its error,
//! requests by endpoint. Times are seconds since 1970.

use super::budget_test::Reading;
use super::findings::Severity;
use super::monitoring::{Basis, Limits, Rated, segment_severity};
use crate::model::Measure;
use crate::model::Series;
use crate::model::SeriesUnit;
use crate::timeline::Class;
use crate::timeline::Curve;
use crate::timeline::Load;
use crate::timeline::LogVolume;
use crate::timeline::Rate;
use crate::timeline::Timeline;

/// Requests of an hour from which on a share of them means something.
const ENOUGH_REQUESTS: f64 = 10.0;
const HOUR_S: f64 = 3600.0;
/// Times the usual distance of samples from which on some are missing.
const GAP: f64 = 2.5;

/// What a watched series counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Memory of a process or a service, bytes.
    Memory,
    /// New connections, a minute.
    Connections,
    /// Log records, an hour.
    Logs,
    /// Bytes of logs, an hour.
    LogBytes,
    /// Processes.
    Processes,
    /// Anything else.
    Other,
}

/// What a series was in one span of the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Its start.
    pub from: f64,
    /// Its end: the start of the next one, where no samples are missing between them.
    pub to: f64,
    /// The lowest value.
    pub low: f64,
    /// The highest.
    pub high: f64,
    /// The last.
    pub last: f64,
    /// Samples are missing before it.
    pub after_gap: bool,
}

/// A rate of growth with its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateFact {
    /// 10^6 bytes an hour.
    pub value: f64,
    /// The lowest value that the fits give.
    pub least: f64,
    /// Its standard error; 0 where it has none.
    pub error: f64,
    /// Degrees of freedom of the error.
    pub degrees: f64,
    /// Since when.
    pub since: f64,
}

impl RateFact {
    /// The rate against a limit.
    pub(super) fn reading(&self, limit: f64) -> Reading {
        Reading {
            value: self.value,
            ..Reading::tested(self.least, limit, self.error, self.degrees)
        }
    }
}

/// A monitoring series.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// Its id in the document: `service/metric`.
    pub id: String,
    /// Whose.
    pub service: String,
    /// Names of the metric, with and without its unit.
    pub metrics: Vec<String>,
    /// What people call it.
    pub title: String,
    /// What it counts.
    pub kind: Kind,
    /// It is the memory that its service is judged by.
    pub primary: bool,
    /// Its values, by time.
    pub spots: Vec<Spot>,
    /// It has to be at least so many seconds long to tell anything.
    pub least_s: f64,
    /// It may be higher than it shows.
    pub lower_bound: bool,
    /// It is long enough to tell whether it grows.
    pub judged: bool,
    /// Growth over the whole span, and of each piece of a rise that counts.
    pub rates: Vec<RateFact>,
    /// Severities that its growth reached, each with the time at which it first did, rising.
    pub severities: Vec<(Severity, f64)>,
    /// The rule that its growth follows.
    pub rule: &'static str,
    /// What it has gained from its first value to its last, in bytes.
    pub gained: f64,
    /// A suppression accepts whatever it does.
    pub accepted: bool,
}

/// A family of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Requested {
    /// Method and path.
    pub endpoint: String,
    /// Number of requests.
    pub count: u64,
    /// How many failed.
    pub errors: u64,
    /// How many timed out.
    pub timeouts: u64,
    /// 99th percentile of the duration, seconds, where durations are known.
    pub p99: Option<f64>,
    /// What happened when.
    pub windows: Vec<Load>,
    /// A suppression accepts whatever it does.
    pub accepted: bool,
}

impl Requested {
    /// The first time at which, over an hour, more than `share` of the requests were bad; else the
    /// first bad one. `any` tells whether a window holds a bad one, `bad` how many it holds at
    /// least.
    pub(super) fn since(
        &self,
        window_s: f64,
        any: impl Fn(&Load) -> bool,
        bad: impl Fn(&Load) -> f64,
        share: f64,
    ) -> f64 {
        let (mut ended, mut failed, mut from) = (0.0, 0.0, 0);
        for (i, load) in self.windows.iter().enumerate() {
            ended += f64::from(load.ended);
            failed += bad(load);
            while from < i && (load.at - self.windows[from].at) as f64 * window_s >= HOUR_S {
                ended -= f64::from(self.windows[from].ended);
                failed -= bad(&self.windows[from]);
                from += 1;
            }
            if any(load) && ended >= ENOUGH_REQUESTS && failed > share * ended {
                return load.at as f64 * window_s;
            }
        }
        let first = self.windows.iter().find(|l| any(l));
        first.map_or(f64::NAN, |l| l.at as f64 * window_s)
    }
}

/// Everything that was monitored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Monitored {
    /// Series.
    pub series: Vec<Watched>,
    /// Requests by endpoint.
    pub requests: Vec<Requested>,
    /// Width of the endpoints' windows, seconds.
    pub window_s: f64,
    /// The chance of any finding in a healthy run that the analysis has used up.
    pub alpha: f64,
}

impl Monitored {
    /// The facts of an analysis and of what was rated in it.
    pub fn of(timeline: &Timeline, rated: &[Rated], limits: &Limits) -> Monitored {
        let mut series: Vec<Watched> = Vec::new();
        for (at, curve) in timeline.curves.iter().enumerate() {
            let primary = timeline.primary.contains(&at);
            let own = rated.iter().find(|r| r.curve == at);
            series.push(judged(curve, primary, own, limits));
        }
        series.extend(timeline.plain.iter().map(|s| watched(s, s.name.role)));
        let all = timeline.curves.iter().map(|c| &c.series);
        for s in all.chain(&timeline.plain) {
            series.extend(connections(s));
        }
        if let Some(logged) = &timeline.logged {
            series.extend([logs(logged, Kind::Logs), logs(logged, Kind::LogBytes)]);
        }
        let requests = timeline.requests.as_ref();
        let endpoints = requests.map_or(&[][..], |r| &r.endpoints);
        Monitored {
            series,
            window_s: requests.map_or(60.0, |r| r.window_s as f64),
            requests: endpoints
                .iter()
                .map(|e| Requested {
                    endpoint: e.name.clone(),
                    count: e.count,
                    errors: e.errors,
                    timeouts: e.timeouts,
                    p99: e.p99_s,
                    windows: e.windows.clone(),
                    accepted: false,
                })
                .collect(),
            alpha: timeline.scope.alpha,
        }
    }
}

/// A series without a judgement.
fn watched(series: &Series, role: Measure) -> Watched {
    let name = &series.name;
    let mut metrics = vec![name.metric.clone()];
    let units: &[&str] = match name.unit {
        SeriesUnit::Bytes => &["bytes", "total", "bytes_total"],
        SeriesUnit::Seconds => &["seconds", "total", "seconds_total"],
        SeriesUnit::Percent => &["percent", "ratio"],
        SeriesUnit::Count => &["total", "count"],
    };
    metrics.extend(units.iter().map(|unit| format!("{}_{unit}", name.metric)));
    let id = format!("{}/{}", name.service, name.metric);
    Watched {
        title: id.clone(),
        id,
        service: name.service.clone(),
        metrics,
        kind: match role {
            Measure::Memory | Measure::Part if name.unit == SeriesUnit::Bytes => Kind::Memory,
            Measure::Processes => Kind::Processes,
            _ => Kind::Other,
        },
        primary: false,
        spots: spots(series, |c, _| (c.min, c.max, c.last)),
        least_s: 0.0,
        lower_bound: false,
        judged: false,
        rates: Vec::new(),
        severities: Vec::new(),
        rule: "HD060",
        gained: match name.unit {
            SeriesUnit::Bytes => (series.last - series.first).max(0.0),
            _ => 0.0,
        },
        accepted: false,
    }
}

/// The cells of a series as spots. `of` gives lowest, highest and last value of a cell, and is
/// told how many seconds it stands for.
fn spots(series: &Series, of: impl Fn(&crate::model::Cell, f64) -> (f64, f64, f64)) -> Vec<Spot> {
    let width = series.width_s as f64;
    let usual = GAP * series.step_s.max(width);
    let end = series.end.seconds();
    let mut out: Vec<Spot> = Vec::with_capacity(series.cells.len());
    for (i, cell) in series.cells.iter().enumerate() {
        let at = cell.at as f64 * width;
        let before = i.checked_sub(1).map(|b| series.cells[b].at as f64 * width);
        let after_gap = before.is_some_and(|b| at - b > usual);
        let from = at.max(series.start.seconds());
        if let (Some(last), false) = (out.last_mut(), after_gap) {
            last.to = from;
        }
        let seconds = before.filter(|_| !after_gap).map_or(width, |b| at - b);
        let (low, high, last) = of(cell, seconds);
        out.push(Spot {
            from,
            to: (at + width).min(end).max(from),
            low,
            high,
            last,
            after_gap,
        });
    }
    out
}

/// A series that growth was looked for in.
fn judged(curve: &Curve, primary: bool, rated: Option<&Rated>, limits: &Limits) -> Watched {
    let mut out = watched(&curve.series, curve.series.name.role);
    let start = curve.series.start.seconds();
    out.primary = primary;
    if primary {
        out.title.clone_from(&out.service);
    }
    out.judged = curve.class != Class::Undetermined;
    if out.kind != Kind::Memory {
        return out;
    }
    out.rates
        .extend(curve.rate.map(|rate| overall(&rate, start)));
    for chain in curve.episodes() {
        for i in chain.segments.clone() {
            let Some(kept) = curve.kept_rate(i) else {
                continue;
            };
            let segment = &curve.segments[i];
            let share = if segment.rate > 0.0 {
                kept / segment.rate
            } else {
                1.0
            };
            out.rates.push(RateFact {
                value: kept / 1e6,
                least: kept / 1e6,
                error: segment.se * share / 1e6,
                degrees: (segment.to - segment.from) as f64 - 2.0,
                since: curve.moment(segment.start).seconds(),
            });
        }
    }
    out.rates.retain(|r| r.error == 0.0 || r.degrees >= 1.0);
    if let Some(rated) = rated {
        out.severities = severities(curve, rated, limits);
        out.rule = match (rated.basis, curve.rate) {
            (Basis::Overall, Some(rate)) if rate.of_age => "HD062",
            _ => "HD060",
        };
    }
    out
}

fn overall(rate: &Rate, since: f64) -> RateFact {
    RateFact {
        value: rate.value / 1e6,
        least: rate.least / 1e6,
        error: rate.error / 1e6,
        degrees: rate.degrees,
        since,
    }
}

/// When growth became how severe, up to what it was rated.
fn severities(curve: &Curve, rated: &Rated, limits: &Limits) -> Vec<(Severity, f64)> {
    let mut out: Vec<(Severity, f64)> = Vec::new();
    if let Basis::Episode(_) = rated.basis {
        let mut pieces: Vec<usize> = curve.episodes().flat_map(|c| c.segments.clone()).collect();
        pieces.sort_unstable();
        for i in pieces {
            let severity = segment_severity(curve, i, limits).unwrap_or(Severity::Note);
            // By what it rests on it may be rated lower than its pieces.
            let severity = severity.min(rated.severity);
            if out.last().is_none_or(|(worst, _)| severity > *worst) {
                let at = curve.moment(curve.segments[i].start).seconds();
                out.push((severity, at));
            }
        }
    }
    if out.last().is_none_or(|(worst, _)| rated.severity > *worst) {
        let start = match (rated.basis, curve.rate.filter(|_| curve.grows)) {
            (Basis::Episode(chain), None) => curve.moment(curve.chains[chain].start),
            _ => curve.series.start,
        };
        let first = out
            .first()
            .map_or(start.seconds(), |o| o.1.min(start.seconds()));
        out.push((rated.severity, first));
    }
    out
}

/// New connections a minute: the rises of a counter of connections, or of the number of open
/// ones, which hides those that came and went between two samples.
fn connections(series: &Series) -> Option<Watched> {
    let metric = &series.name.metric;
    let parts: Vec<&str> = metric.split(['_', '.']).collect();
    let any = |words: &[&str]| parts.iter().any(|p| words.contains(p));
    let counter = match series.name.role {
        Measure::Counter => any(&["connections", "connection", "conns", "accepts", "accepted"]),
        Measure::Sockets | Measure::Level if any(&["accepts", "accepted", "handled"]) => true,
        Measure::Sockets => false,
        _ => return None,
    };
    if series.name.role == Measure::Counter && !counter {
        return None;
    }
    let per_minute = |cell: &crate::model::Cell, seconds: f64| {
        let rate = cell.rise * 60.0 / seconds.max(1.0);
        (rate, rate, rate)
    };
    let mut out = watched(series, Measure::Level);
    out.kind = Kind::Connections;
    out.title = format!("new connections of {}", series.name.service);
    out.lower_bound = !counter;
    out.spots = spots(series, per_minute);
    out.least_s = 60.0;
    Some(out)
}

/// Records or bytes of logs over the hour that ends with each window.
fn logs(logged: &LogVolume, kind: Kind) -> Watched {
    let width = logged.window_s as f64;
    let amount = |w: &(i64, f64, f64)| match kind {
        Kind::Logs => w.1,
        _ => w.2,
    };
    let mut out = Vec::with_capacity(logged.windows.len());
    let (mut sum, mut from) = (0.0, 0);
    for (i, window) in logged.windows.iter().enumerate() {
        sum += amount(window);
        while from < i && (window.0 - logged.windows[from].0) as f64 * width >= HOUR_S {
            sum -= amount(&logged.windows[from]);
            from += 1;
        }
        // Windows may have grown wider than an hour.
        let value = sum * (HOUR_S / width).min(1.0);
        out.push(Spot {
            from: (window.0 as f64 * width).max(logged.span.0.seconds()),
            to: ((window.0 + 1) as f64 * width).min(logged.span.1.seconds()),
            low: value,
            high: value,
            last: value,
            after_gap: false,
        });
    }
    let name = match kind {
        Kind::Logs => "logs",
        _ => "log_bytes",
    };
    Watched {
        id: name.into(),
        service: "logs".into(),
        metrics: vec![name.into()],
        title: name.replace('_', " "),
        kind,
        primary: false,
        spots: out,
        least_s: HOUR_S,
        lower_bound: false,
        judged: false,
        rates: Vec::new(),
        severities: Vec::new(),
        rule: "HD090",
        gained: 0.0,
        accepted: false,
    }
}
