//! Budgets on monitoring: what a series, an endpoint, a log or a number of processes may do, and
//! the time at which it did.
//!
//! The facts are those of [`Monitored`]. Times are seconds since 1970.

use super::budget_test::{Need, Reading};
use super::findings::Severity;
use super::monitored::{Kind, Monitored, RateFact, Requested, Spot, Watched};
use super::pattern::Glob;
use crate::timeline::Load;

/// Names that are offered in place of one that is unknown.
const MOST_KNOWN: usize = 6;

/// Compares a value with a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

impl Comparison {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Comparison::Above => value > limit,
            Comparison::AtLeast => value >= limit,
            Comparison::Below => value < limit,
            Comparison::AtMost => value <= limit,
        }
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Comparison::Above => ">",
            Comparison::AtLeast => ">=",
            Comparison::Below => "<",
            Comparison::AtMost => "<=",
        }
    }
}

/// `> 0 for 10m`: what breaks a budget, and for how long it has to last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    /// How values are compared.
    pub comparison: Comparison,
    /// With what.
    pub limit: f64,
    /// Seconds that it lasts before it breaks; 0: one point is enough.
    pub seconds: f64,
}

impl Condition {
    /// Reads `> 0 for 10m`, `>= 200MB`, `< 1`. None for anything else.
    pub fn parse(text: &str) -> Option<Condition> {
        let text = text.trim();
        let (comparison, rest) = [
            (">=", Comparison::AtLeast),
            ("<=", Comparison::AtMost),
            (">", Comparison::Above),
            ("<", Comparison::Below),
        ]
        .iter()
        .find_map(|(sign, c)| Some((*c, text.strip_prefix(sign)?)))?;
        let (number, seconds) = match rest.split_once(" for ") {
            Some((number, duration)) => (number, crate::units::parse_seconds(duration.trim())?),
            None => (rest, 0.0),
        };
        let number = number.trim();
        let limit = match number.parse::<f64>() {
            Ok(n) if n.is_finite() => n,
            _ => crate::units::parse_bytes(number)? as f64,
        };
        Some(Condition {
            comparison,
            limit,
            seconds,
        })
    }

    /// As it is written.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} {}",
            self.comparison.as_str(),
            crate::units::plain(self.limit)
        );
        if self.seconds > 0.0 {
            text.push_str(&format!(" for {}", crate::units::plain(self.seconds)));
            text.push_str(" s");
        }
        text
    }

    /// The first time at which it had lasted long enough. Linear in the spots. What lies between two samples goes on as it was; behind a gap it begins anew.
    pub fn broken(&self, spots: &[Spot]) -> Option<f64> {
        let mut since: Option<f64> = None;
        for spot in spots {
            let upward = matches!(self.comparison, Comparison::Above | Comparison::AtLeast);
            let (most, least) = match upward {
                true => (spot.high, spot.low),
                false => (spot.low, spot.high),
            };
            let is = |value| self.comparison.holds(value, self.limit);
            if spot.after_gap {
                since = None;
            }
            if self.seconds <= 0.0 {
                if is(most) {
                    return Some(spot.from);
                }
                continue;
            }
            since = match (is(least), is(most)) {
                (true, _) => Some(since.unwrap_or(spot.from)),
                // For a part of the span, and at its end: from there on.
                (false, true) => is(spot.last).then_some(spot.to),
                _ => None,
            };
            if let Some(start) = since.filter(|start| spot.to - start >= self.seconds) {
                return Some(start + self.seconds);
            }
        }
        None
    }
}

/// What is held against a limit.
#[derive(Debug, Clone, PartialEq)]
pub enum Watch {
    /// Growth of a series, 10^6 bytes per hour.
    Rate(f64),
    /// Severity of growth of a series.
    Severity(Severity),
    /// Its level.
    Level(f64),
    /// Anything that a condition says of it.
    Condition(Condition),
    /// The 99th percentile of an endpoint's duration, seconds.
    Duration(f64),
    /// Share of requests that succeed, at least.
    Success(f64),
    /// Share of requests that time out, at most.
    Timeouts(f64),
    /// New connections a minute.
    ConnectionsPerMinute(f64),
    /// Log records an hour.
    LogsPerHour(f64),
    /// Bytes of logs an hour.
    LogBytesPerHour(f64),
    /// Processes at once.
    Processes(f64),
}

/// A budget on monitoring.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorBudget {
    /// The series, services or endpoints that it is about; all where none is given.
    pub subject: Option<Glob>,
    /// What they may do.
    pub watch: Watch,
}

impl MonitorBudget {
    /// The word for it in names.
    pub fn key(&self) -> &'static str {
        match self.watch {
            Watch::Rate(_) => "rate",
            Watch::Severity(_) => "severity",
            Watch::Level(_) => "level",
            Watch::Condition(_) => "condition",
            Watch::Duration(_) => "duration",
            Watch::Success(_) => "success",
            Watch::Timeouts(_) => "timeouts",
            Watch::ConnectionsPerMinute(_) => "connections_per_minute",
            Watch::LogsPerHour(_) => "logs_per_hour",
            Watch::LogBytesPerHour(_) => "log_bytes_per_hour",
            Watch::Processes(_) => "processes",
        }
    }
}

/// What became of a subject.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Within the limit.
    Within,
    /// Beyond it, and since when.
    Beyond(f64),
    /// It cannot be told.
    Unknown(Need),
    /// A matter of chance: numbers with their errors, and since when each holds.
    Tested(Vec<(Reading, f64)>),
}

/// What one subject did.
#[derive(Debug, Clone, PartialEq)]
pub struct Watching {
    /// The subject's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The rule that says so.
    pub rule: &'static str,
    /// The number that was held against the limit; NaN where there is none.
    pub value: f64,
    /// What became of it.
    pub answer: Answer,
}

impl Watch {
    /// The limit as a number, and its unit.
    pub fn limit(&self) -> (f64, &'static str) {
        match self {
            Watch::Rate(n) => (*n, "MB per hour"),
            Watch::Severity(_) => (0.0, "severity"),
            Watch::Level(n) => (*n, "bytes"),
            Watch::Condition(c) => (c.limit, "value"),
            Watch::Duration(n) => (*n, "seconds"),
            Watch::Success(n) => (*n, "share"),
            Watch::Timeouts(n) => (*n, "share"),
            Watch::ConnectionsPerMinute(n) => (*n, "connections per minute"),
            Watch::LogsPerHour(n) => (*n, "records per hour"),
            Watch::LogBytesPerHour(n) => (*n, "bytes per hour"),
            Watch::Processes(n) => (*n, "processes"),
        }
    }

    fn kinds(&self) -> &'static [Kind] {
        match self {
            Watch::Rate(_) | Watch::Severity(_) => &[Kind::Memory],
            Watch::ConnectionsPerMinute(_) => &[Kind::Connections],
            Watch::LogsPerHour(_) => &[Kind::Logs],
            Watch::LogBytesPerHour(_) => &[Kind::LogBytes],
            Watch::Processes(_) => &[Kind::Processes],
            _ => &[Kind::Memory, Kind::Processes, Kind::Other],
        }
    }

    /// Whether it is about a service as a whole, so that its memory stands for it.
    fn of_service(&self) -> bool {
        matches!(
            self,
            Watch::Rate(_) | Watch::Severity(_) | Watch::Level(_) | Watch::Condition(_)
        )
    }

    /// Whether it is about requests.
    pub fn of_requests(&self) -> bool {
        matches!(
            self,
            Watch::Duration(_) | Watch::Success(_) | Watch::Timeouts(_)
        )
    }
}

impl MonitorBudget {
    /// Whether low values are the bad ones.
    pub(super) fn lower_is_worse(&self) -> bool {
        match &self.watch {
            Watch::Success(_) => true,
            Watch::Condition(c) => {
                matches!(c.comparison, Comparison::Below | Comparison::AtMost)
            }
            _ => false,
        }
    }

    /// Holds what was monitored against the budget: one answer a subject.
    ///
    /// Errors: nothing that it is about was monitored.
    pub fn watch(&self, monitored: &Monitored) -> Result<Vec<Watching>, Need> {
        let answers: Vec<Watching> = match self.watch.of_requests() {
            true => monitored
                .requests
                .iter()
                .filter(|r| {
                    let subject = self.subject.as_ref();
                    subject.is_none_or(|glob| glob.matches(&r.endpoint))
                })
                .map(|r| self.requests(r, monitored.window_s))
                .collect(),
            false => monitored
                .series
                .iter()
                .filter(|s| self.watch.kinds().contains(&s.kind) && self.is_about(s))
                .map(|s| self.series(s))
                .collect(),
        };
        match answers.is_empty() {
            true => Err(Need::Monitoring {
                what: self.subject.as_ref().map_or_else(
                    || self.key().replace('_', " "),
                    |glob| glob.as_str().to_owned(),
                ),
                known: self.known(monitored),
            }),
            false => Ok(answers),
        }
    }

    /// Names that there are, the most telling first.
    fn known(&self, monitored: &Monitored) -> Vec<String> {
        let endpoints = monitored.requests.iter().map(|r| r.endpoint.clone());
        let mut series: Vec<&Watched> = monitored.series.iter().collect();
        series.retain(|s| self.watch.kinds().contains(&s.kind));
        series.sort_by_key(|s| (!s.primary, s.kind != Kind::Memory));
        let mut names: Vec<String> = match self.watch.of_requests() {
            true => endpoints.collect(),
            false => series.iter().map(|s| s.id.clone()).collect(),
        };
        names.truncate(MOST_KNOWN);
        names
    }

    /// Whether a series is meant: by its metric, by service and metric, or by its service, for
    /// which its memory stands.
    fn is_about(&self, series: &Watched) -> bool {
        let stands = series.primary || !self.watch.of_service();
        let Some(glob) = &self.subject else {
            return stands;
        };
        match glob.as_str().contains('/') {
            true => glob.matches(&series.id),
            false => {
                let by_metric = series.metrics.iter().any(|m| glob.matches(m));
                by_metric || stands && glob.matches(&series.service)
            }
        }
    }

    fn series(&self, series: &Watched) -> Watching {
        let (value, answer) = match &self.watch {
            _ if series.accepted => (f64::NAN, Answer::Within),
            Watch::Rate(limit) => rate(series, *limit),
            Watch::Severity(from) => severity(series, *from),
            Watch::Condition(condition) => spots(series, *condition),
            watch => {
                let above = Condition {
                    comparison: Comparison::Above,
                    limit: watch.limit().0,
                    seconds: 0.0,
                };
                spots(series, above)
            }
        };
        Watching {
            id: series.id.clone(),
            name: series.title.clone(),
            rule: match self.watch {
                Watch::Rate(_) | Watch::Severity(_) => series.rule,
                _ => "HD090",
            },
            value,
            answer,
        }
    }

    fn requests(&self, requests: &Requested, window_s: f64) -> Watching {
        let count = requests.count as f64;
        let share = |n: u64| (requests.count > 0).then(|| n as f64 / count);
        let (value, within) = match self.watch {
            Watch::Duration(limit) => (requests.p99, requests.p99.map(|v| v <= limit)),
            Watch::Success(limit) => {
                let value = share(requests.count.saturating_sub(requests.errors));
                (value, value.map(|v| v >= limit))
            }
            Watch::Timeouts(limit) => {
                let value = share(requests.timeouts);
                (value, value.map(|v| v <= limit))
            }
            _ => (None, None),
        };
        let since = || match self.watch {
            Watch::Duration(limit) => requests.since(
                window_s,
                |l| f64::from(l.longest) > limit,
                |l| {
                    // Of those of a window it is known how long they took together.
                    let slow = f64::from(l.seconds) > limit * f64::from(l.ended);
                    match f64::from(l.longest) > limit {
                        true if slow => f64::from(l.ended),
                        true => 1.0,
                        false => 0.0,
                    }
                },
                0.01,
            ),
            Watch::Success(limit) => {
                let failed = |l: &Load| f64::from(l.errors);
                requests.since(window_s, |l| l.errors > 0, failed, 1.0 - limit)
            }
            Watch::Timeouts(limit) => {
                let timed_out = |l: &Load| f64::from(l.timeouts);
                requests.since(window_s, |l| l.timeouts > 0, timed_out, limit)
            }
            _ => f64::NAN,
        };
        Watching {
            id: requests.endpoint.clone(),
            name: requests.endpoint.clone(),
            rule: "HD090",
            value: value.filter(|_| !requests.accepted).unwrap_or(f64::NAN),
            answer: match within {
                _ if requests.accepted => Answer::Within,
                Some(true) => Answer::Within,
                Some(false) => Answer::Beyond(since()),
                None => Answer::Unknown(Need::Longer(requests.endpoint.clone())),
            },
        }
    }
}

/// Growth of the whole span, and of each piece of a rise that counts.
fn rate(series: &Watched, limit: f64) -> (f64, Answer) {
    let value = |of: f64, rate: &RateFact| of.max(rate.value);
    match series.rates.is_empty() {
        true if series.judged => (0.0, Answer::Within),
        true => (
            f64::NAN,
            Answer::Unknown(Need::Longer(series.title.clone())),
        ),
        false => {
            let tests = series.rates.iter();
            let tests = tests.map(|r| (r.reading(limit), r.since)).collect();
            let most = series.rates.iter().fold(f64::NEG_INFINITY, value);
            (most, Answer::Tested(tests))
        }
    }
}

fn severity(series: &Watched, from: Severity) -> (f64, Answer) {
    let most = |of: f64, rate: &RateFact| of.max(rate.value);
    let value = series.rates.iter().fold(f64::NEG_INFINITY, most);
    let reached = series.severities.iter().filter(|s| s.0 >= from);
    let since = reached.map(|s| s.1).reduce(f64::min);
    let answer = match since {
        Some(since) => Answer::Beyond(since),
        _ if series.judged => Answer::Within,
        _ => Answer::Unknown(Need::Longer(series.title.clone())),
    };
    (value, answer)
}

fn spots(series: &Watched, condition: Condition) -> (f64, Answer) {
    let longer = || Answer::Unknown(Need::Longer(series.title.clone()));
    let (Some(first), Some(last)) = (series.spots.first(), series.spots.last()) else {
        return (f64::NAN, longer());
    };
    let upward = matches!(
        condition.comparison,
        Comparison::Above | Comparison::AtLeast
    );
    let worst = series.spots.iter().fold(f64::NAN, |of, spot| match upward {
        true => of.max(spot.high),
        false => of.min(spot.low),
    });
    let broken = condition.broken(&series.spots);
    let answer = match broken {
        Some(time) => Answer::Beyond(time),
        // A series that is shorter than the condition has to last shows nothing.
        _ if last.to - first.from < condition.seconds.max(series.least_s) => longer(),
        _ if series.lower_bound => Answer::Unknown(Need::Counter(series.title.clone())),
        None => Answer::Within,
    };
    (worst, answer)
}

#[cfg(test)]
#[path = "budget_monitor_tests.rs"]
mod tests;
