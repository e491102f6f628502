//! Gathers what readers hand over, and analyses it when all is read.

use super::Scope;
use super::curve::{Curve, curve};
use super::events::{EventFacts, EventLog, LogVolume, of_counter};
use super::follows::{Follow, follows};
use super::makeup::{Makeup, makeup};
use super::marks::{MarkFacts, mark};
use super::requests::{RequestLog, Requests, requests};
use super::restarts::of_service;
use crate::model::Measure;
use crate::model::Request;
use crate::model::Series;
use crate::model::SeriesBuilder;
use crate::model::SeriesId;
use crate::model::SeriesName;
use crate::model::Sink;
use crate::model::Time;
use rustc_hash::FxHashMap;

/// Most series; further ones are counted and left out.
const MOST_SERIES: usize = 8_192;
/// Names of memory, the one that speaks of the process alone first.
const BEST_MEMORY: [&str; 8] = [
    "anon",
    "pss",
    "uss",
    "rss",
    "resident",
    "working_set",
    "mem_usage",
    "memory",
];
/// Hours over which work that waits has to be above zero to count as stuck.
const STUCK_H: f64 = 3.0;
/// The pattern under which requests that timed out are counted, whatever they asked for.
const TIMEOUTS: &str = "requests that timed out";

/// A [`Sink`] that keeps what an analysis needs: constant memory for each series and log.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    builders: Vec<SeriesBuilder>,
    names: Vec<SeriesName>,
    ids: FxHashMap<SeriesName, u32>,
    left_out: u64,
    log: RequestLog,
    events: EventLog,
}

impl Sink for Recording {
    fn series(&mut self, name: &SeriesName) -> SeriesId {
        if let Some(&id) = self.ids.get(name) {
            return SeriesId(id);
        }
        if self.builders.len() >= MOST_SERIES {
            self.left_out += 1;
            return SeriesId(u32::MAX);
        }
        let id = self.builders.len() as u32;
        self.builders.push(SeriesBuilder::new(name.clone()));
        self.names.push(name.clone());
        self.ids.insert(name.clone(), id);
        SeriesId(id)
    }

    fn sample(&mut self, series: SeriesId, at: Time, value: f64) {
        if let Some(builder) = self.builders.get_mut(series.0 as usize) {
            builder.push(at, value);
        }
    }

    fn request(&mut self, request: &Request<'_>) {
        self.log.push(request);
        if request.timed_out {
            self.events.tally(TIMEOUTS, request.end);
        }
    }

    fn event(&mut self, at: Time, text: &[u8]) {
        self.events.push(at, text);
    }

    fn logged(&mut self, at: Time, bytes: usize) {
        self.events.logged(at, bytes);
    }
}

/// What an analysis is asked for.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Moments to compare the rates before and after.
    pub marks: Vec<(Time, String)>,
    /// The chance that a healthy run has any finding at all; 1e-4 where none is given.
    pub alpha: Option<f64>,
}

/// Work that waits and does not come back to zero any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Stuck {
    /// The series, by position among the plain ones.
    pub series: usize,
    /// Since when it is above zero.
    pub since: Time,
    /// Its lowest value since.
    pub least: f64,
    /// Its last value.
    pub last: f64,
}

/// Everything that monitoring says.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// Series that are judged: memory, descriptors, sockets, threads, processes; by service, then
    /// by name.
    pub curves: Vec<Curve>,
    /// All other series.
    pub plain: Vec<Series>,
    /// The memory of each service: positions among the curves.
    pub primary: Vec<usize>,
    /// Requests, if a log was given.
    pub requests: Option<Requests>,
    /// Patterns of error logs, and the volume of all logs.
    pub events: Vec<EventFacts>,
    /// What was logged when, if any log was given.
    pub logged: Option<LogVolume>,
    /// What the growth of a curve follows: position of the curve, names of counters with results.
    pub follows: Vec<(usize, Vec<(SeriesName, Follow)>)>,
    /// What growth is made of: position of the curve.
    pub makeup: Vec<(usize, Makeup)>,
    /// What each mark changed: position of the curve, of the mark.
    pub marks: Vec<(usize, usize, MarkFacts)>,
    /// The labels of the marks.
    pub labels: Vec<(Time, String)>,
    /// Counters that should return to zero.
    pub stuck: Vec<Stuck>,
    /// What significance was corrected for.
    pub scope: Scope,
    /// Series beyond the number that is kept.
    pub left_out: u64,
}

fn is_judged(role: Measure) -> bool {
    matches!(
        role,
        Measure::Memory
            | Measure::Part
            | Measure::Descriptors
            | Measure::Sockets
            | Measure::Threads
            | Measure::Processes
    )
}

impl Recording {
    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.builders.is_empty() && self.log.total == 0
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.log.total
    }

    /// Analyses everything.
    pub fn analyse(self, question: &Question) -> Timeline {
        let mut all: Vec<Series> = self
            .builders
            .into_iter()
            .filter_map(SeriesBuilder::finish)
            .collect();
        all.sort_by(|a, b| {
            let key = |s: &Series| (s.name.service.clone(), s.name.metric.clone());
            key(a).cmp(&key(b)).then(a.name.role.cmp(&b.name.role))
        });
        let judged = all.iter().filter(|s| is_judged(s.name.role)).count();
        let mut scope = Scope::of(judged);
        scope.alpha = question.alpha.unwrap_or(scope.alpha);
        let mut certain: FxHashMap<String, Vec<(Time, String)>> = FxHashMap::default();
        let mut from = 0;
        while from < all.len() {
            let service = all[from].name.service.clone();
            let to = from
                + all[from..]
                    .iter()
                    .take_while(|s| s.name.service == service)
                    .count();
            let group: Vec<&Series> = all[from..to].iter().collect();
            certain.insert(service, of_service(&group));
            from = to;
        }
        let (mut curves, mut plain) = (Vec::new(), Vec::new());
        for series in all {
            match is_judged(series.name.role) {
                true => {
                    let told = certain
                        .get(&series.name.service)
                        .map_or(&[][..], Vec::as_slice);
                    curves.push(curve(series, told, &scope));
                }
                false => plain.push(series),
            }
        }
        let primary = primary(&curves);
        let grows = |c: &Curve| c.grows || c.episodes().next().is_some();
        let suspects: Vec<usize> = primary
            .iter()
            .copied()
            .filter(|&p| grows(&curves[p]))
            .collect();
        let requests = requests(self.log, &curves, &suspects);
        let follows = suspects
            .iter()
            .map(|&at| (at, followed(&curves[at], &plain, &curves)))
            .filter(|(_, f)| !f.is_empty())
            .collect();
        let makeup = suspects
            .iter()
            .filter_map(|&at| {
                let service = &curves[at].series.name.service;
                let all = plain.iter().chain(curves.iter().map(|c| &c.series));
                let mine: Vec<&Series> = all.filter(|s| s.name.service == *service).collect();
                Some((at, makeup(&curves[at], &mine)?))
            })
            .collect();
        let mut marks = Vec::new();
        for (m, (time, _)) in question.marks.iter().enumerate() {
            for &at in &primary {
                marks.extend(mark(&curves[at], *time).map(|facts| (at, m, facts)));
            }
        }
        let logged = self.events.volume();
        let stuck = stuck(&plain);
        let counters = plain.iter().filter(|s| s.name.role == Measure::Errors);
        let mut events: Vec<EventFacts> = counters
            .filter_map(|s| of_counter(s, scope.alpha))
            .filter(|e| e.count > 0)
            .collect();
        events.extend(self.events.finish(scope.alpha));
        Timeline {
            curves,
            plain,
            primary,
            requests,
            logged,
            events,
            follows,
            makeup,
            marks,
            labels: question.marks.clone(),
            stuck,
            scope,
            left_out: self.left_out,
        }
    }
}

/// One memory series for each service: the one that speaks of the process alone, else the first.
fn primary(curves: &[Curve]) -> Vec<usize> {
    let rank = |c: &Curve| {
        let name = &c.series.name;
        let best = BEST_MEMORY
            .iter()
            .position(|b| name.metric.contains(b))
            .unwrap_or(BEST_MEMORY.len());
        (
            name.role != Measure::Memory,
            best,
            std::cmp::Reverse(c.series.points),
        )
    };
    let mut out: Vec<usize> = Vec::new();
    for (i, c) in curves.iter().enumerate() {
        if !c.series.name.role.is_memory() {
            continue;
        }
        match out.last_mut() {
            Some(last) if curves[*last].series.name.service == c.series.name.service => {
                if rank(c) < rank(&curves[*last]) {
                    *last = i;
                }
            }
            _ => out.push(i),
        }
    }
    out
}

/// The counters and levels of the same service that growth may follow.
fn followed(curve: &Curve, plain: &[Series], curves: &[Curve]) -> Vec<(SeriesName, Follow)> {
    let service = &curve.series.name.service;
    let offered: Vec<&Series> = plain
        .iter()
        .chain(curves.iter().map(|c| &c.series))
        .filter(|s| s.name.service == *service && s.min < s.max)
        .filter(|s| {
            let words = s.name.metric.as_str();
            let time = words.contains("cpu") || words.contains("time") || words.contains("uptime");
            let collector = words.contains("gc") || words.contains("collect");
            match s.name.role {
                Measure::Counter => !time && !collector,
                Measure::Sockets | Measure::Processes | Measure::Pending | Measure::Errors => true,
                Measure::Level => !collector,
                _ => false,
            }
        })
        .collect();
    let found = follows(curve, &offered);
    found
        .into_iter()
        .map(|f| (offered[f.counter].name.clone(), f))
        .collect()
}

/// Work that came back to zero once and stays above it for hours until the end.
fn stuck(plain: &[Series]) -> Vec<Stuck> {
    let mut out = Vec::new();
    for (i, s) in plain.iter().enumerate() {
        if s.name.role != Measure::Pending {
            continue;
        }
        let Some(zero) = s.cells.iter().rposition(|c| c.min <= 0.0) else {
            continue;
        };
        let Some(after) = s.cells.get(zero + 1) else {
            continue;
        };
        let since = Time(after.at * s.width_s * 1000);
        // It was idle before for as long as it is stuck now, or an hour.
        let idle = s.cells[..=zero].iter().filter(|c| c.min <= 0.0).count() as i64 * s.width_s;
        if s.end.hours_since(since) >= STUCK_H && idle >= 3600 {
            out.push(Stuck {
                series: i,
                since,
                least: s.cells[zero + 1..]
                    .iter()
                    .map(|c| c.min)
                    .fold(f64::INFINITY, f64::min),
                last: s.last,
            });
        }
    }
    out
}
