//! Budgets on monitoring: what a series, an endpoint, a log or a number of processes may do, and
//! the time at which it did.
//!
//! The facts come as plain columns ([`Monitored`]), so that whatever reads monitoring can fill
//! them. Times are seconds since 1970.

use super::budget_test::Need;
use super::findings::Severity;
use super::pattern::Glob;

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

    /// The first time at which it had lasted long enough, and the value there. Linear in the
    /// points. What is missing between two points is taken to go on as it was.
    pub fn broken(&self, times: &[f64], values: &[f64]) -> Option<(f64, f64)> {
        let mut since: Option<f64> = None;
        for (&time, &value) in times.iter().zip(values) {
            if !value.is_finite() {
                continue;
            }
            if !self.comparison.holds(value, self.limit) {
                since = None;
                continue;
            }
            let start = *since.get_or_insert(time);
            if time - start >= self.seconds {
                return Some((time, value));
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
            Watch::Processes(_) => "processes",
        }
    }
}

/// What a watched series counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Memory of a process or a service, bytes.
    Memory,
    /// New connections, a minute.
    Connections,
    /// Log records, an hour.
    Logs,
    /// Processes.
    Processes,
    /// Anything else.
    Other,
}

/// A monitoring series.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// Its id in the document.
    pub id: String,
    /// Names that a budget may call it by: service, metric, `service/metric`.
    pub names: Vec<String>,
    /// What it counts.
    pub kind: Kind,
    /// When, ascending.
    pub times: Vec<f64>,
    /// How much.
    pub values: Vec<f64>,
    /// Growth, 10^6 bytes per hour, with its interval of 95 %, where it could be told.
    pub rate: Option<(f64, f64, f64)>,
    /// Severity of its growth, and since when, where it grows.
    pub severity: Option<(Severity, f64)>,
}

/// A family of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Requested {
    /// Its id in the document.
    pub id: String,
    /// The endpoint.
    pub endpoint: String,
    /// Number of requests.
    pub count: u64,
    /// How many failed.
    pub errors: u64,
    /// How many timed out.
    pub timeouts: u64,
    /// 99th percentile of the duration, seconds, where durations are known.
    pub p99: Option<f64>,
    /// When the worst of them was.
    pub worst_at: Option<f64>,
}

/// Everything that was monitored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Monitored {
    /// Series.
    pub series: Vec<Watched>,
    /// Requests by endpoint.
    pub requests: Vec<Requested>,
}

/// What one subject did.
#[derive(Debug, Clone, PartialEq)]
pub struct Watching {
    /// The subject's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The number that was held against the limit.
    pub value: f64,
    /// When it broke.
    pub broke_at: Option<f64>,
    /// Whether it is within the limit; none where that cannot be told.
    pub held: Option<bool>,
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
            Watch::Processes(n) => (*n, "processes"),
        }
    }

    fn kind(&self) -> Option<Kind> {
        match self {
            Watch::Rate(_) | Watch::Severity(_) => Some(Kind::Memory),
            Watch::ConnectionsPerMinute(_) => Some(Kind::Connections),
            Watch::LogsPerHour(_) => Some(Kind::Logs),
            Watch::Processes(_) => Some(Kind::Processes),
            _ => None,
        }
    }
}

impl MonitorBudget {
    /// Holds what was monitored against the budget: one answer a subject.
    ///
    /// Errors: nothing that it is about was monitored.
    pub fn watch(&self, monitored: &Monitored) -> Result<Vec<Watching>, Need> {
        let answers: Vec<Watching> = match self.watch {
            Watch::Duration(_) | Watch::Success(_) | Watch::Timeouts(_) => monitored
                .requests
                .iter()
                .filter(|r| self.is_about(std::slice::from_ref(&r.endpoint)))
                .map(|r| self.of_requests(r))
                .collect(),
            _ => monitored
                .series
                .iter()
                .filter(|s| self.watch.kind().is_none_or(|k| k == s.kind))
                .filter(|s| self.is_about(&s.names))
                .map(|s| self.of_series(s))
                .collect(),
        };
        match answers.is_empty() {
            true => Err(Need::Monitoring(
                self.subject
                    .as_ref()
                    .map_or(self.key().to_owned(), |g| g.as_str().to_owned()),
            )),
            false => Ok(answers),
        }
    }

    fn is_about(&self, names: &[String]) -> bool {
        let is = |glob: &Glob| names.iter().any(|n| glob.matches(n));
        self.subject.as_ref().is_none_or(is)
    }

    fn of_series(&self, series: &Watched) -> Watching {
        let mut answer = Watching {
            id: series.id.clone(),
            name: series.names.last().cloned().unwrap_or_default(),
            value: f64::NAN,
            broke_at: None,
            held: None,
        };
        let above = |limit| Condition {
            comparison: Comparison::Above,
            limit,
            seconds: 0.0,
        };
        let condition = match &self.watch {
            Watch::Rate(limit) => {
                if let Some((value, lo, hi)) = series.rate {
                    answer.value = value;
                    // Beyond the noise only, and within it only if the interval is.
                    answer.held = match () {
                        () if lo > *limit => Some(false),
                        () if hi <= *limit => Some(true),
                        () => None,
                    };
                    answer.broke_at = series
                        .severity
                        .filter(|_| answer.held == Some(false))
                        .map(|s| s.1)
                        .or(series.times.first().copied());
                }
                return answer;
            }
            Watch::Severity(from) => {
                if series.rate.is_some() || series.severity.is_some() {
                    let worst = series.severity.filter(|(s, _)| s >= from);
                    answer.held = Some(worst.is_none());
                    answer.broke_at = worst.map(|w| w.1);
                    answer.value = series.rate.map_or(f64::NAN, |r| r.0);
                }
                return answer;
            }
            Watch::Condition(condition) => *condition,
            Watch::Level(n)
            | Watch::ConnectionsPerMinute(n)
            | Watch::LogsPerHour(n)
            | Watch::Processes(n) => above(*n),
            Watch::Duration(_) | Watch::Success(_) | Watch::Timeouts(_) => return answer,
        };
        let known: Vec<f64> = series
            .values
            .iter()
            .copied()
            .filter(|v| v.is_finite())
            .collect();
        let span = match (series.times.first(), series.times.last()) {
            (Some(first), Some(last)) => last - first,
            _ => 0.0,
        };
        match condition.broken(&series.times, &series.values) {
            Some((time, value)) => {
                answer.held = Some(false);
                answer.broke_at = Some(time);
                answer.value = value;
            }
            // A series that is shorter than the condition has to last shows nothing.
            None if known.is_empty() || span < condition.seconds => {}
            None => {
                let worst = match condition.comparison {
                    Comparison::Above | Comparison::AtLeast => {
                        known.iter().copied().fold(f64::NEG_INFINITY, f64::max)
                    }
                    _ => known.iter().copied().fold(f64::INFINITY, f64::min),
                };
                answer.held = Some(true);
                answer.value = worst;
            }
        }
        answer
    }

    fn of_requests(&self, requests: &Requested) -> Watching {
        let count = requests.count as f64;
        let share = |n: u64| (requests.count > 0).then(|| n as f64 / count);
        let (value, held) = match self.watch {
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
        Watching {
            id: requests.id.clone(),
            name: requests.endpoint.clone(),
            value: value.unwrap_or(f64::NAN),
            broke_at: requests.worst_at.filter(|_| held == Some(false)),
            held,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Watched {
        Watched {
            id: "s1".into(),
            names: vec!["gateway".into(), "swap".into(), "gateway/swap".into()],
            kind: Kind::Other,
            times: (0..values.len()).map(|i| 60.0 * i as f64).collect(),
            values: values.to_vec(),
            rate: None,
            severity: None,
        }
    }

    fn budget(subject: &str, watch: Watch) -> MonitorBudget {
        MonitorBudget {
            subject: Some(Glob::new(subject)),
            watch,
        }
    }

    #[test]
    fn conditions_are_read() {
        let c = Condition::parse("> 0 for 10m").unwrap();
        assert_eq!(
            (c.comparison, c.limit, c.seconds),
            (Comparison::Above, 0.0, 600.0)
        );
        assert_eq!(Condition::parse(">= 200MB").unwrap().limit, 200e6);
        assert_eq!(
            Condition::parse("<1").unwrap().comparison,
            Comparison::Below
        );
        for bad in ["", "0", "> x", "> 1 for", "> 1 for ever", "=> 1"] {
            assert_eq!(Condition::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_condition_breaks_when_it_has_lasted() {
        let swap = budget(
            "swap",
            Watch::Condition(Condition::parse("> 0 for 3m").unwrap()),
        );
        let watch = |values: &[f64]| {
            let monitored = Monitored {
                series: vec![series(values)],
                requests: Vec::new(),
            };
            swap.watch(&monitored).unwrap().remove(0)
        };
        let broke = watch(&[0., 1., 1., 0., 1., 1., 1., 1., 0.]);
        assert_eq!((broke.held, broke.broke_at), (Some(false), Some(420.0)));
        assert_eq!(watch(&[0., 1., 1., 0., 1., 1., 1., 0.]).held, Some(true));
        assert_eq!(watch(&[1., 1.]).held, None, "shorter than the condition");
        assert_eq!(watch(&[f64::NAN; 9]).held, None);
    }

    #[test]
    fn what_was_not_monitored_is_no_pass() {
        let rate = budget("gateway", Watch::Rate(50.0));
        let monitored = Monitored {
            series: vec![series(&[1.0; 9])],
            requests: Vec::new(),
        };
        assert!(rate.watch(&monitored).is_err(), "not memory");
        let mut memory = monitored.clone();
        memory.series[0].kind = Kind::Memory;
        assert_eq!(rate.watch(&memory).unwrap()[0].held, None, "no rate");
        for (rate_of, held) in [
            ((21.0, 20.0, 22.0), Some(true)),
            ((60.0, 55.0, 65.0), Some(false)),
            ((49.0, 40.0, 58.0), None),
        ] {
            memory.series[0].rate = Some(rate_of);
            assert_eq!(rate.watch(&memory).unwrap()[0].held, held);
        }
    }

    #[test]
    fn endpoints() {
        let monitored = Monitored {
            series: Vec::new(),
            requests: vec![Requested {
                id: "e".into(),
                endpoint: "GET /export/".into(),
                count: 200,
                errors: 10,
                timeouts: 1,
                p99: Some(49.0),
                worst_at: Some(5.0),
            }],
        };
        let held = |watch| budget("GET *", watch).watch(&monitored).unwrap()[0].held;
        assert_eq!(held(Watch::Duration(30.0)), Some(false));
        assert_eq!(held(Watch::Success(0.95)), Some(true));
        assert_eq!(held(Watch::Timeouts(0.001)), Some(false));
    }
}
