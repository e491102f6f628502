//! The tables of `heapdiff.toml`: what may stand in them, and what it means.

use crate::units;
use crate::verdict::rules;
use crate::verdict::{
    Budget, Condition, Each, Glob, Limit, MonitorBudget, Scope, Severity, StackPattern, Steps,
    Suppression, Target, Watch,
};
use serde::Deserialize;

/// A number, or a size in words.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Amount {
    Whole(i64),
    Real(f64),
    Text(String),
}

impl Amount {
    /// Bytes or blocks; negative amounts are none.
    pub(super) fn number(&self) -> Option<f64> {
        let number = match self {
            Amount::Whole(n) => *n as f64,
            Amount::Real(n) => *n,
            Amount::Text(text) => units::parse_bytes(text)? as f64,
        };
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    /// A share: `0.05` or `"5 %"`.
    fn share(&self) -> Option<f64> {
        let share = match self {
            Amount::Text(text) => {
                let number = text.trim().strip_suffix('%')?.trim();
                number.parse::<f64>().ok()? / 100.0
            }
            other => other.number()?,
        };
        (0.0..=1.0).contains(&share).then_some(share)
    }

    /// Per cent: `5` or `"5 %"`.
    fn percent(&self) -> Option<f64> {
        let number = match self {
            Amount::Text(text) => text.trim().trim_end_matches('%').trim().parse().ok()?,
            Amount::Whole(n) => *n as f64,
            Amount::Real(n) => *n,
        };
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    /// Seconds: `2` or `"2s"`.
    pub(super) fn seconds(&self) -> Option<f64> {
        match self {
            Amount::Text(text) => units::parse_seconds(text),
            other => other.number(),
        }
    }
}

/// Frames: a list, or one text with ` > ` between them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Frames {
    List(Vec<String>),
    Text(String),
}

impl Frames {
    fn pattern(&self) -> StackPattern {
        match self {
            Frames::List(list) => StackPattern::new(list.iter().map(String::as_str)),
            Frames::Text(text) => StackPattern::new(text.split(" > ")),
        }
    }
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBudget {
    name: Option<String>,
    // Whose memory.
    function: Option<String>,
    file: Option<String>,
    module: Option<String>,
    stack: Option<Frames>,
    site: Option<String>,
    label: Option<String>,
    each: Option<String>,
    metric: Option<String>,
    against: Option<String>,
    // What of it.
    per_run: Option<Amount>,
    growth: Option<Amount>,
    growth_percent: Option<Amount>,
    per_hour: Option<Amount>,
    live: Option<Amount>,
    peak: Option<Amount>,
    level: Option<Amount>,
    plateau: Option<Amount>,
    new_sites: Option<f64>,
    min: Option<Amount>,
    temporary: Option<Amount>,
    leaks: Option<String>,
    retained_by_cycles: Option<Amount>,
    cycles: Option<f64>,
    signature: Option<String>,
    // Of monitoring.
    series: Option<String>,
    endpoint: Option<String>,
    rate: Option<Amount>,
    severity: Option<String>,
    condition: Option<String>,
    duration: Option<Amount>,
    success: Option<Amount>,
    timeouts: Option<Amount>,
    connections_per_minute: Option<f64>,
    logs_per_hour: Option<f64>,
    log_bytes_per_hour: Option<Amount>,
    processes: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSuppress {
    rule: String,
    stack: Option<Frames>,
    site: Option<String>,
    of: Option<u32>,
    subject: Option<String>,
    max: Option<Amount>,
    reason: String,
    owner: Option<String>,
    expires: toml::value::Datetime,
}

/// `9f2c61d0a4e7b318`, with or without the rank.
pub fn site_id(text: &str) -> Option<(u64, Option<u32>)> {
    let (hash, rank) = match text.split_once('#') {
        Some((hash, rank)) => (hash, Some(rank.parse().ok()?)),
        None => (text, None),
    };
    let hex = hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| u64::from_str_radix(hash, 16).ok())
        .flatten()
        .map(|hash| (hash, rank))
}

/// A severity by its word.
pub(super) fn severity(word: &str) -> std::result::Result<Severity, String> {
    [
        Severity::Note,
        Severity::Warning,
        Severity::Critical,
        Severity::Emergency,
    ]
    .into_iter()
    .find(|s| s.as_str() == word)
    .ok_or_else(|| format!("{word:?} is no severity (note, warning, critical, emergency)"))
}

fn scope(raw: &RawBudget) -> std::result::Result<Scope, String> {
    let mut found: Vec<(&str, Scope)> = Vec::new();
    if let Some(text) = &raw.function {
        found.push(("function", Scope::Function(Glob::new(text))));
    }
    if let Some(text) = &raw.file {
        found.push(("file", Scope::File(Glob::new(text))));
    }
    if let Some(text) = &raw.module {
        found.push(("module", Scope::Module(Glob::new(text))));
    }
    if let Some(frames) = &raw.stack {
        found.push(("stack", Scope::Stack(frames.pattern())));
    }
    if let Some(text) = &raw.site {
        let (hash, rank) = site_id(text)
            .ok_or_else(|| format!("site {text:?} is no id (16 hex digits, as in the JSON)"))?;
        found.push(("site", Scope::Site(hash, rank)));
    }
    if let Some(text) = &raw.label {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| format!("label {text:?} is no KEY=VALUE"))?;
        let scope = Scope::Label(key.trim().to_owned(), value.trim().to_owned());
        found.push(("label", scope));
    }
    if found.len() > 1 {
        let keys: Vec<&str> = found.iter().map(|f| f.0).collect();
        return Err(format!("one budget has {}: choose one", keys.join(" and ")));
    }
    Ok(found.pop().map_or(Scope::Total, |f| f.1))
}

/// The budgets that one table writes down: one for each limit in it.
pub(super) fn budgets(raw: &RawBudget, rates: Steps) -> std::result::Result<Vec<Budget>, String> {
    let each = match raw.each.as_deref() {
        None => Each::Sum,
        Some("site") => Each::Site,
        Some("function") => Each::Function,
        Some("file") => Each::File,
        Some(other) => {
            return Err(format!("each is {other:?} (site, function, file)"));
        }
    };
    let against_origin = match raw.against.as_deref() {
        None | Some("base") => false,
        Some("origin") => true,
        Some(other) => return Err(format!("against is {other:?} (base, origin)")),
    };
    let scope = scope(raw)?;
    let size = |key: &str, amount: &Option<Amount>| match amount {
        None => Ok(None),
        Some(a) => a
            .number()
            .map(Some)
            .ok_or_else(|| format!("{key} is no size: write 64KiB, 5MB or a number")),
    };
    let count = |key: &str, number: Option<f64>| match number {
        Some(n) if !(n.is_finite() && n >= 0.0) => Err(format!("{key} is no count")),
        n => Ok(n),
    };
    let share = |key: &str, amount: &Option<Amount>| match amount {
        None => Ok(None),
        Some(a) => a
            .share()
            .map(Some)
            .ok_or_else(|| format!("{key} is no share: write 0.01 or \"1 %\"")),
    };
    let monitored = raw.series.is_some() || raw.endpoint.is_some();
    let mut limits: Vec<(Option<&str>, Limit)> = Vec::new();
    if let Some(n) = size("per_run", &raw.per_run)? {
        limits.push((None, Limit::PerRun(n)));
    }
    let percent = match &raw.growth_percent {
        None => None,
        Some(a) => Some(a.percent().ok_or("growth_percent is no percentage")?),
    };
    let absolute = size("growth", &raw.growth)?;
    if absolute.is_some() || percent.is_some() {
        limits.push((None, Limit::Growth { absolute, percent }));
    }
    if let Some(amount) = &raw.per_hour {
        let mb = rate("per_hour", amount, rates)?;
        limits.push((None, Limit::PerHour(mb)));
    }
    for (key, amount, metric) in [
        ("live", &raw.live, Some("live_bytes")),
        ("peak", &raw.peak, Some("peak_bytes")),
        ("level", &raw.level, None),
    ] {
        if let Some(n) = size(key, amount)?
            && !monitored
        {
            limits.push((metric, Limit::Level(n)));
        }
    }
    if let Some(n) = size("plateau", &raw.plateau)? {
        limits.push((None, Limit::Plateau(n)));
    }
    let least = size("min", &raw.min)?;
    if let Some(most) = count("new_sites", raw.new_sites)? {
        let least = least.unwrap_or(NEW_SITE);
        limits.push((None, Limit::NewSites { most, least }));
    } else if least.is_some() {
        return Err("min says which new sites count: it needs new_sites".into());
    }
    if let Some(n) = size("temporary", &raw.temporary)? {
        limits.push((None, Limit::Temporary(n)));
    }
    if let Some(word) = &raw.leaks {
        limits.push((None, Limit::Leaks(severity(word)?)));
    }
    if let Some(n) = size("retained_by_cycles", &raw.retained_by_cycles)? {
        limits.push((None, Limit::RetainedByCycles(n)));
    }
    if let Some(most) = count("cycles", raw.cycles)? {
        let signature = raw.signature.as_ref().map(Glob::new);
        limits.push((None, Limit::Cycles { most, signature }));
    } else if raw.signature.is_some() {
        return Err("signature says which cycles count: it needs cycles".into());
    }
    let watches = watches(raw, monitored, rates, &size, &count, &share)?;
    for watch in watches {
        let subject = match watch.of_requests() {
            true => &raw.endpoint,
            false => &raw.series,
        };
        let subject = subject.as_ref().map(Glob::new);
        limits.push((None, Limit::Monitor(MonitorBudget { subject, watch })));
    }
    if limits.is_empty() {
        return Err("a budget without a limit, such as per_run = \"1KiB\"".into());
    }
    let several = limits.len() > 1;
    let make = |(metric, limit): (Option<&str>, Limit)| {
        let key = match (metric, &limit) {
            (Some(metric), _) => metric.trim_end_matches("_bytes"),
            (None, limit) => limit.key(),
        };
        let about = match (&limit, &scope) {
            (Limit::Monitor(m), _) => m.subject.as_ref().map(|g| g.as_str().to_owned()),
            (_, Scope::Total) => None,
            (_, scope) => Some(scope.text()),
        };
        let of_metric = match (metric, &raw.metric) {
            (None, Some(name)) => format!(" of {name}"),
            _ => String::new(),
        };
        let own = match about {
            Some(about) => format!("{key}{of_metric}{} of {about}", each.words()),
            None => format!("{key}{of_metric}{}", each.words()),
        };
        let name = match (&raw.name, several) {
            (Some(name), true) => format!("{name}: {key}"),
            (Some(name), false) => name.clone(),
            (None, _) => own,
        };
        let metric = metric
            .map(str::to_owned)
            .or_else(|| raw.metric.as_deref().map(crate::model::canonical_name));
        Budget {
            name,
            scope: scope.clone(),
            each,
            metric,
            limit,
            against_origin,
            by_default: false,
        }
    };
    Ok(limits.into_iter().map(make).collect())
}

/// 10^6 bytes an hour: a size, or the severity that has that rate.
fn rate(key: &str, amount: &Amount, rates: Steps) -> std::result::Result<f64, String> {
    if let Amount::Text(word) = amount
        && let Ok(severity) = severity(word)
    {
        return Ok(rates.of(severity));
    }
    let bytes = amount.number();
    let bytes = bytes.ok_or_else(|| format!("{key} is neither a severity nor a size an hour"))?;
    Ok(bytes / 1e6)
}

/// Sites that came with less are no news, bytes.
const NEW_SITE: f64 = 4096.0;

type Sizes<'a> = &'a dyn Fn(&str, &Option<Amount>) -> std::result::Result<Option<f64>, String>;
type Counts<'a> = &'a dyn Fn(&str, Option<f64>) -> std::result::Result<Option<f64>, String>;

/// What a table says of monitoring.
fn watches(
    raw: &RawBudget,
    monitored: bool,
    rates: Steps,
    size: Sizes<'_>,
    count: Counts<'_>,
    share: Sizes<'_>,
) -> std::result::Result<Vec<Watch>, String> {
    let mut out = Vec::new();
    if let Some(amount) = &raw.rate {
        out.push(Watch::Rate(rate("rate", amount, rates)?));
    }
    if let Some(word) = &raw.severity {
        out.push(Watch::Severity(severity(word)?));
    }
    if let Some(n) = size("level", &raw.level)?
        && monitored
    {
        out.push(Watch::Level(n));
    }
    if let Some(text) = &raw.condition {
        if raw.series.is_none() {
            return Err("condition needs a series: series = \"node_swap_bytes\"".into());
        }
        let condition = Condition::parse(text)
            .ok_or_else(|| format!("condition {text:?} is none: write \"> 0 for 10m\""))?;
        out.push(Watch::Condition(condition));
    }
    if let Some(amount) = &raw.duration {
        let seconds = amount
            .seconds()
            .ok_or("duration is none: write \"2s\" or \"250ms\"")?;
        out.push(Watch::Duration(seconds));
    }
    if let Some(n) = share("success", &raw.success)? {
        out.push(Watch::Success(n));
    }
    if let Some(n) = share("timeouts", &raw.timeouts)? {
        out.push(Watch::Timeouts(n));
    }
    if let Some(n) = count("connections_per_minute", raw.connections_per_minute)? {
        out.push(Watch::ConnectionsPerMinute(n));
    }
    if let Some(n) = count("logs_per_hour", raw.logs_per_hour)? {
        out.push(Watch::LogsPerHour(n));
    }
    if let Some(n) = size("log_bytes_per_hour", &raw.log_bytes_per_hour)? {
        out.push(Watch::LogBytesPerHour(n));
    }
    if let Some(n) = count("processes", raw.processes)? {
        out.push(Watch::Processes(n));
    }
    Ok(out)
}

pub(super) fn suppression(
    raw: &RawSuppress,
    place: String,
) -> std::result::Result<Suppression, String> {
    let rule = match raw.rule.as_str() {
        "*" => None,
        name => Some(rules::by_name(name).ok_or_else(|| {
            format!("no rule is called {name:?} (HD001, steady-growth, or \"*\")")
        })?),
    };
    let mut targets = Vec::new();
    if let Some(frames) = &raw.stack {
        targets.push(Target::Stack(frames.pattern()));
    }
    if let Some(text) = &raw.site {
        let (hash, rank) = site_id(text)
            .ok_or_else(|| format!("site {text:?} is no id (16 hex digits, as in the JSON)"))?;
        targets.push(Target::Site(hash, rank, raw.of));
    }
    if let Some(text) = &raw.subject {
        targets.push(Target::Subject(Glob::new(text)));
    }
    let target = match targets.len() {
        1 => targets.remove(0),
        0 => return Err("a suppression needs a stack, a site or a subject".into()),
        _ => return Err("a suppression has one of stack, site, subject".into()),
    };
    let max = match &raw.max {
        None => None,
        Some(a) => Some(a.number().ok_or("max is no size: write \"2MiB\"")? as u64),
    };
    if raw.reason.trim().is_empty() {
        return Err("a suppression needs a reason".into());
    }
    let date = raw.expires.date.filter(|_| raw.expires.time.is_none());
    let expires = date
        .and_then(|d| {
            let year = i16::try_from(d.year).ok()?;
            let (month, day) = (i8::try_from(d.month).ok()?, i8::try_from(d.day).ok()?);
            jiff::civil::Date::new(year, month, day).ok()
        })
        .ok_or("expires is no date: write expires = 2027-03-01")?;
    Ok(Suppression {
        rule,
        target,
        max,
        reason: raw.reason.trim().to_owned(),
        owner: raw.owner.clone(),
        expires: Some(expires),
        place,
    })
}
