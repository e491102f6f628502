//! `heapdiff.toml`: found, read, every key checked, turned into budgets and suppressions.

use crate::error::{Code, Error, Place, Result};
use crate::units;
use crate::verdict::rules;
use crate::verdict::{
    Budget, Condition, Each, Glob, Limit, MonitorBudget, Scope, Severity, StackPattern,
    Suppression, Target, Watch,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// The name of the file.
pub const FILE: &str = "heapdiff.toml";

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    gate: RawGate,
    #[serde(default)]
    severity: RawSeverity,
    #[serde(default)]
    budget: Vec<Spanned<RawBudget>>,
    #[serde(default)]
    suppress: Vec<Spanned<RawSuppress>>,
    #[serde(default)]
    profile: BTreeMap<String, RawProfile>,
}

/// An environment.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    #[serde(default)]
    gate: RawGate,
    #[serde(default)]
    severity: RawSeverity,
    #[serde(default)]
    budget: Vec<Spanned<RawBudget>>,
    #[serde(default)]
    suppress: Vec<Spanned<RawSuppress>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGate {
    baseline: Option<String>,
    driver: Option<String>,
    inconclusive: Option<Spanned<String>>,
    memory_limit: Option<Spanned<Amount>>,
    metric: Option<String>,
    noise: Option<Spanned<String>>,
    path_map: Option<Vec<String>>,
    runs_per_hour: Option<f64>,
    suppressions: Option<Vec<String>>,
    trim_path: Option<Vec<String>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSeverity {
    warning: Option<Spanned<Amount>>,
    critical: Option<Spanned<Amount>>,
    emergency: Option<Spanned<Amount>>,
}

/// A number, or a size in words.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Amount {
    Whole(i64),
    Real(f64),
    Text(String),
}

impl Amount {
    /// Bytes or blocks; negative amounts are none.
    fn number(&self) -> Option<f64> {
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
    fn seconds(&self) -> Option<f64> {
        match self {
            Amount::Text(text) => units::parse_seconds(text),
            other => other.number(),
        }
    }
}

/// Frames: a list, or one text with ` > ` between them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Frames {
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
struct RawBudget {
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
    processes: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSuppress {
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

/// What becomes of "cannot tell".
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Inconclusive {
    /// Exit status 3
    Report,
    /// Exit status 0
    Pass,
    /// Exit status 1
    Fail,
}

/// A budget and where it is written.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The budget.
    pub budget: Budget,
    /// `heapdiff.toml line 3`, `--max-per-run`, `default`.
    pub place: String,
}

/// A value and where it comes from.
#[derive(Debug, Clone)]
pub struct Set<T> {
    /// The value.
    pub value: T,
    /// The file, or `default`.
    pub place: String,
}

/// Rates of growth from which on it is a warning, critical, an emergency; 10^6 bytes an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// From here on a warning.
    pub warning: f64,
    /// From here on critical.
    pub critical: f64,
    /// From here on an emergency.
    pub emergency: f64,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates {
            warning: 50.0,
            critical: 200.0,
            emergency: 500.0,
        }
    }
}

impl Rates {
    /// The rate from which on growth is so severe.
    pub fn of(&self, severity: Severity) -> f64 {
        match severity {
            Severity::Note => 0.0,
            Severity::Warning => self.warning,
            Severity::Critical => self.critical,
            Severity::Emergency => self.emergency,
        }
    }
}

/// The configuration, settled.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file; none where there is none.
    pub path: Option<PathBuf>,
    /// The environment that was chosen.
    pub profile: Option<String>,
    /// The baseline that captures are held against.
    pub baseline: Option<Set<String>>,
    /// The metric.
    pub metric: Option<Set<String>>,
    /// The driver that growth is counted by.
    pub driver: Option<Set<String>>,
    /// Runs in an hour.
    pub runs_per_hour: Option<Set<f64>>,
    /// Bytes that the program may use.
    pub memory_limit: Option<Set<u64>>,
    /// What becomes of "cannot tell".
    pub inconclusive: Option<Set<Inconclusive>>,
    /// Captures of unknown noise are taken for counted.
    pub exact: Option<Set<bool>>,
    /// Pairs of path prefixes, A=B.
    pub path_map: Vec<String>,
    /// Prefixes that are cut off.
    pub trim_path: Vec<String>,
    /// Suppression files of other tools, relative to the current directory.
    pub suppressions: Vec<PathBuf>,
    /// Severity by rate.
    pub rates: Rates,
    /// The budgets.
    pub budgets: Vec<Placed>,
    /// The suppressions.
    pub suppress: Vec<Suppression>,
}

/// The root of the repository that a directory lies in: the nearest one upward with `.git`.
pub fn repository(from: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(from).ok()?;
    let mut dirs = absolute.ancestors();
    dirs.find(|d| d.join(".git").exists()).map(Path::to_owned)
}

/// The configuration file of the current directory: the nearest one upward to the root of the
/// repository; outside of one only the directory's own.
pub fn find() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let root = repository(&here).unwrap_or_else(|| here.clone());
    let mut up = PathBuf::new();
    for dir in here.ancestors() {
        if dir.join(FILE).is_file() {
            return Some(up.join(FILE));
        }
        if dir == root {
            return None;
        }
        up.push("..");
    }
    None
}

/// Reads the configuration: `explicit`, else the file that is found, else the defaults.
///
/// Errors: a file that cannot be read, a key that is none, a value that makes no sense, each with
/// its line.
pub fn load(explicit: Option<&str>, none: bool, profile: Option<&str>) -> Result<Config> {
    if none {
        return known_profile(Config::default(), profile);
    }
    let Some(path) = explicit.map(PathBuf::from).or_else(find) else {
        return known_profile(Config::default(), profile);
    };
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|e| Error::io(Code::Unreadable, &shown, &e).help("name another with --config"))?;
    read(&text, &path, profile).map_err(|e| e.in_file(&shown))
}

fn known_profile(config: Config, profile: Option<&str>) -> Result<Config> {
    match profile {
        None => Ok(config),
        Some(name) => Err(Error::usage(format!(
            "there is no profile {name:?}: no {FILE} was found"
        ))
        .help(format!("write [profile.{name}] into {FILE}"))),
    }
}

/// Reads the text of a file at `path`.
pub fn read(text: &str, path: &Path, profile: Option<&str>) -> Result<Config> {
    let raw: Raw = toml::from_str(text).map_err(|e| toml_error(&e, text))?;
    let mut reader = Reader {
        text,
        name: path.display().to_string(),
        config: Config {
            path: Some(path.to_owned()),
            ..Config::default()
        },
    };
    reader.gate(&raw.gate, path)?;
    reader.severity(&raw.severity)?;
    let mut chosen = None;
    // Environments that are not chosen are checked all the same.
    for (name, own) in &raw.profile {
        let mut other = Reader {
            text,
            name: reader.name.clone(),
            config: Config::default(),
        };
        other.gate(&own.gate, path)?;
        other.severity(&own.severity)?;
        other.budgets(&own.budget)?;
        other.suppress(&own.suppress)?;
        if Some(name.as_str()) == profile {
            chosen = Some(own);
        }
    }
    if let (Some(name), None) = (profile, chosen) {
        let names: Vec<&str> = raw.profile.keys().map(String::as_str).collect();
        let have = match names.is_empty() {
            true => "there is none".to_owned(),
            false => format!("there is {}", names.join(", ")),
        };
        return Err(Error::usage(format!("there is no profile {name:?}")).help(have));
    }
    if let Some(own) = chosen {
        reader.gate(&own.gate, path)?;
        reader.severity(&own.severity)?;
    }
    reader.budgets(&raw.budget)?;
    reader.suppress(&raw.suppress)?;
    if let Some(own) = chosen {
        reader.budgets(&own.budget)?;
        reader.suppress(&own.suppress)?;
    }
    reader.config.profile = profile.map(str::to_owned);
    Ok(reader.config)
}

/// One budget of the command line, written like a table of the file: `peak = "300MiB"`.
///
/// Errors: as in the file.
pub fn budgets_of_flag(flag: &str, text: &str, rates: Rates) -> Result<Vec<Placed>> {
    #[derive(Deserialize)]
    struct One {
        budget: Spanned<RawBudget>,
    }
    let table = format!("budget = {{ {text} }}");
    let wrong = |what: String| {
        let error = Error::usage(format!("{flag} {text:?}: {what}"));
        match flag {
            "--budget" => error
                .help("write for example --budget 'function = \"decode*\", per_run = \"1KiB\"'"),
            _ => error.help("write a size such as 64KiB, or the word that --help names"),
        }
    };
    let one: One = toml::from_str(&table).map_err(|e| wrong(reason(&e)))?;
    let budgets = budgets(one.budget.get_ref(), rates).map_err(wrong)?;
    let placed = |budget| Placed {
        budget,
        place: flag.to_owned(),
    };
    Ok(budgets.into_iter().map(placed).collect())
}

struct Reader<'t> {
    text: &'t str,
    name: String,
    config: Config,
}

impl Reader<'_> {
    fn line(&self, at: usize) -> u64 {
        line_of(self.text, at)
    }

    fn wrong(&self, at: usize, what: String, help: &str) -> Error {
        Error::usage(what).at(Place::Line(self.line(at))).help(help)
    }

    fn set<T>(&self, value: T) -> Option<Set<T>> {
        Some(Set {
            value,
            place: self.name.clone(),
        })
    }

    fn gate(&mut self, raw: &RawGate, path: &Path) -> Result<()> {
        if let Some(name) = &raw.baseline {
            self.config.baseline = self.set(name.clone());
        }
        if let Some(name) = &raw.metric {
            self.config.metric = self.set(name.clone());
        }
        if let Some(name) = &raw.driver {
            self.config.driver = self.set(name.clone());
        }
        if let Some(runs) = raw.runs_per_hour {
            self.config.runs_per_hour = self.set(runs);
        }
        if let Some(limit) = &raw.memory_limit {
            let bytes = limit.get_ref().number().ok_or_else(|| {
                self.wrong(
                    limit.span().start,
                    "memory_limit is no size".into(),
                    "write \"750MB\"",
                )
            })?;
            self.config.memory_limit = self.set(bytes as u64);
        }
        if let Some(word) = &raw.inconclusive {
            let value = match word.get_ref().as_str() {
                "report" => Inconclusive::Report,
                "pass" => Inconclusive::Pass,
                "fail" => Inconclusive::Fail,
                other => {
                    let what = format!("inconclusive is {other:?}");
                    return Err(self.wrong(word.span().start, what, "one of report, pass, fail"));
                }
            };
            self.config.inconclusive = self.set(value);
        }
        if let Some(word) = &raw.noise {
            let value = match word.get_ref().as_str() {
                "auto" => false,
                "exact" => true,
                other => {
                    let what = format!("noise is {other:?}");
                    return Err(self.wrong(word.span().start, what, "one of auto, exact"));
                }
            };
            self.config.exact = self.set(value);
        }
        if let Some(pairs) = &raw.path_map {
            self.config.path_map = pairs.clone();
        }
        if let Some(prefixes) = &raw.trim_path {
            self.config.trim_path = prefixes.clone();
        }
        if let Some(files) = &raw.suppressions {
            let dir = path.parent().unwrap_or(Path::new(""));
            self.config.suppressions = files.iter().map(|f| dir.join(f)).collect();
        }
        Ok(())
    }

    fn severity(&mut self, raw: &RawSeverity) -> Result<()> {
        let mut rates = self.config.rates;
        for (amount, slot) in [
            (&raw.warning, &mut rates.warning),
            (&raw.critical, &mut rates.critical),
            (&raw.emergency, &mut rates.emergency),
        ] {
            let Some(amount) = amount else { continue };
            let bytes = amount.get_ref().number().ok_or_else(|| {
                let what = "a severity is no rate".to_owned();
                self.wrong(
                    amount.span().start,
                    what,
                    "write the growth an hour, \"50MB\"",
                )
            })?;
            *slot = bytes / 1e6;
        }
        if !(rates.warning <= rates.critical && rates.critical <= rates.emergency) {
            return Err(Error::usage(format!(
                "warning {}, critical {} and emergency {} MB an hour do not rise",
                rates.warning, rates.critical, rates.emergency
            ))
            .help("give the three in rising order"));
        }
        self.config.rates = rates;
        Ok(())
    }

    fn budgets(&mut self, list: &[Spanned<RawBudget>]) -> Result<()> {
        let mut fresh: Vec<String> = Vec::new();
        for raw in list {
            let at = raw.span().start;
            let found = budgets(raw.get_ref(), self.config.rates)
                .map_err(|what| self.wrong(at, what, "see docs/configuration.md"))?;
            for budget in found {
                if fresh.contains(&budget.name) {
                    let what = format!("two budgets have the name {:?}", budget.name);
                    return Err(self.wrong(at, what, "give one of them another name"));
                }
                fresh.push(budget.name.clone());
                // An environment's own budget takes the place of the one of that name.
                self.config.budgets.retain(|b| b.budget.name != budget.name);
                let place = format!("{} line {}", self.name, self.line(at));
                self.config.budgets.push(Placed { budget, place });
            }
        }
        Ok(())
    }

    fn suppress(&mut self, list: &[Spanned<RawSuppress>]) -> Result<()> {
        for raw in list {
            let at = raw.span().start;
            let place = format!("{} line {}", self.name, self.line(at));
            let one = suppression(raw.get_ref(), place)
                .map_err(|what| self.wrong(at, what, "see docs/configuration.md"))?;
            self.config.suppress.push(one);
        }
        Ok(())
    }
}

fn line_of(text: &str, at: usize) -> u64 {
    let at = at.min(text.len());
    text.as_bytes()[..at]
        .iter()
        .filter(|&&b| b == b'\n')
        .count() as u64
        + 1
}

/// What is wrong in a line of its own, with the nearest key where one is misspelt.
fn reason(e: &toml::de::Error) -> String {
    let message = e.message().lines().next().unwrap_or_default();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let (Some(rest), Some(own)) = (message.strip_prefix("unknown field"), quoted.next()) else {
        return message
            .replace(
                "data did not match any variant of untagged enum Amount",
                "neither a number nor a size such as \"64KiB\"",
            )
            .replace(
                "data did not match any variant of untagged enum Frames",
                "neither a list of frames nor a text",
            );
    };
    let _ = rest;
    let known: Vec<&str> = quoted.collect();
    let near = known.iter().min_by_key(|k| distance(own, k)).copied();
    match near.filter(|k| distance(own, k) <= 2 + own.len() / 4) {
        Some(near) => format!("there is no key `{own}`, the nearest is `{near}`"),
        None => format!("there is no key `{own}`, there are {}", known.join(", ")),
    }
}

fn toml_error(e: &toml::de::Error, text: &str) -> Error {
    let at = e.span().map_or(0, |s| s.start);
    Error::usage(reason(e))
        .at(Place::Line(line_of(text, at)))
        .help("see docs/configuration.md")
}

/// Edits from one word to another (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let cost = before + usize::from(x != y);
            before = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
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
pub fn severity(word: &str) -> std::result::Result<Severity, String> {
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
fn budgets(raw: &RawBudget, rates: Rates) -> std::result::Result<Vec<Budget>, String> {
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
        let mb = match amount {
            Amount::Text(word) if severity(word).is_ok() => rates.of(severity(word)?),
            other => {
                other
                    .number()
                    .ok_or("per_hour is neither a severity nor a size an hour")?
                    / 1e6
            }
        };
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
    let watches = watches(raw, monitored, &size, &count, &share)?;
    for watch in watches {
        let about_requests = matches!(
            watch,
            Watch::Duration(_) | Watch::Success(_) | Watch::Timeouts(_)
        );
        let subject = match about_requests {
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

/// Sites that came with less are no news, bytes.
const NEW_SITE: f64 = 4096.0;

type Sizes<'a> = &'a dyn Fn(&str, &Option<Amount>) -> std::result::Result<Option<f64>, String>;
type Counts<'a> = &'a dyn Fn(&str, Option<f64>) -> std::result::Result<Option<f64>, String>;

/// What a table says of monitoring.
fn watches(
    raw: &RawBudget,
    monitored: bool,
    size: Sizes<'_>,
    count: Counts<'_>,
    share: Sizes<'_>,
) -> std::result::Result<Vec<Watch>, String> {
    let mut out = Vec::new();
    if let Some(n) = size("rate", &raw.rate)? {
        out.push(Watch::Rate(n / 1e6));
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
    if let Some(n) = count("processes", raw.processes)? {
        out.push(Watch::Processes(n));
    }
    Ok(out)
}

fn suppression(raw: &RawSuppress, place: String) -> std::result::Result<Suppression, String> {
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
